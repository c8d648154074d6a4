"""Mutated log lines: no crash, no read beyond a buffer, no record lost.

Compiled code does not check bounds; the long run (a million lines) has it compiled with NUMBA_BOUNDSCHECK=1, in a process
of its own, so that a read outside raises.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from forensics.loaders import base, timing, years
from forensics.loaders import postfix as loader
from forensics.loaders.postfix import assembling as queues
from forensics.loaders.settings import Settings
from forensics.stitch import journeys

TOKENS = (
    b"to=<", b"orig_to=<", b">, relay=", b", delay=", b"status=sent", b"(", b")", b"from=<", b"; from=<", b"> to=<", b"> proto=",
    b"helo=<", b"[", b"]", b": ", b"\r", b'"', b"\\", b"\xff", b"\0", b"4B1C2D3E4F", b"reject: RCPT from ", b"client=", b", size=",
    b"nrcpt=", b"queued as ", b"message-id=<", b"removed", b"NOQUEUE: ", b"header Subject: ", b"<", b">", b" ", b"{", b"99999999999999999999",
)  # fmt: skip
BEARING = re.compile(
    rb"(?<![\w./-])[a-z][\w.-]*/(?:smtp|lmtp|local|virtual|pipe|qmgr|cleanup|smtpd)\[\d+\]: [0-9A-F]{10}: [^\n]*(?:to=<|status=)"
)
"""Lines that speak of a recipient or a status, whatever was done to them; none may be passed over."""
PLAN = timing.Plan(years.Clock(2024))


def seeds(folder: Path) -> list[bytes]:
    texts = [
        b"2024-03-01T10:00:00Z mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from b[198.51.100.7]: 554 5.7.1 <y@n.example>: Relay "
        b"access denied; from=<s@b.example> to=<y@n.example> proto=ESMTP helo=<b>",
        b'<22>1 2024-03-01T10:00:00Z mx1 postfix/postscreen 7 - [a b="c"] NOQUEUE: reject: RCPT from [1.2.3.4]:5: 550 5.7.1 no; '
        b"from=<a@b>, to=<x@y>, proto=ESMTP, helo=<h>",
        b"Mar  1 10:00:00 mx1 postfix/cleanup[2]: 4B1C2D3E4F: hold: header X: y from local; from=<a@b> to=<c@d>: text",
        b"Mar  1 10:00:00 mx1 postfix/pickup[2]: 4B1C2D3E4F: uid=0 from=<root> orig_id=5B1C2D3E4F",
        b"Mar  1 10:00:00 mx1 postfix/postsuper[2]: 4B1C2D3E4F: removed",
        b"2024-03-01T10:00:00Z stdout F Mar  1 10:00:00 mx1 postfix/local[2]: 4B1C2D3E4F: to=<a@b>, relay=local, delay=1, "
        b"delays=1/0/0/0, tls=may:none, dsn=2.0.0, status=sent (forwarded as 5B1C2D3E4F)",
    ]
    for path in sorted(folder.glob("mail.log-*")):
        if path.suffix not in (".gz", ".bz2", ".xz"):
            texts += path.read_bytes().split(b"\n")[:400]
    return [t for t in texts if t]


def mutated(rng: random.Random, texts: list[bytes]) -> bytes:
    text = bytearray(rng.choice(texts))
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        at = rng.randrange(len(text) + 1)
        kind = rng.random()
        if kind < 0.4:
            text[at:at] = rng.choice(TOKENS)
        elif kind < 0.6:
            del text[at : at + rng.randrange(1, 30)]
        elif kind < 0.8:
            text[at : at + 1] = bytes([rng.randrange(256)])
        else:
            other = rng.choice(texts)
            text[at:] = other[rng.randrange(len(other)) :]
    return bytes(text).replace(b"\n", b"?")


def scanned(lines: list[bytes], *, ended: bool = True) -> base.Scan:
    raw = b"\n".join(lines) + (b"\n" if ended else b"")
    padded = np.frombuffer(raw + bytes(base.PADDING), np.uint8).copy()
    block = SimpleNamespace(data=padded[: len(raw)], padded=padded, offset=0, last=True)
    loader.surveyor("mail.log-20240301", Settings()).feed(block)
    return loader.scan(block, base.ScanContext(evidence=0, number=1, plan=PLAN))


def check(lines: list[bytes], *, ended: bool) -> None:
    """Scan and assemble the lines; every one must be accounted for, here and when fragments come back."""
    raw = b"\n".join(lines) + (b"\n" if ended else b"")
    scan = scanned(lines, ended=ended)
    assert scan.records == len(lines)
    assert scan.records == scan.used + sum(scan.ignored.values()) + len(scan.unread)
    part = queues.assemble(scan.events, final=False)
    assert part.fragments is not None
    rest = queues.assemble(loader.resume(part.fragments), final=True)
    for made in (part, rest):
        journeys.hop_leg_keys(made.hops, made.legs)
        for column in ("recipient", "response"):
            made.legs[column].validate(full=True)
    spans = scan.events.ints[:, 10:22]
    assert int(spans.max(initial=0)) <= len(raw)
    if bearing := [line for line in lines if BEARING.search(line)]:
        assert not scanned(bearing).ignored


def run(count: int, seed: int, folder: Path) -> None:
    rng = random.Random(seed)
    texts = seeds(folder)
    done = 0
    while done < count:
        size = min(rng.choice((1, 10, 1000, 20_000)), count - done)
        check([mutated(rng, texts) or b"x" for _ in range(size)], ended=rng.random() < 0.5)
        done += size


def test_mutated_lines(data: Path) -> None:
    run(5_000, 20240301, data / "postfix-albion")


@pytest.mark.long
def test_a_million_mutated_lines_with_bounds_checked(data: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    count, folder = os.environ.get("MISSENT_FUZZ_LINES", "1000000"), data / "postfix-albion"
    script = (
        "from pathlib import Path\nfrom tests.fuzz import test_postfix_lines as t\n"
        f"t.run({count}, 7, Path({str(folder)!r}))"
    )
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
