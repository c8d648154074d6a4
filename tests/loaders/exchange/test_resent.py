"""Rows of one Message-ID as paths: what may have come from what, looked up and not compared with all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.loaders.exchange.resent import LONGEST, SKEW, paths
from forensics.native.exchange import codes

HOSTS = st.integers(0, 2)
TEXTS = st.sampled_from(["7", "8", None])
EFFECTS = st.sampled_from([codes.ENTER, codes.REPORT, codes.SEND, codes.SEND_OUT, codes.REPLACE, codes.DELIVER])
STEPS = st.sampled_from([0, 0, 0, 1, 1, SKEW - 1, SKEW, SKEW + 1, LONGEST - 1, LONGEST])
ROW = st.tuples(st.integers(-1, 5), st.none() | HOSTS, st.none() | HOSTS, EFFECTS, TEXTS)
"""Stay, peer, client, effect, reference."""


def compared(stay, host, peer, client, effect, at, reference, internal_text):  # type: ignore[no-untyped-def]
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
                    came = client[e] >= 0 and client[e] == host[i] and host[i] != host[e]
                    if (handed or came) and at[i] <= at[e] + SKEW:
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
        [row[4] for row, _ in rows], [str(6 + one % 3) for one in stay],
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
        [str(one) for one in stay],
    )  # fmt: skip
    assert sum(len(one) for one in found) == many
