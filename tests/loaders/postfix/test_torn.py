"""A record that ends in the middle and goes on with the next one, as after a crash, on a full disk, or where files
without a last line end were joined: nothing of one message passes to another, and no record is lost unsaid. And
addresses that whatever copied the log has changed.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from forensics.loaders import base, timing, years
from forensics.loaders import postfix as loader
from forensics.loaders.postfix.events import column
from forensics.native.postfix import words as w
from tests.ingesting import line, message, read, to

WRITTEN = {"a": ("ann@albion.example", "bob@navy.example", "delivered", "mx.navy.example", "10.0.0.1", "ann"),
           "c": ("carl@albion.example", "eve@army.example", "bounced", "mx.army.example", "10.0.0.2", "carl")}  # fmt: skip
OPEN = {"deferred", "unknown", "held", "expired"}
"""What a recipient comes to whose last record is missing."""


def lines(queue_id: str, who: str) -> list[str]:
    """A line of each kind about one message, of whom WRITTEN tells."""
    sender, recipient, _, relay, address, user = WRITTEN[who]
    client = f"ws.albion.example[{address}]"
    status, dsn = ("sent (250 2.0.0 Ok: queued as X)", "2.0.0") if who == "a" else ("bounced (no such user)", "5.1.1")
    return [
        line(text)
        for text in (
            f"postfix/smtpd[1]: {queue_id}: client={client}, sasl_method=PLAIN, sasl_username={user}",
            f"postfix/cleanup[2]: {queue_id}: message-id=<{queue_id}@albion.example>",
            f"postfix/qmgr[4]: {queue_id}: from=<{sender}>, size=1000, nrcpt=1 (queue active)",
            f"postfix/smtp[3]: {queue_id}: {to(recipient, status, dsn=dsn, relay=f'{relay}[203.0.113.5]:25')}",
            f"postfix/postsuper[5]: {queue_id}: placed on hold",
            f"postfix/postsuper[5]: {queue_id}: released from hold",
            f"postfix/qmgr[4]: {queue_id}: from=<{sender}>, status=expired, returned to sender",
            f"postfix/bounce[6]: {queue_id}: sender non-delivery notification: {queue_id[::-1]}",
            f"postfix/qmgr[4]: {queue_id}: removed",
            f"postfix/pickup[7]: {queue_id}: uid=0 from=<{sender}>",
        )
    ]


def test_a_record_that_goes_on_with_the_next_one(tmp_path: Path) -> None:
    text: list[str] = []
    joined = 0
    kinds = len(lines("X", "a"))
    start = len(line("postfix/smtpd[1]: "))
    for i in range(kinds):
        for j in range(kinds):
            for cut in range(start, len(lines("4" * 9, "a")[i])):
                first, second = lines(f"4{joined:08X}", "a"), lines(f"5{joined:08X}", "c")
                text += [*first[:i], *second[:j], first[i][:cut] + second[j], *first[i + 1 :], *second[j + 1 :]]
                joined += 1
    result, rows = read(tmp_path, {"mail.log": "".join(text)})
    for row in rows:
        sender, recipient, outcome, relay, address, user = WRITTEN["a" if row["recipient"][0] == "b" else "c"]
        assert row["recipient"] == recipient
        assert row["sender"] in (sender, None)
        assert row["outcome"] in {outcome, *OPEN}
        assert row["relay_name"] in (relay, None)
        assert row["client_address"] in (address, None)
        assert row["authenticated_user"] in (user, None)
        assert row["message_id"] in (f"{row['queue_id']}@albion.example", None)
    (evidence,) = result.evidence
    said = evidence.notes["loss_totals"]["runs on"]["records"]
    assert evidence.unread + said == joined


@pytest.mark.parametrize(
    "text",
    [
        f"bounced (host mx said: 550 {line('postfix/smtp[3]: 5B1C2D3E4F: ' + to('eve@army.example')).strip()})",
        f"deferred (x{line('postfix/smtp[3]: 5B1C2D3E4F: ' + to('eve@army.example')).strip()}",
        "bounced (<22>1 2024-03-01T10:00:00Z mx1 postfix/smtp 3 - - 5B1C2D3E4F: removed)",
    ],
)
def test_a_reply_that_holds_a_record_is_a_reply_and_told(tmp_path: Path, text: str) -> None:
    """Whoever answers may have written it, so it costs nothing and is not believed."""
    result, (row,) = read(tmp_path, {"mail.log": message("4B1C2D3E4F", to("bob@navy.example", text, dsn="5.0.0"))})
    assert (row["sender"], row["recipient"]) == ("ann@albion.example", "bob@navy.example")
    assert row["outcome"] == {"bounced": "bounced", "deferred": "unknown"}[text.partition(" ")[0]]
    (noted,) = (one for one in result.evidence[0].notes["noted"] if "further record" in one)
    assert noted == (
        "1 record holds, in a reply or a subject, what looks like a further record, 2024-03-01 10:00:00 UTC; it was not "
        "read as one, since whoever wrote that text can have made it up"
    )


def test_what_a_client_says_of_its_login_hides_no_client(tmp_path: Path) -> None:
    client = "mx.evil.example[203.0.113.9], sasl_sender=<x postfix/smtp[3]: 5B1C2D3E4F: removed>"
    result, (row,) = read(tmp_path, {"mail.log": message("4B1C2D3E4F", to("bob@navy.example"), client=client)})
    assert row["client_address"] == "203.0.113.9" and result.unread == 0


def test_a_carriage_return_that_rsyslog_wrote_out_is_no_text(tmp_path: Path) -> None:
    text = message("4B1C2D3E4F", to("bob@navy.example", "sent (250 2.0.0 Ok: queued as 5B1C2D3E4F)"))
    result, (row,) = read(tmp_path, {"mail.log": text.replace("\n", "#015\n")})
    assert result.unread == 0
    assert (row["outcome"], row["response"], row["message_id"]) == (
        "delivered", "250 2.0.0 Ok: queued as 5B1C2D3E4F", "4B1C2D3E4F@albion.example",
    )  # fmt: skip


CHANGED: dict[str, Any] = {
    "a page": lambda text: text.replace("<", "&lt;").replace(">", "&gt;"),
    "JSON in text": lambda text: text.replace("<", r"\u003c").replace(">", r"\u003e"),
    "quotes": lambda text: re.sub("[<>]", '"', text),
    "a mail with links": lambda text: re.sub(r"<([^>]+@[^>]+)>", r"<\1<mailto:\1>>", text),
    "quotes of a printer": lambda text: text.replace("<", "‹").replace(">", "›"),
    "a search that coloured domains": lambda text: re.sub(r"@([^>]+)>", r"@[01;31m[K\1[m[K>", text),
    "a search that coloured their ends": lambda text: re.sub(r"example>", r"[01;31m[Kexample[m[K>", text),
    "links made safe": lambda text: re.sub(r"<([^>]+@([^>]+))>", r"<\1 <https://safe.example/?url=\2>>", text),
}


@pytest.mark.parametrize("change", CHANGED)
def test_an_address_that_a_copy_changed_is_no_address(tmp_path: Path, change: str) -> None:
    text = message("4B1C2D3E4F", to("bob@navy.example", orig_to="list@albion.example"))
    result, rows = read(tmp_path, {"mail.log": CHANGED[change](text)})
    assert rows == []
    assert result.unread >= 2


def test_addresses_without_brackets_are_read(tmp_path: Path) -> None:
    """Old releases of local(8) write them so."""
    _, (row,) = read(tmp_path, {"mail.log": re.sub("[<>]", "", message("4B1C2D3E4F", to("bob@navy.example")))})
    assert (row["sender"], row["recipient"]) == ("ann@albion.example", "bob@navy.example")


@pytest.mark.parametrize("address", ['"a>b"@navy.example', '"a<b"@navy.example', '"a\\\\b"@navy.example', "a;b@navy.example",
                                     "a&lt;b@navy.example", "bob@[203.0.113.7]", "bob@[IPv6:2001:db8::7]", "[m@navy.example", "b ob@navy.example", "root"])  # fmt: skip
def test_unusual_addresses_are_addresses(tmp_path: Path, address: str) -> None:
    _, (row,) = read(tmp_path, {"mail.log": message("4B1C2D3E4F", to(address), sender=address)})
    assert (row["sender"], row["recipient"]) == (address, address)


CUT = [
    *lines("4B1C2D3E4F", "a"),
    line("postfix/pickup[7]: 4B1C2D3E4F: uid=0 from=<ann@albion.example> orig_id=5B1C2D3E4F"),
    line(f"postfix/smtp[3]: 4B1C2D3E4F: {to('bob@navy.example', 'sent (250 Ok: queued as 5B1C2D3E4F)')}"),
    line(
        "postfix/smtpd[1]: NOQUEUE: reject: RCPT from ws.albion.example[10.0.0.1]: 554 5.7.1 <bob@navy.example>: Relay access "
        "denied; from=<ann@albion.example> to=<bob@navy.example> proto=ESMTP helo=<ws>"
    ),
    line(
        "postfix/cleanup[2]: 4B1C2D3E4F: milter-reject: END-OF-MESSAGE from ws.albion.example[10.0.0.1]: 5.7.1 no; "
        "from=<ann@albion.example> to=<bob@navy.example> proto=ESMTP helo=<ws>"
    ),
]
"""A record of each kind that bears on a delivery."""
FORMS = {
    "ISO 8601": lambda text: text,
    "RFC 3164": lambda text: text.replace("2024-03-01T10:00:00.000000+00:00", "Mar  1 10:00:00"),
    "RFC 5424": lambda text: "<22>1 " + text.replace("[", " ", 1).replace("]: ", " - - ", 1),
    "without the program": lambda text: re.sub(r"postfix/\w+\[", "postfix[", text, count=1),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_record_that_breaks_off_is_never_passed_over(form: str, end: str) -> None:
    """From its tag on: at the end of a file, or of what was written before a crash. Whatever remains is what it was."""
    for text in CUT:
        whole = FORMS[form](text).rstrip("\n")
        (tag,) = [found.end() for found in re.finditer(r" mx1 postfix", whole)]
        for cut in range(tag, len(whole) + 1):
            scan = scanned(whole[:cut] + end)
            assert not scan.ignored, whole[:cut]
            for at, values in ENDS.items():
                found = {one for one in column_of(scan.events, at) if one is not None}
                assert found <= values or end, whole[:cut]


ENDS = {w.G: {"5B1C2D3E4F", "F4E3D2C1B4"}, w.C: {"ann", "mx.navy.example", "ws.albion.example"}}
"""What the fields at the end of a record hold, and others in the same columns."""


def column_of(events: Any, at: int) -> list[str | None]:
    found: list[str | None] = column(events, np.arange(len(events.ints), dtype=np.int32), at).to_pylist()
    return found


def scanned(text: str) -> base.Scan:
    raw = text.encode()
    padded = np.frombuffer(raw + bytes(base.PADDING), np.uint8).copy()
    block = SimpleNamespace(data=padded[: len(raw)], padded=padded, offset=0, last=True)
    return loader.scan(block, base.ScanContext(evidence=0, number=1, plan=timing.Plan(years.Clock(2024))))


def test_a_word_of_a_program_that_has_no_message_in_hand(tmp_path: Path) -> None:
    text = "".join(line(f"postfix/{one}") for one in ("postlog[1]: hello", "master[1]: x", "policyd-spf[1]: ok"))
    result, _ = read(tmp_path, {"mail.log": message("4B1C2D3E4F", to("bob@navy.example")) + text})
    assert result.unread == 0


def test_a_reply_that_was_cut_names_no_id(tmp_path: Path) -> None:
    """Postfix itself cuts its records at 2,000 bytes (980 in newer releases)."""
    status = "sent (250 2.0.0 Ok: queued as 5B1C2"
    handed = message("4B1C2D3E4F", to("bob@navy.example", status, relay="127.0.0.1[127.0.0.1]:10025"))
    other = message("5B1C2", to("eve@army.example"), client="localhost[127.0.0.1]", sender="carl@albion.example")
    _, rows = read(tmp_path, {"mail.log": handed + other})
    assert [(r["recipient"], r["sender"]) for r in sorted(rows, key=lambda r: str(r["recipient"]))] == [
        ("bob@navy.example", "ann@albion.example"), ("eve@army.example", "carl@albion.example"),
    ]  # fmt: skip
