"""What the other server answered, found in text where it lies: its reply, the enhanced code, the id that it gave."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.exchange.classify import is_word
from forensics.native.exchange.spans import is_blank
from forensics.native.text import between, find_byte, is_digit, lit

REPLY: Final = 0
"""The reply in a source-context such as `08DB…;250 2.0.0 Ok: queued as 4AbC…;ClientSubmitTime:…`."""
CODE: Final = 1
"""The first enhanced status code (RFC 3463)."""
IDENTITY: Final = 2
"""The id that a server gave the message it took, in its reply `2…`: `queued as` (Postfix), `[InternalId=` (Exchange),
`id=` (Exim)."""

_SUBMITTED: Final = lit(";clientsubmittime:")
_QUEUED: Final = lit("queued as ")
_INTERNAL: Final = lit("[internalid=")
_NAMED: Final = lit("id=")


@kernel
def _at(data, i, end, word):
    """True when the small-letter `word` is at i, in any case of its ASCII letters."""
    return end - i >= word.size and is_word(data, i, i + word.size, word, 0, word.size)


@kernel
def _letter(c):
    return between(c, 65, 90) or between(c, 97, 122)


@kernel
def _digits_end(data, i, end):
    while i < end and is_digit(data[i]):
        i += 1
    return i


@kernel
def _word_end(data, i, end, hyphens):
    """Behind the letters, digits and perhaps hyphens at i."""
    while i < end and (is_digit(data[i]) or _letter(data[i]) or (hyphens and data[i] == 45)):
        i += 1
    return i


@kernel
def _opens_reply(data, i, end):
    """True when `2xx ` to `5xx ` or `2xx-` to `5xx-` is at i."""
    if end - i < 4 or data[i] < 50 or data[i] > 53 or not is_digit(data[i + 1]) or not is_digit(data[i + 2]):
        return False
    return data[i + 3] == 32 or data[i + 3] == 45


@kernel
def _reply(data, i, e):
    """(start, end) of a `REPLY` in [i, e); start -1 when there is none."""
    while i <= e:
        while i < e and is_blank(data[i]):
            i += 1
        if _opens_reply(data, i, e):
            k = find_byte(data, i + 4, e, 59)
            while k < e and not _at(data, k, e, _SUBMITTED):
                k = find_byte(data, k + 1, e, 59)
            return i, k
        i = find_byte(data, i, e, 59) + 1
    return -1, 0


@kernel
def _code(data, s, e):
    """(start, end) of a `CODE` in [s, e); start -1 when there is none."""
    i = s
    while i < e:
        i = find_byte(data, i, e, 46) + 1
        if i >= e:
            break
        k = i - 2
        if k < s or (data[k] != 50 and data[k] != 52 and data[k] != 53):
            continue
        if k > s and (is_digit(data[k - 1]) or data[k - 1] == 46):
            continue
        m = _digits_end(data, i, e)
        if m - i < 1 or m - i > 3 or m >= e or data[m] != 46:
            continue
        n = _digits_end(data, m + 1, e)
        if n - m < 2 or n - m > 4 or (n < e and data[n] == 46):
            continue
        return k, n
    return -1, 0


@kernel
def _identity(data, s, e):
    """(start, end) of an `IDENTITY` in [s, e); start -1 when there is none."""
    if s == e or data[s] != 50:
        return -1, 0
    for i in range(s + 1, e):
        before = data[i - 1]
        if before == 10:
            break
        inside = is_digit(before) or _letter(before) or before == 95
        if not inside and _at(data, i, e, _QUEUED):
            k = i + _QUEUED.size
            m = _word_end(data, k, e, False)
            least = 1
        elif _at(data, i, e, _INTERNAL):
            k = i + _INTERNAL.size
            m = _digits_end(data, k, e)
            least = 1
        elif not inside and _at(data, i, e, _NAMED):
            k = i + _NAMED.size
            m = _word_end(data, k, e, True)
            least = 6
        else:
            continue
        if m - k >= least:
            return k, m
    return -1, 0


@entry("const uint8[:], const int32[:], const int32[:], int64, int32[:], int32[:]")
def search(data, begin, end, what, out, out_end, result):
    """The span of what is wanted (`REPLY`, `CODE` or `IDENTITY`) in each text; null where there is none."""
    for r in range(begin.size):
        s = np.int64(begin[r])
        e = np.int64(end[r])
        out[r] = -1
        out_end[r] = 0
        if s < 0:
            continue
        if what == REPLY:
            k, n = _reply(data, s, e)
        elif what == CODE:
            k, n = _code(data, s, e)
        else:
            k, n = _identity(data, s, e)
        if k >= 0:
            out[r] = k
            out_end[r] = n
