"""Which tracking records of a block are of one message, by the best id that each has; and which are the same record.

An id that is none (`NULL`, `-`, a GUID of zeros) joins nothing; nor does a network-message-id join records of several
Message-IDs: Exchange gives every message a new one, so that one which several messages share is an error or a
placeholder.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.exchange.classify import small
from forensics.native.exchange.codes import BY_INTERNAL, BY_MESSAGE, BY_NETWORK, DATA, NO_ID, NO_MESSAGE, USED
from forensics.native.exchange.csvscan import field
from forensics.native.exchange.slots import INTERNAL, MESSAGE_ID, NETWORK_ID, RECIPIENT
from forensics.native.text import SEED, find_byte, lower_hash, mix

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
def _counted(buf, s, e):
    """Does the text hold a digit that is not zero? Ids do; words for none do not."""
    for i in range(s, e):  # noqa: SIM110
        if buf[i] >= 49 and buf[i] <= 57:
            return True
    return False


@kernel
def message_id(buf, begin, end, r):
    """(start, end) of the Message-ID, bare; empty when it is none."""
    s, e = field(begin, end, r, MESSAGE_ID)
    s, e = _bare(buf, s, e)
    if s < e and find_byte(buf, s, e, 64) == e and not _counted(buf, s, e):
        return e, e
    return s, e


@kernel
def _best_id(buf, begin, end, r):
    """(which id joins the record to its message, its start and end); empty when the record has none."""
    s, e = field(begin, end, r, NETWORK_ID)
    if _counted(buf, s, e):
        return BY_NETWORK, s, e
    s, e = message_id(buf, begin, end, r)
    if s < e:
        return BY_MESSAGE, s, e
    s, e = field(begin, end, r, INTERNAL)
    if not _counted(buf, s, e):
        return BY_INTERNAL, s, s
    return BY_INTERNAL, s, e


@kernel
def _hash_of_id(buf, s, e, doubled):
    """A hash of a bare Message-ID in any case of ASCII letters; 0 when there is none. `doubled`: its quotes are."""
    if s >= e:
        return np.uint64(0)
    if find_byte(buf, s, e, 34) == e:
        h, _ = lower_hash(buf, s, e)
        return mix(h)
    h = SEED
    while s < e:
        c = buf[s]
        h = (h ^ np.uint64(small(c))) * _PRIME
        s += 2 if doubled and c == 34 else 1
    return mix(h)


@entry(
    "const uint8[:], const int8[:], const int32[:,:], const int32[:,:], int8[:], int32[:], int8[:], uint64[:], "
    "int32[:], uint64[:,:], boolean[:], int32[:]"
)
def group(buf, kinds, begin, end, state, message, modes, own, reps, ids, whole, table, result):
    """Message number of each record in this block; `reps` is a record of each message. Returns the count.

    `own`: a hash of each record's Message-ID, 0 without. Records of one network-message-id and several Message-IDs are
    several messages here; whether the message goes on without a Message-ID is seen when all blocks are together
    (`loaders.exchange.rows`). `whole[message]`: its id is a GUID, the bytes of which are `ids[message]`. `table`: work
    space.
    """
    mask = np.uint64(table.size - 1)
    for place in range(table.size):
        table[place] = -1
    count = 0
    for r in range(kinds.size):
        message[r] = -1
        own[r] = 0
        if kinds[r] != DATA or state[r] != USED:
            continue
        mode, s, e = _best_id(buf, begin, end, r)
        if s == e:
            state[r] = NO_MESSAGE if end[r, RECIPIENT] == begin[r, RECIPIENT] else NO_ID
            continue
        t, u = message_id(buf, begin, end, r)
        own[r] = _hash_of_id(buf, t, u, end[r, MESSAGE_ID] < 0)
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
        if mode == BY_NETWORK and end[r, NETWORK_ID] >= 0:
            good, low, high = _guid(buf, s, e)
        probe = ((pair_hash(low, high) if good else _key_hash(buf, s, e, mode)) ^ own[r]) & mask
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
            if own[q] == own[r]:
                if good:
                    if whole[m] and ids[m, 0] == low and ids[m, 1] == high:
                        message[r] = m
                        break
                elif not whole[m] and modes[q] == mode:
                    _, t, u = _best_id(buf, begin, end, q)
                    if _same(buf, s, e, t, u, mode):
                        message[r] = m
                        break
            probe = (probe + np.uint64(1)) & mask
    result[0] = count


@entry("const uint8[:], const int32[:], const int32[:], uint64[:]")
def message_hashes(buf, begin, end, out, result):
    """The hash of each Message-ID as `group` has it; an empty one has 0."""
    for r in range(begin.size):
        s, e = _bare(buf, np.int64(begin[r]), np.int64(end[r]))
        out[r] = _hash_of_id(buf, s, e, False)


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
