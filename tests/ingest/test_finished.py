"""An ingest that was cut short: the next one does not read again what was read, and comes to the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forensics import pipeline, workbench
from forensics.custody import runs
from forensics.errors import MachineError
from forensics.ingest import batches, finished, kept, read, units
from tests.ingesting import message, to

OPTIONS: dict[str, Any] = {"org": ["albion.example"], "workers": 1}


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Six files that are read one by one; a message of the second ends in the fifth."""
    monkeypatch.setattr(units, "BUNDLED", 1)
    monkeypatch.setattr(finished, "WORTH", 1)
    folder = tmp_path / "logs"
    folder.mkdir()
    found = []
    for n in range(6):
        at = f"2024-03-0{n + 1}T10:00:00.000000+00:00"
        text = message(f"4{n}1C2D3E4F", to(f"x@navy{n}.example"), at=at)
        late = message("5A1C2D3E4F", to("y@navy.example"), at=at).splitlines(keepends=True)
        found.append(folder / f"{n}.log")
        found[-1].write_text(text + "".join({1: late[:3], 4: late[3:]}.get(n, [])))
    return found


def tables(case: Path) -> dict[str, bytes]:
    return {p.relative_to(case).as_posix(): p.read_bytes() for p in sorted(case.rglob("*.parquet"))}


