"""Each distinct (writer, address) judged: its posterior, reasons and rivals.

A score is the sum of the probabilities of every domain that the writer may have meant (`odds`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from forensics.detector import pairs, reasons, slips, states, weighing
from forensics.detector.odds import Measured, Pairs, judge_pairs
from forensics.detector.weighing import Parameters

KEPT = 0.1
"""Whoever is below this probability makes no findings, unless contested."""
_RIVAL = 0.005
_SUREST = 1.0 - 1e-6


Key = tuple[tuple[str, str], tuple[str, str]]
"""Writer and address, each as local part and domain."""


@dataclass(frozen=True)
class Judged:
    """One (writer, address) and the domain, `meant`, that it is most probably a slip for."""

    writer: tuple[str, str]
    address: tuple[str, str]
    meant: str
    slip: slips.Slip
    prior: float
    """log10 odds before evidence."""
    weight: float
    reasons: tuple[reasons.Reason, ...]
    alternatives: tuple[tuple[str, float], ...]
    pair: float = 1.0
    """Probability that the typed domain is only a slip for `meant`, or its own and some writers slipped so."""
    without_theirs: float | None = None
    """The score without what the other side could have brought about; None where that is the same."""

    @property
    def score(self) -> float:
        """Posterior probability that the writer slipped: prior odds times the weight of evidence."""
        return round(weighing.probability(self.prior + self.weight), 6)

    @property
    def score_without_theirs(self) -> float:
        return self.score if self.without_theirs is None else round(self.without_theirs, 6)

    @property
    def contested(self) -> bool:
        """Whether what the other side could have brought about decides."""
        return (self.score >= 0.5) != (self.score_without_theirs >= 0.5)

    @property
    def kept(self) -> bool:
        """Whether its deliveries are findings."""
        return self.score >= KEPT or self.contested

    def with_reason(self, name: str, weight: float, text: str) -> Judged:
        """The same with one more part in the sum."""
        rounded = round(weight, 4)
        part = reasons.reason(name, rounded, text)
        changed = replace(self, weight=round(self.weight + rounded, 4), reasons=(part, *self.reasons))
        if self.without_theirs is None:
            return changed
        lifted = weighing.log_odds(min(max(self.without_theirs, 1e-9), _SUREST)) + rounded
        return replace(changed, without_theirs=weighing.probability(lifted))


@dataclass(frozen=True)
class Judgement:
    """All pairs that were kept, and the prior they were judged under."""

    pairs: list[Judged]
    prior: float
    """Probability before evidence, of this log or as the case file says."""
    answers: states.States | None = None
    """What the typed domains are; rows as in `Measured.pairs`."""
    without: states.States | None = None
    """The same without what the other side can bring about."""


@dataclass(frozen=True)
class Weighed:
    """Every (writer, address) of what was measured with its probabilities; `one` tells the reasons of a single one."""

    measured: Measured
    full: Pairs
    without: Pairs
    """The same without what the other side can bring about."""
    keys: tuple[Key, ...]
    """Sorted by address."""
    first: tuple[int, ...]
    """First row of each key in `measured.rows`, and one past the last row of all."""

    @cached_property
    def scores(self) -> np.ndarray:
        """Of each key the probability of any slip."""
        return self._sums(self.full.score)

    @cached_property
    def others(self) -> np.ndarray:
        """The same without what the other side can bring about."""
        return self._sums(self.without.score)

    def _sums(self, of_rows: np.ndarray) -> np.ndarray:
        return np.add.reduceat(of_rows, self.first[:-1])

    def kept(self, keep: float = KEPT) -> list[Judged]:
        """Those whose probability of any slip, with or without what the other side could have brought about, is at
        least `keep` (0.5 without), and whoever else used such an address, since a reply to all copies it."""
        sure = (self.scores >= keep) | (self.others >= 0.5)
        addresses = {self.keys[n][1] for n in np.flatnonzero(sure).tolist()}
        return [self.one(n) for n, (_, address) in enumerate(self.keys) if address in addresses]

    def one(self, n: int) -> Judged:
        """The n-th key with the most probable candidate as meant."""
        rows = range(self.first[n], self.first[n + 1])
        return _one(self.measured, self.full, rows, float(self.others[n]))


def weighed(
    measured: Measured,
    using: Parameters,
    *,
    prior: float | None = None,
    blank: Sequence[str] = (),
    known: tuple[states.States, states.States] | None = None,
) -> Weighed:
    """The probabilities of every (writer, address); at least one must have been measured.

    `known`: what the typed domains were found to be before, with and without what the other side can bring about.
    """
    full = judge_pairs(measured, using, prior=prior, blank=blank, known=known and known[0])
    without = judge_pairs(measured, using, prior=full.prior, theirs=False, blank=blank, known=known and known[1])
    names = ("writer_local", "writer_domain", "recipient_local", "recipient_domain")
    rows = list(zip(*(measured.rows[name].to_pylist() for name in names), strict=True))
    first = [n for n, key in enumerate(rows) if n == 0 or key != rows[n - 1]]
    keys = tuple(((rows[n][0], rows[n][1]), (rows[n][2], rows[n][3])) for n in first)
    return Weighed(measured, full, without, keys, (*first, len(rows)))


def judge(
    measured: Measured,
    using: Parameters,
    *,
    prior: float | None = None,
    keep: float = KEPT,
    blank: Sequence[str] = (),
) -> Judgement:
    """Whoever is `Weighed.kept`, with the answers for all domains."""
    if not len(measured.rows):
        return Judgement([], prior or using.prior)
    found = weighed(measured, using, prior=prior, blank=blank)
    return Judgement(found.kept(keep), found.full.prior, found.full.states, found.without.states)


def _one(measured: Measured, judged: Pairs, members: range, other: float) -> Judged:
    rows: list[dict[str, Any]] = measured.rows.slice(members[0], len(members)).to_pylist()
    order = sorted(range(len(members)), key=lambda k: (-judged.score[members[k]], rows[k]["meant"]))
    k, at = order[0], members[order[0]]
    pair = int(judged.row_pair[at])
    of_pair = {f"pair_{name}": value for name, value in measured.pairs.slice(pair, 1).to_pylist()[0].items()}
    quiet = pairs.silence(np.array([of_pair["pair_typed_pairs"]], dtype=float), measured.heard)[0]
    best = {**rows[k], **of_pair, "pair_heard": 1.0 - 10.0**-quiet}
    slip, mixed = float(judged.states.slip[pair]), float(judged.states.mixed[pair])
    by_pair = slip >= mixed * min(max((judged.score[at] - slip) / mixed, 0.0), 1.0) if mixed > 0 else True
    total = min(max(float(judged.score[members].sum()), 1e-9), _SUREST)
    target = weighing.log_odds(total) - weighing.log_odds(judged.prior)
    if by_pair:
        why = reasons.of(best, dict(zip(pairs.NAMES, judged.parts[pair], strict=True)), pairs.NAMES)
    else:
        why = reasons.of(best, dict(zip(weighing.NAMES, judged.writers[at], strict=True)), weighing.NAMES)
    why += _corrections(best, judged, members, at, pair, target - sum(r["weight"] for r in why), by_pair)
    if len(measured.rows) and not any(measured.heard):
        why.append(reasons.reason("no-inbound", 0.0, reasons.NO_INBOUND))
    rivals = [(rows[n]["meant"], float(judged.score[members[n]])) for n in order[1:]]
    theirs_matter = abs(other - total) > 5e-7
    return Judged(
        (best["writer_local"], best["writer_domain"]),
        (best["recipient_local"], best["recipient_domain"]),
        best["meant"],
        measured.slip_of[best["recipient_domain"], best["meant"]],
        round(weighing.log_odds(judged.prior), 6),
        round(sum(r["weight"] for r in why), 4),
        tuple(why),
        tuple((name, round(score, 6)) for name, score in rivals if score >= _RIVAL)[:5],
        round(slip + mixed, 6),
        min(max(other, 0.0), _SUREST) if theirs_matter else None,
    )


def _corrections(
    row: Mapping[str, Any], judged: Pairs, members: Sequence[int], at: int, pair: int, left: float, by_pair: bool
) -> list[reasons.Reason]:
    """What the other answers add to, or take from, the one that is told: `rivals`, `direction`, and the other level, so
    that the sum is the score's."""
    own = float(judged.score[at])
    everybody = float(judged.score[members].sum())
    parts: dict[str, float] = {}
    if everybody > own * 1.0001 and own > 0:
        top = min(everybody, _SUREST)
        parts["rivals"] = max(weighing.log_odds(top) - weighing.log_odds(min(own, top * 0.999999)), 0.0)
    direction = float(judged.states.direction[pair])
    if direction < 0.99 and left < 0:
        parts["direction"] = left - sum(parts.values())
    else:
        parts["writers-own-use" if by_pair else "domain"] = left - sum(parts.values())
    shown = {name: round(value, 4) for name, value in parts.items()}
    row = {**row, "rivals": _rival_names(judged, members, at)}
    return [
        reasons.reason(name, value, reasons.sentence(name, row | {"value": value}), reasons.source(name, row))
        for name, value in shown.items()
        if abs(value) >= 5e-5
    ]


def _rival_names(judged: Pairs, members: Sequence[int], at: int) -> list[str]:
    others = sorted(
        ((float(judged.score[m]), judged.meant[judged.row_pair[m]]) for m in members if m != at), reverse=True
    )
    return [name for score, name in others if score >= _RIVAL][:3] or [name for _, name in others][:1]
