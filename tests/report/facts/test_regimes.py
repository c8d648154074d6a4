"""The clocks of the regimes that a case says apply."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import CaseError, UsageError
from forensics.report.facts import due, regimes
from forensics.report.facts.questionnaire import Questionnaire

HOME = ZoneInfo("Europe/London")
AWARE = datetime(2024, 1, 5, 15, 0, tzinfo=UTC)


def clocks(regime: str, as_of: datetime | None = None, /, **more: Any) -> dict[str, due.Step]:
    answers = Questionnaire.model_validate({"regimes": [{"regime": regime, **more}]})
    (found,) = regimes.gather(answers, HOME, as_of)
    return {step.key: step for step in found.steps}


def test_every_regime_is_complete() -> None:
    for name, regime in regimes.load().items():
        assert regime.steps, name
        assert regime.source, name
        items = [event.item for event in regime.events.values() if event.item]
        for item in items:
            section, _, key = item.partition(".")
            assert hasattr(getattr(Questionnaire(), section), key), (name, item)


def test_what_was_not_checked_has_no_date() -> None:
    """A period stands as checked only with a date and an address of its source."""
    for name, regime in regimes.load().items():
        assert regime.checked is None or regime.url, name


def test_no_event_is_derived_from_another() -> None:
    """Without dates in the case no clock of any regime runs, whatever else is known."""
    for name in regimes.load():
        for step in clocks(name, AWARE).values():
            assert step.state == "not-dated", (name, step.key)
            assert step.deadline is None


@pytest.mark.parametrize(
    ("regime", "step", "events", "deadline"),
    [
        ("gdpr", "authority", {"aware": AWARE}, "2024-01-08T15:00:00+00:00"),
        ("uk-gdpr", "authority", {"aware": AWARE}, "2024-01-08T15:00:00+00:00"),
        ("dpa-2018-law-enforcement", "authority", {"aware": AWARE}, "2024-01-08T15:00:00+00:00"),
        ("dpa-2018-intelligence", "authority", {"aware": AWARE}, "2024-01-08T15:00:00+00:00"),
        ("nis2", "early-warning", {"aware": AWARE}, "2024-01-06T15:00:00+00:00"),
        ("nis2", "notification", {"aware": AWARE}, "2024-01-08T15:00:00+00:00"),
        # One month after the notification was submitted, not after awareness: to the end of that day in London.
        ("nis2", "final-report", {"notification": date(2024, 6, 30)}, "2024-07-30T23:00:00+00:00"),
        ("dora", "intermediate", {"initial": AWARE}, "2024-01-08T15:00:00+00:00"),
        ("dora", "final", {"intermediate": date(2024, 1, 31)}, "2024-03-01T00:00:00+00:00"),
        # To the close of EDGAR in New York.
        ("sec-8k", "filing", {"material": date(2024, 7, 2)}, "2024-07-09T21:30:00+00:00"),
        ("hipaa", "people", {"discovered": date(2024, 1, 1)}, "2024-03-02T00:00:00+00:00"),
    ],
)
def test_deadlines(regime: str, step: str, events: dict[str, Any], deadline: str) -> None:
    found = clocks(regime, events=events)[step]
    assert found.deadline is not None
    assert found.deadline.isoformat() == deadline


@pytest.mark.parametrize(
    ("aware_before", "deadline"),
    [
        # Four hours from the classification end first.
        (timedelta(hours=1), "2024-01-05T19:00:00+00:00"),
        # Twenty-four hours from awareness end first.
        (timedelta(hours=22), "2024-01-05T17:00:00+00:00"),
        # Classified later than that: four hours from then (Art. 5(2)); not overdue before it began.
        (timedelta(hours=30), "2024-01-05T19:00:00+00:00"),
    ],
)
def test_the_two_limits_of_dora(aware_before: timedelta, deadline: str) -> None:
    found = clocks("dora", AWARE, events={"classified": AWARE, "aware": AWARE - aware_before})["initial"]
    assert found.deadline is not None
    assert found.deadline.isoformat() == deadline
    assert found.state == "running"


def test_without_a_classification_the_limit_from_awareness_is_shown_and_does_not_run() -> None:
    found = clocks("dora", AWARE + timedelta(days=9), events={"aware": AWARE})["initial"]
    assert found.state == "not-dated"
    assert found.deadline is None
    assert found.limits[1].deadline == AWARE + timedelta(hours=24)


@given(st.integers(1_577_836_800, 1_893_456_000).map(lambda at: datetime.fromtimestamp(at, UTC)))
def test_another_reading_is_never_earlier_and_never_the_deadline(event: datetime) -> None:
    for regime, step, name in (("gdpr", "authority", "aware"), ("nis2", "early-warning", "aware")):
        found = clocks(regime, events={name: event})[step]
        assert found.deadline is not None
        assert found.longer is not None
        assert found.deadline < found.longer
        assert found.deadline - event == timedelta(hours=found.limits[0].number)


def test_readings_by_regulation_1182() -> None:
    friday = clocks("gdpr", events={"aware": AWARE})["authority"]
    assert (friday.longer_basis, str(friday.longer)) == ("1182-two-days", "2024-01-10 00:00:00+00:00")
    tuesday = clocks("gdpr", events={"aware": datetime(2024, 1, 9, 9, 15, tzinfo=UTC)})["authority"]
    assert (tuesday.longer_basis, str(tuesday.longer)) == ("1182-hour", "2024-01-12 10:00:00+00:00")
    # 24 hours are no period of two days; the United Kingdom's own rules are not read by it.
    assert clocks("nis2", events={"aware": AWARE})["early-warning"].longer_basis == "1182-hour"
    assert clocks("uk-gdpr", events={"aware": AWARE})["authority"].longer is None
    # A month that ends on a Saturday.
    saturday = clocks("nis2", events={"notification": date(2024, 5, 1)})["final-report"]
    assert (saturday.longer_basis, str(saturday.longer)) == ("1182-weekend", "2024-06-03 23:00:00+00:00")


@pytest.mark.parametrize(
    ("as_of", "events", "state"),
    [
        (None, {}, "deadline"),
        (AWARE + timedelta(hours=72), {}, "running"),
        (AWARE + timedelta(hours=72, seconds=1), {}, "passed"),
        (AWARE - timedelta(seconds=1), {}, "not-started"),
        (None, {"notified": AWARE + timedelta(hours=72)}, "met"),
        (None, {"notified": AWARE + timedelta(hours=72, seconds=1)}, "late"),
        (None, {"notified": AWARE - timedelta(seconds=1)}, "impossible"),
        (None, {"notified": date(2024, 1, 6)}, "met"),
        (None, {"notified": date(2024, 1, 8)}, "unclear"),
        (None, {"notified": date(2024, 1, 9)}, "late"),
    ],
)
def test_states(as_of: datetime | None, events: dict[str, Any], state: str) -> None:
    assert clocks("gdpr", as_of, events={"aware": AWARE, **events})["authority"].state == state


@pytest.mark.parametrize(("day", "state"), [(date(2024, 7, 9), "met"), (date(2024, 7, 10), "late")])
def test_a_day_is_enough_where_the_period_is_one_of_days(day: date, state: str) -> None:
    assert clocks("sec-8k", events={"material": date(2024, 7, 2), "filed": day})["filing"].state == state


def test_without_undue_delay_has_no_limit() -> None:
    assert clocks("gdpr", AWARE, events={"high_risk_found": AWARE})["people"].state == "no-limit"
    told = clocks("gdpr", AWARE, events={"high_risk_found": AWARE, "people_told": AWARE})["people"]
    assert told.state == "done"


def test_what_the_questionnaire_dates_need_not_be_repeated() -> None:
    answers = Questionnaire.model_validate({"regimes": [{"regime": "gdpr"}], "discovery": {"aware_at": AWARE}})
    (found,) = regimes.gather(answers, HOME, None)
    assert found.steps[0].deadline == AWARE + timedelta(hours=72)


def test_the_department_of_defense_has_no_limit_but_that_of_the_direction_that_the_case_names() -> None:
    assert clocks("us-dod", AWARE, events={"discovered": AWARE})["us-cert"].state == "no-limit"
    own = {"hours": {"us-cert": 1}, "source": "Component direction 7, 1 March 2023"}
    found = clocks("us-dod", AWARE, events={"discovered": AWARE}, **own)["us-cert"]
    assert found.deadline == AWARE + timedelta(hours=1)
    assert found.limits[0].given


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"regime": "gdpl"}, "no regime named"),
        ({"regime": "gdpr", "events": {"awake": AWARE}}, "knows no event awake"),
        ({"regime": "gdpr", "events": {"aware": date(2024, 1, 5)}}, "is a day; its period is one of hours"),
        ({"regime": "us-dod", "hours": {"us-cert": 1}}, "hours without a source"),
        ({"regime": "us-dod", "hours": {"cert": 1}, "source": "x"}, "has no step cert"),
    ],
)
def test_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(CaseError, match=re.escape(said)):
        regimes.gather(Questionnaire.model_validate({"regimes": [more]}), HOME, None)


def test_a_regime_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "regimes").mkdir()
    file = tmp_path / "regimes" / "harbour.toml"
    ours = (regimes.TEMPLATES / "gdpr.toml").read_text("utf-8")
    file.write_text(ours.replace("hours = 72", "hours = 12"), "utf-8")
    answers = Questionnaire.model_validate({"regimes": [{"regime": "harbour", "events": {"aware": AWARE}}]})
    (found,) = regimes.gather(answers, HOME, None, tmp_path)
    assert found.steps[0].deadline == AWARE + timedelta(hours=12)
    (tmp_path / "regimes" / "broken.toml").write_text(ours.replace('from = "aware"', 'from = "asleep"'), "utf-8")
    with pytest.raises(UsageError, match="step authority names no event of the regime: asleep"):
        regimes.load(tmp_path)
