"""The host that an event is of, where one host has several names; and what events say, whatever its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.loaders import base
from forensics.loaders.postfix.events import Events, column, text
from forensics.native.postfix import hosts as kernels
from forensics.native.postfix import words as w
from forensics.native.text import hash_of


def key(name: str) -> int:
    """The hash by which a survey knows the host."""
    return int(hash_of(_small(name.encode("utf-8", "backslashreplace"))))


def _small(raw: bytes) -> bytes:
    return bytes(c | 32 if 65 <= c <= 90 else c for c in raw)


def renamed(events: Events, names: Mapping[str, str]) -> Events:
    """The events of hosts in `names` as those of the hosts that these are."""
    of_row = np.empty(len(events.ints), np.uint64)
    kernels.host_hashes(events.buffer, events.ints, of_row)
    new: dict[int, str] = {}
    for one, first in zip(*(part.tolist() for part in np.unique(of_row, return_index=True)), strict=True):
        start, end = events.ints[first, w.HOST : w.HOST + 2]
        name = text(bytes(events.buffer[start:end]))
        if name in names:
            new[one] = names[name]
    return _moved(events, [new.get(one) for one in of_row.tolist()]) if new else events


def other_names(events: Events, rows: NDArray[np.int64]) -> pa.StringArray:
    """The hosts of these events where they are not those that their records name; else null."""
    start = events.ints[rows, w.HOST]
    elsewhere = (start >= 0) & (start > events.ints[rows, w.OFFSET] + events.ints[rows, w.LENGTH])
    return column(events, np.where(elsewhere, rows, -1).astype(np.int32), w.HOST)


def given(events: Events, hosts: pa.Array) -> Events:
    """The events with these hosts, where any is given."""
    return events if hosts.null_count == len(hosts) else _moved(events, hosts.to_pylist())


def _moved(events: Events, hosts: list[str | None]) -> Events:
    """Their names are put behind the buffer, and hosts and keys changed in place."""
    rows = np.array([r for r, name in enumerate(hosts) if name is not None], np.int64)
    places: dict[str, tuple[int, int]] = {}
    more = bytearray()
    for name in {hosts[r]: None for r in rows.tolist()}:
        raw = (name or "").encode()
        at = len(events.buffer) + len(more)
        places[name or ""] = (at, at + len(raw))
        more += raw
    spans = np.array([places[hosts[r] or ""] for r in rows.tolist()], np.int32)
    buffer = np.concatenate([events.buffer, np.frombuffer(bytes(more) + bytes(base.PADDING), np.uint8)])
    starts, ends = np.ascontiguousarray(spans[:, 0]), np.ascontiguousarray(spans[:, 1])
    kernels.move(buffer, events.ints, events.longs, rows, starts, ends)
    return replace(events, buffer=buffer)


def statements(events: Events) -> pa.Table:
    """See `loaders.base.Loader.statements`."""
    count = len(events.ints)
    ids: NDArray[np.uint64] = np.empty(count, np.uint64)
    says: NDArray[np.uint64] = np.empty(count, np.uint64)
    kernels.statements(events.buffer, events.ints, ids, says)
    hosts: Any = column(events, np.arange(count, dtype=np.int32), w.HOST)
    arrays = [events.number, events.longs[:, w.TIME], ids, says, hosts.dictionary_encode()]
    return pa.Table.from_arrays([pa.array(one) for one in arrays], schema=base.STATEMENTS)
