"""A record of Exim that ends in the middle and goes on with the next one: nothing of one message passes to another, and
no record is lost unsaid.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from forensics.loaders import base, timing, years
from forensics.loaders import exim as loader
from forensics.loaders.exim import fields
from tests.ingesting import read

STAMP = "2024-03-01 10:00:05 "
WRITTEN = {"a": ("ann@albion.example", "bob@navy.example", "delivered", "203.0.113.5", "10.0.0.1"),
           "c": ("carl@albion.example", "eve@army.example", "bounced", "203.0.113.9", "10.0.0.2")}  # fmt: skip
OPEN = {"deferred", "unknown", "held"}


def lines(number: int, who: str, stamp: str = STAMP) -> list[str]:
    """A line of each kind about one message, of whom WRITTEN tells."""
    sender, recipient, _, relay, address = WRITTEN[who]
    identity = f"1rfz{'AB'[who == 'c']}B-{number:06d}-Cd"
    reply = 'C="250 OK id=\\"x\\""' if who == "a" else ": SMTP error after RCPT TO:<eve@army.example>: 550 no such user"
    flag = "=>" if who == "a" else "**"
    return [
        f"{stamp}{identity} {text}\n"
        for text in (
            f'<= {sender} H=ws (ws) [{address}] P=esmtp S=1000 id={number}@albion.example T="a b" for {recipient}',
            f"{flag} {recipient} R=dnslookup T=remote_smtp H=mx [{relay}]{' ' if who == 'a' else ''}{reply}",
            "Completed",
        )
    ] + [f"{stamp}H=ws (ws) [{address}] F=<{sender}> rejected RCPT <{recipient}>: relay not permitted\n"]


@pytest.mark.parametrize("stamp", [STAMP, "Mar  1 10:00:05 mx1 exim[7]: 2024-03-01 10:00:05 "])
def test_a_record_that_goes_on_with_the_next_one(tmp_path: Path, stamp: str) -> None:
    text: list[str] = []
    joined = 0
    for i in range(4):
        for j in range(4):
            for cut in range(len(stamp) + 17, len(lines(0, "a", stamp)[i])):
                first, second = lines(joined, "a", stamp), lines(joined, "c", stamp)
                text += [*first[:i], *second[:j], first[i][:cut] + second[j], *first[i + 1 :], *second[j + 1 :]]
                joined += 1
    result, rows = read(tmp_path, {"mainlog": "".join(text)})
    for row in rows:
        sender, recipient, outcome, relay, address = WRITTEN["a" if row["recipient"][0] == "b" else "c"]
        assert row["recipient"] == recipient
        assert row["sender"] in (sender, None)
        assert row["outcome"] in ({outcome, *OPEN} if row["queue_id"] else {"rejected"})
        assert row["relay_address"] in (relay, None)
        assert row["client_address"] in (address, None)
        assert row["subject"] in ("a b", None)
    (evidence,) = result.evidence
    said = evidence.notes["loss_totals"]["runs on"]["records"]
    assert evidence.unread + said == joined


@pytest.mark.parametrize("after", [' C="250 OK {record}"', ": SMTP error: 550 {record}"])
def test_a_reply_that_holds_a_record_is_a_reply_and_told(tmp_path: Path, after: str) -> None:
    """Whoever answers may have written it, so it costs nothing and is not believed."""
    flag, outcome = ("**", "bounced") if after[0] == ":" else ("=>", "delivered")
    record = lines(2, "c")[1].strip()
    arrival, _, end, _ = lines(1, "a")
    delivery = f"{STAMP}1rfzAB-000001-Cd {flag} bob@navy.example R=dnslookup T=remote_smtp H=mx [203.0.113.5]"
    content = arrival + delivery + after.format(record=record) + "\n" + end
    result, (row,) = read(tmp_path, {"mainlog": content})
    assert (row["sender"], row["recipient"], row["outcome"]) == ("ann@albion.example", "bob@navy.example", outcome)
    assert result.unread == 0
    assert result.evidence[0].notes["loss_totals"]["runs on"]["records"] == 1


CUT = [
    '1rfzAB-000001-Cd <= ann@albion.example H=ws (ws) [10.0.0.1] P=esmtpsa A=plain:ann S=1000 id=1@albion.example T="a for b" '
    "for bob@navy.example eve@army.example",
    '1rfzAB-000001-Cd => bob@navy.example R=dnslookup T=remote_smtp H=mx [203.0.113.5] C="250 OK"',
    "1rfzAB-000001-Cd ** bob@navy.example <desk@albion.example> R=dnslookup T=remote_smtp H=mx [203.0.113.5]: 550 no",
    "1rfzAB-000001-Cd ** bob@navy.example: retry timeout exceeded",
    "1rfzAB-000001-Cd == bob@navy.example R=dnslookup T=remote_smtp defer (-44): later",
    "1rfzAB-000001-Cd Completed",
    "H=(ws) [10.0.0.1] F=<ann@albion.example> A=plain:ann rejected RCPT <bob@navy.example>: relay not permitted",
]


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("text", CUT)
def test_a_record_that_breaks_off_makes_no_address(text: str, end: str) -> None:
    """Of `.com` the end of a file may have left `.co`, which is a domain too."""
    for cut in range(1, len(text) + 1):
        scan = scanned(STAMP + text[:cut] + end)
        assert scan.records == 1
        assert end or not scan.ignored or text[0] == "H", text[:cut]
        for flag, rest in zip(*(scan.events[name].to_pylist() for name in ("flag", "rest")), strict=True):
            if flag == "<=" and (made := fields.arrival(rest)):
                assert made.sender == "ann@albion.example"
                assert end or made.user in (None, "ann")
                assert end or made.message_id in (None, "1@albion.example")
                assert end or made.subject in (None, "a for b")
                assert end or {*made.recipients} <= {"bob@navy.example", "eve@army.example"}
            elif flag == "rejected" and (refused := fields.rejection(rest)):
                assert (refused.sender, refused.recipient) == ("ann@albion.example", "bob@navy.example")
            elif flag in fields.DELIVERIES and (went := fields.delivery(rest)):
                assert (went.address, went.original) in (
                    ("bob@navy.example", None),
                    ("bob@navy.example", "desk@albion.example"),
                )


def scanned(text: str) -> base.Scan:
    raw = text.encode()
    block = SimpleNamespace(data=np.frombuffer(raw, np.uint8), offset=0, last=True)
    context = base.ScanContext(evidence=0, number=1, plan=timing.Plan(years.Clock(2024)), id="e")
    scan: base.Scan = loader.scan(block, context)
    return scan


def test_what_is_whole_is_read(tmp_path: Path) -> None:
    result, rows = read(tmp_path, {"mainlog": "".join(f"{STAMP}{text}\n" for text in CUT)})
    assert result.unread == 0
    assert {row["recipient"] for row in rows} == {"bob@navy.example"}
