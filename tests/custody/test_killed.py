"""Commands that are killed: what the next command finds is the state before, or the one that was being made."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.ingesting import two_logs

RUN = """
import os, sys
events = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "shutil.rmtree")
at, seen = int(sys.argv[1]), 0

def hook(event, arguments):
    global seen
    writing = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if (event in events or writing) and CASE in str(arguments[0]):
        seen += 1
        if seen == at:
            os._exit(137)

CASE = sys.argv[2]
sys.addaudithook(hook)
sys.argv = ["missent", *sys.argv[3:]]
from forensics.cli import start
start()
"""
ORG = ("--org", "albion.example")


def missent(case: Path, *arguments: str, at: int = 0) -> int:
    """Exit code of a command that is killed at its `at`-th change of files of the case (0: not at all)."""
    command = [sys.executable, "-c", RUN, str(at), str(case), *arguments]
    return subprocess.run(command, capture_output=True, check=False, env={**os.environ}).returncode


def tables(case: Path) -> dict[str, bytes]:
    """Every table and report, with its bytes; no clock is in them."""
    wanted = [*case.rglob("*.parquet"), *case.glob("reports/*.html")]
    return {path.relative_to(case).as_posix(): path.read_bytes() for path in sorted(wanted)}


def left(case: Path) -> list[str]:
    """Hidden names, but the lock's and what is kept for the next ingest."""
    return sorted(p.name for p in case.rglob(".*") if p.name not in (".lock", ".runs"))


def sweep(tmp_path: Path, ats: Sequence[int]) -> set[str]:
    """Kill every stage that writes at these steps, the short ones at the first two; what became of each."""
    first, second = two_logs(tmp_path / "logs")
    stages: dict[str, tuple[str, ...]] = {
        "ingest": ("ingest", str(second)), "detect": ("detect",), "report": ("report", "--format", "html"),
        "review": ("review", "--rule", "confirmed", "--on", "contoso-marnie.com", "--reason", "asked", "--reviewer", "R."),
        "withdraw": ("report", "--withdraw", "incident.html", "--because", "a wrong name"),
        "custody": ("custody", "add", "--from", "A.", "--to", "B.", "--at", "2024-03-09", "--what", "disk 7"),
    }  # fmt: skip
    short = ("review", "withdraw", "custody")
    seen = set()
    for name, arguments in stages.items():
        for at in ats[:2] if name in short and len(ats) < 10 else ats:
            case = tmp_path / f"{name}-{at}"
            assert missent(case, "run", str(first), *ORG, "--format", "html", "--case", str(case)) == 0
            before = tables(case)
            code = missent(case, *arguments, "--case", str(case), at=at)
            assert code in (0, 137)
            assert missent(case, "sql", "--case", str(case), "select count(*) from deliveries") == 0
            assert left(case) == []
            after = tables(case)
            assert missent(case, "verify", str(case)) == 0
            if code == 137 and after != before:
                assert name != "ingest" or "deliveries/month=2024-04/day-01.parquet" in after
            seen.add(f"{name} {'killed' if code else 'done'}")
    return seen


@pytest.mark.slow
def test_killed_commands_leave_a_case_that_verifies(tmp_path: Path) -> None:
    seen = sweep(tmp_path, (3, 21, 34, 55))
    assert {
        "ingest killed",
        "detect killed",
        "report killed",
        "review killed",
        "withdraw killed",
        "custody killed",
    } <= seen


@pytest.mark.long
def test_killed_at_every_change(tmp_path: Path) -> None:
    assert "ingest done" in sweep(tmp_path, range(1, 120, 2))


def test_a_case_in_use_is_refused_by_name(tmp_path: Path) -> None:
    from forensics.case import Case
    from forensics.custody import lock

    first, _ = two_logs(tmp_path / "logs")
    case = tmp_path / "case"
    with lock.held(Case(case), "review"):
        command = [
            sys.executable,
            "-c",
            "from forensics.cli import start; start()",
            "ingest",
            str(first),
            "--case",
            str(case),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 7
    assert "missent review, user" in done.stderr and str(os.getpid()) in done.stderr
