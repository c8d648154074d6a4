"""What was refused after it had been sent is told apart from what never left."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from forensics import sent
from forensics.report.facts import Facts, tallies
from forensics.report.facts.tallies import LEFT
from forensics.report.formats import answers, veris
from forensics.report.text import blocks as b
from forensics.report.text import grids, prose
from tests.report import made

AFTER = "host mx1.navy.mli[192.0.2.1] said: 550 5.7.1 no (in reply to end of DATA command)"
BEFORE = "host mx1.navy.mli[192.0.2.1] said: 550 5.1.1 no (in reply to RCPT TO command)"


@pytest.mark.parametrize(
    ("outcome", "response", "attempts", "read_by", "told"),
    [
        ("delivered", "250 ok", 1, {"exchange"}, True),
        ("bounced", AFTER, 1, {"postfix"}, True),
        ("expired", BEFORE, 1, {"postfix"}, False),
        ("deferred", AFTER, 1, {"postfix"}, True),
        ("expired", AFTER, 26, {"postfix"}, True),
        ("bounced", BEFORE, 2, {"postfix"}, None),
        ("expired", made.NO_HOST, 26, {"postfix"}, None),
        ("deferred", BEFORE, 0, {"postfix"}, False),
        ("bounced", "SMTP error from remote mail server after end of data: 550 no", 1, {"exim"}, True),
        ("bounced", "SMTP error from remote mail server after RCPT TO:<x@y.example>: 550", 3, {"exim"}, None),
        ("bounced", AFTER, 1, {"exchange"}, None),
        ("bounced", AFTER, 1, {"exchange", "postfix"}, None),
        ("bounced", None, 1, {"postfix"}, None),
        ("rejected", AFTER, 1, {"postfix"}, False),
        ("rejected", AFTER, 9, {"postfix"}, False),
        ("held", None, 1, {"exchange"}, False),
        ("unknown", None, 1, {"exchange"}, None),
    ],
)
def test_by_outcome_loader_and_attempts(
    outcome: str, response: str | None, attempts: int, read_by: set[str], told: bool | None
) -> None:
    """A last attempt that sent nothing says nothing of those before it: the tables keep its reply alone."""
    assert sent.content_sent(outcome, response, attempts, read_by) is told
    row = {"outcome": outcome, "response": response, "attempts": attempts}
    row["records"] = [{"evidence": name * 8} for name in sorted(read_by)]
    assert sent.of(row, {name * 8: name for name in read_by}) is told


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
    assert "whether anything was sent is not known" in told(facts)
    number = facts.groups.headline.stage_unknown.value
    assert f"Of {number} deliveries that were not accepted it is not known whether anything had been sent." in told(
        facts
    )


@pytest.mark.parametrize(("response", "disclosure"), [(AFTER, "Potentially"), (BEFORE, "No"), (None, "Unknown")])
def test_no_disclosure_is_ruled_out_by_a_refusal_alone(response: str | None, disclosure: str) -> None:
    """Nothing accepted, in a format whose fixed words leave no room for doubt."""
    facts = made.facts(60, verdicts=[made.CONFIRM], refused_with=response)
    kept = [f for f in facts.findings if f.exposure == "not-exposed"]
    facts = replace(facts, findings=tuple(kept), groups=tallies.groups(kept))
    incident = json.loads(veris.render(facts, made.context(facts)))
    assert incident["attribute"]["confidentiality"]["data_disclosure"] == disclosure
    assert (incident["security_incident"] == "Near miss") is (disclosure == "No")
