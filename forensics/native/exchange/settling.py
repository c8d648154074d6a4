"""What becomes of each recipient of an Exchange message, as one pass over its rows in order.

The effects and states are those of `codes`. The rules:

1. An acceptance is never undone: DELIVER, and a hand-off to a server outside (SEND_OUT; SEND of servers before Exchange
   2013, which knew no other word). It wins over whatever became of another copy, before or after it. Only where the
   server that took the recipient is seen to have it from the one that gave it (ENTER there) was it handed on inside:
   the name that a server gives itself is not enough, because the other side chooses it. Exchange Online's servers have
   many names: there any of them will do, if the recipient was handed to that service alone.
2. SEND between transport services is no acceptance: what becomes of the recipient is for the next server to say.
3. A recipient that REPLACE puts in the place of another keeps the first such row as its origin, unless it was itself
   accepted before: from a mailbox, or by the server that logs the replacement.
4. Of the statuses of a trace one that says delivered counts, whatever others say. It wins over the failures that
   servers log of a recipient, unless these came to have it from there. Any other status counts only where the servers'
   own rows leave the recipient open, or handed it to the service that the trace is of and to no other server.
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
    OLD,
    ONLINE,
    OTHER,
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
    TRACE_DISCARDED,
    TRACE_FAILED,
    TRACE_HELD,
    TRACE_PENDING,
    TRACE_REFUSED,
    TRACE_REPLACED,
    TRACE_UNSETTLED,
)

SKEW: Final = 3_600_000_000
"""Microseconds by which a trace's time may lie before the server's own and still be the later word."""
BETWEEN: Final = 300_000_000
"""Microseconds by which the server that takes a message may log it before the one that gives it: it logs first, and
clocks differ."""
_UNKNOWN: Final = -2
"""The server that accepted a recipient first, while none has."""
NEVER: Final = 1 << 62
"""When a recipient was accepted first, while it was not."""


@kernel
def _end(effect):
    """The state that an event ends in which no server undoes by handing on; -1 for other events."""
    if effect in (FAIL, TRACE_FAILED):
        return BOUNCED
    if effect == EXPIRE:
        return EXPIRED
    if effect in (DISCARD, TRACE_DISCARDED):
        return DISCARDED
    if effect in (HOLD, TRACE_HELD):
        return HELD
    if effect in (REFUSE, TRACE_REFUSED):
        return REJECTED
    return DELIVERED if effect == TRACE_DELIVERED else -1


@kernel
def _leaves(effect, flags, host, peer):
    """Does the row hand its recipients to a server outside? Servers before Exchange 2013 say SEND for that too."""
    if effect == SEND_OUT:
        return True
    inside = (flags & INTRA) != 0 or (peer >= 0 and peer == host)
    return effect == SEND and (flags & OLD) != 0 and not inside


@kernel
def _next(effect, state, leaves, beyond):
    """The state of a recipient after an event of a server's own log; -1 when the event leaves it as it is.

    `leaves`: the row hands it to a server outside; `beyond`: it was handed on, and the server that took it logs this.
    """
    if leaves:
        return SENT if state != DELIVERED else -1
    if effect == DELIVER:
        return DELIVERED if state != DELIVERED else -1
    if state == DELIVERED or (state == SENT and not beyond):
        return -1
    if effect == SEND:
        return INSIDE if state not in (REJECTED, DISCARDED) else -1
    if effect == DUPLICATE:
        return HAD_ALREADY
    if effect == DEFER:
        return DEFERRED if state in (NOTHING, INSIDE, DEFERRED) or beyond else -1
    if effect == RELEASE:
        return NOTHING if state == HELD else -1
    if effect == HOLD and state in (BOUNCED, EXPIRED, REJECTED, DISCARDED):
        return -1
    return _end(effect)


@kernel
def _is_handover(i, n, effect, at, flags, host, peer, onward, alone):
    """Is n, an acceptance, where the recipient went that row i hands on? `alone`: to no other service before."""
    if effect[i] == SEND_OUT and onward[i] and (flags[i] & ONLINE) == 0 and (flags[n] & ONLINE) != 0:
        return alone and at[n] >= at[i] - BETWEEN
    if host[n] < 0 or host[n] != peer[i] or host[n] == host[i] or at[n] < at[i] - BETWEEN:
        return False
    return effect[i] == SEND or peer[n] == host[i] or (peer[n] < 0 and at[n] >= at[i])


@kernel
def _enter(i, k, effect, at, flags, host, state, parent_row, entered, first_at, direct_host, direct_store):
    """A server accepts the message for recipient k: who accepted it first for step 3, when for step 4."""
    entered[k] = i
    first_at[k] = min(first_at[k], at[i])
    if direct_host[k] == _UNKNOWN and parent_row[k] < 0:
        direct_host[k] = host[i]
        direct_store[k] = (flags[i] & STORE) != 0 or effect[i] == REPORT


@kernel
def _replace(i, k, host, parent_leg, replaces, parent_row, replaced, direct_host, direct_store):
    """Recipient k takes the place of another: step 3."""
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
def _weight(effect):
    """How much a trace's status says: the highest of several at one time counts."""
    if effect == TRACE_DELIVERED:
        return 6
    if effect == TRACE_HELD:
        return 5
    if effect == TRACE_FAILED:
        return 4
    if effect == TRACE_REFUSED:
        return 3
    return 2 if effect == TRACE_DISCARDED else 1


