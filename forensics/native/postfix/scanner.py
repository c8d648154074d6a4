"""The scanner: one pass over a block of syslog lines; every line classified, events with the spans of their fields.

See `words` for kinds and columns.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

import numpy as np

from forensics.native.compiler import entry, inlined, kernel
from forensics.native.postfix import known
from forensics.native.postfix import words as w
from forensics.native.postfix.attempts import delivery
from forensics.native.postfix.checks import cleanup_line, header_action
from forensics.native.postfix.fields import NOT_THIS, client, ended, number31, queued, span, taken, wordy
from forensics.native.postfix.forms import (
    breaks_off,
    holds_form,
    is_mark,
    is_name,
    peer_text,
    postfix_form,
    status_form,
)
from forensics.native.postfix.heads import BROKEN, PARTIAL, TAGGED, head
from forensics.native.postfix.known import bears, listed, of_a_function, states
from forensics.native.postfix.refusals import mild_action, proxied, refusal, refusal_action
from forensics.native.postfix.stamps import MEMO, SIZE
from forensics.native.postfix.tags import blanks, fill_programs, names_daemon, program_number
from forensics.native.postfix.tokens import is_address, queue_id_end
from forensics.native.text import SEED, at, between, find, find_byte, hashed, is_digit, mix, within

(A, B, C, G, N0, FLAGS) = (w.A, w.B, w.C, w.G, w.N0, w.FLAGS)
(KIND, PROGRAM, LINE, OFFSET, LENGTH, TIMEKIND, HOST, QID) = (
    w.KIND, w.PROGRAM, w.LINE, w.OFFSET, w.LENGTH, w.TIMEKIND, w.HOST, w.QID,
)  # fmt: skip
(TIME, KEY, OKEY) = (w.TIME, w.KEY, w.OKEY)
SLOTS, BARE, BLANK, NAMELESS = w.SLOTS, w.BARE, w.BLANK, w.NAMELESS
(P_BOUNCE, P_CLEANUP, P_DISCARD, P_PICKUP, P_POSTSCREEN, P_POSTSUPER, P_QMGR, P_SMTPD, P_NQMGR, P_OQMGR, P_QMQPD) = (
    w.P_BOUNCE, w.P_CLEANUP, w.P_DISCARD, w.P_PICKUP, w.P_POSTSCREEN, w.P_POSTSUPER, w.P_QMGR, w.P_SMTPD, w.P_NQMGR,
    w.P_OQMGR, w.P_QMQPD,
)  # fmt: skip
POLICY = w.POLICY
(L_TO, L_FROM, L_REMOVED, L_CLIENT, L_MSGID, L_UID) = (w.L_TO, w.L_FROM, w.L_REMOVED, w.L_CLIENT, w.L_MSGID, w.L_UID)
(L_MILTER, L_PROXY_REJECT, L_PROXY_ACCEPT) = (w.L_MILTER, w.L_PROXY_REJECT, w.L_PROXY_ACCEPT)
(L_DISCONNECT, L_MAILSCANNER, L_REQUEUE) = (w.L_DISCONNECT, w.L_MAILSCANNER, w.L_REQUEUE)
(L_NOQUEUE, L_NOTIFY, L_SENDER, L_POSTMASTER, L_ID, L_FROM_BR, L_ORIG_ID_SP) = (
    w.L_NOQUEUE, w.L_NOTIFY, w.L_SENDER, w.L_POSTMASTER, w.L_ID, w.L_FROM_BR, w.L_ORIG_ID_SP,
)  # fmt: skip
(L_PLACED, L_RELEASED, L_REQUEUED, L_POSTFIX) = (w.L_PLACED, w.L_RELEASED, w.L_REQUEUED, w.L_POSTFIX)
(L_HEADER, L_BODY, L_MIME_ERROR, L_MILTER_HEADER, L_MILTER_BODY) = (
    w.L_HEADER, w.L_BODY, w.L_MIME_ERROR, w.L_MILTER_HEADER, w.L_MILTER_BODY,
)  # fmt: skip
(L_MESSAGE_REPEATED, L_LAST_MESSAGE, L_TIMES, L_MARK) = (w.L_MESSAGE_REPEATED, w.L_LAST_MESSAGE, w.L_TIMES, w.L_MARK)
(L_RSYSLOG, L_SYSLOG, L_JOURNALD, L_JOURNAL) = (w.L_RSYSLOG, w.L_SYSLOG, w.L_JOURNALD, w.L_JOURNAL)
(L_SASL_SENDER, L_RETURN) = (w.L_SASL_SENDER, w.L_RETURN)
SHORT_LINE = 96
"""Bytes of a line, so that room is made for a block's rows at once; where lines are shorter they are counted first."""
OTHERS = 4096
"""Slots for the names of other programs in one block; further names are counted together."""


