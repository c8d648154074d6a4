"""Tracking records to rows of `loaders.exchange.events.EVENTS`: what each record carries, packed as `layout` says.

A record has one part for each recipient; records that change no recipient's fate (`INFO`) have one without, unless
nothing else of that message lies in the block. Values of the message are put on one record only (the earliest that has
them; of several at one time the one that sorts first): a block of tracking log repeats sender, subject and ids about
six times.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.native.compiler import entry, inlined, kernel
from forensics.native.exchange import layout, slots
from forensics.native.exchange.codes import (
    BY_MESSAGE,
    BY_NETWORK,
    DELIVER,
    DUPLICATE,
    ENTER,
    INFO,
    ODD_RECIPIENTS,
    OTHER,
    REPLACE,
    REPORT,
    SEND,
    SEND_OUT,
    USED,
)
from forensics.native.exchange.csvscan import field
from forensics.native.exchange.lists import ODD, pair
from forensics.native.exchange.messages import message_id
from forensics.native.exchange.spans import comes_first
from forensics.native.text import copy, store32

CARRIED: Final = (
    ("message_id", slots.MESSAGE_ID, False),
    ("network_message_id", slots.NETWORK_ID, False),
    ("return_path", slots.RETURN_PATH, False),
    ("purported", slots.SENDER, False),
    ("subject", slots.SUBJECT, False),
    ("size", slots.BYTES, False),
    ("recipient_count", slots.COUNT, True),
    ("internal_id", slots.INTERNAL, False),
    ("client_ip", slots.CLIENT_IP, True),
    ("client_host", slots.CLIENT_HOST, True),
    ("server_host", slots.SERVER_HOST, True),
    ("original_ip", slots.ORIGINAL_IP, True),
)
"""Values of the message, in the order of `layout.TEXTS`: name, slot, and whether only records of acceptance
(`RECEIVE`) say them."""
COUNT: Final = len(CARRIED)
_MESSAGE: Final = [name for name, _, _ in CARRIED].index("message_id")
_NETWORK: Final = [name for name, _, _ in CARRIED].index("network_message_id")
_SLOTS: Final = np.array([slot for _, slot, _ in CARRIED], np.int32)
_ENTERING: Final = np.array([entering for _, _, entering in CARRIED], np.bool_)


@kernel
def _host_slot(begin, end, r, e):
    """The logging server: client-hostname of a hand-off (server-hostname is the other side), else server-hostname.

    Deliveries into a mailbox are logged by the transport server, since 2013 by the mailbox's own.
    """
    away = e in (SEND, SEND_OUT)
    first = slots.SERVER_HOST
    other = slots.CLIENT_HOST
    if away or e in (DELIVER, DUPLICATE):
        first = slots.CLIENT_HOST
        other = slots.SERVER_HOST
    if begin[r, first] != end[r, first]:
        return first
    if not away and begin[r, other] != end[r, other]:
        return other
    return -1


@kernel
def _accepts(effect):
    """Does the record say the message's acceptance?"""
    return effect in (ENTER, REPORT)


@inlined
def _earlier(buf, begin, end, r, b, slot, other, at):
    """Does record r come before b as the one that says what is in its `slot`, and b in its `other` one?"""
    if b < 0 or at[r] < at[b]:
        return True
    if at[r] > at[b]:
        return False
    s, e = field(begin, end, r, slot)
    t, u = field(begin, end, b, other)
    return comes_first(buf, s, e, buf, t, u)


@inlined
def _weigh_record(buf, begin, end, r, m, effect, mode, at, best):
    """Makes the record the one of its message `m` that carries a value, where it is the earliest that has it."""
    accepts = _accepts(effect[r])
    for c in range(COUNT):
        if begin[r, _SLOTS[c]] == end[r, _SLOTS[c]] or not (accepts or not _ENTERING[c]):
            continue
        if c == _NETWORK and mode != BY_NETWORK:
            continue
        if c == _MESSAGE:
            s, e = message_id(buf, begin, end, r)
            if s == e:
                continue
        if _earlier(buf, begin, end, r, best[m, c], _SLOTS[c], _SLOTS[c], at):
            best[m, c] = r
    slot = _host_slot(begin, end, r, effect[r])
    if slot >= 0:
        b = best[m, COUNT]
        if _earlier(buf, begin, end, r, b, slot, _host_slot(begin, end, b, effect[b]) if b >= 0 else slot, at):
            best[m, COUNT] = r


@entry(
    "const uint8[:], int8[:], const int32[:], const int8[:], const int32[:,:], const int32[:,:], const int8[:], "
    "const int64[:], boolean, boolean[:], int32[:,:], int32[:]"
)
def weigh(buf, state, message, modes, begin, end, effect, at, strict, main, best, none, result):
    """Marks messages that have more than `INFO`, and which record carries each value; with `strict` also records whose
    recipients are odd (`lists.pair`).

    `best[message, column]`: the earliest record with that value, the last column for its server; -1 where there is
    none. Where the Message-ID is all that joins records, every record carries its own: it may turn out to be several
    messages. `none`: an array that nothing is written into. Returns the largest number of recipients.
    """
    for r in range(state.size):
        if message[r] >= 0 and effect[r] != INFO:
            main[message[r]] = True
    most = np.int64(1)
    for r in range(state.size):
        m = message[r]
        if m < 0:
            continue
        if effect[r] != INFO or not main[m]:
            n = pair(buf, r, begin, end, effect[r], strict, none, none, none, none, 0)
            if n == ODD:
                state[r] = ODD_RECIPIENTS
                continue
            most = max(most, n)
        if modes[r] != BY_MESSAGE:
            _weigh_record(buf, begin, end, r, m, effect, modes[r], at, best)
    result[0] = most


