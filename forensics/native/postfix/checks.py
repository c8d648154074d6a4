"""Lines of cleanup about the content of a message: header and body checks, whose text is the sender's."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from forensics.native.compiler import kernel
from forensics.native.postfix import words as w
from forensics.native.postfix.fields import NOT_THIS, span
from forensics.native.postfix.forms import holds_form
from forensics.native.postfix.refusals import anchored, envelope, reply
from forensics.native.postfix.tokens import address_end
from forensics.native.text import at, between, find, rfind

(A, B, C, N0) = (w.A, w.B, w.C, w.N0)
(L_BCC, L_BODY, L_DELAY, L_DISCARD, L_FILTER) = (w.L_BCC, w.L_BODY, w.L_DELAY, w.L_DISCARD, w.L_FILTER)
(L_HEADER, L_HELO, L_HOLD, L_INFO, L_MIME_ERROR) = (w.L_HEADER, w.L_HELO, w.L_HOLD, w.L_INFO, w.L_MIME_ERROR)
(L_PASS, L_PREPEND, L_REDIRECT, L_REJECT) = (w.L_PASS, w.L_PREPEND, w.L_REDIRECT, w.L_REJECT)
(L_REPLACE, L_SEMI_FROM, L_SP_FROM, L_STRIP) = (w.L_REPLACE, w.L_SEMI_FROM, w.L_SP_FROM, w.L_STRIP)
(L_SUBJECT, L_TO_BR, L_WARNING) = (w.L_SUBJECT, w.L_TO_BR, w.L_WARNING)


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


@kernel
def header_action(buf, i):
    """(what cleanup(8) did by a header or body check, where its text starts); 0 when it is none of these."""
    if at(buf, i, L_WARNING) or at(buf, i, L_REPLACE) or at(buf, i, L_PREPEND):
        return w.WARN, i + 9
    if at(buf, i, L_INFO) or at(buf, i, L_PASS):
        return w.WARN, i + 6
    if at(buf, i, L_FILTER):
        return w.WARN, i + 8
    if at(buf, i, L_STRIP) or at(buf, i, L_DELAY):
        return w.WARN, i + 7
    if at(buf, i, L_REJECT):
        return w.DO_REJECT, i + 8
    if at(buf, i, L_HOLD):
        return w.DO_HOLD, i + 6
    if at(buf, i, L_DISCARD):
        return w.DO_DISCARD, i + 9
    if at(buf, i, L_REDIRECT):
        return w.DO_REDIRECT, i + 10
    if at(buf, i, L_BCC):
        return w.DO_BCC, i + 5
    return 0, i


@kernel
def cleanup_line(buf, i, end, ev, lv, r):
    """cleanup, pickup: a header or body check."""
    action, k = header_action(buf, i)
    if action == 0:
        return NOT_THIS
    kind = check(buf, k, end, ev, lv, r, action)
    return NOT_THIS if kind == w.KNOWN and holds_form(buf, k, end) else kind
