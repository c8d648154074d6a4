"""Evidence in, deliveries out: survey every file, read all blocks in parallel, join, write the case's tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from forensics.case import Case
from forensics.loaders.base import Settings

if TYPE_CHECKING:
    from forensics.custody.evidence import Source

Progress = Callable[[str, int, int], None]
"""progress(step, done, total): step is `survey`, `read`, `join` or `write`; done and total are bytes or rows."""


@dataclass(frozen=True)
class EvidenceResult:
    """One evidence, accounted for: records = used + sum(ignored.values()) + unread."""

    id: str
    """SHA-256 of the decompressed content."""
    names: tuple[str, ...]
    """Every display name under which this content was given, the first in order first."""
    source: Source
    loader: str
    file_sha256: str
    file_size: int
    content_size: int
    records: int
    used: int
    ignored: Mapping[str, int]
    unread: int
    duplicates: int
    """Records that an earlier evidence holds too; also counted in `ignored` as `duplicate`."""
    duplicate_of: tuple[tuple[int, int, str, int], ...]
    """Runs of duplicates: (first number, count, evidence id, first number there)."""
    first: int | None
    last: int | None
    """Earliest and latest time, microseconds UTC."""
    damage: str | None
    """Why the rest of a damaged container could not be read; None when all was read."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """Inferences: year, zone, clock steps."""


@dataclass(frozen=True)
class IngestResult:
    evidence: tuple[EvidenceResult, ...]
    """In the order that `records.evidence` counts: by first time, then id."""
    skipped: tuple[tuple[str, str], ...]
    """(name, reason) of sources that could not be opened or recognised."""
    deliveries: int
    unread: int
    files: tuple[str, ...]
    """Parquet files written, relative to the case folder, sorted."""


def ingest(
    case: Case,
    sources: Sequence[Source],
    settings: Settings = Settings(),
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> IngestResult:
    """Read all `sources` and write `deliveries/` and `unread/` of the case anew (the tables are a function of the evidence).

    `executor` runs the work on blocks (default: threads, `workers` of them, default all processors). The result does not
    depend on either, nor on the order of `sources`. Raises AmbiguousTime.
    """
    raise NotImplementedError  # filled in by the next commit
