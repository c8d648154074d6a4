"""From measurements to judged pairs: what each typed domain is, then each distinct (writer, address) with its
posterior, reasons and rivals.

With P(slip X) and P(mixed X) of the typed domain (`states`) and w the writer's probability where it is mixed, the
probability that a writer meant X is P(slip X) + P(mixed X) · w: the pair's, P(slip X) + P(mixed X), times the writer's
given the pair. A score is their sum over every X.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from forensics.detector import channel, pairs, reasons, slips, states, weighing
from forensics.detector.candidates import Candidate
from forensics.detector.freemail import is_freemail
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
class Measured:
    """Candidates and measurements, before anything is judged."""

    found: Sequence[Candidate]
    pairs: pa.Table
    """`pairs.measure`."""
    rows: pa.Table
    """`signals.measure`."""
    heard: tuple[float, ...]
    """`pairs.heard`."""
    domains: int
    """Distinct domains of all outbound mail: what the prior is a rate of."""

    @cached_property
    def slip_of(self) -> Mapping[tuple[str, str], slips.Slip]:
        return {(c.typed, c.meant): c.slip for c in self.found}


@dataclass(frozen=True)
class Pairs:
    """Every typed domain with every domain that it could stand for, judged; rows as in `Measured.pairs`."""

    typed: tuple[str, ...]
    meant: tuple[str, ...]
    parts: np.ndarray
    """Weight of evidence by `pairs.NAMES`, log10."""
    odds: np.ndarray
    """log10 odds of only a slip, before other answers are weighed against it."""
    states: states.States
    prior: float
    writers: np.ndarray
    """Parts of each measured row's weight by `weighing.NAMES`, log10."""
    writer_odds: np.ndarray
    """log10 odds that this writer slipped, if the domain is its own."""
    score: np.ndarray
    """Of each measured row: probability that its candidate was meant."""
    row_pair: np.ndarray
    """Row of the pair for each measured row."""