@inlined
def is_queue_manager(program):
    return program in (P_QMGR, P_NQMGR, P_OQMGR)


@kernel
def daemon_of(buf, i, end):
    """The program that logs such a text behind a queue id; BARE where several do."""
    c = buf[i]
    if c == 102 and at(buf, i, L_FROM):
        return P_QMGR
    if c == 114 and at(buf, i, L_REMOVED) and i + 7 == end:
        return P_QMGR
    if c == 99 and at(buf, i, L_CLIENT):
        return P_SMTPD
    if c == 117 and at(buf, i, L_UID):
        return P_PICKUP
    if at(buf, i, L_PLACED) or at(buf, i, L_RELEASED) or at(buf, i, L_REQUEUED):
        return P_POSTSUPER
    if at(buf, i, L_SENDER) or at(buf, i, L_POSTMASTER):
        return P_BOUNCE
    if (c == 109 and at(buf, i, L_MSGID)) or at(buf, i, L_MILTER_HEADER) or at(buf, i, L_MILTER_BODY):
        return P_CLEANUP
    action, k = header_action(buf, i)
    if action != 0 and (at(buf, k, L_HEADER) or at(buf, k, L_BODY) or at(buf, k, L_MIME_ERROR)):
        return P_CLEANUP
    action, k = refusal_action(buf, i)
    return P_SMTPD if action != 0 or mild_action(buf, i) >= 0 else BARE


@kernel
def with_id(buf, i, end, program, ev, lv, r, host_hash):
    """The text behind a queue id."""
    c = buf[i]
    if c == 116 and at(buf, i, L_TO):  # any delivery agent, qmgr or cleanup
        kind = delivery(buf, i, end, ev, lv, r)
        if program == BARE and kind == w.DELIVERY and ev[r, N0] == w.SENT and ev[r, C] < 0 and ev[r, w.D] < 0:
            ev[r, PROGRAM] = P_DISCARD  # no other agent has sent what it has no relay for
        return kind
    if program == BARE:
        program = daemon_of(buf, i, end)
    if is_queue_manager(program):
        if c == 102 and at(buf, i, L_FROM):
            return queued(buf, i, end, ev, r)
        if c == 114 and at(buf, i, L_REMOVED) and i + 7 == end:
            return w.REMOVED
        return NOT_THIS
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
            k = i + L_UID.size
            while k < end and (is_digit(buf[k]) or buf[k] == 45):
                k += 1
            if buf[k] != 32 or not at(buf, k + 1, L_FROM_BR):
                return NOT_THIS
            k += 1 + L_FROM_BR.size
            e = end
            while e > k and buf[e - 1] != 62:
                e -= 1
            again = e < end and at(buf, e, L_ORIG_ID_SP) and queue_id_end(buf, e + L_ORIG_ID_SP.size, end) == end
            if e == k or (e < end and not again):
                return NOT_THIS
            if not is_address(buf, k, e - 1, False):
                ev[r, N0] = w.R_ADDRESS
                return w.UNREAD
            span(ev, r, A, k, e - 1)
            if again:
                span(ev, r, G, e + L_ORIG_ID_SP.size, end)
            return w.PICKUP
        return cleanup_line(buf, i, end, ev, lv, r)
    if program == P_POSTSUPER:
        if at(buf, i, L_REMOVED) and i + L_REMOVED.size == end:
            return w.DELETED
        if at(buf, i, L_PLACED) and i + L_PLACED.size == end:
            return w.HELD
        if at(buf, i, L_RELEASED) and i + L_RELEASED.size == end:
            return w.RELEASED
        if at(buf, i, L_REQUEUED) and i + L_REQUEUED.size == end:
            return w.REQUEUED
        return NOT_THIS
    if program == P_BOUNCE or at(buf, i, L_SENDER) or at(buf, i, L_POSTMASTER):
        k = find(buf, i, end, L_NOTIFY)
        if k < 0 or not wordy(buf, i, k):
            return NOT_THIS
        k += 15
        e = queue_id_end(buf, k, end)
        if e != end:
            return NOT_THIS
        span(ev, r, G, k, e)
        lv[r, OKEY] = np.int64(mix(hashed(buf, k, e, host_hash)))
        return w.NOTIFY
    return NOT_THIS


