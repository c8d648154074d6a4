"""Which hops and legs each delivery is made from, by their global numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.native import codes
from forensics.native.stitch import linking
from forensics.stitch.journeys import Links, Longs
from forensics.stitch.selection import Selection


@dataclass(frozen=True)
class Plan:
    """One entry a delivery; `chain_…` are what it rests on, one after the other, cut at `chains`."""

    leg: Longs
    head: Longs
    """The journey's first hop."""
    own: Longs
    """The hop of the final leg."""
    depth: NDArray[np.int16]
    outcome: Longs
    source: Longs
    """The leg that tells the original recipient, or -1."""
    from_recipient: NDArray[np.bool_]
    """It does so as its own recipient."""
    chains: Longs
    chain_is_leg: NDArray[np.bool_]
    chain_numbers: Longs
    before: Longs
    """Other legs whose attempts count too …"""
    before_of: Longs
    """… and the entry that they count for."""
    before_handed: NDArray[np.bool_]
    """Their last attempt handed the message on."""

    def __len__(self) -> int:
        return len(self.leg)

    def take(self, order: Longs) -> Plan:
        """Some entries, each at most once, in this order."""
        sizes = (self.chains[1:] - self.chains[:-1])[order]
        inner = _runs(self.chains[:-1][order], sizes)
        back = np.full(len(self), -1, np.int64)
        back[order] = np.arange(len(order))
        before_of = back[self.before_of]
        return Plan(
            leg=self.leg[order],
            head=self.head[order],
            own=self.own[order],
            depth=self.depth[order],
            outcome=self.outcome[order],
            source=self.source[order],
            from_recipient=self.from_recipient[order],
            chains=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
            chain_is_leg=self.chain_is_leg[inner],
            chain_numbers=self.chain_numbers[inner],
            before=self.before[before_of >= 0],
            before_of=before_of[before_of >= 0],
            before_handed=self.before_handed[before_of >= 0],
        )


def _runs(starts: Longs, sizes: Longs) -> Longs:
    """start, start + 1, … (size numbers) for each run, one after the other."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    runs: Longs = np.arange(total) + np.repeat(starts - (ends - sizes), sizes)
    return runs


def linked(legs: Longs, chosen: Selection, links: Links) -> Plan:
    """Final legs that were joined, by their number in `chosen.parts`."""
    p, hops, names = chosen.parts, chosen.hops, chosen.legs
    which = links.which[legs]
    source = links.source[legs]
    chains, is_leg, numbers = linking.chains(legs, p.hop, links.up, links.parent, links.ended)
    other_numbers, other_rows, passed_on = _before(legs, p.outcome, links)
    whole = np.empty(len(numbers), np.int64)
    whole[is_leg], whole[~is_leg] = names[numbers[is_leg]], hops[numbers[~is_leg]]
    return Plan(
        leg=names[legs],
        head=hops[links.head[legs]],
        own=hops[p.hop[legs]],
        depth=links.depth[legs],
        outcome=links.outcome[legs],
        source=np.where(which != codes.NO_ORIGINAL, names[np.maximum(source, 0)], -1),
        from_recipient=which == codes.OWN_RECIPIENT,
        chains=chains,
        chain_is_leg=is_leg,
        chain_numbers=whole,
        before=names[other_numbers],
        before_of=other_rows,
        before_handed=passed_on,
    )


def _before(legs: Longs, outcomes: NDArray[np.int64], links: Links) -> tuple[Longs, Longs, NDArray[np.bool_]]:
    """(legs, row that each counts for, whether it was handed on): refused triplets that a leg ended, what it was before
    a requeue, and what handed it on."""
    rows = np.arange(len(legs))
    found = [(links.ended[links.root[legs]], rows, np.zeros(len(legs), np.bool_))]
    earlier = links.up[legs]
    for _ in range(codes.DEEPEST):
        rows = rows[earlier >= 0]
        earlier = earlier[earlier >= 0]
        if not len(earlier):
            break
        found.append((earlier, rows, outcomes[earlier] == codes.DELIVERED))
        earlier = links.up[earlier]
    numbers, targets, handed = (np.concatenate(part) for part in zip(*found, strict=True))
    return numbers[numbers >= 0], targets[numbers >= 0], handed[numbers >= 0]


def single_leg(rest: Longs, chosen: Selection) -> Plan:
    """Legs that are journeys by themselves, by their position in `chosen.rest`."""
    legs = chosen.rest[rest].astype(np.int64)
    hops = chosen.rest_hops[rest].astype(np.int64)
    count = len(legs)
    numbers = np.empty(2 * count, np.int64)
    numbers[::2], numbers[1::2] = hops, legs
    nothing = np.zeros(0, np.int64)
    return Plan(
        leg=legs,
        head=hops,
        own=hops,
        depth=np.zeros(count, np.int16),
        outcome=chosen.rest_outcomes[rest].astype(np.int64),
        source=legs,
        from_recipient=np.zeros(count, np.bool_),
        chains=np.arange(0, 2 * count + 1, 2),
        chain_is_leg=np.arange(2 * count) % 2 == 1,
        chain_numbers=numbers,
        before=nothing,
        before_of=nothing,
        before_handed=np.zeros(0, np.bool_),
    )


def concat(plans: Sequence[Plan]) -> Plan:
    """The entries of all plans, one plan after the other."""
    if len(plans) == 1:
        return plans[0]
    rows = np.cumsum([0, *(len(p) for p in plans)])
    links = np.cumsum([0, *(len(p.chain_numbers) for p in plans)])
    nothing = np.zeros(1, np.int64)
    return Plan(
        leg=np.concatenate([p.leg for p in plans]),
        head=np.concatenate([p.head for p in plans]),
        own=np.concatenate([p.own for p in plans]),
        depth=np.concatenate([p.depth for p in plans]),
        outcome=np.concatenate([p.outcome for p in plans]),
        source=np.concatenate([p.source for p in plans]),
        from_recipient=np.concatenate([p.from_recipient for p in plans]),
        chains=np.concatenate([nothing, *(p.chains[1:] + n for p, n in zip(plans, links[:-1], strict=True))]),
        chain_is_leg=np.concatenate([p.chain_is_leg for p in plans]),
        chain_numbers=np.concatenate([p.chain_numbers for p in plans]),
        before=np.concatenate([p.before for p in plans]),
        before_of=np.concatenate([p.before_of + n for p, n in zip(plans, rows[:-1], strict=True)]),
        before_handed=np.concatenate([p.before_handed for p in plans]),
    )
