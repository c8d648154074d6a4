"""How far a command is that holds a case, as somebody else sees it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics import pipeline, workbench
from forensics.case import Case
from forensics.cli import main
from forensics.custody import bags, doing, lock, staging
from forensics.errors import CaseError, CaseInUse
from tests.custody import made

SLOW = """
import sys, time
from forensics import pipeline, progress
def slow(step, done, total):
    if step == "survey":
        print("surveying", flush=True)
        time.sleep(60)
pipeline.ingest([sys.argv[1]], sys.argv[2], progress=slow)
"""
"""An ingest that stays in its survey."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    place = tmp_path / "mail.log-20230602"
    place.write_bytes(made.GATEWAY)
    return place


@contextlib.contextmanager
def at_work(log: Path, case: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(log), str(case)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "surveying\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def status(case: Path) -> str:
    done = CliRunner().invoke(main, ["status", "--case", str(case)])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_first_ingest_is_seen_at_work_and_seen_to_have_been_killed(log: Path, tmp_path: Path) -> None:
    case = tmp_path / "case"
    with at_work(log, case) as process:
        found = doing.read(Case(case))
        assert found is not None and found.at is not None
        assert (found.action, found.running, found.process) == ("ingest", True, str(process.pid))
        assert (found.at.step, found.at.done, found.at.total) == ("survey", 0, log.stat().st_size)
        before = sorted(case.iterdir())
        assert f"process {process.pid}" in status(case)
        assert sorted(case.iterdir()) == before
        process.kill()
        process.wait()
        found = doing.read(Case(case))
        assert found is not None and (found.running, found.at is not None) == (False, True)
        told = status(case)
        assert "Ended" in told and "In use" not in told and "run that command again" in told
    assert workbench.status(case).in_use is None


def test_nothing_of_it_stays_when_a_later_command_ends(log: Path, tmp_path: Path) -> None:
    case = tmp_path / "case"
    with at_work(log, case) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (case / lock.DOING).exists()
    pipeline.ingest([log], case, org=["albion.example"])
    assert not (case / lock.DOING).exists()
    assert doing.read(Case(case)) is None
    assert "Ended" not in status(case)


def test_what_another_command_left_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    case.folder.mkdir()
    note = {"by": {"process": "1"}, "at": {}, "told": "2026-01-01T00:00:00Z"}
    with lock.held(case, "detect"):
        (case.folder / lock.DOING).write_text(json.dumps(note))
        found = doing.read(case)
        assert found is not None
        assert (found.action, found.running, found.at) == ("detect", True, None)


def test_of_another_machine_it_is_not_known_whether_it_runs(tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    case.folder.mkdir()
    said = {
        "action": "ingest",
        "host": "elsewhere.example",
        "user": "ann",
        "process": "7",
        "since": "2026-01-01T00:00:00Z",
    }
    (case.folder / lock.NAME).write_text(json.dumps(said))
    found = doing.read(case)
    assert found is not None and found.running is None
    assert "not seen from here" in status(case.folder)


@pytest.mark.parametrize("content", ["", "{", '{"by": 1}', '{"at": {"step": "x"}}', "[" * 100_000])
def test_a_note_that_is_none_is_no_fault(tmp_path: Path, content: str) -> None:
    case = Case(tmp_path / "case")
    case.folder.mkdir()
    with lock.held(case, "detect"):
        (case.folder / lock.DOING).write_text(content)
        found = doing.read(case)
        assert found is not None and found.at is None


def test_a_link_in_its_place_is_neither_followed_nor_written_through(log: Path, tmp_path: Path) -> None:
    case, victim = tmp_path / "case", tmp_path / "victim"
    case.mkdir()
    victim.write_text("kept")
    (case / lock.DOING).symlink_to(victim)
    with pytest.raises(CaseError, match="symbolic link"):
        pipeline.ingest([log], case, org=["albion.example"])
    assert victim.read_text() == "kept"


def test_a_note_that_cannot_be_written_does_not_end_the_command(tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    case.folder.mkdir()
    heard: list[str] = []
    with lock.held(case, "ingest"):
        (case.folder / lock.DOING).mkdir()
        report = doing.kept(case, lambda step, done, total: heard.append(step))
        report("survey", 0, 10)
        report("survey", 10, 10)
        (case.folder / lock.DOING).rmdir()
    assert heard == ["survey", "survey"]
    assert [one.name for one in case.folder.iterdir()] == [lock.NAME]


def test_a_look_at_the_lock_turns_no_command_away(tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    case.folder.mkdir()
    fd = os.open(case.folder / lock.NAME, os.O_RDWR | os.O_CREAT)
    import fcntl

    fcntl.flock(fd, fcntl.LOCK_SH)
    with pytest.raises(CaseInUse), lock.held(case, "detect"):
        pass
    with lock.held(case, "detect", sleep=lambda _: os.close(fd)):
        pass


def test_neither_bag_nor_verification_knows_of_it(log: Path, tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    pipeline.ingest([log], case.folder, org=["albion.example"])
    (case.folder / lock.DOING).write_text("left over")
    assert workbench.verify(case.folder).ok
    bag = bags.write(case, tmp_path / "bag")
    assert not list(bag.folder.rglob(lock.DOING))
    assert lock.DOING not in case.manifest.read_text() + case.custody_log.read_text()


def test_status_writes_nothing_and_takes_no_case_from_a_killed_command(log: Path, tmp_path: Path) -> None:
    case = tmp_path / "case"
    pipeline.ingest([log], case, org=["albion.example"])
    (case / staging.NEXT).mkdir()
    before = {place: place.stat().st_mtime_ns for place in case.rglob("*")}
    assert "Evidence   1 file" in status(case)
    assert {place: place.stat().st_mtime_ns for place in case.rglob("*")} == before


def test_status_of_a_case_in_the_midst_of_an_exchange(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = tmp_path / "case"
    pipeline.ingest([log], case, org=["albion.example"])
    journal = case / staging.JOURNAL
    journal.write_text('{"moves": [], "removed": []}')
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(CaseError, match="while it put new tables in place"):
        workbench.status(case)
    monkeypatch.setattr(time, "sleep", lambda _: journal.unlink())
    assert workbench.status(case).evidence == 1


def test_an_interrupted_stage_says_what_is_kept(log: Path, tmp_path: Path) -> None:
    case = tmp_path / "case"

    def interrupted(step: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as first:
        pipeline.ingest([log], case, org=["albion.example"], progress=interrupted)
    assert first.value.__notes__ == [f"this ingest changed nothing: no case was made in {case}"]
    assert not case.exists()
    pipeline.ingest([log], case, org=["albion.example"])
    with pytest.raises(KeyboardInterrupt) as second:
        pipeline.detect(case, progress=interrupted)
    assert second.value.__notes__ == [f"this detect changed nothing: {case} stands as it was before"]
    assert workbench.verify(case).ok