@kernel
def remark(buf, i, end, program, ev, r, programs):
    """A text of Postfix without a queue id, or behind one that is in no form of `with_id`: KNOWN, UNREAD or STRANGE."""
    if (known.DAEMONS[program] or program == BARE) and breaks_off(buf, i, end):
        ev[r, N0] = w.R_BREAKS
        return w.UNREAD
    ev[r, N0] = w.R_LINE
    k = listed(buf, i, end, known.LABEL_TEXTS, known.LABEL_ENDS, known.LABEL_FIRST)
    labelled = k >= 0
    k = k if labelled else i
    e = queue_id_end(buf, k, end)
    about = e > 0 and buf[e] == 58 and buf[e + 1] == 32
    if about and labelled:
        rest = listed(buf, e + 2, end, known.WARNING_ID_TEXTS, known.WARNING_ID_ENDS, known.WARNING_ID_FIRST)
    elif about:
        rest = listed(buf, e + 2, end, known.ID_TEXTS, known.ID_ENDS, known.ID_FIRST)
    else:
        if labelled:
            rest = listed(buf, k, end, known.WARNING_TEXTS, known.WARNING_ENDS, known.WARNING_FIRST)
        else:
            rest = listed(buf, k, end, known.PLAIN_TEXTS, known.PLAIN_ENDS, known.PLAIN_FIRST)
        if rest < 0:
            p = peer_text(buf, k, end)
            if p >= 0:
                rest = listed(buf, p, end, known.PEER_TEXTS, known.PEER_ENDS, known.PEER_FIRST)
        if rest < 0 and (of_a_function(buf, k, end) or between(program, POLICY, BARE - 1)):
            rest = k
    behind = max(rest, k)
    if states(buf, behind, end) or names_daemon(buf, behind, end, programs) or holds_form(buf, behind, end):
        return w.UNREAD
    if rest >= 0:
        return w.KNOWN
    if about or (bears(buf, k, end) and not known.QUIET[program]):
        return w.UNREAD
    return w.STRANGE


@kernel
def without_tag(buf, i, end, ev, r, programs):
    """A record of which nobody is said to have written it."""
    if at(buf, i, L_LAST_MESSAGE) or at(buf, i, L_MARK):
        return w.NOTICE
    if names_daemon(buf, i, end, programs):
        ev[r, N0] = w.R_HEAD
        return w.UNREAD
    e = queue_id_end(buf, i, end)
    about = e > 0 and (buf[e] == 58 or e == end)
    if about or at(buf, i, L_NOQUEUE) or i >= end or bears(buf, i, end):
        ev[r, N0] = w.R_TAG
        return w.UNREAD
    if at(buf, i, L_POSTFIX) and find_byte(buf, i, end, 32) == end:
        ev[r, N0] = w.R_BREAKS
        return w.UNREAD
    span(ev, r, A, i, end)
    return w.STRANGE


