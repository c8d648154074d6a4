"""Joins hops into journeys. Numbers only: hashes, times, flags; `stitch.journeys` says what they come from."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

import numpy as np

from forensics.native.codes import (
    BORN,
    CLOSED,
    DEEPEST,
    DEFERRED,
    DELIVERED,
    DIRECT,
    FORWARDED,
    FROM_LOOP,
    FROM_PROGRAM,
    FROM_SELF,
    GREYLISTED,
    HELD,
    LIFETIME,
    NO_ORIGINAL,
    OWN,
    OWN_ORIGINAL,
    OWN_RECIPIENT,
    PUBLIC,
    SAME_HOST,
    SKEW,
    TO_LOOP,
    UNKNOWN,
)  # fmt: skip
from forensics.native.compiler import entry, kernel
from forensics.native.text import FACTOR, mix, spread

NO_KEY = np.uint64(0)
"""Stands for what a log does not tell."""
NO, DOUBTFUL, YES = 0, 1, 2


@kernel
def in_time(a, b, at, relay, hop_host, hop_first, hop_flags):
    """May hop b have begun when the next server took a leg of hop a?"""
    slack = SAME_HOST if hop_host[a] == hop_host[b] else SKEW
    if hop_first[b] < hop_first[a] - slack:
        return False
    if hop_flags[b] & BORN == 0 and relay != PUBLIC:
        return hop_first[b] <= at + LIFETIME
    return hop_first[b] <= at + slack


@kernel
def lower_bound(values, wanted):
    """Position of the first of the ascending values that is not less than `wanted`."""
    low, high = 0, values.size
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def holds(values, wanted):
    """Is it one of the ascending values?"""
    k = lower_bound(values, wanted)
    return k < values.size and values[k] == wanted


@kernel
def own_listener(a, b, relay, flags, hop_host, hop_client_address, hop_flags, address):
    """Does the log show that a public relay is the host of hop a itself? Then hop b, that it made of the message, came
    to the same host from that very address, or both lie in 127.0.0.0/8, which nobody else can come from."""
    if hop_host[a] != hop_host[b] or relay != PUBLIC:
        return False
    if hop_client_address[b] != NO_KEY and hop_client_address[b] == address:
        return True
    return flags & TO_LOOP != 0 and hop_flags[b] & (FROM_LOOP | FROM_SELF) != 0


@kernel
def continues(
    a, b, leg, hop_host, hop_msgid, hop_first, hop_flags, hop_system, hop_name, hop_client_address, leg_key, leg_at,
    leg_relay, leg_flags, leg_relay_host, leg_relay_address, addressed, peopled, next_hop, usual,
):  # fmt: skip
    """May hop b be what the next server made of this leg of hop a, whose reply names b's id? YES, NO, or DOUBTFUL where
    all agrees but nothing shows that the reply was not made up by an outside server.

    A relay with an address of this host or of a private network answers for the organisation. For any other, b must
    have been addressed to the leg's recipient itself (a server takes mail for an outside address from those its rules
    allow, and from nobody else), have the same Message-ID, and the relay be this host, a host of the evidence by its
    name, or a next hop for unrelated domains whose messages come from the same clients.
    """
    relay, flags = leg_relay[leg], leg_flags[leg]
    ma, mb = hop_msgid[a], hop_msgid[b]
    same = ma != NO_KEY and ma == mb
    if (ma != NO_KEY and mb != NO_KEY and not same) or not in_time(
        a, b, leg_at[leg], relay, hop_host, hop_first, hop_flags
    ):
        return NO
    if flags & FORWARDED != 0:
        return YES
    cross = hop_system[a] != hop_system[b]
    if relay == OWN and not cross:
        return YES
    named = not peopled[b] or holds(addressed, leg_key[leg] ^ np.uint64(b) * FACTOR)
    if relay != PUBLIC:
        return YES if same or (named and not cross) else NO
    if not named or not peopled[b]:
        return NO
    if not cross and own_listener(a, b, relay, flags, hop_host, hop_client_address, hop_flags, leg_relay_address[leg]):
        return YES
    if not same:
        return NO
    inner = hop_flags[b] & (FROM_SELF | FROM_PROGRAM) != 0  # its own host's filter gave it back
    if (
        not inner
        and leg_relay_host[leg] != NO_KEY
        and leg_relay_host[leg] == hop_name[b]
        and hop_name[a] != hop_name[b]
    ):
        return YES
    if next_hop[leg] and holds(usual, leg_relay_address[leg] ^ hop_client_address[b] * FACTOR):
        return YES
    return DOUBTFUL


def link(
    hop_id: Any, hop_host: Any, hop_msgid: Any, hop_previous: Any, hop_first: Any, hop_flags: Any, hop_system: Any,
    hop_peer: Any, hop_name: Any, hop_client_address: Any, leg_hop: Any, leg_next: Any, leg_key: Any, leg_original: Any,
    leg_alias: Any, leg_at: Any, leg_outcome: Any, leg_relay: Any, leg_flags: Any, leg_relay_host: Any,
    leg_relay_address: Any, next_hop: Any, usual: Any, given: Any,
) -> tuple[Any, ...]:  # fmt: skip
    """Join legs to the hops that continue them.

    `next_hop`: legs whose relay takes mail for unrelated domains; `usual`: (relay, client) of what comes from such
    relays, as `leg_relay_address ^ hop_client_address * FACTOR`, ascending. `given`: for each leg a hop that is known
    to continue it (rules of other kinds), or -1.
    Returns for each leg: final?, the journey's first hop, the leg of the first hop it descends from, depth, which leg's
    original (or recipient) is the original recipient and which of the two, outcome, the refused triplet that it ended
    (a leg) or -1, the leg of the hop before; for each hop the hop before; for each leg the hop that continues it, or
    -1, and the hop that may but need not, or -1.
    """
    hops, legs = len(hop_id), len(leg_hop)
    order = np.argsort(hop_id, kind="stable")
    of_hop = np.full((4, hops), -1, np.int64)
    of_leg = np.full((8, legs), -1, np.int64)
    addressed = np.sort(addressed_to(leg_hop, leg_key, leg_alias, leg_flags))
    peopled = np.zeros(hops, np.bool_)
    peopled[leg_hop] = True
    bits = np.zeros((3, legs), np.bool_)
    slots = np.full(max(16, 1 << (4 * legs + 3).bit_length()), -1, np.int64)
    small = np.zeros((2, legs), np.int16)
    of_leg[5] = leg_outcome
    join(
        hop_id[order], hop_host, hop_msgid, hop_previous, hop_first, hop_flags, hop_system, hop_peer, hop_name,
        hop_client_address, leg_hop, leg_next, leg_key, leg_original, leg_alias, leg_at, leg_outcome, leg_relay,
        leg_flags, leg_relay_host, leg_relay_address, next_hop, usual, addressed, peopled, order, given, of_hop, of_leg,
        bits, small, slots,
    )  # fmt: skip
    child, head, root, source, up, outcome, ended, doubt = of_leg
    return (
        bits[0], head, root, small[0], source, small[1].astype(np.int8), outcome, ended, up, of_hop[0], child, doubt,
    )  # fmt: skip


def addressed_to(hop: Any, key: Any, alias: Any, flags: Any) -> Any:
    """(hop, recipient that the message was addressed to) of all legs as one number each; some hops repeat."""
    mixed = hop.astype(np.uint64) * FACTOR
    direct = (flags & DIRECT != 0) & (key != 0)
    named = alias != 0
    return np.concatenate([key[direct] ^ mixed[direct], alias[named] ^ mixed[named]])


@entry(
    "const uint64[:], const uint64[:], const uint64[:], const uint64[:], const int64[:], const int64[:], "
    "const int64[:], const uint64[:], const uint64[:], const uint64[:], const int64[:], const uint64[:], "
    "const uint64[:], const uint64[:], const uint64[:], const int64[:], const int64[:], const int64[:], "
    "const int64[:], const uint64[:], const uint64[:], const boolean[:], const uint64[:], const uint64[:], "
    "const boolean[:], const int64[:], const int64[:], int64[:,:], int64[:,:], boolean[:,:], int16[:,:], int64[:]"
)
def join(
    sorted_ids, hop_host, hop_msgid, hop_previous, hop_first, hop_flags, hop_system, hop_peer, hop_name,
    hop_client_address, leg_hop, leg_next, leg_key, leg_original, leg_alias, leg_at, leg_outcome, leg_relay, leg_flags,
    leg_relay_host, leg_relay_address, next_hop, usual, addressed, peopled, order, given, of_hop, of_leg, bits, small,
    slots, result,
):  # fmt: skip
    """`link`; `order`: hops sorted by id. Results and room for work: `of_hop` and `of_leg` (all -1, but the outcomes),
    `bits` and `small` (zero), `slots` (all -1; a power of two, four times the legs or more)."""
    parent, distance, requeued_to, legs_in = of_hop[0], of_hop[1], of_hop[2], of_hop[3]
    child, head, root, source, up, outcome, ended, doubt = (
        of_leg[0], of_leg[1], of_leg[2], of_leg[3], of_leg[4], of_leg[5], of_leg[6], of_leg[7],
    )  # fmt: skip
    final, renamed, continued = bits[0], bits[1], bits[2]
    depth, which = small[0], small[1]
    # 1. which hop continues each leg, which hop is before each hop
    candidates(
        sorted_ids, order, hop_host, hop_msgid, hop_first, hop_flags, hop_system, hop_name, hop_client_address, leg_hop,
        leg_next, leg_key, leg_at, leg_outcome, leg_relay, leg_flags, leg_relay_host, leg_relay_address, addressed,
        peopled, next_hop, usual, given, child, parent, distance, doubt,
    )  # fmt: skip
    requeued(sorted_ids, order, hop_host, hop_previous, hop_first, leg_hop, leg_outcome, parent, requeued_to, child)
    one_parent(leg_hop, parent, child)
    # 2. which leg of the hop before each leg descends from
    descend(leg_hop, leg_key, leg_alias, child, parent, legs_in, slots, up, renamed, continued)
    # 3. what each leg means for its journey
    for leg in range(leg_hop.size):
        final[leg] = True
        b = child[leg]
        if b >= 0:
            if continued[leg]:
                final[leg] = False
                continue
            outcome[leg] = UNKNOWN if hop_flags[b] & CLOSED != 0 else DEFERRED
        elif (
            leg_outcome[leg] == DELIVERED
            and leg_next[leg] != NO_KEY
            and (leg_relay[leg] == OWN or leg_flags[leg] & FORWARDED != 0)
        ):
            outcome[leg] = UNKNOWN
        trace_back(leg, leg_hop, leg_key, leg_original, renamed, up, parent, source, which, root, head, depth)
    # 4. refused triplets that were let in later
    let_in(leg_hop, leg_key, leg_original, leg_at, hop_first, hop_flags, hop_peer, parent, slots, ended, final)


@kernel
def candidates(
    sorted_ids, order, hop_host, hop_msgid, hop_first, hop_flags, hop_system, hop_name, hop_client_address, leg_hop,
    leg_next, leg_key, leg_at, leg_outcome, leg_relay, leg_flags, leg_relay_host, leg_relay_address, addressed, peopled,
    next_hop, usual, given, child, parent, distance, doubt,
):  # fmt: skip
    """The nearest hop with the id that a leg names, of those that may continue it; of several legs the nearest is the
    parent."""
    for leg in range(leg_hop.size):
        a = leg_hop[leg]
        best = -1
        best_gap = np.int64(0)
        if given[leg] >= 0:
            best = given[leg]
        elif leg_outcome[leg] == DELIVERED and leg_next[leg] != NO_KEY:
            k = lower_bound(sorted_ids, leg_next[leg])
            while k < sorted_ids.size and sorted_ids[k] == leg_next[leg]:
                b = order[k]
                k += 1
                if b == a or hop_flags[b] & GREYLISTED != 0:
                    continue
                answer = continues(
                    a, b, leg, hop_host, hop_msgid, hop_first, hop_flags, hop_system, hop_name, hop_client_address,
                    leg_key, leg_at, leg_relay, leg_flags, leg_relay_host, leg_relay_address, addressed, peopled,
                    next_hop, usual,
                )  # fmt: skip
                if answer == DOUBTFUL:
                    doubt[leg] = b
                if answer == YES:
                    gap = abs(hop_first[b] - leg_at[leg])
                    if hop_host[a] != hop_host[b]:
                        gap += SAME_HOST
                    if best < 0 or gap < best_gap:
                        best, best_gap = b, gap
        if best >= 0:
            child[leg] = best
            gap = abs(hop_first[best] - leg_at[leg])
            if parent[best] < 0 or gap < distance[best]:
                parent[best], distance[best] = a, gap


@kernel
def requeued(sorted_ids, order, hop_host, hop_previous, hop_first, leg_hop, leg_outcome, parent, requeued_to, child):
    """Requeued by postsuper(1): the new hop names the old id, and continues what was not settled."""
    for b in range(hop_previous.size):
        if hop_previous[b] == NO_KEY:
            continue
        k = lower_bound(sorted_ids, hop_previous[b])
        best = -1
        while k < sorted_ids.size and sorted_ids[k] == hop_previous[b]:
            a = order[k]
            k += 1
            earlier = a != b and hop_host[a] == hop_host[b] and hop_first[a] <= hop_first[b]
            if earlier and (best < 0 or hop_first[a] > hop_first[best]):
                best = a
        if best >= 0:
            parent[b] = best
    for b in range(hop_previous.size):
        if hop_previous[b] != NO_KEY and parent[b] >= 0:
            requeued_to[parent[b]] = b
    for leg in range(leg_hop.size):
        h = requeued_to[leg_hop[leg]]
        o = leg_outcome[leg]
        if h >= 0 and o in (DEFERRED, HELD, UNKNOWN):
            child[leg] = h


@kernel
def one_parent(leg_hop, parent, child):
    """A hop has one parent, and no circle leads back to it."""
    for b in range(parent.size):
        a = parent[b]
        steps = 0
        while a >= 0 and steps < DEEPEST:
            if a == b:
                break
            a = parent[a]
            steps += 1
        if a >= 0:
            parent[b] = -1
    for leg in range(leg_hop.size):
        if child[leg] >= 0 and parent[child[leg]] != leg_hop[leg]:
            child[leg] = -1


@kernel
def descend(leg_hop, leg_key, leg_alias, child, parent, legs_in, slots, up, renamed, continued):
    """The same recipient; else the alias it came from, as the parent's recipient or as the parent's alias."""
    mask = np.uint64(slots.size - 1)
    for b in range(legs_in.size):
        legs_in[b] = 0
    for leg in range(leg_hop.size):
        b = child[leg]
        if b >= 0:
            legs_in[b] += 1
            for key in (leg_key[leg], leg_alias[leg]):
                if key != NO_KEY:
                    s = mix(key ^ spread(b)) & mask
                    while slots[s] >= 0:
                        s = (s + np.uint64(1)) & mask
                    slots[s] = leg
    for leg in range(leg_hop.size):
        b = leg_hop[leg]
        if parent[b] < 0 or legs_in[b] == 0:
            continue
        for attempt in range(3):
            key = leg_alias[leg] if attempt > 0 else leg_key[leg]
            if key == NO_KEY or (attempt == 2 and up[leg] >= 0):
                continue
            s = mix(key ^ spread(b)) & mask
            while slots[s] >= 0:
                p = slots[s]
                if child[p] == b and (leg_key[p] if attempt < 2 else leg_alias[p]) == key:
                    continued[p] = True
                    if up[leg] < 0:
                        up[leg] = p
                        renamed[leg] = attempt == 1
                    break
                s = (s + np.uint64(1)) & mask


@kernel
def trace_back(leg, leg_hop, leg_key, leg_original, renamed, up, parent, source, which, root, head, depth):
    """From a leg back to the first hop: the original recipient, and how many hops lie between."""
    walk = leg
    origin_key = NO_KEY
    for _ in range(DEEPEST):
        if leg_original[walk] != NO_KEY:
            source[leg], which[leg], origin_key = walk, OWN_ORIGINAL, leg_original[walk]
        p = up[walk]
        if p < 0:
            break
        if renamed[walk] and leg_key[p] != leg_key[walk]:
            source[leg], which[leg], origin_key = p, OWN_RECIPIENT, leg_key[p]
        walk = p
    if origin_key == leg_key[leg]:
        which[leg] = NO_ORIGINAL
        source[leg] = -1
    root[leg] = walk
    h = leg_hop[leg]
    steps = 0
    while parent[h] >= 0 and steps < DEEPEST:
        h = parent[h]
        steps += 1
    head[leg] = h
    depth[leg] = steps


@kernel
def let_in(leg_hop, leg_key, leg_original, leg_at, hop_first, hop_flags, hop_peer, parent, slots, ended, final):
    """Refusals for now that a later message of the same client, sender and recipient ended are attempts of that."""
    mask = np.uint64(slots.size - 1)
    for k in range(slots.size):
        slots[k] = -1
    any_grey = False
    for leg in range(leg_hop.size):
        if hop_flags[leg_hop[leg]] & GREYLISTED != 0:
            any_grey = True
            s = mix(leg_key[leg] ^ hop_peer[leg_hop[leg]]) & mask
            while slots[s] >= 0:
                s = (s + np.uint64(1)) & mask
            slots[s] = leg
    if not any_grey:
        return
    for leg in range(leg_hop.size):
        h = leg_hop[leg]
        if hop_flags[h] & GREYLISTED != 0 or parent[h] >= 0 or hop_peer[h] == NO_KEY:
            continue
        for key in (leg_key[leg], leg_original[leg]):
            if key == NO_KEY or ended[leg] >= 0:
                continue
            s = mix(key ^ hop_peer[h]) & mask
            while slots[s] >= 0:
                q = slots[s]
                refused = leg_hop[q]
                same = leg_key[q] == key and hop_peer[refused] == hop_peer[h]
                if same and hop_first[refused] <= hop_first[h] + SAME_HOST and hop_first[h] <= leg_at[q] + LIFETIME:
                    ended[leg] = q
                    final[q] = False
                    break
                s = (s + np.uint64(1)) & mask


def chains(rows: Any, leg_hop: Any, up: Any, parent: Any, ended: Any) -> tuple[Any, Any, Any]:
    """(offsets, legs?, numbers): what the deliveries `rows` (legs) rest on: hops from the last to the first, legs
    likewise."""
    offsets = np.zeros(len(rows) + 1, np.int64)
    nothing = np.zeros(0, np.int64)
    walk_chains(rows, leg_hop, up, parent, ended, offsets, nothing.astype(np.bool_), nothing)
    is_leg, numbers = np.zeros(offsets[-1], np.bool_), np.empty(offsets[-1], np.int64)
    walk_chains(rows, leg_hop, up, parent, ended, offsets, is_leg, numbers)
    return offsets, is_leg, numbers


@entry("const int64[:], const int64[:], const int64[:], const int64[:], const int64[:], int64[:], boolean[:], int64[:]")
def walk_chains(rows, leg_hop, up, parent, ended, offsets, is_leg, numbers, result):
    """`chains`: where there is no room for numbers, only their offsets."""
    fill = numbers.size > 0
    k = 0
    for r in range(rows.size):
        leg = rows[r]
        h = leg_hop[leg]
        for _ in range(DEEPEST):
            if fill:
                numbers[k] = h
            k += 1
            if parent[h] < 0:
                break
            h = parent[h]
        root = leg
        for _ in range(DEEPEST):
            if fill:
                numbers[k] = leg
                is_leg[k] = True
            k += 1
            root = leg
            if up[leg] < 0:
                break
            leg = up[leg]
        if ended[root] >= 0:
            if fill:
                numbers[k] = ended[root]
                is_leg[k] = True
            k += 1
        offsets[r + 1] = k


def merge_records(chains: Any, starts: Any, given: Any) -> tuple[Any, tuple[Any, Any, Any, Any]]:
    """(offsets, (evidence, number, offset, length)): for each delivery all records of its hops and legs, each once, by
    evidence and number.

    `chains`: which of the hops and legs each delivery has; `starts`: which of the records each of those. `given` has
    one row a record, and is sorted in place.
    """
    at = np.zeros(len(chains), np.int32)
    evidence = np.empty(len(given), np.int32)
    number, offset, length = (np.empty(len(given), np.int64) for _ in range(3))
    kept = collect_records(chains, starts, given, at, evidence, number, offset, length)
    return at, (evidence[:kept], number[:kept], offset[:kept], length[:kept])


@entry("const int64[:], const int32[:], int64[:,:], int32[:], int32[:], int64[:], int64[:], int64[:]")
def collect_records(chains, starts, given, out_at, evidence, numbers, offsets, lengths, result):
    """`merge_records`: how many records are kept."""
    count = chains.size - 1
    for r in range(count):
        start, n = starts[chains[r]], starts[chains[r + 1]]
        for i in range(start + 1, n):
            e, number, o, length = given[i, 0], given[i, 1], given[i, 2], given[i, 3]
            j = i - 1
            while j >= start and (given[j, 0] > e or (given[j, 0] == e and given[j, 1] > number)):
                for c in range(4):
                    given[j + 1, c] = given[j, c]
                j -= 1
            given[j + 1, 0], given[j + 1, 1], given[j + 1, 2], given[j + 1, 3] = e, number, o, length
    # a record may speak of the hop and of the leg: it counts once
    kept = 0
    for r in range(count):
        start, end = starts[chains[r]], starts[chains[r + 1]]
        for i in range(start, end):
            if i > start and given[i, 0] == given[i - 1, 0] and given[i, 1] == given[i - 1, 1]:
                continue
            evidence[kept] = given[i, 0]
            numbers[kept] = given[i, 1]
            offsets[kept] = given[i, 2]
            lengths[kept] = given[i, 3]
            kept += 1
        out_at[r + 1] = kept
    result[0] = kept
