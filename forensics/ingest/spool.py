"""Tables that wait on disk when memory would not hold them: batches of hops and legs, and fragments by key."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa

from forensics.errors import naming
from forensics.ingest.allocator import release

MEMORY = 192 << 20
"""Bytes of batches kept in memory; later ones go to disk."""
CACHED = 6
"""Batches from disk held at once while rows are written."""
FRAGMENTS = 64 << 20
"""Bytes of fragments kept in memory."""
PARTITIONS = 64
JOINED = 24 << 20
"""Bytes of fragments given back at a time, at least: smaller partitions go together."""


def _save(table: pa.Table, path: Path) -> None:
    with naming(path), pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _load(path: Path) -> pa.Table:
    with pa.OSFile(str(path), "rb") as file:
        return pa.ipc.open_file(file).read_all()


class Batches:
    """(hops, legs) by number, in the order they were added."""

    def __init__(self, folder: Path, memory: int = MEMORY) -> None:
        self._folder = folder
        self._room = memory
        self._items: list[tuple[pa.Table, pa.Table] | None] = []
        self._cache: OrderedDict[int, tuple[pa.Table, pa.Table]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, hops: pa.Table, legs: pa.Table) -> None:
        size = hops.nbytes + legs.nbytes
        if size <= self._room:
            self._room -= size
            self._items.append((hops, legs))
            return
        self._room = 0
        number = len(self._items)
        self._folder.mkdir(parents=True, exist_ok=True)
        _save(hops, self._folder / f"{number}.hops")
        _save(legs, self._folder / f"{number}.legs")
        self._items.append(None)

    def load(self, number: int) -> tuple[pa.Table, pa.Table]:
        item = self._items[number]
        if item is not None:
            return item
        with self._lock:
            if number in self._cache:
                self._cache.move_to_end(number)
                return self._cache[number]
        pair = _load(self._folder / f"{number}.hops"), _load(self._folder / f"{number}.legs")
        with self._lock:
            self._cache[number] = pair
            while len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        return pair


class Arrays:
    """Named arrays by number, in the order they were added."""

    def __init__(self, folder: Path, memory: int = MEMORY // 2) -> None:
        self._folder = folder
        self._room = memory
        self._items: list[dict[str, Any] | None] = []

    def add(self, arrays: dict[str, Any]) -> None:
        size = sum(a.nbytes for a in arrays.values())
        if size <= self._room:
            self._room -= size
            self._items.append(arrays)
            return
        self._room = 0
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{len(self._items)}.npz"
        with naming(path):
            np.savez(path, **arrays)
        self._items.append(None)

    def take(self, number: int) -> dict[str, Any]:
        """The arrays of that number; they are given once."""
        item = self._items[number]
        self._items[number] = None
        if item is not None:
            return item
        with np.load(self._folder / f"{number}.npz") as file:
            return {name: file[name] for name in file.files}


class Fragments:
    """Fragments of one loader, given back in partitions by `key`."""

    def __init__(self, folder: Path, memory: int = FRAGMENTS) -> None:
        self._folder = folder
        self._memory = memory
        self._tables: list[tuple[pa.Table, list[int]]] = []
        """Each ordered by partition, and where each partition ends."""
        self._size = 0
        self._spilled = 0

    def add(self, table: pa.Table) -> None:
        if not len(table):
            return
        # Sorted while it is small: one sort of all that is in memory would miss every cache.
        part = (table["key"].to_numpy() % np.uint64(PARTITIONS)).astype(np.int64)
        table = table.take(pa.array(np.argsort(part, kind="stable")))
        self._tables.append((table, np.cumsum(np.bincount(part, minlength=PARTITIONS)).tolist()))
        self._size += table.nbytes
        if self._size > self._memory:
            self._spill()

    def _parts(self) -> Iterator[pa.Table]:
        """What is in memory, partition by partition."""
        for p in range(PARTITIONS):
            slices = [(table, ends[p - 1] if p else 0, ends[p]) for table, ends in self._tables]
            yield pa.concat_tables([table.slice(low, high - low) for table, low, high in slices])

    def _spill(self) -> None:
        for p, table in enumerate(self._parts()):
            folder = self._folder / str(p)
            folder.mkdir(parents=True, exist_ok=True)
            _save(table, folder / f"{self._spilled}")
        self._spilled += 1
        self._tables, self._size = [], 0

    def _spilt(self) -> Iterator[pa.Table]:
        """What was spilled, partition by partition."""
        for p in range(PARTITIONS):
            yield pa.concat_tables([_load(self._folder / str(p) / str(n)) for n in range(self._spilled)])

    def partitions(self) -> Iterator[pa.Table]:
        """All fragments; those of one key in one table."""
        if not self._spilled and self._size <= JOINED:
            if self._tables:
                yield pa.concat_tables([table for table, _ in self._tables])
            return
        if self._spilled and self._tables:
            self._spill()
        together: list[pa.Table] = []
        size = given = 0
        for table in self._spilt() if self._spilled else self._parts():
            together.append(table)
            size += table.nbytes
            if size >= JOINED:
                yield pa.concat_tables(together)
                given += size
                together, size = [], 0
                if given > FRAGMENTS:
                    release()
                    given = 0
        if together:
            yield pa.concat_tables(together)
