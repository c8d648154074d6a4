"""The CSV kernels: whatever Python's csv writes comes back, wherever blocks are cut; broken rows cost one line only."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forensics.loaders.exchange import blocks
from forensics.native.exchange import codes, csvscan, moments

from .driver import Block

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
TRICKY = st.text('a,;"\r\n #\ufeffé😀', max_size=8)
ROWS = st.lists(st.lists(st.one_of(TEXT, TRICKY), min_size=2, max_size=5), min_size=1, max_size=8)


def cells(records: blocks.Records) -> list[list[str]]:
    return [records.cells(r) for r in range(len(records)) if records.kinds[r] == codes.DATA]


def written(rows: list[list[str]], quoting: int) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def array(data: bytes) -> np.ndarray:
    return np.frombuffer(data + bytes(64), np.uint8)[: len(data)]


@settings(max_examples=150, deadline=None)
@given(ROWS, st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]))
def test_rows_of_csv_writer_come_back(rows: list[list[str]], quoting: int) -> None:
    # a row that begins with "#" unquoted is a comment in Exchange's files, a byte order mark at its start is none of it
    rows = [r for r in rows if quoting == csv.QUOTE_ALL or not r[0].startswith(("#", "\ufeff"))]
    data = written(rows, quoting).encode()
    records = blocks.read(Block(array(data), 0, True))
    assert cells(records) == rows
    assert b"".join(data[o : o + n] for o, n in zip(records.offsets, records.lengths, strict=True)) == data.replace(
        b"\r\n", b""
    ) or any("\n" in c for r in rows for c in r)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 200))
def test_blocks_are_cut_between_records(rows: list[list[str]], size: int) -> None:
    data = written(rows, csv.QUOTE_ALL).encode()
    got: list[list[str]] = []
    at = 0
    while at < len(data):
        end = min(len(data), at + size)
        taken = blocks.complete(array(data[at:end]), end == len(data))
        if not taken:
            size *= 2
            continue
        got += cells(blocks.read(Block(array(data[at : at + taken]), at, True)))
        at += taken
    assert got == rows


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_partitioned_into_records(data: bytes, cut: int) -> None:
    """Every byte is in a record, a line end or a byte order mark; and a cut into whole records changes nothing."""
    whole = blocks.read(Block(array(data), 0, True))
    starts, ends = whole.offsets, whole.offsets + whole.lengths
    assert (np.diff(starts) > 0).all() and (ends[:-1] <= starts[1:]).all()
    between = [data[e:s] for e, s in zip([0, *ends], [*starts, len(data)], strict=True)]
    assert set(b"".join(between)) <= set(b"\r\n\xef\xbb\xbf")
    taken = blocks.complete(array(data[:cut]), False)
    parts = [blocks.read(Block(array(p), o, True)) for p, o in ((data[:taken], 0), (data[taken:], taken)) if p]
    both = [(int(o), int(n), int(k)) for p in parts for o, n, k in zip(p.offsets, p.lengths, p.kinds, strict=True)]
    assert both == [(int(o), int(n), int(k)) for o, n, k in zip(starts, whole.lengths, whole.kinds, strict=True)]


def test_a_torn_row_costs_one_line() -> None:
    data = b'a,b\r\n1,"torn\r\nc,"d"\r\ne,f\r\n'
    records = blocks.read(Block(array(data), 0, True))
    assert [int(k) for k in records.kinds] == [codes.DATA, codes.BROKEN, codes.DATA, codes.DATA]
    assert cells(records) == [["a", "b"], ["c", "d"], ["e", "f"]]
    assert records.raw(1) == b'1,"torn'


def test_a_quote_never_closed_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csvscan, "LIMIT", 100)
    data = b'a,"open\r\n' + b"b,c\r\n" * 60
    records = blocks.read(Block(array(data), 0, True))
    assert [int(k) for k in records.kinds] == [codes.BROKEN] + [codes.DATA] * 60
    assert blocks.complete(array(data), False) == len(data)
    assert blocks.complete(array(data[:80]), False) == 0


@pytest.mark.parametrize(
    "line", ["a,b\r\n", "\n", ",,,,,,,,,,,,,,,,\n", '"x",,,,,,,,,,,,,,,,,,,,\n', '"",' * 60 + "\n", '"a,,,,,,,,,"b\n']
)
@pytest.mark.parametrize("fields", [True, False])
def test_records_shorter_than_those_of_logs_are_all_found(line: str, fields: bool) -> None:
    records = blocks.read(Block(array(line.encode() * 3000), 0, True), fields=fields)
    assert (records.starts == np.arange(3000) * len(line)).all()
    assert (records.ends == (np.arange(3000) + 1) * len(line) - (2 if "\r" in line else 1)).all()
    if records.kinds[0] == codes.DATA:
        assert cells(records)[:3] == list(csv.reader([line])) * 3
        assert not fields or (np.diff(records.firsts) == line.count(",") + 1).all()


def test_invalid_utf8_is_replaced_not_lost() -> None:
    data = b"x,caf\xe9,y\n"
    records = blocks.read(Block(array(data), 0, True))
    assert cells(records) == [["x", "caf�", "y"]]


def moment_of(text: str) -> int:
    raw = text.encode()
    begin, end = np.zeros(1, np.int32), np.array([len(raw)], np.int32)
    earliest, latest, zoneless, unreadable = moments.span(array(raw), begin, end, np.zeros(1, np.int64), whole=False)
    assert earliest == latest and unreadable == (earliest == moments.NO_TIME)
    assert zoneless == (not unreadable and not text.endswith("Z") and text[-6] not in "+-")
    return int(earliest)


MOMENTS = st.integers(0, 7_258_118_399_999_999).map(
    lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
)


@settings(max_examples=200, deadline=None)
@given(MOMENTS, st.sampled_from(["Z", "", "+00:00"]), st.integers(0, 7), st.sampled_from("T "))
def test_moments_are_read_to_the_microsecond(moment: datetime, zone: str, digits: int, gap: str) -> None:
    fraction = f".{moment.microsecond:06d}0"[: digits + 1] if digits else ""
    text = moment.strftime(f"%Y-%m-%d{gap}%H:%M:%S").rjust(19, "0") + fraction + zone
    kept = int(fraction[1:7].ljust(6, "0")) if digits else 0
    expected = (moment.replace(microsecond=kept) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert moment_of(text) == expected


NO_MOMENTS = """
2023-02-29T00:00:00Z|2023-13-01T00:00:00Z|2023-01-01T24:00:00Z|2023-01-01T00:00:00.Z|2023-01-01|2023-01-01T00:00:00+1:00
2023-01-01T00:00:00 Z|2023-01-01T00:00:60Z|01/02/2023 10:00:00 AM|0023-06-01T07:34:02.572Z|1969-12-31T23:59:59Z
2200-01-01T00:00:00Z|2567-03-13T08:00:00Z|9999-12-31T23:59:59.000Z|"""


@pytest.mark.parametrize("text", NO_MOMENTS.strip("\n").replace("\n", "|").split("|"))
def test_what_is_no_moment_is_none(text: str) -> None:
    assert moment_of(text) == moments.NO_TIME


SECONDS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 2), st.integers(0, 61), st.integers(0, 999)).map(
            lambda t: f"2023-06-01T10:0{t[0]}:{t[1]:02d}.{t[2]:03d}Z"
        ),
        st.sampled_from(["2023-06-01T10:01:00.0x0Z", "2023-06-01T10:01:0-.000Z", "1969-12-31T23:59:59.999Z", "x" * 24]),
        st.sampled_from(["2023-06-01T10:01:07Z", "2023-06-01T10:01x07.000Z", "2023-06-01 10:01:07.000Z"]),
    ),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(SECONDS)
def test_moments_one_after_another_are_the_same(texts: list[str]) -> None:
    memo = np.zeros(3, np.uint64)
    for text in texts:
        raw, out = array(text.encode()), np.empty(4, np.int64)
        moments.extent(
            raw, np.zeros(1, np.int32), np.array([len(text)], np.int32), np.zeros(1, np.int64), True, memo, out
        )
        assert out[0] == out[1] == moment_of(text), text


@settings(max_examples=100, deadline=None)
@example(b"\x00\r\r")
@example(b"\r\r")
@given(st.one_of(st.binary(max_size=300), st.text('a,;"\r\n#é', max_size=300).map(str.encode)))
@example(b"\r\r")
def test_records_are_the_same_without_their_fields(data: bytes) -> None:
    whole = blocks.read(Block(array(data), 0, True))
    bare = blocks.read(Block(array(data), 0, True), fields=False)
    for name in ("starts", "ends", "kinds", "offsets", "lengths"):
        assert (getattr(whole, name) == getattr(bare, name)).all()
    assert cells(whole) == cells(bare)
    low, high, _, _ = moments.span(
        bare.text, bare.starts, bare.ends, np.flatnonzero(bare.kinds == codes.DATA), whole=True
    )
    assert low == high == moments.NO_TIME


def test_offsets_of_moments_count() -> None:
    assert moment_of("2023-06-01T10:00:00+02:00") == moment_of("2023-06-01T08:00:00Z")
