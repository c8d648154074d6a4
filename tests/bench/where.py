"""Where the processor time of an ingest goes, stage by stage, beside what the machine can do at best with the same bytes.

    python -m tests.bench.where --folder DIR --lines 26500000        # Postfix
    python -m tests.bench.where --folder DIR --megabytes 1000        # Exchange message tracking

Each stage is a function of the package that is timed where it is called, by the processor time of its own thread and
without the stages that are called within it; "the rest" is what the process took beside all of them: its start, threads
of libraries, what hands work on. Timing takes some time itself: compare shares, not seconds, with other figures.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench import exchange
from tests.bench.scale import OPTIONS, fresh, made, said, spent

STAGES = {
    "reading: bytes of the evidence": ("custody.streams:File.readinto",),
    "reading: digests": ("custody.streams:Hashing._do", "ingest.units:same"),
    "survey: stamps, hosts, sequences": ("loaders.postfix.survey:Surveyor.feed", "loaders.exchange.survey:Surveyor.feed"),
    "reading: scanning records": ("loaders.postfix:scan", "loaders.exchange:scan"),
    "reading: hops and legs of records": ("loaders.postfix:assemble", "loaders.exchange:assemble"),
    "joining: keys, what belongs together": (
        "stitch.journeys:hop_leg_keys", "stitch.selection:join_index", "ingest.hops:Hops.add",
        "ingest.deliveries:deliveries", "ingest.batches:fragments",
    ),
    "keeping: batches written, digested": ("ingest.batches:write",),
    "writing: batches loaded": ("ingest.batches:rows",),
    "writing: rows put together, sorted": ("ingest.handing:write",),
    "writing: naming": ("stitch.rows:_names",),
    "writing: Parquet": ("store:write",),
}  # fmt: skip


class Stages:
    """Processor seconds of each stage, over all threads."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._own = threading.local()

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*arguments: Any, **options: Any) -> Any:
            within = getattr(self._own, "within", 0.0)
            self._own.within = 0.0
            begun = time.thread_time()
            try:
                return function(*arguments, **options)
            finally:
                whole = time.thread_time() - begun
                with self._lock:
                    self.seconds[stage] += whole - self._own.within
                self._own.within = within + whole

        return call

    def take(self) -> None:
        """Time all of STAGES from now on."""
        for stage, places in STAGES.items():
            for place in places:
                module, _, name = place.partition(":")
                owner: Any = import_module(f"forensics.{module}")
                *outer, name = name.split(".")
                for part in outer:
                    owner = getattr(owner, part)
                function = getattr(owner, name)
                if name == "_do":  # what is given to it runs in a thread of its own
                    setattr(owner, name, self._handing(stage, function))
                else:
                    setattr(owner, name, self.timed(stage, function))

    def _handing(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self_, item: function(self_, self.timed(stage, item))


def measure(log: Path, case: Path) -> None:
    """In a process of its own: what the stages took, on standard output."""
    from forensics import pipeline

    stages = Stages()
    stages.take()
    begun = time.perf_counter()
    pipeline.ingest([log], case, org=[OPTIONS[3]], year=int(OPTIONS[1]))  # an Exchange log has years of its own
    wall, whole = time.perf_counter() - begun, sum(os.times()[:4])
    rows = [(stage, stages.seconds[stage]) for stage in STAGES]
    rows.append(("the rest", whole - sum(seconds for _, seconds in rows)))
    for stage, seconds in rows:
        say(f"{stage:44} {seconds:8.2f} s of processors  {seconds / whole:6.1%}")
    say(f"{'all':44} {whole:8.2f} s of processors, {wall:.2f} s")


def scanned(log: Path) -> None:
    """In a process of its own: the scanner alone, by one thread, over blocks as they are read, nothing kept."""
    import numpy as np

    from forensics.native import compiler
    from forensics.native.postfix.scanner import scan_block

    compiler.ready()
    none = np.zeros(0, np.bool_)
    size = 16 << 20
    with log.open("rb") as file:
        rest = b""
        while block := file.read(size):
            whole, _, tail = block.rpartition(b"\n")
            data = rest + whole + b"\n"
            scan_block(np.frombuffer(data + bytes(64), np.uint8), len(data), none)
            rest = tail


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--lines", type=int, default=2_900_000)
    size.add_argument("--megabytes", type=int)
    parser.add_argument("--within", choices=("stages", "scan"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    of_exchange = options.megabytes is not None
    log = (
        exchange.made(options.folder, options.megabytes)
        if of_exchange
        else made(options.folder / f"log-{options.lines}", options.lines)
    )
    if options.within == "stages":
        return measure(log, fresh(options.folder / "case"))
    if options.within == "scan":
        return scanned(log)
    say(json.dumps({"processors": len(os.sched_getaffinity(0)), "load": os.getloadavg()}))
    bytes_ = log.stat().st_size
    again = [sys.executable, "-m", "tests.bench.where", "--folder", str(options.folder)]
    again += ["--megabytes", str(options.megabytes)] if of_exchange else ["--lines", str(options.lines)]
    subprocess.run([*again, "--within", "stages"], check=True)
    if of_exchange:
        said("pyarrow.csv.read_csv", spent([sys.executable, "-c", exchange.read_csv(), str(log)]), bytes_)
    else:
        said("the scanner alone, one thread", spent([*again, "--within", "scan"]), bytes_)
    for peer in (
        ["sha256sum", str(log)],
        ["openssl", "sha256", str(log)],
        ["wc", "-l", str(log)],
        ["zstd", "-q", "-1", "-f", str(log), "-o", os.devnull],
        *([] if of_exchange else [["pflogsumm", str(log)]]),
    ):
        if shutil.which(peer[0]):
            said(peer[0], spent(peer), bytes_)
        else:
            say(f"{peer[0]} is not installed: not measured")
    return None


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
