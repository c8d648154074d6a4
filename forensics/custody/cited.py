"""The citations of many rows at once, held against records block by block.

What most rows need is quickly seen: each record that they cite begins where and is as long as they say, and has one of
the row's own words in it, one of them the recipient. A row of which that is not seen here is no fault: `citations`
decides about it, record by record, with every form that an address may have and with the ids that lead from hop to hop.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forensics.custody.citations import COLUMNS, LONGEST, flat
from forensics.custody.evidence import Block
from forensics.loaders.base import Places
from forensics.native import citing

DIRECT, NAMED, SEEN = np.uint8(1), np.uint8(2), np.uint8(4)
"""Of a citation: its record holds one of the row's words; it holds the recipient; it was read."""


@dataclass(frozen=True)
class _Words:
    """One column of the rows: which of its different words each row has (-1: none, or one that is not ASCII)."""

    mark: np.uint8
    without: np.uint8
    codes: NDArray[np.int32]
    text: NDArray[np.uint8]
    bounds: NDArray[np.int64]

    @staticmethod
    def of(table: pa.Table, name: str) -> _Words:
        column = table[name].cast(pa.large_string()).combine_chunks()
        coded = column.dictionary_encode()
        words = coded.dictionary
        codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32)
        plain = pc.string_is_ascii(words).to_numpy(zero_copy_only=False)
        codes = np.where((codes >= 0) & np.append(plain, False)[codes], codes, np.int32(-1))
        small = pc.ascii_lower(words)
        _, ends, data = small.buffers()
        bounds = np.frombuffer(ends, np.int64)[small.offset :][: len(small) + 1] if ends else np.zeros(1, np.int64)
        text = np.frombuffer(data, np.uint8) if data else np.zeros(1, np.uint8)
        named = name == "recipient"
        return _Words(NAMED | DIRECT if named else DIRECT, NAMED if named else DIRECT, codes, text, bounds)


@dataclass
class Cited:
    """Citations of the rows of `table`; arrays run parallel, one element a citation, sorted by (evidence, offset)."""

    table: pa.Table
    numbers: dict[str, int]
    """Evidence id → its number in `evidence`."""
    evidence: NDArray[np.int32]
    row: NDArray[np.int32]
    number: NDArray[np.int64]
    offset: NDArray[np.int64]
    length: NDArray[np.int64]
    flags: NDArray[np.uint8]
    words: tuple[_Words, ...] = field(repr=False)

    @staticmethod
    def of(table: pa.Table) -> Cited:
        """Raises KeyError for a table without one of COLUMNS, and pyarrow's errors."""
        table = table.select(list(COLUMNS))
        names, evidence, row, number, offset, length = flat(table)
        words = tuple(_Words.of(table, name) for name in COLUMNS[1:-1])
        numbers = {name: code for code, name in reversed(list(enumerate(names)))}
        return Cited(table, numbers, evidence, row, number, offset, length, np.zeros(len(row), np.uint8), words)

    def span(self, evidence_id: str) -> tuple[int, int]:
        """Range of the citations of one evidence."""
        code = self.numbers.get(evidence_id)
        if code is None:
            return 0, 0
        return int(np.searchsorted(self.evidence, code)), int(np.searchsorted(self.evidence, code, "right"))

    def within(self, span: tuple[int, int], begin: int, end: int) -> tuple[int, int]:
        """Of a range of citations those of records that begin between two bytes."""
        low, high = span
        first, beyond = np.searchsorted(self.offset[low:high], [begin, end])
        return low + int(first), low + int(beyond)

    def hold(self, cited: tuple[int, int], block: Block, offsets: Places, lengths: Places, before: int) -> list[str]:
        """Hold citations against the records of their block, `before` which as many lie; what is wrong with their
        addresses, in words."""
        part = slice(*cited)
        offset, length, number = self.offset[part], self.length[part], self.number[part] - before
        at, behind = (np.searchsorted(offsets, offset, side) for side in ("left", "right"))
        good = (at < number) & (number <= behind)
        good[good] = lengths[number[good] - 1] == length[good]
        begins = offset - block.offset
        ends = np.clip(begins + np.minimum(length, LONGEST), begins, len(block.data))
        flags = self.flags[part]
        flags |= SEEN
        rows = self.row[part]
        for one in self.words:
            citing.look(block.padded, begins, ends, one.codes[rows], one.text, one.bounds, one.without, one.mark, flags)
        return [
            misplaced(int(offset[n]), int(length[n]), int(number[n]) + before, offsets, before)
            for n in np.flatnonzero(~good)
        ]

    def unseen(self) -> int:
        """Citations whose records were not read."""
        return int(np.count_nonzero(self.flags & SEEN == 0))

    def rows_without(self) -> list[str]:
        """Delivery ids of rows that cite nothing."""
        rows = np.flatnonzero(np.bincount(self.row, minlength=len(self.table)) == 0)
        return [str(one) for one in self.table["delivery_id"].take(pa.array(rows)).to_pylist()]

    def open_rows(self) -> pa.Table:
        """Rows all of whose records were read, and of which they were not seen to speak."""
        rows = len(self.table)
        cited = np.bincount(self.row, minlength=rows)
        seen = np.bincount(self.row[self.flags & SEEN != 0], minlength=rows)
        direct = np.bincount(self.row[self.flags & DIRECT != 0], minlength=rows)
        named = np.bincount(self.row[self.flags & NAMED != 0], minlength=rows)
        return self.table.take(
            pa.array(np.flatnonzero((cited > 0) & (seen == cited) & ((direct < cited) | (named == 0))))
        )


def misplaced(offset: int, length: int, cited: int, offsets: Places, before: int) -> str:
    """What is wrong with an address, in words; several records may lie at one place (lines that an export took
    together)."""
    at, behind = (int(np.searchsorted(offsets, offset, side)) for side in ("left", "right"))
    if at == behind:
        return f"at byte {offset:,} no record begins, though one is cited there"
    if not at < cited - before <= behind:
        return f"at byte {offset:,} stands record {before + at + 1:,}, cited as {cited:,}"
    return f"the record at byte {offset:,} is not {length:,} bytes long, as cited"
