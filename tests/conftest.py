"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")
"""The same examples in every run, and no test that a slow machine can fail. Others: `--hypothesis-profile default`."""

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell that starts a run in the background has it ignore interrupts, and with it every command that a test starts."""

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"
CORPORA = Path(os.environ.get("MISSENT_CORPORA") or ROOT / ".." / "shared" / "corpora").resolve()


@pytest.fixture(scope="session")
def data() -> Path:
    """The project's own corpora: tests/data."""
    return DATA


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Corpora derived from others' material, never committed; named by MISSENT_CORPORA."""
    if not (CORPORA / "replay-intel").is_dir():
        pytest.skip(
            f"NOT RUN: {CORPORA} does not hold the corpora of others' material; set MISSENT_CORPORA to their folder"
        )
    return CORPORA


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user of whom nobody knows the home folder: `HOME` is not set, and there is no entry for the number."""
    for name in ("HOME", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", _no_home)


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")  # pathlib's own words
