"""What the other server answered, found in text where it lies: its reply, the enhanced code, the id that it gave."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from forensics.loaders.exchange.machine import find, kernel
from forensics.loaders.exchange.spans import Array, Span

SUBMITTED: Final = np.frombuffer(b";clientsubmittime:", np.uint8)
QUEUED: Final = np.frombuffer(b"queued as ", np.uint8)
INTERNAL: Final = np.frombuffer(b"[internalid=", np.uint8)
NAMED: Final = np.frombuffer(b"id=", np.uint8)


def _found(search: Callable[..., int], data: Array, span: Span, *words: Array) -> Span:
    """What `search` finds in each text; null where it finds nothing."""
    begin, end = np.full(len(span[0]), -1, np.int32), np.zeros(len(span[0]), np.int32)
    search(data, *span, *words, begin, end)
    return begin, end


@kernel()
def _at(data, i, end, word):
    """True when the small-letter `word` stands at i, in any case of its ASCII letters."""
    if end - i < word.shape[0]:
        return False
    for k in range(word.shape[0]):
        c = data[i + k]
        if 65 <= c <= 90:
            c += 32
        if c != word[k]:
            return False
    return True


@kernel()
def _digit(c):
    return 48 <= c <= 57


@kernel()
def _letter(c):
    return 65 <= c <= 90 or 97 <= c <= 122


@kernel()
def _digits_end(data, i, end):
    while i < end and _digit(data[i]):
        i += 1
    return i


@kernel()
def _opens_reply(data, i, end):
    """True when `2xx ` to `5xx ` or `2xx-` to `5xx-` stands at i."""
    if end - i < 4 or data[i] < 50 or data[i] > 53 or not _digit(data[i + 1]) or not _digit(data[i + 2]):
        return False
    return data[i + 3] == 32 or data[i + 3] == 45


@kernel("void(uint8[::1], int32[::1], int32[::1], uint8[::1], int32[::1], int32[::1])")
def _reply(data, begin, end, submitted, out, out_end):
    base = data.ctypes.data
    for r in range(begin.shape[0]):
        s, e = np.int64(begin[r]), np.int64(end[r])
        if s < 0:
            continue
        i = s
        while True:
            while i < e and (data[i] == 32 or 9 <= data[i] <= 10 or 12 <= data[i] <= 13):
                i += 1
            if _opens_reply(data, i, e):
                k = i + 4
                while True:
                    k += find(base + k, 59, e - k)
                    if k >= e or _at(data, k, e, submitted):
                        break
                    k += 1
                out[r] = i
                out_end[r] = min(k, e)
                break
            i += find(base + i, 59, e - i) + 1
            if i > e:
                break


def reply(data: Array, span: Span) -> Span:
    """The reply in a source-context such as `08DB…;250 2.0.0 Ok: queued as 4AbC…;ClientSubmitTime:…`; null without."""
    return _found(_reply, data, span, SUBMITTED)


@kernel("void(uint8[::1], int32[::1], int32[::1], int32[::1], int32[::1])")
def _code(data, begin, end, out, out_end):
    base = data.ctypes.data
    for r in range(begin.shape[0]):
        s, e = np.int64(begin[r]), np.int64(end[r])
        if s < 0:
            continue
        i = s
        while i < e:
            i += find(base + i, 46, e - i)
            i += 1
            if i >= e:
                break
            k = i - 2
            if k < s or (data[k] != 50 and data[k] != 52 and data[k] != 53):
                continue
            if k > s and (_digit(data[k - 1]) or data[k - 1] == 46):
                continue
            m = _digits_end(data, i, e)
            if m - i < 1 or m - i > 3 or m >= e or data[m] != 46:
                continue
            n = _digits_end(data, m + 1, e)
            if n - m < 2 or n - m > 4 or (n < e and data[n] == 46):
                continue
            out[r] = k
            out_end[r] = n
            break


def code(data: Array, span: Span) -> Span:
    """The first enhanced status code (RFC 3463) in each text; null without."""
    return _found(_code, data, span)


@kernel("void(uint8[::1], int32[::1], int32[::1], uint8[::1], uint8[::1], uint8[::1], int32[::1], int32[::1])")
def _identity(data, begin, end, queued, internal, named, out, out_end):
    for r in range(begin.shape[0]):
        s, e = np.int64(begin[r]), np.int64(end[r])
        if s < 0 or s == e or data[s] != 50:
            continue
        for i in range(s + 1, e):
            c = data[i] | 32
            before = data[i - 1]
            if before == 10:
                break
            inside = _digit(before) or _letter(before) or before == 95
            k = e
            if c == 113 and not inside and _at(data, i, e, queued):
                k = i + queued.shape[0]
                m = k
                while m < e and (_digit(data[m]) or _letter(data[m])):
                    m += 1
                if m == k:
                    continue
            elif data[i] == 91 and _at(data, i, e, internal):
                k = i + internal.shape[0]
                m = _digits_end(data, k, e)
                if m == k:
                    continue
            elif c == 105 and not inside and _at(data, i, e, named):
                k = i + named.shape[0]
                m = k
                while m < e and (_digit(data[m]) or _letter(data[m]) or data[m] == 45):
                    m += 1
                if m - k < 6:
                    continue
            else:
                continue
            out[r] = k
            out_end[r] = m
            break


def identity(data: Array, span: Span) -> Span:
    """The id that a server gave the message it took, in its reply `2…`: `queued as` (Postfix), `[InternalId=`
    (Exchange), `id=` (Exim); null without."""
    return _found(_identity, data, span, QUEUED, INTERNAL, NAMED)
