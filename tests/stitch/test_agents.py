"""Lines as a real Postfix 3.7 writes them, where their wording says less than what happened."""

from __future__ import annotations

from pathlib import Path

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
