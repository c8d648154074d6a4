"""Tracking records to rows of `events.EVENTS`, as kernels over field positions.

A record has one part for each recipient; records that change no recipient's fate (`INFO`) have one without, unless
nothing else of that message lies in the block. Values of the message are put on one record only (the earliest that has
them): a block of tracking log repeats sender, subject and ids about six times.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.loaders.exchange import event_ids as ids
from forensics.loaders.exchange import events
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.emit import BY_MESSAGE, LISTS_DIFFER, USED
from forensics.loaders.exchange.lists import pair
from forensics.loaders.exchange.machine import find, kernel
from forensics.machine import load64, store32, store64

CARRIED: Final = (
    ("message_id", f.MESSAGE_ID, False),
    ("network_message_id", f.NETWORK_ID, False),
    ("return_path", f.RETURN_PATH, False),
    ("purported", f.SENDER, False),
    ("subject", f.SUBJECT, False),
    ("size", f.BYTES, False),
    ("recipient_count", f.COUNT, True),
    ("internal_id", f.INTERNAL, False),
    ("client_ip", f.CLIENT_IP, True),
    ("client_host", f.CLIENT_HOST, True),
    ("server_host", f.SERVER_HOST, True),
    ("original_ip", f.ORIGINAL_IP, True),
)
"""Values of the message, in the order of `events.TEXTS`: name, slot, and whether only records of acceptance
(`RECEIVE`) tell them."""

SLOTS: Final = np.array([slot for _, slot, _ in CARRIED], np.int32)
ENTERING: Final = np.array([entering for _, _, entering in CARRIED], np.bool_)
_FIRST: Final = events.CARRIED
CHOSEN: Final = len(events.TEXTS)
_ABSENT: Final = events.ABSENT
_MOST: Final = events.MOST


@kernel()
def _host_slot(begin, end, r, e):
    """The logging server: client-hostname of a hand-off (server-hostname is the other side), else server-hostname.

    Deliveries into a mailbox are logged by the transport server, since 2013 by the mailbox's own.
    """
    away = e == ids.SEND or e == ids.SEND_OUT
    first = f.SERVER_HOST
    other = f.CLIENT_HOST
    if away or e == ids.DELIVER or e == ids.DUPLICATE:
        first = f.CLIENT_HOST
        other = f.SERVER_HOST
    if begin[r, first] != end[r, first]:
        return first
    if not away and begin[r, other] != end[r, other]:
        return other
    return -1


@kernel(
    "int64(uint8[::1], int8[::1], int32[::1], int8[::1], int32[:,::1], int32[:,::1], int8[::1], int64[::1], "
    "int32[::1], boolean[::1], boolean[::1], int32[:,::1], int32[::1])"
)
def weigh(buf, state, message, modes, begin, end, effect, at, slots, entering, main, best, none):
    """Marks records whose lists are unequal, messages that have more than `INFO`, and which record carries each value.

    `best[message, column]`: the earliest record with that value, the last column for its server; -1 where there is
    none. Where the Message-ID is all that joins records, every record carries its own: it may turn out to be several
    messages. `none`: an array that nothing is written into. Returns the largest number of recipients.
    """
    for r in range(state.shape[0]):
        if message[r] >= 0 and effect[r] != ids.INFO:
            main[message[r]] = True
    hosts = slots.shape[0]
    most = np.int64(1)
    zero = np.int64(0)
    for r in range(state.shape[0]):
        m = message[r]
        if m < 0:
            continue
        if effect[r] != ids.INFO or not main[m]:
            n = pair(buf, r, begin, end, effect[r], none, none, none, none, zero, zero)
            if n < 0:
                state[r] = LISTS_DIFFER
                continue
            most = max(most, n)
        if modes[r] == BY_MESSAGE:
            continue
        enters = effect[r] == ids.ENTER or effect[r] == ids.REPORT
        for c in range(hosts + 1):
            b = best[m, c]
            if b >= 0 and at[r] >= at[b]:
                continue
            if c == hosts:
                if _host_slot(begin, end, r, effect[r]) >= 0:
                    best[m, c] = r
            elif begin[r, slots[c]] != end[r, slots[c]] and (enters or not entering[c]):
                best[m, c] = r
    return most


@kernel()
def _copy(base, s, e, out, k):
    """Copies a field, doubled quotes undone, to `out` + k; returns k behind it. May write seven bytes more."""
    if e >= 0:
        n = e - s
        for i in range(0, n, 8):
            store64(out + k + i, load64(base + s + i))
        return k + n
    e = ~e
    while s < e:
        i = s + find(base + s, 34, e - s)
        i = min(i + 1, e)  # with one quote of two
        for j in range(0, i - s, 8):
            store64(out + k + j, load64(base + s + j))
        k += i - s
        s = i + 1 if i < e else e
    return k


@kernel()
def _length(s, e):
    """Bytes of a field at most."""
    return (e if e >= 0 else ~e) - s


@kernel(
    "int64(uint8[::1], int8[::1], int32[::1], int8[::1], int32[:,::1], int32[:,::1], int8[::1], int32[::1], "
    "boolean[::1], boolean[::1], int32[:,::1], int64, int32[::1], int32[::1], int32[::1], uint8[::1], int32[::1], "
    "int32[::1], int32[::1], int32[::1], int32[::1])"
)
def pack(
    buf,
    state,
    message,
    modes,
    begin,
    end,
    effect,
    slots,
    entering,
    main,
    best,
    most,
    rec,
    parts,
    offsets,
    out,
    rs,
    re,
    ss,
    se,
    chosen,
):
    """Fills the rows of all used records; returns their number, or -1 when `out` is too small.

    `rec`: the record of each row; `parts`; `offsets` of its `texts` in `out`. Records of `INFO` tell their server only
    where no other record of the message and block does so earlier. Work space: `rs`, `re`, `ss`, `se` for `most`
    recipients and statuses; `chosen` for a slot of each column of `events.TEXTS`.
    """
    zero = np.int64(0)
    rows = 0
    k = np.int64(0)
    offsets[0] = 0
    base = buf.ctypes.data
    to = out.ctypes.data
    for r in range(state.shape[0]):
        m = message[r]
        if m < 0 or state[r] != USED:
            continue
        e = effect[r]
        handed = e == ids.SEND or e == ids.SEND_OUT or e == ids.DELIVER
        chosen[0] = f.SERVER_HOST if handed else -1
        chosen[1] = f.SERVER_IP if handed else -1
        chosen[2] = f.CONTEXT if handed else (f.REFERENCE if e == ids.REPLACE else -1)
        chosen[3] = f.RELATED if e == ids.REPLACE else -1
        chosen[4] = -1
        if e != ids.INFO or modes[r] == BY_MESSAGE or best[m, slots.shape[0]] == r:
            chosen[4] = _host_slot(begin, end, r, e)
        enters = e == ids.ENTER or e == ids.REPORT
        for c in range(slots.shape[0]):
            own = modes[r] == BY_MESSAGE and (enters or not entering[c])
            chosen[_FIRST + c] = slots[c] if own or best[m, c] == r else -1
        n = 0
        if e != ids.INFO or not main[m]:
            n = pair(buf, r, begin, end, e, rs, re, ss, se, zero, most)
        if n == 0:
            rs[0] = -1
            ss[0] = -1
            if e != ids.INFO and end[r, f.STATUS] != begin[r, f.STATUS]:
                ss[0] = begin[r, f.STATUS]
                se[0] = end[r, f.STATUS]
        n = max(n, 1)

        need = np.int64(_MOST + 8)
        for c in range(chosen.shape[0]):
            if chosen[c] >= 0:
                need += _length(begin[r, chosen[c]], end[r, chosen[c]])
        for i in range(n):
            need += 9
            if rs[i] >= 0:
                need += _length(rs[i], re[i])
            if ss[i] >= 0:
                need += _length(ss[i], se[i])
        if k + need > out.shape[0]:
            return -1

        top = k
        k += 4
        mask = np.uint32(0)
        for c in range(chosen.shape[0]):
            slot = chosen[c]
            if slot >= 0 and begin[r, slot] != end[r, slot]:
                mask |= np.uint32(1) << np.uint32(c)
                behind = _copy(base, np.int64(begin[r, slot]), np.int64(end[r, slot]), to, k + 4)
                store32(to + k, np.uint32(behind - k - 4))
                k = behind
        store32(to + top, mask)
        for i in range(n):
            out[k] = e
            behind = k + 9
            told = np.uint32(_ABSENT)
            if rs[i] >= 0:
                behind = _copy(base, np.int64(rs[i]), np.int64(re[i]), to, behind)
                told = np.uint32(behind - k - 9)
            said = np.uint32(_ABSENT)
            if ss[i] >= 0:
                from_ = behind
                behind = _copy(base, np.int64(ss[i]), np.int64(se[i]), to, behind)
                said = np.uint32(behind - from_)
            store32(to + k + 1, told)
            store32(to + k + 5, said)
            k = behind
        rec[rows] = r
        parts[rows] = n
        rows += 1
        offsets[rows] = k
    return rows
