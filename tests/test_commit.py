"""All or nothing: what was there before is there again when a stage fails, and Ctrl-C waits for the last step."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from forensics import commit
from forensics.case import Case


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def made(folder: Path) -> Case:
    case = Case(folder)
    case.deliveries.mkdir(parents=True)
    (case.deliveries / "old").write_text("old")
    case.findings.write_text("stale")
    case.toml.write_text("people's")
    case.manifest.write_text("{}")
    case.custody_log.write_text("one\n")
    return case


def test_put_together(tmp_path: Path) -> None:
    case = made(tmp_path / "case")
    with commit.aside(case) as work:
        (work / "deliveries").mkdir()
        (work / "deliveries" / "new").write_text("new")
        fresh = {case.deliveries: work / "deliveries", case.findings: None, case.incidents: None}
        assert commit.put(case, work, fresh, lambda: 7) == 7
    assert sorted(tree(case.folder)) == ["case.toml", "custody.jsonl", "deliveries/new", "manifest.json"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("no")])
def test_when_the_last_step_fails_all_is_as_before(tmp_path: Path, error: BaseException) -> None:
    case = made(tmp_path / "case")
    before = tree(case.folder)

    def then() -> None:
        case.toml.write_text("changed")
        case.manifest.unlink()
        with case.custody_log.open("a") as file:
            file.write("two\n")
        raise error

    with pytest.raises(type(error)), commit.aside(case) as work:
        (work / "deliveries").mkdir()
        (work / "x").write_text("x")
        commit.put(
            case, work, {case.deliveries: work / "deliveries", case.findings: None, case.incidents: work / "x"}, then
        )
    assert tree(case.folder) == before


def test_what_was_not_there_before_is_not_there_after(tmp_path: Path) -> None:
    case = Case(tmp_path / "above" / "case")

    def then() -> None:
        for path in (case.toml, case.manifest, case.custody_log):
            path.write_text("new")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"), commit.no_trace(case):
        case.streams.mkdir(parents=True)
        (case.streams / "copy").write_text("of standard input")
        with commit.aside(case) as work:
            commit.put(case, work, {}, then)
    assert not (tmp_path / "above").exists()


def test_nothing_of_others_is_taken_away(tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    case.streams.mkdir(parents=True)
    (case.streams / "earlier").write_text("x")
    with pytest.raises(ValueError, match="no"), commit.no_trace(case):
        (case.streams / "later").write_text("x")
        raise ValueError("no")
    assert tree(case.folder) == {"streams/earlier": b"x"}


def test_an_interrupt_waits_for_the_last_step(tmp_path: Path) -> None:
    """Sent to the process while the step runs: the step ends, then the interrupt counts."""
    case = made(tmp_path / "case")
    begun = threading.Event()

    def then() -> None:
        begun.set()
        time.sleep(0.3)
        case.toml.write_text("done")

    def press() -> None:
        begun.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    with pytest.raises(KeyboardInterrupt), commit.aside(case) as work:
        commit.put(case, work, {}, then)
    assert case.toml.read_text() == "done"
