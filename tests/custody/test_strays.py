"""What lies in a case folder without being named by the case is told, and fails nothing."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from forensics import pipeline, workbench
from forensics.case import Case
from forensics.custody import staging
from forensics.custody.checks import Check
from forensics.custody.verify import verify
from tests.custody.made import GATEWAY


def other_files(case: Path) -> Check | None:
    checked = verify(Case(case))
    assert checked.ok, [check for check in checked.checks if check.ok is False]
    return next((check for check in checked.checks if check.name == "other files"), None)


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A case whose evidence lies in its own folder and came from standard input, with reports inside and elsewhere."""
    place = tmp_path / "case"
    (place / "logs").mkdir(parents=True)
    (place / "logs" / "mail.log").write_bytes(GATEWAY)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GATEWAY.replace(b"4QWxyz", b"4QWabc"))))
    pipeline.ingest([place / "logs", "-"], place, org=["example.org"], year=2023)
    pipeline.detect(place)
    pipeline.report(place, formats=["json", "csv"])
    pipeline.report(place, formats=["json"], out=place / "mine")
    return place


def test_of_a_case_as_it_was_written_nothing_is_told(case: Path) -> None:
    assert {one.name for one in (case / "streams").iterdir()} and (case / ".runs").is_dir()
    assert other_files(case) is None


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt", ".DS_Store", "manifest.json.bak", "streams/" + "a" * 64, "reports/incident-final.pdf",
        "reports/old/incident.html", "deliveries/part.csv", "more/findings.parquet", "logs/other.log",
    ],
)  # fmt: skip
def test_what_was_put_there_is_named_and_fails_nothing(case: Path, name: str) -> None:
    (case / name).parent.mkdir(exist_ok=True)
    (case / name).write_bytes(b"x")
    told = other_files(case)
    assert told is not None and told.ok is None and told.text.endswith(f": {name}")
    assert workbench.verify(case).exit_code == 0


def test_names_are_told_as_people_may_safely_see_them(case: Path) -> None:
    (case / "a\u202eb\n").write_bytes(b"x")
    (case / "folder").symlink_to("/")
    told = other_files(case)
    assert told is not None and told.text.endswith(r": a\u{202e}b\u{a}, folder")
    assert told.text.startswith("2 files ")


def test_every_name_of_the_case_itself_is_known(case: Path) -> None:
    assert {one.name for one in case.iterdir()} - {*staging.OWN} == {"logs", "mine"}
