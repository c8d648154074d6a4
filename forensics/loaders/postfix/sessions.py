"""Sessions of smtpd(8) among events: who had logged in when refused, and what a session in front of a filter became."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forensics.loaders.postfix.events import Events
from forensics.native.postfix import sessions as kernels
from forensics.native.postfix import words as w

Rows = NDArray[np.int64]


def linked(events: Events) -> tuple[Events, Events]:
    """(events of messages, all events with what is needed elsewhere of the ends of sessions).

    Flags and keys of the events are set as `native.postfix.sessions` says.
    """
    kinds = events.ints[:, w.KIND]
    count = kernels.clients(events.buffer, events.ints, events.longs) if len(kinds) else 0
    if not count:
        return events, events
    size = 1 << int(2 * count + 16).bit_length()
    kept = np.zeros(len(kinds), np.bool_)
    kernels.sessions(
        events.buffer, events.ints, events.longs, events.edge, np.zeros(size, np.uint64),
        np.full((size, 3), -1, np.int32), np.empty(len(kinds), np.int32), kept,
    )  # fmt: skip
    ends = kinds == w.ENDED
    of_messages = _only(events, ~ends)
    return of_messages, _only(events, ~ends | kept) if kept[ends].any() else of_messages


def _only(events: Events, rows: NDArray[np.bool_]) -> Events:
    """Some of the events, in order."""
    return events if rows.all() else events.take(np.flatnonzero(rows))


def keys(events: Events, rows: Rows) -> NDArray[np.uint64]:
    """The keys of fragments: a refusal that stands alone goes with its client's sessions."""
    kinds, longs = events.ints[rows, w.KIND], events.longs[rows]
    alone = (kinds == w.REJECT) & ((events.ints[rows, w.QID] < 0) | (events.ints[rows, w.N0] == w.WARN))
    of_session = alone | (kinds == w.ENDED)
    found: NDArray[np.uint64] = np.where(of_session, longs[:, w.OKEY], longs[:, w.KEY]).astype(np.uint64)
    return found
