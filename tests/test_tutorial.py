"""The tutorial is what happens: its commands run in their order and print what the page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import tutorial


@pytest.mark.slow
def test_the_tutorial_is_what_happens(tmp_path: Path) -> None:
    page = tutorial.PAGE.read_text("utf-8")
    assert len(tutorial.STEP.findall(page)) >= 10
    assert page.count(tutorial.MARK) == len(tutorial.STEP.findall(page)), "each command is followed by what it prints"
    assert tutorial.filled(page, tmp_path) == page, "run `python -m tests.tutorial` and look at what changed"
