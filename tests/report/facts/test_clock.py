"""The 72 hours, the block, and public claims: computed from what is stated, never assumed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from forensics.report.facts import clock
from forensics.report.facts.questionnaire import Questionnaire
from forensics.report.text import passages
from forensics.report.text.blocks import plain
from forensics.report.text.wording import load
from tests.report import made

LONDON = ZoneInfo("Europe/London")
AWARE = datetime(2023, 4, 3, 14, 30, tzinfo=UTC)
WORDS = load()


def answers(**sections: Any) -> Questionnaire:
    return Questionnaire.model_validate(sections)


def test_no_clock_without_an_answer() -> None:
    told = clock.clock(answers(), LONDON, AWARE)
    assert (told.state, told.aware_at, told.deadline, told.remaining_seconds) == ("not-answered", None, None, None)


@pytest.mark.parametrize(
    ("as_of", "notified", "state"),
    [
        (None, None, "deadline"),
        (AWARE + timedelta(hours=71), None, "running"),
        (AWARE + timedelta(hours=72), None, "running"),
        (AWARE + timedelta(hours=73), None, "passed"),
        (AWARE + timedelta(hours=73), AWARE + timedelta(hours=72), "notified-in-time"),
        (None, AWARE + timedelta(hours=72, seconds=1), "notified-late"),
    ],
)
def test_states_of_the_clock(as_of: datetime | None, notified: datetime | None, state: str) -> None:
    given = answers(discovery={"aware_at": AWARE}, notification={"notified_at": notified} if notified else {})
    told = clock.clock(given, LONDON, as_of)
    assert told.state == state
    assert told.deadline == AWARE + timedelta(hours=72)
    assert clock.delayed(told) == (state in ("passed", "notified-late"))


def test_a_time_without_offset_is_the_organisations() -> None:
    told = clock.clock(answers(discovery={"aware_at": "2023-07-01T10:00:00"}), LONDON, None)
    assert told.aware_at == datetime(2023, 7, 1, 9, 0, tzinfo=UTC)


def test_reasons_for_delay_become_required_when_late() -> None:
    late = made.facts(5, as_of=AWARE + timedelta(hours=100))
    early = made.facts(5, as_of=AWARE + timedelta(hours=1))
    assert late.questionnaire["discovery.delay_reasons"].required
    assert not early.questionnaire["discovery.delay_reasons"].required
    assert late.questionnaire.required == early.questionnaire.required + 1
    said = " ".join(plain(p) for p in passages.clock(late, WORDS))
    assert "NOT YET ANSWERED" in said


def facts_blocked(at: str, verdicts: Any = ()) -> Any:
    questionnaire = {**made.QUESTIONNAIRE, "measures": {"blocked_at": at}}
    return made.facts(60, case=made.casefile(questionnaire=questionnaire), verdicts=verdicts)


def test_only_a_confirmed_delivery_breaks_the_block() -> None:
    at = made.START.isoformat()
    suspected, confirmed = facts_blocked(at), facts_blocked(at, [made.CONFIRM])
    assert (suspected.containment.state, suspected.containment.accepted_after.value) == ("unreviewed", 0)
    assert "is open" in plain(passages.containment(suspected, WORDS)[0])
    assert confirmed.containment.state == "broken"
    assert confirmed.containment.accepted_after.value == (
        confirmed.groups.confirmed.exposed.value + confirmed.groups.confirmed.handed_on.value
    )
    assert "does not hold" in plain(passages.containment(confirmed, WORDS)[0])


def test_the_block_holds_only_as_far_as_the_logs_run() -> None:
    last = made.facts(60).findings[-1].resolved_at
    assert last is not None
    held = facts_blocked((last + timedelta(minutes=1)).isoformat()).containment
    assert held.state == "holds"
    assert held.legitimate_after.value > 0
    assert facts_blocked((last - timedelta(hours=3)).isoformat()).containment.state == "unreviewed"
    assert facts_blocked("2031-01-01T00:00:00Z").containment.state == "not-covered"