@kernel
def _trace(i, k, effect, at, replaced, trace_row):
    """A trace gives a status: keeps the row that counts in step 4."""
    e = effect[i]
    if e == TRACE_REPLACED:
        replaced[k] = True
    elif e != TRACE_UNSETTLED:
        b = trace_row[k]
        if b < 0:
            trace_row[k] = i
            return
        before = effect[b]
        if before == TRACE_DELIVERED or (e == TRACE_PENDING and before != TRACE_PENDING):
            return
        later = at[i] > at[b] or (at[i] == at[b] and _weight(e) > _weight(before))
        if e == TRACE_DELIVERED or before == TRACE_PENDING or later:
            trace_row[k] = i


@kernel
def _settle_by_trace(effect, at, flags, onward, state, settled, first_at, apart, trace_row):
    """Step 4."""
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
        open_ = s in (NOTHING, INSIDE, DEFERRED)
        if e == TRACE_DELIVERED:
            own = not open_ and (flags[settled[k]] & ONLINE) == 0
            from_there = own and first_at[k] != NEVER and first_at[k] >= at[i]
            counts = s not in (DELIVERED, SENT, HAD_ALREADY) and not from_there
        else:
            t = settled[k]
            there = s == SENT and onward[t] and (flags[t] & ONLINE) == 0 and not apart[k] and at[i] >= at[t] - SKEW
            counts = open_ or (there and (first_at[k] == NEVER or first_at[k] <= at[i]))
        if counts:
            settled[k] = i
            state[k] = _end(e)


@entry(
    "const int64[:], const int64[:], const int64[:], const int8[:], const int64[:], const int64[:], const boolean[:], "
    "const int64[:], const boolean[:], int64[:], int64[:], int64[:], int64[:], boolean[:], int64[:], boolean[:], "
    "int64[:], int64[:], int64[:], boolean[:]"
)
def settle(leg, effect, at, flags, host, peer, onward, parent_leg, replaces, state, settled, last, parent_row, replaced,
           direct_host, direct_store, trace_row, entered, first_at, apart, result):  # fmt: skip
    """One pass over all rows in order: the state of each recipient and the row that settled it.

    Of each row its recipient (`leg`, -1: none), effect, time, flags, server, the server it was handed to and whether
    that passes mail `onward` to Exchange Online, the recipient that this one replaces (`parent_leg`, -1: none known)
    and whether it `replaces` an address at all. Of each recipient its `state`, the row that `settled` it, its `last`
    row (-1: none), the row that names the address it replaces (`parent_row`, -1: none), and whether others `replaced`
    it. The last six are work space.
    """
    for k in range(state.size):
        state[k] = NOTHING
        settled[k] = last[k] = parent_row[k] = trace_row[k] = entered[k] = -1
        replaced[k] = direct_store[k] = apart[k] = False
        direct_host[k] = _UNKNOWN
        first_at[k] = NEVER
    for i in range(leg.size):
        k = leg[i]
        e = effect[i]
        if k < 0 or (e == INFO and last[k] >= 0):
            continue
        last[k] = i
        if e in (INFO, OTHER):
            continue
        if e in (ENTER, REPORT):
            _enter(i, k, effect, at, flags, host, state, parent_row, entered, first_at, direct_host, direct_store)
            if state[k] == SENT and _is_handover(settled[k], i, effect, at, flags, host, peer, onward, not apart[k]):
                state[k] = INSIDE
        elif e == REPLACE:
            _replace(i, k, host, parent_leg, replaces, parent_row, replaced, direct_host, direct_store)
        elif e >= TRACE_DELIVERED:
            _trace(i, k, effect, at, replaced, trace_row)
        else:
            s = state[k]
            t = settled[k]
            handed = s == SENT and effect[t] == SEND and host[i] >= 0 and host[i] == peer[t]
            leaves = _leaves(e, flags[i], host[i], peer[i])
            apart[k] |= leaves and s == SENT and peer[t] != peer[i]
            new = _next(e, s, leaves, handed)
            if new >= 0:
                n = entered[k]
                arrived = n >= 0 and _is_handover(i, n, effect, at, flags, host, peer, onward, not apart[k])
                state[k] = INSIDE if new == SENT and arrived else new
                settled[k] = i
    _settle_by_trace(effect, at, flags, onward, state, settled, first_at, apart, trace_row)
