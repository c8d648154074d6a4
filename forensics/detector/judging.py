"""From measured candidates to judged pairs: each distinct (writer, address) with its posterior, reasons and rivals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from forensics.detector import channel, reasons, slips, weighing
from forensics.detector.candidates import Candidate
from forensics.detector.freemail import is_freemail
from forensics.detector.weighing import Parameters

KEPT = 0.1
"""Pairs below this probability are not findings."""
_RIVAL = 0.005


@dataclass(frozen=True)
class Judged:
    """One (writer, address) believed, with `score` >= KEPT or as asked, to be a slip for `meant`."""

    writer: tuple[str, str]
    address: tuple[str, str]
    meant: str
    slip: slips.Slip
    prior: float
    """log10 odds before evidence."""
    weight: float
    reasons: tuple[reasons.Reason, ...]
    alternatives: tuple[tuple[str, float], ...]
    contested: bool = False
    """Only mail that the other side sent speaks against it: kept for review, whatever the score."""

    @property
    def score(self) -> float:
        """Posterior probability that the writer slipped: prior odds times the weight of evidence."""
        return round(weighing.probability(self.prior + self.weight), 6)

    def with_reason(self, name: str, weight: float, text: str) -> Judged:
        """The same with one more part in the sum."""
        rounded = round(weight, 4)
        part = reasons.reason(name, rounded, text)
        return replace(self, weight=round(self.weight + rounded, 4), reasons=(part, *self.reasons))


def matrix(measured: pa.Table, found: Sequence[Candidate], using: Parameters) -> np.ndarray:
    """Signals of every measured row under the fitted channel."""
    weights = {(c.typed, c.meant): channel.weight(c.typed, c.meant, c.slip, using.channel) for c in found}
    typed, meant = measured.column("recipient_domain").to_pylist(), measured.column("meant").to_pylist()
    free = {name: is_freemail(name) for name in set(typed)}
    return weighing.signals(
        measured,
        np.array([weights[pair] for pair in zip(typed, meant, strict=True)], dtype=float),
        np.array([free[name] for name in typed], dtype=bool),
        merits(measured),
    )


def merits(measured: pa.Table) -> np.ndarray:
    """Rows that are judged on their own merits, whoever else is at the typed domain (`weighing`)."""

    def column(name: str) -> np.ndarray:
        return np.asarray(measured.column(name).to_numpy(zero_copy_only=False))

    return np.asarray(column("unrelated").astype(bool) & column("address_known").astype(bool)
                      & (column("answered_anyone") == 0))  # fmt: skip


def groups(measured: pa.Table) -> np.ndarray:
    """Group number of each row's (writer, address); rows come sorted so."""
    columns = [
        measured.column(name).combine_chunks()
        for name in ("recipient_domain", "recipient_local", "writer_domain", "writer_local")
    ]
    change = np.zeros(len(measured), dtype=bool)
    for column in columns:
        codes = column.dictionary_encode().indices.to_numpy(zero_copy_only=False)
        change[1:] |= codes[1:] != codes[:-1]
    return np.cumsum(change)


