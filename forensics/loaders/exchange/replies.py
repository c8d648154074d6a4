"""What the other server answered, found in text where it lies: its reply, the enhanced code, the id that it gave."""

from __future__ import annotations

import numpy as np

from forensics.loaders.exchange.spans import Array, Span
from forensics.native.exchange.replies import CODE, IDENTITY, REPLY, search


def _found(data: Array, span: Span, what: int) -> Span:
    begin, end = np.empty(len(span[0]), np.int32), np.empty(len(span[0]), np.int32)
    search(data, *span, what, begin, end)
    return begin, end


def reply(data: Array, span: Span) -> Span:
    """The reply in a source-context such as `08DB…;250 2.0.0 Ok: queued as 4AbC…;ClientSubmitTime:…`; null without."""
    return _found(data, span, REPLY)


def code(data: Array, span: Span) -> Span:
    """The first enhanced status code (RFC 3463) in each text; null without."""
    return _found(data, span, CODE)


def identity(data: Array, span: Span) -> Span:
    """The id that a server gave the message it took, in its reply `2…`: `queued as` (Postfix), `[InternalId=`
    (Exchange), `id=` (Exim); null without."""
    return _found(data, span, IDENTITY)
