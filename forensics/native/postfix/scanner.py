"""The scanner: one pass over a block of syslog lines; every line classified, events with the spans of their fields.

See `words` for kinds and columns.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.postfix import words as w
from forensics.native.postfix.fields import check, client, delivery, queued, reject, span
from forensics.native.postfix.stamps import MEMO, SIZE, stamp_after
from forensics.native.postfix.tokens import queue_id_end
from forensics.native.text import SEED, at, find, find_byte, hashed, mix, within

(A, B, C, G, N0, N1, FLAGS) = (w.A, w.B, w.C, w.G, w.N0, w.N1, w.FLAGS)
(KIND, PROGRAM, LINE, OFFSET, LENGTH, TIMEKIND, HOST, QID) = (
    w.KIND, w.PROGRAM, w.LINE, w.OFFSET, w.LENGTH, w.TIMEKIND, w.HOST, w.QID,
)  # fmt: skip
(TIME, KEY, RKEY, OKEY) = (w.TIME, w.KEY, w.RKEY, w.OKEY)
PROGRAM_NAMES, PROGRAM_ENDS, SLOTS = w.PROGRAM_NAMES, w.PROGRAM_ENDS, w.SLOTS
(P_BOUNCE, P_CLEANUP, P_PICKUP, P_POSTSCREEN, P_POSTSUPER, P_QMGR, P_SMTPD, P_NQMGR, P_OQMGR, P_QMQPD) = (
    w.P_BOUNCE, w.P_CLEANUP, w.P_PICKUP, w.P_POSTSCREEN, w.P_POSTSUPER, w.P_QMGR, w.P_SMTPD, w.P_NQMGR, w.P_OQMGR,
    w.P_QMQPD,
)  # fmt: skip
(L_TO, L_FROM, L_REMOVED, L_CLIENT, L_MSGID, L_RESENT, L_UID) = (
    w.L_TO, w.L_FROM, w.L_REMOVED, w.L_CLIENT, w.L_MSGID, w.L_RESENT, w.L_UID,
)  # fmt: skip
(L_WARNING, L_INFO, L_REJECT, L_HOLD, L_DISCARD, L_REDIRECT, L_BCC, L_REPLACE, L_PREPEND, L_STRIP, L_FILTER) = (
    w.L_WARNING, w.L_INFO, w.L_REJECT, w.L_HOLD, w.L_DISCARD, w.L_REDIRECT, w.L_BCC, w.L_REPLACE, w.L_PREPEND,
    w.L_STRIP, w.L_FILTER,
)  # fmt: skip
(L_MILTER, L_MILTER_REJECT, L_MILTER_HOLD, L_MILTER_DISCARD, L_PROXY_REJECT) = (
    w.L_MILTER, w.L_MILTER_REJECT, w.L_MILTER_HOLD, w.L_MILTER_DISCARD, w.L_PROXY_REJECT,
)  # fmt: skip
(L_NOQUEUE, L_NOTIFY, L_SENDER, L_POSTMASTER, L_ID, L_FROM_BR, L_ORIG_ID_SP) = (
    w.L_NOQUEUE, w.L_NOTIFY, w.L_SENDER, w.L_POSTMASTER, w.L_ID, w.L_FROM_BR, w.L_ORIG_ID_SP,
)  # fmt: skip
(L_PLACED, L_RELEASED, L_REQUEUED, L_EXPIRED_SUPER, L_POSTFIX) = (
    w.L_PLACED, w.L_RELEASED, w.L_REQUEUED, w.L_EXPIRED_SUPER, w.L_POSTFIX,
)  # fmt: skip
L_MILTER_HEADER, L_MILTER_BODY = w.L_MILTER_HEADER, w.L_MILTER_BODY
SHORT_LINE = 96
"""Bytes of a line, so that room is made for a block's rows at once; where lines are shorter they are counted first."""
OTHERS = 4096
"""Slots for the names of other programs in one block; further names are counted together."""


