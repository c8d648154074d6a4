"""What tracking records are, as kernels over field positions: their effect, and which are of one message."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.loaders.exchange import event_ids as ids
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.csvscan import NO_TIME, field_end, field_start, moment_after
from forensics.loaders.exchange.machine import find, kernel

USED: Final = 0
BAD_TIME: Final = 1
UNKNOWN_EVENT: Final = 2
NO_MESSAGE: Final = 3
"""No id and no recipient: such rows (NOTIFYMAPI and the like) say nothing of any message; ignored by event id."""
LISTS_DIFFER: Final = 4
NO_ID: Final = 5
"""Recipients, but no id that could join the row to a message."""

BY_NETWORK: Final = 0
BY_MESSAGE: Final = 1
BY_INTERNAL: Final = 2

STORE: Final = 1
"""Row flag: source STOREDRIVER."""
INTRA: Final = 2
"""Row flag: sent through the implicit intra-organisation connector."""
BY_ID: Final = 4
"""Row flag: known by its Message-ID alone (before Exchange 2013); `stitch.forks` tells resent messages apart."""
ONLINE: Final = 8
"""Row flag: told by Exchange Online, not by a server's own log."""

_FNV: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)


def _word_hash(text: str) -> int:
    value = 0xCBF29CE484222325
    for byte in text.upper().encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


EVENT_HASHES: Final = np.zeros(256, np.uint64)
EVENT_EFFECTS: Final = np.zeros(256, np.int8)
"""Hash table of `event_ids.TABLE`: the place of an event id is bits 32-39 of its hash, or the next free one."""
for _row in ids.TABLE:
    _hash = _word_hash(_row.event)
    _at = (_hash >> 32) & 255
    while EVENT_HASHES[_at]:
        _at = (_at + 1) & 255
    EVENT_HASHES[_at], EVENT_EFFECTS[_at] = _hash, _row.effect
STORE_SIZE: Final = len("STOREDRIVER")
STORE_HASH: Final = np.uint64(_word_hash("STOREDRIVER"))
INTRA_HASH: Final = np.uint64(_word_hash("Intra-Organization SMTP Send Connector"))
"""The implicit connector between transport services (Microsoft Learn, "Send connectors", Implicit Send connectors)."""


@kernel()
def _upper_hash(buf, s, e):
    value = _FNV
    for i in range(s, e):
        c = buf[i]
        if c >= 97 and c <= 122:
            c -= 32
        value = (value ^ np.uint64(c)) * _PRIME
    return value


@kernel()
def _key_hash(buf, s, e, mode):
    """FNV-1a of an id; of a network-message-id without hyphens and braces, lower-case."""
    value = _FNV ^ np.uint64(mode)
    for i in range(s, e):
        c = buf[i]
        if mode == BY_NETWORK:
            if c == 45 or c == 123 or c == 125:
                continue
            if c >= 65 and c <= 90:
                c += 32
        value = (value ^ np.uint64(c)) * _PRIME
    return value ^ (value >> np.uint64(29))


@kernel()
def _bare(buf, s, e):
    """A Message-ID without blanks and <> around it."""
    while s < e and (buf[s] == 32 or buf[s] == 60):
        s += 1
    while e > s and (buf[e - 1] == 32 or buf[e - 1] == 62):
        e -= 1
    return s, e


@kernel()
def _same(buf, s, e, t, u, mode):
    while True:
        while mode == BY_NETWORK and s < e and (buf[s] == 45 or buf[s] == 123 or buf[s] == 125):
            s += 1
        while mode == BY_NETWORK and t < u and (buf[t] == 45 or buf[t] == 123 or buf[t] == 125):
            t += 1
        if s >= e or t >= u:
            return s >= e and t >= u
        a = buf[s]
        b = buf[t]
        if mode == BY_NETWORK:
            if a >= 65 and a <= 90:
                a += 32
            if b >= 65 and b <= 90:
                b += 32
        if a != b:
            return False
        s += 1
        t += 1


QUARANTINE: Final = np.frombuffer(b"action=quarantine", np.uint8)
EQUALS: Final = b"action=quarantine".index(b"=")


@kernel()
def _contains_fold(buf, s, e, word):
    """True when the lower-case ASCII `word`, whose one `=` is at `EQUALS`, lies in the field, in any case."""
    size = word.shape[0]
    base = buf.ctypes.data
    at = s
    while True:
        at += find(base + at, 61, e - at)
        if at >= e:
            return False
        i = at - EQUALS
        at += 1
        if i < s or i + size > e:
            continue
        hit = True
        for j in range(size):
            c = buf[i + j]
            if c >= 65 and c <= 90:
                c += 32
            if c != word[j]:
                hit = False
                break
        if hit:
            return True


