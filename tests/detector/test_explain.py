"""Explanations: the same numbers as the findings, for the accused and for the genuine."""

from __future__ import annotations

import pytest

from forensics.casefile import CaseFile
from forensics.detector import detect
from forensics.detector.explain import explain
from forensics.errors import UsageError
from tests.detector.material import Row, everyday, mail, view
from tests.detector.test_detect import CASE, slip


def rows() -> list[Row]:
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


SUBJECTS = ("navy.ml", "shipyard.fr", "officer1@navy.ml", "lighthouse-board.org", "shipyard.co.uk")


@pytest.mark.parametrize("more", [False, True])
def test_the_stored_judgement_tells_the_same(more: bool) -> None:
    """As `missent explain` does it: what was measured of the domains and of their writers is read."""
    given = rows() + (answered_to_all() if more else [])
    found = detect(view(given), CASE)
    for subject in (*SUBJECTS, *(("shipyard.co", "clerk1@shipyard.co", "answer>clerk1") if more else ())):
        connection = view(given)
        connection.register("lookalikes", found.lookalikes)
        quick = explain(connection, subject, CASE, detection=found.parameters)
        assert quick == explain(view(given), subject, CASE)


def answered_to_all() -> list[Row]:
    """A domain with many people of its own, a slip to it by somebody who then corrects it, and an answer to all."""
    sent = []
    for day in range(14):
        sent += mail("ada@albion.example", "clerk1@shipyard.co.uk", day=day + 0.01)
        for n in range(day, 96, 7):
            person = f"{'abcdefghijkl'[n % 12]}@albion.example"
            sent += mail(person, f"keeper{n}@shipyard.co", day=day + 0.3 + n / 400)
            sent += mail(f"keeper{n}@shipyard.co", person, day=day + 0.5 + n / 400)
    beside = ("officer1@navy.mil", "keel@yard.example")
    sent += mail("ada@albion.example", "clerk1@shipyard.co", "eve@albion.example", *beside, day=9.05, message="slip",
                 subject="Keel plates")  # fmt: skip
    sent += mail("eve@albion.example", "clerk1@shipyard.co", "ada@albion.example", *beside, day=9.1, message="answer",
                 subject="Re: Keel plates")  # fmt: skip
    return sent + mail("ada@albion.example", "clerk1@shipyard.co.uk", day=9.15, message="again", subject="Keel plates")


def test_every_score_is_that_of_the_findings() -> None:
    """Whoever answers a slip to all sent it there too, however little else speaks for it."""
    given = rows() + answered_to_all()
    found = {f["delivery_id"]: f for f in detect(view(given), CASE).findings.to_pylist()}
    assert {"slip>clerk1@shipyard.co", "answer>clerk1@shipyard.co"} <= set(found)
    for domain in ("shipyard.co", "navy.ml", "shipyard.fr", "shipyard.co.uk"):
        for one in explain(view(given), domain, CASE).addresses:
            for delivery in one.deliveries:
                told = found.get(delivery["delivery_id"])
                assert (told is not None) == (one.level != "none")
                if told is not None:
                    assert (told["score"], told["weight"], told["level"]) == (one.score, one.weight, one.level)
                    assert (told["contested"], told["score_without_theirs"]) == (
                        one.contested,
                        one.score_without_theirs,
                    )


def test_a_crowd_is_cut_and_each_of_it_keeps_a_delivery() -> None:
    found = explain(view(rows() + answered_to_all()), "shipyard.co", CASE)
    assert len(found.addresses) == 50 and "98 pairs of sender and address" in found.note
    assert [one.score for one in found.addresses] == sorted((one.score for one in found.addresses), reverse=True)
    assert {len(one.deliveries) for one in found.addresses} == {1, 2}


def test_the_parameters_of_the_detection_count_and_not_those_installed() -> None:
    found = detect(view(rows()), CASE)
    given = found.parameters | {"base": found.parameters["base"] + 1.0}
    connection = view(rows())
    connection.register("lookalikes", found.lookalikes)
    (before,), (after,) = (
        explain(connection, "navy.ml", CASE, detection=d).addresses for d in (found.parameters, given)
    )
    assert before.reasons != after.reasons


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
    alike = [
        row
        for n, who in enumerate(("harbour", "pilot"))
        for row in mail("ben@albion.example", f"{who}@shipyard.fr", day=5, delivery_id=f"deadbeef{n}")
    ]
    with pytest.raises(UsageError, match="several deliveries begin so: deadbeef0, deadbeef1"):
        explain(view(rows() + alike), "deadbeef", CASE)
    (one,) = explain(view(rows() + alike), "DEADBEEF1", CASE).addresses
    assert one.address == "pilot@shipyard.fr"
