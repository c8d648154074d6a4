"""Text where it lies: spans (begin, end) into one buffer, compared, trimmed and copied. A begin below zero is null.

Everything that is compared or trimmed is ASCII.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.text import between, copy, find_byte, load64, lower_hash, lowered, mix, tail


@kernel
def _same(data, s, t, n, fold):
    """Are the n bytes at s those at t, with `fold` in any case of ASCII letters?"""
    i = 0
    while i + 8 <= n:
        a = load64(data, s + i)
        b = load64(data, t + i)
        if a != b and (not fold or lowered(a) != lowered(b)):
            return False
        i += 8
    if i == n:
        return True
    a = tail(data, s + i, s + n)
    b = tail(data, t + i, t + n)
    return a == b or (fold and lowered(a) == lowered(b))


@kernel
def comes_first(one, s, e, other, t, u):
    """Does the text [s, e) of one buffer sort before the text [t, u) of another?"""
    while e - s >= 8 and u - t >= 8 and load64(one, s) == load64(other, t):
        s += 8
        t += 8
    while s < e and t < u:
        if one[s] != other[t]:
            return one[s] < other[t]
        s += 1
        t += 1
    return s == e and t < u


@entry("const uint8[:], const int32[:], const int32[:], boolean, int64[:], int64[:], boolean[:], int32[:]")
def distinct(data, begin, end, fold, codes, first, odd, table, result):
    """Number of each text, in the order of their first rows, -1 for null; with `fold` in any case of ASCII letters.

    `odd`: texts that are empty, hold more than visible ASCII, or end with a dot or `@`. Returns the count. `table`:
    work space.
    """
    mask = np.uint64(table.size - 1)
    for slot in range(table.size):
        table[slot] = -1
    count = 0
    for r in range(begin.size):
        s = np.int64(begin[r])
        if s < 0:
            codes[r] = -1
            continue
        e = np.int64(end[r])
        h, plain = lower_hash(data, s, e)
        probe = mix(h) & mask
        while True:
            g = table[probe]
            if g < 0:
                table[probe] = count
                first[count] = r
                odd[count] = not plain or e == s or data[e - 1] == 46 or data[e - 1] == 64
                codes[r] = count
                count += 1
                break
            t = np.int64(begin[first[g]])
            if np.int64(end[first[g]]) - t == e - s and _same(data, s, t, e - s, fold):
                codes[r] = g
                break
            probe = (probe + np.uint64(1)) & mask
    result[0] = count


@entry("const uint8[:], const int32[:], const int32[:], const int32[:], uint8[:]")
def gather(data, begin, end, offsets, out, result):
    """Copies each text to its offset in `out`."""
    for i in range(begin.size):
        if begin[i] >= 0:
            copy(out, np.int64(offsets[i]), data, np.int64(begin[i]), np.int64(end[i] - begin[i]))


BARE: Final = 0
"""A Message-ID without blanks and <> around it."""
PATH: Final = 1
"""An address without <> around it."""
UNSCOPED: Final = 2
"""An IP address without a zone index (`fe80::1%3` → `fe80::1`, RFC 4007) and without brackets."""


@kernel
def is_blank(c):
    return c == 32 or between(c, 9, 10) or between(c, 12, 13)


@kernel
def _bare(data, s, e):
    while s < e and is_blank(data[s]):
        s += 1
    if s < e and data[s] == 60:
        s += 1
    while e > s and is_blank(data[e - 1]):
        e -= 1
    if e > s and data[e - 1] == 62:
        e -= 1
    return s, e


@kernel
def _path(data, s, e):
    if e - s >= 2 and data[s] == 60 and data[e - 1] == 62:
        return s + 1, e - 1
    return s, e


@kernel
def _unscoped(data, s, e):
    t = s + 1 if s < e and data[s] == 91 else s
    u = find_byte(data, t, e, 93)
    u = find_byte(data, t, u, 37)
    if find_byte(data, u, e, 10) == e:
        return t, u
    return s, e


@entry("const uint8[:], int32[:], int32[:], int64")
def trim(data, begin, end, how, result):
    """Narrows each span as `BARE`, `PATH` or `UNSCOPED` says."""
    for i in range(begin.size):
        s = np.int64(begin[i])
        e = np.int64(end[i])
        if s < 0:
            continue
        if how == BARE:
            s, e = _bare(data, s, e)
        elif how == PATH:
            s, e = _path(data, s, e)
        else:
            s, e = _unscoped(data, s, e)
        begin[i] = s
        end[i] = e
