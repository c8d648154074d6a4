"""What an ingest keeps, in a case that comes from anywhere: told by name or left alone, and nothing outside is read."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from forensics.case import Case
from forensics.custody import canonical, guard, runs
from forensics.errors import CaseError
from forensics.ingest import finished, kept

NAME = "0" * 32


def _state(folder: Path, content: Any) -> str:
    """A state under the digest that the manifest would name."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    digest = hashlib.sha256(data).hexdigest()
    folder.mkdir(exist_ok=True)
    runs.state(folder, digest).write_bytes(data)
    return digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One batch, and beside the folder what is not the case's."""
    batch = tmp_path / runs.FOLDER / NAME
    batch.mkdir(parents=True)
    (batch / "hops.arrow").write_bytes(b"hops")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "hops.arrow").write_bytes(b"hops")
    return tmp_path / runs.FOLDER


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000 + b"]" * 100_000,
        b'{"batches":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"\xff\x00",
        b"9" * 5_000,
        [],
        {},
        {"batches": None},
        *({"batches": [[["key"], name, "0" * 64]]} for name in (5, ".", "../outside", "/etc", "a\0b", "\ud800", "a" * 999)),
        {"batches": [[[], NAME, "0" * 64]]},
        {"batches": [[["key"], NAME, 5]]},
    ],
    ids=lambda value: repr(value)[:40],
)  # fmt: skip
def test_what_is_no_state_is_told_and_not_read(folder: Path, content: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = _state(folder, content)
    opened: list[Path] = []
    real = canonical.file_digest
    monkeypatch.setattr(canonical, "file_digest", lambda path: opened.append(path) or real(path))
    count, faults = runs.faults(folder, digest)
    assert count == 0
    assert len(faults) == 1 and "is no state" in faults[0]
    assert opened == [runs.state(folder, digest)]
    assert not kept.read(folder, digest).batches
    kept.forget(folder, digest)


def test_a_digest_that_is_none_names_no_file(folder: Path) -> None:
    (folder.parent / "x.json").write_bytes(b"{}")
    assert runs.faults(folder, "/../../x") == (0, [".runs: the state that manifest.json names '/../../x' is no digest"])
    assert not kept.read(folder, "/../../x").batches


def _subfolder(batch: Path) -> None:
    (batch / "more").mkdir()


def _odd(batch: Path) -> None:
    (batch / "hops.arrow\nlegs.arrow").write_bytes(b"")


def _bytes(batch: Path) -> None:
    os.close(os.open(os.fsencode(batch) + b"/\xff\xfe", os.O_CREAT))


def _file(batch: Path) -> None:
    (batch / "hops.arrow").unlink()
    batch.rmdir()
    batch.write_bytes(b"")


@pytest.mark.parametrize("alter", [_subfolder, _odd, _bytes, _file])
def test_what_is_no_batch_is_told(folder: Path, alter: Any) -> None:
    digest = _state(folder, {"batches": [[["key"], NAME, runs.digest(folder / NAME)]]})
    assert runs.faults(folder, digest) == (1, [])
    alter(folder / NAME)
    count, faults = runs.faults(folder, digest)
    assert count == 1
    assert len(faults) == 1 and faults[0].startswith(f".runs/{NAME} was changed: ")


def test_a_state_in_whose_place_a_folder_lies_is_told(folder: Path) -> None:
    digest = _state(folder, {"batches": []})
    place = runs.state(folder, digest)
    place.unlink()
    place.mkdir()
    assert len(runs.faults(folder, digest)[1]) == 1
    assert not kept.read(folder, digest).batches


def test_folders_without_end_are_refused(folder: Path) -> None:
    here = folder
    for _ in range(guard.DEEPEST + 1):
        here = here / "d"
        here.mkdir()
    with pytest.raises(CaseError, match=r"folders in folders"):
        guard.check(Case(folder.parent), [runs.FOLDER])


def test_a_file_where_the_folder_belongs_is_named(folder: Path) -> None:
    place = folder / "file"
    place.write_bytes(b"")
    with pytest.raises(CaseError, match=r"is no folder"), finished.undone(place):
        pass
