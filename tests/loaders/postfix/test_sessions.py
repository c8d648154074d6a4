"""Sessions of smtpd: who had logged in when refused, filters in front of the queue, how a message came in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ingesting import line, message, read, to

ID = "4B1C2D3E4F"
PC = "pc7.albion.example[192.0.2.17]"
AT = "2024-03-01T10:{:02}:{:02}.000000+00:00"


def rows(folder: Path, *texts: str) -> list[dict[str, Any]]:
    result, found = read(folder, {f"{n}.log": text for n, text in enumerate(texts)})
    assert result.unread == 0
    for evidence in result.evidence:
        assert evidence.records == evidence.used + sum(evidence.ignored.values())
    return found


def refused(login: str = "", *, pid: int = 5, code: str = "450 4.1.2", client: str = PC, minute: int = 0) -> list[str]:
    """A session in which a recipient is refused."""
    counts = f"ehlo=1 {login + ' ' if login else ''}mail=1 rcpt=0/1 quit=1 commands=4/5"
    texts = (
        f"connect from {client}",
        f"NOQUEUE: reject: RCPT from {client}: {code} <x@navy.example>: Recipient address rejected: Domain not found; "
        "from=<ann@albion.example> to=<x@navy.example> proto=ESMTP helo=<pc7>",
        f"disconnect from {client} {counts}",
    )
    return [line(f"postfix/smtpd[{pid}]: {text}", at=AT.format(minute, n)) for n, text in enumerate(texts)]


@pytest.mark.parametrize("code", ["450 4.1.2", "550 5.1.2"])
@pytest.mark.parametrize(
    ("login", "how"),
    [("auth=1", "authenticated"), ("auth=1/2", "authenticated"), ("auth=0/1", "outside"), ("", "outside")],
)
def test_a_login_in_the_session_counts_for_what_was_refused(tmp_path: Path, code: str, login: str, how: str) -> None:
    (row,) = rows(tmp_path, "".join(refused(login, code=code)))
    assert (row["submission"], row["client_address"], row["queue_id"]) == (how, "192.0.2.17", None)
    assert row["outcome"] == ("deferred" if code[0] == "4" else "rejected")


def test_the_next_client_of_the_process_does_not_count(tmp_path: Path) -> None:
    log = refused() + refused("auth=1", client="pc8.albion.example[192.0.2.18]", minute=1)[::2]
    assert [r["submission"] for r in rows(tmp_path, "".join(log))] == ["outside"]


def test_nor_does_another_process(tmp_path: Path) -> None:
    log = refused()[:2] + refused("auth=1", pid=6)[::2] + refused()[2:]
    assert [r["submission"] for r in rows(tmp_path, "".join(log))] == ["outside"]


def test_nor_a_later_session_of_the_same_client(tmp_path: Path) -> None:
    assert [r["submission"] for r in rows(tmp_path, "".join(refused() + refused("auth=1", minute=1)[::2]))] == [
        "outside"
    ]


@pytest.mark.parametrize("cut", [1, 2])
def test_a_session_in_two_files(tmp_path: Path, cut: int) -> None:
    log = refused("auth=1", code="550 5.1.2")
    assert [r["submission"] for r in rows(tmp_path, "".join(log[:cut]), "".join(log[cut:]))] == ["authenticated"]


@pytest.mark.parametrize("size", [300, 700, 1500])
def test_any_block_size(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    log = "".join(
        "".join(
            refused("auth=1" if n % 3 else "auth=0/1", pid=n % 4, code="550 5.1.2" if n % 2 else "450 4.1.2", minute=n)
        )
        for n in range(12)
    )
    whole = rows(tmp_path / "whole", log)
    monkeypatch.setattr("forensics.ingest.survey.BLOCK", size)
    monkeypatch.setattr("forensics.ingest.units.BUNDLE", 0)
    assert rows(tmp_path / "cut", log) == whole
    assert {r["submission"] for r in whole} == {"authenticated", "outside"}


def test_a_login_at_the_end_of_the_line(tmp_path: Path) -> None:
    named = refused(code="550 5.1.2")[1].replace("helo=<pc7>", "helo=<pc7> sasl_username=<ann>")
    (row,) = rows(tmp_path, named)
    assert (row["submission"], row["sender"], row["recipient"]) == (
        "authenticated",
        "ann@albion.example",
        "x@navy.example",
    )


@pytest.mark.parametrize(
    "forged",
    [
        'from=<"x> proto=ESMTP helo=<h> sasl_username=<ann"@evil.example> to=<x@navy.example> proto=ESMTP helo=<pc7>',
        "from=<ann@albion.example> to=<x@navy.example> proto=ESMTP helo=<h?sasl_username=?ann?>",
    ],
)
def test_words_of_the_client_are_no_login(tmp_path: Path, forged: str) -> None:
    text = f"postfix/smtpd[5]: NOQUEUE: reject: RCPT from {PC}: 550 5.1.1 <x@navy.example>: no; {forged}"
    assert [r["submission"] for r in rows(tmp_path, line(text))] == ["outside"]


def proxied(client: str) -> str:
    """A message through a filter in front of the queue; `client`: the line of the smtpd behind it."""
    user = f"{PC}, sasl_method=PLAIN, sasl_username=ann"
    first = [f"postfix/smtpd[111]: connect from {PC}", f"postfix/smtpd[111]: NOQUEUE: client={user}"]
    last = (
        f"postfix/smtpd[111]: proxy-accept: END-OF-MESSAGE: 250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: "
        f"queued as {ID}; from=<ann@albion.example> to=<x@navy.example> proto=ESMTP helo=<pc7>"
    )
    body = message(ID, to("x@navy.example"), client=client, message_id="m").splitlines(keepends=True)
    return "".join([*map(line, first), *body[:3], line(last), *body[3:]])


@pytest.mark.parametrize("client", ["localhost[127.0.0.1]", f"localhost[127.0.0.1], orig_client={PC}"])
def test_a_filter_in_front_of_the_queue(tmp_path: Path, client: str) -> None:
    (row,) = rows(tmp_path, proxied(client))
    assert (row["queue_id"], row["outcome"], row["hops"], row["attempts"]) == (ID, "delivered", 0, 1)
    assert (row["client_name"], row["client_address"], row["authenticated_user"], row["submission"]) == (
        "pc7.albion.example", "192.0.2.17", "ann", "authenticated",
    )  # fmt: skip
    assert len(row["records"]) == 7


def test_what_a_filter_in_front_refuses(tmp_path: Path) -> None:
    log = line(f"postfix/smtpd[111]: NOQUEUE: client={PC}, sasl_method=PLAIN, sasl_username=ann")
    log += line(
        "postfix/smtpd[111]: proxy-reject: END-OF-MESSAGE: 550 5.7.1 spam; from=<ann@albion.example> "
        "to=<x@navy.example> proto=ESMTP helo=<pc7>"
    )
    (row,) = rows(tmp_path, log)
    assert (row["outcome"], row["client_address"], row["submission"]) == ("rejected", "192.0.2.17", "authenticated")


@pytest.mark.parametrize(
    ("first", "how"),
    [
        (f"postfix/smtpd[1]: {ID}: client={PC}, sasl_method=PLAIN, sasl_username=ann", "authenticated"),
        (f"postfix/pickup[1]: {ID}: uid=0 from=<ann@albion.example>", "local"),
        (f"postfix/smtpd[1]: {ID}: client=ws1.albion.example[10.0.0.1]", "internal"),
        (f"postfix/smtpd[1]: {ID}: client=ws1.albion.example[fd00::1]", "internal"),
        (f"postfix/smtpd[1]: {ID}: client=unknown[198.51.100.9]", "outside"),
        (f"postfix/smtpd[1]: {ID}: client=unknown[unknown]", "outside"),
        ("", "not-seen"),
    ],
)
def test_how_a_message_came_in(tmp_path: Path, first: str, how: str) -> None:
    rest = "".join(message(ID, to("x@navy.example")).splitlines(keepends=True)[1:])
    (row,) = rows(tmp_path, (line(first) if first else "") + rest)
    assert row["submission"] == how


def test_mailscanner_s_requeue_of_several_recipients(tmp_path: Path) -> None:
    new = "5C2D3E4F50"
    log = "".join(message(ID, removed=False, message_id="m", more=(
        "hold: header Received: from ws1; from=<ann@albion.example> to=<x@navy.example> proto=ESMTP helo=<ws1>",
    )).splitlines(keepends=True))  # fmt: skip
    log += line(f"MailScanner[77]: Requeue: {ID}.A0B1C to {new}")
    log += "".join(message(new, to("x@navy.example"), to("y@navy.example")).splitlines(keepends=True)[2:])
    found = rows(tmp_path, log)
    assert sorted((r["recipient"], r["outcome"], r["queue_id"], r["message_id"]) for r in found) == [
        ("x@navy.example", "delivered", ID, "m@albion.example"),
        ("y@navy.example", "delivered", ID, "m@albion.example"),
    ]
