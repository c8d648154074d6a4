"""Fit the detector's parameters.

    python -m tests.bench.fit --tables DIR [--write]

Two small regularised logistic regressions. The *channel* on hand-labelled pairs (cases and controls: only ratios are used). The *weights*
on distinct (writer, address, candidate) rows of the development logs, candidates of one address competing
(multinomial with the outcome "no slip"), with a Gaussian prior on each weight whose mean is the published rate where there
is one. Rows of one typed domain weigh as the square root of their number, so that a much-used domain is not a thousand proofs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

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
    "wrote-before": (0.5, 0.3, "wrote before 65 % vs 8 %, shared with address-known"),
    "wrote-after": (0.7, 0.3, "within 7 days 53 % vs 2 %, shared with address-known"),
    "resent": (1.0, 0.3, "a corrected re-send; no rate published"),
    "beside-same": (0.8, 0.3, "co-recipients 55 % vs 21 %, the same local part rarer still"),
    "beside-domain": (0.3, 0.3, "co-recipients 55 % vs 21 %"),
    "answered": (-2.0, 0.3, "own mail 2 % vs 82 %, of this very address"),
    "silent": (0.7, 0.3, "no own mail 98 % vs 18 %"),
    "own-mail": (-0.6, 0.3, "own mail 2 % vs 82 %, per tenfold"),
    "strangers": (-0.7, 0.3, "a domain of its own has people of its own"),
    "repeated": (-0.3, 0.3, "slips are mostly used once; address books repeat them"),
    "no-such-domain": (1.0, 0.3, "a genuine correspondent's domain exists; outcomes of replay-intel are modelled, so hardly fitted"),
    "unseen": (-2.0, 0.3, "most names of a zone are nobody's correspondent"),
    "free-mail": (-1.0, 0.3, "sibling providers"),
}  # fmt: skip
"""Mean and standard deviation (log10) of the Gaussian prior on each weight, and why."""


def fit_channel(data: Slips, keep: np.ndarray | None = None, strength: float = 1.0) -> dict[str, float]:
    """Coefficients of `channel.FEATURES`, log10, with the ratio of cases to controls taken out."""
    keep = np.ones(len(data.y), dtype=bool) if keep is None else keep
    x, y = data.x[keep], data.y[keep]
    model = LogisticRegression(C=strength, max_iter=2000, tol=1e-8).fit(x, y)
    ratio = np.log10(y.mean() / (1 - y.mean()))
    fitted = {"intercept": float(model.intercept_[0] / LN10 - ratio)}
    return fitted | {name: float(v / LN10) for name, v in zip(channel.FEATURES, model.coef_[0], strict=True)}


def row_weights(corpus: Corpus) -> np.ndarray:
    """Every row of a typed domain with n distinct (writer, address) weighs 1/√n."""
    pairs = corpus.frame.assign(g=corpus.group)[["rd", "g"]].drop_duplicates()
    return corpus.frame.rd.map(pairs.groupby("rd").size()).to_numpy(dtype=float) ** -0.5


def fit_weights(
    parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]], without: frozenset[str] = frozenset()
) -> dict[str, float]:
    """MAP weights. `parts`: (signal matrix, group, y, row weight) per corpus, rows sorted by group."""
    names = ["base", *NAMES]
    mean = np.array([0.0 if n in without else EXPECTED[n][0] for n in names])
    spread = np.array([1e-6 if n in without else EXPECTED[n][1] for n in names])
    offset = weighing.log_odds(PRIOR)

    def objective(b: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = float((0.5 * ((b - mean) / spread) ** 2).sum()), (b - mean) / spread**2
        for matrix, group, y, weight in parts:
            x = np.c_[np.ones(len(matrix)), matrix]
            z = np.clip((x @ b + offset) * LN10, -80, 80)
            starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
            odds = np.exp(z)
            total = 1 + np.add.reduceat(odds, starts)
            share = odds / np.repeat(total, np.diff(np.r_[starts, len(group)]))
            value += float(-(weight * y * z).sum() + (weight[starts] * np.log(total)).sum())
            gradient = gradient + x.T @ (weight * (share - y)) * LN10
        return value, gradient

    found = minimize(objective, mean.copy(), jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-12})
    return dict(zip(names, map(float, found.x), strict=True))


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
        matrix = judging.matrix(corpus.measured, corpus.found, blank)
        keep = np.ones(len(matrix), dtype=bool) if keep_rows is None else keep_rows[n]
        parts.append((matrix[keep], corpus.group[keep], corpus.y[keep], row_weights(corpus)[keep]))
    weights = fit_weights([p for p in parts if len(p[0])], without)
    base = weights.pop("base")
    return Parameters(PRIOR, base, weights, fitted, {})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--tables", type=Path, required=True, help="folder with replay-intel.parquet and albion.parquet"
    )
    parser.add_argument("--write", action="store_true", help="replace forensics/detector/parameters.json")
    options = parser.parse_args(arguments)
    components = labelled.Components()
    pairs = labelled.slips(components)
    logs = [labelled.replay(options.tables, components), labelled.albion(options.tables, components)]
    using = fit(pairs, logs)
    data = {
        "prior": using.prior,
        "base": round(using.base, 4),
        "weights": {n: round(using.weights[n], 4) for n in NAMES},
        "channel": {n: round(v, 4) for n, v in using.channel.items()},
        "origin": {
            "command": "python -m tests.bench.fit --tables DIR --write",
            "channel": f"{len(pairs.y)} hand-labelled pairs, {int(pairs.y.sum())} mistyped",
            "weights": {
                c.name: {"rows": len(c.y), "pairs": int(c.group[-1] + 1), "slips": int(c.y.sum())} for c in logs
            },
            "prior": "5.3 in 10,000 messages start a slip; 82 % of mistyped deliveries are carried on: 1 in 1,000 pairs",
            "expected": {n: {"mean": m, "sd": s, "why": why} for n, (m, s, why) in EXPECTED.items()},
        },
    }
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    if options.write:
        (labelled.ROOT / "forensics" / "detector" / "parameters.json").write_text(text, "utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
