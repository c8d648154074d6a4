"""The arithmetic: odds and back, the prior learned and given, parameters that say whence they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.detector import pairs, states, weighing


@given(st.floats(1e-6, 1 - 1e-6))
def test_odds_and_back(p: float) -> None:
    assert weighing.probability(weighing.log_odds(p)) == pytest.approx(p)


def learned(weights: list[float], count: int, prior: float) -> float:
    return weighing.learn_prior(np.array(weights), np.arange(len(weights)), np.ones(len(weights)), count, prior)


def test_prior_stays_where_the_log_says_nothing() -> None:
    assert learned([], 0, 0.001) == pytest.approx(0.001)
    # Nothing like a slip among very many domains: the rate falls, and never to zero.
    assert 0 < learned([-6.0] * 10, 100_000, 0.001) < 0.0001


def test_prior_rises_with_certain_slips() -> None:
    assert learned([9.0] * 40, 1_000, 0.001) == pytest.approx((0.3 + 40) / 1_300, rel=0.01)


def test_what_stands_against_a_slip_counts() -> None:
    weights, groups = np.full(40, 2.0), np.arange(40)
    alone = weighing.learn_prior(weights, groups, np.ones(40), 1_000, 0.01)
    beside = weighing.learn_prior(weights, groups, np.full(40, 1000.0), 1_000, 0.01)
    assert beside < alone


def test_shipped_parameters_are_whole_and_say_whence() -> None:
    using = weighing.parameters()
    assert set(using.weights) == set(pairs.NAMES)
    assert set(using.writer_weights) == set(weighing.NAMES)
    assert set(using.second_name) == set(states.SECOND_NAME)
    assert 0 < using.prior <= 0.01
    assert using.origin["command"].startswith("python -m tests.bench.fit")
    assert set(using.origin["expected"]) == {"base", *pairs.NAMES}
    assert set(using.origin["expected_of_writers"]) == {"base", *weighing.NAMES}
    for name in ("address-known", "wrote-before", "wrote-after", "resent", "silent", "no-such-domain", "slip"):
        assert using.weights[name] > 0, name
    for name in ("answered", "own-mail", "strangers", "moved", "kin", "unseen", "free-mail", "one-server"):
        assert using.weights[name] < 0, name
