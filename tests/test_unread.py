"""What people are told of records that could not be read: reasons, one example each, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest

from forensics import errors, schema, unread


@dataclass(frozen=True)
class Entry:
    id: str
    used: int = 0
    unread: int = 0
    duplicates: int = 0
    loader: str = "postfix"
    first: str | None = None
    last: str | None = None
    damage: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return (f"{self.id}.log",)


def table(*rows: tuple[str, int, str, bytes]) -> duckdb.DuckDBPyConnection:
    """A connection with these unread records: evidence, number, reason, raw."""
    connection = duckdb.connect()
    names = ("evidence", "number", "offset", "length", "reason", "raw")
    made = [dict(zip(names, (e, n, 100 * n, len(raw), reason, raw), strict=True)) for e, n, reason, raw in rows]
    connection.register("unread", pa.Table.from_pylist(made, schema.UNREAD))
    return connection


def test_the_commonest_reasons_with_their_first_record() -> None:
    connection = table(
        ("b", 1, "no readable time stamp", b"first of b"),
        ("a", 7, "no readable time stamp", b"seventh of a"),
        ("a", 9, "no readable time stamp", b"ninth of a"),
        *(("a", n, f"no time that could be read in '{n} o''clock'", b"x") for n in range(20, 24)),
        ("a", 30, "no recipient", b"y"),
        ("a", 31, "no recipient", b"y"),
        ("a", 40, "unknown outcome", b"z"),
    )
    found = unread.reasons(connection, {"a": "first.log", "b": "second.log"})
    assert [(one.reason, one.records) for one in found] == [
        ("no time that could be read in …", 4),
        ("no readable time stamp", 3),
        ("no recipient", 2),
    ]
    assert (found[1].file, found[1].number, found[1].offset, found[1].text) == ("first.log", 7, 700, "seventh of a")
    assert all(one.remedy for one in found)


def test_nothing_is_said_where_all_was_read() -> None:
    found = unread.not_read(table(), [Entry("a", used=5)], 0)
    assert (found.records, found.reasons, found.sentences, found.exit_code) == (0, (), (), errors.OK)


def test_a_lesser_part() -> None:
    entry = Entry("a", 99, 1, first="2024-03-04T08:00:00Z", last="2024-03-06T08:00:00Z")
    found = unread.not_read(table(("a", 1, "unknown", b"")), [entry, Entry("b", 100)], 0)
    assert found.exit_code == errors.OK and not found.all
    (said,) = found.sentences
    assert "1 of 200 records" in said and "0.50 %" in said and "4 March 2024 to 6 March 2024" in said
    assert (found.first, found.last) == (datetime(2024, 3, 4, 8, tzinfo=UTC), datetime(2024, 3, 6, 8, tzinfo=UTC))


def test_a_whole_file_is_named() -> None:
    found = unread.not_read(table(("a", 1, "unknown", b"")), [Entry("a", 0, 1), Entry("b", 100)], 2)
    assert found.exit_code == errors.OK and found.files == ("a.log",)
    assert "files without a time" in found.sentences[0]
    assert found.sentences[1] == "Nothing was read of a.log."
    assert found.sentences[2].startswith("2 of the files given were not read")


def test_a_file_that_was_cut_off_is_named() -> None:
    found = unread.not_read(table(), [Entry("a", 9, damage="it ends early"), Entry("b", 9)], 0)
    assert found.exit_code == errors.OK and found.sentences == ("Only a part could be read of a.log.",)


def test_everything_unread() -> None:
    found = unread.not_read(table(("a", 1, "unknown", b"")), [Entry("a", 0, 1)], 0)
    assert found.all and found.exit_code == errors.NOTHING_READ and found.systems == ("postfix",)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"caf\xe9 \xff", "caf\\xe9 \\xff"),
        ("2024-03-01,anna".encode("utf-16-le"), "2024-03-01,anna"),
        ("2024-03-01,anna".encode("utf-16-be"), "2024-03-01,anna"),
        ("2024-03-01,anna".encode("utf-16-le") + b"\x00", "2024-03-01,anna"),
        (b"nul\x00 in a line", "nul\x00 in a line"),
    ],
)
def test_a_record_as_text(raw: bytes, text: str) -> None:
    assert unread.readable(raw) == text
