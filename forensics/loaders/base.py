"""What a loader is: one folder with these module-level functions, and one line in `LOADERS`.

A loader turns blocks of bytes into events and events into hops and legs; it opens nothing and writes nothing.
`forensics.ingest` calls it in this order:

1. `detect` on the first bytes of every evidence; the loader with the highest confidence (at least 0.5) gets it.
2. `surveyor` → `feed(block)` for every block in order → `result()`: how many records, first and last time, and
   whatever must be known about the whole file before single blocks can be read (years, zones, a CSV header).
3. `scan(block, context)` for every block, in parallel and in any order: events, and an account of every record.
4. `assemble(events, final=False)`: hops and legs that are complete inside the block; the events of all others come
   back as `fragments`, a table that must have the
   column `key` (uint64: equal for all events of one group).
5. `resume(fragments)` → events → `assemble(events, final=True)`: fragments of all blocks of all evidence,
   partitioned by `key`. Fragments arrive in any order; the loader sorts them by what it put into them.

Everything between the steps is picklable, so that the steps can run in threads, processes or on a cluster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from forensics.casefile import SourceSettings

PADDING = 64
"""Zero bytes that must lie behind every block, so that a scanner may look ahead unchecked."""

UNREAD_ROWS = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("raw", pa.binary(), nullable=False),
    ]
)
"""`schema.UNREAD` without `evidence`, which ingest adds."""


@dataclass(frozen=True)
class Settings:
    """What people say about stamps, where the evidence is silent.

    `year` is the year of the first record of a file whose stamps have none; `timezone` an IANA name for stamps
    without an offset (default UTC); `sources` are the per-file entries of case.toml, which win over both.
    """

    year: int | None = None
    timezone: str | None = None
    sources: tuple[SourceSettings, ...] = ()

    def for_source(self, name: str) -> tuple[int | None, str | None]:
        """(year, timezone) for the evidence of this display name: what case.toml says of it wins."""
        year, timezone = self._said(name, "year"), self._said(name, "timezone")
        return self.year if year is None else year, self.timezone if timezone is None else timezone

    def date_order(self, name: str) -> str | None:
        """`dmy` or `mdy` for dates of this evidence that leave it open; None when nobody says."""
        order: str | None = self._said(name, "date_order")
        return order

    def _said(self, name: str, what: str) -> Any:
        """What the first entry of case.toml says that names this evidence and says anything of it."""
        from fnmatch import fnmatchcase

        base = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit("!", 1)[-1]
        said = (getattr(e, what) for e in self.sources if fnmatchcase(name, e.file) or fnmatchcase(base, e.file))
        return next((value for value in said if value is not None), None)


class Block(Protocol):
    """Whole records of one evidence (`forensics.custody.evidence.Block`)."""

    @property
    def data(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Exactly the block's bytes."""

    @property
    def offset(self) -> int:
        """Offset of its first byte in the decompressed content."""

    @property
    def last(self) -> bool: ...


@dataclass(frozen=True)
class Survey:
    """What is known about one evidence before its blocks are read.

    `first`, `last`: earliest and latest time in microseconds UTC, None when no record has one. `blocks`: byte
    offset → number of the first record (1-based) of each block fed, so that blocks can be read in any order.
    `hosts`: stable hashes of the logging hosts seen (two evidence files without a common host cannot hold the same
    line); None when the format has no such thing. `plan`: the loader's own, handed back in `Context.plan`. `notes`:
    what was inferred (year, zone, clock steps), for manifest and report.
    """

    records: int
    first: int | None
    last: int | None
    blocks: Mapping[int, int]
    hosts: frozenset[int] | None = None
    plan: Any = None
    notes: Mapping[str, Any] = field(default_factory=dict)


class Surveyor(Protocol):
    def feed(self, block: Block) -> None: ...

    def result(self) -> Survey:
        """Raises AmbiguousTime when the evidence leaves a year or date order open and no setting decides it."""


@dataclass(frozen=True)
class Context:
    """What `scan` must know beside the block.

    `evidence`: position in this run's ordered evidence list. `number`: 1-based number of the block's first record.
    `skip`: for each record of the block True when it is a duplicate of a record in an earlier evidence (None: none is).
    `shared`: (first, last) microseconds UTC of the times that another evidence of the same host covers too: groups
    with an event in one of them are never complete inside one block.
    """

    evidence: int
    number: int
    plan: Any = None
    skip: np.ndarray[Any, np.dtype[np.bool_]] | None = None
    shared: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Scan:
    """One block's records, all accounted for: records = used + sum(ignored) + unread rows.

    `ignored`: kind → count, for records known and irrelevant (`duplicate` for those in `Context.skip`).
    """

    records: int
    used: int
    ignored: Mapping[str, int]
    unread: pa.Table
    events: Any


@dataclass(frozen=True)
class Assembled:
    """`hops` and `legs` as in `schema.HOPS` and `schema.LEGS` (hop numbers count from 0 in each batch);
    `fragments`: events of groups that are not complete here, with a uint64 column `key`; None when final."""

    hops: pa.Table
    legs: pa.Table
    fragments: pa.Table | None


class Loader(Protocol):
    """One mail system's log format."""

    NAME: str
    """Short name, as `missent formats` prints it and the manifest records it."""

    FORMATS: tuple[tuple[str, str], ...]
    """(name, what) of all that it reads."""

    def detect(self, head: bytes) -> float:
        """Confidence 0-1 that this is ours, from the first 64 KiB of content; cheap, never by file name."""

    def split(self, data: np.ndarray[Any, np.dtype[np.uint8]], last: bool) -> int:
        """Bytes at the start of `data` that are complete records; 0 = need more. With `last`, all of it."""

    def surveyor(self, name: str, settings: Settings) -> Surveyor:
        """`name` is the evidence's display name."""

    def fingerprints(self, block: Block) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """One 64-bit hash for each record of the block, equal for equal bytes: finds records that lie in two files."""

    def scan(self, block: Block, context: Context) -> Scan: ...

    def resume(self, fragments: pa.Table) -> Any:
        """Fragments (of any number of blocks and evidence, in any order) back into events for `assemble`."""

    def assemble(self, events: Any, *, final: bool) -> Assembled:
        """Hops and legs of the events; unless `final`, groups that may go on elsewhere come back as fragments."""


def unread_rows(rows: Sequence[tuple[int, int, int, str, bytes]]) -> pa.Table:
    """(number, offset, length, reason, raw) rows as a table; raw is cut to 4 KiB."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [(), (), (), (), ()]
    arrays = [pa.array(c, f.type) for c, f in zip(columns[:4], UNREAD_ROWS, strict=False)]
    arrays.append(pa.array([bytes(r)[:4096] for r in columns[4]], pa.binary()))
    return pa.Table.from_arrays(arrays, schema=UNREAD_ROWS)
