"""From measurements to probabilities: what each typed domain is, and of each measured row whether its writer slipped.

With P(slip X) and P(mixed X) of the typed domain (`states`) and w the writer's probability where it is mixed, the
probability that a writer meant X is P(slip X) + P(mixed X) · w: the pair's, P(slip X) + P(mixed X), times the writer's
given the pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa

from forensics.detector import channel, pairs, slips, states, weighing
from forensics.detector.candidates import Candidate
from forensics.detector.freemail import is_freemail
from forensics.detector.weighing import Parameters


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
