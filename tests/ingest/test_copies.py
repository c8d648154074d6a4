"""One host under several names, and records that were collected twice."""

from __future__ import annotations

import random
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.loaders.settings import Settings
from tests.ingesting import line, message, read, to

ID, OTHER = "4B1C2D3E4F", "5B1C2D3E4F"
LONG = "4jYb1P4TVTzL5L5"
AT = "2024-03-01T10:{:02}:00.000000+00:00"
Rows = list[dict[str, Any]]


def brief(rows: Rows) -> list[tuple[Any, ...]]:
    return sorted((r["host"], r["sender"], r["recipient"], r["outcome"], r["attempts"]) for r in rows)


def noted(result: Any) -> list[str]:
    return [sentence for one in result.evidence for sentence in one.notes.get("noted", ())]


def refusal(host: str = "mx1", at: str = AT.format(0)) -> str:
    return line(
        "postfix/smtpd[1]: NOQUEUE: reject: RCPT from b[198.51.100.7]: 550 5.1.1 <no@navy.example>: Recipient address "
        "rejected: no; from=<s@b.example> to=<no@navy.example> proto=ESMTP helo=<b>",
        host=host,
        at=at,
    )


def traffic(host: str, count: int = 12, prefix: int = 0) -> list[str]:
    """Lines of some messages, one a minute, a refusal between them."""
    out = []
    for n in range(count):
        text = message(
            f"{0x4B1C2D3000 + prefix + n:X}", to(f"r{n}@navy.example"), message_id=f"m{prefix}.{n}", host=host,
            at=AT.format(n), sender=f"s{n}@albion.example",
        )  # fmt: skip
        out += text.splitlines(keepends=True)
        out.append(refusal(host, AT.format(n)))
    return out


def test_a_container_made_anew_with_the_same_queue(tmp_path: Path) -> None:
    deferred = to("x@navy.example", "deferred (timeout)", dsn="4.4.1")
    text = message(ID, deferred, host="5a1b2c3d4e5f", removed=False)
    again = message(ID, to("x@navy.example"), host="9f8e7d6c5b4a", at=AT.format(10)).splitlines(keepends=True)
    result, rows = read(tmp_path, {"mail.log": text + "".join(again[2:])})
    assert brief(rows) == [("5a1b2c3d4e5f", "ann@albion.example", "x@navy.example", "delivered", 2)]
    assert ["named 9f8e7d6c5b4a, too" in one for one in noted(result)] == [True]


@pytest.mark.parametrize("names", [("mx1", "mx1.albion.example"), ("MX1", "mx1"), ("mx1", "192.0.2.1")])
@pytest.mark.parametrize("queue_id", [ID, LONG])
def test_lines_of_one_host_under_two_names(tmp_path: Path, names: tuple[str, str], queue_id: str) -> None:
    """Every way to give five lines two names; three messages each, which names that are not alike need."""
    for way in range(1, 31):
        text, expected = "", []
        for n in range(3):
            ident = f"{queue_id[:-1]}{n}"
            whole = message(ident, to(f"{n}@navy.example"), message_id=f"m{n}", at=AT.format(n)).splitlines(
                keepends=True
            )
            text += "".join(one.replace(" mx1 ", f" {names[way >> k & 1]} ") for k, one in enumerate(whole))
            expected.append((f"{n}@navy.example", "ann@albion.example"))
        folder = tmp_path / str(way)
        folder.mkdir()
        _, rows = read(folder, {"mail.log": text})
        assert sorted((r["recipient"], r["sender"]) for r in rows) == expected, way
        assert len({r["host"] for r in rows}) == 1


def test_a_host_and_a_server_that_knows_it_by_another_name(tmp_path: Path) -> None:
    lines = traffic("mx1")
    central = [one.replace(" mx1 ", " mx1.albion.example ") for one in lines]
    _, expected = read(tmp_path / "a", {"mail.log": "".join(central)})
    result, rows = read(tmp_path / "b", {"mail.log": "".join(lines), "central.log": "".join(central[12:48])})
    assert brief(rows) == brief(expected)
    assert sorted(e.duplicates for e in result.evidence) == [0, 36]
    assert sum("the same queue ids, times and texts" in one for one in noted(result)) == 2


def test_a_server_that_stamps_anew_and_in_another_form(tmp_path: Path) -> None:
    """Two seconds later, in local time, from a file with whole seconds and no year."""
    lines = traffic("mx1")
    plain = [one.replace("2024-03-01T10", "Mar  1 11").replace(":00.000000+00:00", ":02") for one in lines]
    local = Settings(year=2024)
    _, expected = read(tmp_path / "a", {"mail.log": "".join(lines)})
    result, rows = read(tmp_path / "b", {"mail.log": "".join(lines), "mail.old": "".join(plain)}, local)
    assert brief(rows) == brief(expected)
    assert sum(e.duplicates for e in result.evidence) >= 60


@pytest.mark.parametrize("again", [(0, 72), (6, 30), (5, 7), (20, 23)])
def test_a_block_twice_in_a_file(tmp_path: Path, again: tuple[int, int]) -> None:
    lines = traffic("mx1")
    _, expected = read(tmp_path / "a", {"mail.log": "".join(lines)})
    for at in (again[1], len(lines)):
        text = [*lines[:at], *lines[slice(*again)], *lines[at:]]
        result, rows = read(tmp_path / f"b{at}", {"mail.log": "".join(text)})
        ids = [r["queue_id"] for r in rows if r["queue_id"]]
        assert len(set(ids)) == len(ids) == 12
        if again[1] - again[0] > 3:
            (one,) = result.evidence
            assert brief(rows) == brief(expected)
            assert one.duplicates >= again[1] - again[0] - 2
            assert one.ignored["duplicate"] == sum(count for _, count, _, _ in one.duplicate_of)
            assert any("others of this file" in sentence for sentence in noted(result))


