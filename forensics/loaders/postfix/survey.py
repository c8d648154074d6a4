"""The first pass over a Postfix log: how many lines, when, on which hosts, and where its clock turned back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.errors import ForeignLog
from forensics.loaders import base, years
from forensics.loaders.postfix import wrapped
from forensics.loaders.postfix.sniff import speaks_of_postfix
from forensics.native.postfix import survey as kernels
from forensics.native.postfix import words as w
from forensics.native.postfix.stamps import MEMO
from forensics.native.text import SEED

HOSTS = 1024
TURNS = 4096
NONE = np.iinfo(np.int64).max


def new_state() -> np.ndarray[Any, np.dtype[np.int64]]:
    """`native.postfix.survey`'s state before the first line."""
    state = np.zeros(kernels.STATE, np.int64)
    state[[kernels.LAST_NO_YEAR, kernels.LAST_LOCAL]] = -1
    state[[kernels.FIRST_ABSOLUTE, kernels.FIRST_LOCAL, kernels.FIRST_PACKED]] = NONE
    state[[kernels.END_ABSOLUTE, kernels.END_LOCAL, kernels.END_PACKED]] = -1
    return state


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
        self.blocks[block.offset] = int(self.state[kernels.LINES]) + 1
        ready = prepared(block)
        memo, programs = np.zeros(MEMO, np.int64), np.zeros(w.SLOTS, np.int32)
        kernels.survey_block(ready.buffer, ready.size, self.state, self.turns, self.hosts, memo, programs)
        self.relevant = self.relevant or speaks_of_postfix(block.data.tobytes())

    def result(self) -> base.Survey:
        """Raises ForeignLog for a log of other programs only: it must not be asked for its year."""
        if not self.relevant:
            raise ForeignLog(
                f"a log of other programs: none of its {int(self.state[kernels.LINES]):,} lines is of Postfix"
            )
        s = [int(v) for v in self.state]
        turns = [tuple(int(v) for v in row) for row in self.turns[: s[kernels.TURNS_FOUND]]]
        rolls = [(n, change) for n, _, _, _, change in turns if change]
        steps = [(n, before, after, year) for n, before, after, year, change in turns if not change]
        packed = (s[kernels.FIRST_PACKED], s[kernels.END_PACKED]) if s[kernels.END_PACKED] >= 0 else None
        local = (s[kernels.FIRST_LOCAL], s[kernels.END_LOCAL]) if s[kernels.END_LOCAL] >= 0 else None
        clock, notes = years.clock(
            self.name, self.year, self.timezone, packed=packed, local=local, rolls=rolls, steps=steps
        )
        ends: list[int] = [s[kernels.FIRST_ABSOLUTE], s[kernels.END_ABSOLUTE]] if s[kernels.END_ABSOLUTE] >= 0 else []
        if local:
            ends += self._utc(np.array([w.LOCAL] * 2), np.array(local), clock)
        if packed:
            fixed = years.Clock(clock.year, np.array([0]), np.array([0]), clock.zone)
            for p in packed:
                fixed = years.Clock(clock.year + p // w.YEAR_UNIT, clock.rolls[:0], clock.deltas[:0], clock.zone)
                ends += self._utc(np.array([w.NO_YEAR]), np.array([p % w.YEAR_UNIT]), fixed)
        hosts = (
            frozenset(int(h) for h in self.hosts[: s[kernels.HOSTS_FOUND]]) if s[kernels.HOSTS_FOUND] < HOSTS else None
        )
        return base.Survey(
            records=s[kernels.LINES],
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
    """The block for the scanner; copied only when it has no padding, or to unwrap it."""
    data = block.data
    if wrapped.is_wrapped(data[:256].tobytes()):
        lines = wrapped.unwrap(data.tobytes())
        raw = lines.data + bytes(base.PADDING)
        return Prepared(np.frombuffer(raw, np.uint8), len(lines.data), lines.offsets, lines.lengths)
    padded = getattr(block, "padded", None)
    if padded is None or len(padded) < len(data) + base.PADDING:
        padded = np.zeros(len(data) + base.PADDING, np.uint8)
        padded[: len(data)] = data
    return Prepared(padded, len(data))


def fingerprints(block: base.Block) -> Any:
    """One hash for each record of the block."""
    head = block.data[: len(wrapped.CURSOR)].tobytes()
    if head == wrapped.CURSOR:
        data = block.data.tobytes()
        digests = (hashlib.blake2b(data[a : a + n], digest_size=8).digest() for a, n in wrapped.records(data))
        return np.frombuffer(b"".join(digests), np.uint64)
    padded = getattr(block, "padded", block.data)
    lines = int(np.count_nonzero(block.data == 10)) + (1 if len(block.data) and block.data[-1] != 10 else 0)
    out = np.empty(lines, np.uint64)
    kernels.line_hashes(padded, len(block.data), SEED, out)
    return out
