"""Which loader reads an evidence is told by what no outsider could have written, wherever in the file it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics import loaders, wraps
from forensics.errors import EvidenceError, ForeignLog
from forensics.ingest import recognition
from forensics.ingest.recognition import Reading
from forensics.loaders.settings import Settings

from ..ingesting import line, message, read, to
from ..loaders.exchange.driver import Block, array

DATA = Path(__file__).resolve().parents[1] / "data"
MAIL = message("3ABCDEF", to("bob@navy.example"))
TRACKING = (DATA / "exchange-samples" / "2016-2019.log").read_bytes().decode()
SMTP = (DATA / "exchange-refused" / "smtpsend.log").read_text()
FORGED = [
    *MAIL.splitlines(),
    *TRACKING.splitlines()[:7],
    "2024-03-01 10:00:05 1rfzAB-0001aB-Cd => bob@navy.example R=x",
]


def recognised(content: bytes, size: int = 1 << 20) -> tuple[str | None, str | None]:
    """(loader, refusal) as the survey comes to them, reading blocks of this size."""
    known: str | None = None
    while True:
        reading = Reading("evidence", Settings(), known)
        reading.begin(content[: wraps.HEAD])
        at, again = 0, None
        while at < len(content) and not reading.hopeless and again is None:
            piece = content[at : at + size]
            want = size
            while not (taken := reading.split(array(piece), at + len(piece) == len(content))):
                want *= 2
                piece = content[at : at + want]
            again = reading.feed(Block(array(piece[:taken]), at, at + taken == len(content)))
            at += taken
        if again is None:
            break
        known = again
    if reading.surveyor is None:
        return None, reading.refusal("")
    try:
        reading.surveyor.result()
    except ForeignLog as error:
        return None, reading.refusal(error.what)
    except EvidenceError as error:
        return None, error.what
    return reading.loader, None


def far(text: str) -> str:
    """So many lines that the beginning of the file does not show what follows."""
    return text * (2 * wraps.HEAD // len(text) + 1)


@pytest.mark.parametrize("header", ["Item,Note,Cost", "RecordType,CreationDate,UserIds,Operations,AuditData"])
@pytest.mark.parametrize("text", FORGED)
def test_lines_in_quoted_fields_of_a_table_are_no_log(header: str, text: str) -> None:
    row = '1,"{}",2' + "," * (header.count(",") - 2) + "\n"
    inside = row.format("good\n" + text.replace('"', '""') + "\nbye")
    for rows in (far(row.format("plain")) + inside * 3, far(inside)):
        assert recognised((header + "\n" + rows).encode(), wraps.HEAD + 1)[0] is None


@settings(max_examples=30)
@given(st.sampled_from(FORGED), st.integers(0, 200))
def test_no_piece_begins_in_the_middle_of_a_line(text: str, shift: int) -> None:
    """Wherever an outsider's words stand in a line, nothing before them is cut away."""
    record = "(Note) " + "x" * shift + " " + text + "\n"
    data = far(record).encode()
    for piece in recognition._pieces(data):
        assert piece.startswith(b"(Note) ") and piece.endswith(b"\n")
    assert b"".join(recognition._pieces(data)) == data
    assert recognised(data)[0] is None


@pytest.mark.parametrize("text", TRACKING.splitlines()[:7])
def test_a_postfix_log_with_lines_of_exchange_in_it_stays_one(text: str) -> None:
    said = line(f"postfix/smtp[1]: 3ABCDEF: to=<b@navy.example>, status=bounced (host x said: 550 {text})")
    other = far(line("dovecot: imap-login: Login: user=<ann>"))
    for log in (MAIL + said, other + said + MAIL, other + MAIL + far(said)):
        assert recognised(log.encode())[0] == "postfix"


@pytest.mark.parametrize("text", MAIL.splitlines())
def test_an_exchange_log_with_lines_of_postfix_in_it_stays_one(text: str) -> None:
    first, *_ = [one for one in TRACKING.splitlines() if not one.startswith("#")]
    cells = first.split(",")
    row = ",".join([*cells[:17], f'"x\n{text}\n"', *cells[18:]]) + "\n"
    for log in (TRACKING + row, TRACKING + far(row)):
        assert recognised(log.encode())[0] == "exchange"


def test_a_log_behind_many_lines_of_another_is_read(tmp_path: Path) -> None:
    """Logs that were put together: what is read of one is read, the rest is accounted for."""
    record = SMTP.splitlines()[-1] + "\n"
    log = SMTP + far(record) + TRACKING
    assert recognised(log.encode())[0] == "exchange"
    assert recognised((SMTP + far(record)).encode())[0] is None
    result, rows = read(tmp_path, {"joined.log": log})
    (one,) = result.evidence
    assert rows and one.unread >= (log.count(record) - 1)
    assert one.records == one.used + sum(one.ignored.values()) + one.unread


def test_what_is_binary_is_read_no_further() -> None:
    reading = Reading("evidence", Settings(), None)
    reading.begin(b"SQLite format 3\0\n" + MAIL.encode())
    assert reading.hopeless and reading.loader is None
    assert reading.refusal("").startswith("SQLite database")


def test_a_refused_form_is_named_inside_an_export() -> None:
    """Lines of sendmail inside Docker's JSON: their own name, not that of what is around them."""
    text = "Mar  1 10:00:00 mx1 sendmail[71]: 42D8003a00007{}: from=<ann@albion.example>, size=900, class=0, nrcpts=1"
    log = "".join(
        json.dumps({"log": text.format(n) + "\n", "stream": "stdout", "time": "2024-03-01T10:00:00Z"}) + "\n"
        for n in range(9)
    )
    reading = Reading("evidence", Settings(), None)
    reading.begin(log.encode())
    assert reading.refusal("").startswith("sendmail log")


@pytest.mark.parametrize("key", ["body", "text", "message", "msg"])
def test_a_mail_is_no_record_of_a_log(key: str) -> None:
    """What a sender wrote below a subject may be lines of a log."""
    mails = [{"Date": "2024-03-01T10:00:00Z", "subject": "Fwd: log", key: MAIL, "from": "ann@albion.example"}] * 5
    assert recognised(json.dumps(mails).encode())[0] is None
    assert loaders.recognise(MAIL.encode()) == "postfix"
