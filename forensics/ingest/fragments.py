"""Fragments of all batches, brought together by their keys and made into hops and legs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from forensics import loaders
from forensics.ingest import ahead, allocator, batches
from forensics.ingest.batches import PARTITIONS, Batch, Tables
from forensics.ingest.spool import Placed
from forensics.loaders import letters
from forensics.stitch import journeys

TOGETHER = 24 << 20
"""Bytes of fragments that are joined at a time, at least: smaller partitions go together."""
RELEASE = 64 << 20
"""Bytes after which memory is given back."""
Pieces = Sequence[tuple[Path, tuple[int, ...]]]
"""Batches with fragments: where each lies, and which evidence its members are."""


def joined(
    folder: Path, placed: Sequence[Placed], executor: Executor, width: int, elsewhere: bool
) -> Iterator[tuple[Batch, Tables | None]]:
    """Batches that fragments came to, loader by loader and partition by partition, with a bounded number of them at
    work ahead. Written below `folder`; with `elsewhere` their tables stay there."""
    task = _facts_only if elsewhere else _join
    for loader in loaders.LOADERS:
        pieces = [(one.place, one.members) for one in placed if one.batch.loader == loader and one.batch.fragments]
        size = sum(one.batch.fragments for one in placed if one.batch.loader == loader)
        parts = _together(size) if pieces else ()
        work = ((None, executor.submit(task, folder, loader, pieces, partitions)) for partitions in parts)
        for _, made in ahead.results(work, width):
            yield made
            if size > RELEASE:
                allocator.release()


def _together(size: int) -> Iterator[range]:
    """Partitions that are joined at a time: keys are spread evenly."""
    parts = min(max(size // TOGETHER, 1), PARTITIONS)
    ends = [n * PARTITIONS // parts for n in range(parts + 1)]
    yield from (range(a, b) for a, b in pairwise(ends))


def _facts_only(folder: Path, loader: str, pieces: Pieces, partitions: range) -> tuple[Batch, None]:
    return _join(folder, loader, pieces, partitions)[0], None


def _join(folder: Path, loader: str, pieces: Pieces, partitions: range) -> tuple[Batch, Tables]:
    module = loaders.load(loader)
    tables = [batches.fragments(place, partitions, np.array(members, np.int32)) for place, members in pieces]
    made = letters.told(module.assemble(module.resume(pa.concat_tables(tables)), final=True))
    keys = journeys.hop_leg_keys(made.hops, made.legs)
    tables_ = Tables(loader, (), made.hops, made.legs, keys, strays=made.strays, losses=made.losses)
    return batches.write(folder, f"{loader}-{partitions.start:02d}", tables_), tables_
