"""Events of one block or of many fragments, and their strings as Arrow arrays.

Bytes that are not UTF-8 are kept as `\\xNN` escapes, so that no record is lost and every address stays distinct.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.native.postfix import words as w
from forensics.native.postfix.rows import copy_spans, measure_spans

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]


@dataclass(frozen=True)
class Events:
    """Rows of the scanner (`words`: columns) in the order they are to be joined in, with the address of each record."""

    buffer: Any
    """What the spans point into, padded: an array of bytes."""
    ints: Ints
    longs: Longs
    """TIME is resolved: microseconds UTC."""
    evidence: Ints
    number: Longs
    offset: Longs
    length: Longs
    edge: NDArray[np.bool_]
    """Events near the limits of the block, or at a time that another evidence covers too, or of a file that is out of
    order: their groups may go on elsewhere."""
    block: Longs
    """Of the file (`loaders.sequence.Order`): stamps order the records of different blocks …"""
    place: Longs
    """… and places those of one."""

    @cached_property
    def kinds(self) -> Ints:
        """Column KIND by itself: a column of the wide table is a memory access for each row."""
        return np.ascontiguousarray(self.ints[:, w.KIND])

    def take(self, order: Longs) -> Events:
        """These events, in this order. By number: NumPy takes the rows of a wide table by a mask cell by cell."""
        rows = {f.name: getattr(self, f.name).take(order, axis=0) for f in fields(self) if f.name != "buffer"}
        return Events(buffer=self.buffer, **rows)


def gather(buf: Any, ints: Ints, rows: Ints, at: int) -> tuple[Any, Any, Any, bool]:
    """(offsets, bytes, validity bitmap, all ASCII?) of span column `at` of these rows; null where row or start is
    negative."""
    starts, offsets = np.empty(len(rows), np.int32), np.empty(len(rows) + 1, np.int32)
    valid = np.zeros((len(rows) + 7) // 8, np.uint8)
    out = np.empty(measure_spans(ints, rows, at, starts, offsets, valid), np.uint8)
    return offsets, out, valid, copy_spans(buf, starts, offsets, out) < 128


def column(events: Events, rows: Any, at: int) -> pa.StringArray:
    """Span column `at` of the events `rows`; a row of -1 gives null."""
    if not len(rows) or rows.max() < 0:
        return pa.nulls(len(rows), pa.string())
    offsets, data, valid, plain = gather(events.buffer, events.ints, np.ascontiguousarray(rows, np.int32), at)
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(data)]
    if plain:
        return pa.StringArray.from_buffers(len(rows), buffers[1], buffers[2], buffers[0])
    raw = pa.BinaryArray.from_buffers(pa.binary(), len(rows), buffers)
    return pa.array([None if b is None else text(b) for b in raw.to_pylist()], pa.string())


def text(raw: bytes) -> str:
    """UTF-8, with `\\xNN` for what is not."""
    return raw.decode("utf-8", "backslashreplace")
