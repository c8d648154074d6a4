"""Hand-overs between hosts whose clocks differ: two time zones in one log that names none, or one that is set wrong.

A server answers with the queue id that it gave a message (`queued as`). Where the evidence has that hop on another
host, and Message-ID, sender and recipient agree, it is the same message, whatever the clocks say; and where they differ
by the same whole quarters of an hour for all such hand-overs of two hosts, that is how far these clocks are apart; so
where they all differ by the same time to within what a hand-over takes, and by more than clocks commonly do. Stamps
stay as each host logged them. Where a difference is not always the same, the next hop's row names the one before.

The answer is another server's text. So it counts where our own host handed the message to a private address; an
outsider who had a message can give it back, with an answer that was made to fit. What a public address took is only in
doubt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.native import codes
from forensics.stitch.journeys import Hashes, HopLegKeys, Links, Longs

QUARTER = 900_000_000
"""Zones differ by quarters of an hour (microseconds) …"""
ZONES = 104
"""… and by 26 hours at most."""
ALIKE = 3
"""So many hand-overs show a difference that is not one of zones."""
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
    fits = np.abs(gap) <= (ZONES + 1) * QUARTER
    legs, hops, gap = legs[fits], hops[fits], gap[fits]
    far = np.abs(gap) > codes.SKEW
    if not far.any():
        return Shifted(none, none, ())
    child, doubt = none.copy(), none.copy()
    doubt[legs[far]] = hops[far]
    private = p.relay[legs] != codes.PUBLIC
    legs, hops, gap = legs[private], hops[private], gap[private]
    pairs = []
    ways = np.stack([p.host[p.hop[legs]], p.host[hops]], axis=1)
    for way in np.unique(ways, axis=0):
        own = np.flatnonzero((ways == way).all(axis=1))
        apart, which = _apart(gap[own])
        if apart:
            own = own[which]
            child[legs[own]], doubt[legs[own]] = hops[own], -1
            pairs.append((int(p.hop[legs[own[0]]]), int(hops[own[0]]), apart))
    return Shifted(child, doubt, tuple(sorted(pairs)))


def _apart(gap: Longs) -> tuple[int, NDArray[np.bool_]]:
    """(how far two clocks are apart in seconds, which hand-overs it explains) by the gaps of all their hand-overs; 0
    where these do not tell, or not more than what clocks commonly differ by."""
    quarters = (gap + QUARTER // 2) // QUARTER
    rest = gap - quarters * QUARTER
    fits = (rest >= -BEFORE) & (rest <= AFTER) & (np.abs(quarters) <= ZONES)
    zones = np.unique(quarters[fits])
    if len(zones) == 1 and zones[0] != 0:
        return int(zones[0]) * QUARTER // codes.SECOND, fits
    same = len(gap) >= ALIKE and (np.abs(gap) > codes.SKEW).all() and gap.max() - gap.min() <= BEFORE + AFTER
    return (int(np.median(gap)) // codes.SECOND if same else 0), np.full(len(gap), same)


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
