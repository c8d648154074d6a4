"""Messages of two Postfix instances on one host that have one queue id at once: each keeps its own records.

Instances have queues of their own. Short ids are made of the microsecond and the inode, so that two file systems may
give the same one. Instances are told by the names under which queue managers log; a service may log under yet another
name (`-o syslog_name=` in master.cf(5)), and then its records of such an id are nobody's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.loaders.postfix.events import Events
from forensics.native.postfix import instances as kernels
from forensics.native.postfix import words as w

HOSTS = 64
"""Hosts among which it is looked for at little cost."""
_Said = tuple[bytes, int | None]


def parted(events: Events) -> Events:
    """The events, those of one queue id and several messages with a key for each message. They are marked as ones that
    may go on elsewhere, since what is nobody's can only be told from the rest where all of them are there."""
    queued = np.flatnonzero(events.kinds == w.QUEUED)
    if not kernels.several(events.buffer, events.ints, queued, np.zeros((HOSTS, 2), np.uint64)):
        return events
    rows = np.flatnonzero((events.longs[:, w.KEY] != 0) & (events.ints[:, w.QID] >= 0))
    names, told = np.empty(len(rows), np.uint64), np.empty(len(rows), np.bool_)
    kernels.names(events.buffer, events.ints, rows, names, told)
    told &= np.isin(names, names[events.kinds[rows] == w.QUEUED])
    longs, edge = events.longs, events.edge
    for some in _of_several(longs[rows, w.KEY], names, told):
        of = _messages(events, rows[some], names[some], told[some])
        if len(set(of.values())) > 1:
            longs, edge = (longs.copy(), edge.copy()) if longs is events.longs else (longs, edge)
            edge[rows[some]] = True
            mine = some[told[some]]
            marks = np.array([of[name] for name in names[mine].tolist()], np.uint64)
            longs[rows[mine], w.KEY] ^= marks.astype(np.int64)
    return events if longs is events.longs else replace(events, longs=longs, edge=edge)


def _of_several(keys: NDArray[np.int64], names: NDArray[np.uint64], told: NDArray[np.bool_]) -> list[Any]:
    """Places of the events of each key that has several of the names that are told."""
    some = np.flatnonzero(told)
    some = some[np.lexsort((names[some], keys[some]))]
    key, name = keys[some], names[some]
    wanted = np.unique(key[1:][(key[1:] == key[:-1]) & (name[1:] != name[:-1])])
    order = np.argsort(keys, kind="stable")
    starts, ends = (np.searchsorted(keys[order], wanted, side) for side in ("left", "right"))
    return [order[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def _messages(events: Events, rows: Any, names: Any, told: Any) -> dict[int, int]:
    """For each name the least one that has the same message: whose queue manager says the same sender and size, as one
    does that was given another name meanwhile."""
    said: dict[int, set[_Said]] = {}
    for row, name in zip(rows[told].tolist(), names[told].tolist(), strict=True):
        said.setdefault(name, set())
        kind, size = events.ints[row, w.KIND], events.ints[row, w.N0]
        if kind in (w.QUEUED, w.EXPIRED):
            start, end = events.ints[row, w.A : w.A + 2]
            sender = bytes(events.buffer[start:end]).lower()
            said[name].add((sender, int(size) if kind == w.QUEUED else None))
    of: dict[int, int] = {}
    for name in sorted(said):
        same = (one for one in sorted(of) if of[one] == one and _one_message(said[one], said[name]))
        of[name] = next(same, name)
        said[of[name]] |= said[name]
    return of


def _one_message(some: set[_Said], others: set[_Said]) -> bool:
    """Whether any of them agree; where a message expires its size is not said."""
    return any(a == b or (a[0] == b[0] and None in (a[1], b[1])) for a in some for b in others)
