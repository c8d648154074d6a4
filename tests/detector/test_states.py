"""Answers about typed domains: exclusive, summing to one, no chains, no circles; names exchanged, answers exchanged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.casefile import CaseFile
from forensics.detector import detect, states
from tests.detector.material import Row, everyday, mail, view

CASE = CaseFile.model_validate({"organisation": {"domains": ["albion.example"]}})
ODDS = st.floats(-6, 6)


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[str, str, float, float, float]]:
    """Domains that could each stand for some of the others, with odds of slip, second and mixed."""
    names = [f"d{n}" for n in range(draw(st.integers(2, 7)))]
    edges = [(a, b) for a in names for b in names if a != b and draw(st.booleans())]
    return [(a, b, draw(ODDS), draw(ODDS), draw(ODDS)) for a, b in edges]


def judged(rows: list[tuple[str, str, float, float, float]]) -> states.States:
    columns = [np.array([row[n] for row in rows], dtype=float) for n in (2, 3, 4)]
    return states.states([r[0] for r in rows], [r[1] for r in rows], *columns)


@given(graphs(), st.sampled_from([20_000, 2]))
@settings(max_examples=150, deadline=None)
def test_answers_exclude_each_other(rows: list[tuple[str, str, float, float, float]], combinations: int) -> None:
    """Counted one by one, or the strongest first."""
    if not rows:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(states, "_COMBINATIONS", combinations)
        found = judged(rows)
    slip: dict[str, float] = {}
    accuses: dict[tuple[str, str], float] = {}
    for n, (typed, meant, *_) in enumerate(rows):
        slip[typed] = slip.get(typed, 0.0) + found.slip[n]
        accuses[typed, meant] = found.slip[n] + found.mixed[n]
    for typed in slip:
        here = [n for n, row in enumerate(rows) if row[0] == typed]
        total = found.own[here[0]] + sum(found.slip[n] + found.mixed[n] + found.second[n] for n in here)
        assert total == pytest.approx(1.0, abs=1e-6)
        assert all(
            0 <= part[n] <= 1 + 1e-9 for n in here for part in (found.slip, found.mixed, found.second, found.own)
        )
    for (typed, meant), probability in accuses.items():
        # Never only a slip itself while it is meant; never both for each other.
        assert probability + slip.get(meant, 0.0) <= 1.0 + 2e-2
        assert probability + accuses.get((meant, typed), 0.0) <= 1.0 + 2e-2


def test_two_that_are_alike_share_the_doubt() -> None:
    found = judged([("a", "b", 3.0, -9.0, -9.0), ("b", "a", 3.0, -9.0, -9.0)])
    assert found.slip == pytest.approx([0.4998, 0.4998], abs=1e-3)
    assert found.direction == pytest.approx([0.5, 0.5], abs=1e-2)


def test_what_is_only_a_slip_is_not_meant() -> None:
    rows = [("a", "b", 2.0, -9.0, -9.0), ("a", "c", -1.0, -9.0, -9.0), ("b", "c", 4.0, -9.0, -9.0)]
    found = judged(rows)
    assert found.slip[2] > 0.98 and found.slip[0] < 0.1


def one_way(right: str, wrong: str, *, often: bool) -> list[Row]:
    """Four people write to people at `right`; one address of theirs is once, or in a list daily, `wrong`."""
    rows: list[Row] = []
    for day in range(12):
        for n, person in enumerate(("ada", "ben", "cyd", "dan")):
            rows += mail(f"{person}@albion.example", f"officer{(day + n) % 6}@{right}", day=day + n / 10)
        if often:
            for turn in range(8):
                name = f"list-{day}-{turn}"
                rows += mail(
                    "ada@albion.example",
                    f"officer1@{wrong}",
                    day=day + turn / 20,
                    via="ops@albion.example",
                    message=name,
                )
    return rows + ([] if often else mail("ada@albion.example", f"officer1@{wrong}", day=11.6, message="slip"))


def accused(rows: list[Row]) -> dict[str, tuple[str, float]]:
    found: dict[str, tuple[str, float]] = {}
    for f in detect(view(rows), CASE).findings.to_pylist():
        if f["level"] in ("high", "medium"):
            found[f["observed_domain"]] = (f["intended_domain"], f["score"])
    return found


@pytest.mark.parametrize("often", [False, True])
def test_names_exchanged_answers_exchanged(often: bool) -> None:
    """Two names that differ by two letters exchanged: which is meant is told by use alone, however often the wrong one is."""
    first = accused(one_way("harbour-works.com", "harbuor-works.com", often=often))
    second = accused(one_way("harbuor-works.com", "harbour-works.com", often=often))
    assert set(first) == {"harbuor-works.com"} and set(second) == {"harbour-works.com"}
    assert first["harbuor-works.com"][0] == "harbour-works.com"
    assert first["harbuor-works.com"][1] == pytest.approx(second["harbour-works.com"][1], abs=1e-3)


def findings(rows: list[Row]) -> list[dict[str, Any]]:
    return list(detect(view(rows), CASE).findings.to_pylist())


def test_never_both_directions_however_little_is_known() -> None:
    rows = mail("ada@albion.example", "officer1@harbour-works.com", day=1)
    rows += mail("ben@albion.example", "officer1@harbuor-works.com", day=2)
    found = {(f["observed_domain"], f["intended_domain"]) for f in findings(rows) if f["level"] != "low"}
    assert len(found) <= 1


def test_without_inbound_mail_silence_counts_nothing_and_is_said_to() -> None:
    rows = one_way("harbour-works.com", "harbuor-works.com", often=False)
    result = detect(view(rows), CASE)
    assert result.parameters["inbound"] is False
    for f in result.findings.to_pylist():
        by = {r["name"]: r for r in f["reasons"]}
        assert "silent" not in by
        assert by["no-inbound"]["weight"] == 0.0 and "counts nothing" in by["no-inbound"]["text"]


def test_what_the_other_side_writes_never_hides_a_finding() -> None:
    """The owner of a lookalike answers at length: contested, low at least, and in no headline."""
    rows = one_way("harbour-works.com", "harbuor-works.com", often=False)
    plain = accused(rows)
    assert plain["harbuor-works.com"][1] >= 0.5
    for n in range(40):
        rows += mail("officer1@harbuor-works.com", "ada@albion.example", day=11.7 + n / 100, message=f"back-{n}")
    (one,) = [f for f in findings(rows) if f["observed_domain"] == "harbuor-works.com"]
    assert one["contested"] and one["level"] == "low"
    assert one["score"] < 0.5 <= one["score_without_theirs"]


def two_names(people: int) -> list[Row]:
    """One house under two names that differ in a hyphen: both write, `people` are known under each, and one whom everybody
    knows under the older name is written to once under the newer."""
    rows: list[Row] = []
    office = ("ada", "ben", "cyd", "dan")
    for n in range(people):
        for day, person in ((n, f"old{n}@harbour-works.com"), (n + 0.5, f"new{n}@harbourworks.com")):
            writer = f"{office[n % 4]}@albion.example"
            rows += mail(writer, person, day=day) + mail(person, writer, day=day + 0.2)
        for writer in office:
            rows += mail(f"{writer}@albion.example", "head@harbour-works.com", day=n + 0.1)
    rows += mail(
        "ada@albion.example", "head@harbourworks.com", "old1@harbour-works.com", day=people - 3, subject="Plan"
    )
    return rows + mail("ada@albion.example", "head@harbour-works.com", day=people - 2.9, subject="Plan")


def test_two_names_in_wide_use_with_a_person_in_common_are_one_house() -> None:
    found = findings(two_names(24))
    assert [f["observed_domain"] for f in found if f["level"] != "low"] == []


def second(rows: list[Row], typed: str, meant: str) -> float:
    """Odds that one is a second name of the other, against its being a stranger's."""
    found = detect(view(rows), CASE).lookalikes.to_pylist()
    row = next(r for r in found if (r["typed"], r["meant"]) == (typed, meant))
    return float(row["second"] / row["own"])