@kernel
def fill_programs(programs):
    """Make `programs` (zeros) the table in which `program_number` looks: numbers, by the hash of the name."""
    for number in range(1, PROGRAM_ENDS.size):
        slot = hashed(PROGRAM_NAMES, PROGRAM_ENDS[number - 1], PROGRAM_ENDS[number], SEED) % np.uint64(SLOTS)
        while programs[slot] != 0:
            slot = (slot + np.uint64(1)) % np.uint64(SLOTS)
        programs[slot] = number


@kernel
def program_number(buf, i, end, programs):
    """Number of the Postfix program named in [i, end), 0 when it is none."""
    slot = hashed(buf, i, end, SEED) % np.uint64(SLOTS)
    while programs[slot] != 0:
        number = programs[slot]
        start = PROGRAM_ENDS[number - 1]
        size = PROGRAM_ENDS[number] - start
        if size == end - i:
            same = True
            for k in range(size):
                if buf[i + k] != PROGRAM_NAMES[start + k]:
                    same = False
                    break
            if same:
                return np.int64(number)
        slot = (slot + np.uint64(1)) % np.uint64(SLOTS)
    return np.int64(0)


@kernel
def cleanup_line(buf, i, end, ev, lv, r):
    if at(buf, i, L_WARNING):
        return check(buf, i + 9, end, ev, lv, r, w.WARN)
    if at(buf, i, L_INFO):
        return check(buf, i + 6, end, ev, lv, r, w.WARN)
    if at(buf, i, L_REPLACE):
        return check(buf, i + 9, end, ev, lv, r, w.WARN)
    if at(buf, i, L_PREPEND):
        return check(buf, i + 9, end, ev, lv, r, w.WARN)
    if at(buf, i, L_REJECT):
        return check(buf, i + 8, end, ev, lv, r, w.DO_REJECT)
    if at(buf, i, L_HOLD):
        return check(buf, i + 6, end, ev, lv, r, w.DO_HOLD)
    if at(buf, i, L_DISCARD):
        return check(buf, i + 9, end, ev, lv, r, w.DO_DISCARD)
    if at(buf, i, L_REDIRECT):
        return check(buf, i + 10, end, ev, lv, r, w.DO_REDIRECT)
    if at(buf, i, L_BCC):
        return check(buf, i + 5, end, ev, lv, r, w.DO_BCC)
    return w.KNOWN


@kernel
def refusal(buf, i, end, ev, lv, r):
    """smtpd, cleanup, postscreen: what an access table or a milter did; KNOWN when it is none of these."""
    if at(buf, i, L_REJECT):
        return reject(buf, i + 8, end, ev, lv, r, w.DO_REJECT)
    if at(buf, i, L_MILTER_REJECT):
        return reject(buf, i + 15, end, ev, lv, r, w.DO_REJECT)
    if at(buf, i, L_PROXY_REJECT):
        return reject(buf, i + 14, end, ev, lv, r, w.DO_REJECT)
    if at(buf, i, L_HOLD):
        return reject(buf, i + 6, end, ev, lv, r, w.DO_HOLD)
    if at(buf, i, L_MILTER_HOLD):
        return reject(buf, i + 13, end, ev, lv, r, w.DO_HOLD)
    if at(buf, i, L_DISCARD):
        return reject(buf, i + 9, end, ev, lv, r, w.DO_DISCARD)
    if at(buf, i, L_MILTER_DISCARD):
        return reject(buf, i + 16, end, ev, lv, r, w.DO_DISCARD)
    return w.KNOWN


