"""Bytes and hashes, for all kernels: find, compare, copy, addresses.

A span is (start, end) into a buffer; start -1 means absent. Eight bytes are read at once as a number, the first byte
lowest: that stays inside the buffer, except where a buffer is said to be padded (`loaders.base.PADDING`).
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import entry, inlined, kernel

SEED = np.uint64(0xCBF29CE484222325)
FACTOR = np.uint64(0x9E3779B97F4A7C15)
HIGH = np.uint64(0x8080808080808080)
"""The highest bit of each of eight bytes."""
LOW = np.uint64(0x0101010101010101)
BLANKS = np.uint64(0x2121212121212121)
"""The least byte that is no blank, eight times."""


def lit(text: str) -> np.ndarray:
    """A literal as the byte array that kernels compare with."""
    return np.frombuffer(text.encode("ascii"), np.uint8).copy()


@kernel
def load64(buf, i):
    """The 8 bytes at i. (LLVM makes one load of it.)"""
    i = np.uint64(i)
    return (
        np.uint64(buf[i])
        | np.uint64(buf[i + np.uint64(1)]) << np.uint64(8)
        | np.uint64(buf[i + np.uint64(2)]) << np.uint64(16)
        | np.uint64(buf[i + np.uint64(3)]) << np.uint64(24)
        | np.uint64(buf[i + np.uint64(4)]) << np.uint64(32)
        | np.uint64(buf[i + np.uint64(5)]) << np.uint64(40)
        | np.uint64(buf[i + np.uint64(6)]) << np.uint64(48)
        | np.uint64(buf[i + np.uint64(7)]) << np.uint64(56)
    )


@kernel
def load32(buf, i):
    """The 4 bytes at i."""
    i = np.uint64(i)
    return (
        np.uint32(buf[i])
        | np.uint32(buf[i + np.uint64(1)]) << np.uint32(8)
        | np.uint32(buf[i + np.uint64(2)]) << np.uint32(16)
        | np.uint32(buf[i + np.uint64(3)]) << np.uint32(24)
    )


@kernel
def store32(buf, i, word):
    """Write the lower 4 bytes of a number to i, the lowest first."""
    i = np.uint64(i)
    buf[i] = np.uint8(word)
    buf[i + np.uint64(1)] = np.uint8(word >> np.uint64(8))
    buf[i + np.uint64(2)] = np.uint8(word >> np.uint64(16))
    buf[i + np.uint64(3)] = np.uint8(word >> np.uint64(24))


@kernel
def between(value, least, greatest):
    """least <= value <= greatest. (Written as a chain of comparisons it costs more: numba then counts references.)"""
    return value >= least and value <= greatest


@kernel
def is_digit(byte):
    """0 to 9."""
    return byte >= 48 and byte <= 57


@kernel
def zero_bytes(word):
    """The highest bit of each zero byte; of bytes behind the first such one perhaps wrongly."""
    return (word - LOW) & ~word & HIGH


@kernel
def first_marked(marks):
    """Which of eight bytes is the first whose highest bit is set; some is."""
    lowest = (marks & (~marks + np.uint64(1))) >> np.uint64(7)
    return np.int64(((lowest - np.uint64(1)) & LOW) * LOW >> np.uint64(56))


@kernel
def find_byte(buf, i, end, byte):
    """Position of the first such byte in [i, end), or `end`."""
    wanted = np.uint64(byte) * LOW
    while i + 8 <= end:
        marks = zero_bytes(load64(buf, i) ^ wanted)
        if marks:
            return i + first_marked(marks)
        i += 8
    while i < end and buf[i] != byte:
        i += 1
    return i


@kernel
def find_first(buf, i, end, a, b, c):
    """Position of the first byte in [i, end) that is one of three, or `end`."""
    first, second, third = np.uint64(a) * LOW, np.uint64(b) * LOW, np.uint64(c) * LOW
    while i + 8 <= end:
        word = load64(buf, i)
        marks = zero_bytes(word ^ first) | zero_bytes(word ^ second) | zero_bytes(word ^ third)
        if marks:
            return i + first_marked(marks)
        i += 8
    while i < end and buf[i] != a and buf[i] != b and buf[i] != c:
        i += 1
    return i


@kernel
def _any_of_64(buf, i, byte):
    """Is one of the 64 bytes at i such? (LLVM compares 16 or 32 at a time.)"""
    found = np.uint8(0)
    for k in range(64):
        found |= np.uint8(buf[np.uint64(i + k)] == byte)
    return found != 0


@kernel
def find_far(buf, i, end, byte):
    """`find_byte`, twice as fast where the byte is some hundred bytes away, slower where it is near."""
    while i + 64 <= end and not _any_of_64(buf, i, byte):
        i += 64
    return find_byte(buf, i, end, byte)


@inlined
def at(buf, i, literal):
    """True when `literal` stands at i. Of the buffer its whole length is read where its first byte is there.

    No loop over a short literal: LLVM unrolls it, at hundreds of places, and goes through the whole function each time.
    """
    n = literal.size
    if buf[i] != literal[0]:
        return False
    if n < 4:
        return (n < 2 or buf[i + 1] == literal[1]) and (n < 3 or buf[i + 2] == literal[2])
    if n < 8:
        return load32(buf, i) == load32(literal, 0) and load32(buf, i + n - 4) == load32(literal, n - 4)
    if load64(buf, i) != load64(literal, 0):
        return False
    if n > 16 and load64(buf, i + 8) != load64(literal, 8):
        return False
    if n > 24:
        for k in range(16, n - 8):
            if buf[i + k] != literal[k]:
                return False
    return load64(buf, i + n - 8) == load64(literal, n - 8)


@kernel
def find(buf, i, end, literal):
    """First position of `literal` that lies wholly in [i, end), or -1."""
    stop = end - literal.size + 1
    i = find_byte(buf, i, stop, literal[0])
    while i < stop:
        if at(buf, i, literal):
            return i
        i = find_byte(buf, i + 1, stop, literal[0])
    return -1


@kernel
def rfind(buf, i, end, literal):
    """Last position of `literal` that lies wholly in [i, end), or -1."""
    first = literal[0]
    k = end - literal.size
    while k >= i:
        if buf[k] == first and at(buf, k, literal):
            return k
        k -= 1
    return -1


@kernel
def copy(out, k, buf, i, n):
    """n bytes of buf from i to out at k; the caller knows that both have them."""
    for j in range(n):
        out[np.uint64(k + j)] = buf[np.uint64(i + j)]


@kernel
def same_bytes(buf, a, b, n):
    """Are the n bytes at a those at b?"""
    k = 0
    while k + 8 <= n:
        if load64(buf, a + k) != load64(buf, b + k):
            return False
        k += 8
    while k < n:
        if buf[a + k] != buf[b + k]:
            return False
        k += 1
    return True


@kernel
def mix(h):
    """Final avalanche (the 64-bit finaliser of MurmurHash3); never 0, which means "no key"."""
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> np.uint64(33)
    if h == np.uint64(0):
        return np.uint64(1)
    return h


@kernel
def tail(buf, i, end):
    """Up to 8 bytes, but not none, as one number, the first one lowest."""
    if end >= 8:
        return load64(buf, end - 8) >> np.uint64(8 * (8 - (end - i)))
    word = np.uint64(0)
    shift = np.uint64(0)
    while i < end:
        word |= np.uint64(buf[i]) << shift
        shift += np.uint64(8)
        i += 1
    return word


@kernel
def hashed(buf, i, end, h):
    """A hash of [i, end), eight bytes at a step, continuing h; not mixed."""
    size = end - i
    while i + 8 <= end:
        h = (h ^ load64(buf, i)) * FACTOR
        h ^= h >> np.uint64(32)
        i += 8
    if i < end:
        h = (h ^ tail(buf, i, end)) * FACTOR
        h ^= h >> np.uint64(32)
    return (h ^ np.uint64(size)) * FACTOR


@kernel
def lowered(word):
    """Eight bytes with their ASCII capitals made small."""
    low = word & np.uint64(0x7F7F7F7F7F7F7F7F)
    from_a = low + np.uint64(0x3F3F3F3F3F3F3F3F)
    past_z = low + np.uint64(0x2525252525252525)
    capital = (from_a ^ past_z) & ~word & HIGH
    return word | capital >> np.uint64(2)


@kernel
def oddities(word):
    """A word with a highest bit of a byte set where one of eight bytes is not ASCII or a blank: below 33 it borrows."""
    return word | (word - BLANKS)


@kernel
def oddities_of(word, n):
    """The same of its first n bytes, fewer than eight; the others are zero."""
    behind = ~np.uint64(0) << np.uint64(8 * n)
    return word | ((word | behind) - BLANKS) & ~behind


@kernel
def lower_hash(buf, i, end):
    """(`hashed` of [i, end) with ASCII capitals made small, plain?); not plain: not ASCII, or with blanks."""
    size = end - i
    h = SEED
    seen = np.uint64(0)
    while i + 8 <= end:
        word = load64(buf, i)
        seen |= oddities(word)
        h = (h ^ lowered(word)) * FACTOR
        h ^= h >> np.uint64(32)
        i += 8
    if i < end:
        word = tail(buf, i, end)
        seen |= oddities_of(word, end - i)
        h = (h ^ lowered(word)) * FACTOR
        h ^= h >> np.uint64(32)
    return (h ^ np.uint64(size)) * FACTOR, seen & HIGH == np.uint64(0)


@kernel
def address_stop(buf, i, end):
    """Where an address ends without the dots behind its domain, and without an `@` that no domain follows."""
    stop = end
    if end > i and buf[end - 1] == 46:
        has_at = False
        for k in range(i, end):
            if buf[k] == 64:
                has_at = True
                break
        while has_at and buf[stop - 1] == 46:
            stop -= 1
    if stop > i and buf[stop - 1] == 64:  # no domain
        stop -= 1
    return stop


@kernel
def address_key(buf, i, end):
    """(hash, plain?) of an address: lower-cased, dots behind the domain left out. Equal for equal `domains.key`, if
    plain: ASCII without blanks."""
    h, plain = lower_hash(buf, i, address_stop(buf, i, end))
    return mix(h), plain


@kernel
def within(h):
    """Continue a hash behind a separator that no text holds."""
    return (h ^ np.uint64(0xFF)) * FACTOR


@kernel
def spread(n):
    """A row number as something to mix with a hash."""
    return np.uint64(n + 1) * np.uint64(0x9E3779B97F4A7C15)


@entry("const uint8[:]")
def _hash_of(raw, result):
    result[0] = np.int64(mix(hashed(raw, 0, raw.size, SEED)))


def hash_of(raw: bytes) -> np.uint64:
    """The hash of some bytes, as kernels compute it; of a `domains.key` its `address_key`."""
    return np.int64(_hash_of(np.frombuffer(raw, np.uint8))).astype(np.uint64)