def channels(measured: Measured, using: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """`channel.weight`, and whether the typed domain is a mail provider's own, for each row of `Measured.pairs`."""
    names = list(zip(measured.pairs["typed"].to_pylist(), measured.pairs["meant"].to_pylist(), strict=True))
    weights = [channel.weight(typed, meant, measured.slip_of[typed, meant], using.channel) for typed, meant in names]
    return np.array(weights, dtype=float), np.array([is_freemail(typed) for typed, _ in names], dtype=bool)


def groups(names: Sequence[str]) -> np.ndarray:
    """A number for each run of equal names."""
    return np.cumsum([0, *(int(a != b) for a, b in pairwise(names))])[: len(names)]


def pair_rows(measured: Measured) -> np.ndarray:
    """The row of `Measured.pairs` that each row of `Measured.rows` belongs to."""
    names = zip(measured.pairs["typed"].to_pylist(), measured.pairs["meant"].to_pylist(), strict=True)
    at = {pair: n for n, pair in enumerate(names)}
    rows = zip(measured.rows["recipient_domain"].to_pylist(), measured.rows["meant"].to_pylist(), strict=True)
    return np.array([at[pair] for pair in rows], dtype=np.int64)


def rest(second: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Of each typed domain what stands against a slip: somebody's own domain, 1, and the odds of all second names."""
    return np.asarray(1.0 + np.bincount(group, 10.0**second)) if len(group) else np.zeros(0)


def second_features(measured: Measured, matrix: np.ndarray, *, theirs: bool = True) -> dict[str, np.ndarray]:
    """What `states.SECOND_NAME` weighs, of each row of `Measured.pairs`; `matrix` and `theirs` as in `pairs.matrix`."""

    def column(name: str) -> np.ndarray:
        return np.asarray(measured.pairs.column(name).to_numpy(zero_copy_only=False), dtype=float)

    at = pairs.NAMES.index
    kinds = measured.pairs["kind"].to_pylist()
    same = np.array([kind in states.SAME_NAME for kind in kinds], dtype=float)
    told = np.full(len(kinds), not theirs) & (column("typed_in") > 0)
    meant_silent = pairs.silence(column("meant_pairs"), measured.heard)
    less_used = np.minimum(column("typed_pairs"), column("meant_pairs"))
    return {
        "same-name": same,
        "shared": np.log10(1.0 + column("shared")),
        "same-writer": np.log10(1.0 + np.round(column("addresses") * np.maximum(column("before"), column("after")))),
        "silent": np.where(column("meant_in") == 0, np.minimum(matrix[:, at("silent")], meant_silent), 0.0),
        "own-mail": np.where((matrix[:, at("own-mail")] > 0) & (column("meant_in") > 0), 1.0, 0.0),
        "moved": matrix[:, at("moved")],
        "went-over": np.where(told, 0.0, np.log10(np.maximum(column("went") / (1.0 + column("stayed")), 1.0))),
        "established": same * np.log10(np.maximum(less_used, 1.0)) * matrix[:, at("strangers")],
        "one-server": matrix[:, at("one-server")],
        "provider": pairs.provider(measured.pairs),
        "unrelated": column("unrelated"),
    }


def judge_pairs(
    measured: Measured,
    using: Parameters,
    *,
    prior: float | None = None,
    theirs: bool = True,
    blank: Sequence[str] = (),
    known: states.States | None = None,
) -> Pairs:
    """What each typed domain is, or, where `known`, was found to be. `prior` set by people is taken as it is; else it
    is learned from the log. Without `theirs`, what the other side could have brought about counts nothing. `blank`:
    signals that count nothing (for logs in which they are modelled)."""
    slip_weight, free = channels(measured, using)
    typed, meant = (tuple(measured.pairs[name].to_pylist()) for name in ("typed", "meant"))
    matrix = pairs.matrix(measured.pairs, slip_weight, free, measured.heard, theirs=theirs)
    matrix[:, [pairs.NAMES.index(name) for name in blank]] = 0.0
    parts = weighing.weigh(matrix, pairs.NAMES, using.weights, using.base)
    sums = parts.sum(axis=1)
    group = groups(typed)
    second = states.second_odds(second_features(measured, matrix, theirs=theirs), using.second_name)
    prior = prior or weighing.learn_prior(sums, group, rest(second, group), measured.domains, using.prior)
    row_pair = pair_rows(measured)
    row_matrix = weighing.signals(measured.rows, slip_weight[row_pair], free[row_pair], theirs=theirs)
    writers = weighing.weigh(row_matrix, weighing.NAMES, using.writer_weights, using.writer_base)
    writer_odds = writers.sum(axis=1) + weighing.log_odds(prior)
    odds = sums + weighing.log_odds(prior)
    some, given = mixed(measured, row_pair, writers, weighing.log_odds(prior), len(typed))
    # Where some writer surely slipped, what speaks of the domain alone decides between a mere slip and a mixed one.
    of_domain = parts[:, [pairs.NAMES.index(name) for name in pairs.OF_DOMAIN]].sum(axis=1)
    odds = np.log10(10.0**odds + 10.0 ** (some + of_domain + _MERE))
    found = known or states.rounded(states.states(typed, meant, odds, second, some))
    score = found.slip[row_pair] + found.mixed[row_pair] * given
    return Pairs(typed, meant, parts, odds, found, prior, writers, writer_odds, score, row_pair)


_OF_DOMAIN = tuple(weighing.NAMES.index(name) for name in ("slip", "usage", "unseen", "free-mail"))
"""Writers' signals that are the same for all writers of a pair."""
_UNKNOWN = 0.6
"""log10 by which an address of which nothing is known speaks for its being genuine: about a quarter of slips go to such
(35 % not written to before by the writer, some of them known to others), and nearly all genuine ones at a
stranger's."""
_URN = 1.0
"""How many addresses the rate of slips before any evidence is worth, against those that a domain shows."""
_MERE = 1.0
"""log10 of how many names are mere slips to one that is somebody's own too, among those that some writer slipped to
and of which nothing else is known."""
_MOST = 2.0
"""log10 odds beyond which more writers do not make it surer that some slipped: what they share is no second proof."""


def mixed(
    measured: Measured, row_pair: np.ndarray, writers: np.ndarray, prior: float, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """log10 odds that some writer slipped, of each pair; and of each row the probability that its writer did, given
    that.

    An address counts with its most suspect writer, so that a conversation is not a crowd. People slip alike: where some
    surely slipped, the rate among the others is that of the domain, of which its own addresses and, as `_URN` more, the
    rate before any evidence are the sample (expectation maximisation, from the one slip that is given).
    """
    if not len(row_pair):
        return np.full(count, -12.0), np.zeros(0)
    own = writers.sum(axis=1) - writers[:, _OF_DOMAIN].sum(axis=1) - _UNKNOWN
    start = np.full(count, -12.0)
    start[row_pair] = prior + writers[:, _OF_DOMAIN].sum(axis=1) + _UNKNOWN
    numbers: dict[str, int] = {}
    local = np.array([numbers.setdefault(name, len(numbers)) for name in measured.rows["recipient_local"].to_pylist()])
    code = row_pair * len(numbers) + local
    order = np.lexsort((own, code))
    best = order[np.r_[code[order][1:] != code[order][:-1], True]]
    pair = row_pair[best]
    evidence = 10.0 ** np.clip(own, -12.0, 12.0)
    first = 10.0 ** np.clip(start, -12.0, 12.0)
    odds = evidence[best] * first[pair]
    total = np.bincount(pair, odds, minlength=count)
    addresses = np.bincount(pair, minlength=count)
    before = first / (1.0 + first)
    slipped = np.where(addresses > 0, 1.0, 0.0)
    for _ in range(30):
        rate = np.minimum((_URN * before + slipped) / (_URN + np.maximum(addresses, 1)), 0.999)
        now = (rate / (1.0 - rate))[pair] * evidence[best]
        slipped = np.maximum(np.bincount(pair, now / (1.0 + now), minlength=count), np.where(addresses > 0, 1.0, 0.0))
    now = (rate / (1.0 - rate))[row_pair] * evidence
    share = evidence * first[row_pair] / np.maximum(total[row_pair], 1e-300)
    given = np.minimum(np.maximum(now / (1.0 + now), share), 1.0)
    return np.minimum(np.log10(np.maximum(total, 1e-12)), _MOST), given


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
