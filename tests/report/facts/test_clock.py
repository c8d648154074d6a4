"""The 72 hours, the block, and public claims: computed from what is stated, never assumed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from forensics.errors import CaseError
from forensics.report.facts import clock, questionnaire
from forensics.report.facts.questionnaire import Questionnaire
from forensics.report.text import passages, prose
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


def read_case(section: str, **answers_: Any) -> Questionnaire:
    return questionnaire.read(made.casefile(questionnaire={section: answers_}))


@pytest.mark.parametrize("given", ["2023-07-26", date(2023, 7, 26), "20230726"])
def test_a_day_is_no_moment(given: Any) -> None:
    """A day without a time of day would become midnight, which nobody said."""
    for section, key in (
        ("discovery", "aware_at"), ("discovery", "discovered_at"), ("notification", "notified_at"),
        ("measures", "blocked_at"), ("recipients", "contacted_at"),
    ):  # fmt: skip
        with pytest.raises(CaseError, match="without a time of day"):
            read_case(section, **{key: given})


@pytest.mark.parametrize(
    ("local", "why"),
    [("2023-03-26T01:30:00", "does not exist"), ("2023-10-29T01:30:00", "is twice")],
)
def test_a_local_time_that_is_no_one_moment_is_asked_for(local: str, why: str) -> None:
    with pytest.raises(CaseError, match=why):
        clock.clock(answers(discovery={"aware_at": local}), LONDON, None)
    with_offset = datetime.fromisoformat(local + "+01:00")
    told = clock.clock(answers(discovery={"aware_at": with_offset}), LONDON, None)
    assert told.aware_at == with_offset


def test_hours_are_elapsed_ones_across_summer_time() -> None:
    """Clocks go back on 29 October 2023: 72 hours after noon local time are 11:00 local time."""
    told = clock.clock(answers(discovery={"aware_at": "2023-10-27T12:00:00"}), LONDON, None)
    assert told.deadline == datetime(2023, 10, 30, 11, 0, tzinfo=UTC)
    assert told.deadline.astimezone(LONDON).hour == 11


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "less than a minute"), (59, "less than a minute"), (60, "1 minute"), (3600, "1 hour"),
        (40 * 3600 + 1800, "40 hours and 30 minutes"), (-(71 * 3600 + 59 * 60), "71 hours and 59 minutes"),
        (103 * 3600 + 12 * 60, "4 days, 7 hours and 12 minutes"), (120 * 3600, "5 days"),
    ],
)  # fmt: skip
def test_a_duration_loses_nothing_but_seconds(seconds: int, said: str) -> None:
    assert prose.duration(WORDS, seconds) == said


@pytest.mark.parametrize(
    ("changes", "orders"),
    [
        ({"notified_at": -1}, ("notified-before-aware",)),
        ({"as_of": -1}, ("read-before-aware",)),
        ({"notified_at": 9, "as_of": 5}, ("read-before-notified",)),
        ({"discovered_at": 1}, ("aware-before-discovered",)),
        ({"first": 1}, ("aware-before-first",)),
        ({"first": 1, "discovered_at": -3}, ("aware-before-first", "discovered-before-first")),
        ({"notified_at": 1, "as_of": 5, "first": -100, "discovered_at": -3}, ()),
    ],
)
def test_orders_that_cannot_be_are_said(changes: dict[str, int], orders: tuple[str, ...]) -> None:
    at = {key: AWARE + timedelta(hours=hours) for key, hours in changes.items()}
    discovery = {"aware_at": AWARE} | ({"discovered_at": at["discovered_at"]} if "discovered_at" in at else {})
    notification = {"notified_at": at["notified_at"]} if "notified_at" in at else {}
    told = clock.clock(
        answers(discovery=discovery, notification=notification), LONDON, at.get("as_of"), at.get("first")
    )
    assert told.disorder == orders
    facts = replace(made.facts(5), clock=told)
    said = " ".join(plain(p) for p in passages.clock(facts, WORDS))
    assert ("cannot all be right" in said) is bool(orders)
    if {"notified-before-aware", "read-before-aware"} & set(orders):
        assert told.state == "disordered"
        assert "remained" not in said and "before the deadline" not in said


def test_a_deadline_that_is_over_was() -> None:
    over = made.facts(5, as_of=AWARE + timedelta(hours=100))
    said = plain(passages.clock(over, WORDS)[0])
    assert "was due by" in said and "28 hours" in said
    running = plain(passages.clock(made.facts(5, as_of=AWARE + timedelta(hours=31, minutes=30)), WORDS)[0])
    assert "is due by" in running and "40 hours and 30 minutes remained" in running


def test_a_block_does_not_hold_where_a_server_refused_only_after_the_end_of_a_message() -> None:
    """Nothing was accepted, yet the organisation sent it after the block was in place."""
    asked = {**made.QUESTIONNAIRE, "measures": {"blocked_at": made.START.isoformat()}}
    told: dict[str, Any] = {"case": made.casefile(questionnaire=asked), "verdicts": [made.CONFIRM], "refused": True}
    after = "host mx1.navy.mli[192.0.2.1] said: 550 5.7.1 no (in reply to end of DATA command)"
    sent = made.facts(60, refused_with=after, **told)
    assert sent.containment.state == "broken"
    assert sent.containment.accepted_after.value == sent.groups.confirmed.content_sent.value > 0
    assert "or sent to the server before it refused" in plain(passages.containment(sent, WORDS)[0])
    unknown = made.facts(60, refused_with="554 by policy", **told)
    assert (unknown.containment.state, unknown.containment.accepted_after.value) == ("holds", 0)
    assert unknown.containment.unknown_after.value == unknown.containment.refused_after.value > 0
    said = plain(passages.containment(unknown, WORDS)[0])
    assert (
        f"Of {unknown.containment.unknown_after.value} of them it is not known whether anything had been sent" in said
    )
    never = made.facts(60, **told)
    assert (never.containment.state, never.containment.unknown_after.value) == ("holds", 0)
