"""What people say of single files: earlier, now, and in case.toml."""

from __future__ import annotations

import pytest

from forensics.casefile import SourceSettings
from forensics.loaders.settings import Settings

KNOWN = (
    SourceSettings(file="logs/mail.log", year=2021),
    SourceSettings(file="mail.log", timezone="Europe/London"),
    SourceSettings(file="a[1]*.log", year=2022),
    SourceSettings(file="logs/mail.log", year=2020, timezone="Europe/Paris"),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("logs/mail.log", (2021, "Europe/Paris")),  # the first that says anything of it
        ("mail.log", (None, "Europe/London")),
        ("other/mail.log", (None, "Europe/London")),  # by its name without folders
        ("a[1]*.log", (2022, None)),
        ("a1b.log", (None, None)),  # a name is no pattern
    ],
)
def test_what_was_said_earlier_holds_for_the_file_of_that_name(name: str, expected: tuple[int, str]) -> None:
    assert Settings(known=KNOWN, named=frozenset()).for_source(name) == expected


def test_what_is_said_now_wins_over_what_was_said_earlier_and_case_toml_over_both() -> None:
    now = Settings(year=2024, known=KNOWN, named=frozenset({"logs/mail.log"}))
    assert now.for_source("logs/mail.log") == (2024, "Europe/Paris")
    told = Settings(year=2024, known=KNOWN, sources=(SourceSettings(file="*.log", year=2023, timezone="UTC"),))
    assert told.for_source("logs/mail.log") == (2023, "UTC")
