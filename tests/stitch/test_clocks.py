"""Hand-overs between hosts whose clocks differ by whole quarters of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.ingesting import line, message, read, to

START = datetime(2024, 3, 5, 10, tzinfo=UTC)
PRIVATE, PUBLIC = "gw[10.0.0.25]:25", "gw.albion.example[203.0.113.9]:25"


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def handed_on(n: int, ahead: timedelta, relay: str = PRIVATE, **other: str) -> str:
    """A message through a hub and a gateway whose clock is ahead; `other`: what the gateway's log says instead."""
    first, second = f"4B1C2D3E{n:02X}", f"5B1C2D3E{n:02X}"
    at = START + timedelta(minutes=n)
    text = message(
        first, to("bob@navy.example", f"sent (250 2.0.0 Ok: queued as {second})", relay=relay), host="hub", at=stamp(at)
    )
    there = message(
        second, to(other.get("recipient", "bob@navy.example")), host="gw", at=stamp(at + ahead - timedelta(seconds=1)),
        message_id=other.get("message_id", first), sender=other.get("sender", "ann@albion.example"),
        client="hub[10.0.0.20]",
    )  # fmt: skip
    return text + there


def rows(folder: Path, text: str) -> tuple[list[dict[str, Any]], list[str]]:
    result, found = read(folder, {"mail.log": text})
    return found, [one for e in result.evidence for one in e.notes.get("noted", ()) if "clock" in one]


@pytest.mark.parametrize("minutes", [60, -60, 330, -15, 600])
def test_one_delivery_and_a_note(tmp_path: Path, minutes: int) -> None:
    found, noted = rows(tmp_path, "".join(handed_on(n, timedelta(minutes=minutes)) for n in range(5)))
    assert [(r["outcome"], r["host"], r["hops"], r["relay_name"]) for r in found] == [
        ("delivered", "hub", 1, "mx.navy.example")
    ] * 5
    way = "ahead of" if minutes > 0 else "behind"
    assert noted == [
        f"the clock of host gw is {abs(minutes) * 60:,} s {way} that of hub, as all their hand-overs show: times are those "
        "of each host's own stamps"
    ]


@pytest.mark.parametrize("minutes", [40, -20, 7])
def test_a_clock_that_is_set_wrong(tmp_path: Path, minutes: int) -> None:
    """Each delivery once; where too few hand-overs show it, the next hop's row names the one before."""
    some = [handed_on(n, timedelta(minutes=minutes, seconds=7 * n)) for n in range(4)]
    found, noted = rows(tmp_path / "many", "".join(some))
    assert [(r["outcome"], r["host"], r["hops"]) for r in found] == [("delivered", "hub", 1)] * 4
    assert len(noted) == 1
    found, noted = rows(tmp_path / "one", some[0])
    by_host = {r["host"]: r for r in found}
    assert noted == []
    assert by_host["gw"]["possible_duplicate_of"] == by_host["hub"]["delivery_id"]


def test_equal_clocks_say_nothing(tmp_path: Path) -> None:
    found, noted = rows(tmp_path, "".join(handed_on(n, timedelta(seconds=20)) for n in range(3)))
    assert [r["hops"] for r in found] == [1, 1, 1]
    assert noted == []


@pytest.mark.parametrize(
    "texts",
    [
        [handed_on(0, timedelta(minutes=67))],
        [handed_on(0, timedelta(hours=1)), handed_on(1, timedelta(hours=2))],
        [handed_on(0, timedelta(hours=1)), handed_on(1, timedelta(0))],
        [handed_on(0, timedelta(hours=1), message_id="other")],
        [handed_on(0, timedelta(hours=1), sender="ben@albion.example")],
        [handed_on(0, timedelta(hours=1), recipient="carl@navy.example")],
        [handed_on(0, timedelta(hours=30))],
    ],
    ids=[
        "no quarter",
        "two differences",
        "none for others",
        "Message-ID",
        "sender",
        "recipient",
        "more than zones differ",
    ],
)
def test_what_does_not_agree_stays_apart(tmp_path: Path, texts: list[str]) -> None:
    found, noted = rows(tmp_path, "".join(texts))
    assert sum(r["host"] == "gw" for r in found) >= 1
    assert noted == []


def test_what_a_public_address_answered_is_in_doubt(tmp_path: Path) -> None:
    found, noted = rows(tmp_path, handed_on(0, timedelta(hours=1), PUBLIC))
    assert noted == []
    by_host = {r["host"]: r for r in found}
    assert by_host["gw"]["possible_duplicate_of"] == by_host["hub"]["delivery_id"]


def test_an_outsiders_answer_joins_nothing(tmp_path: Path) -> None:
    """A server that got a message gives it to another host of ours, and names the id that it has there; or another's."""
    text = message(
        "4B1C2D3E01", to("eve@evil.example", "sent (250 Ok: queued as 5B1C2D3E01)", relay="mx.evil.example[198.51.100.7]:25"),
        to("eve@evil.example", "sent (250 Ok: queued as 5B1C2D3E02)", relay="mx.evil.example[198.51.100.7]:25"),
        host="hub", at=stamp(START), message_id="m",
    )  # fmt: skip
    for n, at in ((1, START - timedelta(hours=1)), (2, START - timedelta(hours=2))):
        text += message(
            f"5B1C2D3E0{n}", to("eve@evil.example", relay="mx.evil.example[198.51.100.7]:25"), host="gw", at=stamp(at),
            message_id="m", client="mx.evil.example[198.51.100.7]",
        )  # fmt: skip
    text += line("postfix/anvil[1]: x", host="gw", at=stamp(START))
    found, noted = rows(tmp_path, text)
    assert [r["hops"] for r in found] == [0, 0, 0]
    assert noted == []
