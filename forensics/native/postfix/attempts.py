"""Lines about one attempt at a recipient: `to=<…>, relay=…, delay=…, status=…`, of every delivery agent."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from forensics.native.compiler import kernel
from forensics.native.postfix import words as w
from forensics.native.postfix.fields import closing, peer, recipient, span
from forensics.native.postfix.tokens import is_address, queue_id_end
from forensics.native.text import at, find, find_byte, is_digit

(A, B, C, D, E, F, FLAGS, G, N0, N1, OKEY) = (w.A, w.B, w.C, w.D, w.E, w.F, w.FLAGS, w.G, w.N0, w.N1, w.OKEY)
RKEY = w.RKEY
(L_BARE_ORIG, L_BARE_RELAY, L_BOUNCED, L_CONN_NEXT) = (w.L_BARE_ORIG, w.L_BARE_RELAY, w.L_BOUNCED, w.L_CONN_NEXT)
(L_DEFERRED, L_DELAY_NEXT, L_DELIVERABLE, L_DSN) = (w.L_DEFERRED, w.L_DELAY_NEXT, w.L_DELIVERABLE, w.L_DSN)
(L_END_ORIG, L_END_RELAY, L_EXPIRED, L_FORWARDED_AS) = (w.L_END_ORIG, w.L_END_RELAY, w.L_EXPIRED, w.L_FORWARDED_AS)
(L_INTERNAL_ID, L_NONE, L_NOT_CACHED, L_NO_STARTTLS) = (w.L_INTERNAL_ID, w.L_NONE, w.L_NOT_CACHED, w.L_NO_STARTTLS)
(L_ORIG_TO, L_QUEUED_AS, L_SENT, L_SOFTBOUNCE) = (w.L_ORIG_TO, w.L_QUEUED_AS, w.L_SENT, w.L_SOFTBOUNCE)
(L_STATUS, L_TLS, L_UNDELIVERABLE) = (w.L_STATUS, w.L_TLS, w.L_UNDELIVERABLE)


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
