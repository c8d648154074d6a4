"""Messages known by Message-ID alone (Exchange 2007 and 2010): which rows are one message, and which a resent one.

A Message-ID can be sent twice or forged, so it joins rows only together with what the logs show of the way: the rows of
one internal-message-id on one server are one stay; stays are joined by a hand-off (SEND to the server that receives, or
RECEIVE from the server that had it) and by a fork (TRANSFER, or a stay on the same server that nobody received). Stays
that nothing joins are different messages, each with its own deliveries.

The names in a hand-off are the other side's to choose (`inside`), a Message-ID anybody's who has seen the message: a
hand-off joins stays only where both have the same sender, it did not go to a stranger's address, and what came from a
stranger's was addressed to a recipient that the message was sent there for.

Where rows have no internal id (an export of few columns; a spreadsheet rounded it), what is accepted once more is
another message (`sendings`).
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from forensics.native.exchange import codes

Array = np.ndarray[Any, np.dtype[Any]]

SKEW = 300_000_000
"""How far (microseconds) the clocks of two servers may differ."""
LONGEST = 2 * 86_400_000_000
"""Longest time between two servers of one way (the default of a queue's life)."""
_SECONDS, _MINUTE = 2_000_000, 60_000_000


class Told(NamedTuple):
    """What the rows say, one entry each; codes are -1 for none.

    `internal`, `host`, `peer`, `client`, `recipient`, `returned` and `purported` (senders): codes. `store`: of a
    mailbox; `stranger`: `inside.strangers`. `reference`, `internal_text`: for TRANSFER rows the forked internal id, and
    every row's own id, as text.
    """

    record: Array
    host: Array
    peer: Array
    client: Array
    internal: Array
    effect: Array
    at: Array
    recipient: Array
    returned: Array
    purported: Array
    store: Array
    stranger: Array
    reference: pa.Array
    internal_text: pa.Array


def split(group: Array, concerned: Array, told: Told) -> Array:
    """Group codes with resent messages apart; rows of a group are in order of time.

    `concerned`: rows known by Message-ID alone.
    """
    rows = np.flatnonzero(concerned & (told.internal >= 0))
    wide = int(max(told.host.max(), 0)) + 2
    tall = int(max(told.internal.max(), 0)) + 2
    stay = (group[rows] * wide + told.host[rows] + 1) * tall + told.internal[rows]
    stays, where = np.unique(stay, return_inverse=True)
    position = np.full(len(group), -1, np.int64)
    position[rows] = where
    count = int(group.max()) + 1
    crowded = np.bincount((stays // tall // wide).astype(np.int64), minlength=count) > 1
    crowded |= _divided(group, concerned & (told.internal < 0), told, count)
    out = group.copy()
    extra = count
    which = np.flatnonzero(crowded)
    starts, ends = np.searchsorted(group, which), np.searchsorted(group, which, side="right")
    for low, high in zip(starts.tolist(), ends.tolist(), strict=True):
        for members in _messages(position[low:high], Told(*(column[low:high] for column in told)))[1:]:
            out[np.array(members) + low] = extra
            extra += 1
    return out


def _divided(group: Array, bare: Array, told: Told, count: int) -> Array:
    """Groups with rows without an id (`bare`) that may be several messages: with more than one acceptance, or of
    longer than a message is under way."""
    fresh = np.r_[True, told.record[1:] != told.record[:-1]]
    taken = fresh & bare & np.isin(told.effect, (codes.ENTER, codes.REPORT))
    starts, ends = (np.searchsorted(group, np.arange(count), side=side) for side in ("left", "right"))
    long = np.zeros(count, np.bool_)
    some = np.flatnonzero(ends > starts)
    long[some] = told.at[ends[some] - 1] - told.at[starts[some]] > LONGEST
    of_bare = np.bincount(group[bare], minlength=count) > 0
    found: Array = of_bare & (long | (np.bincount(group[taken], minlength=count) > 1))
    return found


def _messages(stay: Array, told: Told) -> list[list[int]]:
    """Rows of one Message-ID as messages, in the order of their first rows. `stay`: -1 for rows without an id."""
    host, at, sender = told.host.tolist(), told.at.tolist(), _senders(told)
    stays = _placed(stay.tolist(), host, at)
    found = paths(
        stays, host, told.peer.tolist(), told.client.tolist(), told.effect.tolist(), at, told.reference.to_pylist(),
        told.internal_text.to_pylist(), told.recipient.tolist(), sender, told.stranger.tolist(),
    )  # fmt: skip
    bare = np.flatnonzero(np.array(stays) < 0)
    if len(bare):
        of_bare = sendings(
            told.record[bare].tolist(), told.host[bare].tolist(), told.effect[bare].tolist(), told.at[bare].tolist(),
            told.recipient[bare].tolist(), [sender[i] for i in bare], told.store[bare].tolist(),
            told.stranger[bare].tolist(),
        )  # fmt: skip
        found += [[int(bare[i]) for i in rows] for rows in of_bare]
    return sorted(found, key=lambda rows: rows[0])


def _senders(told: Told) -> list[int]:
    """A sender for each row, by which rows of several can be told apart: the envelope's, where all rows have it."""
    for codes_ in (told.returned, told.purported):
        if (codes_ >= 0).all():
            return codes_.tolist()  # type: ignore[no-any-return]
    return [0] * len(told.at)


def _placed(stay: list[int], host: list[int], at: list[int]) -> list[int]:
    """`stay` with rows that have no id, as those of another form of the same log, in the stay nearest in time: of their
    server, if it has any; not in one from which they are longer than a message is under way."""
    known: dict[int | None, list[tuple[int, int]]] = {}
    for i, one in enumerate(stay):
        if one >= 0:
            known.setdefault(host[i], []).append((at[i], one))
            known.setdefault(None, []).append((at[i], one))
    out = list(stay)
    for i, one in enumerate(stay):
        if one < 0:
            some = known.get(host[i]) or known.get(None, [])
            here = bisect_right(some, at[i], key=itemgetter(0))
            near = [(abs(time - at[i]), there) for time, there in some[max(here - 1, 0) : here + 1]]
            gap, there = min(near, default=(LONGEST, -1))
            out[i] = there if gap < LONGEST else -1
    return out


def sendings(
    record: list[int], host: list[int], effect: list[int], at: list[int], recipient: list[int], sender: list[int],
    store: list[bool], stranger: list[bool],
) -> list[list[int]]:  # fmt: skip
    """Rows of one Message-ID without any other id, in order of time, as messages in the order of their first rows.

    A further message begins with an acceptance that cannot be a part of the one before: one server takes the same
    recipient once more, or (where rows name no server) a mailbox submits it once more; it comes from a stranger; it has
    another sender and a further recipient (a list may put its owner in the sender's place). So it does after longer
    than a message is under way. Other rows belong to the last one of their sender. Rows of one acceptance in two forms,
    in one of which a time was cut to its second or minute, are one.
    """
    found: list[list[int]] = []
    last_of: dict[int, int] = {}
    seen: list[set[int]] = []
    accepted: list[dict[tuple[int, int], int]] = []
    begin = 0
    while begin < len(record):
        end = begin
        while end < len(record) and record[end] == record[begin]:
            end += 1
        rows = range(begin, end)
        now = at[begin]
        taken = effect[begin] in (codes.ENTER, codes.REPORT)
        keys = [(host[i], recipient[i]) for i in rows]
        named = {recipient[i] for i in rows}
        current = last_of.get(sender[begin])
        if current is None and found and (not taken or named <= seen[-1]):
            current = len(found) - 1
        if taken and current is not None:
            times = [accepted[current][key] for key in keys if key in accepted[current]]
            known = any(_same_moment(time, now) for time in times)
            again = bool(times) and (host[begin] >= 0 or store[begin])
            current = None if not known and (again or stranger[begin]) else current
        if current is not None and now - at[found[current][-1]] > LONGEST:
            current = None
        if current is None:
            current = len(found)
            found.append([])
            accepted.append({})
            seen.append(set())
        seen[current] |= named
        last_of[sender[begin]] = current
        found[current] += rows
        if taken:
            accepted[current].update(dict.fromkeys(keys, now))
        begin = end
    return found


def _same_moment(one: int, other: int) -> bool:
    """Are both the time of one event, the seconds of which one may have lost?"""
    gap = abs(one - other)
    return gap < _SECONDS or (gap < _MINUTE and (one % _MINUTE == 0 or other % _MINUTE == 0))


def paths(
    stay: list[int], host: list[int], peer: list[int], client: list[int], effect: list[int], at: list[int],
    reference: list[str | None], internal_text: list[str | None], recipient: list[int], sender: list[int],
    stranger: list[bool],
) -> list[list[int]]:  # fmt: skip
    """Rows of one Message-ID, in order of time, as paths in the order of their first rows; `stay`: -1 for rows of none.

    Each stay is joined with the nearest in time of those that it may have come from; of several the one that began
    first. A Message-ID may be on a million rows (a printer that gives all its mail the same, or somebody's malice), so
    what may be near is looked up, never compared with all.
    """
    own: dict[int, list[int]] = {}
    for i, one in enumerate(stay):
        if one >= 0:
            own.setdefault(one, []).append(i)
    entry = {s: next((i for i in found if effect[i] in (codes.ENTER, codes.REPORT)), -1) for s, found in own.items()}
    begun = {s: found[0] for s, found in own.items()}
    sent, logged, entered, named = _Near(), _Near(), _Near(), _Near()
    for s, found in own.items():
        for i in found:
            logged.add((host[i], sender[i]), at[i], begun[s], s)
            if effect[i] in (codes.SEND, codes.SEND_OUT) and peer[i] >= 0 and not stranger[i]:
                sent.add((peer[i], sender[i]), at[i], begun[s], s)
                sent.add((peer[i], sender[i], recipient[i]), at[i], begun[s], s)
        if entry[s] >= 0:
            entered.add(host[begun[s]], at[begun[s]], begun[s], s)
        named.add(internal_text[begun[s]], at[begun[s]], begun[s], s)
    root = {s: s for s in own}

    def find(s: int) -> int:
        while root[s] != s:
            root[s] = root[root[s]]
            s = root[s]
        return s

    for s, found in own.items():
        e = entry[s]
        begin = at[found[0]]
        if e < 0:
            near = [entered.of(host[found[0]], begin, begin + SKEW, s)]
            forked = {reference[i] for i in found if effect[i] == codes.REPLACE} - {None}
            near += [named.of(text, begin, None, s) for text in forked]
        elif stranger[e]:
            near = [sent.of((host[e], sender[e], recipient[e]), at[e], at[e] + SKEW, s)]
        else:
            near = [sent.of((host[e], sender[e]), at[e], at[e] + SKEW, s)]
            if client[e] >= 0 and client[e] != host[e]:
                near.append(logged.of((client[e], sender[e]), at[e], at[e] + SKEW, s))
        gap, _, best = min((one for one in near if one is not None), default=(LONGEST, 0, s))
        if gap < LONGEST:
            root[find(s)] = find(best)
    ways: dict[int, list[int]] = {}
    for s, found in own.items():
        ways.setdefault(find(s), []).extend(found)
    return sorted((sorted(rows) for rows in ways.values()), key=lambda rows: rows[0])


class _Near:
    """Stays by a key and a time at which something is known of them."""

    def __init__(self) -> None:
        self._times: dict[Any, dict[int, list[tuple[int, int]]]] = {}
        self._sorted: dict[Any, list[int]] = {}

    def add(self, key: Any, time: int, begun: int, stay: int) -> None:
        """All are added before any is asked for."""
        first = self._times.setdefault(key, {}).setdefault(time, [])
        if all(known != stay for _, known in first):
            first.append((begun, stay))
            first.sort()
            del first[2:]  # the one that began first, and one for that one itself

    def of(self, key: Any, time: int, last: int | None, but: int) -> tuple[int, int, int] | None:
        """(distance in time, first row, stay) of the nearest stay, known at `last` at the latest, that is not `but`."""
        times = self._times.get(key)
        if times is None:
            return None
        if key not in self._sorted:
            self._sorted[key] = sorted(times)
        ordered = self._sorted[key]
        here = bisect_right(ordered, time)
        found = []
        for places in (range(here - 1, -1, -1), range(here, len(ordered))):
            for n in places:
                if last is not None and ordered[n] > last:
                    break
                others = [one for one in times[ordered[n]] if one[1] != but]
                if others:
                    found.append((abs(ordered[n] - time), *others[0]))
                    break
        return min(found, default=None)
