"""Hostile input for the Exchange loader, run in a process of its own with checked indexing (NUMBA_BOUNDSCHECK=1).

    NUMBA_BOUNDSCHECK=1 python -m tests.loaders.exchange.fuzz SEED ROUNDS

Takes the samples, breaks them (bytes flipped, cut out, doubled, spliced; quotes, line ends and separators strewn in),
cuts them into blocks of any size and reads them. Every record must be accounted for, and no error but AmbiguousTime may
leave.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from forensics.errors import AmbiguousTime
from forensics.loaders.base import Settings

from .driver import read

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "exchange-samples"
SAID = Settings(timezone="Europe/London")
STREWN = (
    b'"',
    b'""',
    b",",
    b";",
    b"\n",
    b"\r\n",
    b"\r",
    b"#",
    b"#Fields: ",
    b"\xff",
    b"\0",
    b"[{",
    b"}]",
    b"##",
    b"\xf0\x9f",
)


def broken(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """`data` with some damage."""
    out = bytearray(data)
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(out) + 1) if out else 0
        kind = chance.randrange(6)
        if kind == 0 and out:
            out[at % len(out)] = chance.randrange(256)
        elif kind == 1:
            del out[at : at + chance.randrange(1, 200)]
        elif kind == 2:
            out[at:at] = chance.choice(STREWN)
        elif kind == 3:
            other = chance.choice(others)
            start = chance.randrange(len(other))
            out[at:at] = other[start : start + chance.randrange(1, 400)]
        elif kind == 4:
            out[at:at] = out[at : at + chance.randrange(1, 300)]
        else:
            del out[chance.randrange(max(len(out), 1)) :]
    return bytes(out)


def main(seed: int, rounds: int) -> int:
    """Number of inputs read; raises on the first that breaks a promise."""
    chance = random.Random(seed)
    samples = [p.read_bytes() for p in sorted(SAMPLES.iterdir()) if p.suffix in (".log", ".csv", ".json", ".ndjson")]
    done = 0
    for n in range(rounds):
        data = broken(chance.choice(samples), samples, chance)
        if not data:
            continue
        try:
            read(data, size=chance.choice([64, 700, 5000, 1 << 20]), settings=SAID)
        except AmbiguousTime:
            continue
        except Exception:
            Path(f"fuzz-{seed}-{n}.bin").write_bytes(data)
            raise
        done += 1
    return done


if __name__ == "__main__":
    print(main(int(sys.argv[1]), int(sys.argv[2])))
