"""`make bench`: every benchmark, each against a peer run side by side, with the versions and the machine.

python -m tests.bench [postfix] [exchange] [detector]
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

BENCHES = {
    "postfix": ["-m", "pytest", "-q", "-s", "-m", "bench", "tests/bench/test_postfix_speed.py"],
    "exchange": ["-m", "tests.bench.exchange"],
    "detector": ["-m", "tests.bench.detector", "--tables", ".bench/tables"],
}
LIBRARIES = ("missent", "numpy", "numba", "pyarrow", "duckdb")


def machine() -> str:
    """Processor, cores, memory, system, Python and libraries in two lines."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    cores = len(os.sched_getaffinity(0))
    system = f"{platform.system()} {platform.release()}"
    return f"{cpu}, {cores} cores, {memory:.0f} GiB, {system}\nPython {platform.python_version()}, {versions}"


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    print(machine(), flush=True)
    worst = 0
    for name in names or BENCHES:
        print(f"\n== {name}", flush=True)
        worst = max(worst, subprocess.run([sys.executable, *BENCHES[name]], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
