"""What the manifest holds, as the report says it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from forensics.loaders import years
from forensics.report.facts.inputs import _time_basis


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ({}, ""),
        (
            {"year": {"first": 2023, "by": "setting"}, "timezone": {"name": "Europe/London", "by": "setting"}},
            "year 2023 (setting); time zone Europe/London (setting)",
        ),
        (
            {"zone": "stamps without a zone read as UTC", "date order": "day-month-year, as case.toml says"},
            "stamps without a zone read as UTC; order of dates: day-month-year, as case.toml says",
        ),
    ],
)
def test_year_zone_and_order_are_told(notes: dict[str, object], said: str) -> None:
    assert _time_basis(notes) == said


def test_the_loader_notes_what_is_told() -> None:
    june = int(datetime(2023, 6, 1, tzinfo=UTC).timestamp()) * 1_000_000
    _, notes = years.clock("mail.log", None, "Europe/London", years=None, local=(june, june))
    assert _time_basis(notes) == "time zone Europe/London (setting)"
