"""The first pass over a Postfix log: how many lines, when, on which hosts, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.errors import ForeignLog
from forensics.loaders import base, timing
from forensics.loaders.postfix.sequences import Sequences
from forensics.loaders.postfix.sniff import speaks_of_postfix
from forensics.loaders.sequence import Seen
from forensics.loaders.settings import Settings
from forensics.native.postfix import survey as kernels
from forensics.native.postfix import words as w
from forensics.native.postfix.stamps import MEMO
from forensics.native.text import SEED


class Surveyor:
    """See `forensics.loaders.base.Surveyor`."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.lines = 0
        self.seen = Seen()
        self.blocks: dict[int, int] = {}
        self.relevant = False
        self.sequences = Sequences()

    def feed(self, block: base.Block) -> None:
        first = self.blocks[block.offset] = self.lines + 1
        ready = prepared(block)
        memo, programs = np.zeros(MEMO, np.int64), np.zeros(w.SLOTS, np.int32)
        self.lines = kernels.survey_block(ready.buffer, ready.size, self.lines, *self.seen.arrays, memo, programs)
        self.relevant = self.relevant or speaks_of_postfix(block.data.tobytes())
        outer: Any = getattr(block, "outer", block.data)  # journald's numbers stand around its records
        self.sequences.feed(outer, block.offset, first)

    def result(self) -> base.Survey:
        """Raises ForeignLog for a log of other programs only: it must not be asked for its year."""
        if not self.relevant:
            raise ForeignLog(f"a log of other programs: none of its {self.lines:,} lines is of Postfix")
        rest = base.Survey(self.lines, None, None, self.blocks, self.seen.known_hosts(), losses=self.sequences.losses())
        return timing.surveyed(self.name, self.settings, self.seen.stamps(), rest)


@dataclass(frozen=True)
class Prepared:
    """What the scanner reads of a block: `buffer` (padded) up to `size`."""

    buffer: Any
    size: int


def prepared(block: base.Block) -> Prepared:
    """The block for the scanner; copied only when it has no padding."""
    data = block.data
    padded = getattr(block, "padded", None)
    if padded is None or len(padded) < len(data) + base.PADDING:
        padded = np.zeros(len(data) + base.PADDING, np.uint8)
        padded[: len(data)] = data
    return Prepared(padded, len(data))


def fingerprints(block: base.Block) -> Any:
    """One hash for each record of the block."""
    padded = getattr(block, "padded", block.data)
    lines = int(np.count_nonzero(block.data == 10)) + (1 if len(block.data) and block.data[-1] != 10 else 0)
    out = np.empty(lines, np.uint64)
    kernels.line_hashes(padded, len(block.data), SEED, out)
    return out
