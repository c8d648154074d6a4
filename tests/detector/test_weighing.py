"""The arithmetic: parts add up, candidates share, the prior can be learned and given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.detector import weighing

ODDS = st.floats(-9, 9)


@given(st.lists(ODDS, min_size=1, max_size=8), st.floats(1e-5, 0.2))
def test_candidates_share_one_probability(weights: list[float], prior: float) -> None:
    own, total = weighing.compete(np.array(weights), np.zeros(len(weights), dtype=int), prior)
    assert own.sum() == pytest.approx(weighing.probability(total[0]))
    assert 0 <= own.sum() <= 1
    by_hand = [10 ** (w + weighing.log_odds(prior)) for w in weights]
    assert own == pytest.approx([o / (1 + sum(by_hand)) for o in by_hand], rel=1e-6)


def test_groups_do_not_meet() -> None:
    own, total = weighing.compete(np.array([3.0, 3.0, 3.0]), np.array([0, 0, 1]), 0.001)
    alone, _ = weighing.compete(np.array([3.0]), np.array([0]), 0.001)
    assert own[2] == pytest.approx(alone[0])
    assert own[0] == own[1] < own[2]
    assert total[0] == total[1]


@given(st.floats(1e-6, 1 - 1e-6))
def test_odds_and_back(p: float) -> None:
    assert weighing.probability(weighing.log_odds(p)) == pytest.approx(p)


def test_prior_stays_where_the_log_says_nothing() -> None:
    assert weighing.learn_prior(np.zeros(0), np.zeros(0, dtype=int), 0, 0.001) == pytest.approx(0.001)
    # Nothing like a slip among very many pairs: the rate falls, and never to zero.
    low = weighing.learn_prior(np.full(10, -6.0), np.arange(10), 100_000, 0.001)
    assert 0 < low < 0.0001


def test_prior_rises_with_certain_slips() -> None:
    weights = np.full(40, 9.0)
    rate = weighing.learn_prior(weights, np.arange(40), 1_000, 0.001)
    assert rate == pytest.approx((1 + 40) / 2_000, rel=0.01)


def test_shipped_parameters_are_whole_and_say_whence() -> None:
    using = weighing.parameters()
    assert set(using.weights) == set(weighing.NAMES)
    assert 0 < using.prior < 0.01
    assert using.origin["command"].startswith("python -m tests.bench.fit")
    assert set(using.origin["expected"]) == {"base", *weighing.NAMES}
    for name in (
        "address-known",
        "wrote-before",
        "wrote-after",
        "resent",
        "beside-same",
        "silent",
        "no-such-domain",
        "slip",
    ):
        assert using.weights[name] > 0, name
    for name in ("answered", "own-mail", "strangers", "repeated", "unseen", "free-mail"):
        assert using.weights[name] < 0, name
