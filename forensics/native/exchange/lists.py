"""recipient-address and recipient-status as aligned lists: one kernel that cuts both."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.native.compiler import inlined, kernel
from forensics.native.exchange.codes import ENTER
from forensics.native.exchange.csvscan import field
from forensics.native.exchange.slots import RECIPIENT, STATUS
from forensics.native.text import find_byte, is_digit

ODD: Final = -1
"""Said of a list that holds what is no address, or several that something else than `;` joins."""
AT_SEMICOLONS: Final = 0
AT_STATUSES: Final = 1
AT_BRACKETS: Final = 2
"""Where a status list is cut: at each `;` outside brackets; there, if a status begins behind it; at `];[`."""


@kernel
def _behind(buf, i, e, doubled, quoted):
    """(behind the sign at i, whether it is a quote): a backslash in quotes takes the sign behind it along."""
    c = buf[i]
    if c == 92 and quoted and i + 1 < e:
        i += 1
        c = np.uint8(0)
        if buf[i] != 34:
            return i + 1, False
    if buf[i] == 34 and doubled and i + 1 < e and buf[i + 1] == 34:
        i += 1
    return i + 1, c == 34


@kernel
def _balanced(buf, s, e, doubled):
    """Is every quote closed?"""
    quoted = False
    i = find_byte(buf, s, e, 34)
    while i < e:
        i, quote = _behind(buf, i, e, doubled, quoted)
        if quote:
            quoted = not quoted
    return not quoted


@kernel
def _cut(buf, s, e, doubled, out_s, out_e, capacity):
    """Cuts an address list at `;` outside quotes, blanks trimmed, empty ones left out; returns (the count, is it odd?).

    Odd: a piece that has not one `@` outside quotes, or is in angle brackets.
    """
    n = 0
    odd = False
    ats = 0
    quoted = False
    some = find_byte(buf, s, e, 34) < e
    quotes = some and _balanced(buf, s, e, doubled)
    begin = s
    i = s
    while i <= e:
        here = i
        c = buf[i] if i < e else np.uint8(59)
        i += 1
        if some and here < e:
            i, quote = _behind(buf, here, e, doubled, quoted)
            if quote and quotes:
                quoted = not quoted
                continue
            if quoted or i > here + 1:
                continue
        if here < e and c == 64:
            ats += 1
        elif c == 59:
            a = begin
            b = here
            while a < b and buf[a] == 32:
                a += 1
            while b > a and buf[b - 1] == 32:
                b -= 1
            if b > a:
                odd = odd or ats != 1 or buf[a] == 60 or buf[b - 1] == 62
                if n < capacity:
                    out_s[n] = a
                    out_e[n] = ~b if doubled else b
                n += 1
            begin = here + 1
            ats = 0
    return n, odd


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
def _pieces(buf, s, e, doubled, how, out_s, out_e, capacity):
    """Cuts a status list as `how` says; returns the count."""
    n = 0
    depth = 0
    begin = s
    i = s
    while i <= e:
        if i < e and (buf[i] == 91 or buf[i] == 123):
            depth += 1
        elif i < e and (buf[i] == 93 or buf[i] == 125):
            depth = max(0, depth - 1)
        elif i == e or (buf[i] == 59 and (depth == 0 or how == AT_BRACKETS)):
            joined = how == AT_STATUSES and n > 0 and not _opens_status(buf, begin, i)
            inside = (
                how == AT_BRACKETS and i < e and not (i > s and i + 1 < e and buf[i - 1] == 93 and buf[i + 1] == 91)
            )
            if joined:
                if n - 1 < capacity:
                    out_e[n - 1] = ~i if doubled else i
                begin = i + 1
            elif not inside:
                if n < capacity:
                    out_s[n] = begin
                    out_e[n] = ~i if doubled else i
                n += 1
                begin = i + 1
        i += 1
    return n


@inlined
def pair(buf, r, begin, end, effect, strict, rs, re, ss, se, capacity):
    """Recipients and statuses of one record, aligned; returns their number, or `ODD` where `strict` and one is.

    One recipient has the whole status. Else the lists are cut at `;` outside brackets and, if the lengths differ, again
    with statuses joined that hold `;` themselves (`550 4.4.7 QUEUE.Expired;text`), then again between bracketed lists,
    one of which may hold a bracket that is never closed: the text of a remote server, cut off by a limit. Where nothing
    makes the lengths agree, the event says what it says of each recipient: each has the whole list, and of a role that
    cannot be told none.
    """
    s, e = field(begin, end, r, RECIPIENT)
    n, odd = _cut(buf, s, e, end[r, RECIPIENT] < 0, rs, re, capacity)
    if odd and strict:
        return ODD
    s, e = field(begin, end, r, STATUS)
    doubled = end[r, STATUS] < 0
    for i in range(min(n, capacity)):
        ss[i] = -1
        se[i] = 0
    if n == 0 or s == e or capacity == 0:
        return n
    if n > 1:
        for how in (AT_SEMICOLONS, AT_STATUSES, AT_BRACKETS):
            if _pieces(buf, s, e, doubled, how, ss, se, 0) == n:
                _pieces(buf, s, e, doubled, how, ss, se, min(capacity, n))
                return n
        if effect == ENTER:
            return n
    for i in range(min(n, capacity)):
        ss[i] = s
        se[i] = ~e if doubled else e
    return n
