"""Missent's whole ingest against pflogsumm on the same log in the same run, and its memory. Run by `make bench`.

The log is made by `postfix_log.py`. Set MISSENT_BENCH_LINES (default 2,900,000) for another size, and
MISSENT_BENCH_BIG=1 for the run on ten times as much.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.bench.postfix_log import write

LINES = int(os.environ.get("MISSENT_BENCH_LINES", "2900000"))


def command(place: Path, log: Path) -> list[str]:
    """The whole command as a user runs it: digests, manifest and custody log included."""
    return [sys.executable, "-m", "forensics.cli", "ingest", str(log), "--org", "example.org", "--case", str(place)]


def timed(command: list[str], **options: object) -> tuple[float, int, str]:
    """(seconds, peak MiB, standard output) of one process."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:  # type: ignore[call-overload]
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - started, usage.ru_maxrss // 1024, out


def ingest(place: Path, log: Path) -> tuple[float, int, str]:
    shutil.rmtree(place, ignore_errors=True)
    return timed(command(place, log))


def spread(seconds: list[float]) -> str:
    return ", ".join(f"{s:.2f}" for s in seconds)


def machine() -> str:
    names = " ".join(f"{n} {version(n)}" for n in ("numba", "numpy", "pyarrow"))
    return f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}, {names}"


@pytest.mark.bench
def test_ratio_and_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "mail.log-20240401"
    write(log, LINES)
    ingest(tmp_path / "warm", log)  # compiles once
    runs, peer = [], []
    for turn in range(3):  # in turn: a machine that slows down slows both
        runs.append(ingest(tmp_path / f"case{turn}", log))
        if shutil.which("pflogsumm"):
            peer.append(timed(["pflogsumm", str(log)])[0])
    seconds, memory, out = sorted(runs)[1]
    lines = [
        f"log: {log.stat().st_size / 1e6:.0f} MB, {LINES:,} lines; {machine()}",
        *out.splitlines()[:3],
        f"missent ingest: {seconds:.2f} s (median of {spread([r[0] for r in runs])}), {memory} MiB",
    ]
    if peer:
        slow = sorted(peer)[1]
        lines.append(
            f"pflogsumm: {slow:.2f} s (median of {spread(peer)}); missent is {slow / seconds:.1f} times as fast"
        )
    if os.environ.get("MISSENT_BENCH_BIG"):
        big = tmp_path / "big" / "mail.log-20240401"
        big.parent.mkdir()
        write(big, LINES * 10)
        big_seconds, big_memory, _ = ingest(tmp_path / "big-case", big)
        lines.append(
            f"ten times the log: {big_seconds:.2f} s ({big_seconds / seconds / 10:.2f} of the rate), {big_memory} MiB"
        )
        assert big_memory <= 1024
    with capsys.disabled():
        print("\n" + "\n".join(lines))
    assert memory <= 1024


@pytest.mark.bench
def test_small_jobs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "mail.log-20240401"
    write(log, 1000)
    cache = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    shutil.rmtree(tmp_path / "case", ignore_errors=True)
    cold, memory, _ = timed(command(tmp_path / "cold", log), env=cache)
    warm, _, _ = timed(command(tmp_path / "warm", log), env=cache)
    with capsys.disabled():
        print(f"\n1,000 lines: {cold:.2f} s cold, {warm:.2f} s warm, {memory} MiB; {machine()}")
    assert (tmp_path / "warm" / "deliveries").is_dir()
