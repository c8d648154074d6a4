"""A worksheet is written, filled in, read back, recorded, and stands in the report."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from forensics import schema
from forensics.case import Case
from forensics.custody import log
from forensics.errors import CaseError, UsageError
from forensics.report import writing
from forensics.report.facts import content, inputs, tallies
from forensics.report.facts.questionnaire import Questionnaire
from forensics.report.formats import worksheet
from forensics.report.formats.worksheet import ASKED, GIVEN, HEAD, SHEET
from forensics.review import worksheets
from tests.report import made


@pytest.fixture
def case(tmp_path: Path) -> Case:
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "case.toml").write_text('version = 1\n[organisation]\ndomains = ["albion-logistics.example"]\n')
    made_case = Case(folder)
    pq.write_table(pa.Table.from_pylist(made.findings(6)[1], schema.FINDINGS), made_case.findings)
    return made_case


def filled(path: Path, rows: dict[int, dict[str, Any]], hostile: tuple[str, ...] = ()) -> Path:
    """The worksheet of six findings with answers in some rows (0 is the first finding)."""
    facts = made.facts(6, hostile)
    book = load_workbook(io.BytesIO(worksheet.render(facts, made.context(facts))))
    sheet = book[SHEET]
    columns = (*GIVEN, *ASKED)
    for row, answers in rows.items():
        for key, value in answers.items():
            sheet.cell(HEAD + 1 + row, columns.index(key) + 1, value)
    book.save(path)
    return path


def test_filled_in_and_read_back(case: Case, tmp_path: Path) -> None:
    answers = {
        "opened": "Yes",
        "held": "=payroll of 12 people",
        "marking": "OFFICIAL",
        "special": "no",
        "records": 12,
        "people": 12.0,
    }
    path = filled(tmp_path / "w.xlsx", {1: answers, 4: {"opened": "not-found"}})
    rows = worksheets.take(case, path)
    assert [row["delivery_id"] for row in rows] == ["d000001", "d000004"]
    assert rows[0]["held"] == "=payroll of 12 people"
    assert (rows[0]["records"], rows[0]["people"], rows[0]["opened"]) == (12, 12, "yes")
    (entry,) = log.read(case)
    assert entry["action"] == "worksheet"
    assert len(entry["details"]["sha256"]) == 64
    kept = inputs._worksheet(case)
    assert kept["d000001"]["people"] == 12


def test_the_latest_row_counts(case: Case, tmp_path: Path) -> None:
    worksheets.take(case, filled(tmp_path / "a.xlsx", {0: {"opened": "no"}, 1: {"opened": "no"}}))
    worksheets.take(case, filled(tmp_path / "b.xlsx", {1: {"opened": "yes", "held": "a list"}}))
    kept = inputs._worksheet(case)
    assert (kept["d000000"]["opened"], kept["d000001"]["opened"]) == ("no", "yes")


def test_what_it_says_answers_section_6() -> None:
    found = made.facts(6).findings
    row = {
        **dict.fromkeys(ASKED, ""),
        "opened": "yes",
        "special": "yes",
        "records": 40,
        "people": None,
        "held": "a list",
    }
    answers = Questionnaire.model_validate(
        {"exposed": {"special_categories": "no", "records": 12, "content_reviewed": "all"}}
    )
    said = content.gather(found, answers, {"d000002": row})
    assert said.reviewed.value == 1
    assert [(one.item, one.basis) for one in said.contrasts] == [
        ("exposed.content_reviewed", "not-opened"),
        ("exposed.special_categories", "worksheet"),
        ("exposed.records", "fewer"),
    ]
    assert said.contrasts[0].evidence.value == len(tallies.headline(found)) - 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"delivery_id": "d999999", "opened": "yes"}, "row 5: the case has no finding with delivery d999999"),
        ({"delivery_id": "", "opened": "yes"}, "of no name"),
        ({"delivery_id": "d000001", "opened": "yes"}, "row 6: delivery d000001 is there twice"),
        ({"opened": "perhaps"}, "row 5: opened: 'perhaps'"),
        ({"held": "a list"}, "row 5: opened is empty"),
        ({"opened": "yes", "records": "many"}, "row 5: records: 'many'"),
        ({"opened": "yes", "people": -1}, "row 5: people: -1"),
        ({"opened": "yes", "held": "x" * 2001}, "more than 2000 characters"),
        ({}, "nothing is filled in"),
    ],
)
def test_refused_whole(case: Case, tmp_path: Path, row: dict[str, Any], said: str) -> None:
    rows = {0: row, 1: {"opened": "yes"}} if row else {}
    with pytest.raises(UsageError) as refused:
        worksheets.take(case, filled(tmp_path / "w.xlsx", rows))
    assert said in str(refused.value)
    assert not case.custody_log.exists()


@pytest.mark.parametrize("data", [b"", b"no workbook", b"PK\x03\x04 torn"])
def test_what_is_no_worksheet_is_refused(case: Case, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "w.xlsx").write_bytes(data)
    with pytest.raises(UsageError, match="is no worksheet"):
        worksheets.take(case, tmp_path / "w.xlsx")


def test_another_workbook_is_refused(case: Case, tmp_path: Path) -> None:
    facts = made.facts(2)
    (tmp_path / "incident.xlsx").write_bytes(writing.render("xlsx", facts, made.context(facts)))
    with pytest.raises(UsageError, match="has no sheet Messages"):
        worksheets.take(case, tmp_path / "incident.xlsx")


def test_before_a_detection(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match="nothing was detected"):
        worksheets.take(Case(tmp_path), tmp_path / "w.xlsx")


def test_hostile_values_are_text_and_every_page_bears_the_marking() -> None:
    facts = made.facts(40, made.HOSTILE)
    first = worksheet.render(facts, made.context(facts))
    assert first == worksheet.render(facts, made.context(facts))
    sheet = load_workbook(io.BytesIO(first))[SHEET]
    kinds = {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert kinds == {"s"}
    assert "Official – Sensitive" in sheet.oddHeader.center.text
    assert "Official – Sensitive" in sheet.oddFooter.center.text


def test_it_does_not_exist_in_the_redacted_edition() -> None:
    with pytest.raises(UsageError, match="does not exist in the redacted edition"):
        writing.chosen("html,worksheet", "redacted")
