"""Sessions of smtpd(8): which refusals a client got that had logged in, and which message a session in front of a
filter became.

A process serves one client at a time. Its lines name no session, so they are told apart by the process, and by the end
of each session (`disconnect from …`), which counts the logins (Postfix 3.0 and later).
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.postfix import words as w
from forensics.native.text import SEED, hashed, mix, within

LONGEST = 3_600_000_000
"""How long (microseconds) after a refusal the session may go on: smtpd_timeout (postconf(5)) is five minutes."""
KIND, QID, FLAGS, KEY, OKEY, TIME = w.KIND, w.QID, w.FLAGS, w.KEY, w.OKEY, w.TIME


@kernel
def stands_alone(ints, e):
    """A refusal that no message's queue id holds: before there is one, or for now."""
    return ints[e, KIND] == w.REJECT and (ints[e, QID] < 0 or ints[e, w.N0] == w.WARN)


@entry("const uint8[:], int32[:,:], int64[:,:], const int64[:]")
def clients(buf, ints, longs, rows, result):
    """Give what belongs to a session the key of its (host, client), in OKEY: by that, fragments come together. Returns
    how many such rows there are. `rows`: those of the kinds that `sessions` looks at."""
    found = 0
    for n in range(rows.size):
        e = rows[n]
        kind = ints[e, KIND]
        if kind == w.ENDED:
            at = w.B
        elif stands_alone(ints, e):
            at = w.D
        else:
            found += kind == w.SESSION
            continue
        h = within(hashed(buf, ints[e, w.HOST], ints[e, w.HOST + 1], SEED))
        if ints[e, at] >= 0:
            h = hashed(buf, ints[e, at], ints[e, at + 1], h)
        longs[e, OKEY] = np.int64(mix(h))
        found += 1
    result[0] = found


@kernel
def resolve(ints, longs, edge, head, before, e, logins):
    """The refusals of a chain, whose session the row e ends (none: -1): their client had logged in or not. At an edge
    the order of records may be no order, and their stamps decide later."""
    k = head
    while k >= 0:
        if edge[k]:
            k = before[k]
            continue
        ints[k, FLAGS] &= ~w.OPEN
        if e >= 0 and logins > 0 and longs[k, OKEY] == longs[e, OKEY] and longs[e, TIME] - longs[k, TIME] <= LONGEST:
            ints[k, FLAGS] |= w.LOGGED_IN
        k = before[k]


@entry(
    "const uint8[:], int32[:,:], int64[:,:], const boolean[:], const int64[:], uint64[:], int32[:,:], int32[:], "
    "boolean[:]"
)
def sessions(buf, ints, longs, edge, rows, keys, table, before, kept, result):
    """Go through events in their order (`rows`: those of the kinds REJECT, SESSION, PROXIED and ENDED). Refusals whose
    session ends here are flagged LOGGED_IN where its client had logged in; those whose session may end elsewhere are
    OPEN. A session in front of a filter gets queue id and key of the message that it became.

    `keys` (zeros) and `table` (-1; columns: newest refusal, session, newest end) are a hash table of processes, their
    size a power of two, twice such rows or more; `before` has a place for each event. `kept`: ends of sessions that
    refusals which go on elsewhere need.
    """
    mask = np.uint64(keys.size - 1)
    latest = np.int64(0)
    for e in range(ints.shape[0]):
        latest = max(latest, longs[e, TIME])
    for n in range(rows.size):
        e = rows[n]
        kind = ints[e, KIND]
        alone = stands_alone(ints, e)
        if kind == w.REJECT and not alone:
            continue
        if alone:
            ints[e, FLAGS] &= ~w.OPEN
        if ints[e, w.PROCESS] < 0:
            continue
        host = within(hashed(buf, ints[e, w.HOST], ints[e, w.HOST + 1], SEED))
        key = mix(host ^ (np.uint64(ints[e, w.PROCESS]) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
        slot = key & mask
        while keys[slot] != np.uint64(0) and keys[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        keys[slot] = key
        if alone:
            if ints[e, w.C] < 0 and ints[e, w.D] < 0:  # the filter's answer: the client is the session's
                s = table[slot, 1]
                if s >= 0:
                    for c in range(4):
                        ints[e, w.C + c] = ints[s, w.E + c] if ints[s, w.F] >= 0 else ints[s, w.A + c]
                    if ints[s, w.C] >= 0:
                        ints[e, FLAGS] |= w.LOGGED_IN
                continue
            head = table[slot, 0]
            if head >= 0 and longs[head, OKEY] != longs[e, OKEY]:
                resolve(ints, longs, edge, head, before, -1, 0)
                head = -1
            before[e] = head
            table[slot, 0] = e
            if edge[e] or latest - longs[e, TIME] <= LONGEST:
                ints[e, FLAGS] |= w.OPEN
        elif kind == w.SESSION:
            table[slot, 1] = e
        elif kind == w.PROXIED:
            s = table[slot, 1]
            if s >= 0:
                ints[s, QID] = ints[e, QID]
                ints[s, QID + 1] = ints[e, QID + 1]
                longs[s, KEY] = longs[e, KEY]
                table[slot, 1] = -1
        else:
            head = table[slot, 0]
            kept[e] = edge[e] or table[slot, 2] < 0
            k = head
            while k >= 0:
                kept[e] = kept[e] or edge[k] or ints[k, w.N0] == w.WARN
                k = before[k]
            resolve(ints, longs, edge, head, before, e, ints[e, w.N0])
            table[slot, 0] = -1
            table[slot, 1] = -1
            table[slot, 2] = e
    result[0] = 1