def codes(measured: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """Number of each row's (typed, meant) pair and of its local part."""

    def numbers(name: str) -> np.ndarray:
        column = measured.column(name).combine_chunks().dictionary_encode()
        return np.asarray(column.indices.to_numpy(zero_copy_only=False), dtype=np.int64)

    meant = numbers("meant")
    _, pair = np.unique(numbers("recipient_domain") * (int(meant.max(initial=0)) + 1) + meant, return_inverse=True)
    return pair.reshape(-1), numbers("recipient_local")


@dataclass(frozen=True)
class Judgement:
    """All pairs that were kept, and the prior they were judged under."""

    pairs: list[Judged]
    prior: float
    """Probability before evidence, of this log or as the case file says."""


def judge(
    measured: pa.Table,
    found: Sequence[Candidate],
    using: Parameters,
    count: int,
    *,
    prior: float | None = None,
    keep: float = KEPT,
    only: str | None = None,
) -> Judgement:
    """Every (writer, address) whose probability of any slip is at least `keep`, most probable candidate as meant.

    `only`: keep pairs of this typed domain alone. `count`: all distinct pairs of the log. `prior` set by people is
    taken as it is; else it is learned from the log.
    """
    if not len(measured):
        return Judgement([], prior or using.prior)
    group = groups(measured)
    signals = matrix(measured, found, using)
    sums = weighing.weigh(signals, using).sum(axis=1)
    first = prior or weighing.learn_prior(sums, group, count, using.prior)
    signals[:, -1] = weighing.consensus(sums + weighing.log_odds(first), *codes(measured), merits(measured))
    parts = np.round(weighing.weigh(signals, using), 4)
    sums = parts.sum(axis=1)
    prior = prior or weighing.learn_prior(sums, group, count, using.prior)
    own, total = weighing.compete(sums, group, prior)
    kept = total >= weighing.log_odds(keep) if keep > 0 else np.ones(len(total), dtype=bool)
    contested = np.zeros(len(total), dtype=bool)
    if keep > 0:
        unheard = _unheard(measured)
        contested = ~kept & (_totals(unheard, found, using, group, prior) >= weighing.log_odds(keep))
        kept |= contested
    if only is not None:
        kept &= np.array(measured.column("recipient_domain").to_pylist()) == only
    rows = np.flatnonzero(kept)
    by_group: dict[int, list[int]] = {}
    for i in rows.tolist():
        by_group.setdefault(int(group[i]), []).append(i)
    slip_of = {(c.typed, c.meant): c.slip for c in found}
    measured = measured.append_column("consensus", pa.array(signals[:, -1]))
    return Judgement(
        [
            replace(_one(measured, members, parts, own, slip_of, prior), contested=bool(contested[members[0]]))
            for _, members in sorted(by_group.items())
        ],
        prior,
    )


def _unheard(measured: pa.Table) -> pa.Table:
    """The measurements as if the typed domain had never written."""
    for name in ("typed_in", "answered_anyone"):
        at = measured.schema.get_field_index(name)
        measured = measured.set_column(at, name, pa.nulls(len(measured), measured[name].type).fill_null(0))
    return measured


def _totals(
    measured: pa.Table, found: Sequence[Candidate], using: Parameters, group: np.ndarray, prior: float
) -> np.ndarray:
    """log10 odds of any slip of each row's (writer, address)."""
    signals = matrix(measured, found, using)
    sums = weighing.weigh(signals, using).sum(axis=1)
    signals[:, -1] = weighing.consensus(sums + weighing.log_odds(prior), *codes(measured), merits(measured))
    return weighing.compete(np.round(weighing.weigh(signals, using), 4).sum(axis=1), group, prior)[1]


def _one(
    measured: pa.Table,
    members: list[int],
    parts: np.ndarray,
    own: np.ndarray,
    slip_of: Mapping[tuple[str, str], slips.Slip],
    prior: float,
) -> Judged:
    rows: list[dict[str, Any]] = measured.take(members).to_pylist()
    order = sorted(range(len(members)), key=lambda k: (-own[members[k]], rows[k]["meant"]))
    best = rows[order[0]]
    why = reasons.of(best, dict(zip(weighing.NAMES, parts[members[order[0]]], strict=True)))
    weight = round(sum(r["weight"] for r in why), 4)
    rivals = [(rows[k]["meant"], float(own[members[k]])) for k in order[1:] if own[members[k]] >= _RIVAL]
    if len(order) > 1:
        sums = parts[[members[k] for k in order]].sum(axis=1)
        shared = round(float(np.log10(np.sum(10.0 ** (sums - sums[0])))), 4)
        if shared >= 0.0001:
            names = " or ".join(name for name, _ in rivals[:3]) or rows[order[1]]["meant"]
            why.append(reasons.reason("rivals", shared, f"{names} may have been meant instead."))
            weight = round(weight + shared, 4)
    return Judged(
        (best["writer_local"], best["writer_domain"]),
        (best["recipient_local"], best["recipient_domain"]),
        best["meant"],
        slip_of[best["recipient_domain"], best["meant"]],
        round(weighing.log_odds(prior), 6),
        weight,
        tuple(why),
        tuple((name, round(score, 6)) for name, score in rivals[:5]),
    )
