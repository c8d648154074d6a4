"""Kernels that read one kind of line each and write its spans into a row of the event matrix.

Each returns the kind of record (`words`): an event, KNOWN (irrelevant), UNREAD with the reason in N0, or NOT_THIS where
the line is none of the kind. Text that a sender or a remote server controls is never searched for structure: lines are
anchored at their fixed ends.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import kernel
from forensics.native.postfix import words as w
from forensics.native.postfix.tokens import address_end, is_address, queue_id_end
from forensics.native.text import address_key, at, between, find, find_byte, is_digit, rfind

(A, B, C, D, E, F, G, N0, N1, FLAGS) = (w.A, w.B, w.C, w.D, w.E, w.F, w.G, w.N0, w.N1, w.FLAGS)
RKEY, OKEY = w.RKEY, w.OKEY
(L_TO, L_ORIG_TO, L_END_RELAY, L_END_ORIG) = (w.L_TO, w.L_ORIG_TO, w.L_END_RELAY, w.L_END_ORIG)
(L_DSN, L_STATUS) = (w.L_DSN, w.L_STATUS)
(L_DELAY_NEXT, L_CONN_NEXT) = (w.L_DELAY_NEXT, w.L_CONN_NEXT)
(L_SENT, L_DEFERRED, L_BOUNCED, L_EXPIRED) = (w.L_SENT, w.L_DEFERRED, w.L_BOUNCED, w.L_EXPIRED)
(L_DELIVERABLE, L_UNDELIVERABLE, L_SOFTBOUNCE) = (w.L_DELIVERABLE, w.L_UNDELIVERABLE, w.L_SOFTBOUNCE)
(L_QUEUED_AS, L_FORWARDED_AS, L_INTERNAL_ID) = (w.L_QUEUED_AS, w.L_FORWARDED_AS, w.L_INTERNAL_ID)
(L_SIZE, L_NRCPT, L_STATUS_SEP, L_FORCE, L_RETURNED) = (w.L_SIZE, w.L_NRCPT, w.L_STATUS_SEP, w.L_FORCE, w.L_RETURNED)
(L_SASL_USER, L_SASL_SENDER) = (w.L_SASL_USER, w.L_SASL_SENDER)
(L_ORIG_ID, L_ORIG_CLIENT, L_ORIG_ANY) = (w.L_ORIG_ID, w.L_ORIG_CLIENT, w.L_ORIG_ANY)
(L_SEMI_FROM, L_SP_FROM, L_HELO, L_HELO_CMD) = (w.L_SEMI_FROM, w.L_SP_FROM, w.L_HELO, w.L_HELO_CMD)
(L_END_TO, L_END_TO2, L_END_PROTO, L_END_PROTO2) = (w.L_END_TO, w.L_END_TO2, w.L_END_PROTO, w.L_END_PROTO2)
(L_RCPT, L_DATA, L_BDAT, L_EOM, L_EOD) = (w.L_RCPT, w.L_DATA, w.L_BDAT, w.L_EOM, w.L_EOD)
(L_CONTENT, L_TO_BR, L_SUBJECT) = (w.L_CONTENT, w.L_TO_BR, w.L_SUBJECT)
(L_HEADER, L_BODY, L_MIME_ERROR, L_EOM_PROXY) = (w.L_HEADER, w.L_BODY, w.L_MIME_ERROR, w.L_EOM_PROXY)
STAGE_NAMES, STAGE_ENDS = w.STAGE_NAMES, w.STAGE_ENDS
(L_AUTH, L_SASL_USER_BR, L_TO_SP) = (w.L_AUTH, w.L_SASL_USER_BR, w.L_TO_SP)
(L_TLS, L_NONE, L_NO_STARTTLS) = (w.L_TLS, w.L_NONE, w.L_NO_STARTTLS)
(L_BARE_RELAY, L_BARE_ORIG, L_NOT_CACHED) = (w.L_BARE_RELAY, w.L_BARE_ORIG, w.L_NOT_CACHED)
NOT_THIS = -1
AT_RCPT, OF_MESSAGE, OF_SESSION = 1, 2, 3
"""What a refusal is about: a recipient, the whole message, or neither."""


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
def tls_flag(buf, i, end):
    """WITH_TLS or WITHOUT_TLS after `wanted[:found]` (Postfix 3.11, smtp_log_tls_feature_status); 0 when it does not
    tell."""
    e = i
    k = i
    differs = False
    while e < end and buf[e] != 44:
        if buf[e] == 58:
            k = e + 1
            differs = True
        e += 1
    if (e - k == 4 and at(buf, k, L_NONE)) or (e - k == 10 and at(buf, k, L_NO_STARTTLS)):
        return w.WITHOUT_TLS
    return 0 if differs else w.WITH_TLS


@kernel
def delivery(buf, i, end, ev, lv, r):
    """`to=<…>, [orig_to=<…>, ]relay=…, [conn_use=N, ]delay=…, [delays=…, dsn=…, ]status=word (text)`."""
    ev[r, N0] = w.R_DELIVERY
    k = i + 3
    if buf[k] == 60:
        k += 1
        e = closing(buf, k, end, L_END_RELAY, L_END_ORIG)
        step = 3
    else:  # local(8) of old releases
        e = closing(buf, k, end, L_BARE_RELAY, L_BARE_ORIG)
        step = 2
    if e < 0:
        return w.UNREAD
    if not is_address(buf, k, e, step == 2):
        ev[r, N0] = w.R_ADDRESS
        return w.UNREAD
    recipient(buf, k, e, ev, lv, r, A, RKEY, w.ODD_TO)
    k = e + step
    if at(buf, k, L_ORIG_TO):
        k += 8
        if buf[k] == 60:
            k += 1
            e = closing(buf, k, end, L_END_RELAY, L_END_RELAY)
            step = 3
        else:
            e = closing(buf, k, end, L_BARE_RELAY, L_BARE_RELAY)
            step = 2
        if e < 0:
            return w.UNREAD
        if not is_address(buf, k, e, step == 2):
            ev[r, N0] = w.R_ADDRESS
            return w.UNREAD
        recipient(buf, k, e, ev, lv, r, B, OKEY, w.ODD_ORIG)
        k = e + step
    k += 6  # relay=
    e = find(buf, k, end, L_DELAY_NEXT)
    if e < 0:
        return w.UNREAD
    stop = e
    c = find(buf, k, e, L_CONN_NEXT)
    if c >= 0:
        stop = c
    if find_byte(buf, k, stop, 32) < stop:
        return w.UNREAD
    if peer(buf, k, stop, ev, r, C, D) < 0 and not (stop - k == 4 and buf[k] == 110 and buf[k + 3] == 101):
        span(ev, r, C, k, stop)  # local, virtual, a pipe's name; `none` stays absent
    k = e + 8  # behind `, delay=`
    found = False
    for _ in range(6):
        while k < end and buf[k] != 44:
            if buf[k] == 32:
                return w.UNREAD
            k += 1
        if k + 1 >= end:
            return w.UNREAD
        k += 2
        if at(buf, k, L_STATUS):
            k += 7
            found = True
            break
        if at(buf, k, L_DSN):
            e = k + 4
            while e < end and buf[e] != 44:
                e += 1
            span(ev, r, E, k + 4, e)
        elif at(buf, k, L_TLS):
            ev[r, FLAGS] |= tls_flag(buf, k + 4, end)
    if not found:
        return w.UNREAD
    if at(buf, k, L_SENT):
        status = w.SENT
        k += 4
    elif at(buf, k, L_DEFERRED):
        status = w.DEFERRED
        k += 8
    elif at(buf, k, L_BOUNCED):
        status = w.BOUNCED
        k += 7
    elif at(buf, k, L_SOFTBOUNCE):
        status = w.DEFERRED
        k += 10
    elif at(buf, k, L_EXPIRED):
        status = w.EXPIRED_STATUS
        k += 7
    elif at(buf, k, L_DELIVERABLE):
        status = w.PROBE
        k += 11
    elif at(buf, k, L_UNDELIVERABLE):
        status = w.PROBE
        k += 13
        if at(buf, k, L_NOT_CACHED):
            k += 15
    else:
        ev[r, N0] = w.R_STATUS
        return w.UNREAD
    if k < end and buf[k] != 32:
        ev[r, N0] = w.R_STATUS
        return w.UNREAD
    ev[r, N0] = status
    while k < end and buf[k] == 32:
        k += 1
    if k < end and buf[k] != 40:
        ev[r, N0] = w.R_STATUS
        return w.UNREAD
    if k < end:
        e = end - 1
        while e > k and buf[e] != 41:
            e -= 1
        whole = e > k
        if not whole:
            e = end
        span(ev, r, F, k + 1, e)
        if status == w.SENT and whole:  # an id may have been cut with what followed it
            next_id(buf, k + 1, e, ev, r)
    return w.DELIVERY


@kernel
def next_id(buf, i, end, ev, r):
    """The id that the next server or local(8) gave, at the very end of the reply (or Exchange's InternalId): span G."""
    e = end
    while e > i and (buf[e - 1] == 32 or buf[e - 1] == 41 or buf[e - 1] == 46 or buf[e - 1] == 93):
        e -= 1
    k = e
    while k > i and buf[k - 1] != 32 and e - k <= 32:
        k -= 1
    if k - 10 >= i and at(buf, k - 10, L_QUEUED_AS) and queue_id_end(buf, k, e) == e:
        ev[r, N1] = w.QUEUED_AS
        span(ev, r, G, k, e)
        return
    if k - 13 == i and at(buf, i, L_FORWARDED_AS) and queue_id_end(buf, k, e) == e:
        ev[r, N1] = w.FORWARDED_AS
        span(ev, r, G, k, e)
        return
    if end - i > 24 and buf[i] == 50 and buf[i + 4] == 50:
        k = find(buf, i, end, L_INTERNAL_ID)
        if k >= 0:
            k += 12
            e = k
            while e < end and is_digit(buf[e]):
                e += 1
            if e > k:
                ev[r, N1] = w.QUEUED_AS
                span(ev, r, G, k, e)


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
def envelope(buf, k, end, ev, lv, r):
    """`from=<S>[,] to=<R>[,] proto=…` at k (behind `; `): spans B and A; False when it is not that. `to` may be
    missing."""
    k += 6
    e = closing(buf, k, end, L_END_TO, L_END_TO2)
    if e < 0:
        e = closing(buf, k, end, L_END_PROTO, L_END_PROTO2)
        if e < 0:
            e = address_end(buf, k, end)
            if e < 0:
                return False
        span(ev, r, B, k, e)
        return True
    span(ev, r, B, k, e)
    k = e + 6 if buf[e + 1] == 32 else e + 7
    e = address_end(buf, k, end)
    if e < 0 or (e + 1 < end and buf[e + 1] != 58):  # not local mail's
        local = e
        e = closing(buf, k, end, L_END_PROTO, L_END_PROTO2)
        if e < 0:
            e = local
        if e < 0:
            return False
    recipient(buf, k, e, ev, lv, r, A, RKEY, w.ODD_TO)
    return True


@kernel
def reply(buf, k, end, ev, r):
    """`[NNN ][D.D.D ]text` in [k, end): code class 4 or 5 (0 unknown), dsn in E, the whole reply in F."""
    span(ev, r, F, k, end)
    first = 0
    if between(buf[k], 50, 53) and is_digit(buf[k + 1]) and is_digit(buf[k + 2]) and buf[k + 3] == 32:
        first = int(buf[k]) - 48
        k += 4
    if between(buf[k], 50, 53) and buf[k + 1] == 46 and is_digit(buf[k + 2]):
        e = k
        while e < end and (buf[e] == 46 or is_digit(buf[e])):
            e += 1
        span(ev, r, E, k, e)
        if first == 0:
            first = int(buf[k]) - 48
    return first


@kernel
def around_helo(buf, i, end):
    """The `; from=<` of a reply that begins with the HELO name at i, if the name behind it is the same; else -1."""
    cut = find(buf, i, end, L_SEMI_FROM)
    while cut >= 0:
        p = find(buf, cut, end, L_END_PROTO)
        if p < 0:
            p = find(buf, cut, end, L_END_PROTO2)
        name = find(buf, max(p, cut), end, L_HELO) + 6
        size = end - 1 - name
        if p >= 0 and name >= 6 and size >= 0 and i + size + 3 < cut and at(buf, i + size + 3, L_HELO_CMD):
            same = True
            for k in range(size):
                if buf[i + k] != buf[name + k]:
                    same = False
                    break
            if same:
                return cut
        cut = find(buf, cut + 1, end, L_SEMI_FROM)
    return -1


@kernel
def neutral(c):
    """False for what smtpd(8) never leaves in a HELO name or a protocol: space and <>()\\";@ (and control
    characters)."""
    return c > 32 and c != 127 and c not in (34, 40, 41, 59, 60, 62, 64, 92)


@kernel
def recipient_end(buf, i, end):
    """The `>` behind R at the end of a line: `to=<R>[,] proto=P[,] helo=<H>[: TEXT]` or, from pickup(8), `to=<R>`;
    else -1."""
    t = rfind(buf, i, end, L_HELO)
    h = t + 6
    while t >= 0 and h < end and neutral(buf[h]):
        h += 1
    if t < 0 or h >= end or buf[h] != 62 or (h + 1 < end and buf[h + 1] != 58):
        return end - 1 if buf[end - 1] == 62 else -1
    k = t - 1
    if k > i and buf[k] == 32:
        k -= 1
    while k > i and neutral(buf[k]):
        k -= 1
    for p in (k - 1, k - 2):
        if p > i and (at(buf, p, L_END_PROTO) or at(buf, p, L_END_PROTO2)):
            return p
    return -1


@kernel
def anchored(buf, i, end):
    """The first `; from=<S> to=<R>` in [i, end) whose R is the one that the end of the line follows; -1 when none is.

    What a sender writes into a subject, or into a recipient that the reply quotes, does not reach that far: between
    complete addresses quotes come in pairs.
    """
    stop = recipient_end(buf, i, end)
    cut = find(buf, i, max(stop, i), L_SEMI_FROM)
    while cut >= 0:
        e = address_end(buf, cut + 8, stop)
        named = e >= 0 and (at(buf, e, L_END_TO) or at(buf, e, L_END_TO2))
        if named and address_end(buf, e + 6 if buf[e + 1] == 32 else e + 7, stop + 1) == stop:
            return cut
        cut = find(buf, cut + 1, stop, L_SEMI_FROM)
    return -1


@kernel
def of_session(buf, i, size):
    """True for one of SESSION_STAGES in these bytes."""
    for n in range(STAGE_ENDS.size - 1):
        start = STAGE_ENDS[n]
        if STAGE_ENDS[n + 1] - start == size:
            same = True
            for k in range(size):
                if buf[i + k] != STAGE_NAMES[start + k]:
                    same = False
                    break
            if same:
                return True
    return False


@kernel
def stage_at(buf, i, end):
    """(what a refusal at this stage is about, where the client stands) of `STAGE from CLIENT` at i; 0 when it is none.

    The stages are smtpd(8)'s `where`: a command, CONNECT, UNKNOWN, `DATA content`, `BDAT content`, END-OF-MESSAGE (or
    END-OF-DATA, before Postfix 2.3). VRFY and ETRN name an address that nobody sent to.
    """
    k = i
    while k < end and (between(buf[k], 65, 90) or buf[k] == 45):
        k += 1
    size = k - i
    if size == 4 and at(buf, i, L_RCPT):
        about = AT_RCPT
    elif size == 4 and (at(buf, i, L_DATA) or at(buf, i, L_BDAT)):
        about = OF_MESSAGE
        if at(buf, k, L_CONTENT):
            k += L_CONTENT.size
    elif (size == 14 and at(buf, i, L_EOM)) or (size == 11 and at(buf, i, L_EOD)):
        about = OF_MESSAGE
    elif of_session(buf, i, size):
        about = OF_SESSION
    else:
        return 0, i
    if not at(buf, k, L_SP_FROM):
        return 0, i
    return about, k + L_SP_FROM.size


@kernel
def client_end(buf, i, end, ev, r):
    """Behind `NAME[ADDRESS]: ` or `NAME[ADDRESS]:PORT: ` at i, spans into C and D; -1 when it is none."""
    k = peer(buf, i, end, ev, r, C, D)
    if k < 0 or buf[k] != 58:
        return -1
    for b in range(i, k):  # no name of a host
        if buf[b] == 60 or buf[b] == 61:
            return -1
    while k < end and buf[k] != 32:
        k += 1
    return min(k + 1, end) if buf[k - 1] == 58 else -1


@kernel
def reject(buf, i, end, ev, lv, r, action):
    """smtpd, postscreen, milter: `STAGE from CLIENT: REPLY; from=<S> to=<R> proto=P helo=<H>`.

    The reply may quote the recipient, which is the client's, so the line is read from its end (`anchored`). Where that
    fails (addresses without their quotes, a HELO name with anything in it), the reply's own `<…>: ` is stepped over as
    an address, and then the first `; from=<` is the right one; or, where the reply quotes the HELO name, the one that
    has that name on both sides. Of a message with several recipients smtpd(8) names none at DATA.
    """
    ev[r, N0] = w.R_REJECT
    whole = end
    end = without_login(buf, i, end)
    if end < whole:
        ev[r, FLAGS] |= w.LOGGED_IN
    if at(buf, i, L_EOM_PROXY):
        about, start = OF_MESSAGE, i + L_EOM_PROXY.size
    else:
        about, k = stage_at(buf, i, end)
        if about == 0:
            return w.UNREAD
        start = client_end(buf, k, end, ev, r)
        if start < 0:
            return w.UNREAD
        if about == OF_SESSION:
            return w.KNOWN  # refused before any recipient was named
    scan = start
    while scan < end and scan < start + 12 and (buf[scan] == 32 or buf[scan] == 46 or is_digit(buf[scan])):
        scan += 1
    cut = anchored(buf, scan, end)
    if cut < 0 and scan < end and buf[scan] == 60:
        cut = around_helo(buf, scan + 1, end)
        e = address_end(buf, scan + 1, end)
        if e >= 0 and buf[e + 1] == 58:
            scan = e + 1
    if cut < 0:
        cut = find(buf, scan, end, L_SEMI_FROM)
    if cut < 0 or not envelope(buf, cut + 2, end, ev, lv, r):
        return w.UNREAD
    if ev[r, A] < 0:
        e = ev[r, B + 1]  # what ends here may have lost a recipient
        goes_on = at(buf, e, L_END_PROTO) or at(buf, e, L_END_PROTO2)
        return w.KNOWN if about == OF_MESSAGE and goes_on and find(buf, cut, end, L_TO_BR) < 0 else w.UNREAD
    first = reply(buf, start, cut, ev, r)
    ev[r, N0] = action
    ev[r, N1] = about
    if action == w.DO_REJECT and first == 4:
        ev[r, N0] = w.WARN  # a temporary refusal: an attempt
    return w.REJECT


@kernel
def without_login(buf, i, end):
    """Where `> sasl_username=<U>` at the end of a refusal begins (behind the `>`), which newer releases add for a
    client that had logged in; `end` where there is none. A HELO name is always before it, and holds no blank, so that
    nothing an outsider chooses can be taken for it."""
    if buf[end - 1] != 62:
        return end
    t = rfind(buf, i, end, L_SASL_USER_BR)
    if t < 0 or find(buf, t, end, L_HELO) >= 0:
        return end
    h = rfind(buf, i, t + 1, L_HELO)
    if h < 0:
        return end
    k = h + L_HELO.size
    while k < t and neutral(buf[k]):
        k += 1
    return t + 1 if k == t else end


@kernel
def proxied(buf, i, end, ev, r):
    """`proxy-accept: END-OF-MESSAGE: REPLY; from=<S> to=<R> …`: the id that the reply gives, in QID, or KNOWN."""
    cut = anchored(buf, i, without_login(buf, i, end))
    if cut < 0:
        return w.KNOWN
    while cut > i and (buf[cut - 1] == 32 or buf[cut - 1] == 46 or buf[cut - 1] == 41):
        cut -= 1
    k = cut
    while k > i and buf[k - 1] != 32 and cut - k <= 32:
        k -= 1
    if k - L_QUEUED_AS.size < i or not at(buf, k - L_QUEUED_AS.size, L_QUEUED_AS) or queue_id_end(buf, k, cut) != cut:
        return w.KNOWN
    span(ev, r, w.QID, k, cut)
    return w.PROXIED


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


@kernel
def ends(buf, cut, end, ev, r):
    """True when behind the envelope at `cut` (spans A and B) and the HELO name nothing follows but `: TEXT`."""
    t = rfind(buf, cut, end, L_HELO)
    if t >= 0:
        e = address_end(buf, t + 6, end)
    else:
        e = max(ev[r, A + 1], ev[r, B + 1])
    return e >= 0 and (e + 1 >= end or (buf[e + 1] == 58 and buf[e + 2] == 32))


@kernel
def check(buf, i, end, ev, lv, r, action):
    """cleanup: `header|body CONTENT from SOURCE; from=<S> to=<R>[ proto=P helo=<H>][: TEXT]`.

    The content is the sender's: the line is `anchored` at its end, else the last `; from=<` is taken. Subject in C,
    first recipient in A, sender in B, TEXT in F. `to` is missing where recipients are taken from the headers, and these
    are yet to come.
    """
    ev[r, N0] = w.R_REJECT
    decides = action in (w.DO_REJECT, w.DO_HOLD, w.DO_DISCARD)
    subject = False
    if at(buf, i, L_HEADER):
        k = i + 7
        subject = True
        for n in range(8):
            c = buf[k + n]
            if between(c, 65, 90):
                c += 32
            if c != L_SUBJECT[n]:
                subject = False
                break
        if subject:
            k += 8
            if buf[k] == 32:
                k += 1
    elif at(buf, i, L_BODY):
        k = i + 5
    elif at(buf, i, L_MIME_ERROR):
        k = i + 11
    else:
        return NOT_THIS
    cut = anchored(buf, k, end)
    if cut < 0:
        cut = rfind(buf, k, end, L_SEMI_FROM)
    if cut < 0 and decides:
        return w.UNREAD
    stop = end
    if cut >= 0:
        e = cut
        while e > k and buf[e - 1] != 32:
            e -= 1
        if e - 6 >= k - 1 and at(buf, e - 6, L_SP_FROM):
            stop = e - 6
        if not envelope(buf, cut + 2, end, ev, lv, r):
            ev[r, A] = -1
        if ev[r, A] < 0 and decides and find(buf, cut, end, L_TO_BR) >= 0:
            return w.UNREAD
        t = rfind(buf, cut, end, L_HELO)
        if t >= 0:
            e = address_end(buf, t + 6, end)
            if e >= 0 and buf[e + 1] == 58 and e + 3 <= end:
                reply(buf, e + 3, end, ev, r)
    if subject:
        span(ev, r, C, k, max(stop, k))
    elif action == w.WARN:
        return w.KNOWN if cut >= 0 and ends(buf, cut, end, ev, r) else NOT_THIS
    ev[r, N0] = action
    return w.CHECK