def test_a_name_in_wide_use_is_no_second_name_of_one_that_is_not() -> None:
    """Whoever has one of two such names knows of the other: that needs two that are used."""
    rare = [row for row in two_names(24) if row["recipient_domain"] != "harbour-works.com"]
    rare += mail("ada@albion.example", "head@harbour-works.com", day=1.5)
    ten = 10.0
    assert second(two_names(24), "harbourworks.com", "harbour-works.com") > ten * second(
        rare, "harbourworks.com", "harbour-works.com"
    )


def moved(returning: bool, *, answers: bool = False) -> list[Row]:
    """Ten people know somebody at one name, and from about day 30 on use a name of one letter less; a machine goes on with
    both. `returning`: they use both from then on. `answers`: the new name writes back."""
    rows: list[Row] = []
    for n in range(10):
        writer = f"p{n}@albion.example"
        for day in range(0, 120, 6):
            at, new = day + n / 20, day >= 30 + n
            if not new or returning:
                rows += mail(writer, "head@harbourworks.com", day=at)
                rows += mail("head@harbourworks.com", writer, day=at + 0.01)
            if new and (not returning or day % 5 == 0):
                rows += mail(writer, "head@harbourwork.com", day=at + 0.02)
                rows += mail("head@harbourwork.com", writer, day=at + 0.03) if answers else []
    for day in range(0, 120, 10):
        rows += mail("noreply@albion.example", "head@harbourworks.com", day=day + 0.5)
        rows += mail("noreply@albion.example", "head@harbourwork.com", day=day + 0.6)
    return rows


