"""Cells that no spreadsheet runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forensics.cells import guard, unguard


@given(st.text(st.sampled_from("'=+-@＝＋\t\r\n ab") | st.characters(codec="utf-8"), max_size=6))
def test_no_cell_runs_and_every_cell_comes_back(text: str) -> None:
    cell = guard(text)
    assert not cell.startswith(tuple("\t\r\n"))
    assert not cell.lstrip().startswith(tuple("=+-@＝＋－＠"))
    assert unguard(cell) == text
