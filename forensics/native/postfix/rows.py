"""What is made of the scanner's rows: addresses of records, keys, text columns."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import entry
from forensics.native.postfix import words as w
from forensics.native.text import SEED, address_key, copy, find_byte, hashed, is_digit, mix


@entry(
    "const int32[:,:], const int64[:,:], int64, int64, int64[:], int64[:], int64[:], int32[:], int64[:], int32[:], "
    "int32[:]"
)
def addresses(ints, longs, first, offset, numbers, offsets, lengths, stamps, times, kinds, flags, result):
    """Number, offset and length of each row's record in the evidence, its kind of stamp, its time, its kind and flags:
    in one pass, since a column of the wide table is a memory access for each row."""
    for r in range(numbers.size):
        numbers[r] = ints[r, w.LINE] + first
        offsets[r] = ints[r, w.OFFSET] + offset
        lengths[r] = ints[r, w.LENGTH]
        stamps[r] = ints[r, w.TIMEKIND]
        times[r] = longs[r, w.TIME]
        kinds[r] = ints[r, w.KIND]
        flags[r] = ints[r, w.FLAGS]


@entry("const uint8[:], const int32[:,:], int64[:,:], const int64[:]")
def triplets(buf, ints, longs, refusals, result):
    """Give temporary refusals the key of their (host, client, sender, recipient): what a client repeats until it is
    let in. `refusals`: the rows of kind REJECT."""
    for n in range(refusals.size):
        r = refusals[n]
        if ints[r, w.N0] == w.WARN:
            h = hashed(buf, ints[r, w.HOST], ints[r, w.HOST + 1], SEED)
            if ints[r, w.D] >= 0:
                h = hashed(buf, ints[r, w.D], ints[r, w.D + 1], h)
            if ints[r, w.B] >= 0:
                s, _ = address_key(buf, ints[r, w.B], ints[r, w.B + 1])
                h = mix(h) ^ s
            longs[r, w.KEY] = np.int64(mix(h ^ np.uint64(longs[r, w.RKEY])))


@entry("const uint64[:], const int32[:], const int64[:], int64[:]")
def running_max(keys, evidence, blocks, times, result):
    """Let no time of a group fall behind an earlier record's of the same block of a file."""
    for i in range(1, times.size):
        same = keys[i] == keys[i - 1] and evidence[i] == evidence[i - 1] and blocks[i] == blocks[i - 1]
        if same and times[i] < times[i - 1]:
            times[i] = times[i - 1]


@entry("const int32[:,:], const int32[:], int64, int32[:], int32[:], uint8[:]")
def measure_spans(ints, rows, at, starts, offsets, valid, result):
    """Where the bytes of span column `at` of these rows are, their offsets and validity bitmap: how many bytes there
    are."""
    n = rows.size
    total = 0
    for k in range(n):
        offsets[k] = total
        r = rows[k]
        if r >= 0 and ints[r, at] >= 0:
            starts[k] = ints[r, at]
            total += ints[r, at + 1] - ints[r, at]
            valid[k >> 3] |= np.uint8(1 << (k & 7))
    offsets[n] = total
    result[0] = total


@entry("const uint8[:], const int32[:], const int32[:], uint8[:]")
def copy_spans(buf, starts, offsets, out, result):
    """The bytes that `measure_spans` found: all of them or-ed, which tells whether any is not ASCII."""
    for k in range(starts.size):
        size = offsets[k + 1] - offsets[k]
        if size > 0:
            copy(out, offsets[k], buf, starts[k], size)
    seen = np.uint8(0)
    for k in range(out.size):
        seen |= out[k]
    result[0] = seen


@entry("const uint8[:], const int32[:,:], const int32[:], int32[:]")
def ports(buf, ints, rows, out, result):
    """The port behind the relay's address (span D) of these rows, of five digits at most; 0 where that is a path; -1
    where there is none."""
    for k in range(rows.size):
        r = rows[k]
        out[k] = -1
        if r < 0 or ints[r, w.D] < 0:
            continue
        i, end = ints[r, w.D], ints[r, w.D + 1]
        p = end + 2
        if buf[end] == 93 and buf[end + 1] == 58 and is_digit(buf[p]):
            value = 0
            while p < end + 7 and is_digit(buf[p]):
                value = value * 10 + (int(buf[p]) - 48)
                p += 1
            out[k] = value
        elif find_byte(buf, i, end, 47) < end:
            out[k] = 0
