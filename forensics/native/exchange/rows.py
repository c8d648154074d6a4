"""Rows in order out of packed records (`layout`): their messages, the positions of their text."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.exchange.layout import ABSENT, COLUMNS, HOST
from forensics.native.exchange.messages import pair_hash


@entry("const uint64[:,:], int64[:], int32[:], int64[:]")
def groups(halves, codes, table, first, result):
    """Number of each record's group (two halves), in the order of their `first` records; returns the count. `table`:
    work space."""
    mask = np.uint64(table.size - 1)
    for slot in range(table.size):
        table[slot] = -1
    count = 0
    for r in range(codes.size):
        probe = pair_hash(halves[r, 0], halves[r, 1]) & mask
        while True:
            g = table[probe]
            if g < 0:
                table[probe] = count
                first[count] = r
                codes[r] = count
                count += 1
                break
            if halves[first[g], 0] == halves[r, 0] and halves[first[g], 1] == halves[r, 1]:
                codes[r] = g
                break
            probe = (probe + np.uint64(1)) & mask
    result[0] = count


@kernel
def _get(data, k):
    """The number of 4 bytes at k, the lowest first."""
    return (
        np.int64(data[k]) | (np.int64(data[k + 1]) << 8) | (np.int64(data[k + 2]) << 16) | (np.int64(data[k + 3]) << 24)
    )


@kernel
def _unpack_columns(data, k, r, begin, end):
    """Positions of the record's own text; returns k behind it."""
    mask = _get(data, k)
    k += 4
    for c in range(COLUMNS):
        if (mask >> c) & 1:
            n = _get(data, k)
            begin[c, r] = k + 4
            k += 4 + n
            end[c, r] = k
        else:
            begin[c, r] = -1
            end[c, r] = 0
    return k


@entry(
    "const uint8[:], const int32[:], const int32[:], const int64[:], int32[:,:], int32[:,:], int64[:], int64[:], "
    "int64[:], int32[:], int32[:], int32[:], int32[:]"
)
def unpack(data, offsets, parts, order, begin, end, rec, part, effect, named, named_end, status, status_end, result):
    """Positions of all text: `begin[column, record]`; of each row its record, part, effect, recipient and status."""
    row = 0
    for r in range(order.size):
        k = _unpack_columns(data, np.int64(offsets[order[r]]), r, begin, end)
        for p in range(parts[order[r]]):
            rec[row] = r
            part[row] = p
            effect[row] = data[k]
            n = _get(data, k + 1)
            m = _get(data, k + 5)
            k += 9
            named[row] = -1
            named_end[row] = 0
            status[row] = -1
            status_end[row] = 0
            if n != ABSENT:
                named[row] = k
                k += n
                named_end[row] = k
            if m != ABSENT:
                status[row] = k
                k += m
                status_end[row] = k
            row += 1


@entry("const int64[:], const int64[:], const int64[:], const int32[:,:], int64[:,:]")
def carried(group, rec, part, begin, out, result):
    """For each message and each column from `HOST` on the first row that has a value; -1 where none has."""
    for c in range(out.shape[0]):
        for m in range(out.shape[1]):
            out[c, m] = -1
    for row in range(group.size):
        if part[row] != 0:
            continue
        for c in range(out.shape[0]):
            if begin[HOST + c, rec[row]] >= 0 and out[c, group[row]] < 0:
                out[c, group[row]] = row
