"""The kernel that joins hops into journeys. Numbers only: hashes, times, flags; see `journeys` for what they come
from."""

from __future__ import annotations

import numpy as np

from forensics.kernels import kernel
from forensics.loaders.postfix.text import mix, spread

SKEW = 300_000_000
"""How far (microseconds) the clocks of two hosts may differ."""
SAME_HOST = 10_000_000
"""How far the stamps of one host may."""
LIFETIME = 5 * 86_400_000_000
DEEPEST = 64

PUBLIC, PRIVATE, LOOPBACK, EVIDENCE_HOST = 0, 1, 2, 3
GREYLISTED, BORN, CLOSED = 1, 2, 4
FORWARDED, DIRECT, MAILBOX = 1, 2, 4
DELIVERED, DEFERRED, HELD, UNKNOWN = 0, 3, 6, 7
NO_ORIGINAL, OWN_ORIGINAL, OWN_RECIPIENT = 0, 1, 2


@kernel()
def plausible(a, b, at, relay, cross, forwarded, hop_host, hop_msgid, hop_first, hop_flags):  # type: ignore[no-untyped-def]
    """May hop b be what the next server made of this leg of hop a?"""
    ma, mb = hop_msgid[a], hop_msgid[b]
    if ma != np.uint64(0) and mb != np.uint64(0) and ma != mb:
        return False
    if (relay == PUBLIC or cross) and not forwarded and (ma == np.uint64(0) or ma != mb):
        return False
    slack = SAME_HOST if hop_host[a] == hop_host[b] else SKEW
    if hop_first[b] < hop_first[a] - slack:
        return False
    if hop_flags[b] & BORN == 0 and relay != PUBLIC:
        return hop_first[b] <= at + LIFETIME
    return hop_first[b] <= at + slack


