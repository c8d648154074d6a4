"""What a text looks like, before anything of it is read: forms that only Postfix logs, names, marks, remains."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from forensics.native.compiler import kernel
from forensics.native.postfix import words as w
from forensics.native.postfix.tokens import CLASS, queue_id_end
from forensics.native.text import at, between, find, find_byte, is_digit, rfind

(L_CLIENT, L_CURSOR, L_DASHES, L_DASHES_END) = (w.L_CLIENT, w.L_CURSOR, w.L_DASHES, w.L_DASHES_END)
(L_FROM, L_FROM_BR, L_MILTER, L_MILTER_REJECT) = (w.L_FROM, w.L_FROM_BR, w.L_MILTER, w.L_MILTER_REJECT)
(L_NOQUEUE, L_NRCPT_SEP, L_REJECT, L_STATUS_SEP) = (w.L_NOQUEUE, w.L_NRCPT_SEP, w.L_REJECT, w.L_STATUS_SEP)
(L_TO, L_UID) = (w.L_TO, w.L_UID)


@kernel
def status_form(buf, i, end):
    """True for `to=… status=…`, `from=… nrcpt=…` and `from=… status=…`."""
    if at(buf, i, L_TO):
        return rfind(buf, i, end, L_STATUS_SEP) > 0
    return at(buf, i, L_FROM) and (rfind(buf, i, end, L_NRCPT_SEP) > 0 or rfind(buf, i, end, L_STATUS_SEP) > 0)


@kernel
def postfix_form(buf, i, end):
    """True for a text that only Postfix logs, and that says what became of a message."""
    if at(buf, i, L_NOQUEUE):
        return at(buf, i + 9, L_REJECT) or at(buf, i + 9, L_MILTER)
    e = queue_id_end(buf, i, end)
    if e < 0 or buf[e] != 58 or buf[e + 1] != 32:
        return False
    e += 2
    if status_form(buf, e, end):
        return True
    if at(buf, e, L_UID):
        return find(buf, e, end, L_FROM_BR) > 0
    return at(buf, e, L_CLIENT) or at(buf, e, L_REJECT) or at(buf, e, L_MILTER_REJECT)


@kernel
def holds_form(buf, i, end):
    """True when such a text (`postfix_form`) begins anywhere in [i, end), with its queue id."""
    k = find_byte(buf, i, end, 58)
    while k < end:
        if buf[k + 1] == 32:
            b = k
            while b > i and k - b < 25 and CLASS[buf[b - 1]] != 0:
                b -= 1
            if k - b >= 5 and postfix_form(buf, b, end):
                return True
        k = find_byte(buf, k + 1, end, 58)
    return False


@kernel
def peer_text(buf, i, end):
    """Start of TEXT in `NAME[ADDRESS]: TEXT` or `NAME[ADDRESS]:PORT: TEXT` at i; -1 when it is none."""
    k = i
    while k < end and buf[k] != 91 and buf[k] != 32 and buf[k] != 58:
        k += 1
    if k >= end or buf[k] != 91:
        return -1
    while k < end and buf[k] != 93 and buf[k] != 32:
        k += 1
    if k + 2 >= end or buf[k] != 93 or buf[k + 1] != 58:
        return -1
    k += 2
    while k < end and is_digit(buf[k]):
        k += 1
    if k < end and buf[k] == 58:
        k += 1
    return k + 1 if k < end and buf[k] == 32 else -1


@kernel
def breaks_off(buf, i, end):
    """True when [i, end) is what the beginning of a queue id leaves of a text: `4ABCDEF:`, `4ABC`, nothing at all."""
    if end > i and buf[end - 1] == 58:
        end -= 1
    for k in range(i, end):  # noqa: SIM110
        if CLASS[buf[k]] == 0:
            return False
    return True


@kernel
def is_name(buf, i, end):
    """True when the tag [i, end) is plainly a program's name: not a number, an address or a queue id."""
    if at(buf, i, L_NOQUEUE):
        return False
    c = buf[i]
    lettered = between(c | 32, 97, 122) or c == 40 or c == 47 or c == 95
    process = buf[end] == 91
    if not lettered and not (process and is_digit(c)):
        return False
    hexadecimal = True
    for k in range(i, end):
        if not between(buf[k], 33, 126):
            return False
        if not is_digit(buf[k]) and not between(buf[k], 65, 70):
            hexadecimal = False
    return process or not hexadecimal or end - i < 5


@kernel
def is_mark(buf, i, end):
    """True for what journalctl and grep write between records: `-- Reboot --`, `-- cursor: s=…`, `--`."""
    if not at(buf, i, L_DASHES):
        return end - i == 2 and buf[i + 1] == 45
    return at(buf, i, L_CURSOR) or (end - i > 5 and at(buf, end - 3, L_DASHES_END))