@kernel
def with_id(buf, i, end, program, ev, lv, r, host_hash):
    """The text behind a queue id."""
    c = buf[i]
    if c == 116 and at(buf, i, L_TO):  # any delivery agent, qmgr or cleanup
        return delivery(buf, i, end, ev, lv, r)
    if program in (P_QMGR, P_NQMGR, P_OQMGR):
        if c == 102 and at(buf, i, L_FROM):
            return queued(buf, i, end, ev, r)
        if c == 114 and at(buf, i, L_REMOVED) and i + 7 == end:
            return w.REMOVED
        return w.KNOWN
    if program == P_CLEANUP:
        if c == 109 and at(buf, i, L_MSGID):
            k = i + 11
            e = end
            while e > k and buf[e - 1] == 32:
                e -= 1
            while k < e and buf[k] == 32:
                k += 1
            if e - k >= 2 and buf[k] == 60 and buf[e - 1] == 62:
                k += 1
                e -= 1
            if e > k:
                span(ev, r, A, k, e)
            return w.MSGID
        if at(buf, i, L_MILTER_HEADER):
            return cleanup_line(buf, i + 14, end, ev, lv, r)
        if at(buf, i, L_MILTER_BODY):
            return cleanup_line(buf, i + 12, end, ev, lv, r)
        if at(buf, i, L_MILTER):
            return refusal(buf, i, end, ev, lv, r)
        return cleanup_line(buf, i, end, ev, lv, r)
    if program in (P_SMTPD, P_QMQPD, P_POSTSCREEN):
        if c == 99 and at(buf, i, L_CLIENT):
            return client(buf, i, end, ev, r)
        return refusal(buf, i, end, ev, lv, r)
    if program == P_PICKUP:
        if at(buf, i, L_UID):
            k = find(buf, i, end, L_FROM_BR)
            if k < 0:
                return w.KNOWN
            e = end
            o = -1
            k += 6
            while e > k and buf[e - 1] != 62:
                e -= 1
            if e > k:
                o = find(buf, e, end, L_ORIG_ID_SP)
                span(ev, r, A, k, e - 1)
            if o >= 0:
                e = queue_id_end(buf, o + 9, end)
                if e > 0:
                    span(ev, r, G, o + 9, e)
            return w.PICKUP
        return cleanup_line(buf, i, end, ev, lv, r)
    if program == P_POSTSUPER:
        if at(buf, i, L_REMOVED):
            return w.DELETED
        if at(buf, i, L_PLACED):
            return w.HELD
        if at(buf, i, L_RELEASED):
            return w.RELEASED
        if at(buf, i, L_REQUEUED):
            return w.REQUEUED
        return w.KNOWN
    if program == P_BOUNCE or at(buf, i, L_SENDER) or at(buf, i, L_POSTMASTER):
        k = find(buf, i, end, L_NOTIFY)
        if k < 0:
            return w.KNOWN
        k += 15
        e = queue_id_end(buf, k, end)
        if e != end:
            return w.KNOWN
        span(ev, r, G, k, e)
        lv[r, OKEY] = np.int64(mix(hashed(buf, k, e, host_hash)))
        return w.NOTIFY
    return w.KNOWN


@kernel
def tag_end(buf, i, end):
    """(start of the program's name, its end, start of the text) of `name[/instance…]/program[pid]: `; start -1 when
    it is none.

    Without a `/` the name is the whole tag; that is another program's line.
    """
    k = i
    start = i
    while k < end:
        c = buf[k]
        if c == 47:
            start = k + 1
        elif c == 91 or c == 58 or c == 32:
            break
        k += 1
    if k >= end or k == i:
        return -1, i, i
    stop = k
    if buf[k] == 91:
        while k < end and buf[k] != 93 and buf[k] != 32:
            k += 1
        if k >= end or buf[k] != 93:
            return -1, i, i
        k += 1
    if buf[k] != 58 or k >= end:
        return -1, i, i
    k += 1
    if k < end and buf[k] == 32:
        k += 1
    return start, stop, k


