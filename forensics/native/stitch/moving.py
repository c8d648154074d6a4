"""Rows of many batches, moved to where they belong; and rows of one time put in order."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.columns import present
from forensics.native.compiler import entry
from forensics.native.text import copy


@entry("const int32[:], const uint8[:], const int64[:], const int64[:], int32[:], uint8[:]")
def measure_rows(offsets, bits, rows, places, sizes, valid, result):
    """Size and validity of these rows of a string column, put at their places. No `bits`: nothing is null."""
    for k in range(rows.size):
        r = rows[k]
        if present(bits, r):
            p = places[k]
            sizes[p] = offsets[r + 1] - offsets[r]
            valid[p >> 3] |= np.uint8(1 << (p & 7))


@entry("const int32[:], const uint8[:], const int64[:], const int64[:], const int32[:], uint8[:]")
def copy_rows(offsets, data, rows, places, starts, out, result):
    """The bytes of these rows of a string column to where their places start."""
    for k in range(rows.size):
        p = places[k]
        copy(out, starts[p], data, offsets[rows[k]], starts[p + 1] - starts[p])


@entry("const int32[:], const int64[:], const int64[:], int32[:]")
def measure_lists(offsets, rows, places, sizes, result):
    """Lengths of these rows of a list column, put at their places."""
    for k in range(rows.size):
        sizes[places[k]] = offsets[rows[k] + 1] - offsets[rows[k]]


@entry(
    "const int32[:], const int32[:], const int64[:], const int64[:], const int64[:], const int64[:], "
    "const int64[:], const int32[:], int64[:,:]"
)
def copy_lists(offsets, evidence, number, offset, length, rows, places, starts, out, result):
    """The records of these rows to where their places start."""
    for k in range(rows.size):
        n = starts[places[k]]
        for i in range(offsets[rows[k]], offsets[rows[k] + 1]):
            out[n, 0] = evidence[i]
            out[n, 1] = number[i]
            out[n, 2] = offset[i]
            out[n, 3] = length[i]
            n += 1


@entry("const int64[:], const uint64[:], int64[:]")
def sort_runs(times, values, order, result):
    """Sort the numbers of rows with equal (ascending) times by value; runs are short."""
    for k in range(1, order.size):
        r = order[k]
        j = k - 1
        while j >= 0 and times[order[j]] == times[r] and values[order[j]] > values[r]:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = r
