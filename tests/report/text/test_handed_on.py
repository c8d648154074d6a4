"""What was handed on is counted apart from what a server of the mistyped domain accepted, in numbers and in words."""

from __future__ import annotations

from forensics.report.text import blocks as b
from forensics.report.text import onepage, prose
from tests.report import made


def test_page_one_never_counts_it_as_accepted() -> None:
    facts = made.facts(200, verdicts=[made.CONFIRM])
    words, head = made.context(facts).words, facts.groups.headline
    handed, accepted = head.handed_on.value, head.exposed.value
    assert handed > 1
    said = b.plain(prose.position(facts, words))
    assert f"{accepted} of {head.deliveries.value} deliveries were accepted" in said
    assert f"{handed} were handed on" in said
    assert "final acceptance is unknown" in said
    tiles = {tile.label: tile.value for tile in onepage.figures(facts, words)}
    assert tiles["deliveries accepted"] == str(accepted)
    assert tiles["handed on, final acceptance unknown"] == str(handed)
    assert sum(
        int(tiles[label]) for label in tiles if label.split()[0] in ("deliveries", "handed", "refused", "not")
    ) == (head.deliveries.value)


def test_a_stated_number_of_accepted_deliveries_stays_open() -> None:
    """Between what was accepted for sure and what may have been, the logs decide nothing."""
    head = made.facts(200, verdicts=[made.CONFIRM]).groups.headline
    limit = head.exposed.value + head.handed_on.value - 1
    claims = [{"claim": f"At most {limit} were accepted.", "check": "accepted-at-most", "value": limit}]
    facts = made.facts(
        200, verdicts=[made.CONFIRM], case=made.casefile(questionnaire={**made.QUESTIONNAIRE, "statements": claims})
    )
    assert [one.result for one in facts.statements] == ["not-determinable"]