def surest(rows: list[Row]) -> dict[str, Any]:
    """The finding about the later name that is surest without what its owner can bring about."""
    found = [f for f in findings(rows) if f["observed_domain"] == "harbourwork.com"]
    return max(found, key=lambda f: f["score_without_theirs"], default={})


def test_a_name_that_writers_change_to_for_good_is_rather_a_second_name() -> None:
    """A single machine that goes on with both hides no move; whoever slips returns to the right name; one writer who keeps to
    a wrong address has it from an address book."""
    names, four = ("harbourwork.com", "harbourworks.com"), 4.0
    few = {"p0@albion.example", "noreply@albion.example"}
    alone = [row for row in moved(False) if {row["sender"], row["recipient"]} & few]
    assert second(moved(False), *names) > four * second(moved(True), *names)
    assert second(alone, *names) == pytest.approx(second(moved(True), *names), rel=0.01)


def test_with_people_of_its_own_such_a_name_is_accused_of_nothing() -> None:
    strangers = [
        row
        for n in range(6)
        for day in range(40 + n, 120, 7)
        for row in mail(f"p{n}@albion.example", f"new{n}@harbourwork.com", day=day + 0.7)
    ]
    assert surest(moved(False) + strangers).get("score", 0.0) < 0.5 < surest(moved(True) + strangers)["score"]


def test_who_writes_in_a_new_name_hides_nothing_by_telling_people_to_use_it() -> None:
    """Writers who change because the new name asked them to are what its owner brought about."""
    told = surest(moved(False, answers=True))
    assert told["contested"] and told["score_without_theirs"] > 0.8


@pytest.mark.parametrize("writes", [False, True])
def test_silence_tells_nothing_of_a_name_whose_other_name_is_silent_too(writes: bool) -> None:
    """One who never writes in one name does not in the other; of one who writes in one, silence in the other tells."""
    rows = everyday()
    for n in range(12):
        person = f"p{n}@albion.example"
        rows += mail(person, f"x{n}@partner{n}.example.net", day=n) + mail(
            f"x{n}@partner{n}.example.net", person, day=n + 0.5
        )
        rows += mail(person, "head@harbourworks.com", day=n)
        rows += mail("head@harbourworks.com", person, day=n + 0.5) if writes else []
    rows += mail("p1@albion.example", "head@harbourworks.de", day=20)
    answers = detect(view(rows), CASE)
    share = 1 - answers.parameters["heard"][0]["share"]
    plain = [row for row in rows if "@" in row["sender"] and row["sender"].endswith("@albion.example")]
    unheard = second(plain, "harbourworks.de", "harbourworks.com")
    expected = unheard if writes else unheard * share**-0.8
    assert second(rows, "harbourworks.de", "harbourworks.com") == pytest.approx(expected, rel=0.02)
