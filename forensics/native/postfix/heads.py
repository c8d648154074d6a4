"""What stands before the text of a syslog record: stamp, host, facility, tag; and such heads around each other.

    Mar  5 10:00:00 HOST TAG: TEXT                     RFC 3164; HOST a name, an IPv4 or IPv6 address, with a port
    Mar  5 10:00:00 HOST mail.info TAG: TEXT           busybox; AIX writes `mail:info`
    Mar  5 10:00:00 <mail.info> HOST TAG: TEXT         FreeBSD's syslogd -v
    Mar  5 10:00:09 HUB Message forwarded from HOST: TAG: TEXT
    Mar  5 10:00:09 RELAY Mar  5 10:00:00 HOST TAG: TEXT
    Mar  5 10:00:09 DOCKERHOST docker[99]: Mar  5 10:00:00 HOST TAG: TEXT
    <22>1 STAMP HOST APP PROCID MSGID DATA TEXT        RFC 5424

A tag is `NAME[/INSTANCE…]/PROGRAM[PID]:`; behind it any number of blanks.

A record inside that of another program counts only where that program hands on what others wrote (`CARRIERS`): text
that any other program logs may be an outsider's.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import inlined, kernel
from forensics.native.postfix import words as w
from forensics.native.postfix.known import listed, table
from forensics.native.postfix.stamps import any_stamp, stamp_after
from forensics.native.postfix.tags import blanks, data_end, program_number, tag_at, word_end
from forensics.native.text import at, between, find_first, is_digit

L_POSTFIX, L_FORWARDED, BARE = w.L_POSTFIX, w.L_FORWARDED, w.BARE

PARTIAL, BROKEN, UNTAGGED, TAGGED = range(4)
"""What `head` found: a part of a record that a container runtime split; no such head; a host, or nothing, in front of
the text; a tag."""
DEEPEST = 4
"""Heads around each other that are looked into."""
CARRIER_TEXTS, CARRIER_ENDS, CARRIER_FIRST = table(w.CARRIERS)


@kernel
def rfc5424(buf, i, end):
    """(host end, tag start, program start, program end, text start) of `HOST APP PROCID MSGID DATA TEXT` at i; host end
    -1 when broken."""
    k = word_end(buf, i, end)
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
        k = word_end(buf, k + 1, end)
    k += 1
    if k >= end or stop <= app:
        return -1, i, i, i, i
    k = data_end(buf, k, end)
    k = blanks(buf, k, end)
    if k + 2 < end and buf[k] == 239 and buf[k + 1] == 187 and buf[k + 2] == 191:
        k = blanks(buf, k + 3, end)
    return host, app, start, stop, min(k, end)


@kernel
def facility_end(buf, i, end):
    """End of `mail.info`, `mail:info` or `<mail.info>` at i, behind which a blank stands; -1 when it is none."""
    k = i
    angle = buf[k] == 60
    if angle:
        k += 1
    start = k
    while k < end and (between(buf[k], 97, 122) or is_digit(buf[k])):
        k += 1
    if k == start or k - start > 12 or (buf[k] != 46 and buf[k] != 58):
        return -1
    k += 1
    start = k
    while k < end and (between(buf[k], 97, 122) or is_digit(buf[k])):
        k += 1
    if k == start:
        return -1
    if angle:
        if buf[k] != 62:
            return -1
        k += 1
    return k if k < end and buf[k] == 32 else -1


@kernel
def inner_stamp(buf, i, end):
    """(kind, time, start of what follows, RFC 5424?) of a stamp at i, with or without a priority; NO_TIME when there is
    none."""
    k = i
    c = buf[k]
    if c != 60 and not is_digit(c) and not between(c, 65, 90):
        return w.NO_TIME, 0, i, False
    if c == 60:
        e = k + 1
        while e < k + 5 and is_digit(buf[e]):
            e += 1
        if buf[e] != 62:
            return w.NO_TIME, 0, i, False
        k = e + 1
    version = buf[k] == 49 and buf[k + 1] == 32 and is_digit(buf[k + 2])
    if version:
        k += 2
    kind, t, e = any_stamp(buf, k)
    if kind == w.NO_TIME or e >= end or buf[e] != 32:
        return w.NO_TIME, 0, i, False
    return kind, t, blanks(buf, e, end), version


@kernel
def labelled(buf, i, end, programs):
    """(host start, host end, tag start, program start, program end, text start, number) of `HOST TAG: TEXT` at i.

    Program start -1: there is no tag, and at the text start stands what may be another head, or a text.
    """
    if buf[i] == 60:
        e = facility_end(buf, i, end)
        if e >= 0:
            i = blanks(buf, e, end)
    h = word_end(buf, i, end)
    if h > i and buf[h - 1] == 58:
        start, stop, text, number = tag_at(buf, i, end, programs)
        if start >= 0:
            return i, i, i, start, stop, text, number
    k = blanks(buf, h, end)
    start, stop, text, number = tag_at(buf, k, end, programs)
    if start < 0:
        e = facility_end(buf, k, end)
        if e >= 0:
            k = blanks(buf, e, end)
            start, stop, text, number = tag_at(buf, k, end, programs)
        if at(buf, k, L_FORWARDED):
            k += L_FORWARDED.size
            e = word_end(buf, k, end)
            if e > k and buf[e - 1] == 58:
                i = k
                h = e - 1
                k = blanks(buf, e, end)
                e = facility_end(buf, k, end)
                if e >= 0:
                    k = blanks(buf, e, end)
                start, stop, text, number = tag_at(buf, k, end, programs)
    if start < 0:
        start, stop, text, number = tag_at(buf, i, end, programs)
        if start >= 0:
            return i, i, i, start, stop, text, number
        return i, h, k, -1, k, k, np.int64(0)
    return i, h, k, start, stop, text, number


@kernel
def carries(buf, i, end):
    """Whether the program of this name hands on records of others: one of CARRIERS, or a container's id."""
    if listed(buf, i, end, CARRIER_TEXTS, CARRIER_ENDS, CARRIER_FIRST) >= 0:
        return True
    if end - i < 12:
        return False
    for k in range(i, end):  # noqa: SIM110
        if not is_digit(buf[k]) and not between(buf[k], 97, 102):
            return False
    return True


