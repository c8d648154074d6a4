"""Which hop is what a filter made of a leg, where the filter's reply names no id."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from forensics.native.codes import (
    FROM_PROGRAM,
    FROM_SELF,
    FROM_UNSEEN,
    KNOWN_USER,
    OWN,
    PROGRAM,
    PUBLIC,
    SAME_HOST,
    SKEW,
)  # fmt: skip
from forensics.native.compiler import entry, kernel
from forensics.native.stitch.linking import NO_KEY, lower_bound


@kernel
def comes_back(
    a, b, leg, hop_host, hop_flags, hop_name, hop_client, hop_client_address, relay, flags, relay_host, relay_address
):  # fmt: skip
    """Did hop b come from where this leg of hop a went?

    On the same host: from the host itself or one of its programs, what a program or a listener of that host took; or
    from the address of the relay. On another host of the evidence: from hop a's host by its name, or under the relay's
    own name, which an outside relay chooses: that shows nothing of what the other host's own filter gave back.
    """
    if hop_flags[b] & KNOWN_USER != 0:
        return False
    if hop_host[a] == hop_host[b]:
        if hop_client_address[b] != NO_KEY and hop_client_address[b] == relay_address[leg]:
            return True
        own = relay[leg] == OWN or flags[leg] & PROGRAM != 0
        return own and hop_flags[b] & (FROM_SELF | FROM_PROGRAM | FROM_UNSEEN) != 0
    if hop_name[a] == hop_name[b]:
        return False
    if relay[leg] == PUBLIC and hop_flags[b] & (FROM_SELF | FROM_PROGRAM) != 0:
        return False
    from_there = hop_client[b] != NO_KEY and hop_client[b] == hop_name[a]
    return from_there or (relay_host[leg] != NO_KEY and relay_host[leg] == hop_name[b])


@entry(
    "const int64[:], const uint64[:], const uint64[:], const int64[:], const int64[:], const int64[:], "
    "const uint64[:], const uint64[:], const int64[:], const uint64[:], const uint64[:], const uint64[:], "
    "const int64[:], const int64[:], const int64[:], const int64[:], const int64[:], const uint64[:], "
    "const uint64[:], const uint64[:], int64[:], int64[:], int64[:], int64[:]"
)
def give_back(
    rows, own, pairs, legs, hop, longest, hop_host, hop_sender, hop_system, hop_name, hop_client, hop_client_address,
    hop_first, hop_flags, leg_at, leg_relay, leg_flags, leg_relay_host, leg_relay_address, leg_target, taken, out,
    doubt, ways, result,
):  # fmt: skip
    """For each leg of `rows` (in order of time) the first hop that is addressed to its recipient under the same
    Message-ID, has the same sender, began while the filter had the message or at most `longest` after, came from there
    and was not given to another hop; `taken`: for each hop which it was given to, -1 before. `doubt`: a hop that agrees
    but for where it came from, or its sender. `ways`: how many hops could have been chosen.

    `own`: (Message-ID, recipient) of each leg; `pairs`: (Message-ID, recipient addressed), ascending, of `legs`.
    """
    for r in range(rows.size):
        leg = rows[r]
        a = hop[leg]
        best = -1
        unsure = -1
        k = lower_bound(pairs, own[leg])
        while k < pairs.size and pairs[k] == own[leg]:
            m = legs[k]
            b = hop[m]
            k += 1
            if b == a or hop_system[a] != hop_system[b] or leg_target[m] == leg_target[leg]:
                continue
            slack = SAME_HOST if hop_host[a] == hop_host[b] else SKEW
            if hop_first[b] < hop_first[a] - slack or hop_first[b] > leg_at[leg] + longest[leg] + slack:
                continue
            if taken[b] >= 0 and taken[b] != a:
                continue
            agree = hop_sender[a] == NO_KEY or hop_sender[b] == NO_KEY or hop_sender[a] == hop_sender[b]
            if not agree or not comes_back(
                a, b, leg, hop_host, hop_flags, hop_name, hop_client, hop_client_address, leg_relay, leg_flags,
                leg_relay_host, leg_relay_address,
            ):  # fmt: skip
                if leg_relay[leg] != PUBLIC and hop_flags[b] & KNOWN_USER == 0:
                    unsure = b
                continue
            if b != best:
                ways[leg] += 1
            if best < 0 or hop_first[b] < hop_first[best]:
                best = b
        if best >= 0:
            out[leg] = best
            taken[best] = a
        else:
            doubt[leg] = unsure
