"""Messages that have one queue id at once: of two Postfix instances on a host, and of two servers under one name. None
gets what is another's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.ingest.read import IngestResult
from tests.ingesting import line, read, to

A = "4B1C2D3E4F"
WRITTEN = (("ann@albion.example", "bob@navy.example"), ("eve@albion.example", "carl@army.example"))
"""Sender and recipient of either message."""
Timed = list[tuple[float, str]]


def at(second: float) -> str:
    return f"2024-03-01T10:{int(second) // 60:02}:{second % 60:09.6f}+00:00"


def message(
    which: int, name: str, *, begins: float = 0, host: str = "mx1", service: str | None = None, step: float = 2,
    status: str = "sent (250 2.0.0 Ok)", size: int | None = None, sender: str | None = None,
) -> Timed:  # fmt: skip
    """(second, line) of a message in the queue of instance `name`; `service`: another name of its smtpd and smtp."""
    written, recipient = WRITTEN[which]
    own = service or name
    size = 1000 + which if size is None else size
    texts = [
        f"{own}/smtpd[1{which}]: {A}: client=ws{which}.albion.example[10.0.0.{which + 1}]",
        f"{name}/cleanup[2{which}]: {A}: message-id=<{which}@albion.example>",
        f"{name}/qmgr[3{which}]: {A}: from=<{sender or written}>, size={size}, nrcpt=1 (queue active)",
        f"{own}/smtp[4{which}]: {A}: {to(recipient, status)}",
        f"{name}/qmgr[3{which}]: {A}: removed",
    ]
    seconds = [begins + step * n for n in range(len(texts))]
    return [(second, line(text, host=host, at=at(second))) for second, text in zip(seconds, texts, strict=True)]


def log(*messages: Timed) -> str:
    return "".join(text for _, text in sorted(pair for one in messages for pair in one))


def told(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((r["recipient"], r["sender"], r["message_id"], r["client_address"], r["outcome"]) for r in rows)


BOTH = [
    ("bob@navy.example", "ann@albion.example", "0@albion.example", "10.0.0.1", "delivered"),
    ("carl@army.example", "eve@albion.example", "1@albion.example", "10.0.0.2", "delivered"),
]


@pytest.mark.parametrize("begins", [0, 0.5, 1, 3, 5, 7, 9])
def test_two_instances_of_one_host(tmp_path: Path, begins: float) -> None:
    text = log(message(0, "postfix"), message(1, "postfix-out", begins=begins))
    result, rows = read(tmp_path, {"mail.log": text})
    assert told(rows) == BOTH
    assert result.unread == 0
    assert "noted" not in result.evidence[0].notes


@pytest.mark.parametrize("form", ["rfc5424", "facility", "forwarded"])
def test_in_other_forms_of_a_record(tmp_path: Path, form: str) -> None:
    text = log(message(0, "postfix"), message(1, "postfix-out", begins=1))
    if form == "rfc5424":
        pieces = [one.split(" ", 2) for one in text.splitlines()]
        text = "".join(f"<22>1 {s} {h} {t.replace('[', ' ', 1).replace(']: ', ' - - ', 1)}\n" for s, h, t in pieces)
    elif form == "facility":
        text = text.replace(" mx1 ", " mx1 mail.info ")
    else:
        text = text.replace(" mx1 ", " hub Message forwarded from mx1: ")
    assert told(read(tmp_path, {"mail.log": text})[1]) == BOTH


def test_the_rest_of_one_in_another_file(tmp_path: Path) -> None:
    lines = log(message(0, "postfix", step=4), message(1, "postfix-out", begins=5)).splitlines(keepends=True)
    for cut in range(1, len(lines)):
        files = {"mail.log.1": "".join(lines[:cut]), "mail.log": "".join(lines[cut:])}
        assert told(read(tmp_path / str(cut), files)[1]) == BOTH


def test_a_service_of_another_name_is_of_the_instance_that_has_the_id(tmp_path: Path) -> None:
    """One instance with names of services is the usual case, as `postfix/submission`."""
    other = [(s, t.replace(A, "5B1C2D3E4F")) for s, t in message(1, "postfix-out")]
    text = log(message(0, "postfix", service="postfix/submission"), other)
    assert told(read(tmp_path, {"mail.log": text})[1]) == BOTH


@pytest.mark.parametrize("begins", [0.5, 1, 3, 5])
def test_what_is_under_a_name_of_its_own_gets_no_wrong_sender(tmp_path: Path, begins: float) -> None:
    text = log(message(0, "postfix", service="slow"), message(1, "postfix-out", begins=begins, service="fast"))
    for row in read(tmp_path, {"mail.log": text})[1]:
        assert row["sender"] is None
        assert row["message_id"] is None


def test_a_name_that_was_changed_while_a_message_waited(tmp_path: Path) -> None:
    """The same sender and size under the same id are one message."""
    first = message(0, "postfix", status="deferred (timed out)")[:-1]
    then = message(0, "postfix-mx", begins=60)[2:]
    (row,) = read(tmp_path, {"mail.log": log(first, then)})[1]
    assert (row["sender"], row["outcome"], row["attempts"]) == ("ann@albion.example", "delivered", 2)


def test_expired_under_another_name(tmp_path: Path) -> None:
    first = message(0, "postfix", status="deferred (timed out)")[:-1]
    expired = f"postfix-mx/qmgr[9]: {A}: from=<ann@albion.example>, status=expired, returned to sender"
    text = log(first, [(60, line(expired, at=at(60)))])
    other = [(s, t.replace(A, "5B1C2D3E4F")) for s, t in message(1, "postfix-mx", begins=70)]
    rows = read(tmp_path, {"mail.log": text + log(other)})[1]
    assert [(r["sender"], r["outcome"]) for r in rows if r["recipient"][0] == "b"] == [
        ("ann@albion.example", "expired")
    ]


@given(st.data())
@settings(max_examples=40)
def test_any_two_messages_of_two_instances(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever lines are missing, and wherever the log is cut into files: no recipient gets what is the other's."""
    names = data.draw(st.sampled_from([("postfix", "postfix-out"), ("postfix-in", "postfix"), ("postfix", "postfix")]))
    lines = [
        message(n, names[n], begins=data.draw(st.integers(0, 12)), step=data.draw(st.sampled_from((0.25, 2, 7))))
        for n in (0, 1)
    ]
    if names[0] != names[1]:  # under one name nothing but the records themselves tells two messages
        gone = data.draw(st.sets(st.sampled_from([(n, k) for n in (0, 1) for k in (0, 1, 4)])))
        lines = [[one for k, one in enumerate(of) if (n, k) not in gone] for n, of in enumerate(lines)]
    text = log(*lines).splitlines(keepends=True)
    cut = data.draw(st.integers(0, len(text)))
    files = {"a.log": "".join(text[:cut]), "b.log": "".join(text[cut:])}
    _, rows = read(tmp_path_factory.mktemp("r"), {name: content for name, content in files.items() if content})
    assert sorted(row["recipient"] for row in rows) == [recipient for _, recipient in WRITTEN]
    for row in rows:
        which = [recipient for _, recipient in WRITTEN].index(row["recipient"])
        assert row["outcome"] == "delivered"
        assert row["sender"] in (WRITTEN[which][0], None)
        assert row["message_id"] in (f"{which}@albion.example", None)
        assert row["client_address"] in (f"10.0.0.{which + 1}", None)
        assert names[0] == names[1] or row["sender"]


