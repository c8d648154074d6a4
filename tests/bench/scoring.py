"""Measures of a detector: counts with exact intervals, levels, Brier score, calibration error.

The unit is the typed domain of one log, with its best score over all who wrote there; the population every external domain
that has a candidate, and every slip. What no label tells counts as genuine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import beta

from forensics.detector.earned import EARNED_FROM
from forensics.detector.findings import level
from forensics.detector.judging import Judged
from tests.bench import categories
from tests.bench.labelled import Corpus, Key


class Address(NamedTuple):
    """One (writer, address) at a typed domain."""

    score: float
    """0 where it is contested."""
    meant: str
    """The detector's candidate; empty without one."""
    truth: str | None
    """The domain meant; None when it is genuine."""
    deliveries: int
    shown: bool
    """Whether the log shows the domain meant."""
    marks: frozenset[str] = frozenset()
    """`categories.CATEGORIES` of a slip."""


@dataclass(frozen=True)
class Scored:
    """One typed domain of one log."""

    corpus: str
    typed: str
    group: str
    """Fold key: the connected component of registered domains."""
    kind: str
    meant: str
    """The detector's candidate; empty without one."""
    score: float
    contested: bool
    truth: str | None
    """The domain that it is a slip for; None when it is genuine."""
    mixed: bool
    """Somebody's own domain that some writers slipped to: counted by address only."""
    addresses: tuple[Address, ...]

    @property
    def accused(self) -> bool:
        return self.score >= 0.5 and not self.contested


def scored(corpus: Corpus, judged: Sequence[Judged], typed: frozenset[str] | None = None) -> list[Scored]:
    """Every typed domain of the population, or those in `typed`."""
    by_key: dict[Key, Judged] = {(*j.writer, *j.address): j for j in judged}
    mere, mixed = corpus.mere(), corpus.mixed()
    kinds = {(r.typed, r.meant): r.kind for r in corpus.pairs.itertuples(index=False)}
    groups = dict(zip(corpus.pairs.typed, corpus.component, strict=True))
    counts = corpus.connection.execute(
        "select writer_local, writer_domain, recipient_local, recipient_domain, n from pairs where direction = 'outbound'"
    ).fetchall()
    seen = {d for (d,) in corpus.connection.execute("select distinct d from addresses").fetchall()}
    marks = categories.of(corpus)
    keys: dict[str, list[tuple[Key, int]]] = {}
    for *key, n in counts:
        keys.setdefault(key[3], []).append(((key[0], key[1], key[2], key[3]), n))
    found = []
    for name in sorted({*groups, *mere}):
        if typed is not None and name not in typed and not (name not in groups and typed == frozenset()):
            continue
        rows = []
        best: Judged | None = None
        for key, n in keys.get(name, []):
            one = by_key.get(key)
            told = (one.score if not one.contested else 0.0) if one else 0.0
            meant = corpus.truth.meant.get(key)
            shown = meant is None or meant in seen or meant in corpus.org
            rows.append(Address(told, one.meant if one else "", meant, n, shown, marks.get(key, frozenset())))
            if one is not None and (best is None or one.score > best.score):
                best = one
        truth = mere.get(name)
        kind = kinds.get((name, truth or ""), best.slip.kind if best else "none")
        found.append(
            Scored(
                corpus.name,
                name,
                groups.get(name, name),
                kind,
                best.meant if best else "",
                best.score if best else 0.0,
                bool(best and best.contested),
                truth,
                name in mixed,
                tuple(rows),
            )
        )
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


def rates(rows: Sequence[Scored]) -> dict[str, Any]:
    """Precision and recall by typed domain, by (writer, address), by delivery; how often the meant domain is right; how
    many domains are contested and how many of those are slips."""
    domains = [r for r in rows if not r.mixed]
    accused, slips = [r for r in domains if r.accused], [r for r in domains if r.truth is not None]
    right = [r for r in accused if r.truth is not None]
    contested = [r for r in domains if r.contested]
    each = [a for r in rows for a in r.addresses]
    flagged = [a for a in each if a.score >= 0.5]
    good, wrong = [a for a in flagged if a.truth is not None], [a for a in each if a.truth is not None]
    return {
        "pairs": {"precision": exact(len(right), len(accused)), "recall": exact(len(right), len(slips))},
        "addresses": {"precision": exact(len(good), len(flagged)), "recall": exact(len(good), len(wrong))},
        "recall_of_addresses_at_domains_seen": exact(sum(a.shown for a in good), sum(a.shown for a in wrong)),
        "deliveries": {
            "precision": exact(sum(a.deliveries for a in good), sum(a.deliveries for a in flagged)),
            "recall": exact(sum(a.deliveries for a in good), sum(a.deliveries for a in wrong)),
        },
        "intended": exact(sum(r.meant == r.truth for r in right), len(right)),
        "contested": exact(sum(r.truth is not None for r in contested), len(contested)),
        "population": len(domains),
    }


