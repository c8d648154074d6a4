"""What becomes of each recipient of an Exchange message, as one pass over its rows in order.

The effects and states are those of `codes`. The rules:

1. DELIVER is never undone. A hand-off (SEND, SEND_OUT) is, once the server it went to is seen to have the message
   (ENTER there: then it was handed on inside) or another server says how it ended.
2. A recipient that REPLACE puts in the place of another keeps the first such row as its origin, unless it was itself
   accepted before: from a mailbox, or by the server that logs the replacement.
3. The status of a trace counts last, and only where the servers' own rows leave the recipient unsettled or handed on.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

from forensics.native.compiler import entry, kernel
from forensics.native.exchange.codes import (
    BOUNCED,
    DEFER,
    DEFERRED,
    DELIVER,
    DELIVERED,
    DISCARD,
    DISCARDED,
    DUPLICATE,
    ENTER,
    EXPIRE,
    EXPIRED,
    FAIL,
    HAD_ALREADY,
    HELD,
    HOLD,
    INFO,
    INSIDE,
    INTRA,
    NOTHING,
    REFUSE,
    REJECTED,
    RELEASE,
    REPLACE,
    REPORT,
    SEND,
    SEND_OUT,
    SENT,
    STORE,
    TRACE_DELIVERED,
    TRACE_FAILED,
    TRACE_HELD,
    TRACE_PENDING,
    TRACE_REFUSED,
    TRACE_REPLACED,
    TRACE_UNSETTLED,
)

SKEW: Final = 3_600_000_000
"""Microseconds by which a trace's time may lie before the server's own and still be the later word."""
_UNKNOWN: Final = -2
"""The server that accepted a recipient first, while none has."""


@kernel
def _is_attempt(effect):
    """Does a server try to pass the message on, or a trace say that one did?"""
    return effect in (SEND, SEND_OUT, DELIVER, DEFER, FAIL, TRACE_DELIVERED, TRACE_FAILED, TRACE_PENDING)


@kernel
def _end(effect):
    """The state that an event ends in which no server undoes by handing on; -1 for other events."""
    if effect in (FAIL, TRACE_FAILED):
        return BOUNCED
    if effect == EXPIRE:
        return EXPIRED
    if effect == DISCARD:
        return DISCARDED
    if effect in (HOLD, TRACE_HELD):
        return HELD
    if effect in (REFUSE, TRACE_REFUSED):
        return REJECTED
    return DELIVERED if effect == TRACE_DELIVERED else -1


@kernel
def _next(effect, state, elsewhere, inside):
    """The state of a recipient after an event of a server's own log; -1 when the event leaves it as it is.

    `elsewhere`: the recipient was handed on, and another server logs this; `inside`: a hand-off stays in the
    organisation.
    """
    if effect in (SEND, SEND_OUT):
        if state in (DELIVERED, REJECTED, DISCARDED):
            return -1
        return INSIDE if inside else SENT
    if effect == DELIVER:
        return DELIVERED if state != DELIVERED else -1
    if effect == DUPLICATE:
        return HAD_ALREADY if state in (NOTHING, INSIDE) else -1
    if effect == DEFER:
        return DEFERRED if state in (NOTHING, INSIDE, DEFERRED) or elsewhere else -1
    if effect == RELEASE:
        return NOTHING if state == HELD else -1
    if state == DELIVERED or (state == SENT and not elsewhere):
        return -1
    if effect == HOLD and state in (BOUNCED, EXPIRED, REJECTED, DISCARDED):
        return -1
    return _end(effect)


@kernel
def _enter(i, k, effect, flags, host, peer, state, settled, parent_row, direct_host, direct_store):
    """A server accepts the message for recipient k: step 1, and who accepted it first for step 2."""
    if direct_host[k] == _UNKNOWN and parent_row[k] < 0:
        direct_host[k] = host[i]
        direct_store[k] = (flags[i] & STORE) != 0 or effect[i] == REPORT
    if state[k] in (SENT, INSIDE) and host[i] >= 0 and host[i] == peer[settled[k]]:
        state[k] = INSIDE


@kernel
def _replace(i, k, host, parent_leg, replaces, parent_row, replaced, direct_host, direct_store):
    """Recipient k takes the place of another: step 2."""
    if parent_row[k] < 0 and replaces[i]:
        known = direct_host[k] != _UNKNOWN and (direct_store[k] or direct_host[k] == host[i])
        if not known and parent_leg[i] != k:
            parent_row[k] = i
    p = parent_leg[i]
    if p >= 0 and p != k:
        back = parent_row[p] >= 0 and parent_leg[parent_row[p]] == k
        if not back:
            replaced[p] = True


@kernel
def _trace(i, k, effect, at, replaced, trace_row):
    """A trace gives a status: keeps the row that counts in step 3."""
    e = effect[i]
    if e == TRACE_REPLACED:
        replaced[k] = True
    elif e != TRACE_UNSETTLED:
        b = trace_row[k]
        if b < 0 or effect[b] == TRACE_PENDING or at[i] > at[b]:
            trace_row[k] = i


@kernel
def _settle_by_trace(effect, at, state, settled, trace_row):
    """Step 3."""
    for k in range(state.size):
        i = trace_row[k]
        if i < 0:
            continue
        s = state[k]
        e = effect[i]
        if e == TRACE_PENDING:
            if s in (NOTHING, INSIDE):
                state[k] = DEFERRED
                settled[k] = i
            continue
        handed = s == SENT and at[i] >= at[settled[k]] - SKEW
        if s in (NOTHING, INSIDE, DEFERRED) or (handed and e != TRACE_DELIVERED):
            settled[k] = i
            state[k] = _end(e)


@entry(
    "const int64[:], const int64[:], const int64[:], const int8[:], const int64[:], const int64[:], "
    "const int64[:], const boolean[:], int64[:], int64[:], int64[:], int64[:], int64[:], boolean[:], int64[:], "
    "boolean[:], int64[:]"
)
def settle(leg, effect, at, flags, host, peer, parent_leg, replaces, state, settled, last, attempts, parent_row,
           replaced, direct_host, direct_store, trace_row, result):  # fmt: skip
    """One pass over all rows in order: the state of each recipient and the row that settled it.

    Of each row its recipient (`leg`, -1: none), effect, time, flags, server, the server it was handed to, the recipient
    that this one replaces (`parent_leg`, -1: none known) and whether it `replaces` an address at all. Of each recipient
    its `state`, the row that `settled` it, its `last` row (-1: none), `attempts`, the row that names the address it
    replaces (`parent_row`, -1: none), and whether others `replaced` it. The last three are work space.
    """
    for k in range(state.size):
        state[k] = NOTHING
        settled[k] = last[k] = parent_row[k] = trace_row[k] = -1
        attempts[k] = 0
        replaced[k] = direct_store[k] = False
        direct_host[k] = _UNKNOWN
    for i in range(leg.size):
        k = leg[i]
        e = effect[i]
        if k < 0 or (e == INFO and last[k] >= 0):
            continue
        last[k] = i
        if e == INFO:
            continue
        attempts[k] += _is_attempt(e)
        if e in (ENTER, REPORT):
            _enter(i, k, effect, flags, host, peer, state, settled, parent_row, direct_host, direct_store)
        elif e == REPLACE:
            _replace(i, k, host, parent_leg, replaces, parent_row, replaced, direct_host, direct_store)
        elif e >= TRACE_DELIVERED:
            _trace(i, k, effect, at, replaced, trace_row)
        else:
            s = state[k]
            elsewhere = s in (SENT, INSIDE) and host[i] >= 0 and host[i] != host[settled[k]]
            inside = e == SEND and ((flags[i] & INTRA) != 0 or (peer[i] >= 0 and peer[i] == host[i]))
            new = _next(e, s, elsewhere, inside)
            if new >= 0:
                state[k] = new
                settled[k] = i
    _settle_by_trace(effect, at, state, settled, trace_row)
