"""Measures of a detector: counts with exact intervals, reliability, calibration error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta

from forensics.detector.judging import Judged
from tests.bench.labelled import Key


@dataclass(frozen=True)
class Scored:
    """One (writer, address) that was given a score, or that is a slip and was given none."""

    corpus: str
    key: Key
    kind: str
    meant: str
    """The detector's candidate."""
    score: float
    candidates: tuple[tuple[str, float], ...]
    """Every candidate with its own probability."""
    truth: str | None
    """The domain that was meant; None when the address was."""
    deliveries: int

    @property
    def pair(self) -> tuple[str, str, str]:
        """Corpus, typed and meant domain: what counts once."""
        return (self.corpus, self.key[3], self.truth or self.meant)


def scored(
    corpus: str,
    judged: Sequence[Judged],
    truth: Mapping[Key, str],
    deliveries: Mapping[Key, int],
    kinds: Mapping[Key, str],
) -> list[Scored]:
    """Judged pairs with their truth; slips that were not judged at all come with score 0."""
    found, seen = [], set()
    for one in judged:
        key = (*one.writer, *one.address)
        seen.add(key)
        rest = sum(score for _, score in one.alternatives)
        main = (one.meant, max(one.score - rest, 0.0))
        found.append(
            Scored(
                corpus,
                key,
                one.slip.kind,
                one.meant,
                one.score,
                (main, *one.alternatives),
                truth.get(key),
                deliveries.get(key, 1),
            )
        )
    for key, meant in truth.items():
        if key not in seen:
            found.append(Scored(corpus, key, kinds.get(key, "none"), meant, 0.0, (), meant, deliveries.get(key, 1)))
    return found


def exact(hits: int, of: int) -> dict[str, Any]:
    """A share with its exact 95 % interval (Clopper and Pearson 1934)."""
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, of - hits + 1))
    high = 1.0 if hits == of else float(beta.ppf(0.975, hits + 1, of - hits))
    return {
        "hits": hits,
        "of": of,
        "share": round(hits / of, 4) if of else None,
        "low": round(low, 4),
        "high": round(high, 4),
    }


def rates(rows: Sequence[Scored], threshold: float = 0.5) -> dict[str, Any]:
    """Precision and recall by domain pair (each once), by (writer, address), by delivery; how often the meant domain
    is right."""
    flagged = [r for r in rows if r.score >= threshold]
    slips = [r for r in rows if r.truth is not None]
    true_pairs = {r.pair for r in slips}
    hit_pairs = {r.pair for r in flagged if r.truth is not None}
    false_pairs = {r.pair for r in flagged if r.truth is None}
    right = [r for r in flagged if r.truth is not None]
    return {
        "pairs": {
            "precision": exact(len(hit_pairs), len(hit_pairs | false_pairs)),
            "recall": exact(len(hit_pairs & true_pairs), len(true_pairs)),
        },
        "addresses": {"precision": exact(len(right), len(flagged)), "recall": exact(len(right), len(slips))},
        "deliveries": {
            "precision": exact(sum(r.deliveries for r in right), sum(r.deliveries for r in flagged)),
            "recall": exact(sum(r.deliveries for r in right), sum(r.deliveries for r in slips)),
        },
        "intended": exact(sum(r.meant == r.truth for r in right), len(right)),
    }


def _points(rows: Sequence[Scored], floor: float) -> tuple[np.ndarray, np.ndarray]:
    points = [(p, float(name == r.truth)) for r in rows for name, p in r.candidates if p >= floor]
    points.sort()
    array = np.array(points, dtype=float).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def _error(p: np.ndarray, y: np.ndarray, bins: int) -> float:
    parts = [b for b in np.array_split(np.arange(len(p)), bins) if len(b)]
    return float(sum(len(b) * abs(p[b].mean() - y[b].mean()) for b in parts) / max(1, len(p)))


