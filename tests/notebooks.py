"""The notebooks of notebooks/: run, and stored with what they show.

python -m tests.notebooks     # runs them and stores it; tests/test_notebooks.py says when that is due

What would differ at every run without meaning anything is taken out: a plot's date and the random names inside it, times
and versions that Jupyter notes. What is left is compared as text, but for the numbers in a plot: those may be off by a
fiftieth of a point, since libraries of linear algebra round differently from processor to processor.
"""

from __future__ import annotations

import itertools
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.conftest import ROOT

FOLDER = ROOT / "notebooks"
SVG = "image/svg+xml"
_NAME = re.compile(r'(?<=[#"])[A-Za-z]+[0-9a-f]{10}(?=["\)])')
"""matplotlib's names of paths inside a plot: a letter and a digest with a random salt."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_NEAR = 0.02


def stored() -> list[Path]:
    """All notebooks, in order."""
    return sorted(FOLDER.glob("*.ipynb"))


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook after a run from start to end. Raises CellExecutionError for a cell that fails."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        around = {
            **os.environ,
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "IPYTHONDIR": folder,
            "TMPDIR": folder,
        }
        client = NotebookClient(
            notebook,
            timeout=300,
            kernel_name="python3",
            record_timing=False,
            extra_arguments=["--InlineBackend.figure_formats={'svg'}"],
            resources={"metadata": {"path": str(FOLDER)}},
        )
        client.execute(env=around)
    notebook.metadata.language_info = {"name": "python"}
    plots = itertools.count(1)
    for output in outputs(notebook):
        if SVG in output.get("data", {}):
            output.data[SVG] = _settled(output.data[SVG], f"plot{next(plots)}")
    return notebook


def outputs(notebook: nbformat.NotebookNode) -> Iterator[Any]:
    """Every output of every cell, in order."""
    for cell in notebook.cells:
        yield from cell.get("outputs", ())


def _settled(plot: str, prefix: str) -> str:
    """An SVG without its date, with names of the order in which they come; no two plots of a page share one."""
    plot = re.sub(r"\s*<metadata>.*?</metadata>", "", plot, flags=re.S)
    names: dict[str, str] = {}
    return _NAME.sub(lambda found: names.setdefault(found[0], f"{prefix}-{len(names)}"), plot)


def shown(notebook: nbformat.NotebookNode) -> list[tuple[str, Any]]:
    """(id of the cell, what it shows) for each cell of code."""
    return [
        (cell.id, [{key: value for key, value in output.items() if key != "metadata"} for output in cell.outputs])
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def same(one: Any, other: Any) -> bool:
    """Whether two outputs say the same; see the module's head."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _alike(one[key], other[key]) if key == SVG else same(one[key], other[key]) for key in one
        )
    if isinstance(one, Sequence) and isinstance(other, Sequence) and not isinstance(one, str):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _alike(one: str, other: str) -> bool:
    if _NUMBER.sub("#", one) != _NUMBER.sub("#", other):
        return False
    pairs = zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True)
    return all(abs(float(a) - float(b)) <= _NEAR for a, b in pairs)


if __name__ == "__main__":
    for each in stored():
        nbformat.write(executed(each), each)
