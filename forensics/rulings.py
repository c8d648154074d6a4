"""People's verdicts on findings, and which of them holds.

A verdict names a pair (observed, intended) and, when it speaks of single findings, their delivery ids. The latest on a
delivery outweighs the latest on its pair, as long as the delivery is a finding of that pair; a verdict whose pair or
deliveries have no finding any more is orphaned: shown, never dropped. (`forensics.views` says the same in SQL, for
other tools; a test holds the two together.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

Pair = tuple[str, str]
"""(observed, intended) domain."""
Held = Mapping[str | Pair, "Verdict"]


@dataclass(frozen=True)
class Verdict:
    """A ruling as it stands in verdicts.jsonl."""

    observed_domain: str
    intended_domain: str
    verdict: str
    reason: str
    deliveries: tuple[str, ...]
    """Empty: the whole incident."""
    reviewer: str
    at: datetime
    sequence: int
    ask: str = ""
    """The day by which the sender is to be asked, ISO 8601; only of `undecided`."""
    undoes: int = 0
    """Sequence of the ruling that this one withdraws."""
    act: int = 0
    """Sequence of the first ruling of the act that this one is a further part of."""

    @property
    def pair(self) -> Pair:
        return self.observed_domain, self.intended_domain


def held(verdicts: Iterable[Verdict]) -> Held:
    """The latest verdict on each delivery, by its id, and on each whole pair; of verdicts in their order."""
    return {what: one for one in verdicts for what in one.deliveries or (one.pair,)}


def on(verdicts: Held, pair: Pair, delivery: str | None = None) -> Verdict | None:
    """The verdict that holds for a delivery of this pair (its own, else the pair's), or for the pair."""
    own = None if delivery is None else verdicts.get(delivery)
    return own if own is not None and own.pair == pair else verdicts.get(pair)


def latest(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Of verdicts in their order those on which nothing later was said; one on several deliveries is narrowed to those
    of which that is so."""
    last = held(verdicts)
    kept = []
    for one in verdicts:
        still = tuple(delivery for delivery in one.deliveries if last[delivery] is one)
        if still or (not one.deliveries and last[one.pair] is one):
            kept.append(replace(one, deliveries=still))
    return tuple(kept)


def orphaned(verdicts: Sequence[Verdict], findings: Mapping[str, Pair]) -> tuple[Verdict, ...]:
    """The latest verdicts that speak of no finding (delivery id → its pair): the pair or all deliveries are gone."""
    pairs = set(findings.values())
    return tuple(
        one
        for one in latest(verdicts)
        if not (any(findings.get(d) == one.pair for d in one.deliveries) if one.deliveries else one.pair in pairs)
    )
