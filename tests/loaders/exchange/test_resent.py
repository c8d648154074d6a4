"""Rows of one Message-ID as paths: what may have come from what, looked up and not compared with all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.loaders.exchange.resent import LONGEST, SKEW, paths
from forensics.native.exchange import codes

from .driver import Read, read
from .test_tracking import OK, A, B, C, log, row

HOSTS = st.integers(0, 2)
TEXTS = st.sampled_from(["7", "8", None])
EFFECTS = st.sampled_from([codes.ENTER, codes.REPORT, codes.SEND, codes.SEND_OUT, codes.REPLACE, codes.DELIVER])
STEPS = st.sampled_from([0, 0, 0, 1, 1, SKEW - 1, SKEW, SKEW + 1, LONGEST - 1, LONGEST])
FEW = st.integers(0, 1)
ROW = st.tuples(st.integers(-1, 5), st.none() | HOSTS, st.none() | HOSTS, EFFECTS, TEXTS, FEW, FEW, st.booleans())
"""Stay, peer, client, effect, reference, recipient, sender, stranger."""


def compared(  # type: ignore[no-untyped-def]
    stay, host, peer, client, effect, at, reference, internal_text, recipient, sender, stranger
):
    """Each stay compared with each row of every other."""
    own: dict[int, list[int]] = {}
    for i, one in enumerate(stay):
        if one >= 0:
            own.setdefault(one, []).append(i)
    part = {s: {s} for s in own}
    for s, found in own.items():
        entered = [i for i in found if effect[i] in (codes.ENTER, codes.REPORT)]
        begin = found[0]
        near = []
        for t, others in own.items():
            first = others[0]
            for i in others if s != t else ():
                if entered:
                    e = entered[0]
                    handed = effect[i] in (codes.SEND, codes.SEND_OUT) and peer[i] >= 0 and peer[i] == host[e]
                    handed &= not stranger[i] and (not stranger[e] or recipient[i] == recipient[e])
                    came = client[e] >= 0 and client[e] == host[i] and host[i] != host[e] and not stranger[e]
                    if (handed or came) and at[i] <= at[e] + SKEW and sender[i] == sender[e]:
                        near.append((abs(at[e] - at[i]), first, t))
                else:
                    forked = any(
                        effect[k] == codes.REPLACE and reference[k] is not None and reference[k] == internal_text[first]
                        for k in found
                    )
                    received = any(effect[k] in (codes.ENTER, codes.REPORT) for k in others)
                    same = host[first] == host[begin] and received and at[first] <= at[begin] + SKEW
                    if forked or same:
                        near.append((abs(at[begin] - at[first]), first, t))
        gap, _, best = min(near, default=(LONGEST, 0, s))
        if gap < LONGEST:
            whole = part[s] | part[best]
            for one in whole:
                part[one] = whole
    ways = {frozenset(each) for each in part.values()}
    return sorted((sorted(i for s in way for i in own[s]) for way in ways), key=lambda rows: rows[0])


@settings(max_examples=400)
@given(st.lists(st.tuples(ROW, STEPS), min_size=1, max_size=24), st.lists(HOSTS, min_size=6, max_size=6))
def test_what_is_near_is_found_as_by_comparing_all(rows: list, homes: list[int]) -> None:  # type: ignore[type-arg]
    """A stay is on one server, with one internal id; times ascend, many are the same."""
    at, now = [], 0
    for _, step in rows:
        now += step
        at.append(now)
    stay = [row[0] for row, _ in rows]
    columns = (
        stay, [homes[one] for one in stay], [-1 if row[1] is None else row[1] for row, _ in rows],
        [-1 if row[2] is None else row[2] for row, _ in rows], [row[3] for row, _ in rows], at,
        [row[4] for row, _ in rows], [str(6 + one % 3) for one in stay], [row[5] for row, _ in rows],
        [row[6] for row, _ in rows], [row[7] for row, _ in rows],
    )  # fmt: skip
    assert paths(*columns) == compared(*columns)


def test_a_message_id_on_very_many_rows_is_soon_told_apart() -> None:
    """Ten thousand messages of one Message-ID, all in one second, and one with as many rows: nothing is compared with all
    others, which would take minutes."""
    count = 10_000
    stay = [n // 2 for n in range(count)] + [count] * count
    many = len(stay)
    effect = [codes.ENTER, codes.SEND_OUT] * (many // 2)
    found = paths(
        stay, [0] * many, [0] * many, [1] * many, effect, [n // 4000 for n in range(many)], [None] * many,
        [str(one) for one in stay], [0] * many, [n % 7 for n in range(many)], [n % 5 == 0 for n in range(many)],
    )  # fmt: skip
    assert sum(len(one) for one in found) == many


EVIL = "eve@navy.example"


def old(second: float, event: str, to: str = B, status: str = "", source: str = "SMTP", **more: str) -> dict[str, str]:
    return row(second, event, to, status, source, **{"network_message_id": "", **more})


SENT = (
    old(0, "RECEIVE", B, "To", "STOREDRIVER", server_hostname="EX02", client_hostname="EX02", client_ip="10.0.0.2"),
    old(1, "SEND", B, OK, client_hostname="EX02", server_hostname="mx.navy.example", server_ip="203.0.113.5"),
)
"""What an employee wrote to a stranger, who has seen its Message-ID since."""


def told(got: Read) -> list[tuple[str, str, str]]:
    return sorted((d["sender"], d["recipient"], d["outcome"]) for d in got.deliveries())


@pytest.mark.parametrize("their_name", ["mx.navy.example", "EX01.navy.example", "EX01"])
@pytest.mark.parametrize("helo", ["mx.navy.example", "EX02", "EX01"])
@pytest.mark.parametrize("sender", [EVIL, A])
def test_a_stranger_who_copies_a_message_id_adds_nothing_to_the_message(
    their_name: str, helo: str, sender: str
) -> None:
    """Whatever their server and their client call themselves, and from whomever they say that it comes."""
    theirs = {"internal_message_id": "9", "return_path": sender, "sender_address": sender}
    copied = (
        old(600, "RECEIVE", C, client_hostname=helo, client_ip="203.0.113.5", **theirs),
        old(601, "DELIVER", C, "", "STOREDRIVER", **theirs),
    )
    got = read(log(SENT[0], {**SENT[1], "server-hostname": their_name}, *copied, columns=26))
    assert len(got.hops) == 2
    assert told(got) == sorted([(A, B, "delivered"), (sender, C, "delivered")])


@pytest.mark.parametrize("edge", ["10.0.0.9", "203.0.113.9"])
def test_servers_in_the_world_s_networks_are_joined_where_own_rows_or_recipients_show_them(edge: str) -> None:
    """A server at the edge, taking and giving: only its own side's names, addresses and recipients."""
    out = log(
        old(0, "RECEIVE", B, "To", "STOREDRIVER", client_ip="10.0.0.1"),
        old(1, "SEND", B, OK, server_hostname="EDGE", server_ip=edge, internal_message_id="7"),
        old(1.1, "RECEIVE", B, client_ip="10.0.0.1", server_hostname="EDGE", internal_message_id="8"),
        old(2, "SEND", B, OK, client_hostname="EDGE", server_hostname="mx", server_ip="203.0.113.5"),
        columns=26,
    )
    assert told(read(out)) == [(A, B, "delivered")]
    back = {"return_path": EVIL, "sender_address": EVIL}
    into = log(
        old(0, "RECEIVE", C, client_hostname="mx", client_ip="203.0.113.5", server_hostname="EDGE", **back),
        old(1, "SEND", C, OK, client_hostname="EDGE", server_ip="10.0.0.1", internal_message_id="7", **back),
        old(1.1, "RECEIVE", C, client_hostname="EDGE", client_ip=edge, internal_message_id="8", **back),
        old(2, "DELIVER", C, "", "STOREDRIVER", internal_message_id="8", **back),
        columns=26,
    )
    assert told(read(into)) == [(EVIL, C, "delivered")]