@kernel
def of_another(buf, tag, start, stop, i, end, ev, r, programs):
    """A record under the tag of no Postfix program: its text starts at i."""
    if start > tag and at(buf, tag, L_POSTFIX):
        ev[r, N0] = w.R_PROGRAM
        e = queue_id_end(buf, i, end)
        if (e > 0 and (buf[e] == 58 or e == end)) or at(buf, i, L_NOQUEUE) or bears(buf, i, end):
            return w.UNREAD
        span(ev, r, A, i, end)
        span(ev, r, B, start, stop)
        return w.STRANGE
    if not is_name(buf, tag, stop):
        return without_tag(buf, tag, end, ev, r, programs)
    ev[r, N0] = w.R_FOREIGN
    if status_form(buf, i, end) or holds_form(buf, i, end):
        return w.UNREAD
    if at(buf, tag, L_POSTFIX) or (start == tag and known.DAEMONS[program_number(buf, tag, stop, programs)]):
        e = queue_id_end(buf, i, end)
        about = e > 0 and (buf[e] == 58 or e == end)
        if about or at(buf, i, L_NOQUEUE) or (not at(buf, tag, L_POSTFIX) and bears(buf, i, end)):
            return w.UNREAD
        if ((start == tag and stop - tag == L_POSTFIX.size) or not at(buf, tag, L_POSTFIX)) and breaks_off(buf, i, end):
            ev[r, N0] = w.R_BREAKS
            return w.UNREAD
    if names_daemon(buf, stop, end, programs):  # also in what stands in the brackets behind the name
        ev[r, N0] = w.R_HEAD
        return w.UNREAD
    span(ev, r, A, tag, stop)
    logger = at(buf, tag, L_RSYSLOG) or at(buf, tag, L_SYSLOG) or at(buf, tag, L_JOURNALD) or at(buf, tag, L_JOURNAL)
    return w.NOTICE if logger else w.OTHER


@kernel
def runs_on(buf, ev, r, column, programs):
    """Whether a field, which holds a blank and a slash, holds another record."""
    i, end = ev[r, column], ev[r, column + 1]
    if i < 0 or find_byte(buf, i, end, 47) == end or find_byte(buf, i, end, 32) == end:
        return False
    return names_daemon(buf, i, end, programs)


@kernel
def alone(buf, end, ev, r, kind, programs):
    """The kind of an event; UNREAD where it ends in the middle of a field and another record goes on from there, as
    after a crash or where files without a last line end were joined.

    What others wrote as text (replies, subjects) may quote a record or hold one: that is flagged, and decides nothing.
    """
    behind = False
    if kind == w.DELIVERY:
        behind = ev[r, w.F] >= 0 and ev[r, w.F + 1] + 1 < end and names_daemon(buf, ev[r, w.F + 1], end, programs)
        odd = ev[r, FLAGS] & (w.ODD_TO | w.ODD_ORIG) != 0
        joined = odd and (runs_on(buf, ev, r, A, programs) or runs_on(buf, ev, r, B, programs))
    elif kind == w.QUEUED or kind == w.EXPIRED or kind == w.PICKUP or kind == w.MSGID:
        joined = runs_on(buf, ev, r, A, programs)
    elif kind == w.CLIENT or kind == w.SESSION:
        k = ev[r, B + 1]
        s = find(buf, k, end, L_SASL_SENDER) if k + 1 < end else -1  # what the client says
        joined = k + 1 < end and names_daemon(buf, k, s if s >= 0 else end, programs)
    elif kind == w.REJECT:
        joined = runs_on(buf, ev, r, A, programs) or runs_on(buf, ev, r, B, programs)
    else:
        joined = False
    if joined:
        ev[r, N0] = w.R_JOINED
        return w.UNREAD
    answered = kind == w.DELIVERY or kind == w.REJECT or kind == w.CHECK
    told = answered and runs_on(buf, ev, r, w.F, programs)
    if told or behind or (kind == w.CHECK and runs_on(buf, ev, r, C, programs)):
        ev[r, FLAGS] |= w.RUNS_ON
    return kind


@kernel
def process(buf, stop, end):
    """The number of the process that wrote a record, behind its program's name: `[PID]` or, in RFC 5424, ` PID `; -1
    where there is none."""
    if stop + 1 >= end or (buf[stop] != 91 and buf[stop] != 32):
        return np.int64(-1)
    return np.int64(number31(buf, stop + 1, end))


@inlined
def keyed_by(buf, ev, lv, r, kind, host_start, host_end):
    """The kind of an event whose queue id stands in QID, with its key; of another kind as it is."""
    if kind == w.PROXIED or kind == w.TAKEN:
        host_hash = within(hashed(buf, host_start, host_end, SEED))
        lv[r, KEY] = np.int64(mix(hashed(buf, ev[r, QID], ev[r, QID + 1], host_hash)))
    return kind