@kernel
def rfc5424(buf, i, end):
    """(host start, host end, program start, program end, text start) of `HOST APP PROCID MSGID DATA TEXT`; -1 when
    broken."""
    k = i
    while k < end and buf[k] != 32:
        k += 1
    host = k
    k += 1
    app = k
    start = k
    while k < end and buf[k] != 32:
        if buf[k] == 47:
            start = k + 1
        k += 1
    stop = k
    for _ in range(2):
        k += 1
        while k < end and buf[k] != 32:
            k += 1
    k += 1
    if k >= end or stop <= app:
        return -1, i, i, i, i
    if buf[k] == 45:
        k += 1
    else:
        while k < end and buf[k] == 91:
            quoted = False
            while k < end:
                c = buf[k]
                if c == 92:
                    k += 1
                elif c == 34:
                    quoted = not quoted
                elif c == 93 and not quoted:
                    break
                k += 1
            k += 1
    if k < end and buf[k] == 32:
        k += 1
    if k + 2 < end and buf[k] == 239 and buf[k + 1] == 187 and buf[k + 2] == 191:
        k += 3
    return i, host, start, stop, min(k, end)


@kernel
def line(buf, i, end, ev, lv, r, memo, programs):
    """One line [i, end) into row r: kind. For OTHER, span A is the program's name."""
    ev[r, KIND] = w.UNREAD
    if end == i:
        ev[r, N0] = w.R_EMPTY
        return w.UNREAD
    kind, t, k, flavour = stamp_after(buf, i, end, memo)
    ev[r, TIMEKIND] = kind
    lv[r, TIME] = t
    if kind == w.NO_TIME:
        ev[r, N0] = w.R_STAMP
        return w.UNREAD
    if flavour == 2:
        ev[r, N0] = w.R_PARTIAL
        return w.UNREAD
    ev[r, N0] = w.R_TAG
    host_start, host_end = k, k
    if flavour == 1:
        host_start, host_end, start, stop, k = rfc5424(buf, k, end)
        if host_start < 0:
            return w.UNREAD
        tag = start if start == host_end + 1 else host_end + 1
    else:
        start, stop, text = tag_end(buf, k, end)
        if start < 0:
            while k < end and buf[k] != 32:
                k += 1
            host_end = k
            k += 1
            start, stop, text = tag_end(buf, k, end)
            if start < 0:  # busybox: `host facility.level tag:`
                e = k
                dots = 0
                while e < end and buf[e] != 32:
                    if buf[e] == 46:
                        dots += 1
                    e += 1
                if dots == 1 and e < end:
                    tag = e + 1
                    start, stop, text = tag_end(buf, tag, end)
                    k = tag
            if start < 0:
                # some programs log without a colon: theirs, not ours
                e = k
                while e < end and buf[e] != 32 and buf[e] != 91:
                    e += 1
                if k >= end or host_end == host_start:
                    return w.UNREAD
                span(ev, r, A, k, e)
                return w.OTHER
        tag = k
        k = text
    span(ev, r, HOST, host_start, host_end)
    if start == tag:
        span(ev, r, A, start, stop)
        return w.OTHER
    program = program_number(buf, start, stop, programs)
    if program == 0:
        if at(buf, tag, L_POSTFIX):
            ev[r, N0] = w.R_PROGRAM
            return w.UNREAD
        span(ev, r, A, tag, stop)
        return w.OTHER
    ev[r, PROGRAM] = program
    ev[r, N0] = 0
    if at(buf, k, L_ID):
        while k < end and buf[k] != 93:
            k += 1
        k = min(k + 2, end)
    while end > k and (buf[end - 1] == 32 or buf[end - 1] == 13):
        end -= 1
    e = queue_id_end(buf, k, end)
    host_hash = within(hashed(buf, host_start, host_end, SEED))
    if e > 0 and buf[e] == 58 and buf[e + 1] == 32:
        span(ev, r, QID, k, e)
        lv[r, KEY] = np.int64(mix(hashed(buf, k, e, host_hash)))
        return with_id(buf, e + 2, end, program, ev, lv, r, host_hash)
    if at(buf, k, L_NOQUEUE) and (program in (P_SMTPD, P_POSTSCREEN, P_CLEANUP)):
        return refusal(buf, k + 9, end, ev, lv, r)
    # What speaks of a message must not pass for irrelevant because its id looks like none.
    e = k
    stop = min(end, k + 64)
    while e < stop and buf[e] != 58 and buf[e] != 32:
        e += 1
    if e > k and buf[e] == 58 and buf[e + 1] == 32:
        e += 2
        if at(buf, e, L_TO) or at(buf, e, L_FROM_BR) or at(buf, e, L_CLIENT) or at(buf, e, L_MSGID):
            ev[r, N0] = w.R_ID
            return w.UNREAD
    return w.KNOWN