@inlined
def usual(buf, i, end, programs):
    """(host end, program start, program end, text start, number) of `HOST NAME/PROGRAM[PID]: TEXT` at i, as nearly all
    records of Postfix have it: what `labelled` finds there, sooner. Number 0 for all else, whatever it is."""
    h = word_end(buf, i, end)
    tag = h + 1
    if h == i or buf[i] == 60 or buf[h - 1] == 58 or tag >= end or buf[tag] == 32 or buf[tag] == 9:
        return h, i, i, i, np.int64(0)
    stop = find_first(buf, tag, end, 91, 58, 32)
    start = stop
    while start > tag and buf[start - 1] != 47:
        start -= 1
    k = stop + 1
    while k < end and is_digit(buf[k]):
        k += 1
    if start == tag or k == stop + 1 or k + 1 >= end or buf[stop] != 91 or buf[k] != 93 or buf[k + 1] != 58:
        return h, i, i, i, np.int64(0)
    return h, start, stop, blanks(buf, k + 2, end), program_number(buf, start, stop, programs)


@inlined
def head(buf, i, end, memo, programs):
    """What stands before the text of the record [i, end): (what was found, kind of stamp, time, host start, host end,
    tag start, program start, program end, text start, number of the program).

    Of heads around each other the innermost counts that names a program of Postfix; its stamp too, unless only one
    further out has a zone.
    """
    kind, t, k, flavour = stamp_after(buf, i, end, memo)
    if kind == w.NO_TIME or flavour == 2:
        return PARTIAL if flavour == 2 else BROKEN, kind, t, k, k, k, k, k, k, np.int64(0)
    k = blanks(buf, k, end)
    if flavour == 0:
        h, start, stop, text, number = usual(buf, k, end, programs)
        if number > 0:
            return TAGGED, kind, t, k, h, h + 1, start, stop, text, number
    return nested(buf, k, end, kind, t, flavour == 1, programs)


@kernel
def nested(buf, k, end, kind, t, version, programs):
    """`head` from behind the first stamp, whose kind and time are given; `version`: it is one of RFC 5424."""
    best = (BROKEN, kind, t, k, k, k, k, k, k, np.int64(0))
    for depth in range(DEEPEST):
        if version:
            h, tag, start, stop, text = rfc5424(buf, k, end)
            if h < 0:
                break
            host = k
            number = np.int64(0)
            if start > tag:
                number = program_number(buf, start, stop, programs)
            elif stop - tag == 7 and at(buf, tag, L_POSTFIX):
                number = np.int64(BARE)
            if h - host == 1 and buf[host] == 45:
                h = host
            if stop - tag == 1 and buf[tag] == 45:
                start = -1
                tag = text
        else:
            host, h, tag, start, stop, text, number = labelled(buf, k, end, programs)
        if number > 0 and number != BARE:
            return TAGGED, kind, t, host, h, tag, start, stop, text, number
        if depth == 0 or (start >= 0 and (best[0] != TAGGED or number == BARE)):
            best = (TAGGED if start >= 0 else UNTAGGED, kind, t, host, h, tag, start, stop, text, number)
        if start >= 0 and (version or h > host) and not carries(buf, tag, stop):
            break
        if start >= 0:
            inner, inner_stop, inner_text, number = tag_at(buf, text, end, programs)
            if inner >= 0 and number > 0:
                if h == host:
                    host, h = tag, stop
                return TAGGED, kind, t, host, h, text, inner, inner_stop, inner_text, number
        inner_kind, inner_time, k, version = inner_stamp(buf, text, end)
        if inner_kind == w.NO_TIME:
            break
        if kind != w.ABSOLUTE or inner_kind == w.ABSOLUTE:
            kind, t = inner_kind, inner_time
    return best
