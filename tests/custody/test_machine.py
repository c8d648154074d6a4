"""What the machine refuses: an error names the file and the remedy, and the case is as it was."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics import errors
from forensics.cli import main
from tests.custody.test_killed import left, missent, tables
from tests.ingesting import two_logs

FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv = ["missent", *sys.argv[2:]]
from forensics.cli import start
start()
"""
"""No file may grow beyond so many bytes: writing fails as on a full disk, and root is no exception."""


def full(room: int, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-c", FULL, str(room), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    return done.returncode, done.stderr


def sweep(tmp_path: Path, rooms: tuple[int, ...]) -> set[str]:
    first, second = two_logs(tmp_path / "logs")
    case = tmp_path / "case"
    assert missent(case, "run", str(first), "--org", "albion.example", "--format", "html", "--case", str(case)) == 0
    stages = {"ingest": ("ingest", str(second)), "detect": ("detect",), "report": ("report", "--format", "html,json")}
    seen = set()
    for name, arguments in stages.items():
        for room in rooms:
            now = tmp_path / f"{name}-{room}"
            shutil.copytree(case, now)
            before = tables(now)
            code, told = full(room, *arguments, "--case", str(now))
            assert code in (errors.OK, errors.MACHINE), told
            if code:
                assert "to do: make room there" in told and str(now) in told and "Traceback" not in told
                assert tables(now) == before
            assert left(now) == []
            seen.add(f"{name} {'failed' if code else 'done'}")
            assert CliRunner().invoke(main, ["verify", str(now)]).exit_code == 0
    return seen


@pytest.mark.slow
def test_a_full_disk_leaves_the_case_as_it_was(tmp_path: Path) -> None:
    assert {"ingest failed", "detect failed", "report failed"} <= sweep(tmp_path, (0, 9000))


@pytest.mark.long
def test_a_disk_that_is_full_sooner_or_later(tmp_path: Path) -> None:
    rooms = (0, 1, 100, 1000, 3000, 5000, 7000, 9000, 12_000, 16_000, 24_000, 60_000, 200_000, 1 << 20)
    assert {"ingest failed", "detect failed", "report failed", "report done"} <= sweep(tmp_path, rooms)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("machine")
    first, _ = two_logs(folder / "logs")
    done = CliRunner().invoke(
        main, ["run", str(first), "--org", "albion.example", "--format", "html", "--case", str(folder / "case")]
    )
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize(
    "name",
    ["case.toml", "manifest.json", "custody.jsonl", "verdicts.jsonl", "detection.json", "findings.parquet", ".lock"],
)
def test_a_folder_where_a_file_should_be(whole: Path, tmp_path: Path, name: str) -> None:
    case = tmp_path / "case"
    shutil.copytree(whole / "case", case)
    (case / name).unlink(missing_ok=True)
    (case / name).mkdir()
    (case / name / "kept").write_text("kept")
    for command in (
        ["verify", str(case)], ["detect", "--case", str(case)], ["report", "--case", str(case)],
        ["ingest", str(whole / "logs" / "b.log"), "--case", str(case)], ["explain", "navy.exmaple", "--case", str(case)],
        ["sql", "select 1", "--case", str(case)],
    ):  # fmt: skip
        done = CliRunner().invoke(main, command)
        assert done.exception is None or isinstance(done.exception, SystemExit), (command, done.exception)
        assert done.exit_code in errors.EXIT_CODES
        assert (case / name / "kept").read_text() == "kept" or done.exit_code == 0


@pytest.mark.parametrize("name", ["reports", "deliveries", "unread", "streams"])
def test_a_file_where_a_folder_should_be(whole: Path, tmp_path: Path, name: str) -> None:
    case = tmp_path / "case"
    shutil.copytree(whole / "case", case)
    shutil.rmtree(case / name, ignore_errors=True)
    (case / name).write_text("kept")
    for command in (
        ["verify", str(case)], ["detect", "--case", str(case)], ["report", "--case", str(case)],
        ["ingest", str(whole / "logs" / "b.log"), "--case", str(case)],
    ):  # fmt: skip
        done = CliRunner().invoke(main, command)
        assert done.exception is None or isinstance(done.exception, SystemExit), (command, done.exception)
        assert done.exit_code in errors.EXIT_CODES and not left(case)


def test_reports_where_a_file_lies(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    done = CliRunner().invoke(main, ["report", "--case", str(whole / "case"), "--out", str(tmp_path / "file")])
    assert done.exit_code in (errors.UsageError.exit_code, errors.MACHINE)
    assert "to do:" in done.output and str(tmp_path / "file") in done.output
    assert (tmp_path / "file").read_text() == "kept"
    assert CliRunner().invoke(main, ["verify", str(whole / "case")]).exit_code == 0


def test_a_case_that_cannot_be_written(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only reads works on a medium that takes nothing; what records says that it has to, and what helps."""

    def refuse(path: str | Path, flags: int, *given: int, **more: int) -> int:
        if Path(path).name == ".lock" and flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return real(path, flags, *given, **more)

    real = os.open
    monkeypatch.setattr("forensics.custody.lock.os.open", refuse)
    case = str(whole / "case")
    for command in (
        ["detect"],
        ["report"],
        ["custody", "add", "--from", "A", "--to", "B", "--at", "2024-01-01", "--what", "x"],
    ):
        done = CliRunner().invoke(main, [*command, "--case", case])
        assert done.exit_code == errors.MACHINE and "--out" not in done.output
        assert f"{case}: cannot be written (Read-only file system), and" in done.output and "a copy" in done.output
    (whole / "case" / ".next").mkdir()
    for command in (
        ["verify", case],
        ["status", case],
        ["sql", "--case", case, "select 1"],
        ["custody", "show", "--case", case],
    ):
        assert CliRunner().invoke(main, command).exit_code == 0, command
    (whole / "case" / ".next").rmdir()


def test_reports_where_a_folder_lies(whole: Path, tmp_path: Path) -> None:
    for place in (tmp_path / "out", tmp_path / "case" / "reports"):
        shutil.copytree(whole / "case", tmp_path / "case", dirs_exist_ok=True)
        (place / "incident.json").mkdir(parents=True)
        (place / "incident.json" / "kept").write_text("kept")
        done = CliRunner().invoke(
            main, ["report", "--case", str(tmp_path / "case"), "--out", str(place), "--format", "html,json"]
        )
        assert done.exit_code == errors.UsageError.exit_code
        assert f"{place / 'incident.json'}: is there already, and is no file" in done.output
        assert (place / "incident.json" / "kept").read_text() == "kept"
        assert not left(tmp_path / "case")


@pytest.mark.parametrize("change", ["vanishes", "is replaced", "is shortened", "is a folder"])
def test_evidence_that_is_another_at_the_second_reading(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Between the survey and the reading somebody touches the log; the case is as it was before."""
    from forensics.ingest import survey

    log = tmp_path / "c.log"
    shutil.copyfile(whole / "logs" / "b.log", log)
    case = tmp_path / "case"
    shutil.copytree(whole / "case", case)
    before = tables(case)
    plain = survey.ordered

    def touched(surveyed):  # type: ignore[no-untyped-def]
        data = log.read_bytes()
        log.unlink()
        if change == "is replaced":
            log.write_bytes(data.replace(b"y@", b"z@"))
        elif change == "is shortened":
            log.write_bytes(data[: len(data) // 2])
        elif change == "is a folder":
            log.mkdir()
        return plain(surveyed)

    monkeypatch.setattr(survey, "ordered", touched)
    done = CliRunner().invoke(main, ["ingest", str(log), "--case", str(case)])
    assert done.exit_code == errors.MACHINE, done.output
    assert str(log) in done.output and "to do:" in done.output
    assert tables(case) == before and not left(case)
