"""Traces without network-message-ids in several files: one message counts once, or both rows say that they may be one."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from forensics import pipeline, store
from forensics.case import Case

BEGIN = datetime(2024, 3, 13, 8, tzinfo=UTC)
SENDER, TO = "a@contoso.example", "x@fabrikam.example"
GUID = "0badc0de-0000-4000-8000-0000000000"
Row = tuple[float, str, str, str, str]
"""Seconds, Message-ID, sender, recipient, network-message-id."""


def row(seconds: float, message: str = "m1", sender: str = SENDER, to: str = TO, guid: str = "") -> Row:
    return seconds, f"<{message}@contoso.example>", sender, to, guid and GUID + guid


def trace(path: Path, *rows: Row, cut: bool = False, status: str = "Delivered") -> Path:
    """`cut`: as a spreadsheet saves it, without seconds and ids."""
    header = "Received,SenderAddress,RecipientAddress,Status,MessageId" + ("" if cut else ",MessageTraceId")
    lines = [header]
    for seconds, message, sender, to, guid in rows:
        at = BEGIN + timedelta(seconds=seconds)
        stamp = f"{at:%Y-%m-%d %H:%M}:00Z" if cut else f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"
        lines.append(f"{stamp},{sender},{to},{status},{message}" + ("" if cut else f",{guid}"))
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


def rows(folder: Path, *paths: Path) -> list[dict[str, Any]]:
    pipeline.ingest(list(paths), folder, org=["contoso.example"])
    return sorted(
        store.read(Case(folder), "deliveries").to_pylist(), key=lambda r: (r["submitted_at"], r["message_id"])
    )


def flagged(found: list[dict[str, Any]]) -> list[bool]:
    return [one["possible_duplicate_of"] is not None for one in found]


@pytest.mark.parametrize("guid", ["", "01"])
@pytest.mark.parametrize("order", [1, -1])
def test_what_a_spreadsheet_cut_to_minutes_is_the_same_message(tmp_path: Path, guid: str, order: int) -> None:
    paths = [
        trace(tmp_path / "a.csv", row(25.25, guid=guid), row(125, "m2", guid=guid and "02")),
        trace(tmp_path / "b.csv", row(25.25), row(125, "m2"), cut=True),
    ]
    found = rows(tmp_path / "case", *paths[::order])
    assert [one["message_id"] for one in found] == ["m1@contoso.example", "m2@contoso.example"]
    assert flagged(found) == [False, False] and {len(one["records"]) for one in found} == {2}
    assert {one["attempts"] for one in found} == {1}


def test_a_message_sent_twice_in_a_minute_counts_twice_in_both_files(tmp_path: Path) -> None:
    both = row(5), row(45)
    found = rows(
        tmp_path / "case", trace(tmp_path / "a.csv", *both), trace(tmp_path / "b.csv", *both, row(300, "m3"), cut=True)
    )
    assert [one["message_id"] for one in found].count("m1@contoso.example") == 2
    assert sum(len(one["records"]) for one in found) == 5


@pytest.mark.parametrize(
    "other", [row(65), row(25, "m9"), row(25, sender="b@contoso.example"), row(25, to="y@fabrikam.example")]
)
def test_another_message_stays_one(tmp_path: Path, other: Row) -> None:
    """One of another minute in another file may be the same, if nothing else tells them apart."""
    found = rows(tmp_path / "case", trace(tmp_path / "a.csv", other), trace(tmp_path / "b.csv", row(25), cut=True))
    assert len(found) == 2
    assert flagged(found) == [False, other == row(65)]


def test_two_messages_of_one_file_are_two(tmp_path: Path) -> None:
    found = rows(
        tmp_path / "case", trace(tmp_path / "a.csv", row(0), row(25)), trace(tmp_path / "b.csv", row(900, "m2"))
    )
    assert len(found) == 3 and flagged(found) == [False, False, False]


def test_files_of_which_one_names_ids_show_one_message(tmp_path: Path) -> None:
    with_ids, without = trace(tmp_path / "a.csv", row(25.25, guid="01")), trace(tmp_path / "b.csv", row(25.25))
    (found,) = rows(tmp_path / "case", with_ids, without)
    assert found["network_message_id"] == GUID + "01" and len(found["records"]) == 2


@pytest.mark.parametrize("status", ["Failed", "Quarantined", "FilteredAsSpam"])
def test_what_was_not_delivered_is_at_least_marked(tmp_path: Path, status: str) -> None:
    found = rows(
        tmp_path / "case",
        trace(tmp_path / "a.csv", row(25, guid="01"), status=status),
        trace(tmp_path / "b.csv", row(25), cut=True, status=status),
    )
    assert flagged(found) in ([False], [False, True])


def test_one_network_id_of_two_message_ids_is_two_rows_of_which_the_later_says_so(tmp_path: Path) -> None:
    """An agent that wrote a new Message-ID, or an id that a program gave to many messages: nobody can tell."""
    found = rows(
        tmp_path / "case",
        trace(
            tmp_path / "a.csv",
            row(0, guid="01"), row(5, "m2", guid="01"),
            row(9, "m3", guid="01", to="y@fabrikam.example"), row(9, "m4", sender="b@contoso.example", guid="01"),
            row(10, "m5", guid="02"),
        ),
    )  # fmt: skip
    assert flagged(found) == [False, True, False, False, False]
    assert found[1]["possible_duplicate_of"] == found[0]["delivery_id"]


@pytest.mark.parametrize("seed", range(8))
def test_files_in_any_cut_show_each_message_once(tmp_path: Path, seed: int) -> None:
    """Messages of one sender in files each of which has most of them, with or without ids and seconds."""
    chance = random.Random(seed)
    at = 0.0
    messages = []
    for n in range(30):
        at += chance.uniform(4000, 9000)
        messages.append(row(at, f"m{n}", guid=f"{n:02}"))
    paths = []
    for n in range(4):
        some = [one for one in messages if chance.random() < 0.8]
        cut = chance.random() < 0.4
        ids = chance.random() < 0.5
        some = some if ids and not cut else [(*one[:4], "") for one in some]
        chance.shuffle(some)
        paths.append((trace(tmp_path / f"{n}.csv", *some, cut=cut), some))
    seen = {one[0] for _, some in paths for one in some}
    found = rows(tmp_path / "case", *(path for path, _ in paths))
    unmarked = [one for one in found if one["possible_duplicate_of"] is None]
    assert len(unmarked) == len(seen) == len(found)
