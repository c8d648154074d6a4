"""Annexes: typed rows, and cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.report.formats.csvs import guarded, moment, to_csv
from forensics.report.formats.tables import Annex, Column, annexes
from forensics.report.text.visible import original
from forensics.report.text.wording import load
from tests.report import made

ANY = st.text(st.characters(), max_size=60)
RISKY = st.text(st.sampled_from("=+-@＝;,|\"' \t\r\nA1"), max_size=12)


@given(st.one_of(ANY, RISKY))
def test_a_guarded_cell_comes_back(value: str) -> None:
    cell, apostrophe = guarded(value)
    assert original(cell[1:] if apostrophe else cell) == value
    assert cell[:1] not in tuple("=+-@＝＋－＠\t\r\n")
    assert cell.lstrip()[:1] not in tuple("=+-@＝＋－＠")


@settings(deadline=None)  # A slow machine is no failure.
@given(st.lists(st.one_of(ANY, RISKY), min_size=1, max_size=4))
def test_rows_come_back_from_csv(values: list[str]) -> None:
    columns = tuple(Column(key) for key in ("sender", "recipient", "subject", "response")[: len(values)])
    text = to_csv(Annex("findings", columns, (tuple(values),)), load()).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == 2
    marked = rows[1][-1].split("; ")
    for title, cell, value in zip(rows[0], rows[1], values, strict=False):
        assert original(cell[1:] if title in marked else cell) == value


def test_every_annex_has_titles_and_whole_rows() -> None:
    words = load()
    for annex in annexes(made.facts(30, verdicts=[made.CONFIRM])):
        assert words(f"sheet.{annex.name}") and words(f"sheet_holds.{annex.name}")
        for column in annex.columns:
            assert words(f"column.{column.key}")
        kinds = {"int": int, "float": float, "time": datetime, "flag": bool, "text": str}
        for row in annex.rows:
            for column, value in zip(annex.columns, row, strict=True):
                if value is not None and column.kind in kinds:
                    assert isinstance(value, kinds[column.kind]), (annex.name, column.key, value)


def test_sheet_names_fit_excel() -> None:
    words = load()
    names = [words(f"sheet.{annex.name}") for annex in annexes(made.facts(1))]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)


def test_moments_are_utc() -> None:
    assert moment(datetime(2023, 1, 4, 10, 0, tzinfo=UTC)) == "2023-01-04T10:00:00Z"
    assert moment(datetime(2023, 1, 4, 10, 0, 0, 250_000, tzinfo=UTC)) == "2023-01-04T10:00:00.250000Z"


def test_an_annex_without_rows_is_written_all_the_same() -> None:
    made_annexes = {annex.name: annex for annex in annexes(made.facts(0))}
    assert made_annexes["findings"].rows == ()
    assert len(made_annexes["coverage"].rows) > 10