def test_every_line_twice(tmp_path: Path) -> None:
    """As two rules of a syslog server write it; what no message tells of counts as it was logged."""
    lines = traffic("mx1", 3)
    _, expected = read(tmp_path / "a", {"mail.log": "".join(lines)})
    _, rows = read(tmp_path / "b", {"mail.log": "".join(one * 2 for one in lines)})
    sent = [row for row in brief(rows) if row[3] == "delivered"]
    assert sent == [row for row in brief(expected) if row[3] == "delivered"]
    assert len(rows) - len(sent) == 6


def test_single_equal_lines_count_as_logged(tmp_path: Path) -> None:
    lines = message(ID, to("x@navy.example")).splitlines(keepends=True)
    result, rows = read(tmp_path, {"mail.log": "".join([*lines[:4], lines[3], lines[4], refusal() * 3])})
    assert sorted((r["outcome"], r["attempts"]) for r in rows) == [("delivered", 2), *[("rejected", 1)] * 3]
    assert result.evidence[0].duplicates == 0


def test_hosts_that_share_an_id_by_chance_stay_two(tmp_path: Path) -> None:
    """Whole messages; and parts that contradict each other, or are of other times."""
    text = message(ID, to("x@navy.example"), host="mx1") + message(ID, to("y@navy.example"), host="mx2", message_id="n")
    begun = message(OTHER, to("a@x.example", "deferred (later)"), host="mx1", removed=False)
    ended = message(OTHER, to("b@x.example"), host="mx2", sender="ben@albion.example", at=AT.format(9))
    text += begun + "".join(ended.splitlines(keepends=True)[2:])
    result, rows = read(tmp_path, {"mail.log": text})
    assert {r["host"] for r in rows} == {"mx1", "mx2"} and len(rows) == 4
    assert [said for said in noted(result) if "outside the evidence" not in said] == []


def test_what_outsiders_write_makes_no_hosts_one(tmp_path: Path) -> None:
    """A reply that names an id of another host, a Message-ID and a HELO name that are a host's name or an id."""
    evil = f"sent (250 2.0.0 Ok: queued as {OTHER} on mx2, same as mx1 {OTHER}: client=a[10.0.0.1])"
    text = message(ID, to("x@navy.example", evil), host="mx1", message_id=f"mx2 {OTHER}", client="mx2[198.51.100.7]")
    text += message(
        OTHER, to("x@navy.example", evil), host="mx2", message_id=f"mx2 {OTHER}", sender="ann@albion.example"
    )
    text += refusal("mx1").replace("helo=<b>", "helo=<mx2>") + refusal("mx2")
    result, rows = read(tmp_path, {"mail.log": text})
    assert {r["host"] for r in rows} == {"mx1", "mx2"}
    assert noted(result) == []


@pytest.mark.parametrize("off", [0, 1, 2, 3600, -3600])
def test_two_copies_line_by_line_in_one_file(tmp_path: Path, off: int) -> None:
    """A server that hears a host twice, under two names, the second time stamped later, or by another zone."""
    lines = traffic("mx1")
    _, expected = read(tmp_path / "a", {"mail.log": "".join(lines)})
    text = ""
    for one in lines:
        at = datetime.fromisoformat(one[:32]) + timedelta(seconds=off)
        text += one + at.isoformat(timespec="microseconds") + one[32:].replace(" mx1 ", " mx1.albion.example ")
    result, rows = read(tmp_path / "b", {"mail.log": text})
    assert [row[1:] for row in brief(rows)] == [row[1:] for row in brief(expected)]
    assert {r["host"] for r in rows} == {"mx1.albion.example"}
    assert result.evidence[0].duplicates == len(lines)


@settings(max_examples=15)
@given(st.integers(0, 1 << 32))
def test_copies_under_other_names_in_any_order(seed: int) -> None:
    """Two hosts; pieces of their logs again under other names, in files of any cut: the same deliveries."""
    rng = random.Random(seed)
    first, second = traffic("mx1", 8), traffic("gw1", 8, prefix=0x100)
    names = {"mx1": "mx1.albion.example", "gw1": "gw1.albion.example"}
    with tempfile.TemporaryDirectory() as place:
        whole = "".join(first + second)
        for short, long in names.items():
            whole = whole.replace(f" {short} ", f" {long} ")
        _, expected = read(Path(place) / "a", {"mail.log": whole})
        files = {"mx1.log": "".join(first), "gw1.log": "".join(second)}
        low = rng.randrange(0, 40)
        copied = sorted(
            first[low : low + rng.randrange(8, 40)] + second[rng.randrange(0, 20) :], key=lambda one: one[:19]
        )
        text = "".join(copied)
        for short, long in names.items():
            text = text.replace(f" {short} ", f" {long} ")
        files[rng.choice(["0.log", "zz.log"])] = text
        (Path(place) / "b").mkdir()
        _, rows = read(Path(place) / "b", files)
    sent = [row for row in brief(rows) if row[3] == "delivered"]
    assert sent == [row for row in brief(expected) if row[3] == "delivered"]