@kernel(
    "void(uint8[::1], int8[::1], int32[:,::1], int32[:,::1], int64[::1], int8[::1], int8[::1], int8[::1], "
    "uint64[::1], int8[::1], uint8[::1], uint64[::1])"
)
def classify(buf, kinds, begin, end, at, effect, flags, state, hashes, effects, quarantine, memo):
    """Time, effect and flags of each data record; `state` says what cannot be used. `memo`: as of `moment_after`."""
    for r in range(kinds.shape[0]):
        state[r] = USED
        if kinds[r] != 0:
            continue
        at[r] = moment_after(buf, field_start(begin, r, f.TIME), field_end(end, r, f.TIME), memo)
        if at[r] == NO_TIME:
            state[r] = BAD_TIME
            continue
        h = _upper_hash(buf, field_start(begin, r, f.EVENT), field_end(end, r, f.EVENT))
        found = (h >> np.uint64(32)) & np.uint64(hashes.shape[0] - 1)
        while hashes[found] != h and hashes[found] != 0:
            found = (found + np.uint64(1)) & np.uint64(hashes.shape[0] - 1)
        if hashes[found] == 0:
            state[r] = UNKNOWN_EVENT
            continue
        effect[r] = effects[found]
        flag = 0
        s = field_start(begin, r, f.SOURCE)
        e = field_end(end, r, f.SOURCE)
        if e - s == STORE_SIZE and _upper_hash(buf, s, e) == STORE_HASH:
            flag |= STORE
        if effect[r] == ids.SEND:
            h = _upper_hash(buf, field_start(begin, r, f.CONNECTOR), field_end(end, r, f.CONNECTOR))
            if h == INTRA_HASH:
                flag |= INTRA
        flags[r] = flag
        if effect[r] == ids.INFO:
            s = field_start(begin, r, f.CUSTOM)
            if _contains_fold(buf, s, field_end(end, r, f.CUSTOM), quarantine):
                effect[r] = ids.HOLD


@kernel()
def _guid(buf, s, e, digits):
    """(is it one?, halves) of a network-message-id of 32 hexadecimal digits; its 16 bytes, each half little-endian."""
    n = 0
    low = np.uint64(0)
    high = np.uint64(0)
    for i in range(s, e):
        d = digits[buf[i]]
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


DIGITS: Final = np.full(256, 17, np.uint8)
"""Value of each hexadecimal digit; 16 for hyphens and braces, which a GUID may have anywhere; 17 for the rest."""
DIGITS[[ord(c) for c in "0123456789abcdef"]] = DIGITS[[ord(c) for c in "0123456789ABCDEF"]] = np.arange(16)
DIGITS[[ord(c) for c in "-{}"]] = 16


@kernel(
    "int64(uint8[::1], int8[::1], int8[::1], int32[:,::1], int32[:,::1], int32[::1], int8[::1], int32[::1], "
    "uint64[:,::1], boolean[::1], uint8[::1], int32[::1])"
)
def group(buf, kinds, state, begin, end, message, modes, reps, ids, whole, digits, table):
    """Message number of each record in this block; `reps` is a record of each message. Returns the count.

    `whole[message]`: its id is a GUID, the bytes of which are `ids[message]`.
    """
    mask = np.uint64(table.shape[0] - 1)
    for place in range(table.shape[0]):
        table[place] = -1
    count = 0
    for r in range(kinds.shape[0]):
        message[r] = -1
        if kinds[r] != 0 or state[r] != USED:
            continue
        mode = BY_NETWORK
        slot = f.NETWORK_ID
        if end[r, f.NETWORK_ID] == begin[r, f.NETWORK_ID]:
            mode = BY_MESSAGE
            slot = f.MESSAGE_ID
            if end[r, f.MESSAGE_ID] == begin[r, f.MESSAGE_ID]:
                mode = BY_INTERNAL
                slot = f.INTERNAL
        s = field_start(begin, r, slot)
        e = field_end(end, r, slot)
        if s == e:
            if end[r, f.RECIPIENT] == begin[r, f.RECIPIENT]:
                state[r] = NO_MESSAGE
            else:
                state[r] = NO_ID
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
                good, low, high = _guid(buf, s, e, digits)
        else:
            s, e = _bare(buf, s, e)
        if good:
            h = (low ^ (high << np.uint64(1))) * np.uint64(0x9E3779B97F4A7C15)
            h = (h ^ (h >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
            h ^= h >> np.uint64(32)
        else:
            h = _key_hash(buf, s, e, mode)
        probe = h & mask
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
                t = field_start(begin, q, slot)
                u = field_end(end, q, slot)
                if mode == BY_MESSAGE:
                    t, u = _bare(buf, t, u)
                if _same(buf, s, e, t, u, mode):
                    message[r] = m
                    break
            probe = (probe + np.uint64(1)) & mask
    return count


@kernel("void(uint8[::1], int32[::1], int32[::1], uint64[::1])")
def fingerprint(buf, starts, ends, out):
    """64-bit FNV-1a of each record's bytes, mixed at the end (splitmix64)."""
    for r in range(starts.shape[0]):
        value = _FNV
        for i in range(starts[r], ends[r]):
            value = (value ^ np.uint64(buf[i])) * _PRIME
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out[r] = value ^ (value >> np.uint64(31))