def calibration(rows: Sequence[Scored], *, floor: float = 0.01, bins: int = 10, draws: int = 500) -> dict[str, Any]:
    """Expected calibration error over distinct (writer, address, candidate) with probability >= `floor`.

    Bins of equal mass; the interval is a bootstrap over domain pairs (rows of one pair are not independent), seed
    fixed. `if_right`, `if_right_high`: median and 97.5 % quantile of the error that perfectly calibrated probabilities of
    the same sizes would show.
    """
    p, y = _points(rows, floor)
    groups: dict[tuple[str, str], list[Scored]] = {}
    for r in rows:
        groups.setdefault((r.corpus, r.key[3]), []).append(r)
    keys = sorted(groups)
    rng = np.random.default_rng(20230728)
    drawn = []
    for _ in range(draws):
        sample = [r for k in rng.integers(0, len(keys), len(keys)) for r in groups[keys[k]]] if keys else []
        drawn.append(_error(*_points(sample, floor), bins))
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (0.0, 0.0)
    # What the same probabilities would come to if they were exactly right: with few points no detector does better.
    chance = [_error(p, (rng.random(len(p)) < p).astype(float), bins) for _ in range(draws)]
    least, most = np.quantile(chance, [0.5, 0.975]) if chance else (0.0, 0.0)
    curve = [
        {"predicted": round(float(p[b].mean()), 4), "observed": round(float(y[b].mean()), 4), "count": len(b)}
        for b in np.array_split(np.arange(len(p)), bins)
        if len(b)
    ]
    logloss = -float(np.sum(np.where(y == 1, np.log(np.maximum(p, 1e-9)), np.log(np.maximum(1 - p, 1e-9)))))
    return {
        "ece": round(_error(p, y, bins), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "if_right": round(float(least), 4),
        "if_right_high": round(float(most), 4),
        "count": len(p),
        "log_loss": round(logloss, 2),
        "curve": curve,
    }


def log_loss(rows: Sequence[Scored], *, floor: float = 0.01) -> float:
    """Sum over typed domains, each once, of the mean log loss of its candidates with probability >= `floor`; a slip
    without such a candidate costs -ln(floor)."""
    groups: dict[tuple[str, str], list[float]] = {}
    for r in rows:
        points = [(p, name == r.truth) for name, p in r.candidates if p >= floor]
        costs = [-float(np.log(max(p if right else 1.0 - p, 1e-9))) for p, right in points]
        if r.truth is not None and not any(right for _, right in points):
            costs.append(-float(np.log(floor)))
        groups.setdefault((r.corpus, r.key[3]), []).extend(costs)
    return round(sum(sum(costs) / len(costs) for costs in groups.values() if costs), 2)


def by(rows: Sequence[Scored], group: Mapping[str, Sequence[Scored]] | None = None) -> dict[str, Any]:
    """Pair recall and precision per group of rows."""
    found = {}
    for name, members in sorted((group or {}).items()):
        counted = rates(members)["pairs"]
        found[name] = {"recall": counted["recall"], "precision": counted["precision"]}
    return found


def by_kind(rows: Sequence[Scored]) -> dict[str, Any]:
    groups: dict[str, list[Scored]] = {}
    for r in rows:
        if r.truth is not None or r.score >= 0.5:
            groups.setdefault(r.kind, []).append(r)
    return by(rows, groups)


def by_messages(rows: Sequence[Scored]) -> dict[str, Any]:
    """By the number of deliveries of a whole domain pair."""
    total: dict[tuple[str, str, str], int] = {}
    for r in rows:
        total[r.pair] = total.get(r.pair, 0) + r.deliveries
    groups: dict[str, list[Scored]] = {}
    for r in rows:
        if r.truth is not None or r.score >= 0.5:
            n = total[r.pair]
            name = "1" if n == 1 else "2-5" if n <= 5 else "6-20" if n <= 20 else "21 or more"
            groups.setdefault(name, []).append(r)
    return by(rows, groups)
