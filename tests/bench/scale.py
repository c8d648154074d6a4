"""Time, memory and bytes of whole processes as evidence grows: the figures of docs/scale.md.

    python -m tests.bench.scale sizes --folder DIR --lines 2900000 26500000
    python -m tests.bench.scale days --folder DIR --days 300 --lines 60000
    python -m tests.bench.scale cluster --folder DIR --lines 2900000
    python -m tests.bench.scale files --folder DIR --files 5000

`sizes`: `missent ingest`, `missent verify` and `missent detect` of one log, `pflogsumm` where it is installed, and what
the machine can do at best with the same bytes (`sha256sum`, `wc -l`). `days`: one day more, in a case that holds all others and in an empty one.
`cluster`: a Dask scheduler and two workers of one thread on this machine, against two threads. `files`: a log cut into
many. Everything runs in turn; FOLDER needs four times the room of the logs. Logs that are there already are not made again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from tests.bench import postfix_log

MISSENT = [sys.executable, "-c", "from forensics.cli import start; start()"]
OPTIONS = ["--year", "2024", "--org", "albion.example"]
START = datetime(2024, 1, 1, tzinfo=UTC)


class Spent(NamedTuple):
    """Of a process and its children: seconds on the wall and of processors, and the peak of memory of one (MiB)."""

    seconds: float
    processor: float
    peak: int


def spent(command: Sequence[str]) -> Spent:
    """Run a command whose output nobody needs; raises CalledProcessError unless it ends with 0."""
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    unit = 1 if sys.platform == "darwin" else 1024
    return Spent(time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit >> 20)


def ingest(logs: Sequence[Path], case: Path, *more: str) -> Spent:
    return spent([*MISSENT, "ingest", *map(str, logs), "--case", str(case), *OPTIONS, *more])


def said(what: str, one: Spent, size: int = 0) -> None:
    rate = f", {size / one.seconds / 1e6:,.0f} MB/s" if size else ""
    sys.stdout.write(f"{what:44} {one.seconds:8.2f} s  {one.processor:8.2f} s of processors  {one.peak:6,} MiB{rate}\n")
    sys.stdout.flush()


def made(path: Path, lines: int, **options: object) -> Path:
    """A log of so many lines, unless it is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in postfix_log.lines(lines, **options))  # type: ignore[arg-type]
    return path


def sizes(folder: Path, counts: Sequence[int]) -> None:
    for count in counts:
        log = made(folder / f"log-{count}", count)
        size = log.stat().st_size
        case = fresh(folder / "case")
        sys.stdout.write(f"{count:,} lines, {size:,} bytes\n")
        said("missent ingest", ingest([log], case), size)
        kept = sum(path.stat().st_size for path in (case / ".runs").rglob("*") if path.is_file())
        tables = sum(path.stat().st_size for path in case.rglob("*.parquet"))
        said("missent verify", spent([*MISSENT, "verify", str(case)]), size)
        said("missent detect --memory 2G", spent([*MISSENT, "detect", "--case", str(case), "--memory", "2G"]))
        sys.stdout.write(f"  tables {tables:,} bytes, kept for the next ingest {kept:,} bytes\n")
        for peer in (["pflogsumm", str(log)], ["sha256sum", str(log)], ["wc", "-l", str(log)]):
            if shutil.which(peer[0]):
                said(" ".join(peer[:-1]), spent(peer), size)
            else:
                sys.stdout.write(f"{peer[0]} is not installed: not measured\n")


def days(folder: Path, count: int, lines: int) -> None:
    logs = []
    for n in range(count):
        day = START + timedelta(days=n)
        logs.append(made(folder / "days" / f"mail.log-{day:%Y%m%d}", lines, seed=n, host="mx1", start=day))
    size = sum(log.stat().st_size for log in logs)
    sys.stdout.write(f"{count} days, {size:,} bytes; the last {logs[-1].stat().st_size:,}\n")
    case = fresh(folder / "case")
    said(f"the first {count - 1} days", ingest(logs[:-1], case), size)
    said("the last day, added to them", ingest(logs[-1:], case))
    said("the last day alone", ingest(logs[-1:], fresh(folder / "alone")))
    said("all days at once", ingest(logs, fresh(folder / "whole")), size)
    sys.stdout.write(f"the same tables: {same(case, folder / 'whole')}\n")


def files(folder: Path, count: int) -> None:
    whole = made(folder / f"log-{count * 80}", count * 80)
    place = fresh(folder / "files")
    place.mkdir()
    content = whole.read_bytes()
    step = len(content) // count + 1
    at = n = 0
    while at < len(content):
        end = content.find(b"\n", min(at + step, len(content) - 1)) + 1 or len(content)
        (place / f"{n:06d}.log").write_bytes(content[at:end])
        at, n = end, n + 1
    said(f"{n:,} files of {step:,} bytes", ingest([place], fresh(folder / "case")), len(content))
    said("the same bytes in one file", ingest([whole], fresh(folder / "whole")), len(content))


def cluster(folder: Path, lines: int) -> None:
    log = made(folder / f"log-{lines}", lines)
    size = log.stat().st_size
    with two_workers(folder) as address:
        ingest([log], fresh(folder / "case"), "--cluster", address)  # workers load their code
        before = crossed()
        said("two workers of one thread", ingest([log], fresh(folder / "case"), "--cluster", address), size)
        passed = crossed() - before
        said("two threads", ingest([log], fresh(folder / "whole"), "--workers", "2"), size)
    sys.stdout.write(f"through scheduler, client and workers: {passed:,} bytes of {size:,} read\n")
    sys.stdout.write(f"the same tables: {same(folder / 'case', folder / 'whole')}\n")


@contextmanager
def two_workers(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    module = [sys.executable, "-m"]
    commands = [
        [*module, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"],
        *(
            [*module, "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny",
             "--local-directory", str(folder / f"worker-{n}")]
            for n in range(2)
        ),
    ]  # fmt: skip
    running = []
    try:
        for command in commands:
            running.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            time.sleep(3)
        yield address
    finally:
        for process in running[::-1]:
            process.terminate()
            process.wait(30)


def crossed() -> int:
    """Bytes that have gone over the loopback interface, by the system's counters; other programs' among them."""
    found = Path("/sys/class/net/lo/statistics/rx_bytes")
    return int(found.read_text("ascii")) if found.exists() else 0


def fresh(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    return place


def same(one: Path, other: Path) -> bool:
    tables = [
        {path.relative_to(place): path.read_bytes() for path in place.rglob("*.parquet")} for place in (one, other)
    ]
    return tables[0] == tables[1]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name in ("sizes", "days", "cluster", "files"):
        kind = kinds.add_parser(name)
        kind.add_argument("--folder", type=Path, required=True)
        if name == "sizes":
            kind.add_argument("--lines", type=int, nargs="+", default=[2_900_000])
        elif name != "files":
            kind.add_argument("--lines", type=int, default=60_000 if name == "days" else 2_900_000)
        if name == "days":
            kind.add_argument("--days", type=int, default=300)
        if name == "files":
            kind.add_argument("--files", type=int, default=5_000)
    options = parser.parse_args(arguments)
    sys.stdout.write(json.dumps({"processors": len(os.sched_getaffinity(0)), "load": os.getloadavg()}) + "\n")
    match options.kind:
        case "sizes":
            sizes(options.folder, options.lines)
        case "days":
            days(options.folder, options.days, options.lines)
        case "cluster":
            cluster(options.folder, options.lines)
        case _:
            files(options.folder, options.files)


if __name__ == "__main__":
    main()
