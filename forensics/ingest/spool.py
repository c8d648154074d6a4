"""Batches by number while an ingest joins them: the first in memory, the others from the files where they lie."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, fields
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.ingest import batches
from forensics.ingest.batches import Batch, Tables
from forensics.stitch.journeys import HopLegKeys

MEMORY = 96 << 20
"""Bytes of hops and legs kept in memory."""
KEYS = 48 << 20
"""Bytes of keys."""
CACHED = 6
"""Batches from files held at once while rows are written."""


@dataclass(frozen=True)
class Placed:
    """A batch, where it lies, and which evidence of the case its members are. Plain values: it may be sent to a
    worker."""

    batch: Batch
    folder: Path
    members: tuple[int, ...]

    @property
    def place(self) -> Path:
        return self.folder / self.batch.name

    @property
    def evidence(self) -> NDArray[np.int32]:
        return np.array(self.members, np.int32)


class Batches:
    """(hops, legs) and keys by number, in the order they were added."""

    def __init__(self, memory: int = MEMORY, of_keys: int = KEYS) -> None:
        self.placed: list[Placed] = []
        self._room, self._room_of_keys = memory, of_keys
        self._rows: dict[int, tuple[pa.Table, pa.Table]] = {}
        self._keys: dict[int, HopLegKeys] = {}
        self._cache: OrderedDict[int, tuple[pa.Table, pa.Table]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.placed)

    def add(self, one: Placed, made: Tables | None = None) -> None:
        """`made`: what was written of it, where it was written here."""
        number = len(self.placed)
        self.placed.append(one)
        if made is None:
            return
        size = made.hops.nbytes + made.legs.nbytes
        if size <= self._room:
            self._room -= size
            self._rows[number] = tuple(batches.of_evidence(table, one.evidence) for table in (made.hops, made.legs))
        self._hold(number, made.keys)

    def _hold(self, number: int, keys: HopLegKeys) -> None:
        size = sum(getattr(keys, f.name).nbytes for f in fields(HopLegKeys))
        if size <= self._room_of_keys:
            self._room_of_keys -= size
            self._keys[number] = keys

    def load(self, number: int) -> tuple[pa.Table, pa.Table]:
        """Hops and legs."""
        found = self._rows.get(number)
        if found is not None:
            return found
        with self._lock:
            if number in self._cache:
                self._cache.move_to_end(number)
                return self._cache[number]
        one = self.placed[number]
        pair = batches.rows(one.place, one.evidence)
        with self._lock:
            self._cache[number] = pair
            while len(self._cache) > CACHED:
                self._cache.popitem(last=False)
        return pair

    def keys(self, number: int) -> HopLegKeys:
        """The keys."""
        found = self._keys.get(number)
        if found is None:
            found = batches.keys(self.placed[number].place)
            self._hold(number, found)
        return found

    def take_keys(self, number: int) -> HopLegKeys:
        """The keys, which are not held any longer."""
        found: Any = self._keys.pop(number, None)
        return batches.keys(self.placed[number].place) if found is None else found