@kernel
def line(buf, i, end, ev, lv, r, memo, programs):
    """One line [i, end) into row r: kind. Span A: of OTHER the program's name, of STRANGE the text (B the program's
    name, where it has no number)."""
    ev[r, N0] = w.R_EMPTY
    if end == i:
        return w.UNREAD
    if buf[i] == 45 and is_mark(buf, i, end):
        return w.NOTICE
    found, kind, t, host_start, host_end, tag, start, stop, k, program = head(buf, i, end, memo, programs)
    ev[r, TIMEKIND] = kind
    lv[r, TIME] = t
    if found in (PARTIAL, BROKEN):
        ev[r, N0] = w.R_STAMP if kind == w.NO_TIME else w.R_PARTIAL if found == PARTIAL else w.R_TAG
        return w.UNREAD
    span(ev, r, HOST, host_start, host_end)
    if end - k > L_RETURN.size and at(buf, end - L_RETURN.size, L_RETURN):
        end -= L_RETURN.size
    while end > k and (buf[end - 1] == 32 or buf[end - 1] == 13):
        end -= 1
    if found != TAGGED:
        return without_tag(buf, k, end, ev, r, programs)
    if program == 0:
        if stop - tag == L_MAILSCANNER.size and at(buf, tag, L_MAILSCANNER) and at(buf, k, L_REQUEUE):
            kind = taken(buf, k + L_REQUEUE.size, end, ev, r)
            if kind == w.TAKEN:
                return keyed_by(buf, ev, lv, r, kind, host_start, host_end)
        if not at(buf, tag, L_POSTFIX) or start > tag or not postfix_form(buf, k, end):
            return of_another(buf, tag, start, stop, k, end, ev, r, programs)
        program = np.int64(BARE)
    ev[r, PROGRAM] = program
    ev[r, N0] = 0
    smtpd = program in (P_SMTPD, BARE)
    if smtpd:
        ev[r, w.PROCESS] = process(buf, stop, end)
    if at(buf, k, L_ID):
        while k < end and buf[k] != 93:
            k += 1
        k = min(blanks(buf, k + 1, end), end)
    if buf[k] == 239 and buf[k + 1] == 187 and buf[k + 2] == 191:  # a byte order mark
        k = min(blanks(buf, k + 3, end), end)
    if buf[k] == 109 and at(buf, k, L_MESSAGE_REPEATED) and buf[end - 1] == 93:
        e = find(buf, k, end, L_TIMES)
        if e > 0:
            k = e + L_TIMES.size
            end -= 1
            ev[r, FLAGS] |= w.REPEATED
    e = queue_id_end(buf, k, end)
    host_hash = within(hashed(buf, host_start, host_end, SEED))
    if e > 0 and buf[e] == 58 and buf[e + 1] == 32:
        span(ev, r, QID, k, e)
        lv[r, KEY] = np.int64(mix(hashed(buf, k, e, host_hash)))
        kind = with_id(buf, e + 2, end, program, ev, lv, r, host_hash)
    elif at(buf, k, L_NOQUEUE):
        kind = NOT_THIS
        if smtpd and at(buf, k + 9, L_CLIENT):
            kind = client(buf, k + 9, end, ev, r)
            if kind == w.CLIENT:
                kind = np.int64(w.SESSION)
        elif smtpd or program in (P_POSTSCREEN, P_CLEANUP, BARE):
            kind = refusal(buf, k + 9, end, ev, lv, r)
        if kind == NOT_THIS:
            kind = remark(buf, k + 9, end, program, ev, r, programs)
            if kind == w.STRANGE:
                kind = w.UNREAD
    elif at(buf, k, L_PROXY_REJECT):
        kind = refusal(buf, k, end, ev, lv, r)
    elif smtpd and at(buf, k, L_PROXY_ACCEPT):
        kind = keyed_by(buf, ev, lv, r, proxied(buf, k + L_PROXY_ACCEPT.size, end, ev, r), host_start, host_end)
    elif smtpd and at(buf, k, L_DISCONNECT):
        kind = ended(buf, k + L_DISCONNECT.size, end, ev, r)
    else:
        # What speaks of a message must not pass for irrelevant because its id looks like none.
        kind = NOT_THIS
        e = k
        while e < min(end, k + 64) and buf[e] != 58 and buf[e] != 32:
            e += 1
        if e > k and buf[e] == 58 and buf[e + 1] == 32:
            e += 2
            if at(buf, e, L_TO) or at(buf, e, L_FROM_BR) or at(buf, e, L_CLIENT) or at(buf, e, L_MSGID):
                ev[r, N0] = w.R_ID
                return w.UNREAD
    if kind != NOT_THIS:
        return alone(buf, end, ev, r, kind, programs)
    kind = remark(buf, k, end, program, ev, r, programs)
    if kind == w.STRANGE:
        span(ev, r, A, k, end)
    return kind


