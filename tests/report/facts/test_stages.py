"""What was refused after it had been sent is told apart from what never left."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from forensics.report.facts import Facts, stages, tallies
from forensics.report.facts.tallies import LEFT
from forensics.report.formats import answers, veris
from forensics.report.text import blocks as b
from forensics.report.text import grids, prose
from tests.report import made

AFTER = "host mx1.navy.mli[192.0.2.1] said: 550 5.7.1 no (in reply to end of DATA command)"
BEFORE = "host mx1.navy.mli[192.0.2.1] said: 550 5.1.1 no (in reply to RCPT TO command)"


@pytest.mark.parametrize(
    ("outcome", "response", "read_by", "sent"),
    [
        ("delivered", "250 ok", {"exchange"}, True),
        ("bounced", AFTER, {"postfix"}, True),
        ("expired", BEFORE, {"postfix"}, False),
        ("deferred", AFTER, {"postfix"}, True),
        ("bounced", "SMTP error from remote mail server after end of data: 550 no", {"exim"}, True),
        ("bounced", AFTER, {"exchange"}, None),
        ("bounced", AFTER, {"exchange", "postfix"}, None),
        ("bounced", None, {"postfix"}, None),
        ("rejected", AFTER, {"postfix"}, False),
        ("held", None, {"exchange"}, False),
        ("unknown", None, {"exchange"}, None),
    ],
)
def test_by_outcome_and_loader(outcome: str, response: str | None, read_by: set[str], sent: bool | None) -> None:
    assert stages.content_sent(outcome, response, read_by) is sent


def told(facts: Facts) -> str:
    """Page one, the table of numbers and the sheet of each finding, as text."""
    words = made.context(facts).words
    cells = [b.plain(cell) for row in grids.numbers(facts, words).rows for cell in row]
    return " ".join([b.plain(prose.position(facts, words)), *cells])


def test_what_was_sent_before_the_refusal_is_said() -> None:
    facts = made.facts(60, verdicts=[made.CONFIRM], refused_with=AFTER)
    head = facts.groups.headline
    refused = [f for f in facts.findings if f.exposure not in LEFT and f.state in ("confirmed", "suspected")]
    assert head.content_sent.value == len(refused) > 1
    assert head.content_sent.deliveries == tuple(f.delivery_id for f in refused)
    said = f"Of what was not accepted, {len(refused)} deliveries had been sent to the server, in whole or in part"
    assert said in told(facts)
    assert "Not accepted, but sent to the server in whole or in part" in told(facts)
    assert said in "".join(one.decode() for one in answers.render(facts, made.context(facts)).values())


@pytest.mark.parametrize("response", [BEFORE, made.NO_HOST])
def test_what_was_refused_before_is_not(response: str) -> None:
    facts = made.facts(60, verdicts=[made.CONFIRM], refused_with=response)
    assert facts.groups.headline.not_exposed.value
    assert facts.groups.headline.content_sent.value == facts.groups.headline.stage_unknown.value == 0
    assert "sent to the server" not in told(facts)


def test_a_log_that_does_not_tell_is_said_to_not_tell() -> None:
    facts = made.facts(60, verdicts=[made.CONFIRM], refused_with="refused by policy")
    assert facts.groups.headline.stage_unknown.value == facts.groups.headline.not_exposed.value
    assert "whether anything was sent is not logged" in told(facts)


@pytest.mark.parametrize(("response", "disclosure"), [(AFTER, "Potentially"), (BEFORE, "No"), (None, "Unknown")])
def test_no_disclosure_is_ruled_out_by_a_refusal_alone(response: str | None, disclosure: str) -> None:
    """Nothing accepted, in a format whose fixed words leave no room for doubt."""
    facts = made.facts(60, verdicts=[made.CONFIRM], refused_with=response)
    kept = [f for f in facts.findings if f.exposure == "not-exposed"]
    facts = replace(facts, findings=tuple(kept), groups=tallies.groups(kept))
    incident = json.loads(veris.render(facts, made.context(facts)))
    assert incident["attribute"]["confidentiality"]["data_disclosure"] == disclosure
    assert (incident["security_incident"] == "Near miss") is (disclosure == "No")
