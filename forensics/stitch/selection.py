"""Which hops and legs can be part of a journey of several hops: only these are joined, so that memory stays small.

A leg without an id that any hop of the evidence has, of a hop that no leg names, is a journey by itself: most of a log.
What must be known of every hop and leg meanwhile is little (`JoinIndex`: 29 bytes a row); the rest is loaded again
where needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.native import codes
from forensics.stitch.journeys import HopLegKeys, Longs


@dataclass(frozen=True)
class JoinIndex:
    """Of every hop its id and first time; of every leg its hop (within the batch), outcome and next id."""

    id: NDArray[np.uint64]
    first: Longs
    systems: Longs
    """Those that its hops are of, each once (`HopLegKeys.system`): rules between systems concern a case of several."""
    hop: NDArray[np.int32]
    outcome: NDArray[np.int8]
    next: NDArray[np.uint64]
    previous: NDArray[np.uint64]
    """Ids before a requeue: few."""
    peers: NDArray[np.uint64]
    """Clients and senders refused for now: few."""


def join_index(p: HopLegKeys) -> JoinIndex:
    return JoinIndex(
        id=p.id,
        first=p.first,
        systems=np.unique(p.system),
        hop=p.hop.astype(np.int32),
        outcome=p.outcome.astype(np.int8),
        next=np.where(p.outcome == codes.DELIVERED, p.next, np.uint64(0)),
        previous=p.previous[p.previous != 0],
        peers=np.unique(p.peer[p.flags & codes.GREYLISTED != 0]),
    )


@dataclass(frozen=True)
class Selection:
    """`parts`: the rows to join, renumbered; `hops`, `legs`: their global numbers. `rest`: global numbers of all
    other legs."""

    parts: HopLegKeys
    hops: Longs
    legs: Longs
    rest: Longs
    rest_hops: Longs
    rest_outcomes: NDArray[np.int8]
    rest_first: Longs
    hop_starts: Longs
    leg_starts: Longs


def _known(values: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which values are among the ordered ones; 0 never is."""
    if not len(ordered):
        return np.zeros(len(values), np.bool_)
    at = np.searchsorted(ordered, values).clip(max=len(ordered) - 1)
    found: NDArray[np.bool_] = (ordered[at] == values) & (values != 0)
    return found


def _distinct(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sorted, each once. By sorting: `np.unique` hashes, which is slow when the values do not fit the cache."""
    values.sort()
    return values[np.concatenate([[True], values[1:] != values[:-1]])] if len(values) else values


def _shared(some: Sequence[NDArray[np.uint64]], others: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Hashes that both have, sorted, each once; 0 is none. Most of `some` find no mark of `others` in a table by their
    highest bits; most of `others` then find none of the rest by their lowest; and only what is left has to be sorted.
    """
    bits = _bits(8 * sum(map(len, others)))
    shift = np.uint64(64 - bits)
    marks = np.zeros(1 << bits, np.bool_)
    for v in others:
        marks[v >> shift] = True
    found = _distinct(np.concatenate([np.zeros(0, np.uint64), *(v[marks[v >> shift]] for v in some)]))
    bits = _bits(32 * len(found))
    mask = np.uint64((1 << bits) - 1)
    marks = np.zeros(1 << bits, np.bool_)
    marks[found & mask] = True
    fellows = _distinct(np.concatenate([np.zeros(0, np.uint64), *(v[marks[v & mask]] for v in others)]))
    return found[_known(found, fellows)]


def _bits(places: int) -> int:
    """Of an index of a table with about so many places, kept to 64 MiB of marks."""
    return min(max(places, 1024).bit_length(), 26)


def select(indexes: Sequence[JoinIndex], load: Callable[[int], HopLegKeys]) -> Selection:
    """Go through all batches once more and take what may be joined. `load(batch)` gives a batch's numbers."""
    hop_starts = np.cumsum([0, *(len(b.id) for b in indexes)])
    leg_starts = np.cumsum([0, *(len(b.hop) for b in indexes)])
    shared = _shared([b.next for b in indexes], [b.id for b in indexes])
    wanted = np.unique(np.concatenate([shared, *(b.previous for b in indexes)]))
    peers = np.unique(np.concatenate([*(b.peers for b in indexes), np.zeros(0, np.uint64)]))
    everything = len(np.unique(np.concatenate([b.systems for b in indexes]))) > 1 if indexes else False
    small = np.uint32 if max(hop_starts[-1], leg_starts[-1]) < 2**32 else np.int64
    taken: list[dict[str, Any]] = []
    hops, legs, rest, rest_hops, rest_outcomes, rest_first = [], [], [], [], [], []
    count = 0
    for n, (b, h, g) in enumerate(zip(indexes, hop_starts[:-1], leg_starts[:-1], strict=True)):
        p = load(n)
        mask = np.full(len(b.id), everything)
        if not everything:
            mask |= _known(p.id, wanted) | (p.previous != 0) | _known(p.peer, peers)
            lost = (b.next != 0) & ((p.relay >= codes.LOOPBACK) | (p.leg_flags & codes.FORWARDED != 0))
            mask[p.hop[_known(b.next, wanted) | lost]] = True
        of_leg = mask[p.hop]
        own_hops, own_legs = np.flatnonzero(mask), np.flatnonzero(of_leg)
        number = np.cumsum(mask) - 1 + count
        taken.append({f.name: _rows(p, f.name, own_hops, own_legs, number) for f in fields(HopLegKeys)})
        hops.append(own_hops + h)
        legs.append(own_legs + g)
        count += len(own_hops)
        others = np.flatnonzero(~of_leg)
        rest.append((others + g).astype(small))
        rest_hops.append((b.hop[others].astype(np.int64) + h).astype(small))
        rest_outcomes.append(b.outcome[others])
        rest_first.append(b.first[b.hop[others]])
    whole = {f.name: _joined([t[f.name] for t in taken], f.name) for f in fields(HopLegKeys)}
    return Selection(
        HopLegKeys(**whole),
        hops=_joined(hops, ""),
        legs=_joined(legs, ""),
        rest=_joined(rest, ""),
        rest_hops=_joined(rest_hops, ""),
        rest_outcomes=_joined(rest_outcomes, ""),
        rest_first=_joined(rest_first, ""),
        hop_starts=hop_starts,
        leg_starts=leg_starts,
    )


_OF_LEG = ("hop", "next", "key", "original", "alias", "at", "outcome", "relay", "leg_flags", "relay_host")


def _rows(p: HopLegKeys, name: str, hops: Longs, legs: Longs, number: Longs) -> Any:
    if name == "hop":
        return number[p.hop[legs]]
    return getattr(p, name)[legs if name in _OF_LEG else hops]


def _joined(arrays: Sequence[Any], name: str) -> Any:
    hashed = {f.name for f in fields(HopLegKeys) if "Hashes" in str(f.type)}
    return np.concatenate(arrays) if arrays else np.zeros(0, np.uint64 if name in hashed else np.int64)