@kernel(entry=True)
def link(  # type: ignore[no-untyped-def]
    hop_id, hop_host, hop_msgid, hop_previous, hop_first, hop_flags, hop_system, hop_peer,
    leg_hop, leg_next, leg_key, leg_original, leg_alias, leg_at, leg_outcome, leg_relay, leg_flags, order, given,
):  # fmt: skip
    """Join legs to the hops that continue them.

    `order`: hops sorted by id. `given`: for each leg a hop that is known to continue it (cross-system rules), or -1.
    Returns for each leg: final?, the journey's first hop, the leg of the first hop it descends from, depth, which leg's
    original (or recipient) is the original recipient and which of the two, outcome, the refused
    triplet that it ended (a leg) or -1, the leg of the hop before; and
    for each hop the hop before.
    """
    hops, legs = hop_id.size, leg_hop.size
    child = np.full(legs, -1, np.int64)
    parent = np.full(hops, -1, np.int64)
    distance = np.zeros(hops, np.int64)
    sorted_ids = hop_id[order]
    # 1. candidates for each leg
    for leg in range(legs):
        a = leg_hop[leg]
        best = -1
        best_gap = np.int64(0)
        if given[leg] >= 0:
            best = given[leg]
        elif leg_outcome[leg] == DELIVERED and leg_next[leg] != np.uint64(0):
            k = np.searchsorted(sorted_ids, leg_next[leg])
            while k < hops and sorted_ids[k] == leg_next[leg]:
                b = order[k]
                k += 1
                if b == a or hop_flags[b] & GREYLISTED != 0:
                    continue
                cross = hop_system[a] != hop_system[b]
                if plausible(
                    a, b, leg_at[leg], leg_relay[leg], cross, leg_flags[leg] & FORWARDED != 0,
                    hop_host, hop_msgid, hop_first, hop_flags,
                ):  # fmt: skip
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
    # requeued by postsuper: the new hop names the old id
    for b in range(hops):
        if hop_previous[b] == np.uint64(0):
            continue
        k = np.searchsorted(sorted_ids, hop_previous[b])
        best = -1
        while k < hops and sorted_ids[k] == hop_previous[b]:
            a = order[k]
            k += 1
            earlier = a != b and hop_host[a] == hop_host[b] and hop_first[a] <= hop_first[b]
            if earlier and (best < 0 or hop_first[a] > hop_first[best]):
                best = a
        if best >= 0:
            parent[b] = best
    heirs = np.full(hops, -1, np.int64)
    for b in range(hops):
        if hop_previous[b] != np.uint64(0) and parent[b] >= 0:
            heirs[parent[b]] = b
    for leg in range(legs):
        h = heirs[leg_hop[leg]]
        o = leg_outcome[leg]
        if h >= 0 and (o in (DEFERRED, HELD, UNKNOWN)):
            child[leg] = h
    # a hop has one parent; no circles
    for b in range(hops):
        a = parent[b]
        steps = 0
        while a >= 0 and steps < DEEPEST:
            if a == b:
                break
            a = parent[a]
            steps += 1
        if a >= 0:
            parent[b] = -1
    for leg in range(legs):
        if child[leg] >= 0 and parent[child[leg]] != leg_hop[leg]:
            child[leg] = -1
    # 2. which leg of the parent each leg descends from
    size = 16
    while size < 4 * legs + 4:
        size *= 2
    mask = np.uint64(size - 1)
    slots = np.full(size, -1, np.int64)
    handed = np.zeros(hops, np.int64)
    first_handed = np.full(hops, -1, np.int64)
    for leg in range(legs):
        b = child[leg]
        if b >= 0:
            handed[b] += 1
            if first_handed[b] < 0:
                first_handed[b] = leg
            for key in (leg_key[leg], leg_alias[leg]):
                if key != np.uint64(0):
                    s = mix(key ^ spread(b)) & mask
                    while slots[s] >= 0:
                        s = (s + np.uint64(1)) & mask
                    slots[s] = leg
    up = np.full(legs, -1, np.int64)
    renamed = np.zeros(legs, np.bool_)
    continued = np.zeros(legs, np.bool_)
    for leg in range(legs):
        b = leg_hop[leg]
        if parent[b] < 0 or handed[b] == 0:
            continue
        # the same recipient; else the alias it came from, as the parent's recipient or as the parent's alias
        for attempt in range(3):
            key = leg_alias[leg] if attempt > 0 else leg_key[leg]
            if key == np.uint64(0) or (attempt == 2 and up[leg] >= 0):
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
    left = np.zeros(hops, np.int64)
    last_left = np.full(hops, -1, np.int64)
    for leg in range(legs):
        if child[leg] >= 0 and not continued[leg]:
            left[child[leg]] += 1
            last_left[child[leg]] = leg
    for leg in range(legs):
        b = leg_hop[leg]
        if parent[b] >= 0 and up[leg] < 0 and left[b] == 1:
            up[leg] = last_left[b]
            renamed[leg] = True
            continued[last_left[b]] = True
    # 3. what each leg means for its journey
    final = np.ones(legs, np.bool_)
    head = np.empty(legs, np.int64)
    root = np.empty(legs, np.int64)
    depth = np.zeros(legs, np.int16)
    source = np.full(legs, -1, np.int64)
    which = np.zeros(legs, np.int8)
    outcome = leg_outcome.copy()
    for leg in range(legs):
        b = child[leg]
        if b >= 0:
            if continued[leg]:
                final[leg] = False
                continue
            outcome[leg] = UNKNOWN if hop_flags[b] & CLOSED != 0 else DEFERRED
        elif (
            leg_outcome[leg] == DELIVERED
            and leg_next[leg] != np.uint64(0)
            and (leg_relay[leg] >= LOOPBACK or leg_flags[leg] & FORWARDED != 0)
        ):
            outcome[leg] = UNKNOWN
        walk = leg
        origin_key = np.uint64(0)
        for _ in range(DEEPEST):
            if leg_original[walk] != np.uint64(0):
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
    # 4. refused triplets that were let in later
    ended = np.full(legs, -1, np.int64)
    slots[:] = -1
    any_grey = False
    for leg in range(legs):
        if hop_flags[leg_hop[leg]] & GREYLISTED != 0:
            any_grey = True
            s = mix(leg_key[leg] ^ hop_peer[leg_hop[leg]]) & mask
            while slots[s] >= 0:
                s = (s + np.uint64(1)) & mask
            slots[s] = leg
    if any_grey:
        for leg in range(legs):
            h = leg_hop[leg]
            if hop_flags[h] & GREYLISTED != 0 or parent[h] >= 0 or hop_peer[h] == np.uint64(0):
                continue
            for key in (leg_key[leg], leg_original[leg]):
                if key == np.uint64(0) or ended[leg] >= 0:
                    continue
                s = mix(key ^ hop_peer[h]) & mask
                while slots[s] >= 0:
                    q = slots[s]
                    gh = leg_hop[q]
                    same = leg_key[q] == key and hop_peer[gh] == hop_peer[h]
                    if same and hop_first[gh] <= hop_first[h] + SAME_HOST and hop_first[h] <= leg_at[q] + LIFETIME:
                        ended[leg] = q
                        final[q] = False
                        break
                    s = (s + np.uint64(1)) & mask
    return final, head, root, depth, source, which, outcome, ended, up, parent


