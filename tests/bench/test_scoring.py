"""The measures themselves: intervals, calibration, log loss."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench import scoring
from tests.bench.scoring import Address, Scored


def row(typed: str, score: float, truth: bool, number: int = 0, contested: bool = False) -> Scored:
    meant = "navy.mil" if truth else None
    told = (Address(score, "navy.mil", meant, 1, True),)
    return Scored("log", typed, f"group{number}", "omitted-letter", "navy.mil", score, contested, meant, False, told)


def test_exact_interval() -> None:
    """Clopper and Pearson, by hand: 1 - 0.025 ** (1 / 29) for none missed of 29."""
    assert scoring.exact(29, 29)["low"] == pytest.approx(0.025 ** (1 / 29), abs=1e-4)
    assert scoring.exact(0, 10) == {"hits": 0, "of": 10, "share": 0.0, "low": 0.0, "high": 0.3085}


def test_domains_are_counted_and_their_levels_earned() -> None:
    rows = [row("navy.ml", 0.9, True), row("dla.ml", 0.8, False), row("nvy.mil", 0.1, True)]
    pairs = scoring.rates(rows)["pairs"]
    assert (pairs["precision"]["hits"], pairs["precision"]["of"]) == (1, 2)
    assert (pairs["recall"]["hits"], pairs["recall"]["of"]) == (1, 2)
    assert scoring.levels(rows)["medium"]["earned"] is None
    many = [row(f"d{n}.ml", 0.7, n % 4 != 0, n) for n in range(40)]
    assert scoring.levels(many)["medium"]["earned"] is True
    assert scoring.levels([row(f"d{n}.ml", 0.9, n % 4 != 0, n) for n in range(40)])["medium"]["earned"] is False


def test_what_is_contested_is_accused_by_nobody() -> None:
    rates = scoring.rates([row("navy.ml", 0.9, True, contested=True)])
    assert rates["pairs"]["recall"]["hits"] == 0 and rates["pairs"]["precision"]["of"] == 0
    assert (rates["contested"]["hits"], rates["contested"]["of"]) == (1, 1)


def test_exact_probabilities_err_as_much_as_chance_does() -> None:
    rng = np.random.default_rng(5)
    given = rng.random(400)
    rows = [row(f"d{n}.ml", float(p), bool(rng.random() < p), n) for n, p in enumerate(given)]
    found = scoring.calibration(rows, draws=200)
    assert found["ece"] < found["if_right_high"] * 1.3
    assert 0 < found["if_right_high"] < 0.12
    wrong = scoring.calibration([row(f"d{n}.ml", 0.9, n % 2 == 0, n) for n in range(400)], draws=50)
    assert wrong["ece"] > 0.3 > wrong["if_right_high"]


def test_log_loss() -> None:
    assert scoring.log_loss([row("navy.ml", 0.5, True)]) == pytest.approx(np.log(2), abs=0.01)
    assert scoring.log_loss([row("nvy.ml", 0.0, True)]) == pytest.approx(-np.log(0.001), abs=0.01)


def test_pairs_accused_both_ways_are_counted() -> None:
    there = row("navy.mil", 0.9, False)
    back = Scored("log", "navy.mil", "g", "x", "navy.ml", 0.9, False, None, False, ())
    assert scoring.both_ways([there, back]) == 0
    assert scoring.both_ways([row("navy.ml", 0.9, True), back]) == 1
