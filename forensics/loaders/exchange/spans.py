"""Text where it lies: spans (begin, end) into one buffer, compared and trimmed there, copied into a column once.

A begin below zero stands for null. Everything that is compared or trimmed is ASCII; what is not UTF-8 becomes
U+FFFD when a column is made.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from forensics.loaders.exchange.machine import find, kernel
from forensics.machine import load64, store64

Array = np.ndarray[Any, np.dtype[Any]]
Span = tuple[Array, Array]

_HIGH: Final = np.uint64(0x8080808080808080)
_LOW: Final = np.uint64(0x7F7F7F7F7F7F7F7F)
_FROM_A: Final = np.uint64(0x3F3F3F3F3F3F3F3F)
_ABOVE_Z: Final = np.uint64(0x2525252525252525)
_FROM_33: Final = np.uint64(0x5F5F5F5F5F5F5F5F)


@kernel()
def _word(data, base, i, end):
    """Up to eight bytes of [i, end) as a number; nothing outside of the buffer is read."""
    n = end - i
    if i + 8 <= data.shape[0]:
        word = load64(base + i)
        return word if n >= 8 else word & ((np.uint64(1) << np.uint64(8 * n)) - np.uint64(1))
    word = np.uint64(0)
    for k in range(min(n, 8)):
        word |= np.uint64(data[i + k]) << np.uint64(8 * k)
    return word


@kernel()
def _small(word):
    """Eight bytes with ASCII letters made small."""
    seven = word & _LOW
    return word | ((((seven + _FROM_A) ^ (seven + _ABOVE_Z)) & ~word & _HIGH) >> np.uint64(2))


@kernel()
def _strange(word, n):
    """True when one of the n bytes is not visible ASCII."""
    odd = (word | ~((word & _LOW) + _FROM_33)) & _HIGH
    if n < 8:
        odd &= (np.uint64(1) << np.uint64(8 * n)) - np.uint64(1)
    return odd != 0


@kernel("int64(uint8[::1], int32[::1], int32[::1], boolean, int64[::1], int64[::1], boolean[::1], int32[::1])")
def distinct(data, begin, end, fold, codes, first, odd, table):
    """Number of each text, in the order of their first rows, -1 for null; with `fold` in any case of ASCII letters.

    `odd`: texts that are empty, hold more than visible ASCII, or end with a dot or `@`. Returns the count.
    """
    base = data.ctypes.data
    mask = np.uint64(table.shape[0] - 1)
    for slot in range(table.shape[0]):
        table[slot] = -1
    count = 0
    for r in range(begin.shape[0]):
        s = np.int64(begin[r])
        if s < 0:
            codes[r] = -1
            continue
        e = np.int64(end[r])
        h = np.uint64(e - s)
        strange = e == s or data[e - 1] == 46 or data[e - 1] == 64
        for i in range(s, e, 8):
            word = _word(data, base, i, e)
            strange = strange or _strange(word, e - i)
            h = (h ^ (_small(word) if fold else word)) * np.uint64(0x9E3779B97F4A7C15)
            h ^= h >> np.uint64(32)
        h *= np.uint64(0xD6E8FEB86659FD93)
        probe = (h ^ (h >> np.uint64(32))) & mask
        while True:
            g = table[probe]
            if g < 0:
                table[probe] = count
                first[count] = r
                odd[count] = strange
                codes[r] = count
                count += 1
                break
            t = np.int64(begin[first[g]])
            u = np.int64(end[first[g]])
            same = u - t == e - s
            if same:
                for i in range(0, e - s, 8):
                    a = _word(data, base, s + i, e)
                    b = _word(data, base, t + i, u)
                    if a != b and (not fold or _small(a) != _small(b)):
                        same = False
                        break
            if same:
                codes[r] = g
                break
            probe = (probe + np.uint64(1)) & mask
    return count


@kernel("int64(int32[::1], int32[::1], int32[::1])")
def _offsets(begin, end, offsets):
    total = 0
    for i in range(begin.shape[0]):
        offsets[i] = total
        if begin[i] >= 0:
            total += end[i] - begin[i]
    offsets[begin.shape[0]] = total
    return total


@kernel("void(uint8[::1], int32[::1], int32[::1], uint8[::1])")
def _copy(data, begin, end, out):
    """Copies all texts; `out` has eight bytes more than they take."""
    base = data.ctypes.data
    to = out.ctypes.data
    for i in range(begin.shape[0]):
        s = np.int64(begin[i])
        e = np.int64(end[i])
        if s < 0:
            continue
        for k in range(s, e, 8):
            store64(to + k - s, _word(data, base, k, e))
        to += e - s


def text(data: Array, span: Span) -> pa.Array:
    """Spans as an Arrow string column."""
    begin, end = span
    count = len(begin)
    offsets = np.empty(count + 1, np.int32)
    out = np.empty(_offsets(begin, end, offsets) + 8, np.uint8)
    _copy(data, begin, end, out)
    present = begin >= 0
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


@kernel("void(uint8[::1], int32[::1], int32[::1])")
def _bare(data, begin, end):
    for i in range(begin.shape[0]):
        s, e = begin[i], end[i]
        if s < 0:
            continue
        while s < e and (data[s] == 32 or 9 <= data[s] <= 10 or 12 <= data[s] <= 13):
            s += 1
        if s < e and data[s] == 60:
            s += 1
        while e > s and (data[e - 1] == 32 or 9 <= data[e - 1] <= 10 or 12 <= data[e - 1] <= 13):
            e -= 1
        if e > s and data[e - 1] == 62:
            e -= 1
        begin[i], end[i] = s, e


def bare(data: Array, span: Span) -> Span:
    """Message-IDs without blanks and <> around them."""
    begin, end = span[0].copy(), span[1].copy()
    _bare(data, begin, end)
    return begin, end


@kernel("void(uint8[::1], int32[::1], int32[::1])")
def _path(data, begin, end):
    for i in range(begin.shape[0]):
        s, e = begin[i], end[i]
        if s >= 0 and e - s >= 2 and data[s] == 60 and data[e - 1] == 62:
            begin[i], end[i] = s + 1, e - 1


def path(data: Array, span: Span) -> Span:
    """Addresses without <> around them."""
    begin, end = span[0].copy(), span[1].copy()
    _path(data, begin, end)
    return begin, end


@kernel("void(uint8[::1], int32[::1], int32[::1])")
def _unscoped(data, begin, end):
    base = data.ctypes.data
    for i in range(begin.shape[0]):
        s, e = np.int64(begin[i]), np.int64(end[i])
        if s < 0:
            continue
        if s < e and data[s] == 91:
            s += 1
        u = s + find(base + s, 93, e - s)
        u = s + find(base + s, 37, u - s)
        if u + find(base + u, 10, e - u) == e:
            begin[i], end[i] = s, u


def unscoped(data: Array, span: Span) -> Span:
    """IP addresses without a zone index (`fe80::1%3` → `fe80::1`, RFC 4007) and without brackets."""
    begin, end = span[0].copy(), span[1].copy()
    _unscoped(data, begin, end)
    return begin, end
