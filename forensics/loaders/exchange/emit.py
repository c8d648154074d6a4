"""Tracking records to event rows, as numba kernels over field positions: classify, group, pair lists, emit.

A record becomes one row for each recipient; rows that change no recipient's fate (`INFO`) become one row without,
unless nothing else of that message lies in the block. Message-level values are put on one row of the message only (the
earliest that has them): a block of tracking log repeats sender, subject and ids about six times.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.kernels import jit
from forensics.loaders.exchange import event_ids as ids
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.csvscan import NO_TIME, moment

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
def _from(begin, r, slot):
    return np.int64(begin[r, slot])


@jit()
def _to(end, r, slot):
    """End of a field, whether it holds doubled quotes or not."""
    e = np.int64(end[r, slot])
    return e if e >= 0 else ~e


@jit()
def classify(buf, kinds, begin, end, at, effect, flags, state, hashes, effects, quarantine):
    """Time, effect and flags of each data record; `state` says what cannot be used."""
    for r in range(kinds.shape[0]):
        state[r] = USED
        if kinds[r] != 0:
            continue
        at[r] = moment(buf, _from(begin, r, f.TIME), _to(end, r, f.TIME))
        if at[r] == NO_TIME:
            state[r] = BAD_TIME
            continue
        h = _upper_hash(buf, _from(begin, r, f.EVENT), _to(end, r, f.EVENT))
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
        if _upper_hash(buf, _from(begin, r, f.SOURCE), _to(end, r, f.SOURCE)) == STORE_HASH:
            flag |= STORE
        if effect[r] == ids.SEND:
            h = _upper_hash(buf, _from(begin, r, f.CONNECTOR), _to(end, r, f.CONNECTOR))
            if h == INTRA_HASH:
                flag |= INTRA
        flags[r] = flag
        if effect[r] == ids.INFO and _contains_fold(buf, _from(begin, r, f.CUSTOM), _to(end, r, f.CUSTOM), quarantine):
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
        s = _from(begin, r, slot)
        e = _to(end, r, slot)
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
                t = _from(begin, q, slot)
                u = _to(end, q, slot)
                if mode == BY_MESSAGE:
                    t, u = _bare(buf, t, u)
                if _same(buf, s, e, t, u, mode):
                    message[r] = m
                    break
            probe = (probe + np.uint64(1)) & mask
    return count


@jit()
def _cut(buf, s, e, doubled, out_s, out_e, at, capacity):
    """Cuts an address list at `;` outside quotes, blanks trimmed, empty ones left out; returns the count."""
    n = 0
    quoted = False
    begin = s
    i = s
    while i <= e:
        c = buf[i] if i < e else np.uint8(59)
        if i < e and c == 34:
            if doubled and i + 1 < e and buf[i + 1] == 34:
                i += 1
            quoted = not quoted
        elif (c == 59 and not quoted) or i == e:
            a = begin
            b = i
            while a < b and buf[a] == 32:
                a += 1
            while b > a and buf[b - 1] == 32:
                b -= 1
            if b > a:
                if at + n < capacity:
                    out_s[at + n] = a
                    out_e[at + n] = ~b if doubled else b
                n += 1
            begin = i + 1
        i += 1
    return n


@jit()
def _opens_status(buf, s, e):
    """True when a status begins here: three digits, a bracketed list, or a role."""
    while s < e and buf[s] == 32:
        s += 1
    if s >= e:
        return False
    if buf[s] == 91:
        return True
    if e - s >= 3 and buf[s] >= 50 and buf[s] <= 53:
        digits = buf[s + 1] >= 48 and buf[s + 1] <= 57 and buf[s + 2] >= 48 and buf[s + 2] <= 57
        return digits and (e - s == 3 or buf[s + 3] == 32 or buf[s + 3] == 45)
    if e - s == 2:
        return (buf[s] | 32 == 116 and buf[s + 1] | 32 == 111) or (buf[s] | 32 == 99 and buf[s + 1] | 32 == 99)
    return e - s == 3 and buf[s] | 32 == 98 and buf[s + 1] | 32 == 99 and buf[s + 2] | 32 == 99


@jit()
def _pieces(buf, s, e, doubled, merge, out_s, out_e, at, capacity):
    """Cuts a status list at `;` outside brackets; with `merge` what opens no status belongs to the piece before."""
    n = 0
    depth = 0
    begin = s
    i = s
    while i <= e:
        if i < e and (buf[i] == 91 or buf[i] == 123):
            depth += 1
        elif i < e and (buf[i] == 93 or buf[i] == 125):
            depth = max(0, depth - 1)
        elif i == e or (buf[i] == 59 and depth == 0):
            if merge and n > 0 and not _opens_status(buf, begin, i):
                if at + n - 1 < capacity:
                    out_e[at + n - 1] = ~i if doubled else i
            else:
                if at + n < capacity:
                    out_s[at + n] = begin
                    out_e[at + n] = ~i if doubled else i
                n += 1
            begin = i + 1
        i += 1
    return n


@jit()
def pair(buf, r, begin, end, effect, rs, re, ss, se, at, capacity):
    """Recipients and statuses of one record, aligned; returns their number, or -1 when the lists do not agree.

    One recipient has the whole status. Else the lists are cut at `;` outside brackets and, if the lengths differ, again
    with statuses joined that hold `;` themselves (`550 4.4.7 QUEUE.Expired;text`). Statuses of rows that no outcome
    or role rests on may differ in length and are then null.
    """
    n = _cut(buf, _from(begin, r, f.RECIPIENT), _to(end, r, f.RECIPIENT), end[r, f.RECIPIENT] < 0, rs, re, at, capacity)
    s = _from(begin, r, f.STATUS)
    e = _to(end, r, f.STATUS)
    doubled = end[r, f.STATUS] < 0
    for i in range(at, min(at + n, capacity)):
        ss[i] = -1
        se[i] = 0
    if n == 0 or s == e:
        return n
    if n == 1:
        if at < capacity:
            ss[at] = s
            se[at] = ~e if doubled else e
        return n
    for merge in (False, True):
        if _pieces(buf, s, e, doubled, merge, ss, se, at, at) == n:
            _pieces(buf, s, e, doubled, merge, ss, se, at, min(capacity, at + n))
            return n
    if effect == ids.INFO or effect == ids.REPLACE or effect == ids.REPORT:
        return n
    return -1


@jit()
def count(buf, state, message, begin, end, effect, rows, main, scratch_s, scratch_e):
    """Event rows of each record into `rows`; marks unequal lists; returns the total."""
    for r in range(state.shape[0]):
        rows[r] = 0
        if message[r] >= 0 and effect[r] != ids.INFO:
            main[message[r]] = 1
    total = 0
    zero = np.int64(0)
    for r in range(state.shape[0]):
        m = message[r]
        if m < 0:
            continue
        if effect[r] == ids.INFO and main[m]:
            rows[r] = 1
        else:
            n = pair(buf, r, begin, end, effect[r], scratch_s, scratch_e, scratch_s, scratch_e, zero, zero)
            if n < 0:
                state[r] = LISTS_DIFFER
                continue
            rows[r] = max(n, 1)
        total += rows[r]
    return total


@jit()
def emit(buf, message, begin, end, effect, rows, main, rec, part, rs, re, ss, se):
    """Fills the event rows counted by `count`: record, ordinal in the record, recipient and status positions."""
    k = np.int64(0)
    for r in range(message.shape[0]):
        if rows[r] == 0:
            continue
        if effect[r] == ids.INFO and main[message[r]]:
            n = 0
        else:
            n = pair(buf, r, begin, end, effect[r], rs, re, ss, se, k, np.int64(rs.shape[0]))
        if n == 0:
            rs[k] = -1
            re[k] = 0
            ss[k] = -1
            se[k] = 0
            if effect[r] != ids.INFO and end[r, f.STATUS] != begin[r, f.STATUS]:
                ss[k] = begin[r, f.STATUS]
                se[k] = end[r, f.STATUS]
        for i in range(rows[r]):
            rec[k + i] = r
            part[k + i] = i
        k += rows[r]


@jit()
def carriers(rec, part, message, modes, at, begin, end, effect, slots, entering, carry_s, carry_e):
    """For each carried column the row of each message that holds it: the earliest one where it is not empty.

    `entering[c]`: only rows of an accepted message (`ENTER`) may carry column c.
    Where the Message-ID is all that joins rows, every record carries its own: it may turn out to be several messages.
    `carry_s[c, row]`, `carry_e[c, row]`: positions, -1 elsewhere.
    """
    messages = 0
    for k in range(rec.shape[0]):
        messages = max(messages, message[rec[k]] + 1)
    best = np.empty(messages, np.int64)
    for c in range(slots.shape[0]):
        slot = slots[c]
        best[:] = -1
        for k in range(rec.shape[0]):
            carry_s[c, k] = -1
            carry_e[c, k] = 0
            r = rec[k]
            if part[k] != 0 or begin[r, slot] == end[r, slot]:
                continue
            if entering[c] and effect[r] != ids.ENTER and effect[r] != ids.REPORT:
                continue
            if modes[r] == BY_MESSAGE:
                carry_s[c, k] = begin[r, slot]
                carry_e[c, k] = end[r, slot]
                continue
            b = best[message[r]]
            if b < 0 or at[r] < at[rec[b]]:
                best[message[r]] = k
        for m in range(messages):
            k = best[m]
            if k >= 0:
                carry_s[c, k] = begin[rec[k], slot]
                carry_e[c, k] = end[rec[k], slot]


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
            ok[m] = guid(buf, _from(begin, r, f.NETWORK_ID), _to(end, r, f.NETWORK_ID), out[m])


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
