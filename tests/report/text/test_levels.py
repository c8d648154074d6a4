"""Findings of a level that was not measured: in no sum, and never taken for nothing."""

from __future__ import annotations

from dataclasses import replace

from forensics.report.facts import Level, tallies
from forensics.report.text import levels, prose
from forensics.report.text.wording import load
from tests.report import made

WORDS = load("en-GB")


def said(facts) -> str:  # type: ignore[no-untyped-def]
    return "".join(span.text for span in prose.position(facts, WORDS))


def test_what_does_not_count_is_said_beside_what_does() -> None:
    both, high = made.facts(60), made.facts(60, headline=["high"])
    apart = sum(x.level == "medium" for x in both.findings)
    assert apart and tallies.set_apart(high.findings) == apart and tallies.set_apart(both.findings) == 0
    counted = [one.groups.headline.deliveries.value for one in (both, high)]
    assert counted[0] - counted[1] == apart
    assert f"{apart} more are more probably misdirected than not" in said(high)
    assert "more probably" not in said(both)


def test_no_all_clear_where_a_level_was_set_apart() -> None:
    facts = made.facts(60, headline=[])
    assert not facts.header.found
    assert prose.title(facts, WORDS) == "No misdirected mail counted; possible cases await review"
    assert "No misdirected mail of a level that is counted" in said(facts)
    assert "deliveries are more probably misdirected than not" in said(facts)


def test_a_person_who_confirms_makes_it_count() -> None:
    facts = made.facts(60, headline=[], verdicts=[made.CONFIRM])
    assert facts.header.found and facts.groups.headline == facts.groups.confirmed


def test_each_level_says_what_it_rests_on() -> None:
    facts = made.facts(5)
    told = (Level("high", True, 41, 41, 0.998), Level("medium", False, 4, 6, 0.76), Level("medium", False, 0, 0, None))
    (_, items) = levels.told(replace(facts, method=replace(facts.method, levels=told)), WORDS)
    sentences = ["".join(span.text for span in spans) for spans in items.items]  # type: ignore[union-attr]
    assert sentences[0] == "Level high: 41 of 41 were slips, at a mean score of 1.00: it counts."
    assert sentences[1].endswith(
        "4 of 6 were slips, at a mean score of 0.76: not measured well enough, it does not count."
    )
    assert "none was measured" in sentences[2]
    assert list(levels.told(facts, WORDS)) == []
