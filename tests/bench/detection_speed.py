"""How long the detector takes, and how much memory: candidates for made names, detection of a case, explanations.

    python -m tests.bench.detection_speed candidates [--typed 1000000] [--known 100000]
    python -m tests.bench.detection_speed detection CASE
    python -m tests.bench.detection_speed explain CASE SUBJECT…

Names are made from a fixed seed; one typed name in fifty is one slip from a known one. Prints wall and processor seconds
and the most memory held (resident, of the whole process), as one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SUFFIXES = ("com", "org", "net", "de", "co.uk", "gov.uk", "mil", "edu", "fr", "io")
_SLIPS = 50


def names(count: int, seed: int) -> list[str]:
    """Distinct made domains of six to fourteen letters."""
    draw = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        label = "".join(draw.choices(_LETTERS, k=draw.randint(6, 14)))
        found[f"{label}.{draw.choice(_SUFFIXES)}"] = None
    return list(found)


def slipped(known: Sequence[str], count: int, seed: int) -> list[str]:
    """Known names with one letter left out."""
    draw = random.Random(seed)
    out = []
    for _ in range(count):
        name = draw.choice(known)
        at = draw.randrange(1, name.index("."))
        out.append(name[:at] + name[at + 1 :])
    return out


def candidates(typed: int, known: int) -> dict[str, Any]:
    """Candidates for `typed` names among `known` ones."""
    from forensics.detector.candidates import find

    there = names(known, 1)
    given = names(typed - typed // _SLIPS, 2) + slipped(there, typed // _SLIPS, 3)
    return measured(lambda: {"typed": len(given), "known": len(there), "candidates": len(find(given, there))})


def detection(case: Path) -> dict[str, Any]:
    """The whole detection of a case's deliveries, nothing written."""
    from forensics import casefile, detector, store
    from forensics.case import Case

    read = casefile.read(Case(case))

    def run() -> dict[str, Any]:
        with store.connect(Case(case), read.organisation.domains) as connection:
            result = detector.detect(connection, read)
            (row,) = connection.sql("select count(*) from deliveries").fetchall()
        return {"deliveries": row[0], "findings": result.findings.num_rows}

    return measured(run)


RUNS = 5


def explain(case: Path, subjects: Sequence[str]) -> dict[str, Any]:
    """Wall and processor seconds of the whole command for each subject: medians of RUNS, after one not counted."""
    command = [sys.executable, "-c", "from forensics.cli import start; start()", "explain", "--case", str(case)]

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def run(subject: str) -> tuple[float, float]:
        wall, processor = time.perf_counter(), spent()
        subprocess.run([*command, subject], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - wall, spent() - processor

    told = {}
    for subject in subjects:
        runs = [run(subject) for _ in range(RUNS + 1)][1:]
        wall, processor = (round(statistics.median(one), 2) for one in zip(*runs, strict=True))
        told[subject] = {"seconds": wall, "processor_seconds": processor}
    return told


def measured(run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `run` tells, with its cost."""
    wall, processor = time.perf_counter(), time.process_time()
    told = run()
    return told | {
        "seconds": round(time.perf_counter() - wall, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
        "most_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("candidates")
    one.add_argument("--typed", type=int, default=1_000_000)
    one.add_argument("--known", type=int, default=100_000)
    kinds.add_parser("detection").add_argument("case", type=Path)
    one = kinds.add_parser("explain")
    one.add_argument("case", type=Path)
    one.add_argument("subjects", nargs="+", metavar="SUBJECT")
    options = parser.parse_args(arguments)
    if options.kind == "candidates":
        told = candidates(options.typed, options.known)
    elif options.kind == "explain":
        told = explain(options.case, options.subjects)
    else:
        told = detection(options.case)
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
