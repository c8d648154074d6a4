"""What is kept of all hops until everything was read, to find messages that belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.ingest.batches import Batch
from forensics.loaders import load
from forensics.native import codes
from forensics.stitch.journeys import HopLegKeys

Longs = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Rows = Callable[[int], tuple[pa.Table, pa.Table]]
"""Hops and legs of a batch by its number."""
OF_PART = (
    "host", "queue_id", "message_id", "sender", "size_bytes", "recipient_count", "first_at", "last_at", "born",
    "closed",
)  # fmt: skip
"""What is compared of parts of a message."""


@dataclass(frozen=True)
class Some:
    """Hops of one batch."""

    batch: int
    id: Hashes
    who: Hashes
    """Id, Message-ID and sender; 0 where one is missing."""
    whole: NDArray[np.bool_]
    """Nothing is missing: birth and removal, Message-ID, sender and a recipient are there."""
    twice: Longs
    """Hops of which a record is there twice."""


@dataclass
class Hops:
    """What is kept of all hops until everything was read (17 bytes each, 8 of them shared with `JoinIndex`)."""

    some: list[Some] = field(default_factory=list)
    strays: list[pa.Table] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    batches: int = 0

    def add(self, batch: Batch, keys: HopLegKeys, strays: pa.Table | None) -> None:
        """The hops of one batch, in the order of batches, and those that are too little to count."""
        if hasattr(load(batch.loader), "statements"):
            self.names.update(batch.hosts)
            if strays is not None and len(strays):
                self.names.update(name for name in strays["host"].unique().to_pylist() if name)
                self.strays.append(strays.select(OF_PART))
            both = codes.BORN | codes.CLOSED
            who = _who(keys)
            complete = np.zeros(len(who), np.bool_)
            complete[keys.hop] = True
            complete &= ((keys.flags & both) == both) & (who != 0)
            self.some.append(Some(self.batches, keys.id, who, complete, np.array(batch.twice, np.int64)))
        self.batches += 1


def _who(keys: HopLegKeys) -> Hashes:
    with np.errstate(over="ignore"):
        mixed = (keys.id * np.uint64(3) ^ keys.msgid) * np.uint64(0x9E3779B97F4A7C15) ^ keys.sender
    return np.where((keys.id != 0) & (keys.msgid != 0) & (keys.sender != 0), mixed, np.uint64(0))


def among(values: Hashes, ordered: Hashes) -> Longs:
    """Places of the values that are among the ordered ones."""
    if not len(ordered):
        return np.zeros(0, np.int64)
    at = np.searchsorted(ordered, values).clip(max=len(ordered) - 1)
    return np.flatnonzero(ordered[at] == values)
