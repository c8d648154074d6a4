"""Broken files and changed rows through the whole reading; with checked indexing an index out of bounds is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: str, checked: str = "") -> int:
    """With bounds checked (all kernels are compiled anew for it: minutes), or as users have it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.loaders.exchange.fuzz", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "NUMBA_BOUNDSCHECK": checked, "PYTHONPATH": str(ROOT)} if checked else None,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return int(done.stdout.split()[-1])


@pytest.mark.parametrize("checked", ["", pytest.param("1", marks=pytest.mark.long)])
def test_broken_files_are_read_within_bounds(checked: str) -> None:
    assert run("1", "400", checked=checked) > 300


def test_changed_rows_cost_nothing_but_themselves() -> None:
    assert run("1", "20", "rows") > 1000


@pytest.mark.long
def test_a_million_changed_rows_cost_nothing_but_themselves() -> None:
    """Row by row through ingest and verify."""
    assert run("2", "15000", "rows") > 1_000_000
