"""What stands around the main job."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics import casefile as case_files
from forensics import workbench
from forensics.case import Case
from forensics.cli import main
from forensics.errors import CaseError
from forensics.loaders import LOADERS
from forensics.report.facts import questionnaire


def test_init_writes_a_case_that_reads_back_with_nothing_answered(tmp_path: Path) -> None:
    path = workbench.init(tmp_path / "case", org=["Example.ORG"], watch=["*.mil"])
    held = case_files.read(Case(tmp_path / "case"))
    assert path == tmp_path / "case" / "case.toml"
    assert held.organisation.domains == ("example.org",)
    assert held.domains.watched == ("*.mil",)
    assert len(questionnaire.missing(held)) > 20
    with pytest.raises(CaseError):
        workbench.init(tmp_path / "case")


def test_ask_can_be_left_at_once_and_saves_answers(tmp_path: Path) -> None:
    workbench.init(tmp_path / "case", org=["example.org"])
    before = len(questionnaire.missing(case_files.read(Case(tmp_path / "case"))))
    result = CliRunner().invoke(main, ["ask", "--case", str(tmp_path / "case")], input="MIS-2023-001\n.\n")
    assert result.exit_code == 0, result.output
    assert len(questionnaire.missing(case_files.read(Case(tmp_path / "case")))) == before - 1


def test_formats_names_every_loader() -> None:
    rows = workbench.formats()
    assert [row["loader"] for row in rows] == sorted((row["loader"] for row in rows), key=list(LOADERS).index)
    assert {row["loader"] for row in rows} == set(LOADERS)
    assert all(row["name"] and row["what"] for row in rows)
