"""Joined legs into the case's Parquet: sorted, cut into slots of time, written in parallel."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from forensics import engine, schema, store
from forensics.columns import coded
from forensics.custody import canonical
from forensics.ingest import ahead, handing, slots, tags
from forensics.ingest import allocator as memory
from forensics.ingest.handing import Plans
from forensics.ingest.spool import Batches
from forensics.stitch import joining, journeys, plans, row_source, selection

Apart = tuple[str, str, int]
"""Two hosts, and how many seconds the clock of the second is ahead."""


@dataclass(frozen=True)
class Before:
    """The files of the case as it was, below `folder`: what each was made of, and its SHA-256, by its name."""

    folder: Path
    made_of: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """`made_of`: `Before.made_of` of the next ingest."""

    rows: int
    files: list[str]
    apart: list[Apart]
    made_of: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class _Joined:
    chosen: selection.Selection
    links: journeys.Links
    possible_duplicates: Any

    def plans(self, items: Any) -> Plans:
        """What the rows of one slice are made of, and of which rows they may be the same."""
        joined = len(self.links.final)
        items = items.astype(np.int64)
        legs, rest = items[items < joined], items[items >= joined] - joined
        made = [plans.linked(legs, self.chosen, self.links)] if len(legs) else []
        made += [plans.single_leg(rest, self.chosen)] if len(rest) else []
        duplicates = None
        doubtful = self.possible_duplicates[legs]
        if len(legs) and (doubtful >= 0).any():
            other = plans.linked(np.maximum(doubtful, 0), self.chosen, self.links)
            other = replace(other, leg=np.where(doubtful >= 0, other.leg, -1))
            duplicates = plans.concat([other, *(replace(p, leg=np.full(len(p), -1)) for p in made[1:])])
        return plans.concat(made), duplicates


def deliveries(
    fresh: Path,
    batches: Batches,
    indexes: list[selection.JoinIndex],
    joined: int,
    evidence: Sequence[str],
    before: Before,
    about: str,
    width: int,
    hand: handing.Hand | None,
    report: Callable[[str, int, int], None],
) -> Written:
    """Join all batches and write the deliveries in order below `fresh`; files are named as in the case.

    `joined`: how many batches at the end were joined from fragments. A file of `before` that is made of the same is
    linked, not written anew; `about` is whatever else decides a row. Files are written here, by `width` threads, or
    where `hand` gives them to. Gives up `indexes` and the keys of `batches`.
    """
    fresh.mkdir()
    with ThreadPoolExecutor(1) as loading:  # the keys of one batch while those of the one before are gone through
        numbers = ((None, loading.submit(batches.take_keys, n)) for n in range(len(batches)))
        chosen = selection.select(indexes, (keys for _, keys in ahead.results(numbers, 1)))
    indexes.clear()
    memory.release()
    made = joining.join(chosen)
    source = row_source.RowSource(batches.load, chosen.hop_starts, chosen.leg_starts)
    final = np.flatnonzero(made.links.final)
    # rows to write: legs that were joined by their number there, then the rest, counted on
    submitted = np.concatenate([chosen.parts.first[made.links.head[final]], chosen.rest_first])
    order = np.argsort(submitted, kind="stable")
    submitted = submitted[order]
    items = np.concatenate([final, np.arange(len(chosen.rest)) + len(made.links.final)]).astype(_small(chosen))[order]
    # eight bytes a row that nobody needs from here on
    chosen = replace(chosen, rest_first=np.zeros(0, np.int64), rest_outcomes=made.rest_outcomes)
    planner = _Joined(chosen, made.links, made.possible_duplicates)
    planned = list(slots.slots(submitted))
    del order, final, submitted
    tagged = tags.Tags(batches, joined, evidence)

    def one(slot: slots.Slot) -> tuple[str, Future[int] | int | str]:
        """What a file is made of, and its rows when they are written; its digest for one that was left as it was."""
        found = [planner.plans(items[a:b]) for a, b in slot.slices]
        made_of = tagged.digest(about, [plan for pair in found for plan in pair])
        known, digest = before.made_of.get(slot.name, ("", ""))
        if known == made_of and _link(before.folder / slot.name, fresh / slot.name, digest):
            return made_of, digest
        if hand is not None:
            return made_of, hand(found, fresh / slot.name)
        return made_of, handing.write(found, source, evidence, fresh / slot.name)

    made_of: dict[str, Sequence[str]] = {}
    written = 0
    threads = min(width, engine.default_workers()) if hand else width
    with ThreadPoolExecutor(threads) as writers:
        work = ((slot, writers.submit(one, slot)) for slot in planned)
        for slot, (about_slot, outcome) in ahead.results(work, 2 * width if hand else width):
            if isinstance(outcome, Future):
                outcome.result()
            digest = outcome if isinstance(outcome, str) else canonical.file_digest(fresh / slot.name)
            made_of[slot.name] = (about_slot, digest)
            written += slot.rows
            report("write", written, len(items))
    files = [f"deliveries/{slot.name}" for slot in planned]
    return Written(len(items), files, _apart(made.apart, chosen, source), made_of)


def _link(old: Path, new: Path, digest: str) -> bool:
    """Give a file of the tables as they were, if it still is what was written, a place among those to come."""
    if not old.is_file() or canonical.file_digest(old) != digest:
        return False
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(old, new)
    except OSError:  # not every file system has links
        shutil.copy2(old, new)
    return True


def _apart(
    pairs: Sequence[tuple[int, int, int]], chosen: selection.Selection, source: row_source.RowSource
) -> list[Apart]:
    """Names of hosts whose clocks differ."""
    if not pairs:
        return []
    numbers = np.array([number for one, other, _ in pairs for number in (one, other)])
    hosts = source.pick(chosen.hops[numbers], False, ("host",))["host"].to_pylist()
    return [(hosts[2 * n], hosts[2 * n + 1], seconds) for n, (_, _, seconds) in enumerate(pairs)]


def _small(chosen: selection.Selection) -> Any:
    return chosen.rest.dtype if len(chosen.rest) else np.int64


class Unread:
    """Unread rows, written in parts as they come, in the order of evidence and number."""

    LIMIT = 32 << 20

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.tables: list[pa.Table] = []
        self.size = 0
        self.files: list[str] = []

    def add(self, table: pa.Table, evidence: str) -> None:
        if not len(table):
            return
        code = coded(np.zeros(len(table), np.int32), [evidence])
        self.tables.append(table.add_column(0, pa.field("evidence", schema.CODE, nullable=False), code))
        self.size += table.nbytes
        if self.size > self.LIMIT:
            self._flush()

    def _flush(self) -> None:
        columns = {f.name: f.type for f in schema.UNREAD}
        tables = [t.set_column(4, "reason", t["reason"].dictionary_encode()) for t in self.tables]
        whole = pa.concat_tables([t.select(list(columns)).cast(schema.UNREAD) for t in tables]).unify_dictionaries()
        name = f"part-{len(self.files):05d}.parquet"
        store.write(whole, self.folder / name, "unread")
        self.files.append(f"unread/{name}")
        self.tables, self.size = [], 0

    def finish(self) -> list[str]:
        """The files, as they will be named in the case."""
        if self.tables:
            self._flush()
        return self.files
