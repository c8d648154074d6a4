"""The structure holds: directions of imports, light start, one statement of each contract."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from forensics import schema

ROOT = Path(__file__).resolve().parent.parent


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, runpy\n"
        "sys.argv = ['missent', '--help']\n"
        "try:\n    from forensics.cli import main; main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'numba', 'duckdb', 'pyarrow', 'numpy', 'matplotlib', 'dask'} & set(sys.modules)\n"
        "sys.exit(f'imported for --help: {sorted(heavy)}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_import_directions_hold() -> None:
    done = subprocess.run([sys.executable, "-m", "importlinter.cli", "lint"], capture_output=True, text=True, cwd=ROOT)
    if "No module named" in done.stderr:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "lint-imports")], capture_output=True, text=True, cwd=ROOT
        )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["DELIVERIES", "UNREAD", "FINDINGS", "INCIDENTS", "CORRESPONDENTS", "HOPS", "LEGS"])
def test_every_column_says_what_it_means(name: str) -> None:
    for column, _, meaning in schema.describe(getattr(schema, name)):
        assert meaning, f"{name}.{column}"


def test_only_the_engine_imports_dask() -> None:
    for path in (ROOT / "forensics").rglob("*.py"):
        if path.parent.name != "engine":
            assert not re.search(r"^\s*(import|from) (dask|distributed)\b", path.read_text("utf-8"), re.M), path
