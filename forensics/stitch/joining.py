"""All rules together: which legs are deliveries, what became of them, and which rows may be one message twice."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forensics.native import codes
from forensics.stitch import clocks, journeys, returns, systems
from forensics.stitch.journeys import HopLegKeys, Links, Longs
from forensics.stitch.selection import Selection, handed


@dataclass(frozen=True)
class Joined:
    links: Links
    possible_duplicates: Longs
    """For each leg of `Selection.parts` another that may be the same delivery, or -1."""
    rest_outcomes: NDArray[np.int8]
    """Of `Selection.rest`."""
    apart: tuple[tuple[int, int, int], ...]
    """`clocks.Shifted.pairs`."""


def join(chosen: Selection) -> Joined:
    """Journeys of the chosen hops, and what the others came to."""
    p = chosen.parts
    shifted = clocks.shifted(p)
    returned = returns.given_back(p)
    next_hop, usual = returns.next_hops(p, chosen.routes)
    links = journeys.link(p, (lambda _: shifted.child, lambda _: returned.child, systems.handed_over), next_hop, usual)
    doubt = np.where(links.doubt >= 0, links.doubt, np.where(links.child < 0, returned.doubt, -1))
    kept = returns.filters(p, links.child, chosen.handed, chosen.routes)
    outcome = links.outcome.copy()
    outcome[handed(p) & (links.child < 0) & np.isin(p.target, kept)] = codes.UNKNOWN
    outcome[_lost(p, links)] = codes.UNKNOWN
    links = replace(links, outcome=outcome)
    rest = chosen.rest_outcomes.copy()
    rest[chosen.handed.at[np.isin(chosen.handed.target, kept)]] = codes.UNKNOWN
    possible_duplicates = systems.possible_duplicates(p, links, doubt)
    late = clocks.doubtful(p, links, shifted.doubt)
    return Joined(links, np.where(possible_duplicates >= 0, possible_duplicates, late), rest, shifted.pairs)


def _lost(p: HopLegKeys, links: Links) -> NDArray[np.bool_]:
    """Legs that a host of the evidence took, as it did others, while its log was kept, but that no hop continues."""
    named = (p.outcome == codes.DELIVERED) & (p.next != 0) & (p.relay_address != 0)
    with np.errstate(over="ignore"):
        way = p.host[p.hop] ^ p.relay_address * np.uint64(3)
    joined = np.flatnonzero(named & (links.child >= 0))
    ways, of = np.unique(way[joined], return_inverse=True)
    if not len(ways):
        return np.zeros(len(p.hop), np.bool_)
    since, until = np.full(len(ways), np.iinfo(np.int64).max), np.full(len(ways), np.iinfo(np.int64).min)
    np.minimum.at(since, of, p.at[joined])
    np.maximum.at(until, of, p.at[joined])
    at = np.searchsorted(ways, way).clip(max=len(ways) - 1)
    during: NDArray[np.bool_] = (ways[at] == way) & (p.at >= since[at]) & (p.at <= until[at])
    lost: NDArray[np.bool_] = during & named & (links.child < 0)
    return lost
