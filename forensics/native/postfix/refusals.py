"""Lines of smtpd, postscreen and milters: what was refused, held or redirected, of whom and for whom.

The reply may quote what a client said; `fields` says how such lines are read.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from forensics.native.compiler import kernel
from forensics.native.postfix import words as w
from forensics.native.postfix.fields import NOT_THIS, closing, peer, recipient, span
from forensics.native.postfix.tokens import address_end, queue_id_end
from forensics.native.text import at, between, find, is_digit, rfind

(A, B, C, D, E, F, FLAGS, N0, N1, QID, RKEY) = (w.A, w.B, w.C, w.D, w.E, w.F, w.FLAGS, w.N0, w.N1, w.QID, w.RKEY)
(STAGE_ENDS, STAGE_NAMES) = (w.STAGE_ENDS, w.STAGE_NAMES)
(L_BCC, L_BDAT, L_CONTENT, L_DATA, L_DELAY) = (w.L_BCC, w.L_BDAT, w.L_CONTENT, w.L_DATA, w.L_DELAY)
(L_DISCARD, L_END_PROTO, L_END_PROTO2, L_END_TO) = (w.L_DISCARD, w.L_END_PROTO, w.L_END_PROTO2, w.L_END_TO)
(L_END_TO2, L_EOD, L_EOM, L_EOM_PROXY, L_FILTER) = (w.L_END_TO2, w.L_EOD, w.L_EOM, w.L_EOM_PROXY, w.L_FILTER)
(L_HANGUP, L_HELO, L_HELO_CMD, L_HOLD, L_INFO) = (w.L_HANGUP, w.L_HELO, w.L_HELO_CMD, w.L_HOLD, w.L_INFO)
(L_MILTER_DISCARD, L_MILTER_HOLD, L_MILTER_REJECT) = (w.L_MILTER_DISCARD, w.L_MILTER_HOLD, w.L_MILTER_REJECT)
(L_PERMIT, L_PROXY_REJECT, L_QUEUED_AS, L_RCPT) = (w.L_PERMIT, w.L_PROXY_REJECT, w.L_QUEUED_AS, w.L_RCPT)
(L_REDIRECT, L_REJECT, L_REJECT_WARNING) = (w.L_REDIRECT, w.L_REJECT, w.L_REJECT_WARNING)
(L_SASL_USER_BR, L_SEMI_FROM, L_SP_FROM, L_TO_BR) = (w.L_SASL_USER_BR, w.L_SEMI_FROM, w.L_SP_FROM, w.L_TO_BR)
L_WARN = w.L_WARN
AT_RCPT, OF_MESSAGE, OF_SESSION = 1, 2, 3
"""What a refusal is about: a recipient, the whole message, or neither."""


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
def neutral(c):
    """False for what smtpd(8) never leaves in a HELO name or a protocol: space and <>()\\";@ (and control
    characters)."""
    return c > 32 and c != 127 and c not in (34, 40, 41, 59, 60, 62, 64, 92)


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
def refusal_action(buf, i):
    """(what an access table or a milter did, where its text starts); 0 when it is none of these."""
    if at(buf, i, L_REJECT):
        return w.DO_REJECT, i + 8
    if at(buf, i, L_MILTER_REJECT):
        return w.DO_REJECT, i + 15
    if at(buf, i, L_PROXY_REJECT):
        return w.DO_REJECT, i + 14
    if at(buf, i, L_HOLD):
        return w.DO_HOLD, i + 6
    if at(buf, i, L_MILTER_HOLD):
        return w.DO_HOLD, i + 13
    if at(buf, i, L_DISCARD):
        return w.DO_DISCARD, i + 9
    if at(buf, i, L_MILTER_DISCARD):
        return w.DO_DISCARD, i + 16
    return 0, i


@kernel
def mild_action(buf, i):
    """Where the text of an action starts by which smtpd(8) refuses nothing; -1 when it is none of these."""
    if at(buf, i, L_REJECT_WARNING):
        return i + 16
    if at(buf, i, L_REDIRECT):
        return i + 10
    if at(buf, i, L_FILTER) or at(buf, i, L_PERMIT) or at(buf, i, L_HANGUP):
        return i + 8
    if at(buf, i, L_DELAY):
        return i + 7
    if at(buf, i, L_INFO) or at(buf, i, L_WARN):
        return i + 6
    if at(buf, i, L_BCC):
        return i + 5
    return -1


@kernel
def refusal(buf, i, end, ev, lv, r):
    """smtpd, cleanup, postscreen: what an access table or a milter did."""
    action, k = refusal_action(buf, i)
    if action != 0:
        return reject(buf, k, end, ev, lv, r, action)
    k = mild_action(buf, i)
    if k < 0:
        return NOT_THIS
    about, k = stage_at(buf, k, end)
    if about == 0 or client_end(buf, k, end, ev, r) < 0:
        return NOT_THIS
    if not at(buf, i, L_REDIRECT) or ev[r, QID] < 0:
        return w.KNOWN
    ev[r, C] = -1
    ev[r, N0] = w.DO_REDIRECT
    return w.CHECK
