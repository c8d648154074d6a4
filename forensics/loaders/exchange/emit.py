"""What tracking records are, as numba kernels over field positions: their effect, and which are of one message."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.kernels import jit
from forensics.loaders.exchange import event_ids as ids
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.csvscan import NO_TIME, field_end, field_start, moment

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


EVENT_HASHES: Final = np.array([_word_hash(row.event) for row in ids.TABLE], np.uint64)
EVENT_EFFECTS: Final = np.array([row.effect for row in ids.TABLE], np.int8)
STORE_HASH: Final = np.uint64(_word_hash("STOREDRIVER"))
INTRA_HASH: Final = np.uint64(_word_hash("Intra-Organization SMTP Send Connector"))
"""The implicit connector between transport services (Microsoft Learn, "Send connectors", Implicit Send connectors)."""


@jit()
def _upper_hash(buf, s, e):
    value = _FNV
    for i in range(s, e):
        c = buf[i]
        if c >= 97 and c <= 122:
            c -= 32
        value = (value ^ np.uint64(c)) * _PRIME
    return value


@jit()
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


@jit()
def _bare(buf, s, e):
    """A Message-ID without blanks and <> around it."""
    while s < e and (buf[s] == 32 or buf[s] == 60):
        s += 1
    while e > s and (buf[e - 1] == 32 or buf[e - 1] == 62):
        e -= 1
    return s, e


@jit()
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


@jit()
def _contains_fold(buf, s, e, word):
    """True when the lower-case ASCII `word` lies in the field, in any case."""
    size = word.shape[0]
    for i in range(s, e - size + 1):
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
    return False


QUARANTINE: Final = np.frombuffer(b"action=quarantine", np.uint8)


@jit()
def classify(buf, kinds, begin, end, at, effect, flags, state, hashes, effects, quarantine):
    """Time, effect and flags of each data record; `state` says what cannot be used."""
    for r in range(kinds.shape[0]):
        state[r] = USED
        if kinds[r] != 0:
            continue
        at[r] = moment(buf, field_start(begin, r, f.TIME), field_end(end, r, f.TIME))
        if at[r] == NO_TIME:
            state[r] = BAD_TIME
            continue
        h = _upper_hash(buf, field_start(begin, r, f.EVENT), field_end(end, r, f.EVENT))
        found = -1
        for i in range(hashes.shape[0]):
            if hashes[i] == h:
                found = i
                break
        if found < 0:
            state[r] = UNKNOWN_EVENT
            continue
        effect[r] = effects[found]
        flag = 0
        if _upper_hash(buf, field_start(begin, r, f.SOURCE), field_end(end, r, f.SOURCE)) == STORE_HASH:
            flag |= STORE
        if effect[r] == ids.SEND:
            h = _upper_hash(buf, field_start(begin, r, f.CONNECTOR), field_end(end, r, f.CONNECTOR))
            if h == INTRA_HASH:
                flag |= INTRA
        flags[r] = flag
        if effect[r] == ids.INFO and _contains_fold(
            buf, field_start(begin, r, f.CUSTOM), field_end(end, r, f.CUSTOM), quarantine
        ):
            effect[r] = ids.HOLD


@jit()
def group(buf, kinds, state, begin, end, message, modes, reps, table):
    """Message number of each record in this block; `reps` is a record of each message. Returns the count."""
    mask = np.uint64(table.shape[0] - 1)
    table[:] = -1
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
            message[r] = count
            count += 1
            continue
        if mode == BY_MESSAGE:
            s, e = _bare(buf, s, e)
        h = _key_hash(buf, s, e, mode)
        probe = h & mask
        while True:
            m = table[probe]
            if m < 0:
                table[probe] = count
                reps[count] = r
                message[r] = count
                count += 1
                break
            q = reps[m]
            if modes[q] == mode:
                t = field_start(begin, q, slot)
                u = field_end(end, q, slot)
                if mode == BY_MESSAGE:
                    t, u = _bare(buf, t, u)
                if _same(buf, s, e, t, u, mode):
                    message[r] = m
                    break
            probe = (probe + np.uint64(1)) & mask
    return count


@jit()
def guid(buf, s, e, out):
    """A network-message-id of 32 hexadecimal digits as 16 bytes; False when it is none."""
    n = 0
    for i in range(s, e):
        c = buf[i]
        if c == 45 or c == 123 or c == 125:
            continue
        if c >= 48 and c <= 57:
            d = c - 48
        elif c >= 97 and c <= 102:
            d = c - 87
        elif c >= 65 and c <= 70:
            d = c - 55
        else:
            return False
        if n >= 32:
            return False
        if n % 2 == 0:
            out[n // 2] = d << 4
        else:
            out[n // 2] |= d
        n += 1
    return n == 32


@jit()
def guids(buf, begin, end, reps, modes, out, ok):
    for m in range(reps.shape[0]):
        r = reps[m]
        ok[m] = False
        if modes[r] == BY_NETWORK and end[r, f.NETWORK_ID] >= 0:
            ok[m] = guid(buf, field_start(begin, r, f.NETWORK_ID), field_end(end, r, f.NETWORK_ID), out[m])


@jit()
def fingerprint(buf, starts, ends, out):
    """64-bit FNV-1a of each record's bytes, mixed at the end (splitmix64)."""
    for r in range(starts.shape[0]):
        value = _FNV
        for i in range(starts[r], ends[r]):
            value = (value ^ np.uint64(buf[i])) * _PRIME
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        out[r] = value ^ (value >> np.uint64(31))
