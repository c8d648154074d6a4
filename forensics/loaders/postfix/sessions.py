"""Sessions of smtpd(8) among events: who had logged in when refused, and what a session in front of a filter became."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensics.loaders.postfix.events import Events
from forensics.native.postfix import sessions as kernels
from forensics.native.postfix import words as w

Rows = NDArray[np.int64]
OF_SESSIONS = (w.REJECT, w.SESSION, w.PROXIED, w.ENDED)
"""Kinds of event that a session is told by."""


def linked(events: Events) -> NDArray[np.bool_]:
    """Set flags and keys of the events as `native.postfix.sessions` says. Returns which events are ends of sessions
    that are needed elsewhere."""
    kept = np.zeros(len(events.kinds), np.bool_)
    rows = np.flatnonzero(np.isin(events.kinds, OF_SESSIONS))
    count = kernels.clients(events.buffer, events.ints, events.longs, rows) if len(rows) else 0
    if count:
        size = 1 << int(2 * count + 16).bit_length()
        kernels.sessions(
            events.buffer, events.ints, events.longs, events.edge, rows, np.zeros(size, np.uint64),
            np.full((size, 3), -1, np.int32), np.empty(len(kept), np.int32), kept,
        )  # fmt: skip
    return kept


def keys(events: Events, rows: Rows) -> NDArray[np.uint64]:
    """The keys of fragments: a refusal that stands alone goes with its client's sessions."""
    kinds, longs = events.ints[rows, w.KIND], events.longs[rows]
    alone = (kinds == w.REJECT) & ((events.ints[rows, w.QID] < 0) | (events.ints[rows, w.N0] == w.WARN))
    of_session = alone | (kinds == w.ENDED)
    found: NDArray[np.uint64] = np.where(of_session, longs[:, w.OKEY], longs[:, w.KEY]).astype(np.uint64)
    return found
