"""Fuzzing with checked indexing: an index out of bounds is an error here, not a read of other memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.slow
def test_broken_files_are_read_within_bounds(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.loaders.exchange.fuzz", "1", "400"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1", "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert int(done.stdout.split()[-1]) > 300
