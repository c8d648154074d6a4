"""How far a command is, on standard error."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.progress import At, Watch, words
from forensics.report.text.visible import visible

if TYPE_CHECKING:
    from forensics.progress import Progress


@contextmanager
def progress(how: str = "auto", *, quiet: bool = False) -> Iterator[Progress | None]:
    """How far a command is, on standard error: `bar`, `json` (one object a line) or `none`. `auto` is a bar where
    standard error is a terminal, unless `quiet`; else None (no reporting)."""
    if how == "json":
        yield Watch(_as_line)
    elif how == "bar" or (how == "auto" and not quiet and sys.stderr.isatty()):
        with _bar() as shown:
            yield shown
    else:
        yield None


def _as_line(at: At) -> None:
    said = {**dataclasses.asdict(at), "at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    for name in ("elapsed", "rate", "left"):
        said[name] = None if said[name] is None else round(said[name], 3)
    sys.stderr.write(json.dumps(said) + "\n")
    sys.stderr.flush()


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    # What comes from file names is no markup, and moves no cursor; it has the room that the rest leaves.
    whole, rest = Column(no_wrap=True), Column(no_wrap=True, overflow="ellipsis", ratio=1)
    columns = (
        TextColumn("{task.description}", markup=False, table_column=whole),
        BarColumn(12),
        TextColumn("{task.fields[said]}", markup=False, table_column=whole),
        TextColumn("{task.fields[file]}", markup=False, table_column=rest),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
        task = bar.add_task("", total=None, said="", file="")

        def tell(at: At) -> None:
            file = visible(Path(at.file).name) if at.file else ""
            what = visible(at.what)
            bar.update(task, description=what, total=at.total or None, completed=at.done, said=words(at), file=file)

        yield Watch(tell)
