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


def of(facts: Facts, *share: tuple[str, int], state: str = "suspected") -> Facts:
    """The same case with so many findings of each typed domain."""
    kept = []
    for typed, count in share:
        own = [x for x in facts.findings if x.slip.typed == typed]
        kept += [replace(own[n % len(own)], state=state, ref=f"{typed}{n}") for n in range(count)]
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
    assert prose.title(facts, WORDS) == "Mail held to be misdirected to domains that resemble others"
    said = plain(prose.position(facts, WORDS))
    assert ".mil" not in said
    assert "43 deliveries went to domains that resemble others (2 pairs of domains)" in said


def test_half_is_not_most() -> None:
    assert "resemble others" in prose.title(of(FACTS, ("navy.ml", 5), ("contoso-marin.com", 5)), WORDS)
    most = of(FACTS, ("navy.ml", 6), ("contoso-marin.com", 5))
    assert prose.title(most, WORDS) == "Mail held to be for .mil, sent to .ml and others"
    said = plain(prose.position(most, WORDS))
    assert "6 deliveries held to be meant for .mil went to .ml (Mali) and 5 went to" in said
    assert "(1 pair of domains)" in said


def test_a_story_that_is_all_of_it() -> None:
    facts = of(FACTS, ("navy.ml", 3), ("army.ml", 2))
    assert prose.title(facts, WORDS) == "Mail held to be for .mil, sent to .ml"
    assert "All of it is held to be meant for .mil and went to .ml" in plain(prose.position(facts, WORDS))


def test_what_was_meant_is_said_plainly_only_where_a_person_has_ruled_on_all_of_it() -> None:
    """The title is quoted, and the first sentence, without the rest: neither says more than was established."""
    share = ("navy.ml", 3), ("contoso-marin.com", 2)
    ruled, some = of(FACTS, *share, state="confirmed"), of(FACTS, *share)
    mixed = (replace(ruled.findings[0], state="suspected"), *ruled.findings[1:])
    partly = replace(ruled, findings=mixed, groups=tallies.groups(mixed))
    assert prose.title(ruled, WORDS) == "Mail for .mil sent to .ml and other lookalikes"
    assert "by a person's ruling, the sender" in plain(prose.position(ruled, WORDS))
    for facts in (some, partly):
        assert prose.title(facts, WORDS).startswith("Mail held to be for .mil, sent to")
        assert "on the weight of the evidence, the sender" in plain(prose.position(facts, WORDS))
    assert (
        prose.title(of(FACTS, ("contoso-marin.com", 2), state="confirmed"), WORDS)
        == "Mail misdirected to domains that resemble those meant"
    )


def test_no_sentence_says_what_logs_cannot_show() -> None:
    """That a domain was mistyped is inferred, so servers are named by the domain addressed; and what a log shows as not
    delivered may have been taken before a connection broke."""
    claims = ("server of the mistyped", "servers of the mistyped", "of a mistyped domain", "of mistyped domains")
    claims += ("never arrived", "domain they meant", "logs show no misdirected", "show **no misdirected")
    said = [
        str(text)
        for entry in WORDS.entries.values()
        for text in (entry.values() if isinstance(entry, dict) else [entry])
    ]
    assert len(said) > 1000 and [text for text in said if any(claim in text.lower() for claim in claims)] == []


def test_one_and_several_domains_and_senders_are_told_apart() -> None:
    """A day on which mail went to many domains is not one on which it went to "a domain"."""
    day = FACTS.findings[0].submitted_at
    for on_one_day in (True, False):
        for pairs, senders, said in (
            (1, 1, "left for a domain that, on the weight of the evidence, the sender had not meant"),
            (1, 2, "left for a domain that, on the weight of the evidence, the senders had not meant"),
            (2, 1, "left for domains that, on the weight of the evidence, the sender had not meant"),
            (2, 2, "left for domains that, on the weight of the evidence, the senders had not meant"),
        ):
            facts = of(FACTS, *(("navy.ml", 4), ("army.ml", 4))[:pairs])
            changed = tuple(
                replace(
                    x,
                    sender=f"s{n % senders}@albion-logistics.example",
                    submitted_at=day if on_one_day else x.submitted_at,
                )
                for n, x in enumerate(facts.findings)
            )
            made_so = replace(facts, findings=changed, groups=tallies.groups(changed))
            assert said in plain(prose.position(made_so, WORDS))
