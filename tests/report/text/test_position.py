"""Title and first paragraph: a story is told where most of the mail is its own, and every pair is named or counted."""

from __future__ import annotations

from dataclasses import replace

from forensics.report.facts import Facts, incidents, tallies
from forensics.report.text import prose
from forensics.report.text.blocks import plain
from forensics.report.text.wording import load
from tests.report import made

WORDS = load()
FACTS = made.facts(43)


def of(facts: Facts, *share: tuple[str, int]) -> Facts:
    """The same case with so many findings of each typed domain."""
    kept = []
    for typed, count in share:
        own = [x for x in facts.findings if x.slip.typed == typed]
        kept += [replace(own[n % len(own)], state="suspected", ref=f"{typed}{n}") for n in range(count)]
    findings = tuple(sorted(kept, key=lambda x: x.submitted_at))
    refs = {x.incident for x in findings}
    pairs = tuple(
        replace(i, tally=tallies.tally([x for x in findings if x.incident == i.ref]))
        for i in facts.incidents
        if i.ref in refs
    )
    return replace(
        facts,
        findings=findings,
        groups=tallies.groups(findings),
        incidents=pairs,
        stories=incidents.stories(findings, pairs),
    )


def test_a_story_of_four_deliveries_of_43_is_not_the_title() -> None:
    facts = of(FACTS, ("navy.ml", 4), ("contoso-marin.com", 39))
    assert prose.title(facts, WORDS) == "Mail sent to lookalike domains"
    said = plain(prose.position(facts, WORDS))
    assert ".mil" not in said
    assert "43 deliveries went to domains that resemble others (2 pairs of domains)" in said


def test_half_is_not_most() -> None:
    assert "lookalike" in prose.title(of(FACTS, ("navy.ml", 5), ("contoso-marin.com", 5)), WORDS)
    most = of(FACTS, ("navy.ml", 6), ("contoso-marin.com", 5))
    assert prose.title(most, WORDS) == "Mail for .mil sent to .ml and other lookalikes"
    said = plain(prose.position(most, WORDS))
    assert "6 deliveries held to be meant for .mil went to .ml (Mali) and 5 went to" in said
    assert "(1 pair of domains)" in said


def test_a_story_that_is_all_of_it() -> None:
    facts = of(FACTS, ("navy.ml", 3), ("army.ml", 2))
    assert prose.title(facts, WORDS) == "Mail for .mil sent to .ml"
    assert "All of it is held to be meant for .mil and went to .ml" in plain(prose.position(facts, WORDS))
