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


def gather(buf: Any, ints: Ints, rows: Ints, at: int) -> tuple[Any, Any, Any, bool]:
    """(offsets, bytes, validity bitmap, all ASCII?) of span column `at` of these rows; null where row or start is
    negative."""
    offsets = np.empty(len(rows) + 1, np.int32)
    valid = np.zeros((len(rows) + 7) // 8, np.uint8)
    out = np.empty(measure_spans(ints, rows, at, offsets, valid), np.uint8)
    return offsets, out, valid, copy_spans(buf, ints, rows, at, offsets, out) < 128


@kernel("int64(int32[:,::1], int32[::1], int64, int32[::1], uint8[::1])")
def measure_spans(ints, rows, at, offsets, valid):  # type: ignore[no-untyped-def]
    """Offsets and validity bitmap for `gather`: how many bytes there are."""
    n = rows.size
    total = 0
    for k in range(n):
        offsets[k] = total
        r = rows[k]
        if r >= 0 and ints[r, at] >= 0:
            total += ints[r, at + 1] - ints[r, at]
            valid[k >> 3] |= np.uint8(1 << (k & 7))
    offsets[n] = total
    return total


def _copy_spans(buf, ints, rows, at, offsets, out):  # type: ignore[no-untyped-def]
    for k, r in enumerate(rows.tolist()):
        if offsets[k + 1] > offsets[k]:
            piece = bytes(buf[ints[r, at] : ints[r, at + 1]])
            out[offsets[k] : offsets[k + 1]] = np.frombuffer(piece, np.uint8)
    return int(np.bitwise_or.reduce(out)) if out.size else 0


@kernel("int64(uint8[::1], int32[:,::1], int32[::1], int64, int32[::1], uint8[::1])", plain=_copy_spans)
def copy_spans(buf, ints, rows, at, offsets, out):  # type: ignore[no-untyped-def]
    """The bytes for `gather`: all of them or-ed, which tells whether any is not ASCII."""
    for k in range(rows.size):
        size = offsets[k + 1] - offsets[k]
        if size > 0:
            copy(out, offsets[k], buf, ints[rows[k], at], size)
    seen = np.uint8(0)
    for k in range(out.size):
        seen |= out[k]
    return seen


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
