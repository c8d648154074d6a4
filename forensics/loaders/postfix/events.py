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
    """Events near the limits of the block, or at a time that another evidence covers too: their groups may go on elsewhere."""


def _gather(buf, starts, ends):  # type: ignore[no-untyped-def]
    pieces = [buf[a:b] if a >= 0 else b"" for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
    offsets = np.cumsum([0, *map(len, pieces)]).astype(np.int32)
    whole = b"".join(pieces)
    return offsets, np.frombuffer(whole, np.uint8), np.packbits(starts >= 0, bitorder="little"), whole.isascii()


@kernel("Tuple((int32[::1], uint8[::1], uint8[::1], boolean))(uint8[::1], int32[::1], int32[::1])", plain=_gather)
def gather(buf, starts, ends):  # type: ignore[no-untyped-def]
    """(offsets, bytes, validity bitmap, all ASCII?) of the spans; a start below 0 is null."""
    n = starts.size
    offsets = np.empty(n + 1, np.int32)
    valid = np.zeros((n + 7) // 8, np.uint8)
    total = 0
    for r in range(n):
        offsets[r] = total
        if starts[r] >= 0:
            total += ends[r] - starts[r]
            valid[r >> 3] |= np.uint8(1 << (r & 7))
    offsets[n] = total
    out = np.empty(total, np.uint8)
    plain = True
    k = 0
    for r in range(n):
        if starts[r] >= 0:
            for i in range(starts[r], ends[r]):
                c = buf[i]
                if c >= 128:
                    plain = False
                out[k] = c
                k += 1
    return offsets, out, valid, plain


def strings(buffer: NDArray[np.uint8], starts: Any, ends: Any) -> pa.StringArray:
    """The spans as strings; null where the start is negative."""
    starts = np.ascontiguousarray(starts, np.int32)
    ends = np.ascontiguousarray(ends, np.int32)
    offsets, data, valid, plain = gather(buffer, starts, ends)
    buffers = [pa.py_buffer(valid), pa.py_buffer(offsets), pa.py_buffer(data)]
    if plain:
        return pa.StringArray.from_buffers(len(starts), buffers[1], buffers[2], buffers[0])
    raw = pa.BinaryArray.from_buffers(pa.binary(), len(starts), buffers)
    return pa.array([None if b is None else text(b) for b in raw.to_pylist()], pa.string())


def text(raw: bytes) -> str:
    """UTF-8, with `\\xNN` for what is not."""
    return raw.decode("utf-8", "backslashreplace")


def column(events: Events, rows: Longs, at: int) -> pa.StringArray:
    """Span column `at` of the events `rows`; a row of -1 gives null."""
    present = rows >= 0
    spans = events.ints[np.where(present, rows, 0), at : at + 2] if len(events.ints) else np.empty((0, 2), np.int32)
    if not len(events.ints):
        return pa.nulls(len(rows), pa.string())
    return strings(events.buffer, np.where(present, spans[:, 0], -1), spans[:, 1])
