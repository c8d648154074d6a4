"""Rows in order out of packed records (`layout`): their messages, the positions of their text."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.exchange.codes import INFO
from forensics.native.exchange.layout import ABSENT, COLUMNS, HOST
from forensics.native.exchange.messages import pair_hash
from forensics.native.exchange.spans import comes_first
from forensics.native.text import SEED, hashed, mix, within


@entry("const uint64[:,:], const uint64[:], int64[:], boolean[:], int32[:], int64[:]")
def groups(halves, own, codes, several, table, first, result):
    """Number of each record's group (two halves), in the order of their `first` records; returns the count. `several`:
    groups whose records have more than one Message-ID (`own`: a hash of it, 0 without). `table`: work space."""
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
                several[count] = False
                codes[r] = count
                count += 1
                break
            if halves[first[g], 0] == halves[r, 0] and halves[first[g], 1] == halves[r, 1]:
                codes[r] = g
                if own[r]:
                    if not own[first[g]]:
                        first[g] = r
                    several[g] |= own[first[g]] != own[r]
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


@entry(
    "const uint8[:], const int32[:], const int32[:], const int8[:], const int64[:], const int8[:], int8[:], uint64[:]"
)
def tie_keys(data, offsets, parts, flags, wanted, ranks, rank, content, result):
    """For each of the `wanted` records what its place among records of one time rests on: the rank of its (first)
    effect in `ranks`, and a hash of what it says. What may lie on another record does not count: values of the message,
    and the server of a record of `INFO`."""
    for i in range(wanted.size):
        r = wanted[i]
        k = np.int64(offsets[r])
        mask = _get(data, k)
        k += 4
        h = within(SEED ^ np.uint64(np.uint8(flags[r])))
        host = np.int64(0)
        host_end = np.int64(0)
        for c in range(COLUMNS):
            if (mask >> c) & 1:
                n = _get(data, k)
                k += 4
                if c < HOST:
                    h = hashed(data, k, k + n, within(h ^ np.uint64(c)))
                elif c == HOST:
                    host = k
                    host_end = k + n
                k += n
        rank[i] = ranks[data[k]]
        if data[k] != INFO:
            h = hashed(data, host, host_end, within(h))
        for _ in range(parts[r]):
            size = np.int64(9)
            for p in (1, 5):
                n = _get(data, k + p)
                size += n if n != ABSENT else 0
            h = hashed(data, k, k + size, within(h))
            k += size
        content[i] = mix(h)


@entry(
    "const uint8[:], const int64[:], const int64[:], const int64[:], const int64[:], const int32[:,:], "
    "const int32[:,:], int64[:,:]"
)
def carried(data, group, rec, part, at, begin, end, out, result):
    """For each message and each column from `HOST` on the earliest row that has a value, of several at one time the
    value that sorts first; -1 where none has."""
    for c in range(out.shape[0]):
        for m in range(out.shape[1]):
            out[c, m] = -1
    for row in range(group.size):
        if part[row] != 0:
            continue
        r = rec[row]
        for c in range(out.shape[0]):
            s = np.int64(begin[HOST + c, r])
            if s < 0:
                continue
            best = out[c, group[row]]
            if best >= 0 and at[row] > at[best]:
                continue
            if best >= 0 and at[row] == at[best]:
                q = rec[best]
                t = np.int64(begin[HOST + c, q])
                if not comes_first(data, s, np.int64(end[HOST + c, r]), data, t, np.int64(end[HOST + c, q])):
                    continue
            out[c, group[row]] = row
