"""Watch lists: every slip a sender could make, probable ones first, nothing that is no name."""

from __future__ import annotations

import pytest

from forensics.detector.slips import classify
from forensics.detector.watchlist import watch_list
from forensics.errors import UsageError


def test_the_slips_of_the_day_are_on_it() -> None:
    rows = watch_list(["navy.mil", "us.af.mil", "contoso-marine.co.uk", "gmail.com"])
    names = {row["lookalike"] for row in rows}
    expected = {
        "navy.ml",
        "us.af.ml",
        "usaf.mil",
        "nvay.mil",
        "contoso-marine.co",
        "contosomarine.co.uk",
        "gmail.co",
        "gmial.com",
    }
    assert expected <= names
    assert {"navy.mil", "gmail.com"}.isdisjoint(names)


def test_most_probable_first_and_as_the_channel_says() -> None:
    rows = watch_list(["linaro.org"])
    probabilities = [row["probability"] for row in rows]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len({row["lookalike"] for row in rows}) == len(rows)
    for row in rows[:200]:
        slip = classify(row["lookalike"], "linaro.org")
        assert slip is not None and slip.kind == row["slip"]
        assert row["probability"] == pytest.approx(10**slip.log10, rel=1e-3)


def test_registrable_tells_what_somebody_may_own() -> None:
    by = {row["lookalike"]: row["registrable"] for row in watch_list(["navy.mil"])}
    assert by["navy.ml"] and not by["navy.mli"]


def test_limit_zone_and_nonsense() -> None:
    assert len(watch_list(["navy.mil"], limit=5)) == 5
    assert watch_list(["*.navy.mil"]) == watch_list(["navy.mil"])
    for wrong in ("navy", "", "a b.com", "-x.com"):
        with pytest.raises(UsageError):
            watch_list([wrong])


def test_nobody_can_own_a_name_under_a_closed_suffix() -> None:
    by = {row["lookalike"]: row["registrable"] for row in watch_list(["navy.mil", "trust.nhs.uk", "city.gov.uk"])}
    assert not any(own for name, own in by.items() if name.endswith((".mil", ".nhs.uk", ".gov.uk")))
    assert by["navy.ml"] and by["navy.com"]


def test_a_zone_stands_for_what_a_case_writes_to_below_it() -> None:
    traffic = {"navy.mil": 900, "army.mil": 3, "gmail.com": 5000}
    rows = watch_list(["*.mil"], traffic=traffic, used=["navy.mi", *traffic])
    assert {row["domain"] for row in rows} == {"navy.mil", "army.mil"}
    assert "navy.mi" not in {row["lookalike"] for row in rows}
    expected = [row["probability"] * row["traffic"] for row in rows]
    assert expected == sorted(expected, reverse=True)
    assert rows[0]["domain"] == "navy.mil"
    for wrong in ({}, None):
        with pytest.raises(UsageError, match=r"no domain below"):
            watch_list(["*.mil"], traffic=wrong)