@kernel(entry=True)
def chains(rows, leg_hop, up, parent, ended):  # type: ignore[no-untyped-def]
    """(offsets, legs?, numbers): what the deliveries `rows` (legs) rest on: hops from the last to the first, legs
    likewise."""
    count = rows.size
    offsets = np.zeros(count + 1, np.int64)
    for turn in range(2):
        if turn == 1:
            is_leg = np.zeros(offsets[count], np.bool_)
            numbers = np.empty(offsets[count], np.int64)
        k = 0
        for r in range(count):
            leg = rows[r]
            h = leg_hop[leg]
            for _ in range(DEEPEST):
                if turn == 1:
                    numbers[k] = h
                k += 1
                if parent[h] < 0:
                    break
                h = parent[h]
            root = leg
            for _ in range(DEEPEST):
                if turn == 1:
                    numbers[k] = leg
                    is_leg[k] = True
                k += 1
                root = leg
                if up[leg] < 0:
                    break
                leg = up[leg]
            if ended[root] >= 0:
                if turn == 1:
                    numbers[k] = ended[root]
                    is_leg[k] = True
                k += 1
            if turn == 0:
                offsets[r + 1] = k
    return offsets, is_leg, numbers


@kernel(entry=True)
def merge_records(offsets, is_leg, position, hop_at, hop_values, leg_at, leg_values):  # type: ignore[no-untyped-def]
    """(offsets, values): for each delivery all records of its hops and legs, by evidence and number. Values have the
    columns
    evidence, number, offset, length."""
    count = offsets.size - 1
    out_at = np.zeros(count + 1, np.int32)
    total = 0
    for r in range(count):
        for k in range(offsets[r], offsets[r + 1]):
            p = position[k]
            total += leg_at[p + 1] - leg_at[p] if is_leg[k] else hop_at[p + 1] - hop_at[p]
        out_at[r + 1] = total
    out = np.empty((4, total), np.int64)
    for r in range(count):
        start = out_at[r]
        n = start
        for k in range(offsets[r], offsets[r + 1]):
            p = position[k]
            if is_leg[k]:
                for i in range(leg_at[p], leg_at[p + 1]):
                    for c in range(4):
                        out[c, n] = leg_values[c, i]
                    n += 1
            else:
                for i in range(hop_at[p], hop_at[p + 1]):
                    for c in range(4):
                        out[c, n] = hop_values[c, i]
                    n += 1
        for i in range(start + 1, n):
            e, number, o, length = out[0, i], out[1, i], out[2, i], out[3, i]
            j = i - 1
            while j >= start and (out[0, j] > e or (out[0, j] == e and out[1, j] > number)):
                for c in range(4):
                    out[c, j + 1] = out[c, j]
                j -= 1
            out[0, j + 1], out[1, j + 1], out[2, j + 1], out[3, j + 1] = e, number, o, length
    # a record may tell of the hop and of the leg: it counts once
    kept = 0
    start = 0
    for r in range(count):
        end = out_at[r + 1]
        for i in range(start, end):
            if i > start and out[0, i] == out[0, i - 1] and out[1, i] == out[1, i - 1]:
                continue
            for c in range(4):
                out[c, kept] = out[c, i]
            kept += 1
        start = end
        out_at[r + 1] = kept
    return out_at, out[:, :kept].copy()