def shared(result: IngestResult) -> list[str]:
    return [one["text"] for e in result.evidence for one in e.notes.get("losses", ()) if one["kind"] == "shared id"]


@pytest.mark.parametrize("begins", [0.5, 1, 3, 5])
def test_two_servers_under_one_name(tmp_path: Path, begins: float) -> None:
    """Nothing tells whose a recipient is: no sender rather than a wrong one, and it is said."""
    text = log(message(0, "postfix"), message(1, "postfix", begins=begins))
    result, rows = read(tmp_path, {"mail.log": text})
    rows.sort(key=lambda row: str(row["recipient"]))
    assert [(r["recipient"], r["outcome"]) for r in rows] == [
        ("bob@navy.example", "delivered"), ("carl@army.example", "delivered"),
    ]  # fmt: skip
    assert None in [row["sender"] for row in rows]
    for row, (sender, _) in zip(rows, WRITTEN, strict=True):
        assert row["sender"] in (sender, None)
    assert shared(result)
    assert any("two servers log under one name" in text for text in result.evidence[0].notes["noted"])


def test_one_after_the_other_is_no_doubt(tmp_path: Path) -> None:
    result, rows = read(tmp_path, {"mail.log": log(message(0, "postfix"), message(1, "postfix", begins=20))})
    assert told(rows) == BOTH
    assert not shared(result)


def test_a_message_whose_removal_was_lost(tmp_path: Path) -> None:
    """All its recipients were settled: it had ended."""
    result, rows = read(tmp_path, {"mail.log": log(message(0, "postfix")[:-1], message(1, "postfix", begins=20))})
    assert told(rows) == BOTH
    assert not shared(result)


def test_a_client_that_went_away(tmp_path: Path) -> None:
    """What it had begun is gone soon, and its id is free."""
    begun = message(0, "postfix")[:1]
    result, rows = read(tmp_path, {"mail.log": log(begun, message(1, "postfix", begins=1000))})
    assert told(rows) == BOTH[1:]
    assert not shared(result)


def test_the_same_records_twice_are_one_message(tmp_path: Path) -> None:
    once = message(0, "postfix", status="deferred (timed out)")[:-1]
    late = message(0, "postfix", begins=60)[2:]
    result, (row,) = read(tmp_path, {"mail.log": log(once, late, once, late)})
    assert (row["sender"], row["outcome"]) == ("ann@albion.example", "delivered")
    assert not shared(result)
