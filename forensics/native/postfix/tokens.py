"""Where an address and where a queue id ends, for all lines of Postfix. Buffers are padded (`loaders.base.PADDING`)."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import kernel
from forensics.native.text import between, find_first

# Classes of byte in queue ids: 1 = hexadecimal and base 52, 2 = hexadecimal only (A, E), 4 = base 52 only, 8 = neither
# (other letters), 16 = a digit.
CLASS = np.zeros(256, np.uint8)
for _c in b"0123456789":
    CLASS[_c] = 1 | 16
for _c in b"BCDF":
    CLASS[_c] = 1
for _c in b"IOUaeiou":
    CLASS[_c] = 8
for _c in b"AE":
    CLASS[_c] = 2
for _c in b"GHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz":
    CLASS[_c] = 4

NEUTRAL = np.ones(256, np.bool_)
"""Bytes that nothing in an address depends on."""
NEUTRAL[np.frombuffer(b'"<>\\;[]\xe2', np.uint8)] = False


@kernel
def address_end(buf, i, end):
    """Position of the `>` that closes an address whose first byte is i (behind `<`); -1 when none does.

    Quoted local parts (RFC 5321 4.1.2) may hold `>`; a quote that never closes is taken literally.
    """
    k = find_first(buf, i, end, 62, 34, 34)
    if k < end and buf[k] == 62:
        return k
    quoted = False
    while k < end:
        c = buf[k]
        if quoted:
            if c == 92:  # backslash
                k += 1
            elif c == 34:
                quoted = False
        elif c == 34:
            quoted = True
        elif c == 62:
            return k
        k += 1
    if not quoted:
        return -1
    k = i
    while k < end:
        if buf[k] == 62:
            return k
        k += 1
    return -1


@kernel
def is_address(buf, i, end, bare):
    """Whether Postfix can have written [i, end) as an address: its domain without `<`, `>`, quote or backslash, and
    with square brackets around all of it or none (RFC 5321 4.1.3); one that stands without angle brackets (`bare`)
    without quotes, backslash and angle brackets in front of its domain, either, and without `;`.

    What copies a log into a page, a document or a mail writes `&lt;`, `\\u003c` and `<a@b<mailto:a@b>>`, or `‹a@b›`;
    what a search has coloured, once its escape characters are lost, `[01;31m[Kb[m[K`.
    """
    domain = end
    while domain > i and buf[domain - 1] != 64:
        domain -= 1
    if domain == i and not bare:
        return True
    k = i if bare else domain
    while k < end:
        c = buf[k]
        if NEUTRAL[c]:
            k += 1
            continue
        if c in (34, 60, 62, 92) or (bare and c == 59):
            return False
        if c == 0xE2 and buf[k + 1] == 0x80 and (buf[k + 2] == 0xB9 or buf[k + 2] == 0xBA):  # U+2039, U+203A
            return False
        if domain > i and k >= domain:
            if c == 91 and k > domain:
                return False
            if c == 93 and (k < end - 1 or buf[domain] != 91):
                return False
        k += 1
    return True


@kernel
def queue_id_end(buf, i, end):
    """End of the queue id at i, or -1.

    Short ids are upper-case hexadecimal; long ids base 52 (no vowels): six characters of seconds, four of microseconds,
    `z`, inode (postconf(5), enable_long_queue_ids). Logs that were rewritten or come from relatives of Postfix have
    ids of
    their own: any letters and digits, with a digit among them. The caller checks what follows.
    """
    k = i
    seen = 0
    while k < end and k - i <= 25:
        kind = CLASS[buf[k]]
        if kind == 0:
            break
        seen |= kind
        k += 1
    n = k - i
    if between(n, 5, 24) and seen & 12 == 0:
        return k
    if between(n, 6, 24) and seen & 16 != 0:
        return k
    if between(n, 12, 24) and seen & 10 == 0 and buf[i + 10] == 122:
        return k
    return -1
