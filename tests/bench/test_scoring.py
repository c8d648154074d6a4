"""The measures themselves: intervals, calibration, log loss."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench import scoring
from tests.bench.scoring import Scored


def row(typed: str, score: float, truth: bool, number: int = 0, candidates: bool = True) -> Scored:
    given = (("navy.mil", score),) if candidates else ()
    key = ("ada", "a.example", f"x{number}", typed)
    return Scored("log", key, "omitted-letter", "navy.mil", score, given, "navy.mil" if truth else None, 1)


def test_exact_interval() -> None:
    """Clopper and Pearson, by hand: 1 - 0.025 ** (1 / 29) for none missed of 29."""
    assert scoring.exact(29, 29)["low"] == pytest.approx(0.025 ** (1 / 29), abs=1e-4)
    assert scoring.exact(0, 10) == {"hits": 0, "of": 10, "share": 0.0, "low": 0.0, "high": 0.3085}


def test_pairs_count_once() -> None:
    rows = [row("navy.ml", 0.9, True, n) for n in range(5)] + [row("dla.ml", 0.8, False), row("nvy.mil", 0.1, True)]
    pairs = scoring.rates(rows)["pairs"]
    assert (pairs["precision"]["hits"], pairs["precision"]["of"]) == (1, 2)
    assert (pairs["recall"]["hits"], pairs["recall"]["of"]) == (1, 2)


def test_exact_probabilities_err_as_much_as_chance_does() -> None:
    rng = np.random.default_rng(5)
    given = rng.random(400)
    rows = [row(f"d{n}.ml", float(p), bool(rng.random() < p), n) for n, p in enumerate(given)]
    found = scoring.calibration(rows, draws=200)
    assert found["ece"] < found["if_right_high"] * 1.3
    assert 0 < found["if_right"] < found["if_right_high"] < 0.12
    wrong = scoring.calibration([row(f"d{n}.ml", 0.9, n % 2 == 0, n) for n in range(400)], draws=50)
    assert wrong["ece"] > 0.3 > wrong["if_right_high"]


def test_log_loss_counts_each_domain_once() -> None:
    many = [row("navy.ml", 0.5, True, n) for n in range(9)]
    assert scoring.log_loss(many) == scoring.log_loss(many[:1]) == pytest.approx(np.log(2), abs=0.01)
    assert scoring.log_loss([row("nvy.ml", 0.0, True, candidates=False)]) == pytest.approx(-np.log(0.01), abs=0.01)
