"""Periods: hours, days, business days, months, and the other readings of Regulation 1182/71."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report.facts import periods, regimes

LONDON, BERLIN, NEW_YORK = (ZoneInfo(name) for name in ("Europe/London", "Europe/Berlin", "America/New_York"))
MOMENTS = st.integers(1_514_764_800, 2_051_222_400).map(lambda at: datetime.fromtimestamp(at, UTC))
DAYS = st.dates(date(2018, 1, 1), date(2035, 1, 1))


def weekdays(day: date) -> bool:
    return day.weekday() < 5


@pytest.mark.parametrize(
    ("event", "end"),
    [
        # Across the change to summer time on 31 March 2024, local clocks show an hour more.
        (datetime(2024, 3, 30, 10, 30, tzinfo=LONDON), "2024-04-02T11:30:00+01:00"),
        # And an hour less across its end on 27 October 2024.
        (datetime(2024, 10, 26, 10, 30, tzinfo=BERLIN), "2024-10-29T09:30:00+01:00"),
        (datetime(2024, 1, 4, 9, 15, 30, tzinfo=UTC), "2024-01-07T09:15:30+00:00"),
    ],
)
def test_hours_are_elapsed(event: datetime, end: str) -> None:
    assert periods.hours(event, 72) == datetime.fromisoformat(end)


@given(MOMENTS, st.integers(1, 200), st.sampled_from([LONDON, BERLIN, NEW_YORK, ZoneInfo("Asia/Kolkata")]))
def test_the_reading_by_whole_hours_is_later_by_at_most_one(event: datetime, n: int, zone: ZoneInfo) -> None:
    strict, by_hour = periods.hours(event, n), periods.hours_1182(event, n, zone)
    assert timedelta(0) < by_hour - strict <= timedelta(hours=1)
    assert by_hour.astimezone(zone).replace(tzinfo=None).time().minute == 0


@pytest.mark.parametrize(
    ("event", "end"),
    [
        # Friday afternoon: Monday and Tuesday are the two whole working days.
        (datetime(2024, 1, 5, 15, 0, tzinfo=UTC), "2024-01-10T00:00:00+00:00"),
        # Monday: Tuesday and Wednesday lie within the period as it is.
        (datetime(2024, 1, 8, 15, 0, tzinfo=UTC), "2024-01-11T16:00:00+00:00"),
    ],
)
def test_two_working_days(event: datetime, end: str) -> None:
    by_hour = periods.hours_1182(event, 72, ZoneInfo("UTC"))
    assert periods.two_working_days(event, by_hour, ZoneInfo("UTC"), weekdays).isoformat() == end


@given(DAYS, st.integers(1, 24))
def test_months_end_on_the_same_day_or_the_last_of_the_month(event: date, n: int) -> None:
    end = periods.months(event, n)
    assert (end.year * 12 + end.month) - (event.year * 12 + event.month) == n
    assert end.day == event.day or (end + timedelta(days=1)).day == 1


@given(DAYS, st.integers(1, 10))
def test_business_days_count_what_is_worked(event: date, n: int) -> None:
    calendar = regimes.calendar("us-federal")
    end = periods.business_days(event, n, calendar.working)
    assert calendar.working(end)
    assert sum(calendar.working(event + timedelta(days=k)) for k in range(1, (end - event).days + 1)) == n


@pytest.mark.parametrize(
    ("event", "end"),
    [
        (date(2024, 2, 21), date(2024, 2, 27)),
        # A Saturday: the period begins on, and includes, the Monday.
        (date(2024, 3, 2), date(2024, 3, 7)),
        # Independence Day, a Thursday.
        (date(2024, 7, 2), date(2024, 7, 9)),
        # Juneteenth is a holiday since 2021.
        (date(2020, 6, 18), date(2020, 6, 24)),
        (date(2024, 6, 18), date(2024, 6, 25)),
        # New Year's Day of 2022, a Saturday, was kept on the Friday before.
        (date(2021, 12, 30), date(2022, 1, 6)),
    ],
)
def test_four_business_days_of_the_sec(event: date, end: date) -> None:
    assert periods.business_days(event, 4, regimes.calendar("us-federal").working) == end


def test_federal_holidays_of_a_year() -> None:
    """As the Office of Personnel Management lists them for 2023."""
    calendar = regimes.calendar("us-federal")
    year = [date(2023, 1, 1) + timedelta(days=n) for n in range(365)]
    closed = [f"{day:%m-%d}" for day in year if day.weekday() < 5 and not calendar.working(day)]
    expected = "01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25"
    assert closed == expected.split()


def test_a_day_that_the_case_names_is_no_working_day() -> None:
    calendar = regimes.calendar("us-federal", (date(2025, 1, 9),))
    assert periods.business_days(date(2025, 1, 8), 1, calendar.working) == date(2025, 1, 10)


def test_a_day_ends_at_midnight_or_when_the_office_closes() -> None:
    assert periods.end_of(date(2024, 7, 1), LONDON).isoformat() == "2024-07-01T23:00:00+00:00"
    assert periods.end_of(date(2024, 7, 1), NEW_YORK, time(17, 30)).isoformat() == "2024-07-01T21:30:00+00:00"


def test_a_rule_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no holiday"):
        periods.holiday("11 fifth thursday", 2024)
