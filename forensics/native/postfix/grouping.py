"""Sorts Postfix events into hops (one stay in one queue) and legs (one recipient of a hop).

One pass in order of the events, which `order` mends where a hop is DISORDERED. A queue id names a hop from its birth to
its removal; ids are used again, so a birth
behind a removal (or behind another birth) starts a new hop. Late lines of a removed hop still join it for `LATE`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.native.codes import (
    BORN,
    BOUNCED,
    CLOSED,
    DEFERRED,
    DELIVERED,
    DISCARDED,
    EXPIRED,
    GREYLISTED,
    HELD,
    LIFETIME,
    REJECTED,
    UNKNOWN,
)  # fmt: skip
from forensics.native.compiler import entry, inlined, kernel
from forensics.native.postfix import words as w
from forensics.native.postfix.order import ANY, LATE, STAGES, out_of_order
from forensics.native.text import SEED, address_key, between, hashed, mix, spread, within

Ints = NDArray[np.int32]
HOUR = 3_600_000_000
"""How long a client in front of a filter may take to send a message."""
GREY = LIFETIME
"""A refused triplet that comes again after this long is another message."""

(H_FIRST, H_LAST, H_CLIENT, H_PICKUP, H_MSGID, H_QUEUED, H_SUBJECT, H_FROM, H_FLAGS, H_LEGS, H_HEAD, H_REMOVED,
 H_STAGED, H_SESSION) = range(14)  # fmt: skip
HOP = 14
ON_HOLD, DELETED, EDGE, PROBED, WAS_REQUEUED, DISORDERED, REPEATED = 8, 16, 32, 64, 128, 256, 512
LOGIN, SHARED = 4096, 8192
"""Flags of a hop, beside those of `codes`. SHARED: when it began another message had its queue id and had not ended.
"""
RECEIVING = 600_000_000
"""How long a client that is silent may still be giving a message in: twice smtpd_timeout (postconf(5))."""
(L_HOP, L_FIRST, L_SETTLE, L_AT, L_OUTCOME, L_ATTEMPTS, L_ORIG, L_DIRECT, L_CHAIN, L_ROLE, L_PROVISIONAL) = range(11)
LEG = 11

P_DISCARD = w.PROGRAMS.index("discard") + 1
"""discard(8) says `sent` of what it threw away."""
KIND, N0, N1, A, B, C, D, F, G, FLAGS, HOST = w.KIND, w.N0, w.N1, w.A, w.B, w.C, w.D, w.F, w.G, w.FLAGS, w.HOST
TIME, KEY, RKEY, OKEY = w.TIME, w.KEY, w.RKEY, w.OKEY


@kernel
def same_text(buf, a, a_end, b, b_end):
    """Equal addresses: ASCII case, dots at the end and an `@` without a domain are left out."""
    while a_end > a and buf[a_end - 1] == 46:
        a_end -= 1
    while b_end > b and buf[b_end - 1] == 46:
        b_end -= 1
    if a_end > a and buf[a_end - 1] == 64:
        a_end -= 1
    if b_end > b and buf[b_end - 1] == 64:
        b_end -= 1
    if a_end - a != b_end - b:
        return False
    for k in range(a_end - a):
        x, y = buf[a + k], buf[b + k]
        if between(x, 65, 90):
            x = np.uint8(x + 32)
        if between(y, 65, 90):
            y = np.uint8(y + 32)
        if x != y:
            return False
    return True


@kernel
def compare(buf, ints, e, other, at):
    """Below, at or above 0 as span `at` of event e is less than that of the other, the same, or more, byte by byte."""
    a, a_end, b, b_end = ints[e, at], ints[e, at + 1], ints[other, at], ints[other, at + 1]
    while a < a_end and b < b_end:
        if buf[a] != buf[b]:
            return np.int64(buf[a]) - np.int64(buf[b])
        a += 1
        b += 1
    return (a_end - a) - (b_end - b)


@kernel
def counts_before(buf, ints, longs, e, outcome, other, before):
    """Of two events of one recipient and one time, in which records stand in no order: does e, of this outcome, come
    before the other, of the outcome `before`? What is final is the last; and for the rest the text decides."""
    if longs[e, TIME] != longs[other, TIME]:
        return False
    if outcome != before:
        return outcome == DEFERRED
    for at in (F, C, D):
        sign = compare(buf, ints, e, other, at)
        if sign != 0:
            return sign < 0
    return False


@inlined
def settle(buf, ints, longs, legs, leg, e, outcome):
    """The last status counts; but what was delivered once stays delivered."""
    before = legs[leg, L_OUTCOME]
    if before == DELIVERED and outcome != DELIVERED:
        return
    if before >= 0 and counts_before(buf, ints, longs, e, outcome, legs[leg, L_SETTLE], before):
        return
    legs[leg, L_OUTCOME] = outcome
    legs[leg, L_SETTLE] = e
    legs[leg, L_AT] = e


@kernel
def beyond_ascii(buf, i, end):
    """Whether any byte is not ASCII."""
    for k in range(i, end):  # noqa: SIM110
        if buf[k] >= 128:
            return True
    return False


@kernel
def first_of(buf, ints, longs, e, other, at):
    """Of two events the earlier one, e coming later in order. Of two of one time, in which records stand in no order,
    the one whose span `at` is written as people do: letters beyond ASCII, small ones rather than capitals."""
    if longs[e, TIME] != longs[other, TIME]:
        return other
    wide = beyond_ascii(buf, ints[e, at], ints[e, at + 1])
    if wide != beyond_ascii(buf, ints[other, at], ints[other, at + 1]):
        return e if wide else other
    return e if compare(buf, ints, e, other, at) > 0 else other


@inlined
def leg_of(buf, ints, longs, e, h, hops, legs, count, table, mask):
    """(leg of the recipient in span A of event e in hop h, legs now). Equal hashes are checked letter by letter."""
    rkey = np.uint64(longs[e, RKEY])
    slot = mix(rkey ^ spread(h)) & mask
    a, a_end = ints[e, A], ints[e, A + 1]
    plain = ints[e, FLAGS] & w.ODD_TO == 0
    while table[slot] >= 0:
        leg = table[slot]
        first = legs[leg, L_FIRST]
        if legs[leg, L_HOP] == h and np.uint64(longs[first, RKEY]) == rkey:
            other = ints[first, FLAGS] & w.ODD_TO == 0
            if plain != other or not plain or same_text(buf, a, a_end, ints[first, A], ints[first, A + 1]):
                legs[leg, L_FIRST] = first_of(buf, ints, longs, e, first, A)
                return leg, count
        slot = (slot + np.uint64(1)) & mask
    leg = count
    table[slot] = leg
    legs[leg, L_HOP] = h
    legs[leg, L_FIRST] = e
    legs[leg, L_SETTLE] = e
    legs[leg, L_AT] = e
    legs[leg, L_OUTCOME] = -1
    legs[leg, L_ATTEMPTS] = 0
    legs[leg, L_ORIG] = -1
    legs[leg, L_DIRECT] = 0
    legs[leg, L_CHAIN] = hops[h, H_HEAD]
    legs[leg, L_ROLE] = 0
    legs[leg, L_PROVISIONAL] = 1
    hops[h, H_HEAD] = leg
    return leg, count + 1


@kernel
def resettle(hops, legs, h, e, outcome, also_held):
    """What becomes of the recipients of hop h that wait: expired, or deleted (then those on hold as well)."""
    leg = hops[h, H_HEAD]
    while leg >= 0:
        if legs[leg, L_OUTCOME] == DEFERRED or (also_held and legs[leg, L_OUTCOME] == HELD):
            legs[leg, L_OUTCOME] = outcome
            legs[leg, L_AT] = e
        leg = legs[leg, L_CHAIN]


@kernel
def logged_twice(buf, ints, longs, e, other):
    """Whether two births are one: an id is not given twice within a second."""
    if longs[e, TIME] != longs[other, TIME]:
        return False
    for at in (A, B, C, G):  # noqa: SIM110
        if compare(buf, ints, e, other, at) != 0:
            return False
    return True


@inlined
def starts_hop(ints, longs, buf, e, h, hops):
    """True when event e cannot belong to the hop h that has its queue id last."""
    kind = ints[e, KIND]
    flags = hops[h, H_FLAGS]
    late = longs[e, TIME] - longs[hops[h, H_LAST], TIME] > LATE
    if kind == w.TAKEN:
        return flags & CLOSED != 0
    if kind == w.CLIENT and hops[h, H_LAST] == hops[h, H_SESSION]:  # the filter gets a message when it is whole
        return longs[e, TIME] - longs[hops[h, H_LAST], TIME] > HOUR
    if kind == w.CLIENT or kind == w.PICKUP or kind == w.SESSION:
        born = hops[h, H_CLIENT] if kind == w.CLIENT else hops[h, H_PICKUP] if kind == w.PICKUP else -1
        if born >= 0 and flags & CLOSED == 0 and logged_twice(buf, ints, longs, e, born):
            return False
        fresh = hops[h, H_CLIENT] < 0 and hops[h, H_PICKUP] < 0 and hops[h, H_QUEUED] < 0 and hops[h, H_LEGS] == 0
        return flags & CLOSED != 0 or not fresh or late
    if kind == w.MSGID:
        return (flags & CLOSED != 0 and (late or hops[h, H_MSGID] >= 0)) or (
            hops[h, H_MSGID] >= 0 and hops[h, H_QUEUED] >= 0
        )
    if kind == w.QUEUED:
        q = hops[h, H_QUEUED]
        if q >= 0:
            if flags & CLOSED != 0:
                return True
            return not same_text(buf, ints[e, A], ints[e, A + 1], ints[q, A], ints[q, A + 1])
        return flags & CLOSED != 0 and late
    if kind == w.REJECT and ints[e, N0] == w.WARN:
        return late and longs[e, TIME] - longs[hops[h, H_LAST], TIME] > GREY
    return flags & CLOSED != 0 and late


@kernel
def waits(ints, longs, e, h, hops, legs):
    """Whether the message of hop h has not ended when event e comes, as far as its records tell."""
    if hops[h, H_FLAGS] & (CLOSED | GREYLISTED) != 0:
        return False
    silent = longs[e, TIME] - longs[hops[h, H_LAST], TIME]
    q = hops[h, H_QUEUED]
    if silent > LIFETIME or (q < 0 and hops[h, H_LEGS] == 0 and silent > RECEIVING):
        return False
    settled = 0
    leg = hops[h, H_HEAD]
    while leg >= 0:
        if legs[leg, L_OUTCOME] == DEFERRED or legs[leg, L_OUTCOME] == HELD:
            return True
        settled += 1
        leg = legs[leg, L_CHAIN]
    return settled == 0 or (q >= 0 and ints[q, N1] > settled)


@kernel
def is_shared(buf, ints, longs, e, h, hops, legs):
    """Whether event e, which begins a hop, tells of another message than hop h, which has the same queue id and has not
    ended. A server gives an id again only when its message is gone: these are two servers that log under one name, and
    what follows may be of either."""
    kind = ints[e, KIND]
    if kind == w.CLIENT:
        other, at = hops[h, H_CLIENT], B
    elif kind == w.PICKUP:
        other, at = hops[h, H_PICKUP], A
    elif kind == w.MSGID:
        other, at = hops[h, H_MSGID], A
    elif kind == w.QUEUED:
        other, at = hops[h, H_QUEUED], A
    else:
        return False
    if other >= 0 and compare(buf, ints, e, other, at) == 0:
        return False
    return waits(ints, longs, e, h, hops, legs)


@kernel
def born_elsewhere(key, keys, table, mask, hops):
    """Mark the newest hop of this key as born: bounce(8) or local(8) names it."""
    slot = key & mask
    while table[slot] >= 0:
        if keys[slot] == key:
            hops[table[slot], H_FLAGS] |= BORN
            return
        slot = (slot + np.uint64(1)) & mask


@inlined
def hop_of(buf, ints, longs, e, keys, table, mask, hops, legs, count):
    """(hop of event e, hops now, the event of its queue id before it that has a stage, or -1): the hop is the one that
    has the queue id last, or a new one."""
    key = np.uint64(longs[e, KEY])
    slot = key & mask
    h = -1
    if key != np.uint64(0):
        while table[slot] >= 0 and keys[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        h = table[slot]
    last = hops[h, H_STAGED] if h >= 0 else -1
    if h >= 0 and not starts_hop(ints, longs, buf, e, h, hops):
        return h, count, last
    shared = h >= 0 and is_shared(buf, ints, longs, e, h, hops, legs)
    h = count
    for c in range(HOP):
        hops[h, c] = -1
    hops[h, H_FIRST] = e
    hops[h, H_FLAGS] = SHARED if shared else 0
    hops[h, H_LEGS] = 0
    if key != np.uint64(0):
        keys[slot] = key
        table[slot] = h
    else:
        hops[h, H_FLAGS] = BORN | CLOSED
    return h, count + 1, last


@inlined
def deliver(buf, ints, longs, e, h, leg, hops, legs):
    """One attempt at a recipient."""
    legs[leg, L_PROVISIONAL] = 0
    legs[leg, L_ATTEMPTS] += 1
    hops[h, H_LEGS] += 1
    if ints[e, B] >= 0 and longs[e, OKEY] != longs[e, RKEY]:
        if legs[leg, L_ORIG] < 0:
            legs[leg, L_ORIG] = e
        else:
            legs[leg, L_ORIG] = first_of(buf, ints, longs, e, legs[leg, L_ORIG], B)
    else:
        legs[leg, L_DIRECT] = 1
    status = ints[e, N0]
    if status == w.SENT:
        settle(buf, ints, longs, legs, leg, e, DISCARDED if ints[e, w.PROGRAM] == P_DISCARD else DELIVERED)
    elif status == w.BOUNCED:
        settle(buf, ints, longs, legs, leg, e, BOUNCED)
    elif status == w.EXPIRED_STATUS:
        settle(buf, ints, longs, legs, leg, e, EXPIRED)
    else:
        settle(buf, ints, longs, legs, leg, e, DEFERRED)


@kernel
def refuse(buf, ints, longs, e, h, leg, hops, legs):
    """What smtpd(8), postscreen(8) or a milter did with a recipient, or with a message that has one."""
    action = ints[e, N0]
    if action == w.WARN:
        hops[h, H_FLAGS] |= GREYLISTED
        legs[leg, L_ATTEMPTS] += 1
        legs[leg, L_PROVISIONAL] = 0
        settle(buf, ints, longs, legs, leg, e, DEFERRED)
    elif action == w.DO_REJECT:
        legs[leg, L_ATTEMPTS] += 1
        if ints[e, N1] == 1:
            legs[leg, L_PROVISIONAL] = 0
        settle(buf, ints, longs, legs, leg, e, REJECTED)
    elif action == w.DO_DISCARD:
        settle(buf, ints, longs, legs, leg, e, DISCARDED)
    else:
        hops[h, H_FLAGS] |= ON_HOLD
        settle(buf, ints, longs, legs, leg, e, HELD)


@inlined
def describe(ints, longs, e, h, hops, legs):
    """An event that speaks of the message as a whole."""
    kind = ints[e, KIND]
    if kind == w.CLIENT:
        if hops[h, H_CLIENT] >= 0:
            hops[h, H_FLAGS] |= REPEATED
            return
        hops[h, H_CLIENT] = e
        hops[h, H_FLAGS] |= BORN
    elif kind == w.PICKUP:
        if hops[h, H_PICKUP] >= 0:
            hops[h, H_FLAGS] |= REPEATED
            return
        hops[h, H_PICKUP] = e
        hops[h, H_FLAGS] |= BORN
        if hops[h, H_FROM] < 0:
            hops[h, H_FROM] = e
    elif kind == w.SESSION:
        hops[h, H_SESSION] = e
    elif kind == w.TAKEN:
        hops[h, H_PICKUP] = e
        hops[h, H_FLAGS] |= BORN
    elif kind == w.MSGID:
        if hops[h, H_MSGID] < 0:
            hops[h, H_MSGID] = e
    elif kind == w.QUEUED:
        if hops[h, H_QUEUED] < 0:
            hops[h, H_QUEUED] = e
        hops[h, H_FROM] = hops[h, H_QUEUED]
    elif kind == w.REMOVED:
        if hops[h, H_FLAGS] & CLOSED != 0 and longs[e, TIME] != longs[hops[h, H_REMOVED], TIME]:
            hops[h, H_FLAGS] |= EDGE  # another message's, which began elsewhere?
        hops[h, H_FLAGS] |= CLOSED
        hops[h, H_REMOVED] = e
    elif kind == w.EXPIRED:
        if hops[h, H_FROM] < 0:
            hops[h, H_FROM] = e
        resettle(hops, legs, h, e, EXPIRED, False)
    elif kind == w.DELETED:
        hops[h, H_FLAGS] |= CLOSED | DELETED
        hops[h, H_REMOVED] = e
        resettle(hops, legs, h, e, DISCARDED, True)
    elif kind == w.HELD:
        hops[h, H_FLAGS] |= ON_HOLD
    elif kind == w.RELEASED:
        hops[h, H_FLAGS] &= ~ON_HOLD
    elif kind == w.REQUEUED:
        hops[h, H_FLAGS] = (hops[h, H_FLAGS] & ~ON_HOLD) | WAS_REQUEUED


@kernel
def copies(buf, ints, longs, hops, legs, event_hop):
    """Recipients that a header check added (`bcc:` actions) have a role."""
    for e in range(ints.shape[0]):
        if ints[e, KIND] == w.CHECK and ints[e, N0] == w.DO_BCC and ints[e, F] >= 0:
            key, _ = address_key(buf, ints[e, F], ints[e, F + 1])
            leg = hops[event_hop[e], H_HEAD]
            while leg >= 0:
                if np.uint64(longs[legs[leg, L_FIRST], RKEY]) == key:
                    legs[leg, L_ROLE] = 1
                leg = legs[leg, L_CHAIN]


@kernel
def conclude(hops, legs, leg_count, event_leg):
    """What was only provisional is no leg where the hop has others; what waits in a hop that was removed is unknown."""
    for leg in range(leg_count):
        h = legs[leg, L_HOP]
        if legs[leg, L_PROVISIONAL] == 1 and hops[h, H_LEGS] > 0:
            legs[leg, L_OUTCOME] = -1
        elif legs[leg, L_OUTCOME] == DEFERRED and hops[h, H_FLAGS] & GREYLISTED == 0:
            if hops[h, H_FLAGS] & CLOSED != 0:
                legs[leg, L_OUTCOME] = UNKNOWN
            elif hops[h, H_FLAGS] & ON_HOLD != 0:
                legs[leg, L_OUTCOME] = HELD
    for e in range(event_leg.size):
        leg = event_leg[e]
        if leg >= 0 and legs[leg, L_OUTCOME] < 0:
            event_leg[e] = -1


def group(buf: Any, ints: Any, longs: Any, edge: Any) -> tuple[Ints, Ints, Ints, Ints]:
    """(hops, legs, hop of each event or -1, leg of each event or -1). Columns: H_… and L_…; entries are event rows or
    numbers. The end of a session is of no hop."""
    n = len(ints)
    hops, legs = np.empty((n, HOP), np.int32), np.empty((n, LEG), np.int32)
    event_hop, event_leg = np.empty(n, np.int32), np.empty(n, np.int32)
    counts = np.zeros(2, np.int64)
    # a message has about five events: tables that serve for that many stay in the processor's cache
    size = max(16, 1 << (n // 2).bit_length())
    while True:
        keys, table, leg_table = np.zeros(size, np.uint64), np.full(size, -1, np.int32), np.full(size, -1, np.int32)
        if sort_events(buf, ints, longs, edge, keys, table, leg_table, hops, legs, event_hop, event_leg, counts):
            return hops[: counts[0]].copy(), legs[: counts[1]].copy(), event_hop, event_leg
        size *= 4


@entry(
    "const uint8[:], const int32[:,:], const int64[:,:], const boolean[:], uint64[:], int32[:], int32[:], "
    "int32[:,:], int32[:,:], int32[:], int32[:], int64[:]"
)
def sort_events(buf, ints, longs, edge, keys, table, leg_table, hops, legs, event_hop, event_leg, counts, result):
    """`group` into arrays of as many rows as there are events; `counts`: hops and legs made. `keys`, `table` and
    `leg_table` are empty hash tables, their size a power of two; 0 when they are too small, else 1."""
    mask = np.uint64(table.size - 1)
    most = table.size // 2
    hop_count = 0
    leg_count = 0
    for e in range(ints.shape[0]):
        if hop_count > most or leg_count > most:
            result[0] = 0
            return
        event_leg[e] = -1
        kind = ints[e, KIND]
        if kind == w.ENDED:
            event_hop[e] = -1
            continue
        h, hop_count, last = hop_of(buf, ints, longs, e, keys, table, mask, hops, legs, hop_count)
        hops[h, H_LAST] = e
        if STAGES[kind] != ANY:
            hops[h, H_STAGED] = e
            if last >= 0 and out_of_order(ints, longs, last, e):
                hops[h, H_FLAGS] |= DISORDERED
        event_hop[e] = h
        if edge[e] and longs[e, KEY] != 0:
            hops[h, H_FLAGS] |= EDGE
        if kind == w.DELIVERY:
            if ints[e, N0] == w.PROBE:
                hops[h, H_FLAGS] |= PROBED
                continue
            leg, leg_count = leg_of(buf, ints, longs, e, h, hops, legs, leg_count, leg_table, mask)
            event_leg[e] = leg
            deliver(buf, ints, longs, e, h, leg, hops, legs)
            if ints[e, N0] == w.SENT and ints[e, N1] == w.FORWARDED_AS and ints[e, w.PROGRAM] != P_DISCARD:
                host = within(hashed(buf, ints[e, HOST], ints[e, HOST + 1], SEED))
                born_elsewhere(mix(hashed(buf, ints[e, G], ints[e, G + 1], host)), keys, table, mask, hops)
        elif kind == w.CHECK:
            if hops[h, H_FROM] < 0 and ints[e, B] >= 0:
                hops[h, H_FROM] = e
            if ints[e, C] >= 0:
                subject = hops[h, H_SUBJECT]
                hops[h, H_SUBJECT] = e if subject < 0 else first_of(buf, ints, longs, e, subject, C)
            action = ints[e, N0]
            if ints[e, A] >= 0 and (action == w.DO_REJECT or action == w.DO_HOLD or action == w.DO_DISCARD):
                leg, leg_count = leg_of(buf, ints, longs, e, h, hops, legs, leg_count, leg_table, mask)
                event_leg[e] = leg
                outcome = REJECTED if action == w.DO_REJECT else DISCARDED if action == w.DO_DISCARD else HELD
                settle(buf, ints, longs, legs, leg, e, outcome)
            if action == w.DO_HOLD:
                hops[h, H_FLAGS] |= ON_HOLD
        elif kind == w.REJECT:
            if hops[h, H_FROM] < 0:
                hops[h, H_FROM] = e
            leg, leg_count = leg_of(buf, ints, longs, e, h, hops, legs, leg_count, leg_table, mask)
            event_leg[e] = leg
            if ints[e, w.FLAGS] & w.LOGGED_IN != 0:
                hops[h, H_FLAGS] |= LOGIN
            if ints[e, w.FLAGS] & w.OPEN != 0:
                hops[h, H_FLAGS] |= EDGE
            refuse(buf, ints, longs, e, h, leg, hops, legs)
        elif kind == w.NOTIFY:
            born_elsewhere(np.uint64(longs[e, OKEY]), keys, table, mask, hops)
        else:
            describe(ints, longs, e, h, hops, legs)
    copies(buf, ints, longs, hops, legs, event_hop)
    conclude(hops, legs, leg_count, event_leg)
    counts[0] = hop_count
    counts[1] = leg_count
    result[0] = 1


def by_group(groups: Ints, position: Ints, count: int) -> tuple[Ints, Ints]:
    """(offsets, rows): the rows of each group in order; rows with a negative group are left out. `position` maps a
    group to its new number, -1 to leave it out."""
    offsets = np.zeros(count + 1, np.int32)
    rows = np.empty(count_groups(groups, position, offsets), np.int32)
    fill_groups(groups, position, offsets[:-1].copy(), rows)
    return offsets, rows


@entry("const int32[:], const int32[:], int32[:]")
def count_groups(groups, position, offsets, result):
    """Offsets of the groups (zeroes before): how many rows they have together."""
    count = offsets.size - 1
    for e in range(groups.size):
        g = groups[e]
        if g >= 0 and position[g] >= 0:
            offsets[position[g] + 1] += 1
    for g in range(count):
        offsets[g + 1] += offsets[g]
    result[0] = offsets[count]


@entry("const int32[:], const int32[:], int32[:], int32[:]")
def fill_groups(groups, position, at, rows, result):
    """The rows of each group from `at`, which moves on."""
    for e in range(groups.size):
        g = groups[e]
        if g >= 0 and position[g] >= 0:
            p = position[g]
            rows[at[p]] = e
            at[p] += 1