def cut(case: Path, paths: list[Path], after: int, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Ends an ingest when so many units were read."""
    taken: list[int] = []
    take = read._take

    def interrupted(*arguments: Any) -> None:
        take(*arguments)
        taken.append(1)
        if len(taken) == after:
            raise error

    with monkeypatch.context() as patched, pytest.raises(type(error)):
        patched.setattr(read, "_take", interrupted)
        pipeline.ingest(paths, case, **OPTIONS)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are read."""
    found: list[str] = []
    one = units.read

    def counting(folder: Path, unit: Any, given: Any = None) -> Any:
        found.extend(Path(part.item.source.name).name for part in unit)
        return one(folder, unit, given)

    monkeypatch.setattr(units, "read", counting)
    return found


@pytest.mark.parametrize("after", [1, 3, 6])
def test_what_was_read_is_not_read_again(
    after: int, logs: list[Path], tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tmp_path / "case"
    pipeline.ingest(logs, tmp_path / "whole", **OPTIONS)
    cut(case, logs, after, monkeypatch, KeyboardInterrupt())
    assert sorted(path.name for path in case.iterdir()) == [".lock", ".runs"]
    counted.clear()
    done = pipeline.ingest(logs, case, **OPTIONS)
    assert counted == [f"{n}.log" for n in range(after, 6)]
    assert done.resumed == sum(path.stat().st_size for path in logs[:after])
    assert tables(case) == tables(tmp_path / "whole")
    assert not (case / runs.FOLDER / finished.FILE).exists()
    assert workbench.verify(case).ok
    entry = json.loads((case / "custody.jsonl").read_text().splitlines()[-1])
    assert entry["details"]["resumed_bytes"] == done.resumed


def test_cut_short_again_and_again(
    logs: list[Path], tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tmp_path / "case"
    pipeline.ingest(logs[:1], case, **OPTIONS)
    content = tables(case)
    for after in (2, 4):
        cut(case, logs[1:], after, monkeypatch, KeyboardInterrupt())
        assert tables(case) == content
        assert workbench.verify(case).ok
    counted.clear()
    pipeline.ingest(logs[1:], case, **OPTIONS)
    pipeline.ingest(logs, tmp_path / "whole", **OPTIONS)
    assert tables(case) == tables(tmp_path / "whole")
    assert counted[:2] == ["4.log", "5.log"]


def test_other_evidence_than_before(
    logs: list[Path], tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of a file that is another one now, or is not given any more, is not used, and does not stay."""
    case = tmp_path / "case"
    cut(case, logs[:4], 4, monkeypatch, KeyboardInterrupt())
    logs[1].write_text(message("6A1C2D3E4F", to("z@other.example"), at="2024-03-02T10:00:00.000000+00:00"))
    counted.clear()
    pipeline.ingest(logs[1:], case, **OPTIONS)
    assert counted == ["1.log", "4.log", "5.log"]
    pipeline.ingest(logs[1:], tmp_path / "whole", **OPTIONS)
    assert tables(case) == tables(tmp_path / "whole")
    assert len([path for path in (case / runs.FOLDER).iterdir() if path.is_dir()]) == 5


def _altered(folder: Path, lines: list[str]) -> list[str]:
    batch = json.loads(lines[0])["batch"][1]
    with (folder / batch / batches.FACTS).open("a") as file:
        file.write(" ")
    return lines


def _gone(folder: Path, lines: list[str]) -> list[str]:
    shutil.rmtree(folder / json.loads(lines[0])["batch"][1])
    return lines


def _taken_for_another(_folder: Path, lines: list[str]) -> list[str]:
    first, second = json.loads(lines[0]), json.loads(lines[1])
    first["batch"][1:] = second["batch"][1:]
    return [json.dumps(first), *lines[1:]]


def _torn(_folder: Path, lines: list[str]) -> list[str]:
    return [lines[0][: len(lines[0]) // 2], *lines[1:]]


def _no_text(_folder: Path, lines: list[str]) -> list[str]:
    return ["[" * 100_000, '{"seal": 1, "made_by": null}', "[]", "\x00", *lines[1:]]


@pytest.mark.parametrize("altered", [_altered, _gone, _taken_for_another, _torn, _no_text])
def test_what_is_not_as_it_was_is_read_again(
    altered: Any, logs: list[Path], tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tmp_path / "case"
    cut(case, logs, 3, monkeypatch, KeyboardInterrupt())
    place = case / runs.FOLDER / finished.FILE
    place.write_text("\n".join(altered(case / runs.FOLDER, place.read_text().splitlines())) + "\n")
    counted.clear()
    pipeline.ingest(logs, case, **OPTIONS)
    assert counted == ["0.log", "3.log", "4.log", "5.log"]
    pipeline.ingest(logs, tmp_path / "whole", **OPTIONS)
    assert tables(case) == tables(tmp_path / "whole")


@pytest.mark.parametrize("key", [b"", b"x" * kept.KEY])
def test_what_another_user_has_read_is_not_used(
    key: bytes, logs: list[Path], tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(tmp_path / "case", logs, 3, monkeypatch, KeyboardInterrupt())
    monkeypatch.setattr(kept, "_key", lambda: key)
    counted.clear()
    pipeline.ingest(logs, tmp_path / "case", **OPTIONS)
    assert len(counted) == 6


@pytest.mark.parametrize("error", [MachineError("memory"), OSError(28, "No space left on device")])
def test_nothing_stays_where_the_machine_is_in_the_way(
    error: BaseException, logs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(tmp_path / "case", logs, 3, monkeypatch, error)
    assert not (tmp_path / "case").exists()


def test_only_what_was_cut_short_is_told_as_kept(
    logs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time something stands in the way: what the first has read stays, and nothing is promised."""
    case = tmp_path / "case"
    first, second = KeyboardInterrupt(), OSError(28, "No space left on device")
    cut(case, logs, 3, monkeypatch, first)
    cut(case, logs, 5, monkeypatch, second)
    assert any("need not read" in note for note in first.__notes__)
    assert not any("need not read" in note for note in second.__notes__)
    assert pipeline.ingest(logs, case, **OPTIONS).resumed == sum(path.stat().st_size for path in logs[:3])


def test_little_is_not_left_behind(logs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finished, "WORTH", sum(path.stat().st_size for path in logs))
    cut(tmp_path / "case", logs, 3, monkeypatch, KeyboardInterrupt())
    assert not (tmp_path / "case").exists()


def test_a_killed_process_leaves_what_it_has_read(logs: list[Path], tmp_path: Path, counted: list[str]) -> None:
    case = tmp_path / "case"
    program = """
import os, sys
from forensics import pipeline
from forensics.ingest import read, units
units.BUNDLED = 1
taken, take = [], read._take
def killed(*arguments):
    take(*arguments)
    taken.append(1)
    if len(taken) == 4:
        os._exit(137)
read._take = killed
pipeline.ingest(sys.argv[2:], sys.argv[1], org=["albion.example"], workers=1)
"""
    command = [sys.executable, "-c", program, str(case), *map(str, logs)]
    assert subprocess.run(command, check=False, env={**os.environ}).returncode == 137
    done = pipeline.ingest(logs, case, **OPTIONS)
    assert counted == ["4.log", "5.log"]
    assert done.resumed == sum(path.stat().st_size for path in logs[:4])
    pipeline.ingest(logs, tmp_path / "whole", **OPTIONS)
    assert tables(case) == tables(tmp_path / "whole")
