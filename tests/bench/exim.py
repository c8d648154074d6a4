"""How fast Exim's mainlog is read: `python -m tests.bench.exim --megabytes 100 --runs 3`.

The log is generated: seven lines a message, with TLS and SMTP confirmation, every tenth recipient deferred once.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2024, 3, 1, tzinfo=UTC)
TLS = "X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=yes"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(number: int, width: int) -> str:
    out = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        out = DIGITS[digit] + out
    return out


def lines() -> Iterator[str]:
    """Lines of one server, without end."""
    number = 0
    while True:
        number += 1
        at = f"{START + timedelta(milliseconds=250 * number):%Y-%m-%d %H:%M:%S}"
        message = f"{at} {base62(56_000_000_000 // 62 + number, 6)}-{base62(number, 6)}-{base62(number % 3844, 2)}"
        yield f"{at} SMTP connection from ws{number % 90}.albion.example [10.0.0.{number % 250}] closed by QUIT\n"
        yield (
            f"{message} <= user{number % 700}@albion.example H=ws{number % 90}.albion.example [10.0.0.{number % 250}] "
            f"P=esmtpsa {TLS} A=plain:user{number % 700} S={1000 + number % 90_000} id={number}@albion.example\n"
        )
        for copy in range(2):
            to = f"person{(number * 7 + copy) % 9000}@partner{number % 400}.example"
            host = f"H=mx.partner{number % 400}.example [203.0.113.{number % 250}]"
            if number % 10 == copy:
                yield f"{message} == {to} R=dnslookup T=remote_smtp defer (-44) {host}: 451 4.7.1 Greylisted\n"
            yield f'{message} => {to} R=dnslookup T=remote_smtp {host} {TLS} C="250 2.0.0 Ok: queued as 4B{number:08X}"\n'
        yield f"{message} Completed\n"


def write(path: Path, size: int) -> None:
    written = 0
    with path.open("w", encoding="ascii") as file:
        for line in lines():
            written += file.write(line)
            if written >= size and line.endswith("Completed\n"):
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "mainlog"
        write(log, options.megabytes * 1_000_000)
        size = log.stat().st_size / 1e6
        taken = []
        for run in range(options.runs):
            start = time.perf_counter()
            case = ["--case", f"{folder}/case-{run}", "--org", "albion.example"]
            subprocess.run([sys.executable, "-m", "forensics.cli", "ingest", str(log), *case], check=True)
            taken.append(time.perf_counter() - start)
    middle = statistics.median(taken)
    print(f"{size:.0f} MB of mainlog in {middle:.1f} s (median of {options.runs}): {size / middle:.1f} MB/s")


if __name__ == "__main__":
    main()
