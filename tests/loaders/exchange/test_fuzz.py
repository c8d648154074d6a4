"""Broken files through the whole reading; with checked indexing an index out of bounds is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("checked", ["", pytest.param("1", marks=pytest.mark.long)])
def test_broken_files_are_read_within_bounds(tmp_path: Path, checked: str) -> None:
    """With bounds checked (all kernels are compiled anew for it: minutes), and as users have it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.loaders.exchange.fuzz", "1", "400"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "NUMBA_BOUNDSCHECK": checked, "PYTHONPATH": str(ROOT)} if checked else None,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert int(done.stdout.split()[-1]) > 300