@pytest.mark.parametrize("gap", [90, 3000])
@pytest.mark.parametrize("internal", ["", "5.69083E+13", "5,69083E+13"])
@pytest.mark.parametrize("host", ["EX01", ""])
def test_without_internal_ids_too_a_resent_message_is_another(gap: int, internal: str, host: str) -> None:
    """Of an export of few columns, or one that a spreadsheet has rounded: a printer gives all its mail one Message-ID."""
    plain = {"internal_message_id": internal, "client_hostname": host, "server_hostname": host}
    sending = [
        old(0, "RECEIVE", B, "To", "STOREDRIVER", **plain),
        old(1, "DEFER", B, **plain),
        old(2, "FAIL", B, **plain),
    ]
    again = [old(gap, "RECEIVE", B, "To", "STOREDRIVER", **plain), old(gap + 1, "DELIVER", B, **plain)]
    assert told(read(log(*sending, *again, columns=26))) == [(A, B, "bounced"), (A, B, "delivered")]
    assert told(read(log(*sending, *sending, columns=26))) == [(A, B, "bounced")]


def test_rows_without_internal_ids_go_with_the_log_that_has_them() -> None:
    """Both forms of one log, one message; servers that hand it on within it; and a month later another."""
    way = [
        old(0, "RECEIVE", B, "To", "STOREDRIVER"),
        old(1, "SEND", B, OK, server_hostname="HUB2.contoso.example"),
        old(1.1, "RECEIVE", B, server_hostname="HUB2", internal_message_id="8"),
        old(3, "SEND", B, OK, client_hostname="HUB2", server_hostname="mx", internal_message_id="8"),
    ]
    later = [{**one, "date-time": one["date-time"].replace("-05-05", "-06-05")} for one in way]
    later = [{**one, "internal-message-id": str(20 + int(one["internal-message-id"]))} for one in later]
    few = [{**one, "internal-message-id": ""} for one in way + later]
    assert len(read(log(*way, *later, columns=26)).legs) == 2
    assert len(read(log(*few, columns=26)).legs) == 2
    assert len(read(log(*way, *later, columns=26), log(*few, columns=26)).legs) == 2
    assert len(read(log(*way, columns=26), log(*few, columns=26)).legs) == 2
    none = [{**one, "client-hostname": "", "server-hostname": ""} for one in few]
    assert len(read(log(*none, columns=26)).legs) == 2


