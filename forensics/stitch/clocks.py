"""Hand-overs between hosts whose clocks differ: two time zones in one log that names none.

A server answers with the queue id that it gave a message (`queued as`). Where the evidence has that hop on another
host, and Message-ID, sender and recipient agree, it is the same message, whatever the clocks say; and where they differ
by the same whole quarters of an hour for all such hand-overs of two hosts, that is how far these clocks are apart.
Stamps stay as each host logged them.

The answer is another server's text. So it counts where our own host handed the message to a private address; an
outsider who had a message can give it back, with an answer that was made to fit. What a public address took is only in
doubt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.native import codes
from forensics.stitch.journeys import Hashes, HopLegKeys, Links, Longs

QUARTER = 900_000_000
"""Zones differ by quarters of an hour (microseconds) …"""
ZONES = 104
"""… and by 26 hours at most."""
BEFORE, AFTER = 120_000_000, 10_000_000
"""How long before (or after) its `status=sent` the next server's first record of a message may be (microseconds)."""


@dataclass(frozen=True)
class Shifted:
    """`child`: for each leg the hop on another clock that continues it, or -1; `doubt`: one that may. `pairs`: two
    hops, the second host's clock being so many seconds ahead, for each two hosts once."""

    child: Longs
    doubt: Longs
    pairs: tuple[tuple[int, int, int], ...]


def shifted(p: HopLegKeys) -> Shifted:
    """Hand-overs by id that a constant difference of two clocks explains."""
    none = np.full(len(p.hop), -1, np.int64)
    legs, hops = _named(p)
    gap = p.first[hops] - p.at[legs]
    quarters = (gap + QUARTER // 2) // QUARTER
    rest = gap - quarters * QUARTER
    fits = (rest >= -BEFORE) & (rest <= AFTER) & (np.abs(quarters) <= ZONES)
    legs, hops, quarters = legs[fits], hops[fits], quarters[fits]
    if not (quarters != 0).any():
        return Shifted(none, none, ())
    child, doubt = none.copy(), none.copy()
    public = (p.relay[legs] == codes.PUBLIC) & (quarters != 0)
    doubt[legs[public]] = hops[public]
    private = p.relay[legs] != codes.PUBLIC
    legs, hops, quarters = legs[private], hops[private], quarters[private]
    pairs = []
    ways = np.stack([p.host[p.hop[legs]], p.host[hops]], axis=1)
    for way in np.unique(ways, axis=0):
        own = np.flatnonzero((ways == way).all(axis=1))
        apart = np.unique(quarters[own])
        if len(apart) == 1 and apart[0] != 0:
            child[legs[own]] = hops[own]
            pairs.append((int(p.hop[legs[own[0]]]), int(hops[own[0]]), int(apart[0]) * QUARTER // codes.SECOND))
    return Shifted(child, doubt, tuple(sorted(pairs)))


def _named(p: HopLegKeys) -> tuple[Longs, Longs]:
    """(legs, hops) where a hop of another host has the id that the leg names, and all else agrees."""
    open_ = np.flatnonzero(
        (p.outcome == codes.DELIVERED) & (p.next != 0) & (p.msgid[p.hop] != 0) & (p.sender[p.hop] != 0)
    )
    order = np.argsort(p.id, kind="stable")
    ids = p.id[order]
    low = np.searchsorted(ids, p.next[open_], side="left")
    count = np.searchsorted(ids, p.next[open_], side="right") - low
    legs = np.repeat(open_, count)
    within = np.arange(len(legs)) - np.repeat(np.cumsum(count) - count, count)
    hops = order[np.repeat(low, count) + within]
    a = p.hop[legs]
    good = (p.host[a] != p.host[hops]) & (p.system[a] == p.system[hops]) & (p.flags[hops] & codes.GREYLISTED == 0)
    good &= (p.msgid[a] == p.msgid[hops]) & (p.sender[a] == p.sender[hops])
    good &= np.isin(_pair(hops, p.key[legs]), np.concatenate([_pair(p.hop, k) for k in (p.key, p.original, p.alias)]))
    return legs[good], hops[good]


def _pair(hop: Longs, key: Hashes) -> Hashes:
    with np.errstate(over="ignore"):
        mixed: Hashes = key ^ (hop.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return mixed


def doubtful(p: HopLegKeys, links: Links, doubt: Longs) -> Longs:
    """For each final leg an earlier one that may be the same delivery by `Shifted.doubt`, or -1."""
    out = np.full(len(p.hop), -1, np.int64)
    legs = np.flatnonzero((doubt >= 0) & links.final)
    final = np.flatnonzero(links.final)
    if len(legs):
        own = _pair(p.hop[final], p.key[final])
        order = np.argsort(own, kind="stable")
        at = np.searchsorted(own[order], _pair(doubt[legs], p.key[legs])).clip(max=len(own) - 1)
        same = own[order[at]] == _pair(doubt[legs], p.key[legs])
        out[final[order[at[same]]]] = legs[same]
    return out
