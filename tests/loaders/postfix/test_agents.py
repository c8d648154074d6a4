"""Lines as a real Postfix 3.7 writes them, where their wording says less than what happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingesting import line, message, read, to


def test_what_discard_took_is_not_delivered(tmp_path: Path) -> None:
    gone = "postfix/discard[9]: 4B1C2D3E4F: to=<x@nil.example>, relay=none, delay=0.06, delays=0.02/0.03/0/0, dsn=2.0.0"
    text = message("4B1C2D3E4F", to("one@accept.example"), removed=False)
    text += line(f"{gone}, status=sent (nil.example)") + line("postfix/qmgr[4]: 4B1C2D3E4F: removed")
    _, rows = read(tmp_path, {"mail.log": text})
    assert sorted((r["recipient"], r["outcome"]) for r in rows) == [
        ("one@accept.example", "delivered"),
        ("x@nil.example", "discarded"),
    ]


def test_attempts_before_a_requeue_count(tmp_path: Path) -> None:
    waits = to("x@later.example", "deferred (450 4.2.0 Later)", dsn="4.2.0")
    text = message("4B1C2D3E4F", waits, waits, removed=False)
    text += line("postfix/postsuper[7]: 4B1C2D3E4F: requeued")
    text += line("postfix/pickup[8]: 5C2D3E4F50: uid=0 from=<ann@albion.example> orig_id=4B1C2D3E4F")
    text += line("postfix/cleanup[2]: 5C2D3E4F50: message-id=<4B1C2D3E4F@albion.example>")
    text += line("postfix/qmgr[4]: 5C2D3E4F50: from=<ann@albion.example>, size=1000, nrcpt=1 (queue active)")
    text += line(f"postfix/smtp[3]: 5C2D3E4F50: {to('x@later.example')}") + line("postfix/qmgr[4]: 5C2D3E4F50: removed")
    _, (row,) = read(tmp_path, {"mail.log": text})
    assert (row["queue_id"], row["outcome"], row["attempts"], row["hops"]) == ("4B1C2D3E4F", "delivered", 3, 1)


def test_attempts_of_a_filter_are_its_own(tmp_path: Path) -> None:
    """A journey's attempts are those of the hop that settled it."""
    text = message(
        "4B1C2D3E4F",
        to("x@far.example", "sent (250 2.0.0 Ok: queued as 5C2D3E4F50)", relay="127.0.0.1[127.0.0.1]:10025"),
    )
    text += message("5C2D3E4F50", to("x@far.example"), client="localhost[127.0.0.1]", message_id="4B1C2D3E4F")
    _, (row,) = read(tmp_path, {"mail.log": text})
    assert (row["hops"], row["attempts"]) == (1, 1)


QUOTED = '"x; from=<a@b> to=<c@d> proto=ESMTP helo=<x>"@navy.example'
UNQUOTED = QUOTED.replace('"', "")


@pytest.mark.parametrize("sender", ["ann@albion.example", QUOTED.replace("navy", "albion")])
def test_a_quoted_recipient_is_no_envelope(tmp_path: Path, sender: str) -> None:
    """HELO names cannot hold any of it: smtpd(8) puts `?` for spaces, brackets, quotes and semicolons."""
    envelope = f"from=<{sender}> to=<{QUOTED}> proto=ESMTP helo=<x??from=?fake?x??to=?y?x?>"
    text = line(
        f"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[10.0.0.1]: 554 5.7.1 <{UNQUOTED}>: Recipient "
        f"address rejected: Access denied; {envelope}"
    )
    text += line("postfix/smtpd[1]: 4B1C2D3E4F: client=unknown[10.0.0.1]")
    text += line("postfix/cleanup[2]: 4B1C2D3E4F: message-id=<1@albion.example>")
    subject = "Plan; from=<fake@x> to=<fake2@x> proto=ESMTP helo=<x>"
    text += line(
        f"postfix/cleanup[2]: 4B1C2D3E4F: reject: header Subject: {subject} from unknown[10.0.0.1]; {envelope}: "
        "5.7.1 no"
    )
    _, rows = read(tmp_path, {"mail.log": text})
    rows.sort(key=lambda row: row["subject"] or "")  # both of one moment: their ids say which comes first
    assert [(r["sender"], r["recipient"], r["outcome"], r["subject"], r["status_code"]) for r in rows] == [
        (sender, QUOTED, "rejected", None, "5.7.1"),
        (sender, QUOTED, "rejected", subject, "5.7.1"),
    ]


def test_subjects_of_local_mail_are_read_from_the_end_too(tmp_path: Path) -> None:
    text = line("postfix/pickup[1]: 4B1C2D3E4F: uid=0 from=<ann@albion.example>")
    text += line(
        "postfix/cleanup[2]: 4B1C2D3E4F: hold: header Subject: a from local; from=<fake@x> to=<fake2@x> b from local; "
        f"from=<ann@albion.example> to=<{QUOTED}>"
    )
    text += line("postfix/cleanup[2]: 4B1C2D3E4F: message-id=<1@albion.example>")
    _, (row,) = read(tmp_path, {"mail.log": text})
    assert (row["sender"], row["recipient"], row["outcome"]) == ("ann@albion.example", QUOTED, "held")
    assert row["subject"] == "a from local; from=<fake@x> to=<fake2@x> b"
