"""The measured error rates as the method annex quotes them."""

from __future__ import annotations

from forensics.report.facts import Bin, Rate, measured
from forensics.report.text import prose
from forensics.report.text.wording import load


def share(hits: int, of: int) -> dict[str, float]:
    return {"hits": hits, "of": of, "share": round(hits / of, 4), "low": 0.1, "high": 0.99}


SUMMARY = {
    "pairs": {"precision": share(19, 20), "recall": share(18, 20)},
    "intended": share(20, 20),
    "calibration": {
        "ece": 0.02, "low": 0.01, "high": 0.04, "count": 900,
        "curve": [{"predicted": 0.1, "observed": 0.12, "count": 90}],
    },
    "by_kind": {"omitted-letter": {"precision": share(5, 5), "recall": share(5, 6)}},
}  # fmt: skip
FOUND = {"command": "python -m tests.bench.detector", "threshold": "score >= 0.5", "frozen": SUMMARY}


def test_rates_are_picked_out_with_their_intervals() -> None:
    rates = measured.rates(FOUND)
    assert Rate("frozen", "precision", 0.95, 0.1, 0.99, 20) in rates
    assert Rate("frozen", "calibration-error", 0.02, 0.01, 0.04, 900) in rates
    assert rates[-1] == Rate("omitted-letter", "recall", 0.8333, 0.1, 0.99, 6)
    assert measured.reliability(FOUND) == (Bin(0.1, 0.12, 90),)
    assert measured.described(FOUND) == "python -m tests.bench.detector; score >= 0.5"


def test_without_measurement_nothing_is_claimed() -> None:
    assert measured.rates({}) == ()
    assert measured.reliability({}) == ()
    assert measured.described({}) == ""


def test_names_in_words() -> None:
    words = load()
    for name in measured.SETS:
        assert prose.rate_name(words, name) != name
    assert prose.rate_name(words, "omitted-letter") == "a letter left out"


def test_what_ships_can_be_read() -> None:
    shipped = measured.evaluation()
    assert bool(measured.rates(shipped)) == bool(shipped)
    assert all(0 <= rate.value <= 1 for rate in measured.rates(shipped))