def test_of_another_sender_without_any_id_a_copied_message_id_is_another_message() -> None:
    sent = [{**one, "internal-message-id": ""} for one in SENT]
    theirs = {"internal_message_id": "", "return_path": EVIL, "sender_address": EVIL}
    copied = [old(600, "RECEIVE", C, client_hostname="EX02", **theirs), old(601, "DELIVER", C, **theirs)]
    assert told(read(log(*sent, *copied, columns=26))) == sorted([(A, B, "delivered"), (EVIL, C, "delivered")])


def test_a_list_that_answers_for_its_members_mail_is_on_the_message_s_way() -> None:
    """Its owner is the sender from there on."""
    team = "team@contoso.example"
    owner = {"return_path": C, "internal_message_id": ""}
    got = read(
        log(
            old(0, "RECEIVE", team, "To", "STOREDRIVER", internal_message_id=""),
            old(1, "EXPAND", B, related_recipient_address=team, internal_message_id=""),
            old(2, "SEND", B, OK, server_hostname="HUB2", **owner),
            old(2.1, "RECEIVE", B, server_hostname="HUB2", **owner),
            old(3, "SEND", B, OK, client_hostname="HUB2", server_hostname="mx", **owner),
            columns=26,
        )
    )
    assert told(got) == [(A, B, "delivered")]
