"""Hand-overs between mail systems: one message seen by Exchange, Exchange Online and a gateway is one journey.

A leg that some system handed on is continued by a hop of another system

- where the next hop's client (or the leg's relay) is the other side by name, and Message-ID and recipient agree, or
- where Message-ID, sender and recipient agree and the next hop began after the first, within minutes of the hand-over

The next hop must have been addressed to that recipient, before any expansion, and have the id that the leg names
(`queued as`) if any hop has it; ids alone are joined by `linking`. A Message-ID alone can be forged or sent twice: rows
that share no more than Message-ID and recipient both stay, and the later one names the earlier
(`possible_duplicate_of`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forensics.native import codes
from forensics.native.stitch.handover import continue_legs, earlier_legs
from forensics.stitch.selection import pairs as _pairs

if TYPE_CHECKING:
    from forensics.stitch.journeys import HopLegKeys, Links, Longs

NEVER = np.int64(-(1 << 62))
"""A time at which nothing can go on."""


def _mixed(p: HopLegKeys) -> bool:
    """More than one system, or generation of one."""
    return len(np.unique(p.system)) > 1


def _by_pair(p: HopLegKeys, addressed: bool) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint64]]:
    """(sorted pairs, the leg of each, the pair of each leg by its own recipient). Legs also answer to their alias, and
    only to that where they are `addressed` to it: what an expansion reached anybody may have sent."""
    msgid = p.msgid[p.hop]
    own, alias = _pairs(msgid, p.key), _pairs(msgid, p.alias)
    direct = np.flatnonzero(p.leg_flags & codes.DIRECT != 0) if addressed else np.arange(len(p.hop))
    pairs, legs = np.concatenate([own[direct], alias]), np.concatenate([direct, np.arange(len(p.hop))])
    order = np.argsort(pairs, kind="stable")
    return pairs[order], legs[order], own


def _pair(hop: Longs, id_: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One number for (hop, id)."""
    with np.errstate(over="ignore"):
        return id_ ^ (hop.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def _one_way(p: HopLegKeys, out: Longs) -> Longs:
    """Where hops of two systems would continue one another, because a whole second is all that some stamps tell: the
    one whose client is the other comes later; else the one that began later."""
    legs = np.flatnonzero(out >= 0)
    a, b = p.hop[legs], out[legs]
    count = np.int64(len(p.id))
    mutual = np.isin(b * count + a, a * count + b)
    forth, back = ((p.client[y] != 0) & (p.client[y] == p.name[x]) for x, y in ((a, b), (b, a)))
    out[legs[mutual & ((back & ~forth) | ((back == forth) & (p.first[b] < p.first[a])))]] = -1
    return out


def handed_over(p: HopLegKeys) -> Longs:
    """For each leg the hop of another system that continues it, or -1; one of the rules that `journeys.link` takes."""
    out = np.full(len(p.hop), -1, np.int64)
    if not _mixed(p):
        return out
    pairs, legs, own = _by_pair(p, addressed=True)
    ids = np.sort(p.id)
    at = np.searchsorted(ids, p.next).clip(max=max(len(ids) - 1, 0))
    delivered = p.outcome == codes.DELIVERED
    queued = delivered & (p.next != 0) & (ids[at] == p.next)
    # Exchange since 2013 hands on inside, which is no delivery while nobody says more; the next server may be older.
    handed = delivered | ((p.outcome == codes.UNKNOWN) & (p.relay_host != 0))
    open_ = handed & (p.leg_flags & codes.MAILBOX == 0) & (own != 0)
    named = np.flatnonzero(open_ & queued)
    continue_legs(
        named, own, pairs, legs, p.hop, p.at, p.relay_host, p.name, p.client, p.sender, p.first, p.system, out
    )
    astray = named[(out[named] >= 0) & (p.id[out[named]] != p.next[named])]
    out[astray] = -1
    first, rows = p.first, np.flatnonzero(open_ & ~queued)
    queued_from = _pair(p.hop, p.next)[queued]
    while len(rows):
        continue_legs(
            rows, own, pairs, legs, p.hop, p.at, p.relay_host, p.name, p.client, p.sender, first, p.system, out
        )
        # what handed a message on with an id does not come after what has that id
        rows = rows[(out[rows] >= 0) & np.isin(_pair(out[rows], p.id[p.hop[rows]]), queued_from)]
        first = first.copy()
        first[out[rows]] = NEVER
        out[rows] = -1
    return _one_way(p, out)


def possible_duplicates(p: HopLegKeys, links: Links, doubt: Longs) -> Longs:
    """For each final leg an earlier one of another journey that may be the same delivery, or -1: one of another system
    with its Message-ID and recipient; one of a hop that its loader calls alike, with its sender and recipient; one
    whose next server said, or seems, to have made this hop of it (`doubt`: for each leg that hop, or -1), where an
    outsider may have made it look so."""
    out = np.full(len(p.hop), -1, np.int64)
    if _mixed(p):
        pairs, legs, own = _by_pair(p, addressed=False)
        final = np.flatnonzero(links.final & (own != 0))
        earlier_legs(final, own, pairs, legs, p.hop, links.final, links.head, p.first, p.system, out)
    alike = np.flatnonzero(links.final & (p.alike[p.hop] != 0) & (p.key != 0))
    out[alike] = np.where(out[alike] >= 0, out[alike], _alike(p, links, alike))
    unsure = np.flatnonzero((doubt >= 0) & links.final)
    if not len(unsure):
        return out
    legs = np.flatnonzero(links.final)
    with np.errstate(over="ignore"):
        place = p.hop[legs].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ p.key[legs]
        wanted = doubt[unsure].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ p.key[unsure]
    order = np.argsort(place, kind="stable")
    at = np.searchsorted(place[order], wanted).clip(max=len(order) - 1)
    found = place[order[at]] == wanted
    one, other = unsure[found], legs[order[at[found]]]
    apart = links.head[one] != links.head[other]
    one, other = one[apart], other[apart]
    later = p.first[links.head[other]] >= p.first[links.head[one]]
    out[np.where(later, other, one)] = np.where(later, one, other)
    return out


def _alike(p: HopLegKeys, links: Links, legs: Longs) -> Longs:
    """For each of these legs the one before it of a hop alike, of another journey, or -1."""
    hop, head = p.hop[legs], links.head[legs]
    first = p.first[head]
    order = np.lexsort((legs, head, first, p.sender[hop], p.key[legs], p.alike[hop]))
    hop, head, key = hop[order], head[order], p.key[legs[order]]
    same = (p.alike[hop][1:] == p.alike[hop][:-1]) & (p.sender[hop][1:] == p.sender[hop][:-1]) & (key[1:] == key[:-1])
    out = np.full(len(legs), -1, np.int64)
    out[order[1:]] = np.where(same & (head[1:] != head[:-1]), legs[order][:-1], -1)
    return out
