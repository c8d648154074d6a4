"""Messages known by Message-ID alone (Exchange 2007 and 2010): which rows are one message, and which a resent one.

A Message-ID can be sent twice or forged, so it joins rows only together with what the logs show of the way: the rows of
one internal-message-id on one server are one stay; stays are joined by a hand-off (SEND to the server that receives, or
RECEIVE from the server that had it) and by a fork (TRANSFER, or a stay on the same server that nobody received). Stays
that nothing joins are different messages, each with its own deliveries.
"""

from __future__ import annotations

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
        parts = _paths(range(low, high), position, host, peer, client, effect, at, reference, internal_text)
        for members in parts[1:]:
            out[members] = extra
            extra += 1
    return out


def _paths(
    span: range, position: Array, host: Array, peer: Array, client: Array, effect: Array, at: Array,
    reference: pa.Array, internal_text: pa.Array,
) -> list[list[int]]:  # fmt: skip
    """Rows of one Message-ID as paths, in the order of their first rows."""
    own: dict[int, list[int]] = {}
    for i in span:
        if position[i] >= 0:
            own.setdefault(int(position[i]), []).append(i)
    root = {s: s for s in own}

    def find(s: int) -> int:
        while root[s] != s:
            root[s] = root[root[s]]
            s = root[s]
        return s

    entry = {s: next((i for i in found if effect[i] in (codes.ENTER, codes.REPORT)), -1) for s, found in own.items()}
    for s, found in own.items():
        e = entry[s]
        begin = int(at[found[0]])
        best, gap = -1, LONGEST
        for t, others in own.items():
            if t == s:
                continue
            if e < 0:
                forked = any(
                    effect[i] == codes.REPLACE and reference[i].as_py() == internal_text[others[0]].as_py()
                    for i in found
                )
                near = host[others[0]] == host[found[0]] and entry[t] >= 0 and at[others[0]] <= begin + SKEW
                if (forked or near) and abs(begin - int(at[others[0]])) < gap:
                    best, gap = t, abs(begin - int(at[others[0]]))
                continue
            for i in others:
                handed = effect[i] in (codes.SEND, codes.SEND_OUT) and peer[i] >= 0 and peer[i] == host[e]
                came = client[e] >= 0 and client[e] == host[i] and host[i] != host[e]
                apart = int(at[e]) - int(at[i])
                if (handed or came) and apart >= -SKEW and abs(apart) < gap:
                    best, gap = t, abs(apart)
        if best >= 0:
            root[find(s)] = find(best)
    ways: dict[int, list[int]] = {}
    for s, found in own.items():
        ways.setdefault(find(s), []).extend(found)
    parts = sorted((sorted(rows) for rows in ways.values()), key=lambda rows: rows[0])
    return parts
