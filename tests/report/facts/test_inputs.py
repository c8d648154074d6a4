"""What the manifest holds, as the report says it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forensics.case import Case
from forensics.custody import manifest
from forensics.loaders import years
from forensics.pipeline import ingest
from forensics.report.facts.inputs import _evidence, _time_basis
from tests.ingesting import message, to


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
    _, notes = years.clock("mail.log", None, "", years=None, local=(june, june))
    assert _time_basis(notes) == "time zone UTC (assumed: neither the log nor case.toml names one)"


def test_a_file_whose_stamps_say_it_all_is_told_so(tmp_path: Path) -> None:
    """An empty cell would leave open whether anything was assumed."""
    line = message("4jYb3c4BDWzL5Qb", to("j@navy.mil"), sender="ann@example.org", at="2024-03-01T10:00:00.000000+00:00")
    (tmp_path / "mail.log").write_text(line)
    ingest([tmp_path / "mail.log"], tmp_path / "case", org=["example.org"])
    (entry,) = manifest.read(Case(tmp_path / "case")).evidence
    assert _evidence("E1", entry).time_basis == "as stamped"
    assert _evidence("E1", replace(entry, first=None, last=None)).time_basis == ""
