"""Messages known by Message-ID alone (Exchange 2007 and 2010): which rows are one message, and which a resent one.

A Message-ID can be sent twice or forged, so it joins rows only together with what the logs show of the way: the rows of
one internal-message-id on one server are one stay; stays are joined by a hand-off (SEND to the server that receives, or
RECEIVE from the server that had it) and by a fork (TRANSFER, or a stay on the same server that nobody received). Stays
that nothing joins are different messages, each with its own deliveries.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
import pyarrow as pa

from forensics.native.exchange import codes

Array = np.ndarray[Any, np.dtype[Any]]

SKEW = 300_000_000
"""How far (microseconds) the clocks of two servers may differ."""
LONGEST = 2 * 86_400_000_000
"""Longest time between two servers of one way (the default of a queue's life)."""


def split(
    group: Array, concerned: Array, host: Array, peer: Array, client: Array, internal: Array, effect: Array, at: Array,
    reference: pa.Array, internal_text: pa.Array,
) -> Array:  # fmt: skip
    """Group codes with resent messages apart. All arrays have one entry a row, rows of a group in order of time.

    `concerned`: rows known by Message-ID alone; `internal`, `host`, `peer`, `client`: codes, -1 for none;
    `reference`, `internal_text`: for TRANSFER rows the forked internal id, and every row's own id, as text.
    """
    rows = np.flatnonzero(concerned & (internal >= 0))
    if not len(rows):
        return group
    wide = int(max(host.max(), 0)) + 2
    tall = int(internal.max()) + 2
    stay = (group[rows] * wide + host[rows] + 1) * tall + internal[rows]
    stays, where = np.unique(stay, return_inverse=True)
    owner = stays // tall // wide
    crowded = np.flatnonzero(np.bincount(owner.astype(np.int64), minlength=int(group.max()) + 1) > 1)
    if not len(crowded):
        return group
    out = group.copy()
    extra = int(group.max()) + 1
    position = np.full(len(group), -1, np.int64)
    position[rows] = where
    starts = np.searchsorted(group, crowded)
    ends = np.searchsorted(group, crowded, side="right")
    for low, high in zip(starts.tolist(), ends.tolist(), strict=True):
        one = slice(low, high)
        found = paths(
            position[one].tolist(), host[one].tolist(), peer[one].tolist(), client[one].tolist(),
            effect[one].tolist(), at[one].tolist(), reference[one].to_pylist(), internal_text[one].to_pylist(),
        )  # fmt: skip
        for members in found[1:]:
            out[np.array(members) + low] = extra
            extra += 1
    return out


def paths(
    stay: list[int], host: list[int], peer: list[int], client: list[int], effect: list[int], at: list[int],
    reference: list[str | None], internal_text: list[str | None],
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
            logged.add(host[i], at[i], begun[s], s)
            if effect[i] in (codes.SEND, codes.SEND_OUT) and peer[i] >= 0:
                sent.add(peer[i], at[i], begun[s], s)
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
        else:
            near = [sent.of(host[e], at[e], at[e] + SKEW, s)]
            if client[e] >= 0 and client[e] != host[e]:
                near.append(logged.of(client[e], at[e], at[e] + SKEW, s))
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
