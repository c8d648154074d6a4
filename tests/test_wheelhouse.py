"""A machine without a network: `make wheelhouse` on one that has it, then an installation from that folder alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

CUT_OFF = ["unshare", "--map-root-user", "--net"]
"""Runs a command in which no network can be reached."""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.long
def test_it_installs_from_the_wheelhouse_with_the_network_cut_off(tmp_path: Path) -> None:
    if shutil.which("unshare") is None or run(*CUT_OFF, "true").returncode != 0:
        pytest.skip("this system lets no user cut off the network (unshare)")
    fetched = run("make", "wheelhouse", f"PYTHON={sys.executable}", f"WHEELHOUSE={tmp_path / 'wheelhouse'}")
    if "NewConnectionError" in fetched.stderr or "Temporary failure in name resolution" in fetched.stderr:
        pytest.skip("there is no package index to fetch the wheels from")
    assert fetched.returncode == 0, fetched.stderr
    assert run(sys.executable, "-m", "venv", tmp_path / "env").returncode == 0
    pip = tmp_path / "env" / "bin" / "pip"
    held = run(*CUT_OFF, pip, "install", "--no-index", "--find-links", tmp_path / "wheelhouse", "missent")
    assert held.returncode == 0, held.stderr
    told = run(*CUT_OFF, tmp_path / "env" / "bin" / "missent", "formats")
    assert told.returncode == 0 and "postfix" in told.stdout, told.stderr
