"""What several kinds of line have in common, and kernels that read one kind of short line each into a row of the event
matrix.

Each returns the kind of record (`words`): an event, KNOWN (irrelevant), UNREAD with the reason in N0, or NOT_THIS where
the line is none of the kind. Text that a sender or a remote server controls is never searched for structure: lines are
anchored at their fixed ends. So do `attempts`, `refusals` and `checks`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import kernel
from forensics.native.postfix import words as w
from forensics.native.postfix.tokens import address_end, is_address, queue_id_end
from forensics.native.text import address_key, at, between, find, find_byte, is_digit, rfind

(A, B, C, D, E, F, FLAGS, G, N0, N1) = (w.A, w.B, w.C, w.D, w.E, w.F, w.FLAGS, w.G, w.N0, w.N1)
(L_AUTH, L_EXPIRED, L_FORCE, L_NRCPT, L_ORIG_ANY) = (w.L_AUTH, w.L_EXPIRED, w.L_FORCE, w.L_NRCPT, w.L_ORIG_ANY)
(L_ORIG_CLIENT, L_ORIG_ID, L_RETURNED) = (w.L_ORIG_CLIENT, w.L_ORIG_ID, w.L_RETURNED)
(L_SASL_SENDER, L_SASL_USER, L_SIZE, L_STATUS_SEP) = (w.L_SASL_SENDER, w.L_SASL_USER, w.L_SIZE, w.L_STATUS_SEP)
L_TO_SP = w.L_TO_SP
NOT_THIS = -1


@kernel
def span(ev, r, column, start, end):
    ev[r, column] = start
    ev[r, column + 1] = end


@kernel
def number(buf, i, end):
    """The decimal number at i (at most 18 digits), -1 when there is none."""
    value = 0
    k = i
    while k < end and k < i + 18 and is_digit(buf[k]):
        value = value * 10 + (int(buf[k]) - 48)
        k += 1
    return value if k > i else -1


@kernel
def number31(buf, i, end):
    """The same, held below 2**31 so that it fits a column of the matrix."""
    return min(number(buf, i, end), 2147483647)


@kernel
def wordy(buf, i, end):
    """Whether [i, end) is nothing but words: letters, blanks and hyphens."""
    for k in range(i, end):  # noqa: SIM110
        if not between(buf[k] | 32, 97, 122) and buf[k] != 32 and buf[k] != 45:
            return False
    return True


@kernel
def peer(buf, i, end, ev, r, name, address):
    """`NAME[ADDRESS]` in [i, end): spans into two columns; end of the `]`, or -1. `unknown` is no name."""
    k = i
    while k < end and buf[k] != 91 and buf[k] != 32:
        k += 1
    if k >= end or buf[k] != 91:
        return -1
    close = k + 1
    while close < end and buf[close] != 93:
        close += 1
    if close >= end:
        return -1
    unknown = k - i == 7 and buf[i] == 117 and buf[i + 1] == 110 and buf[i + 2] == 107 and buf[i + 6] == 110
    if k > i and not unknown:
        span(ev, r, name, i, k)
    a = k + 1
    if buf[a] == 73 and buf[a + 1] == 80 and buf[a + 2] == 118 and buf[a + 3] == 54 and buf[a + 4] == 58:  # IPv6:
        a += 5
    span(ev, r, address, a, close)
    return close + 1


@kernel
def recipient(buf, start, end, ev, lv, r, column, key, flag):
    span(ev, r, column, start, end)
    h, plain = address_key(buf, start, end)
    lv[r, key] = np.int64(h)
    if not plain:
        ev[r, FLAGS] |= flag


@kernel
def closing(buf, i, end, first, second):
    """Position of the `>` that ends the address at i and is followed as `first` or `second` say; -1 when none is.

    The quoted reading comes first; an address logged without its quotes (Postfix before 3.5) is cut at the first match.
    """
    e = address_end(buf, i, end)
    if e >= 0 and (at(buf, e, first) or at(buf, e, second)):
        return e
    a = find(buf, i, end, first)
    b = find(buf, i, end, second)
    if a < 0 or (b >= 0 and b < a):
        return b
    return a


@kernel
def client(buf, i, end, ev, r):
    """smtpd: `client=NAME[ADDR][, sasl_method=…][, sasl_username=…][, sasl_sender=…][, orig_queue_id=…][,
    orig_client=…]`.

    The sender is the AUTH parameter of `MAIL FROM` (RFC 4954, 5), which clients without a login may send too, and which
    may hold blanks in brackets or quotes (smtpd_sasl_proto(3), smtpd_token(3)): nothing from there on is believed.
    """
    k = peer(buf, i + 7, end, ev, r, A, B)
    whole = k > 0 and (k == end or buf[k] == 44 or buf[k] == 58)
    if not whole or find_byte(buf, ev[r, B], ev[r, B + 1], 32) < ev[r, B + 1]:
        ev[r, N0] = w.R_CLIENT
        return w.UNREAD
    s = find(buf, k, end, L_SASL_SENDER)
    if s >= 0:
        end = s
    u = find(buf, k, end, L_SASL_USER)
    if u >= 0:
        u += 16
        e = find(buf, u, end, L_ORIG_ANY)
        if e < 0:
            e = end
        span(ev, r, C, u, e)
        k = e
    o = find(buf, k, end, L_ORIG_ID)
    if o >= 0:
        e = queue_id_end(buf, o + 16, end)
        if e > 0:
            span(ev, r, D, o + 16, e)
    o = find(buf, k, end, L_ORIG_CLIENT)
    if o >= 0:
        peer(buf, o + 14, end, ev, r, E, F)
    return w.CLIENT


@kernel
def queued(buf, i, end, ev, r):
    """qmgr: `from=<…>, size=N, nrcpt=N (queue active)` or `from=<…>, status=expired, returned to sender`.

    Anchored from the right: nothing behind the sender is the sender's.
    """
    ev[r, N0] = w.R_QUEUE
    k = i + 5
    if buf[end - 1] == 41:
        cut = rfind(buf, k, end, L_SIZE)
        if cut < 0:
            return w.UNREAD
        size = number31(buf, cut + 7, end)
        e = cut + 7
        while e < end and is_digit(buf[e]):
            e += 1
        if size < 0 or not at(buf, e + 2, L_NRCPT):
            return w.UNREAD
        behind = e + 8
        while behind < end and is_digit(buf[behind]):
            behind += 1
        if buf[behind] != 32 or buf[behind + 1] != 40 or not wordy(buf, behind + 2, end - 1):
            return w.UNREAD
        ev[r, N0] = size
        ev[r, N1] = number31(buf, e + 8, end)
        if e - (cut + 7) > 9:  # larger than the column: the assembler reads the digits
            span(ev, r, B, cut + 7, e)
        kind = w.QUEUED
    else:
        cut = rfind(buf, k, end, L_STATUS_SEP)
        if cut < 0:
            return w.UNREAD
        e = cut + 9
        if at(buf, e, L_FORCE):
            e += L_FORCE.size
        elif at(buf, e, L_EXPIRED):
            e += L_EXPIRED.size
        else:
            ev[r, N0] = w.R_STATUS
            return w.UNREAD
        if e < end and not (at(buf, e, L_RETURNED) and e + L_RETURNED.size == end):
            return w.UNREAD
        ev[r, N0] = 0
        kind = w.EXPIRED
    bare = cut - k < 2 or buf[k] != 60 or buf[cut - 1] != 62
    e = cut
    if not bare:
        k += 1
        e -= 1
    if not is_address(buf, k, e, bare):
        ev[r, N0] = w.R_ADDRESS
        return w.UNREAD
    span(ev, r, A, k, e)
    return kind


@kernel
def ended(buf, i, end, ev, r):
    """`disconnect from NAME[ADDRESS][:PORT][ WORD=N[/M]]…`, auth=N among them: how often the client logged in, in N0;
    NOT_THIS where anything else follows, as another record may, of which the beginning was lost."""
    k = peer(buf, i, end, ev, r, A, B)
    if k < 0:
        return NOT_THIS
    c = k
    if c < end and buf[c] == 58:
        c += 1
        while c < end and is_digit(buf[c]):
            c += 1
    while c < end:
        if buf[c] != 32:
            return NOT_THIS
        c += 1
        word = c
        while c < end and between(buf[c], 97, 122):
            c += 1
        if c == word or c >= end or buf[c] != 61:
            return NOT_THIS
        c += 1
        while c < end and (is_digit(buf[c]) or buf[c] == 47):
            c += 1
    a = find(buf, k, end, L_AUTH)
    ev[r, N0] = max(number31(buf, a + L_AUTH.size, end), 0) if a >= 0 else 0
    return w.ENDED


@kernel
def taken(buf, i, end, ev, r):
    """MailScanner's `Requeue: OLD[.SUFFIX] to NEW`: OLD in G, NEW in QID; OTHER when it is not that."""
    e = queue_id_end(buf, i, end)
    if e < 0:
        return w.OTHER
    k = e
    if buf[k] == 46:
        while k < end and buf[k] != 32:
            k += 1
    if not at(buf, k, L_TO_SP):
        return w.OTHER
    k += L_TO_SP.size
    if queue_id_end(buf, k, end) != end:
        return w.OTHER
    span(ev, r, G, i, e)
    span(ev, r, w.QID, k, end)
    return w.TAKEN
