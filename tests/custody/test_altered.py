"""Every file of a case and its evidence, altered by a bit, a byte, a line or its end: `verify` sees it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from forensics import pipeline, workbench
from forensics.errors import MissentError
from tests.ingesting import two_logs

KINDS = ("flip", "delete", "repeat", "swap", "truncate", "remove")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("altered")
    pipeline.run(two_logs(folder / "logs"), folder / "case", org=["albion.example"], formats="html,json")
    assert workbench.verify(folder / "case").ok
    return folder / "case"


def altered(data: bytes, kind: str, draw: random.Random) -> bytes | None:
    """None: the file is not there any more."""
    at = draw.randrange(len(data))
    lines = data.splitlines(keepends=True)
    one = draw.randrange(len(lines))
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :]
    if kind == "delete":
        return data[:at] + data[at + 1 :]
    if kind == "repeat":
        return b"".join([*lines[: one + 1], *lines[one:]])
    if kind == "swap":
        other = draw.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
        return b"".join(lines)
    return data[:at] if kind == "truncate" else None


def unnoticed(case: Path, kind: str, times: int, seed: int) -> list[str]:
    draw = random.Random(f"{kind} {seed}")
    files = [path for path in sorted(case.rglob("*")) if path.is_file() and path.name != ".lock"]
    passed = []
    for path in [*files, *sorted((case.parent / "logs").iterdir())]:
        kept = path.read_bytes()
        for _ in range(times):
            new = altered(kept, kind, draw)
            # A log that went on being written holds what it held: verify says by how much it grew, and passes.
            grown = new is not None and new.startswith(kept) and not path.is_relative_to(case)
            may_go = new is None and ".runs" in path.parts  # what is kept for the next ingest may be deleted
            if new == kept or grown or may_go:
                continue
            path.unlink()
            if new is not None:
                path.write_bytes(new)
            try:
                if workbench.verify(case).ok:
                    passed.append(path.name)
            except MissentError:
                pass
            finally:
                path.write_bytes(kept)
    return passed


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_altered_is_found(case: Path, kind: str) -> None:
    assert unnoticed(case, kind, 1, seed=1) == []
    assert workbench.verify(case).ok


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_altered_is_found_hundreds_of_times(case: Path, kind: str) -> None:
    assert unnoticed(case, kind, 20 if kind != "remove" else 1, seed=2) == []
