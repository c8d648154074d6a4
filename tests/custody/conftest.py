"""Fixtures of the custody tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forensics.custody import objects
from tests.custody import store as stores
from tests.custody.made import Built, build


@pytest.fixture
def built(tmp_path: Path) -> Built:
    return build(tmp_path)


@pytest.fixture
def nobody_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has not named any bucket yet; where the names are kept."""
    monkeypatch.setattr(objects, "_here", set())
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "missent" / "stores"


@pytest.fixture
def store(nobody_named: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[stores.Store]:
    with stores.serving() as serving:
        stores.use(monkeypatch, serving.url, "key", "secret")
        yield serving
