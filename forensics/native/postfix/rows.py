"""What is made of the scanner's rows: addresses of records, keys, text columns."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import entry
from forensics.native.postfix import words as w
from forensics.native.text import SEED, address_key, copy, hashed, mix


@entry("const int32[:,:], const int64[:,:], int64, int64, int64[:], int64[:], int64[:], int32[:], int64[:], boolean[:]")
def addresses(ints, longs, first, offset, numbers, offsets, lengths, stamps, times, is_event, result):
    """Number, offset and length of each row's record in the evidence, its kind of stamp, its time, and whether it is an
    event."""
    for r in range(numbers.size):
        numbers[r] = ints[r, w.LINE] + first
        offsets[r] = ints[r, w.OFFSET] + offset
        lengths[r] = ints[r, w.LENGTH]
        stamps[r] = ints[r, w.TIMEKIND]
        times[r] = longs[r, w.TIME]
        is_event[r] = ints[r, w.KIND] >= w.EVENT


@entry("const uint8[:], const int32[:,:], int64[:,:]")
def triplets(buf, ints, longs, result):
    """Give temporary refusals the key of their (host, client, sender, recipient): what a client repeats until it is
    let in. Returns the flags of all rows or-ed."""
    seen = np.int64(0)
    for r in range(ints.shape[0]):
        seen |= ints[r, w.FLAGS]
        if ints[r, w.KIND] == w.REJECT and ints[r, w.N0] == w.WARN:
            h = hashed(buf, ints[r, w.HOST], ints[r, w.HOST + 1], SEED)
            if ints[r, w.D] >= 0:
                h = hashed(buf, ints[r, w.D], ints[r, w.D + 1], h)
            if ints[r, w.B] >= 0:
                s, _ = address_key(buf, ints[r, w.B], ints[r, w.B + 1])
                h = mix(h) ^ s
            longs[r, w.KEY] = np.int64(mix(h ^ np.uint64(longs[r, w.RKEY])))
    result[0] = seen


@entry("const uint64[:], const int32[:], const int64[:], int64[:]")
def running_max(keys, evidence, blocks, times, result):
    """Let no time of a group fall behind an earlier record's of the same block of a file."""
    for i in range(1, times.size):
        same = keys[i] == keys[i - 1] and evidence[i] == evidence[i - 1] and blocks[i] == blocks[i - 1]
        if same and times[i] < times[i - 1]:
            times[i] = times[i - 1]


@entry("const int32[:,:], const int32[:], int64, int32[:], uint8[:]")
def measure_spans(ints, rows, at, offsets, valid, result):
    """Offsets and validity bitmap of span column `at` of these rows: how many bytes there are."""
    n = rows.size
    total = 0
    for k in range(n):
        offsets[k] = total
        r = rows[k]
        if r >= 0 and ints[r, at] >= 0:
            total += ints[r, at + 1] - ints[r, at]
            valid[k >> 3] |= np.uint8(1 << (k & 7))
    offsets[n] = total
    result[0] = total


@entry("const uint8[:], const int32[:,:], const int32[:], int64, const int32[:], uint8[:]")
def copy_spans(buf, ints, rows, at, offsets, out, result):
    """The bytes of span column `at`: all of them or-ed, which tells whether any is not ASCII."""
    for k in range(rows.size):
        size = offsets[k + 1] - offsets[k]
        if size > 0:
            copy(out, offsets[k], buf, ints[rows[k], at], size)
    seen = np.uint8(0)
    for k in range(out.size):
        seen |= out[k]
    result[0] = seen
