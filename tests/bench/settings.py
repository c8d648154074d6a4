"""What each measure of `forensics.start` gains: `missent ingest` in turn with all of them, without each, without any.

    python -m tests.bench.settings LOG [--runs 15] [--command 'report --case DIR']

Processor time (of the process and its children) is what to compare: it hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.__main__ import machine

HEAD = "from forensics import cli, start; "
VARIANTS = {
    "all": "start.run(cli.main)",
    "without one_heap": "start.end_at_once(cli.main)",
    "without end_at_once": "start.one_heap(); cli.main()",
    "none": "cli.main()",
}


def timed(code: str, arguments: list[str]) -> tuple[float, float, float]:
    """(wall seconds, processor seconds, peak MiB) of the command run by this code."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", HEAD + code, *arguments], stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--command", help="another command than the ingest of LOG")
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in VARIANTS}
    folder = Path(tempfile.mkdtemp())
    ingest = ["ingest", str(options.log), "--org", "example.org", "--case", str(folder / "case")]
    arguments = shlex.split(options.command) if options.command else ingest
    timed(VARIANTS["all"], arguments)  # compiles, fills caches
    for turn in range(options.runs):
        for name in VARIANTS if turn % 2 else reversed(VARIANTS):
            shutil.rmtree(folder / "case", ignore_errors=True)
            found[name].append(timed(VARIANTS[name], arguments))
    shutil.rmtree(folder, ignore_errors=True)
    print(machine())
    for name, runs in found.items():
        wall, processor, peak = (statistics.median(one) for one in zip(*runs, strict=True))
        print(f"{name:32} {wall:7.2f} s, {processor:7.2f} s of processor, {peak:5.0f} MiB")


if __name__ == "__main__":
    main()
