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


def test_a_recipient_that_the_filter_put_in_another_s_place(tmp_path: Path) -> None:
    """Only a logged expansion continues a recipient: what was submitted for x is not what went to the quarantine."""
    first = message(A, handed("x@navy.example", B), handed("y@army.example", B), message_id="m")
    second = message(B, to("y@army.example"), to("spam@albion.example"), message_id="m", client="localhost[127.0.0.1]")
    assert brief(rows(tmp_path, first + second)) == [
        ("spam@albion.example", None, "delivered", 1, A),
        ("x@navy.example", None, "unknown", 0, A),
        ("y@army.example", None, "delivered", 1, A),
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


NAT = "nat.albion.example[198.51.100.77]"
HUB = "smtp.albion-relay.example[203.0.113.9]:25"
LATER = "2024-03-01T10:00:03.000000+00:00"


def through_a_hub(number: int, domain: str, *, client: str = NAT, relay: str = HUB, **more: str) -> tuple[str, str]:
    """A message to this domain on the sending host, and on the host behind its relay."""
    first, second, recipient = f"4A1C2D3E{number}A", f"4A1C2D3E{number}B", f"x@{domain}"
    sent = message(first, handed(recipient, second, relay=relay), message_id=f"m{number}")
    took = message(
        second, to(recipient, relay=f"mx.{domain}[203.0.113.{number + 20}]:25"), message_id=f"m{number}", client=client,
        host="edge7", at=LATER, **more,
    )  # fmt: skip
    return sent, took


def test_a_next_hop_behind_nat_under_another_name(tmp_path: Path) -> None:
    """It takes mail for unrelated domains, and what comes from it comes from the same client; the sender's address may
    be another there."""
    pairs = [through_a_hub(n, f"far{n}.example", sender="srs0=x=ann@albion.example") for n in range(4)]
    found = rows(tmp_path, "".join(a for a, _ in pairs), "".join(b for _, b in pairs))
    assert brief(found) == [(f"x@far{n}.example", None, "delivered", 1, f"4A1C2D3E{n}A") for n in range(4)]
    assert {r["sender"] for r in found} == {"ann@albion.example"}


def test_a_server_of_one_recipient_is_no_next_hop(tmp_path: Path) -> None:
    """What it says of ids proves nothing, whatever else agrees; the later row names the earlier."""
    others = "".join(message(f"4F1C2D3E{n}A", to(f"x@far{n}.example", relay=f"mx{n}.example[203.0.113.{n + 40}]:25"),
                             message_id=f"o{n}") for n in range(6))  # fmt: skip
    first, second = through_a_hub(1, "navy.example", relay="mx.navy.example[203.0.113.9]:25")
    found = [r for r in rows(tmp_path, first + others, second) if r["recipient"] == "x@navy.example"]
    assert brief(found) == [("x@navy.example", None, "delivered", 0, i) for i in ("4A1C2D3E1A", "4A1C2D3E1B")]
    by_id = {r["queue_id"]: r for r in found}
    assert by_id["4A1C2D3E1B"]["possible_duplicate_of"] == by_id["4A1C2D3E1A"]["delivery_id"]


def test_one_server_of_several_lookalikes_is_no_next_hop(tmp_path: Path) -> None:
    others = "".join(message(f"4F1C2D3E{n}A", to(f"x@far{n}.example", relay=f"mx{n}.example[203.0.113.{n + 40}]:25"),
                             message_id=f"o{n}") for n in range(6))  # fmt: skip
    pairs = [through_a_hub(n, name, relay="mx.navy.example[203.0.113.9]:25") for n, name in
             enumerate(("navy.example", "army.example"))]  # fmt: skip
    found = rows(tmp_path, "".join(a for a, _ in pairs) + others, "".join(b for _, b in pairs))
    assert {r["hops"] for r in found} == {0} and len(found) == 10


def test_a_known_host_s_lost_continuation_is_unknown(tmp_path: Path) -> None:
    """A host of the evidence took it, as it did others before and after, and its log does not show what became of it."""
    relay = "mx2.albion.example[10.0.0.2]:25"
    sent = "".join(
        message(f"4A1C2D3E{n}A", handed(f"x@far{n}.example", f"4A1C2D3E{n}B", relay=relay), message_id=f"m{n}",
                at=f"2024-03-01T10:0{n}:00.000000+00:00") for n in range(4)
    )  # fmt: skip
    took = "".join(
        message(f"4A1C2D3E{n}B", to(f"x@far{n}.example"), message_id=f"m{n}", host="mx2",
                at=f"2024-03-01T10:0{n}:01.000000+00:00") for n in (0, 2)
    )  # fmt: skip
    assert {r["recipient"][2:6]: (r["outcome"], r["hops"]) for r in rows(tmp_path, sent, took)} == {
        "far0": ("delivered", 1),
        "far1": ("unknown", 0),
        "far2": ("delivered", 1),
        "far3": ("delivered", 0),
    }


@pytest.mark.parametrize("message_id", ["m", "other"])
def test_an_own_public_address_is_one_that_the_host_comes_from(tmp_path: Path, message_id: str) -> None:
    first = message(A, handed("x@navy.example", B, relay="gw.albion.example[203.0.113.25]:2501"), message_id="m")
    second = message(B, to("x@navy.example"), message_id=message_id, client="gw.albion.example[203.0.113.25]")
    found = brief(rows(tmp_path, first + second))
    assert [row[3:] for row in found] == ([(1, A)] if message_id == "m" else [(0, A), (0, B)])


def test_another_recipient_s_message_takes_nothing_away(tmp_path: Path) -> None:
    """A server that got the message sends it back to another inside address, under its Message-ID, and names that id."""
    relay = "mx.navy.example[203.0.113.5]:25"
    first = message(A, handed("x@navy.example", B, relay=relay), message_id="m")
    inner = "inner.albion.example[203.0.113.7]:25"
    second = message(B, to("boss@albion.example", relay=inner), message_id="m", client="mx.navy.example[203.0.113.5]")
    third = message(
        B,
        to("x@navy.example", orig_to="list@albion.example", relay=relay),
        message_id="m",
        client="mx.navy.example[203.0.113.5]",
    )
    for n, copy in enumerate((second, third)):
        found = {
            r["queue_id"]: (r["recipient"], r["outcome"], r["hops"]) for r in rows(tmp_path / str(n), first + copy)
        }
        assert found[A] == ("x@navy.example", "delivered", 0)
        assert set(found) == {A, B}
