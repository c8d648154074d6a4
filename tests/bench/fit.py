"""Fit the detector's parameters.

    python -m tests.bench.fit --tables DIR [--write]

`DIR` holds deliveries tables, or is filled by ingesting the corpora (`labelled.source`).

Two small regularised logistic regressions. The *channel* on hand-labelled pairs (cases and controls: only ratios
are used). The *weights* on distinct (writer, address, candidate) rows of the development logs and of simulated
organisations, candidates of one address competing (multinomial with the outcome "no slip"), each log under the
rate of slips that it has, with a Gaussian prior on each weight whose mean is the published rate where there is
one. Rows of one typed domain weigh as the square root of their number, so that a much-used domain is not a
thousand proofs; rows of simulated organisations weigh `SIMULATED` of a real one's. Outcomes of deliveries are
modelled in all these logs and not fitted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from forensics.detector import channel, judging, weighing
from forensics.detector.weighing import NAMES, Parameters
from tests.bench import labelled
from tests.bench.labelled import Corpus, Slips

LN10 = np.log(10.0)

PRIOR = 1e-3
"""Of 2.04 million public list messages 5.3 in 10,000 started a mistyped recipient, and 82 % of mistyped
deliveries are carried on by others (the corpora's README): about one in a thousand distinct (writer, address)."""

EXPECTED: dict[str, tuple[float, float, str]] = {
    "base": (-0.2, 1.0, "free"),
    "slip": (1.0, 0.3, "a calibrated log ratio has weight 1"),
    "usage": (0.3, 0.3, "the meant domain is the commoner one; volume is not legitimacy"),
    "address-known": (0.7, 0.3, "wrote before 65 % vs 8 %, shared with wrote-before"),
    "habit": (0.2, 0.3, "no rate published"),
    "wrote-before": (0.5, 0.3, "wrote before 65 % vs 8 %, shared with address-known"),
    "wrote-after": (0.7, 0.3, "within 7 days 53 % vs 2 %, shared with address-known"),
    "resent": (1.0, 0.3, "a corrected re-send; no rate published"),
    "beside-same": (0.8, 0.3, "co-recipients 55 % vs 21 %, the same local part rarer still"),
    "beside-domain": (0.3, 0.3, "co-recipients 55 % vs 21 %"),
    "answered": (-2.0, 0.3, "own mail 2 % vs 82 %, of this very address"),
    "silent": (0.7, 0.3, "no own mail 98 % vs 18 %"),
    "own-mail": (-0.6, 0.3, "own mail 2 % vs 82 %, per tenfold"),
    "fellows": (0.5, 0.3, "a name that nobody owns is hit in the place of one that many use; no rate published"),
    "strangers": (-0.7, 0.3, "a domain of its own has people of its own"),
    "established": (-0.3, 0.3, "a name in wide use that has its own people is somebody's"),
    "writers": (-0.5, 0.3, "independent writers rarely slip alike; no rate published"),
    "newcomer": (0.2, 0.3, "a slip presupposes that the meant domain is known"),
    "repeated": (-0.3, 0.3, "slips are mostly used once; address books repeat them"),
    "no-such-domain": (1.0, 0.001, "a genuine correspondent's domain exists; set, not fitted: outcomes are modelled"),
    "turned-away": (0.4, 0.001, "genuine correspondents accept nearly all mail; set, not fitted"),
    "unseen": (-2.0, 0.3, "most names of a zone are nobody's correspondent"),
    "free-mail": (-1.0, 0.3, "sibling providers"),
    "consensus": (0.3, 0.3, "fitted in a second step, the other weights held: it is made of them"),
}  # fmt: skip
"""Mean and standard deviation (log10) of the Gaussian prior on each weight, and why."""


SIMULATED = 0.3
"""Weight of a simulated row beside a real one: there are more of them, and the generator's habits are not the
world's. Chosen with an eye on the generated ministry that ships (`tests.bench.mod_2023`), which is no untouched set
therefore; `tests.bench.ministries` holds those that are."""

MODELLED = ("no-such-domain", "turned-away")
"""Signals that are blanked while fitting."""


def fit_channel(data: Slips, keep: np.ndarray | None = None, strength: float = 1.0) -> dict[str, float]:
    """Coefficients of `channel.FEATURES`, log10, with the ratio of cases to controls taken out."""
    keep = np.ones(len(data.y), dtype=bool) if keep is None else keep
    x, y = data.x[keep], data.y[keep]
    model = LogisticRegression(C=strength, max_iter=2000, tol=1e-8).fit(x, y)
    ratio = np.log10(y.mean() / (1 - y.mean()))
    fitted = {"intercept": float(model.intercept_[0] / LN10 - ratio)}
    return fitted | {name: float(v / LN10) for name, v in zip(channel.FEATURES, model.coef_[0], strict=True)}


def row_weights(corpus: Corpus) -> np.ndarray:
    """Every row of a typed domain with n distinct (writer, address) weighs scale/√n."""
    pairs = corpus.frame.assign(g=corpus.group)[["recipient_domain", "g"]].drop_duplicates()
    return (
        corpus.scale
        * corpus.frame.recipient_domain.map(pairs.groupby("recipient_domain").size()).to_numpy(dtype=float) ** -0.5
    )


@dataclass(frozen=True)
class Part:
    """Rows of one corpus as the fit sees them; sorted by group."""

    matrix: np.ndarray
    group: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    offset: float
    """log10 prior odds of this corpus."""
    pair: np.ndarray
    address: np.ndarray
    """Numbers of each row's domain pair and local part."""
    merits: np.ndarray
    """Rows judged on their own merits."""


def fit_weights(parts: Sequence[Part], without: frozenset[str] = frozenset()) -> dict[str, float]:
    """MAP weights; those named in `without` are held at 0."""
    names = ["base", *NAMES]
    mean = np.array([0.0 if n in without else EXPECTED[n][0] for n in names])
    spread = np.array([1e-6 if n in without else EXPECTED[n][1] for n in names])
    return dict(zip(names, _minimise(parts, mean, spread), strict=True))


def _minimise(parts: Sequence[Part], mean: np.ndarray, spread: np.ndarray) -> list[float]:
    """The mode of the posterior under a Gaussian prior, by L-BFGS."""

    def objective(b: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = float((0.5 * ((b - mean) / spread) ** 2).sum()), (b - mean) / spread**2
        for part in parts:
            x = np.c_[np.ones(len(part.matrix)), part.matrix]
            z = np.clip((x @ b + part.offset) * LN10, -80, 80)
            starts = np.flatnonzero(np.r_[True, part.group[1:] != part.group[:-1]])
            odds = np.exp(z)
            total = 1 + np.add.reduceat(odds, starts)
            share = odds / np.repeat(total, np.diff(np.r_[starts, len(part.group)]))
            value += float(-(part.weight * part.y * z).sum() + (part.weight[starts] * np.log(total)).sum())
            gradient = gradient + x.T @ (part.weight * (share - part.y)) * LN10
        return value, gradient

    found = minimize(objective, mean.copy(), jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-12})
    return [float(value) for value in found.x]


def _second_step(parts: Sequence[Part], weights: dict[str, float]) -> dict[str, float]:
    """Base and the weight of `consensus`, the rest held at what the first step found."""
    names = ["base", *NAMES]
    first = np.array([weights[n] for n in names])
    first[names.index("consensus")] = EXPECTED["consensus"][0]
    free = np.array([names.index("base"), names.index("consensus")])
    spread = np.full(len(names), 1e-6)
    spread[free] = 0.3
    again = []
    for part in parts:
        own = np.c_[np.ones(len(part.matrix)), part.matrix] @ np.array([weights[n] for n in names]) + part.offset
        matrix = part.matrix.copy()
        matrix[:, -1] = weighing.consensus(own, part.pair, part.address, part.merits)
        again.append(replace(part, matrix=matrix))
    found = dict(zip(names, _minimise(again, first, spread), strict=True))
    return {name: found[name] for name in ("base", "consensus")}


def fit(
    pairs: Slips,
    logs: Sequence[Corpus],
    keep_pairs: np.ndarray | None = None,
    keep_rows: Sequence[np.ndarray] | None = None,
    without: frozenset[str] = frozenset(),
) -> Parameters:
    """Both fits on what `keep_*` leave in."""
    fitted = fit_channel(pairs, keep_pairs)
    blank = Parameters(PRIOR, 0.0, dict.fromkeys(NAMES, 0.0), fitted, {})
    parts = []
    for n, corpus in enumerate(logs):
        matrix = corpus.matrix(blank)
        matrix[:, [NAMES.index(name) for name in MODELLED]] = 0.0
        keep = np.ones(len(matrix), dtype=bool) if keep_rows is None else keep_rows[n]
        rate = (weighing.STRENGTH * PRIOR + corpus.y.sum()) / (weighing.STRENGTH + corpus.evidence.pairs)
        offset = weighing.log_odds(rate)
        if keep.any():
            weight = row_weights(corpus)[keep]
            pair, address = (code[keep] for code in judging.codes(corpus.evidence.measured))
            merits = judging.merits(corpus.evidence.measured)[keep]
            parts.append(Part(matrix[keep], corpus.group[keep], corpus.y[keep], weight, offset, pair, address, merits))
    weights = fit_weights(parts, without | {"consensus"})
    if "consensus" not in without:
        weights |= _second_step(parts, weights)
    base = weights.pop("base")
    return Parameters(PRIOR, base, weights, fitted, {})


def development(tables: Path) -> tuple[Slips, list[Corpus], list[Corpus]]:
    """Everything that may be fitted on — labelled pairs, both real logs, the simulated development organisations — and
    the albion logs each alone, which are scored but not fitted once more."""
    components = labelled.Components()
    pairs = labelled.slips(components)
    first, *each = labelled.ALBION
    logs = [labelled.replay(tables, components), labelled.albion(tables, components, first)]
    also = [labelled.albion(tables, components, name) for name in each]
    # Components grow while corpora are read: take the fold keys once all are joined.
    logs, also = (
        [replace(c, component=np.array([components.of(d) for d in c.frame.recipient_domain])) for c in some]
        for some in (logs, also)
    )
    names = np.array([components.find(c) for c in pairs.component])
    made = [labelled.simulated(s, SIMULATED, tables) for s in labelled.DEVELOPMENT]
    return replace(pairs, component=names), [*logs, *made], also


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tables", type=Path, required=True, help="folder with, or for, deliveries tables")
    parser.add_argument("--write", action="store_true", help="replace forensics/detector/parameters.json")
    options = parser.parse_args(arguments)
    pairs, logs, _ = development(options.tables)
    text = json.dumps(described(fit(pairs, logs), pairs, logs), indent=1, ensure_ascii=False) + "\n"
    if options.write:
        STORED.write_text(text, "utf-8")
    sys.stdout.write(text)


STORED = labelled.ROOT / "forensics" / "detector" / "parameters.json"


def described(using: Parameters, pairs: Slips, logs: Sequence[Corpus]) -> dict[str, Any]:
    """What parameters.json holds: the numbers, rounded, and where they come from."""
    return {
        "prior": using.prior,
        "base": round(using.base, 4),
        "weights": {n: round(using.weights[n], 4) for n in NAMES},
        "channel": {n: round(v, 4) for n, v in using.channel.items()},
        "origin": {
            "command": "python -m tests.bench.fit --tables DIR --write",
            "channel": f"{len(pairs.y)} hand-labelled pairs, {int(pairs.y.sum())} mistyped",
            "weights": {
                c.name: {"rows": len(c.y), "pairs": c.evidence.pairs, "slips": int(c.y.sum()), "scale": c.scale}
                for c in logs
            },
            "prior": "5.3 in 10,000 messages start a slip; 82 % of mistyped deliveries are carried on",
            "expected": {n: {"mean": m, "sd": s, "why": why} for n, (m, s, why) in EXPECTED.items()},
        },
    }


if __name__ == "__main__":
    main()
