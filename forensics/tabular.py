"""Rows as lines of text, for a terminal of some width or for a pipe of none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

WIDEST = 40
"""Cells of a column in a terminal; what is longer is cut, and whole as a record."""
GAP = "  "
FIRST = (
    "submitted_at", "sender", "recipient", "outcome", "typed", "meant", "observed_domain", "intended_domain", "score",
    "level", "verdict", "exposure", "messages", "senders", "first_seen", "last_seen", "reason", "number", "kind",
    "records", "domain",
)  # fmt: skip
"""Columns of the case's tables that say most: they come first where not all have room."""


def lines(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """Head and rows, columns aligned. `width`: of the terminal; columns that have no room in it are left out, and the
    last line says which. None: nothing is cut."""
    sizes = [max(map(cell_len, (name, *(row[n] for row in rows)))) for n, name in enumerate(columns)]
    kept = list(range(len(columns)))
    if width is not None:
        sizes = [min(size, WIDEST) for size in sizes]
        kept = _room(columns, sizes, width)
    yield _line([columns[n] for n in kept], [sizes[n] for n in kept])
    for row in rows:
        yield _line([row[n] for n in kept], [sizes[n] for n in kept])
    left = [columns[n] for n in range(len(columns)) if n not in kept]
    if left:
        yield f"… and {len(left)} more {'column' if len(left) == 1 else 'columns'}: {', '.join(left)}"
        yield "--record shows every row whole"


def _room(columns: Sequence[str], sizes: Sequence[int], width: int) -> list[int]:
    """Which columns stand side by side in `width` cells, in their order; at least one."""
    order = sorted(range(len(columns)), key=lambda n: FIRST.index(columns[n]) if columns[n] in FIRST else len(FIRST))
    if sum(sizes) + len(GAP) * (len(sizes) - 1) <= width:
        return list(range(len(columns)))
    kept: list[int] = []
    used = 0
    for n in order:
        if not kept or used + len(GAP) + sizes[n] <= width:
            used += sizes[n] + (len(GAP) if kept else 0)
            kept.append(n)
    return sorted(kept)


def _line(cells: Sequence[str], sizes: Sequence[int]) -> str:
    *before, last = [_cut(cell, size) for cell, size in zip(cells, sizes, strict=True)]
    padded = [cell + " " * (size - cell_len(cell)) for cell, size in zip(before, sizes, strict=False)]
    return GAP.join([*padded, last]).rstrip()


def _cut(cell: str, size: int) -> str:
    return cell if cell_len(cell) <= size else set_cell_size(cell, size - 1) + "…"


def records(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Each row as lines `name  value`, an empty line between rows."""
    size = max(map(cell_len, columns), default=0)
    for number, row in enumerate(rows):
        if number:
            yield ""
        for name, value in zip(columns, row, strict=True):
            yield f"{name + ' ' * (size - cell_len(name))}  {value}".rstrip()