@inlined
def _choose(begin, end, r, m, effect, mode, best, chosen):
    """The slot of each column of `layout.TEXTS` that the record carries, -1 for none. Records of `INFO` say their
    server only where no other record of the message and block does so earlier."""
    handed = effect in (SEND, SEND_OUT, DELIVER)
    chosen[0] = slots.SERVER_HOST if handed else (slots.CLIENT_HOST if _accepts(effect) else -1)
    chosen[1] = slots.SERVER_IP if handed else -1
    chosen[2] = slots.CONTEXT if handed else (slots.REFERENCE if effect == REPLACE else -1)
    chosen[3] = slots.RELATED if effect == REPLACE else -1
    chosen[4] = -1
    if effect != INFO or mode == BY_MESSAGE or best[m, COUNT] == r:
        chosen[4] = _host_slot(begin, end, r, effect)
    for c in range(COUNT):
        own = mode == BY_MESSAGE and (_accepts(effect) or not _ENTERING[c])
        chosen[layout.CARRIED + c] = _SLOTS[c] if own or best[m, c] == r else -1
    if mode != BY_NETWORK:
        chosen[layout.CARRIED + _NETWORK] = -1
    for c in range(layout.COLUMNS):
        if chosen[c] >= 0 and begin[r, chosen[c]] == end[r, chosen[c]]:
            chosen[c] = -1


@kernel
def _length(s, e):
    """Bytes of a field at most."""
    return np.int64((e if e >= 0 else ~e) - s)


@kernel
def _room(begin, end, r, chosen, n, rs, re, ss, se):
    """Bytes that the record takes at most."""
    need = np.int64(layout.MOST)
    for c in range(layout.COLUMNS):
        if chosen[c] >= 0:
            need += _length(begin[r, chosen[c]], end[r, chosen[c]])
    for i in range(n):
        need += 9
        if rs[i] >= 0:
            need += _length(rs[i], re[i])
        if ss[i] >= 0:
            need += _length(ss[i], se[i])
    return need


@inlined
def _copy_field(out, k, buf, s, e):
    """Copies a field, doubled quotes undone, to `out` at k; returns k behind it."""
    s = np.int64(s)
    e = np.int64(e)
    if e >= 0:
        copy(out, k, buf, s, e - s)
        k += e - s
    else:
        e = ~e
        while s < e:
            c = buf[s]
            out[k] = c
            k += 1
            s += 2 if c == 34 else 1
    return k


@inlined
def _write_columns(out, k, buf, begin, end, r, chosen):
    """Which columns the record has, and their text; returns k behind them."""
    top = k
    k += 4
    mask = np.uint32(0)
    for c in range(layout.COLUMNS):
        slot = chosen[c]
        if slot >= 0:
            mask |= np.uint32(1) << np.uint32(c)
            behind = _copy_field(out, k + 4, buf, begin[r, slot], end[r, slot])
            store32(out, k, np.uint32(behind - k - 4))
            k = behind
    store32(out, top, mask)
    return k


@inlined
def _write_part(out, k, buf, effect, rs, re, ss, se):
    """Effect, recipient and status of one part; returns k behind it."""
    out[k] = effect
    behind = k + 9
    size = np.uint32(layout.ABSENT)
    if rs >= 0:
        behind = _copy_field(out, behind, buf, rs, re)
        size = np.uint32(behind - k - 9)
    store32(out, k + 1, size)
    size = np.uint32(layout.ABSENT)
    if ss >= 0:
        status = behind
        behind = _copy_field(out, behind, buf, ss, se)
        size = np.uint32(behind - status)
    store32(out, k + 5, size)
    return behind


@entry(
    "const uint8[:], const int8[:], const int32[:], const int8[:], const int32[:,:], const int32[:,:], "
    "const int8[:], const boolean[:], const int32[:,:], int64, int32[:], int32[:], int32[:], uint8[:], int32[:], "
    "int32[:], int32[:], int32[:], int32[:]"
)
def pack(buf, state, message, modes, begin, end, effect, main, best, most, rec, parts, offsets, out,
         rs, re, ss, se, chosen, result):  # fmt: skip
    """Fills the rows of all used records; returns their number, or -1 when `out` is too small.

    `rec`: the record of each row; `parts`; `offsets` of its `texts` in `out`. Work space: `rs`, `re`, `ss`, `se` for
    `most` recipients and statuses; `chosen` for a slot of each column of `layout.TEXTS`.
    """
    rows = 0
    k = np.int64(0)
    offsets[0] = 0
    for r in range(state.size):
        m = message[r]
        if m < 0 or state[r] != USED:
            continue
        e = effect[r]
        _choose(begin, end, r, m, e, modes[r], best, chosen)
        n = 0
        if e != INFO or not main[m]:
            n = pair(buf, r, begin, end, e, False, rs, re, ss, se, most)
        if n == 0:
            n = 1
            rs[0] = -1
            ss[0] = -1
            if e != INFO and end[r, slots.STATUS] != begin[r, slots.STATUS]:
                ss[0] = begin[r, slots.STATUS]
                se[0] = end[r, slots.STATUS]
        if e == OTHER and end[r, slots.STATUS] == begin[r, slots.STATUS]:
            for i in range(n):
                ss[i] = begin[r, slots.EVENT]
                se[i] = end[r, slots.EVENT]
        if k + _room(begin, end, r, chosen, n, rs, re, ss, se) > out.size:
            result[0] = -1
            return
        k = _write_columns(out, k, buf, begin, end, r, chosen)
        for i in range(n):
            k = _write_part(out, k, buf, e, rs[i], re[i], ss[i], se[i])
        rec[rows] = r
        parts[rows] = n
        rows += 1
        offsets[rows] = k
    result[0] = rows