def levels(rows: Sequence[Scored]) -> dict[str, Any]:
    """Of each level the share of slips and the mean score; `earned` when the share is at least that mean on EARNED_FROM
    pairs or more, else None."""
    found = {}
    for name in ("high", "medium", "low"):
        here = [r for r in rows if not r.mixed and not r.contested and level(r.score) == name]
        share = exact(sum(r.truth is not None for r in here), len(here))
        mean = round(float(np.mean([r.score for r in here])), 4) if here else None
        earned = None if len(here) < EARNED_FROM or mean is None else bool(share["share"] >= mean)
        found[name] = {**share, "mean": mean, "earned": earned}
    return found


EDGES = (0.0, 0.1, 0.5, 0.95, 1.0)
"""Bins of the calibration error: the levels."""


def _error(p: np.ndarray, y: np.ndarray) -> float:
    total = 0.0
    for n, low in enumerate(EDGES[:-1]):
        here = (p >= low) & ((p < EDGES[n + 1]) | (n == len(EDGES) - 2))
        if here.any():
            total += here.sum() * abs(p[here].mean() - y[here].mean())
    return float(total / max(1, len(p)))


def calibration(rows: Sequence[Scored], *, draws: int = 500) -> dict[str, Any]:
    """Brier score and expected calibration error over typed domains in the bins of EDGES; the interval is a bootstrap over
    groups, seed fixed. `if_right_high`: 97.5 % quantile of the error that probabilities of these sizes would show if they
    were exactly right."""
    rows = [r for r in rows if not r.mixed]
    p, y = np.array([r.score for r in rows]), np.array([float(r.truth is not None) for r in rows])
    names = {g: n for n, g in enumerate(sorted({r.group for r in rows}))}
    members: list[list[int]] = [[] for _ in names]
    for i, r in enumerate(rows):
        members[names[r.group]].append(i)
    rng = np.random.default_rng(20230728)
    drawn, chance = [], []
    for _ in range(draws if len(rows) else 0):
        sample = np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))]).astype(int)
        drawn.append(_error(p[sample], y[sample]))
        chance.append(_error(p, (rng.random(len(p)) < p).astype(float)))
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (0.0, 0.0)
    curve = []
    for n, edge in enumerate(EDGES[:-1]):
        here = (p >= edge) & ((p < EDGES[n + 1]) | (n == len(EDGES) - 2))
        if here.any():
            curve.append(
                {"predicted": round(float(p[here].mean()), 4), "observed": round(float(y[here].mean()), 4),
                 "count": int(here.sum())}
            )  # fmt: skip
    return {
        "ece": round(_error(p, y), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "if_right_high": round(float(np.quantile(chance, 0.975)), 4) if chance else 0.0,
        "brier": round(float(np.mean((p - y) ** 2)), 5) if len(p) else 0.0,
        "count": len(p),
        "curve": curve,
    }


def log_loss(rows: Sequence[Scored]) -> float:
    """Sum over typed domains of the log loss; a slip without a candidate costs -ln 0.001."""
    total = 0.0
    for r in rows:
        if not r.mixed:
            p = min(max(r.score if r.truth is None or r.meant == r.truth else 0.0, 0.001), 0.999)
            total -= float(np.log(p if r.truth is not None else 1 - p))
    return round(total, 2)


def by(rows: Sequence[Scored], name_of: Callable[[Scored], str]) -> dict[str, Any]:
    """Recall and precision per group of slips and accused domains."""
    groups: dict[str, list[Scored]] = {}
    for r in rows:
        if not r.mixed and (r.truth is not None or r.accused):
            groups.setdefault(name_of(r), []).append(r)
    return {
        name: {key: rates(members)["pairs"][key] for key in ("recall", "precision")}
        for name, members in sorted(groups.items())
    }


def by_messages(rows: Sequence[Scored]) -> dict[str, Any]:
    """By the number of deliveries to the typed domain."""

    def name_of(r: Scored) -> str:
        n = sum(a.deliveries for a in r.addresses)
        return "1" if n <= 1 else "2-5" if n <= 5 else "6-20" if n <= 20 else "21 or more"

    return by(rows, name_of)


def by_category(rows: Sequence[Scored]) -> dict[str, Any]:
    """Recall by (writer, address) in each of `categories.CATEGORIES`."""
    slips = [a for r in rows for a in r.addresses if a.truth is not None]
    found = {}
    for name in categories.CATEGORIES:
        here = [a for a in slips if name in a.marks]
        found[name] = exact(sum(a.score >= 0.5 for a in here), len(here))
    return found


def both_ways(rows: Sequence[Scored]) -> int:
    """Pairs of domains of one log that are accused in both directions."""
    accused = {(r.corpus, r.typed, r.meant) for r in rows if r.accused}
    return sum((corpus, meant, typed) in accused for corpus, typed, meant in accused) // 2


def summary(rows: Sequence[Scored]) -> Mapping[str, Any]:
    return {
        **rates(rows),
        "levels": levels(rows),
        "calibration": calibration(rows),
        "by_kind": by(rows, lambda r: r.kind),
        "by_category": by_category(rows),
        "by_messages": by_messages(rows),
        "both_ways": both_ways(rows),
    }