def scan_block(buf: Any, n: int, skip: Any, *, blanks: bool = True) -> tuple[Any, Any, int, Any, Any, Any]:
    """All lines of buf[:n] but those whose entry in `skip` (empty: none) is True.

    Returns ints and longs (one row for each event, unread record, notice or line of unknown shape, in order), the
    number of lines, for each other program its count and the span of its name, and for each known Postfix program its
    count (at BLANK the blank lines, at NAMELESS the programs beyond the table). `blanks` False: a line that is empty
    stands for a record that holds none, and is unread.
    """
    other = np.zeros(OTHERS, np.int64)
    names = np.zeros((OTHERS, 2), np.int32)
    ours = np.zeros(128, np.int64)
    room = n // SHORT_LINE + 1024
    while True:
        ints = np.empty((room + 1, w.INTS), np.int32)
        longs = np.empty((room + 1, w.LONGS), np.int64)
        counts = np.zeros(2, np.int64)
        hashes, memo = np.zeros(OTHERS, np.uint64), np.zeros(MEMO, np.int64)
        programs = np.zeros(SLOTS, np.int32)
        if scan_lines(buf, n, skip, int(blanks), ints, longs, hashes, other, names, ours, memo, programs, counts):
            return ints[: counts[0]], longs[: counts[0]], int(counts[1]), other, names, ours
        other[:], ours[:] = 0, 0
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
    "const uint8[:], int64, const boolean[:], int64, int32[:,:], int64[:,:], uint64[:], int64[:], int32[:,:], "
    "int64[:], int64[:], int32[:], int64[:]"
)
def scan_lines(buf, n, skip, known_blanks, ints, longs, hashes, other, names, ours, memo, programs, counts, result):
    """`scan_block`: 1, or 0 when there are more rows than `ints` has room for beside one. `counts`: rows, lines."""
    filled = 0
    memo[SIZE] = 0
    fill_programs(programs)
    r = 0
    number = 0
    i = 0
    last_kind = w.NO_TIME
    last = 0
    while i < n:
        e = find_byte(buf, i, n, 10)
        if skip.size > 0 and skip[number]:
            number += 1
            i = e + 1
            continue
        if r + 1 >= ints.shape[0]:
            result[0] = 0
            return
        k = i
        while k < e and (buf[k] == 32 or buf[k] == 9 or buf[k] == 13):
            k += 1
        if k == e and known_blanks != 0:
            ours[BLANK] += 1
            number += 1
            i = e + 1
            continue
        end = e
        if end > i and buf[end - 1] == 13:
            end -= 1
        for c in range(w.INTS):
            ints[r, c] = -1
        for c in range(w.LONGS):
            longs[r, c] = 0
        ints[r, FLAGS] = 0
        ints[r, LINE] = number
        ints[r, OFFSET] = i
        ints[r, LENGTH] = end - i
        kind = line(buf, i, end, ints, longs, r, memo, programs)
        ints[r, KIND] = kind
        if ints[r, TIMEKIND] > w.NO_TIME:
            last_kind = ints[r, TIMEKIND]
            last = longs[r, TIME]
        elif kind == w.NOTICE:  # no stamp of its own
            ints[r, TIMEKIND] = last_kind
            longs[r, TIME] = last
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
                ours[NAMELESS] += 1
        elif kind == w.KNOWN:
            ours[ints[r, PROGRAM]] += 1
        else:
            r += 1
        number += 1
        i = e + 1
    counts[0] = r
    counts[1] = number
    result[0] = 1
