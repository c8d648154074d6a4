"""Explanations: the same numbers as the findings, for the accused and for the genuine."""

from __future__ import annotations

import pytest

from forensics.casefile import CaseFile
from forensics.detector import detect
from forensics.detector.explain import explain
from forensics.errors import UsageError
from tests.detector.material import everyday, mail, view
from tests.detector.test_detect import CASE, slip


def rows() -> list[dict[str, object]]:
    return everyday() + slip() + mail("ben@albion.example", "harbour@shipyard.fr", "x@lighthouse-board.org", day=4)


def test_same_score_as_the_finding_by_delivery_address_and_domain() -> None:
    (finding,) = detect(view(rows()), CASE).findings.to_pylist()
    for subject in ("slip>officer1", "officer1@navy.ml", "Officer1@NAVY.ml", "navy.ml"):
        if "@" not in subject and "." not in subject:
            found = explain(view(rows()), "slip>officer1", CASE)
        else:
            found = explain(view(rows()), subject, CASE)
        (one,) = found.addresses
        assert (one.score, one.weight, one.prior) == (finding["score"], finding["weight"], finding["prior"])
        assert sorted(map(repr, one.reasons)) == sorted(map(repr, finding["reasons"]))
        assert one.propositions == (
            "ada@albion.example meant officer1@navy.mil and slipped: the letter i left out of .mil.",
            "ada@albion.example meant officer1@navy.ml.",
        )


def test_the_stored_judgement_tells_the_same() -> None:
    """As `missent explain` does it: what is known of the domains is read, their own mail alone is measured."""
    found = detect(view(rows()), CASE)
    for subject in ("navy.ml", "shipyard.fr", "officer1@navy.ml", "lighthouse-board.org", "shipyard.co.uk"):
        connection = view(rows())
        connection.register("lookalikes", found.lookalikes)
        quick = explain(connection, subject, CASE, detection=found.parameters)
        anew = explain(view(rows()), subject, CASE)
        assert quick == anew


def test_text_holds_parts_sum_and_records() -> None:
    text = explain(view(rows()), "navy.ml", CASE).text
    for part in ("either", "or ", "prior", "log10 odds", "resent", "eeeeeeeeeeee record 1"):
        assert part in text
    assert text.endswith("\n")


def test_the_genuine_are_explained_too() -> None:
    found = explain(view(rows()), "shipyard.fr", CASE)
    (one,) = found.addresses
    assert one.level in ("none", "low") and one.intended == "harbour@shipyard.co.uk"
    assert "nothing to weigh" in explain(view(rows()), "lighthouse-board.org", CASE).text


def test_known_good_says_so() -> None:
    case = CaseFile.model_validate(
        {"organisation": {"domains": ["albion.example"]}, "domains": {"known_good": ["navy.ml"]}}
    )
    found = explain(view(rows()), "navy.ml", case)
    assert "known-good" in found.note and found.addresses


@pytest.mark.parametrize("subject", ["nowhere.example", "x@nowhere.example", "zzz", "ada@albion.example"])
def test_what_is_not_there_is_refused(subject: str) -> None:
    with pytest.raises(UsageError):
        explain(view(rows()), subject, CASE)


def test_ambiguous_beginnings_are_refused() -> None:
    with pytest.raises(UsageError, match="several"):
        explain(view(rows()), "ada", CASE)
