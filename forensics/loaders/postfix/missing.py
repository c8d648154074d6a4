"""Messages of which the log lacks something, seen when their records are together: recipients without a delivery, a
beginning, an end; or what they have for themselves, where another had the same queue id at once.

qmgr(8) logs as `nrcpt` all recipients of the queue file, those done included, and removes the file when each of them
was logged. So a message that was removed has a delivery line for each recipient, unless records are missing, or it was
redirected (access(5), header_checks(5): REDIRECT), deleted by postsuper(1), or made by a tool that writes such logs
otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.loaders.base import LOSSES
from forensics.loaders.postfix.events import Events, column
from forensics.native import codes
from forensics.native.postfix import grouping as g
from forensics.native.postfix import words as w


def losses(events: Events, hops: Any, legs: Any, event_hop: Any, complete: Any, *, final: bool) -> pa.Table | None:
    """Rows of `LOSSES` for the hops that are `complete`; None where nothing is missing."""
    flags = hops[:, g.H_FLAGS]
    keyed_hop = complete & (events.longs[hops[:, g.H_FIRST], w.KEY] != 0) & (flags & g.PROBED == 0)
    found = [_recipients(events, hops, legs, event_hop, keyed_hop)]
    if final:
        first, last = hops[:, g.H_FIRST], hops[:, g.H_LAST]
        queued = (hops[:, g.H_QUEUED] >= 0) | (hops[:, g.H_LEGS] > 0)
        waits = flags & codes.GREYLISTED == 0
        unborn = keyed_hop & waits & (flags & codes.BORN == 0) & (hops[:, g.H_MSGID] < 0)
        found.append(_rows(events, "begins outside", first[unborn]))
        goes_on = keyed_hop & waits & queued & (flags & (codes.CLOSED | g.WAS_REQUEUED) == 0)
        found.append(_rows(events, "ends outside", last[goes_on]))
        found.append(_rows(events, "shared id", first[keyed_hop & (flags & g.SHARED != 0)]))
    tables = [table for table in found if table is not None]
    return pa.concat_tables(tables) if tables else None


def _rows(
    events: Events, kind: str, rows: NDArray[np.int32], counts: Any = None, texts: pa.Array | None = None
) -> pa.Table | None:
    """Rows of `LOSSES` that point at these events; their queue ids are the texts if there are no others."""
    n = len(rows)
    if not n:
        return None
    columns = [
        pa.array([kind] * n, pa.string()),
        pa.array(events.evidence[rows]),
        column(events, rows, w.HOST),
        pa.array(events.longs[rows, w.TIME]),
        pa.array(np.ones(n, np.int64) if counts is None else counts),
        pa.array(events.number[rows]),
        pa.array(events.offset[rows]),
        column(events, rows, w.QID).fill_null("") if texts is None else texts,
    ]
    return pa.Table.from_arrays(columns, schema=LOSSES)


def _recipients(events: Events, hops: Any, legs: Any, event_hop: Any, which: Any) -> pa.Table | None:
    flags, queued, removed = hops[:, g.H_FLAGS], hops[:, g.H_QUEUED], hops[:, g.H_REMOVED]
    whole = codes.BORN | codes.CLOSED
    gone = (flags & (whole | g.DELETED | g.WAS_REQUEUED) == whole) & (queued >= 0) & (removed >= 0)
    logged = np.bincount(legs[legs[:, g.L_OUTCOME] >= 0, g.L_HOP], minlength=len(hops))
    wanted = np.where(queued >= 0, events.ints[np.maximum(queued, 0), w.N1], 0) if len(events.ints) else logged
    gone &= which & (wanted > logged)
    gone[gone] = events.ints[removed[gone], w.PROGRAM] != w.BARE  # it may have been postsuper(1)'s
    if not gone.any():
        return None
    rows = np.flatnonzero(gone[event_hop])
    kinds = events.ints[rows, w.KIND]
    redirected = rows[(kinds == w.CHECK) & (events.ints[rows, w.N0] == w.DO_REDIRECT)]
    gone[event_hop[redirected]] = False
    rows = rows[kinds == w.DELIVERY]
    original = np.where(events.ints[rows, w.B] >= 0, events.longs[rows, w.OKEY], events.longs[rows, w.RKEY])
    pairs = np.unique(np.stack([event_hop[rows], events.longs[rows, w.RKEY], original], axis=1), axis=0)
    seen = np.bincount(pairs[:, 0], minlength=len(hops))
    gone &= seen < wanted
    short = np.flatnonzero(gone)
    ids = column(events, queued[short], w.QID).to_pylist()
    texts = [
        f"{one}: {wanted[h] - seen[h]} of {wanted[h]} recipients are not in the log"
        for one, h in zip(ids, short.tolist(), strict=True)
    ]
    missing = (wanted - seen)[short].astype(np.int64)
    return _rows(events, "recipients", queued[short], missing, pa.array(texts, pa.string()))
