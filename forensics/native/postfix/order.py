"""The order of a message's events where their stamps are the same, or a few seconds the wrong way round.

Records of one second can stand in any order: logs that were merged by sorting their lines, exports that keep whole
seconds. What a message goes through has one order: it is born, described, queued, delivered, removed; and a queue id
cannot be given twice within a second, being made of the microsecond (and the inode). So records of one second count in
the order in which they stand if that is one in which Postfix could have written them, else in the protocol's.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.native.codes import SECOND
from forensics.native.compiler import entry, inlined, kernel
from forensics.native.postfix import words as w

LATE = 5_000_000
"""Microseconds that a line may come behind the removal of its message: logging daemons reorder."""
ANY = -1
"""The stage of what may come at any time."""
BIRTH, HEAD, QUEUED, DELIVERED, EXPIRED, GONE = range(6)
"""Stages of a message: client or pickup; checks and Message-ID; the queue manager's; attempts; no more of them;
removed."""


def _stages() -> NDArray[np.int8]:
    stages = np.full(w.KINDS, ANY, np.int8)
    for stage, kinds in (
        (BIRTH, (w.CLIENT, w.PICKUP)), (HEAD, (w.MSGID, w.CHECK, w.REJECT)), (QUEUED, (w.QUEUED,)),
        (DELIVERED, (w.DELIVERY,)), (EXPIRED, (w.EXPIRED,)), (GONE, (w.REMOVED, w.DELETED)),
    ):  # fmt: skip
        stages[list(kinds)] = stage
    return stages


STAGES = _stages()
(OPEN, HEADED, NAMED) = range(3)
"""Columns of `state`, of the use of a queue id that goes on: it is not removed; its birth or queueing was seen; its
Message-ID was."""
STATE = 3
FIRST = 3
"""Sort key of the first stage."""


@inlined
def out_of_order(ints, longs, before, e):
    """Whether an event that comes behind another of its queue id, both having a stage, belongs before it, by stage and
    stamp."""
    stage = STAGES[ints[e, w.KIND]]
    if stage >= STAGES[ints[before, w.KIND]]:
        return False
    late = longs[before, w.TIME] - longs[e, w.TIME]
    return late <= LATE and longs[e, w.TIME] // SECOND <= longs[before, w.TIME] // SECOND


@kernel
def follow_on(ints, longs, rows, a, b, state):
    """Could Postfix have written rows[a:b], events of one queue id, in this order? `state`: what came before."""
    part_headed = state[OPEN] == 1 and state[HEADED] == 1
    part_named = False
    earlier = part_headed
    stage = -1
    second = np.int64(-(1 << 62))
    gone = False
    for k in range(a, b):
        e = rows[k]
        own = STAGES[ints[e, w.KIND]]
        if own == ANY:
            continue
        now = longs[e, w.TIME] // SECOND
        if now > second:
            stage = -1
            second = now
        if own == BIRTH:
            if stage > BIRTH and (not gone or not part_headed or (earlier and part_named and state[NAMED] == 1)):
                return False
            if gone or stage < 0:
                part_headed, part_named, earlier, gone = True, False, False, False
            stage = BIRTH
            second = now
            continue
        if own < stage:
            return False
        stage = own
        part_named = part_named or ints[e, w.KIND] == w.MSGID
        gone = gone or own == GONE
    return True


@inlined
def go_on(kind, state):
    """Carry `state` over an event."""
    stage = STAGES[kind]
    if stage == GONE:
        state[:] = 0
    elif stage == BIRTH:
        state[OPEN], state[HEADED], state[NAMED] = 1, 1, 0
    elif stage != ANY:
        state[OPEN] = 1
        if kind == w.MSGID or kind == w.QUEUED:
            state[HEADED] = 1
        if kind == w.MSGID:
            state[NAMED] = 1


@kernel
def by_stage(ints, rows, a, b, state, sub):
    """Sort keys for rows[a:b], events of one time that stand in no order: their stages. Where the id of a message that
    goes on is given anew, that message was removed first; all attempts are its, if nothing else was queued."""
    births = queued = gone = 0
    for k in range(a, b):
        stage = STAGES[ints[rows[k], w.KIND]]
        births += stage == BIRTH
        queued += stage == QUEUED
        gone += stage == GONE
    again = state[OPEN] == 1 and state[HEADED] == 1 and births > 0 and gone > 0
    its_own = again and gone == 1 and queued == 0
    for k in range(a, b):
        stage = STAGES[ints[rows[k], w.KIND]]
        sub[k] = FIRST + (DELIVERED if stage == ANY else stage)
        if again and stage == GONE:
            sub[k] = FIRST - 1
            again = False
        elif its_own and stage in (DELIVERED, EXPIRED):
            sub[k] = FIRST - 2
    for key in range(FIRST - 2, FIRST + GONE + 1):
        for k in range(a, b):
            if sub[k] == key:
                go_on(ints[rows[k], w.KIND], state)


@entry("const int32[:,:], const int64[:,:], const int64[:], const int64[:], int64[:], boolean[:]")
def judge(ints, longs, rows, clusters, state, kept, result):
    """For each cluster of rows (numbers in `clusters`, runs; the sign changes with the queue id): is its order one that
    Postfix could have written? `state`: room for STATE numbers."""
    a = 0
    while a < rows.size:
        b = a
        while b < rows.size and clusters[b] == clusters[a]:
            b += 1
        if a == 0 or longs[rows[a], w.KEY] != longs[rows[a - 1], w.KEY]:
            state[:] = 0
        good = follow_on(ints, longs, rows, a, b, state)
        for k in range(a, b):
            kept[k] = good
        for k in range(a, b):
            go_on(ints[rows[k], w.KIND], state)
        a = b


@entry("const int32[:,:], const int64[:,:], const int64[:], const int64[:], const boolean[:], int64[:], int64[:]")
def stage_keys(ints, longs, rows, clusters, kept, state, sub, result):
    """Sort keys within one time of a cluster, 0 where the order stays: `rows` are in order of cluster and time."""
    a = 0
    while a < rows.size:
        b = a
        while (
            b < rows.size
            and clusters[b] == clusters[a]
            and (kept[a] or longs[rows[b], w.TIME] == longs[rows[a], w.TIME])
        ):
            b += 1
        if a == 0 or longs[rows[a], w.KEY] != longs[rows[a - 1], w.KEY]:
            state[:] = 0
        if kept[a] or follow_on(ints, longs, rows, a, b, state):
            for k in range(a, b):
                go_on(ints[rows[k], w.KIND], state)
        else:
            by_stage(ints, rows, a, b, state, sub)
        a = b


def in_protocol_order(ints: Any, longs: Any, disordered: Any) -> NDArray[np.int64]:
    """An order of all events in which those of the queue ids `disordered` (keys) follow each other as Postfix writes
    them; all others stay where they are."""
    order = np.arange(len(ints), dtype=np.int64)
    key = longs[:, w.KEY]
    rows = np.flatnonzero(np.isin(key, disordered))
    rows = rows[np.argsort(key[rows], kind="stable")]
    time = longs[rows, w.TIME]
    apart = (key[rows][1:] != key[rows][:-1]) | (np.abs(np.diff(time)) > LATE)
    clusters = np.concatenate([[0], np.cumsum(apart)]).astype(np.int64)
    kept, sub, state = np.empty(len(rows), np.bool_), np.zeros(len(rows), np.int64), np.zeros(STATE, np.int64)
    judge(ints, longs, rows, clusters, state, kept)
    by_time = np.lexsort((np.where(kept, 0, time), clusters))  # stable
    stage_keys(ints, longs, rows[by_time], clusters[by_time], kept[by_time], state, sub)
    final = np.lexsort((sub, np.where(kept, 0, time)[by_time], clusters[by_time]))
    order[rows] = rows[by_time][final]
    return order
