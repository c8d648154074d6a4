"""String columns as Arrow keeps them (offsets, bytes, validity bitmap): hashes, address keys, domains of each row. Zero
is the hash of null."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.text import SEED, address_key, between, hashed, is_digit, lower_hash, mix


@kernel
def present(bits, r):
    """Is row r of a column with this validity bitmap not null?"""
    return bits.size == 0 or bits[r >> 3] >> np.uint8(r & 7) & np.uint8(1) != 0


@entry("const int32[:], const uint8[:], const uint8[:], uint64[:]")
def hash_rows(offsets, data, bits, out, result):
    for r in range(out.size):
        out[r] = np.uint64(0)
        if present(bits, r):
            out[r] = mix(hashed(data, offsets[r], offsets[r + 1], SEED))


@entry("const int32[:], const uint8[:], const uint8[:], uint64[:], boolean[:]")
def key_rows(offsets, data, bits, out, plain, result):
    for r in range(out.size):
        out[r] = np.uint64(0)
        plain[r] = True
        if present(bits, r):
            h, ascii_ = address_key(data, offsets[r], offsets[r + 1])
            out[r] = h
            plain[r] = ascii_


@entry("const int32[:], const uint8[:], const uint8[:], uint64[:], boolean[:]")
def label_rows(offsets, data, bits, out, plain, result):
    for r in range(out.size):
        out[r] = np.uint64(0)
        plain[r] = True
        if not present(bits, r):
            continue
        letter = False
        end = offsets[r]
        while end < offsets[r + 1] and data[end] != 46:
            letter = letter or between(data[end] | 32, 97, 122)
            end += 1
        h, ascii_ = lower_hash(data, offsets[r], end)
        plain[r] = ascii_
        if letter:
            out[r] = mix(h)


@entry("const int32[:], const uint8[:], const uint8[:], uint64[:]")
def domain_hash_rows(offsets, data, bits, out, result):
    """A hash of what stands behind the last `@` in lower case, without dots at its end: enough to count domains."""
    for r in range(out.size):
        out[r] = np.uint64(0)
        if present(bits, r):
            end = offsets[r + 1]
            start = end
            while start > offsets[r] and data[start - 1] != 64:
                start -= 1
            while end > start and data[end - 1] == 46:
                end -= 1
            h, _ = lower_hash(data, start, end)
            out[r] = mix(h)


@kernel
def dotted_quad(data, i, end):
    """The number of the IPv4 address that [i, end) is, as inet_pton(3) reads it: four decimal numbers below 256 without
    a zero in front; -1 for all else."""
    value = np.int64(0)
    for n in range(4):
        start = i
        part = np.int64(0)
        while i < end and i - start < 4 and is_digit(data[i]):
            part = part * 10 + (np.int64(data[i]) - 48)
            i += 1
        if i == start or part > 255 or (data[start] == 48 and i > start + 1):
            return np.int64(-1)
        value = value << 8 | part
        if n < 3:
            if i >= end or data[i] != 46:
                return np.int64(-1)
            i += 1
    return value if i == end else np.int64(-1)


@entry("const int32[:], const uint8[:], const uint8[:], int64[:]")
def ipv4_rows(offsets, data, bits, out, result):
    """`dotted_quad` of each row; -1 for null, too."""
    for r in range(out.size):
        out[r] = dotted_quad(data, offsets[r], offsets[r + 1]) if present(bits, r) else np.int64(-1)


@entry("const int32[:], const uint8[:], const uint8[:], uint8[:], int32[:], boolean[:]")
def domain_rows(offsets, data, bits, out, ends, plain, result):
    n = plain.size
    k = 0
    ends[0] = 0
    for r in range(n):
        plain[r] = True
        if present(bits, r):
            a, b = offsets[r], offsets[r + 1]
            at = b
            for i in range(b - 1, a - 1, -1):
                if data[i] == 64:
                    at = i + 1
                    break
            while b > at and data[b - 1] == 46:
                b -= 1
            for i in range(at, b):
                c = data[i]
                if c >= 128 or c <= 32:
                    plain[r] = False
                if between(c, 65, 90):
                    c = np.uint8(c + 32)
                out[k] = c
                k += 1
        ends[r + 1] = k
    result[0] = k
