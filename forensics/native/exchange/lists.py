"""recipient-address and recipient-status as aligned lists: one kernel that cuts both, or says that they disagree."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import inlined, kernel
from forensics.native.exchange.codes import INFO, REPLACE, REPORT
from forensics.native.exchange.csvscan import field
from forensics.native.exchange.slots import RECIPIENT, STATUS
from forensics.native.text import is_digit


@kernel
def _cut(buf, s, e, doubled, out_s, out_e, capacity):
    """Cuts an address list at `;` outside quotes, blanks trimmed, empty ones left out; returns the count."""
    n = 0
    quoted = False
    begin = s
    i = s
    while i <= e:
        c = buf[i] if i < e else np.uint8(59)
        if i < e and c == 34:
            if doubled and i + 1 < e and buf[i + 1] == 34:
                i += 1
            quoted = not quoted
        elif (c == 59 and not quoted) or i == e:
            a = begin
            b = i
            while a < b and buf[a] == 32:
                a += 1
            while b > a and buf[b - 1] == 32:
                b -= 1
            if b > a:
                if n < capacity:
                    out_s[n] = a
                    out_e[n] = ~b if doubled else b
                n += 1
            begin = i + 1
        i += 1
    return n


@inlined
def _opens_status(buf, s, e):
    """True when a status begins here: three digits, a bracketed list, or a role."""
    while s < e and buf[s] == 32:
        s += 1
    if s >= e:
        return False
    if buf[s] == 91:
        return True
    if e - s >= 3 and buf[s] >= 50 and buf[s] <= 53:
        digits = is_digit(buf[s + 1]) and is_digit(buf[s + 2])
        return digits and (e - s == 3 or buf[s + 3] == 32 or buf[s + 3] == 45)
    if e - s == 2:
        return (buf[s] | 32 == 116 and buf[s + 1] | 32 == 111) or (buf[s] | 32 == 99 and buf[s + 1] | 32 == 99)
    return e - s == 3 and buf[s] | 32 == 98 and buf[s + 1] | 32 == 99 and buf[s + 2] | 32 == 99


@kernel
def _pieces(buf, s, e, doubled, merge, out_s, out_e, capacity):
    """Cuts a status list at `;` outside brackets; with `merge` what opens no status belongs to the piece before."""
    n = 0
    depth = 0
    begin = s
    i = s
    while i <= e:
        if i < e and (buf[i] == 91 or buf[i] == 123):
            depth += 1
        elif i < e and (buf[i] == 93 or buf[i] == 125):
            depth = max(0, depth - 1)
        elif i == e or (buf[i] == 59 and depth == 0):
            if merge and n > 0 and not _opens_status(buf, begin, i):
                if n - 1 < capacity:
                    out_e[n - 1] = ~i if doubled else i
            else:
                if n < capacity:
                    out_s[n] = begin
                    out_e[n] = ~i if doubled else i
                n += 1
            begin = i + 1
        i += 1
    return n


@inlined
def pair(buf, r, begin, end, effect, rs, re, ss, se, capacity):
    """Recipients and statuses of one record, aligned; returns their number, or -1 when the lists do not agree.

    One recipient has the whole status. Else the lists are cut at `;` outside brackets and, if the lengths differ, again
    with statuses joined that hold `;` themselves (`550 4.4.7 QUEUE.Expired;text`). Statuses of rows that no outcome
    or role rests on may differ in length and are then null.
    """
    s, e = field(begin, end, r, RECIPIENT)
    n = _cut(buf, s, e, end[r, RECIPIENT] < 0, rs, re, capacity)
    s, e = field(begin, end, r, STATUS)
    doubled = end[r, STATUS] < 0
    for i in range(min(n, capacity)):
        ss[i] = -1
        se[i] = 0
    if n == 0 or s == e:
        return n
    if n == 1:
        if capacity > 0:
            ss[0] = s
            se[0] = ~e if doubled else e
        return n
    for merge in (False, True):
        if _pieces(buf, s, e, doubled, merge, ss, se, 0) == n:
            _pieces(buf, s, e, doubled, merge, ss, se, min(capacity, n))
            return n
    if effect in (INFO, REPLACE, REPORT):
        return n
    return -1
