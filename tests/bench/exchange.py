"""How fast a day of message tracking log is read, beside `pyarrow.csv.read_csv` of the same file and columns.

    python -m tests.bench.exchange [--megabytes 1000] [--folder DIR] [--runs 3]

Both run as whole processes, one after the other, best of `--runs`; peak memory is the process's own. The log is
generated (synthetic; seed fixed): one server, 30 columns, mailbox submissions, shadow copies, agents, lists, failures.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from forensics.loaders.exchange import fields as f
from forensics.native.exchange.slots import SLOTS

NAMES = f.LAYOUTS[30]
HEADER = (
    "#Software: Microsoft Exchange Server\r\n#Version: 15.02.1544.004\r\n#Log-type: Message Tracking Log\r\n"
    "#Date: 2023-06-01T00:00:00.000Z\r\n#Fields: " + ",".join(NAMES) + "\r\n"
)


def _message(n: int, chance: random.Random) -> list[tuple[int, str]]:
    """(millisecond of the day, row) of one message."""
    at = chance.randrange(0, 86_000_000)
    hexed = f"{chance.getrandbits(128):032x}"
    nmid = f"{hexed[:8]}-{hexed[8:12]}-{hexed[12:16]}-{hexed[16:20]}-{hexed[20:]}"
    mid = f"<{hexed[:24]}.{n}@ex01.albion-defence.uk>"
    sender = f"user{chance.randrange(4000)}@albion-defence.uk"
    outside = chance.random() < 0.55
    people = [
        f"person{chance.randrange(30000)}@" + (f"partner{chance.randrange(300)}.uk" if outside else "albion-defence.uk")
        for _ in range(1 if chance.random() < 0.8 else chance.randrange(2, 6))
    ]
    to = ";".join(people)
    ok = ";".join(["250 2.1.5 Recipient OK"] * len(people))
    role = ";".join(["To"] * len(people))
    subject = f'"Re: contract {n}, ""draft"" {n % 7}"' if n % 5 == 0 else f"Weekly status {n % 997}"
    size = chance.randrange(3000, 900000)
    ip = f"10.4.{n % 250}.{n % 249}"

    def row(
        delay: int,
        context: str,
        connector: str,
        source: str,
        event: str,
        status: str,
        server: str = "EX01",
        address: str = "10.1.3.4",
        related: str = "",
    ) -> tuple[int, str]:
        ms = at + delay
        stamp = f"2023-06-01T{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}Z"
        return ms, (
            f"{stamp},{ip},EX01.albion-defence.uk,{address},{server},{context},{connector},{source},{event},{n},{mid},{nmid},"
            f"{to},{status},{size},{len(people)},{related},,{subject},{sender},{sender},,Originating,,{ip},10.1.3.4,"
            f"S:DeliveryPriority=Normal;S:OriginalFromAddress={sender};S:AccountForest=albion-defence.uk,Email,"
            f"{hexed}-{delay},15.02.1544.004\r\n"
        )

    submit = (
        '"MDB:61914740-3232-2323-1111-12345679987, Mailbox:279f544d-3232-2323-1111-08da9fd00918, '
        f'Event:{n}, MessageClass:IPM.Note, CreationTime:2023-06-01T00:00:00.000Z, ClientType:MOMT"'
    )
    rows = [
        row(0, submit, "", "STOREDRIVER", "RECEIVE", role),
        row(2, submit, "", "STOREDRIVER", "SUBMIT", ""),
        row(9, f"EX03=250 2.6.0 {mid} [InternalId={n}] Queued mail for redundancy", "", "SMTP", "HAREDIRECT", ok),
        row(12, "CatContentConversion", "", "AGENT", "AGENTINFO", ""),
    ]
    if n % 40 == 0:
        rows.append(row(15, "", "", "ROUTING", "EXPAND", ok, related="everyone@albion-defence.uk"))
    if n % 50 == 0:
        rows.append(row(60, "", "", "SMTP", "DEFER", ";".join(["451 4.4.0 try later; next hop"] * len(people))))
    if outside and n % 33 == 0:
        rows.append(row(900, "", "", "DNS", "FAIL", ";".join(["550 5.4.310 DNS domain does not exist"] * len(people))))
    elif outside:
        answer = f"08DB{n:012X};250 2.0.0 Ok: queued as {n:X};ClientSubmitTime:"
        rows.append(
            row(
                150,
                answer,
                "Internet Send",
                "SMTP",
                "SENDEXTERNAL",
                ok,
                server="mx1.partner.uk",
                address="198.51.100.7",
            )
        )
    else:
        rows.append(row(90, "ClientType:StoreDriver", "", "STOREDRIVER", "DELIVER", ""))
    return rows


def generate(path: Path, megabytes: int) -> None:
    """Writes a day's log of about `megabytes` (10^6 bytes), rows in order of time."""
    chance = random.Random(20230601)
    average = 3700
    rows: list[tuple[int, str]] = []
    for n in range(megabytes * 1_000_000 // average):
        rows += _message(n, chance)
    rows.sort()
    with path.open("wb") as out:
        out.write(HEADER.encode())
        for start in range(0, len(rows), 10000):
            out.write("".join(r for _, r in rows[start : start + 10000]).encode())


_GENERATE = """
import pathlib, sys
from tests.bench.exchange import generate
generate(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
"""

_ARROW = """
import sys, pyarrow.csv as c
names = {names!r}
wanted = {wanted!r}
t = c.read_csv(sys.argv[1], read_options=c.ReadOptions(skip_rows=5, column_names=names),
    parse_options=c.ParseOptions(newlines_in_values=True),
    convert_options=c.ConvertOptions(include_columns=wanted))
rows = t.num_rows
"""

_LOADER = """
import sys
from tests.bench.exchange import loader
rows = loader(sys.argv[1])
"""

_INGEST = """
import sys, tempfile
from pathlib import Path
from forensics.case import Case
from forensics.custody.discovery import discover
from forensics.ingest.read import ingest
with tempfile.TemporaryDirectory(dir=Path(sys.argv[1]).parent) as folder:
    rows = ingest(Case(Path(folder)), discover([sys.argv[1]]).sources).deliveries
"""

_TAIL = """
import resource, json
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([rows, used.ru_maxrss // 1024, used.ru_utime + used.ru_stime]))
"""


def made(folder: Path, megabytes: int) -> Path:
    """The log of that size, unless it is there. Made by a process of its own: a child's peak of memory begins at what its
    parent has."""
    path = folder / f"MSGTRK20230601-{megabytes}.LOG"
    if not path.exists():
        subprocess.run([sys.executable, "-c", _GENERATE, str(path), str(megabytes)], check=True)
    return path


def read_csv() -> str:
    """Code that reads a log (its argument) by `pyarrow.csv`, the columns that the loader reads."""
    return _ARROW.format(names=list(NAMES), wanted=[n for n in NAMES if n in SLOTS])


def loader(path: str) -> int:
    """Survey and scan of one file on two threads, to events, the way ingest does it; the number of records."""
    from collections import deque
    from concurrent.futures import Future, ThreadPoolExecutor
    from itertools import pairwise

    from forensics.custody.discovery import discover
    from forensics.custody.evidence import blocks, stretch
    from forensics.ingest import survey as surveying
    from forensics.loaders import exchange
    from forensics.loaders.base import ScanContext
    from forensics.loaders.settings import Settings

    source = discover([path]).sources[0]
    surveyor = exchange.surveyor(source.name, Settings())
    for block in blocks(source, exchange.split, size=surveying.BLOCK):
        surveyor.feed(block)
    survey = surveyor.result()
    read = 0
    with ThreadPoolExecutor(2) as pool:
        waiting: deque[Future[int]] = deque()
        offsets = [*sorted(survey.blocks), source.size]
        for start, stop in pairwise(offsets):
            block = stretch(source, start, stop)
            context = ScanContext(0, survey.blocks[block.offset], survey.plan)
            waiting.append(pool.submit(lambda b, c: exchange.scan(b, c).records, block, context))
            if len(waiting) > 2:
                read += waiting.popleft().result()
        read += sum(w.result() for w in waiting)
    return read


def _run(code: str, path: Path) -> tuple[float, float, int, int]:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code + _TAIL, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    rows, peak, busy = json.loads(done.stdout.strip().splitlines()[-1])
    return time.perf_counter() - started, busy, rows, peak


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--megabytes", type=int, default=1000)
    options.add_argument("--folder", type=Path)
    options.add_argument("--runs", type=int, default=3)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        path = made(folder, given.megabytes)
        contenders = {
            "pyarrow.csv.read_csv": read_csv(),
            "missent loader to events": _LOADER,
            "missent ingest": _INGEST,
        }
        print(f"{path.stat().st_size / 1e6:.0f} MB, best of {given.runs}, processes one after the other")
        for name, code in contenders.items():
            wall, busy, rows, peak = min(_run(code, path) for _ in range(given.runs))
            print(f"{name:24} {wall:7.2f} s wall {busy:7.2f} s cpu {rows:>9} rows  peak {peak:>5} MiB", flush=True)


if __name__ == "__main__":
    main()
