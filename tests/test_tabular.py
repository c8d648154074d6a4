"""Rows as lines: aligned, never wider than the terminal, and nothing left out without a word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from forensics import tabular

CELLS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Mn", "Me")), max_size=60)
GRIDS = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.lists(CELLS.filter(bool), min_size=n, max_size=n, unique=True),
        st.lists(st.lists(CELLS, min_size=n, max_size=n), max_size=5),
    )
)


@given(GRIDS, st.integers(tabular.WIDEST, 200))
def test_no_line_of_cells_is_wider_than_the_terminal(grid: tuple[list[str], list[list[str]]], width: int) -> None:
    columns, rows = grid
    lines = list(tabular.lines(columns, rows, width))
    assert all(cell_len(line) <= width for line in lines[: len(rows) + 1])
    if len(lines) > len(rows) + 1:
        assert lines[-2].startswith("… and ")
        assert any(name in lines[-2] for name in columns)


@given(GRIDS)
def test_a_pipe_gets_everything(grid: tuple[list[str], list[list[str]]]) -> None:
    columns, rows = grid
    lines = list(tabular.lines(columns, rows, None))
    assert len(lines) == len(rows) + 1
    for line, cells in zip(lines, [columns, *rows], strict=True):
        assert all(cell.strip() in line for cell in cells)


def test_what_says_most_comes_first_and_stands_in_its_place() -> None:
    columns = ("delivery_id", "host", "submitted_at", "sender", "recipient")
    rows = [("a" * 32, "mx1", "2023-06-01T07:50:00Z", "a@org.example", "b@other.example")]
    head, row, left, _ = tabular.lines(columns, rows, 60)
    assert head.split() == ["host", "submitted_at", "sender", "recipient"]
    assert row.split()[-1] == "b@other.example"
    assert left == "… and 1 more column: delivery_id"


def test_records_show_every_value_whole() -> None:
    lines = list(tabular.records(("a", "long"), [("x" * 100, "1"), ("", "2")]))
    assert lines == ["a     " + "x" * 100, "long  1", "", "a", "long  2"]
