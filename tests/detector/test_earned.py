"""A level counts in a headline only as far as it was measured to be right."""

from __future__ import annotations

from typing import Any

import pytest

from forensics.detector import earned


def measured(hits: int, of: int, mean: float | None) -> dict[str, Any]:
    return {"left_out_real": {"levels": {"medium": {"hits": hits, "of": of, "mean": mean}}}}


@pytest.mark.parametrize(
    ("hits", "of", "mean", "counts"),
    [(15, 20, 0.75, True), (14, 20, 0.75, False), (19, 19, 0.75, False), (0, 0, None, False), (300, 300, 0.999, True)],
)
def test_right_as_often_as_it_says_on_twenty_pairs(hits: int, of: int, mean: float | None, counts: bool) -> None:
    assert earned.headline(measured(hits, of, mean)) == (("medium",) if counts else ())


def test_low_never_counts_and_nothing_measured_counts_nothing() -> None:
    low = {"left_out_real": {"levels": {"low": {"hits": 40, "of": 40, "mean": 0.2}}}}
    assert earned.headline(low) == () and earned.headline({}) == ()


def test_what_ships_was_measured() -> None:
    assert "high" in earned.headline(earned.shipped())
    assert {one.level for one in earned.levels(earned.shipped())} == {"high", "medium"}
