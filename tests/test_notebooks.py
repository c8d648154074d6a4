"""Every notebook runs from start to end, and shows what is stored in it."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from tests import notebooks

PATHS = notebooks.stored()


def test_there_are_notebooks() -> None:
    assert [path.name[:2] for path in PATHS] == ["01", "02", "03", "04"]


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_is_stored_in_it(path: Path) -> None:
    stored, new = notebooks.shown(nbformat.read(path, as_version=4)), notebooks.shown(notebooks.executed(path))
    assert [name for name, _ in stored] == [name for name, _ in new]
    differs = [name for (name, one), (_, other) in zip(stored, new, strict=True) if not notebooks.same(one, other)]
    assert not differs, f"{path.name}: cells {differs}: run `python -m tests.notebooks` and look at what changed"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_is_stored_can_be_read_by_everyone(path: Path) -> None:
    """Outputs, a plot at least, no warnings or errors; nothing of the machine on which they were made."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    found = list(notebooks.outputs(notebook))
    assert any(notebooks.SVG in one.get("data", {}) for one in found)
    assert not [one for one in found if one.output_type == "error" or one.get("name") == "stderr"]
    text = path.read_text("utf-8")
    assert not re.search(r"/(tmp|home|root|Users|usr|var)/", text), "a path of one machine"
    assert not re.search(r"<script|javascript:|\bon\w+=", text), "a code host shows no script"
    assert notebook.metadata.language_info == {"name": "python"}
    assert len(text) < 400_000


def test_a_difference_is_seen() -> None:
    plot = '<path d="M 10.50 3"/><text>high</text>'
    one = [{"output_type": "display_data", "data": {notebooks.SVG: plot}}]
    assert notebooks.same(
        one, [{"output_type": "display_data", "data": {notebooks.SVG: plot.replace("10.50", "10.51")}}]
    )
    for other in (plot.replace("10.50", "10.6"), plot.replace("high", "low"), plot + "<g/>"):
        assert not notebooks.same(one, [{"output_type": "display_data", "data": {notebooks.SVG: other}}])
    text = [{"output_type": "stream", "text": "10.50"}]
    assert not notebooks.same(text, [{"output_type": "stream", "text": "10.51"}])
