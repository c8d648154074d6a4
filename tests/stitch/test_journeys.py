"""Hops → journeys: a filter, a second queue, a second host; and what must not be joined."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ingesting import line, message, read, to

A, B, C = "4A1C2D3E4F", "4B1C2D3E4F", "4C1C2D3E4F"
LOOP = "127.0.0.1[127.0.0.1]:10024"


def handed(recipient: str, queue_id: str, *, relay: str = LOOP, orig_to: str | None = None) -> str:
    return to(recipient, f"sent (250 2.0.0 Ok: queued as {queue_id})", relay=relay, orig_to=orig_to)


def rows(tmp_path: Path, *texts: str) -> list[dict[str, Any]]:
    _, found = read(tmp_path, {f"{n}.log": text for n, text in enumerate(texts)})
    return found


def brief(found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((r["recipient"], r["original_recipient"], r["outcome"], r["hops"], r["queue_id"]) for r in found)


@pytest.mark.parametrize(
    "reply", ["250 2.0.0 Ok: queued as {}", "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {}"]
)
def test_filter_is_one_journey(tmp_path: Path, reply: str) -> None:
    user = "ws1.albion.example[10.0.0.1], sasl_method=PLAIN, sasl_username=ann"
    first = message(
        A,
        to("x@navy.example", f"sent ({reply.format(B)})", relay=LOOP, orig_to="list@albion.example"),
        message_id="m",
        client=user,
    )
    second = message(B, to("x@navy.example"), message_id="m", client="localhost[127.0.0.1]")
    (row,) = rows(tmp_path, first + second)
    assert brief([row]) == [("x@navy.example", "list@albion.example", "delivered", 1, A)]
    assert (row["authenticated_user"], row["relay_address"]) == ("ann", "203.0.113.5")
    assert len(row["records"]) == 10


def test_expansion_behind_the_filter_and_three_hops(tmp_path: Path) -> None:
    first = message(A, handed("list@albion.example", B), message_id="m")
    second = message(
        B,
        handed("x@navy.example", C, orig_to="list@albion.example"),
        handed("y@navy.example", C, orig_to="list@albion.example"),
        message_id="m",
    )
    third = message(C, to("x@navy.example"), to("y@navy.example", "bounced (no)", dsn="5.1.1"), message_id="m")
    assert brief(rows(tmp_path, first + second + third)) == [
        ("x@navy.example", "list@albion.example", "delivered", 2, A),
        ("y@navy.example", "list@albion.example", "bounced", 2, A),
    ]


def test_second_host_in_another_file(tmp_path: Path) -> None:
    first = message(A, handed("x@navy.example", B, relay="mx2.albion.example[10.0.0.2]:25"), message_id="m")
    second = message(B, to("x@navy.example"), message_id="m", host="mx2", at="2024-03-01T10:00:03.000000+00:00")
    assert brief(rows(tmp_path, first, second)) == [("x@navy.example", None, "delivered", 1, A)]


def test_a_remote_id_that_looks_like_ours_is_not_ours(tmp_path: Path) -> None:
    first = message(A, handed("x@navy.example", B, relay="mx.navy.example[203.0.113.5]:25"), message_id="m")
    second = message(B, to("z@army.example"), message_id="other")
    assert brief(rows(tmp_path, first + second)) == [
        ("x@navy.example", None, "delivered", 0, A),
        ("z@army.example", None, "delivered", 0, B),
    ]


def test_the_same_id_on_another_day_is_another_message(tmp_path: Path) -> None:
    first = message(A, handed("x@navy.example", B), message_id="m")
    second = message(B, to("x@navy.example"), message_id="m", at="2024-03-02T10:00:00.000000+00:00")
    found = brief(rows(tmp_path, first + second))
    assert found == [("x@navy.example", None, "delivered", 0, B), ("x@navy.example", None, "unknown", 0, A)]


def test_local_forward_goes_on(tmp_path: Path) -> None:
    first = message(
        A, to("root@albion.example", f"sent (forwarded as {B})", relay="local", orig_to="root"), message_id="m"
    )
    second = "".join(
        line(text)
        for text in (
            f"postfix/cleanup[2]: {B}: message-id=<m@albion.example>",
            f"postfix/qmgr[4]: {B}: from=<ann@albion.example>, size=1, nrcpt=1 (queue active)",
            f"postfix/smtp[3]: {B}: {to('boss@navy.example', orig_to='root')}",
            f"postfix/qmgr[4]: {B}: removed",
        )
    )
    assert brief(rows(tmp_path, first + second)) == [("boss@navy.example", "root", "delivered", 1, A)]


def test_recipient_addressed_directly_too_has_no_original(tmp_path: Path) -> None:
    first = message(
        A,
        handed("x@navy.example", B),
        handed("x@navy.example", B, orig_to="list@albion.example"),
        handed("y@navy.example", B, orig_to="list@albion.example"),
        message_id="m",
    )
    second = message(B, to("x@navy.example"), to("y@navy.example"), message_id="m")
    assert brief(rows(tmp_path, first + second)) == [
        ("x@navy.example", None, "delivered", 1, A),
        ("y@navy.example", "list@albion.example", "delivered", 1, A),
    ]


def test_continuation_that_the_log_ends_in(tmp_path: Path) -> None:
    first = message(A, handed("x@navy.example", B), message_id="m")
    second = message(B, message_id="m", removed=False)
    assert brief(rows(tmp_path, first + second)) == [("x@navy.example", None, "deferred", 0, A)]
