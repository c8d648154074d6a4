"""The kernel that sorts Postfix events into hops (one stay in one queue) and legs (one recipient of a hop).

One pass in order of the events. A queue id names a hop from its birth to its removal; ids are used again, so a birth
behind a removal (or behind another birth) starts a new hop. Late lines of a removed hop still join it for `LATE`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.kernels import kernel
from forensics.loaders.postfix import words as w
from forensics.loaders.postfix.text import SEED, address_key, hashed, mix, spread, unsigned, within

Ints = NDArray[np.int32]
LATE = 5_000_000
"""Microseconds that a line may come behind the removal of its message: logging daemons reorder."""
GREY = 5 * 86_400_000_000
"""A refused triplet that comes again after this long (Postfix' maximal_queue_lifetime) is another message."""

(H_FIRST, H_LAST, H_CLIENT, H_PICKUP, H_MSGID, H_QUEUED, H_SUBJECT, H_FROM, H_FLAGS, H_LEGS, H_HEAD, H_REMOVED) = range(
    12
)
HOP = 12
BORN, CLOSED, ON_HOLD, DELETED, GREYLISTED, EDGE, PROBED, WAS_REQUEUED = 1, 2, 4, 8, 16, 32, 64, 128
(L_HOP, L_FIRST, L_SETTLE, L_AT, L_OUTCOME, L_ATTEMPTS, L_ORIG, L_DIRECT, L_CHAIN, L_ROLE, L_PROVISIONAL) = range(11)
LEG = 11
DELIVERED, BOUNCED, EXPIRED, DEFERRED, REJECTED, DISCARDED, HELD, UNKNOWN = range(8)  # index into schema.OUTCOMES

P_DISCARD = w.PROGRAMS.index("discard") + 1
"""discard(8) says `sent` of what it threw away."""
KIND, N0, N1, A, B, C, F, G, FLAGS, HOST = w.KIND, w.N0, w.N1, w.A, w.B, w.C, w.F, w.G, w.FLAGS, w.HOST
TIME, KEY, RKEY, OKEY = w.TIME, w.KEY, w.RKEY, w.OKEY


@kernel()
def same_text(buf, a, a_end, b, b_end):  # type: ignore[no-untyped-def]
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
        if 65 <= x <= 90:
            x = np.uint8(x + 32)
        if 65 <= y <= 90:
            y = np.uint8(y + 32)
        if x != y:
            return False
    return True


@kernel()
def leg_of(buf, ints, longs, e, h, hops, legs, count, table, mask):  # type: ignore[no-untyped-def]
    """(leg of the recipient in span A of event e in hop h, legs now). Equal hashes are checked letter by letter."""
    rkey = unsigned(longs[e, RKEY])
    slot = mix(rkey ^ spread(h)) & mask
    a, a_end = ints[e, A], ints[e, A + 1]
    plain = ints[e, FLAGS] & w.ODD_TO == 0
    while table[slot] >= 0:
        leg = table[slot]
        first = legs[leg, L_FIRST]
        if legs[leg, L_HOP] == h and unsigned(longs[first, RKEY]) == rkey:
            other = ints[first, FLAGS] & w.ODD_TO == 0
            if plain != other or not plain or same_text(buf, a, a_end, ints[first, A], ints[first, A + 1]):
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


@kernel()
def settle(legs, leg, e, outcome):  # type: ignore[no-untyped-def]
    """The last status counts; but what was delivered once stays delivered."""
    if legs[leg, L_OUTCOME] != DELIVERED or outcome == DELIVERED:
        legs[leg, L_OUTCOME] = outcome
        legs[leg, L_SETTLE] = e
        legs[leg, L_AT] = e


@kernel()
def starts_hop(ints, longs, buf, e, h, hops):  # type: ignore[no-untyped-def]
    """True when event e cannot belong to the hop h that has its queue id last."""
    kind = ints[e, KIND]
    flags = hops[h, H_FLAGS]
    late = longs[e, TIME] - longs[hops[h, H_LAST], TIME] > LATE
    if kind == w.CLIENT or kind == w.PICKUP:
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
    if kind == w.REMOVED or kind == w.DELETED:
        return flags & CLOSED != 0 and late
    return flags & CLOSED != 0 and late


@kernel()
def born_elsewhere(key, keys, table, mask, hops):  # type: ignore[no-untyped-def]
    """Mark the newest hop of this key as born: bounce(8) or local(8) names it."""
    slot = key & mask
    while table[slot] >= 0:
        if keys[slot] == key:
            hops[table[slot], H_FLAGS] |= BORN
            return
        slot = (slot + np.uint64(1)) & mask


def group(buf: Any, ints: Any, longs: Any, edge: Any) -> tuple[Ints, Ints, Ints, Ints]:
    """(hops, legs, hop of each event, leg of each event or -1). Columns: H_… and L_…; entries are event rows or
    numbers."""
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


@kernel(
    "int64(uint8[::1], int32[:,::1], int64[:,::1], boolean[::1], uint64[::1], int32[::1], int32[::1], int32[:,::1],"
    " int32[:,::1], int32[::1], int32[::1], int64[::1])"
)
def sort_events(  # type: ignore[no-untyped-def]
    buf, ints, longs, edge, keys, table, leg_table, hops, legs, event_hop, event_leg, counts
):
    """`group` into arrays of as many rows as there are events; `counts`: hops and legs made. `keys`, `table` and
    `leg_table` are empty hash tables, their size a power of two; 0 when they are too small, else 1."""
    n = ints.shape[0]
    mask = np.uint64(table.size - 1)
    most = table.size // 2
    hop_count = 0
    leg_count = 0
    for e in range(n):
        if hop_count > most or leg_count > most:
            return 0
        event_leg[e] = -1
        kind = ints[e, KIND]
        key = unsigned(longs[e, KEY])
        slot = key & mask
        h = -1
        if key != np.uint64(0):
            while table[slot] >= 0 and keys[slot] != key:
                slot = (slot + np.uint64(1)) & mask
            h = table[slot]
        if h < 0 or starts_hop(ints, longs, buf, e, h, hops):
            h = hop_count
            hop_count += 1
            for c in range(HOP):
                hops[h, c] = -1
            hops[h, H_FIRST] = e
            hops[h, H_FLAGS] = 0
            hops[h, H_LEGS] = 0
            if key != np.uint64(0):
                keys[slot] = key
                table[slot] = h
            else:
                hops[h, H_FLAGS] = BORN | CLOSED
        hops[h, H_LAST] = e
        event_hop[e] = h
        if edge[e] and key != np.uint64(0):
            hops[h, H_FLAGS] |= EDGE
        if kind == w.DELIVERY:
            if ints[e, N0] == w.PROBE:
                hops[h, H_FLAGS] |= PROBED
                continue
            leg, leg_count = leg_of(buf, ints, longs, e, h, hops, legs, leg_count, leg_table, mask)
            event_leg[e] = leg
            legs[leg, L_PROVISIONAL] = 0
            legs[leg, L_ATTEMPTS] += 1
            hops[h, H_LEGS] += 1
            if ints[e, B] >= 0 and longs[e, OKEY] != longs[e, RKEY]:
                if legs[leg, L_ORIG] < 0:
                    legs[leg, L_ORIG] = e
            else:
                legs[leg, L_DIRECT] = 1
            status = ints[e, N0]
            if status == w.SENT and ints[e, w.PROGRAM] == P_DISCARD:
                settle(legs, leg, e, DISCARDED)
            elif status == w.SENT:
                settle(legs, leg, e, DELIVERED)
                if ints[e, N1] == w.FORWARDED_AS:
                    host = within(hashed(buf, ints[e, HOST], ints[e, HOST + 1], SEED))
                    born_elsewhere(mix(hashed(buf, ints[e, G], ints[e, G + 1], host)), keys, table, mask, hops)
            elif status == w.BOUNCED:
                settle(legs, leg, e, BOUNCED)
            elif status == w.EXPIRED_STATUS:
                settle(legs, leg, e, EXPIRED)
            else:
                settle(legs, leg, e, DEFERRED)
        elif kind == w.CLIENT:
            hops[h, H_CLIENT] = e
            hops[h, H_FLAGS] |= BORN
        elif kind == w.PICKUP:
            hops[h, H_PICKUP] = e
            hops[h, H_FLAGS] |= BORN
            if hops[h, H_FROM] < 0:
                hops[h, H_FROM] = e
        elif kind == w.MSGID:
            if hops[h, H_MSGID] < 0:
                hops[h, H_MSGID] = e
        elif kind == w.QUEUED:
            if hops[h, H_QUEUED] < 0:
                hops[h, H_QUEUED] = e
            hops[h, H_FROM] = hops[h, H_QUEUED]
        elif kind == w.REMOVED:
            hops[h, H_FLAGS] |= CLOSED
            hops[h, H_REMOVED] = e
        elif kind == w.EXPIRED:
            if hops[h, H_FROM] < 0:
                hops[h, H_FROM] = e
            leg = hops[h, H_HEAD]
            while leg >= 0:
                if legs[leg, L_OUTCOME] == DEFERRED:
                    legs[leg, L_OUTCOME] = EXPIRED
                    legs[leg, L_AT] = e
                leg = legs[leg, L_CHAIN]
        elif kind == w.DELETED:
            hops[h, H_FLAGS] |= CLOSED | DELETED
            hops[h, H_REMOVED] = e
            leg = hops[h, H_HEAD]
            while leg >= 0:
                if legs[leg, L_OUTCOME] == DEFERRED or legs[leg, L_OUTCOME] == HELD:
                    legs[leg, L_OUTCOME] = DISCARDED
                    legs[leg, L_AT] = e
                leg = legs[leg, L_CHAIN]
        elif kind == w.HELD:
            hops[h, H_FLAGS] |= ON_HOLD
        elif kind == w.RELEASED:
            hops[h, H_FLAGS] &= ~ON_HOLD
        elif kind == w.REQUEUED:
            hops[h, H_FLAGS] = (hops[h, H_FLAGS] & ~ON_HOLD) | WAS_REQUEUED
        elif kind == w.CHECK:
            if hops[h, H_FROM] < 0 and ints[e, B] >= 0:
                hops[h, H_FROM] = e
            if ints[e, C] >= 0 and hops[h, H_SUBJECT] < 0:
                hops[h, H_SUBJECT] = e
            action = ints[e, N0]
            if ints[e, A] >= 0 and (action == w.DO_REJECT or action == w.DO_HOLD or action == w.DO_DISCARD):
                leg, leg_count = leg_of(buf, ints, longs, e, h, hops, legs, leg_count, leg_table, mask)
                event_leg[e] = leg
                if action == w.DO_REJECT:
                    settle(legs, leg, e, REJECTED)
                elif action == w.DO_DISCARD:
                    settle(legs, leg, e, DISCARDED)
                else:
                    settle(legs, leg, e, HELD)
            if action == w.DO_HOLD:
                hops[h, H_FLAGS] |= ON_HOLD
        elif kind == w.REJECT:
            if hops[h, H_FROM] < 0:
                hops[h, H_FROM] = e
            action = ints[e, N0]
            leg, leg_count = leg_of(buf, ints, longs, e, h, hops, legs, leg_count, leg_table, mask)
            event_leg[e] = leg
            if action == w.WARN:
                hops[h, H_FLAGS] |= GREYLISTED
                legs[leg, L_ATTEMPTS] += 1
                legs[leg, L_PROVISIONAL] = 0
                settle(legs, leg, e, DEFERRED)
            elif action == w.DO_REJECT:
                legs[leg, L_ATTEMPTS] += 1
                if ints[e, N1] == 1:
                    legs[leg, L_PROVISIONAL] = 0
                settle(legs, leg, e, REJECTED)
            elif action == w.DO_DISCARD:
                settle(legs, leg, e, DISCARDED)
            else:
                hops[h, H_FLAGS] |= ON_HOLD
                settle(legs, leg, e, HELD)
        elif kind == w.NOTIFY:
            born_elsewhere(unsigned(longs[e, OKEY]), keys, table, mask, hops)
    # copies that a header check added
    for e in range(n):
        if ints[e, KIND] == w.CHECK and ints[e, N0] == w.DO_BCC and ints[e, F] >= 0:
            key, _ = address_key(buf, ints[e, F], ints[e, F + 1])
            leg = hops[event_hop[e], H_HEAD]
            while leg >= 0:
                if unsigned(longs[legs[leg, L_FIRST], RKEY]) == key:
                    legs[leg, L_ROLE] = 1
                leg = legs[leg, L_CHAIN]
    for leg in range(leg_count):
        h = legs[leg, L_HOP]
        if legs[leg, L_PROVISIONAL] == 1 and hops[h, H_LEGS] > 0:
            legs[leg, L_OUTCOME] = -1
        elif legs[leg, L_OUTCOME] == DEFERRED and hops[h, H_FLAGS] & GREYLISTED == 0:
            if hops[h, H_FLAGS] & CLOSED != 0:
                legs[leg, L_OUTCOME] = UNKNOWN
            elif hops[h, H_FLAGS] & ON_HOLD != 0:
                legs[leg, L_OUTCOME] = HELD
    for e in range(n):
        leg = event_leg[e]
        if leg >= 0 and legs[leg, L_OUTCOME] < 0:
            event_leg[e] = -1
    counts[0] = hop_count
    counts[1] = leg_count
    return 1


def by_group(groups: Ints, position: Ints, count: int) -> tuple[Ints, Ints]:
    """(offsets, rows): the rows of each group in order; rows with a negative group are left out. `position` maps a
    group to its new number, -1 to leave it out."""
    offsets = np.zeros(count + 1, np.int32)
    rows = np.empty(count_groups(groups, position, offsets), np.int32)
    fill_groups(groups, position, offsets[:-1].copy(), rows)
    return offsets, rows


@kernel("int64(int32[::1], int32[::1], int32[::1])")
def count_groups(groups, position, offsets):  # type: ignore[no-untyped-def]
    """Offsets of the groups (zeroes before): how many rows they have together."""
    count = offsets.size - 1
    for e in range(groups.size):
        g = groups[e]
        if g >= 0 and position[g] >= 0:
            offsets[position[g] + 1] += 1
    for g in range(count):
        offsets[g + 1] += offsets[g]
    return offsets[count]


@kernel("void(int32[::1], int32[::1], int32[::1], int32[::1])")
def fill_groups(groups, position, at, rows):  # type: ignore[no-untyped-def]
    """The rows of each group from `at`, which moves on."""
    for e in range(groups.size):
        g = groups[e]
        if g >= 0 and position[g] >= 0:
            p = position[g]
            rows[at[p]] = e
            at[p] += 1
