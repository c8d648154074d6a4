"""Events of one block or of many fragments, and their strings as Arrow arrays.

Bytes that are not UTF-8 are kept as `\\xNN` escapes, so that no record is lost and every address stays distinct.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.kernels import kernel
from forensics.loaders.postfix.text import copy

Ints = NDArray[np.int32]
Longs = NDArray[np.int64]


@dataclass(frozen=True)
class Events:
    """Rows of the scanner (`words`: columns) in the order they are to be joined in, with the address of each record."""

    buffer: Any
    """What the spans point into, padded: an array of bytes; bytes while kernels are interpreted."""
    ints: Ints
    longs: Longs
    """TIME is resolved: microseconds UTC."""
    evidence: Ints
    number: Longs
    offset: Longs
    length: Longs
    edge: NDArray[np.bool_]
    """Events near the limits of the block, or at a time that another evidence covers too: their groups may go on
    elsewhere."""


def _gather(buf, ints, rows, at):  # type: ignore[no-untyped-def]
    spans = [(int(ints[r, at]), int(ints[r, at + 1])) if r >= 0 else (-1, -1) for r in rows.tolist()]
    pieces = [bytes(buf[a:b]) if a >= 0 else b"" for a, b in spans]
    offsets = np.cumsum([0, *map(len, pieces)]).astype(np.int32)
    whole = b"".join(pieces)
    present = np.array([a >= 0 for a, _ in spans], np.bool_)
    return offsets, np.frombuffer(whole, np.uint8), np.packbits(present, bitorder="little"), whole.isascii()


@kernel(
    "Tuple((int32[::1], uint8[::1], uint8[::1], boolean))(uint8[::1], int32[:,::1], int64[::1], int64)", plain=_gather
)
def gather(buf, ints, rows, at):  # type: ignore[no-untyped-def]
    """(offsets, bytes, validity bitmap, all ASCII?) of span column `at` of these rows; null where row or start is
    negative."""
    n = rows.size
    offsets = np.empty(n + 1, np.int32)
    valid = np.zeros((n + 7) // 8, np.uint8)
    total = 0
    for k in range(n):
        offsets[k] = total
        r = rows[k]
        if r >= 0 and ints[r, at] >= 0:
            total += ints[r, at + 1] - ints[r, at]
            valid[k >> 3] |= np.uint8(1 << (k & 7))
    offsets[n] = total
    out = np.empty(total, np.uint8)
    for k in range(n):
        size = offsets[k + 1] - offsets[k]
        if size > 0:
            copy(out, offsets[k], buf, ints[rows[k], at], size)
    seen = np.uint8(0)
    for k in range(total):
        seen |= out[k]
    return offsets, out, valid, seen < 128


def column(events: Events, rows: Any, at: int) -> pa.StringArray:
    """Span column `at` of the events `rows`; a row of -1 gives null."""
    if not len(events.ints):
        return pa.nulls(len(rows), pa.string())
    offsets, data, valid, plain = gather(events.buffer, events.ints, np.ascontiguousarray(rows, np.int64), at)
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(data)]
    if plain:
        return pa.StringArray.from_buffers(len(rows), buffers[1], buffers[2], buffers[0])
    raw = pa.BinaryArray.from_buffers(pa.binary(), len(rows), buffers)
    return pa.array([None if b is None else text(b) for b in raw.to_pylist()], pa.string())


def text(raw: bytes) -> str:
    """UTF-8, with `\\xNN` for what is not."""
    return raw.decode("utf-8", "backslashreplace")
