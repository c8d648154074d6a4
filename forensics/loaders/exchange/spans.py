"""Text where it lies: spans (begin, end) into one buffer, compared and trimmed there, copied into a column once.

A begin below zero stands for null. Everything that is compared or trimmed is ASCII; what is not UTF-8 becomes
U+FFFD when a column is made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from forensics.native.exchange.spans import BARE, PATH, UNSCOPED, gather, trim

Array = np.ndarray[Any, np.dtype[Any]]
Span = tuple[Array, Array]


def text(data: Array, span: Span) -> pa.Array:
    """Spans as an Arrow string column."""
    begin, end = span
    count = len(begin)
    present = begin >= 0
    offsets = np.zeros(count + 1, np.int32)
    np.cumsum(np.where(present, end - begin, 0), out=offsets[1:])
    out = np.empty(int(offsets[-1]), np.uint8)
    gather(data, begin, end, offsets, out)
    bitmap = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    column = pa.Array.from_buffers(pa.string(), count, [bitmap, pa.py_buffer(offsets), pa.py_buffer(out)])
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        raw = pa.Array.from_buffers(pa.binary(), count, [bitmap, pa.py_buffer(offsets), pa.py_buffer(out)])
        column = pa.array([None if v is None else v.decode("utf-8", "replace") for v in raw.to_pylist()], pa.string())
    return column


def of(column: pa.Array) -> tuple[Array, Span]:
    """(buffer, spans) of a string column."""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    null = column.is_null().to_numpy(zero_copy_only=False)
    begin = np.where(null, np.int32(-1), ends[:-1])
    return np.frombuffer(data or b"\0", np.uint8), (begin, ends[1:].copy())


def coalesce(one: Span, other: Span) -> Span:
    """The first of both that is not null."""
    return choose(one[0] >= 0, one, other)


def choose(where: Array, one: Span, other: Span) -> Span:
    """`one` where it is true, else `other`."""
    return np.where(where, one[0], other[0]), np.where(where, one[1], other[1])


def only(where: Array, one: Span) -> Span:
    """`one` where it is true, else null."""
    return np.where(where, one[0], np.int32(-1)), one[1]


def _trimmed(data: Array, span: Span, how: int) -> Span:
    """Each span narrowed as `BARE`, `PATH` or `UNSCOPED` says."""
    begin, end = span[0].copy(), span[1].copy()
    trim(data, begin, end, how)
    return begin, end


def bare(data: Array, span: Span) -> Span:
    """Message-IDs without blanks and <> around them."""
    return _trimmed(data, span, BARE)


def path(data: Array, span: Span) -> Span:
    """Addresses without <> around them."""
    return _trimmed(data, span, PATH)


def unscoped(data: Array, span: Span) -> Span:
    """IP addresses without a zone index (`fe80::1%3` → `fe80::1`, RFC 4007) and without brackets."""
    return _trimmed(data, span, UNSCOPED)