def scan_block(buf: Any, n: int, skip: Any) -> tuple[Any, Any, int, Any, Any, Any]:
    """All lines of buf[:n] but those whose entry in `skip` (empty: none) is True.

    Returns ints and longs (one row for each event or unread record, in order), the number of lines, for each other
    program its count and the span of its name, and for each known Postfix program its count (last: programs beyond the
    table).
    """
    other = np.zeros(OTHERS, np.int64)
    names = np.zeros((OTHERS, 2), np.int32)
    known = np.zeros(128, np.int64)
    room = n // SHORT_LINE + 1024
    while True:
        ints = np.empty((room + 1, w.INTS), np.int32)
        longs = np.empty((room + 1, w.LONGS), np.int64)
        counts = np.zeros(2, np.int64)
        hashes, memo = np.zeros(OTHERS, np.uint64), np.zeros(MEMO, np.int64)
        programs = np.zeros(SLOTS, np.int32)
        if scan_lines(buf, n, skip, ints, longs, hashes, other, names, known, memo, programs, counts):
            return ints[: counts[0]], longs[: counts[0]], int(counts[1]), other, names, known
        other[:], known[:] = 0, 0
        room = count_lines(buf, n)


@entry("const uint8[:], int64")
def count_lines(buf, n, result):
    """How many lines buf[:n] has."""
    lines = 0
    k = 0
    while k < n:
        k = find_byte(buf, k, n, 10) + 1
        lines += 1
    result[0] = lines


@entry(
    "const uint8[:], int64, const boolean[:], int32[:,:], int64[:,:], uint64[:], int64[:], int32[:,:], "
    "int64[:], int64[:], int32[:], int64[:]"
)
def scan_lines(buf, n, skip, ints, longs, hashes, other, names, known, memo, programs, counts, result):
    """`scan_block`: 1, or 0 when there are more rows than `ints` has room for beside one. `counts`: rows, lines."""
    filled = 0
    memo[SIZE] = 0
    fill_programs(programs)
    r = 0
    number = 0
    i = 0
    while i < n:
        e = find_byte(buf, i, n, 10)
        if skip.size > 0 and skip[number]:
            number += 1
            i = e + 1
            continue
        if r + 1 >= ints.shape[0]:
            result[0] = 0
            return
        for c in range(w.INTS):
            ints[r, c] = -1
        for c in range(w.LONGS):
            longs[r, c] = 0
        ints[r, FLAGS] = 0
        ints[r, LINE] = number
        ints[r, OFFSET] = i
        end = e
        if end > i and buf[end - 1] == 13:
            end -= 1
        ints[r, LENGTH] = end - i
        kind = line(buf, i, end, ints, longs, r, memo, programs)
        ints[r, KIND] = kind
        if kind == w.OTHER:
            a, b = ints[r, A], ints[r, A + 1]
            h = mix(hashed(buf, a, b, SEED))
            slot = h % np.uint64(OTHERS)
            while hashes[slot] != np.uint64(0) and hashes[slot] != h:
                slot = (slot + np.uint64(1)) % np.uint64(OTHERS)
            if hashes[slot] == h:
                other[slot] += 1
            elif filled < OTHERS // 2:
                filled += 1
                hashes[slot] = h
                other[slot] = 1
                names[slot, 0] = a
                names[slot, 1] = b
            else:
                known[127] += 1
        elif kind == w.KNOWN:
            known[ints[r, PROGRAM]] += 1
        else:
            r += 1
        number += 1
        i = e + 1
    counts[0] = r
    counts[1] = number
    result[0] = 1
