"""What becomes of each recipient of an Exchange message, as one pass over its rows in order."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.loaders.exchange import event_ids as ids
from forensics.loaders.exchange.emit import INTRA, STORE
from forensics.loaders.exchange.machine import kernel
from forensics.loaders.exchange.spans import Array

NOTHING, DELIVERED, BOUNCED, EXPIRED, DEFERRED, REJECTED, DISCARDED, HELD, SENT, INSIDE, DUPLICATE = range(11)
"""States of a recipient. SENT: handed to another server, so far delivered; INSIDE: handed on within."""

OUTCOMES: Final = np.array(
    [
        "unknown", "delivered", "bounced", "expired", "deferred", "rejected", "discarded", "held", "delivered",
        "unknown", "delivered",
    ],
    object,
)  # fmt: skip


def settle(
    count: int,
    leg: Array,
    effect: Array,
    at: Array,
    flags: Array,
    host: Array,
    peer: Array,
    parent_leg: Array,
    replaces: Array,
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """One pass over all rows in order: the state of each recipient and the row that settled it.

    DELIVER is never undone. A hand-off (SEND, SENDEXTERNAL) is, once the server it went to is seen to have the message
    (RECEIVE there) or another server tells its end. A trace's word counts last, and only where the servers' own rows
    leave the recipient unsettled or handed on.

    Returns for each recipient its state, the row that settled it, its last row (-1: none), attempts, the row that told
    which address it replaces (-1: none), and whether others replaced it.
    """

    def each(value: int) -> Array:
        return np.full(count, value, np.int64)

    state, settled, last, attempts, parent_row = each(0), each(-1), each(-1), each(0), each(-1)
    replaced = np.zeros(count, np.bool_)
    settle_rows(
        leg, effect, at, flags, host, peer, parent_leg, replaces, state, settled, last, attempts, parent_row, replaced,
        each(-2), np.zeros(count, np.bool_), each(-1),
    )  # fmt: skip
    return state, settled, last, attempts, parent_row, replaced


@kernel(
    "void(int64[::1], int64[::1], int64[::1], int8[::1], int64[::1], int64[::1], int64[::1], boolean[::1], "
    "int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], boolean[::1], int64[::1], boolean[::1], "
    "int64[::1])"
)
def settle_rows(
    leg,
    effect,
    at,
    flags,
    host,
    peer,
    parent_leg,
    replaces,
    state,
    settled,
    last,
    attempts,
    parent_row,
    replaced,
    direct_host,
    direct_store,
    said,
):
    """`settle` into its results; the last three are work space."""
    for i in range(leg.shape[0]):
        k = leg[i]
        e = effect[i]
        if k < 0:
            continue
        if e == ids.INFO:
            if last[k] < 0:
                last[k] = i
            continue
        last[k] = i
        s = state[k]
        open_ = s in (NOTHING, DEFERRED, INSIDE, HELD, DUPLICATE)
        sent = s in (SENT, INSIDE)
        elsewhere = sent and host[i] >= 0 and host[i] != host[settled[k]]
        if e == ids.ENTER or e == ids.REPORT:
            if direct_host[k] == -2 and parent_row[k] < 0:
                direct_host[k] = host[i]
                direct_store[k] = (flags[i] & STORE) != 0 or e == ids.REPORT
            if sent and host[i] >= 0 and host[i] == peer[settled[k]]:
                state[k] = INSIDE
        elif e == ids.REPLACE:
            if parent_row[k] < 0 and replaces[i]:
                known = direct_host[k] != -2 and (direct_store[k] or direct_host[k] == host[i])
                if not known and parent_leg[i] != k:
                    parent_row[k] = i
            p = parent_leg[i]
            back = parent_row[p] >= 0 and parent_leg[parent_row[p]] == k if p >= 0 else False
            if p >= 0 and p != k and not back:
                replaced[p] = True
        elif e == ids.SEND or e == ids.SEND_OUT:
            attempts[k] += 1
            if open_ or sent or s in (BOUNCED, EXPIRED):
                inside = e == ids.SEND and ((flags[i] & INTRA) != 0 or (peer[i] >= 0 and peer[i] == host[i]))
                state[k] = INSIDE if inside else SENT
                settled[k] = i
        elif e == ids.DELIVER:
            attempts[k] += 1
            if s != DELIVERED:
                state[k] = DELIVERED
                settled[k] = i
        elif e == ids.DUPLICATE:
            if s in (NOTHING, INSIDE):
                state[k] = DUPLICATE
                settled[k] = i
        elif e == ids.DEFER:
            attempts[k] += 1
            if s in (NOTHING, INSIDE, DEFERRED) or elsewhere:
                state[k] = DEFERRED
                settled[k] = i
        elif e == ids.RELEASE:
            if s == HELD:
                state[k] = NOTHING
                settled[k] = i
        elif e == ids.FAIL or e == ids.EXPIRE or e == ids.DISCARD or e == ids.HOLD or e == ids.REFUSE:
            if e == ids.FAIL:
                attempts[k] += 1
            ended = s in (BOUNCED, EXPIRED, REJECTED, DISCARDED)
            if s != DELIVERED and (not sent or s == INSIDE or elsewhere) and not (ended and e == ids.HOLD):
                settled[k] = i
                if e == ids.FAIL:
                    state[k] = BOUNCED
                elif e == ids.EXPIRE:
                    state[k] = EXPIRED
                elif e == ids.DISCARD:
                    state[k] = DISCARDED
                elif e == ids.HOLD:
                    state[k] = HELD
                else:
                    state[k] = REJECTED
        else:  # a trace's word
            if e == ids.SAID_DELIVERED or e == ids.SAID_FAILED or e == ids.SAID_PENDING:
                attempts[k] += 1
            if e == ids.SAID_REPLACED:
                replaced[k] = True
            elif e != ids.SAID_NOTHING:
                b = said[k]
                if b < 0 or effect[b] == ids.SAID_PENDING or at[i] > at[b]:
                    said[k] = i
    for k in range(state.shape[0]):
        i = said[k]
        if i < 0:
            continue
        s = state[k]
        e = effect[i]
        if e == ids.SAID_PENDING:
            if s in (NOTHING, INSIDE):
                state[k] = DEFERRED
                settled[k] = i
            continue
        handed = s == SENT and at[i] >= at[settled[k]] - 3600000000
        if s in (NOTHING, INSIDE, DEFERRED) or (handed and e != ids.SAID_DELIVERED):
            settled[k] = i
            if e == ids.SAID_DELIVERED:
                state[k] = DELIVERED
            elif e == ids.SAID_FAILED:
                state[k] = BOUNCED
            elif e == ids.SAID_HELD:
                state[k] = HELD
            else:
                state[k] = REJECTED
