"""Who says that they did it, and what they note, stands in the custody log beside every stage."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics.case import Case
from forensics.cli import main
from forensics.custody import log
from tests.test_exit_codes import FOUND
from tests.test_exit_codes import log as written

SAID = ("--examiner", "R. Osei", "--note", "first copy")


@pytest.fixture
def case(tmp_path: Path) -> Case:
    evidence = written(tmp_path, FOUND)
    call("run", evidence, "--org", "example.org", "--format", "json", "--case", tmp_path / "case", *SAID)
    return Case(tmp_path / "case")


def call(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == code, done.output
    return done.output


def last(case: Case) -> tuple[str, str | None, str | None]:
    entry = log.read(case)[-1]
    return entry["action"], entry.get("examiner"), entry.get("note")


def test_run_tells_it_of_each_of_its_stages(case: Case) -> None:
    found = [(one["action"], one["examiner"], one["note"]) for one in log.read(case)]
    assert found == [(action, "R. Osei", "first copy") for action in ("ingest", "detect", "report")]


def test_every_stage_takes_it(case: Case, tmp_path: Path) -> None:
    other = ("--examiner", "M. Okafor", "--note", "second look")
    call("ingest", tmp_path / "mail.log", "--case", case.folder, *other)
    assert last(case) == ("ingest", "M. Okafor", "second look"), "also where nothing was new"
    call("detect", "--case", case.folder, *other)
    assert last(case) == ("detect", "M. Okafor", "second look")
    call("report", "--format", "json", "--case", case.folder, *other)
    assert last(case) == ("report", "M. Okafor", "second look")
    call("report", "--withdraw", "incident.json", "--because", "superseded", "--case", case.folder, *other)
    assert last(case) == ("withdraw", "M. Okafor", "second look")
    call("review", "--export", tmp_path / "r.csv", "--case", case.folder)
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "r.csv").open("w", newline="") as file:
        sheet = csv.DictWriter(file, rows[0])
        sheet.writeheader()
        sheet.writerows({**row, "verdict": "confirmed", "reason": "the sender says so"} for row in rows)
    call("review", "--import", tmp_path / "r.csv", "--reviewer", "A. Reyes", "--case", case.folder, *other)
    assert last(case) == ("verdict", "M. Okafor", "second look")
    assert "VERIFIED" in call("verify", case.folder)


def test_nobody_is_made_up(case: Case) -> None:
    call("detect", "--case", case.folder, "--examiner", " ", "--note", "")
    assert last(case) == ("detect", None, None)


def test_who_it_was_cannot_be_altered_unseen(case: Case) -> None:
    case.custody_log.write_bytes(case.custody_log.read_bytes().replace(b"R. Osei", b"R. Orsi"))
    assert "FAILED  custody log" in call("verify", case.folder, code=4)
