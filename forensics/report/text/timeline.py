"""The case's timeline: what the logs show and what the investigator states, in order of time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from forensics.report.facts import Facts
from forensics.report.text.blocks import Spans, code
from forensics.report.text.prose import say
from forensics.report.text.wording import Words

LOGS, PEOPLE = "logs", "people"
"""Where an event is known from."""

_FEW = 12
"""Above this many incidents only the first of each story is an event."""

_STATED = (
    ("contacted", "recipients.contacted_at"),
    ("people_told", "notification.people_told_at"),
)


def events(facts: Facts, words: Words) -> tuple[tuple[datetime, str, Spans], ...]:
    """(moment, `logs` or `people`, what happened), in order of time."""
    return tuple(sorted(_all(facts, words), key=lambda event: event[0]))


def _all(facts: Facts, words: Words) -> Iterator[tuple[datetime, str, Spans]]:
    head, clock_facts = facts.groups.headline, facts.clock
    logs = (
        ("logs_begin", facts.coverage.first),
        ("first", head.first),
        ("first_accepted", head.first_exposed),
        ("last_accepted", head.last_exposed),
        ("last", head.last),
        ("logs_end", facts.coverage.last),
    )
    stated = (
        ("discovered", clock_facts.discovered_at),
        ("aware", clock_facts.aware_at),
        ("deadline", clock_facts.deadline),
        ("notified", clock_facts.notified_at),
        ("blocked", facts.containment.blocked_at),
    )
    for key, at in logs:
        if at is not None:
            yield at, LOGS, say(words, f"event.{key}")
    seen: set[str] = set()
    many = sum(bool(incident.tally.deliveries.value) for incident in facts.incidents) > _FEW
    for incident in facts.incidents:
        if incident.tally.first is None or incident.tally.first == head.first or (many and incident.story in seen):
            continue
        seen.add(incident.story)
        yield incident.tally.first, LOGS, say(words, "event.incident", domain=code(incident.slip.typed))
    for key, at in stated:
        if at is not None:
            yield at, PEOPLE, say(words, f"event.{key}")
    for key, item in _STATED:
        answer = facts.questionnaire[item].answer
        if answer is not None:
            yield datetime.fromisoformat(answer).astimezone(UTC), PEOPLE, say(words, f"event.{key}")
