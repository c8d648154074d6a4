"""The first pass over a Postfix log: how many lines, when, on which hosts, and where its clock turned back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.errors import EvidenceError
from forensics.kernels import compiled, kernel
from forensics.loaders import base, years
from forensics.loaders.postfix import words as w
from forensics.loaders.postfix import wrapped
from forensics.loaders.postfix.sniff import speaks_of_postfix
from forensics.loaders.postfix.stamps import MEMO, SIZE, stamp_after
from forensics.loaders.postfix.text import SEED, hashed, line_end, mix

DAY = years.DAY
MONTH_UNIT = years.MONTH_UNIT
YEAR_UNIT = years.YEAR_UNIT
HOSTS = 1024
TURNS = 4096
NONE = np.iinfo(np.int64).max
# state: 0 line count, 1 relative year, 2 last NO_YEAR time, 3 last LOCAL time, 4-5 least and greatest ABSOLUTE, 6-7
# LOCAL, 8-9 packed,
# 10 turns written, 11 hosts written
STATE = 12


def new_state() -> np.ndarray[Any, np.dtype[np.int64]]:
    state = np.zeros(STATE, np.int64)
    state[2] = state[3] = -1
    state[[4, 6, 8]] = NONE
    state[[5, 7, 9]] = -1
    return state


@kernel("void(uint8[::1], int64, int64[::1], int64[:,::1], uint64[::1], int64[::1])")
def survey_block(buf, n, state, turns, hosts, memo):  # type: ignore[no-untyped-def]
    """Carry `state` over the lines of buf[:n]; `turns`: (record, before, after, relative year, change of year)."""
    last_host = np.uint64(0)
    memo[SIZE] = 0
    i = 0
    while i < n:
        e = line_end(buf, i, n)
        state[0] += 1
        if e == i:
            i = e + 1
            continue
        kind, t, k, _ = stamp_after(buf, i, e, memo)
        if kind == w.ABSOLUTE:
            state[4] = min(state[4], t)
            state[5] = max(state[5], t)
        elif kind == w.LOCAL:
            if state[3] >= 0 and state[3] - t >= 600_000_000 and state[10] < turns.shape[0]:
                turns[state[10], 0] = state[0]
                turns[state[10], 1] = state[3]
                turns[state[10], 2] = t
                state[10] += 1
            state[3] = t
            state[6] = min(state[6], t)
            state[7] = max(state[7], t)
        elif kind == w.NO_YEAR:
            last = state[2]
            change = 0
            if last >= 0:
                if last - t > MONTH_UNIT:
                    change = 1
                elif t - last > 10 * MONTH_UNIT and state[1] > 0:
                    change = -1
                if change == 0 and last - t < 600_000_000:
                    pass
                elif state[10] < turns.shape[0]:
                    turns[state[10], 0] = state[0]
                    turns[state[10], 1] = last
                    turns[state[10], 2] = t
                    turns[state[10], 3] = state[1]
                    turns[state[10], 4] = change
                    state[10] += 1
                else:
                    change = 0
            state[1] += change
            state[2] = t
            p = state[1] * YEAR_UNIT + t
            state[8] = min(state[8], p)
            state[9] = max(state[9], p)
        if kind != w.NO_TIME:
            h = k
            while h < e and buf[h] != 32:
                h += 1
            host = mix(hashed(buf, k, h, SEED))
            if host != last_host:
                last_host = host
                found = False
                for s in range(state[11]):
                    if hosts[s] == host:
                        found = True
                        break
                if not found and state[11] < hosts.size:
                    hosts[state[11]] = host
                    state[11] += 1
        i = e + 1


def _line_hashes(buf, n, seed, out):  # type: ignore[no-untyped-def]
    for r, piece in enumerate(bytes(buf[:n]).split(b"\n")[: len(out)]):
        out[r] = mix(hashed(piece, 0, len(piece), seed))


@kernel("void(uint8[::1], int64, uint64, uint64[::1])", plain=_line_hashes)
def line_hashes(buf, n, seed, out):  # type: ignore[no-untyped-def]
    """One hash for each line of buf[:n], without its line end."""
    i = 0
    r = 0
    while i < n:
        e = line_end(buf, i, n)
        out[r] = mix(hashed(buf, i, e, seed))
        r += 1
        i = e + 1


class Surveyor:
    """See `forensics.loaders.base.Surveyor`."""

    def __init__(self, name: str, settings: base.Settings) -> None:
        self.name = name
        self.year, self.timezone = settings.for_source(name)
        self.state = new_state()
        self.turns = np.zeros((TURNS, 5), np.int64)
        self.hosts = np.zeros(HOSTS, np.uint64)
        self.blocks: dict[int, int] = {}
        self.relevant = False

    def feed(self, block: base.Block) -> None:
        self.blocks[block.offset] = int(self.state[0]) + 1
        ready = prepared(block)
        survey_block(ready.buffer, ready.size, self.state, self.turns, self.hosts, np.zeros(MEMO, np.int64))
        self.relevant = self.relevant or speaks_of_postfix(block.data.tobytes())

    def result(self) -> base.Survey:
        """Raises EvidenceError for a log of other programs only: it must not be asked for its year."""
        if not self.relevant:
            raise EvidenceError(f"a log of other programs: none of its {int(self.state[0]):,} lines is of Postfix")
        s = [int(v) for v in self.state]
        turns = [tuple(int(v) for v in row) for row in self.turns[: s[10]]]
        rolls = [(n, change) for n, _, _, _, change in turns if change]
        steps = [(n, before, after, year) for n, before, after, year, change in turns if not change]
        packed = (s[8], s[9]) if s[9] >= 0 else None
        local = (s[6], s[7]) if s[7] >= 0 else None
        clock, notes = years.clock(
            self.name, self.year, self.timezone, packed=packed, local=local, rolls=rolls, steps=steps
        )
        ends: list[int] = [s[4], s[5]] if s[5] >= 0 else []
        if local:
            ends += self._utc(np.array([w.LOCAL] * 2), np.array(local), clock)
        if packed:
            fixed = years.Clock(clock.year, np.array([0]), np.array([0]), clock.zone)
            for p in packed:
                fixed = years.Clock(clock.year + p // YEAR_UNIT, clock.rolls[:0], clock.deltas[:0], clock.zone)
                ends += self._utc(np.array([w.NO_YEAR]), np.array([p % YEAR_UNIT]), fixed)
        hosts = frozenset(int(h) for h in self.hosts[: s[11]]) if s[11] < HOSTS else None
        return base.Survey(
            records=s[0],
            first=min(ends) if ends else None,
            last=max(ends) if ends else None,
            blocks=self.blocks,
            hosts=hosts,
            plan=clock,
            notes=notes,
        )

    @staticmethod
    def _utc(kinds: Any, times: Any, clock: years.Clock) -> list[int]:
        out, _ = years.resolve(kinds.astype(np.int32), times.astype(np.int64), np.zeros(len(times), np.int64), clock)
        return [int(v) for v in out]


@dataclass(frozen=True)
class Prepared:
    """What the scanner reads of a block: `buffer` (padded) up to `size`; for unwrapped records where each of them
    is."""

    buffer: Any
    size: int
    offsets: Any = None
    lengths: Any = None


def prepared(block: base.Block) -> Prepared:
    """The block for the scanner; copied only when it has no padding, or for interpreted kernels, or to unwrap it."""
    data = block.data
    if wrapped.is_wrapped(data[:256].tobytes()):
        lines = wrapped.unwrap(data.tobytes())
        raw = lines.data + bytes(base.PADDING)
        buffer = np.frombuffer(raw, np.uint8).copy() if compiled() else raw
        return Prepared(buffer, len(lines.data), lines.offsets, lines.lengths)
    padded = getattr(block, "padded", None)
    if padded is None or len(padded) < len(data) + base.PADDING:
        padded = np.zeros(len(data) + base.PADDING, np.uint8)
        padded[: len(data)] = data
    return Prepared(padded if compiled() else padded.tobytes(), len(data))


def fingerprints(block: base.Block) -> Any:
    """One hash for each record of the block."""
    seed = np.uint64(0xCBF29CE484222325)
    head = block.data[: len(wrapped.CURSOR)].tobytes()
    if head == wrapped.CURSOR:
        data = block.data.tobytes()
        digests = (hashlib.blake2b(data[a : a + n], digest_size=8).digest() for a, n in wrapped.records(data))
        return np.frombuffer(b"".join(digests), np.uint64)
    padded = getattr(block, "padded", block.data)
    lines = int(np.count_nonzero(block.data == 10)) + (1 if len(block.data) and block.data[-1] != 10 else 0)
    out = np.empty(lines, np.uint64)
    line_hashes(padded if compiled() else padded.tobytes(), len(block.data), seed, out)
    return out
