"""Which hop of another system continues a leg, and which rows of two systems may be one delivery."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.codes import LIFETIME, SKEW
from forensics.native.compiler import entry
from forensics.native.stitch.linking import lower_bound

EARLIER = 1_000_000
"""How much earlier (microseconds) the next hop may begin by the clocks: some stamps are whole seconds."""


@entry(
    "const int64[:], const uint64[:], const uint64[:], const int64[:], const int64[:], const int64[:], "
    "const uint64[:], const uint64[:], const uint64[:], const uint64[:], const int64[:], const int64[:], int64[:]"
)
def continue_legs(rows, own, pairs, legs, hop, at, relay_host, name, client, sender, first, system, out, result):
    for r in range(rows.size):
        leg = rows[r]
        a = hop[leg]
        best = -1
        best_shown = False
        best_gap = np.int64(0)
        k = lower_bound(pairs, own[leg])
        while k < pairs.size and pairs[k] == own[leg]:
            b = hop[legs[k]]
            k += 1
            if b == a or system[a] == system[b]:
                continue
            gap = abs(first[b] - at[leg])
            if gap > SKEW:
                continue
            shown = client[b] != np.uint64(0) and client[b] == name[a]
            shown = shown or (relay_host[leg] != np.uint64(0) and relay_host[leg] == name[b])
            agree = sender[a] != np.uint64(0) and sender[a] == sender[b] and first[b] >= first[a] - EARLIER
            if not shown and not agree:
                continue
            if best < 0 or (shown and not best_shown) or (shown == best_shown and gap < best_gap):
                best, best_shown, best_gap = b, shown, gap
        out[leg] = best


@entry(
    "const int64[:], const uint64[:], const uint64[:], const int64[:], const int64[:], const boolean[:], "
    "const int64[:], const int64[:], const int64[:], int64[:]"
)
def earlier_legs(rows, own, pairs, legs, hop, final, head, first, system, out, result):
    for r in range(rows.size):
        leg = rows[r]
        best = -1
        k = lower_bound(pairs, own[leg])
        while k < pairs.size and pairs[k] == own[leg]:
            other = legs[k]
            k += 1
            if not final[other] or head[other] == head[leg] or system[hop[leg]] == system[hop[other]]:
                continue
            apart = first[head[leg]] - first[head[other]]
            earlier = apart > 0 or (apart == 0 and other < leg)
            if not earlier or apart > LIFETIME:
                continue
            if best < 0 or first[head[other]] > first[head[best]]:
                best = other
        out[leg] = best
