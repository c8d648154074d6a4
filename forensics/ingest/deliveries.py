"""Joined legs into the case's Parquet: sorted, cut by month and size, written in parallel."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from forensics import schema, store
from forensics.ingest import allocator as memory
from forensics.ingest import spool
from forensics.stitch import joining, journeys, plans, row_source, rows, selection

SLICE = store.ROW_GROUP // 4
"""Rows made at a time: what their intermediate copies need stays small."""


class Numbers:
    """What joining needs of every batch, as numbers: the little that is needed of all at once in memory, the rest
    spooled."""

    def __init__(self, folder: Path) -> None:
        self._arrays = spool.Arrays(folder)
        self.indexes: list[selection.JoinIndex] = []

    def add(self, parts: journeys.HopLegKeys) -> None:
        self.indexes.append(selection.join_index(parts))
        self._arrays.add({f.name: getattr(parts, f.name) for f in fields(journeys.HopLegKeys)})

    def select(self) -> selection.Selection:
        """What may be joined; the numbers are given up."""
        chosen = selection.select(self.indexes, lambda n: journeys.HopLegKeys(**self._arrays.take(n)))
        self.indexes = []
        return chosen


Apart = tuple[str, str, int]
"""Two hosts, and how many seconds the clock of the second is ahead."""


@dataclass(frozen=True)
class Written:
    rows: int
    files: list[str]
    apart: list[Apart]


@dataclass(frozen=True)
class _Joined:
    chosen: selection.Selection
    links: journeys.Links
    possible_duplicates: Any
    source: row_source.RowSource
    evidence: tuple[str, ...]


def deliveries(
    fresh: Path,
    batches: spool.Batches,
    numbers: Numbers,
    evidence: Sequence[str],
    width: int,
    report: Callable[[str, int, int], None],
) -> Written:
    """Join all batches and write the deliveries in order below `fresh`; files are named as in the case. Empties
    `numbers`."""
    fresh.mkdir()
    chosen = numbers.select()
    memory.release()
    made = joining.join(chosen)
    links, possible_duplicates = made.links, made.possible_duplicates
    source = row_source.RowSource(batches.load, chosen.hop_starts, chosen.leg_starts)
    final = np.flatnonzero(links.final)
    # rows to write: legs that were joined by their number there, then the rest, counted on
    submitted = np.concatenate([chosen.parts.first[links.head[final]], chosen.rest_first])
    order = np.argsort(submitted, kind="stable")
    submitted = submitted[order]
    items = np.concatenate([final, np.arange(len(chosen.rest)) + len(links.final)]).astype(_small(chosen))[order]
    # eight bytes a row that nobody needs from here on
    chosen = replace(chosen, rest_first=np.zeros(0, np.int64), rest_outcomes=made.rest_outcomes)
    joined = _Joined(chosen, links, possible_duplicates, source, tuple(evidence))
    planned = list(_files(submitted))
    del order, final, submitted
    files = []
    written = 0
    with ThreadPoolExecutor(width) as writers:
        futures: deque[Future[int]] = deque()
        for name, slices in planned:
            files.append(f"deliveries/{name}")
            futures.append(writers.submit(_write, [items[a:b] for a, b in slices], joined, fresh / name))
            if len(futures) > width:
                written += futures.popleft().result()
                report("write", written, len(items))
        while futures:
            written += futures.popleft().result()
            report("write", written, len(items))
    return Written(len(items), files, _apart(made.apart, chosen, source))


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


def _rows(items: Any, j: _Joined) -> pa.Table:
    """The rows of one slice, in order."""
    joined = len(j.links.final)
    items = items.astype(np.int64)
    legs, rest = items[items < joined], items[items >= joined] - joined
    made = [plans.linked(legs, j.chosen, j.links)] if len(legs) else []
    made += [plans.single_leg(rest, j.chosen)] if len(rest) else []
    possible_duplicates = None
    if len(legs) and (j.possible_duplicates[legs] >= 0).any():
        other = plans.linked(np.maximum(j.possible_duplicates[legs], 0), j.chosen, j.links)
        other = replace(other, leg=np.where(j.possible_duplicates[legs] >= 0, other.leg, -1))
        possible_duplicates = plans.concat([other, *(replace(p, leg=np.full(len(p), -1)) for p in made[1:])])
    return rows.deliveries(plans.concat(made), j.source, j.evidence, possible_duplicates)


def _files(submitted: Any) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """(path, slices) of each file: one row group of about ROW_GROUP rows of one UTC month. Equal times stay in one
    slice."""
    if not len(submitted):
        return
    months = submitted.astype("datetime64[us]").astype("datetime64[M]")
    starts = np.flatnonzero(np.concatenate([[True], months[1:] != months[:-1]]))
    for a, b in zip(starts, [*starts[1:], len(months)], strict=True):
        part = 0
        slices: list[tuple[int, int]] = []
        for piece in _slices(submitted, int(a), int(b)):
            if slices and piece[1] - slices[0][0] > store.ROW_GROUP:
                yield f"month={months[a]}/part-{part:05d}.parquet", slices
                part, slices = part + 1, []
            slices.append(piece)
        yield f"month={months[a]}/part-{part:05d}.parquet", slices


def _slices(submitted: Any, a: int, b: int) -> Iterator[tuple[int, int]]:
    while a < b:
        end = min(a + SLICE, b)
        if end < b:
            low = int(np.searchsorted(submitted[a:b], submitted[end], side="left")) + a
            end = low if low > a else int(np.searchsorted(submitted[a:b], submitted[end], side="right")) + a
        yield a, end
        a = end


def _write(slices: Sequence[Any], joined: _Joined, path: Path) -> int:
    table = pa.concat_tables([_rows(items, joined) for items in slices]).unify_dictionaries()
    store.write(table, path, "deliveries")
    return len(table)


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
        code = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(table), np.int32)), pa.array([evidence]))
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
