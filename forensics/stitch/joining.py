"""All rules together: which legs are deliveries, what became of them, and which rows may be one message twice."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from forensics.native import codes
from forensics.stitch import clocks, journeys, returns, selection, systems
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
    lost = _Lost.after(p, links)
    outcome[selection.passed(p) & (links.child < 0) & lost.has(selection.ways(p), p.at)] = codes.UNKNOWN
    links = replace(links, outcome=outcome)
    rest = chosen.rest_outcomes.copy()
    rest[chosen.handed.at[np.isin(chosen.handed.target, kept)]] = codes.UNKNOWN
    rest[chosen.passed.at[lost.has(chosen.passed.way, chosen.passed.when)]] = codes.UNKNOWN
    possible_duplicates = systems.possible_duplicates(p, links, doubt)
    late = clocks.doubtful(p, links, shifted.doubt)
    return Joined(links, np.where(possible_duplicates >= 0, possible_duplicates, late), rest, shifted.pairs)


@dataclass(frozen=True)
class _Lost:
    """When, by each way that leads to a host of the evidence, messages are known to have been continued there: what
    went this way meanwhile and is not continued is lost to the evidence."""

    ways: NDArray[np.uint64]
    since: Longs
    until: Longs

    @classmethod
    def after(cls, p: HopLegKeys, links: Links) -> _Lost:
        joined = np.flatnonzero(selection.passed(p) & (links.child >= 0))
        ways, of = np.unique(selection.ways(p)[joined], return_inverse=True)
        since, until = np.full(len(ways), np.iinfo(np.int64).max), np.full(len(ways), np.iinfo(np.int64).min)
        np.minimum.at(since, of, p.at[joined])
        np.maximum.at(until, of, p.at[joined])
        return cls(ways, since, until)

    def has(self, ways: NDArray[np.uint64], when: Longs) -> NDArray[np.bool_]:
        if not len(self.ways):
            return np.zeros(len(ways), np.bool_)
        at = np.searchsorted(self.ways, ways).clip(max=len(self.ways) - 1)
        found: NDArray[np.bool_] = (self.ways[at] == ways) & (when >= self.since[at]) & (when <= self.until[at])
        return found
