"""No sentence says more than the records show: who may have received, where an address came from, what a sender is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forensics.report.facts import Facts, Finding, Number, incidents, tallies
from forensics.report.formats import answers, letters, veris
from forensics.report.text import blocks as b
from forensics.report.text import detailed, document, passages, prose
from tests.report import made


def of(**change: object) -> Facts:
    """A case whose findings all are so."""
    facts = made.facts(20)
    found: tuple[Finding, ...] = tuple(replace(x, state="suspected", **change) for x in facts.findings)  # type: ignore[arg-type]
    return replace(
        facts, findings=found, groups=tallies.groups(found), stories=incidents.stories(found, facts.incidents)
    )


def where(facts: Facts) -> str:
    return "\n".join(b.plain(line) for line in passages.where(facts, made.context(facts).words))


def test_what_was_accepted_under_a_suffix_without_registry_is_said() -> None:
    facts = made.facts(20)
    invented = [place for place in facts.places if not place.exists]
    assert [place.suffix for place in invented] == ["mli"] and invented[0].accepted.value == 0
    assert "The logs show no server of such a name that accepted any of it." in where(facts)
    taken = replace(invented[0], accepted=Number(2))
    facts = replace(facts, places=tuple(taken if place is invented[0] else place for place in facts.places))
    assert "2 were accepted all the same" in where(facts)
    assert "no server of such a name" not in where(facts)


def test_a_list_that_repeats_is_told_apart_from_senders_that_repeat() -> None:
    """Who writes to a list twice has sent to its wrong member twice."""
    facts = of(origin="list", original_recipient="ops-desk@albion-logistics.example")
    said = [b.plain(line) for line in passages.repeats(facts, made.context(facts).words)]
    assert said and all("Mail through lists apart" in line for line in said)


@pytest.mark.parametrize("origin", ["typed", "list", "address-book", "reply-all", "automated"])
def test_no_origin_is_told_of_a_place_that_logs_do_not_show(origin: str) -> None:
    facts = of(origin=origin, automated=origin == "automated")
    told = document.compose(facts, made.context(facts))
    said = "\n".join(repr(block) for block in (*told.first, *told.blocks))
    for claim in ("from an address book", "sent by a machine", "sent by machines", "no automated message"):
        assert claim not in said


def test_a_sheet_names_a_compromise_only_where_something_was_accepted() -> None:
    def kind(facts: Facts) -> str:
        text = answers.render(facts, made.context(facts))["dd2959.txt"].decode()
        return text.split("Type of breach\n")[1].split("\n\n\n")[0].partition("\n")[2]

    assert kind(of(exposure="exposed")).startswith("Compromise (possible disclosure")
    assert "Compromise" not in kind(of(exposure="not-exposed"))
    assert kind(made.facts(0)) == "No misdirected mail was found."


def test_an_address_used_again_is_no_misconfiguration() -> None:
    facts = of(origin="address-book")
    assert veris.incident(facts, made.context(facts).words)["action"]["error"]["variety"] == [
        "Misdelivery",
        "Data entry error",
    ]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("suspected", ("appears to have been addressed by mistake", "It was then not meant for you.")),
        ("confirmed", ("was addressed by mistake", "It was not meant for you.")),
    ],
)
def test_a_holder_is_told_as_a_fact_only_what_a_person_confirmed(state: str, said: tuple[str, str]) -> None:
    facts = made.facts(20)
    facts = replace(facts, findings=tuple(replace(x, state=state) for x in facts.findings))
    words = made.context(facts).words
    told = [letters.written(facts, words, draft)[1] for draft in letters.drafts(facts) if draft.kind == "recipient"]
    assert told and all(sentence in " ".join(letter.split()) for letter in told for sentence in said)


@pytest.mark.parametrize("state", ["review", "dismissed", "suspected"])
def test_a_pair_of_which_nothing_counts_has_no_row_of_zeros(state: str) -> None:
    """A row that says “held for review” counts nothing of what is held."""
    facts = made.facts(20)
    found = tuple(replace(x, state=state if x.incident == "I1" else "suspected") for x in facts.findings)
    n = sum(x.incident == "I1" for x in found)
    pairs = tuple(
        replace(
            i,
            state=state,
            tally=tallies.tally([x for x in tallies.headline(found) if x.incident == i.ref]),
            review=Number(n if state == "review" else 0),
            dismissed=Number(n if state == "dismissed" else 0),
        )
        if i.ref == "I1"
        else i
        for i in facts.incidents
    )
    told = list(detailed.incidents(replace(facts, findings=found, incidents=pairs), made.context(facts)))
    start = next(k for k, block in enumerate(told) if isinstance(block, b.Heading) and block.text.startswith("I1 "))
    part = told[start + 1 : next(k for k, block in enumerate(told) if k > start and isinstance(block, b.Heading))]
    rows = [block for block in part if isinstance(block, b.Table) and block.columns[-1].title == "Score"]
    said = " ".join(b.plain(line) for block in part if isinstance(block, b.Items) for line in block.items)
    assert bool(rows) == (state == "suspected")
    assert (f"In no headline number: {n} deliver" in said) == (state != "suspected")


def test_a_report_on_what_nobody_confirmed_says_so_above_its_title() -> None:
    words = made.context(made.facts(1)).words
    assert prose.kicker(of(), words) == "Incident report on mail suspected of having been misdirected"
    part = made.facts(20, verdicts=[made.CONFIRM])
    assert part.groups.suspected.deliveries.value
    said = "Incident report on misdirected mail, confirmed in part and suspected in part"
    assert prose.kicker(part, words) == said
    whole = made.facts(1, verdicts=[made.CONFIRM])
    assert prose.kicker(whole, words) == "Incident report on misdirected mail"
    assert prose.kicker(made.facts(0), words) == "Report of a search for misdirected mail"


def test_a_ruling_is_told_with_its_day_and_one_without_a_finding_too() -> None:
    facts = made.facts(5, verdicts=[made.CONFIRM, replace(made.CONFIRM, observed_domain="gone.example", sequence=2)])
    assert facts.orphaned
    blocks = [*detailed.incidents(facts, made.context(facts)), *detailed.orphaned(facts, made.context(facts).words)]
    terms = [b.plain(value) for block in blocks if isinstance(block, b.Terms) for name, value in block.items]
    said = "confirmed by R. Examiner, 2023-04-04 10:00 UTC: Sender asked: meant the navy."
    assert said in terms
    assert [b.plain(line) for line in blocks[-1].items] == [said]
