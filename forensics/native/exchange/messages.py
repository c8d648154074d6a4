"""Which tracking records of a block are of one message, by the best id that each has; and which are the same record."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.exchange.classify import small
from forensics.native.exchange.codes import BY_INTERNAL, BY_MESSAGE, BY_NETWORK, DATA, NO_ID, NO_MESSAGE, USED
from forensics.native.exchange.csvscan import field
from forensics.native.exchange.slots import INTERNAL, MESSAGE_ID, NETWORK_ID, RECIPIENT
from forensics.native.text import SEED

_PRIME: Final = np.uint64(0x100000001B3)
"""Of the 64-bit FNV hash (Fowler, Noll, Vo; the seed is its offset basis)."""

_DIGITS: Final = np.full(256, 17, np.uint8)
"""Value of each hexadecimal digit; 16 for hyphens and braces, which a GUID may have anywhere; 17 for the rest."""
_DIGITS[[ord(c) for c in "0123456789abcdef"]] = _DIGITS[[ord(c) for c in "0123456789ABCDEF"]] = np.arange(16)
_DIGITS[[ord(c) for c in "-{}"]] = 16


@kernel
def _guid(buf, s, e):
    """(is it one?, halves) of a network-message-id of 32 hexadecimal digits; its 16 bytes, each half little-endian."""
    n = 0
    low = np.uint64(0)
    high = np.uint64(0)
    for i in range(s, e):
        d = _DIGITS[buf[i]]
        if d >= 16:
            if d == 16:
                continue
            return False, low, high
        if n < 16:
            low |= np.uint64(d) << np.uint64((n ^ 1) * 4)
        elif n < 32:
            high |= np.uint64(d) << np.uint64(((n - 16) ^ 1) * 4)
        else:
            return False, low, high
        n += 1
    return n == 32, low, high


@kernel
def pair_hash(low, high):
    """A hash of two words."""
    h = (low ^ (high << np.uint64(1))) * np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return h ^ (h >> np.uint64(32))


@kernel
def _is_left_out(c):
    """Hyphens and braces count for nothing in a network-message-id."""
    return c == 45 or c == 123 or c == 125


@kernel
def _key_hash(buf, s, e, mode):
    """FNV-1a of an id; of a network-message-id without hyphens and braces, in small letters."""
    value = SEED ^ np.uint64(mode)
    for i in range(s, e):
        c = buf[i]
        if mode == BY_NETWORK:
            if _is_left_out(c):
                continue
            c = small(c)
        value = (value ^ np.uint64(c)) * _PRIME
    return value ^ (value >> np.uint64(29))


@kernel
def _bare(buf, s, e):
    """A Message-ID without blanks and <> around it."""
    while s < e and (buf[s] == 32 or buf[s] == 60):
        s += 1
    while e > s and (buf[e - 1] == 32 or buf[e - 1] == 62):
        e -= 1
    return s, e


@kernel
def _same(buf, s, e, t, u, mode):
    """Are the ids [s, e) and [t, u) the same?"""
    while True:
        while mode == BY_NETWORK and s < e and _is_left_out(buf[s]):
            s += 1
        while mode == BY_NETWORK and t < u and _is_left_out(buf[t]):
            t += 1
        if s >= e or t >= u:
            return s >= e and t >= u
        if buf[s] != buf[t] and (mode != BY_NETWORK or small(buf[s]) != small(buf[t])):
            return False
        s += 1
        t += 1


@kernel
def _best_id(begin, end, r):
    """(which id joins the record to its message, its slot)."""
    if end[r, NETWORK_ID] != begin[r, NETWORK_ID]:
        return BY_NETWORK, NETWORK_ID
    if end[r, MESSAGE_ID] != begin[r, MESSAGE_ID]:
        return BY_MESSAGE, MESSAGE_ID
    return BY_INTERNAL, INTERNAL


@entry(
    "const uint8[:], const int8[:], const int32[:,:], const int32[:,:], int8[:], int32[:], int8[:], int32[:], "
    "uint64[:,:], boolean[:], int32[:]"
)
def group(buf, kinds, begin, end, state, message, modes, reps, ids, whole, table, result):
    """Message number of each record in this block; `reps` is a record of each message. Returns the count.

    `whole[message]`: its id is a GUID, the bytes of which are `ids[message]`. `table`: work space.
    """
    mask = np.uint64(table.size - 1)
    for place in range(table.size):
        table[place] = -1
    count = 0
    for r in range(kinds.size):
        message[r] = -1
        if kinds[r] != DATA or state[r] != USED:
            continue
        mode, slot = _best_id(begin, end, r)
        s, e = field(begin, end, r, slot)
        if s == e:
            state[r] = NO_MESSAGE if end[r, RECIPIENT] == begin[r, RECIPIENT] else NO_ID
            continue
        modes[r] = mode
        if mode == BY_INTERNAL:  # means something on its own server only: joined later, with the server's name
            reps[count] = r
            whole[count] = False
            message[r] = count
            count += 1
            continue
        good = False
        low = np.uint64(0)
        high = np.uint64(0)
        if mode == BY_NETWORK:
            if end[r, slot] >= 0:
                good, low, high = _guid(buf, s, e)
        else:
            s, e = _bare(buf, s, e)
        probe = (pair_hash(low, high) if good else _key_hash(buf, s, e, mode)) & mask
        while True:
            m = table[probe]
            if m < 0:
                table[probe] = count
                reps[count] = r
                whole[count] = good
                ids[count, 0] = low
                ids[count, 1] = high
                message[r] = count
                count += 1
                break
            q = reps[m]
            if good:
                if whole[m] and ids[m, 0] == low and ids[m, 1] == high:
                    message[r] = m
                    break
            elif not whole[m] and modes[q] == mode:
                t, u = field(begin, end, q, slot)
                if mode == BY_MESSAGE:
                    t, u = _bare(buf, t, u)
                if _same(buf, s, e, t, u, mode):
                    message[r] = m
                    break
            probe = (probe + np.uint64(1)) & mask
    result[0] = count


@entry("const uint8[:], const int32[:], const int32[:], uint64[:]")
def fingerprint(buf, starts, ends, out, result):
    """64-bit FNV-1a of each record's bytes, mixed at the end (splitmix64)."""
    for r in range(starts.size):
        value = SEED
        for i in range(starts[r], ends[r]):
            value = (value ^ np.uint64(buf[i])) * _PRIME
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out[r] = value ^ (value >> np.uint64(31))
