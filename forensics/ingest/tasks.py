"""What is to be read, and the work of reading it: which units there are, and handing them to workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from forensics import loaders
from forensics.custody import evidence as custody
from forensics.ingest import ahead, batches, copies, kept, madeby, overlap, plainly, units
from forensics.ingest.batches import Batch
from forensics.ingest.survey import Progress, Surveyed
from forensics.loaders.base import STATEMENTS

Numbered = Sequence[tuple[int, units.Part]]
"""A unit: its parts, each with the position of its evidence."""
Made = tuple[Batch, batches.Tables | None]
"""A batch, with its tables where they were made in this process."""
_Job = tuple[tuple[Numbered, int | None, bool], Future[Any]]
"""A unit, which of the results of its work is its own (None: the only one), whether it was kept; and that work."""


@dataclass(frozen=True)
class Task:
    """What is to be read, and how."""

    evidence: Sequence[Surveyed]
    duplicates: Mapping[int, overlap.Duplicates]
    size: int
    executor: Executor
    elsewhere: bool
    width: int
    report: Progress
    before: kept.Kept
    memory: int | None
    hosts: Mapping[str, str] = field(default_factory=dict)

    def statements(self, number: int) -> pa.Table:
        """What the records of one evidence say, but those that are known to repeat others."""
        item = self.evidence[number]
        module: Any = loaders.load(item.loader)
        skip = self.duplicates[number].mask if number in self.duplicates else None
        found = [STATEMENTS.empty_table()]
        for part in units.of_one(item, skip, self.hosts):
            found += [module.statements(scan.events) for scan in units.scans(part, number)]
        return pa.concat_tables(found)

    def decisions(self) -> str:
        """What decides a row beside the records that it is made of."""
        return plainly.digest([madeby.digest(), sorted(self.hosts.items())])


def outcomes(task: Task) -> Iterator[tuple[Numbered, Made, bool]]:
    """All evidence in order, unit by unit, with its batch and whether that was kept before."""
    for (unit, at, found), outcome in ahead.results(_jobs(task), 2 * task.width):
        yield unit, outcome if at is None else outcome[at], found


def _jobs(task: Task) -> Iterator[_Job]:
    shared = overlap.windows([copies.known_as(one, task.hosts).survey for one in task.evidence])
    skip = {number: one.mask for number, one in task.duplicates.items()}
    listed = list(units.parts(task.evidence, skip, shared, task.hosts))
    at = 0
    while at < len(listed):
        known = task.before.unit([part for _, part in listed[at : at + units.BUNDLED]])
        if known is not None:
            count, batch = known
            yield (listed[at : at + count], None, True), _ready((batch, None))
            at += count
            continue
        unit = [listed[at]]
        first = unit[0][1]
        size = first.size
        at += 1
        while (
            at < len(listed)
            and units.fits(first, len(unit), size, listed[at][1])
            and not task.before.begins(listed[at][1])
        ):
            unit.append(listed[at])
            size += listed[at][1].size
            at += 1
        if len(unit) == 1 and not first.whole and not custody.plain(first.item.source):
            several = [unit]
            while at < len(listed) and listed[at][0] == unit[0][0]:
                several.append([listed[at]])
                at += 1
            yield from _of_packed(task, several)
        else:
            yield (unit, None, False), _submit(task, [part for _, part in unit])


def _of_packed(task: Task, several: Sequence[Numbered]) -> Iterator[_Job]:
    """Blocks of packed content, which has to be gone through from its beginning: elsewhere by one worker, here block by
    block to all of them."""
    parts = [unit[0][1] for unit in several]
    if task.elsewhere:
        future = task.executor.submit(_several, task.before.folder, parts)
        yield from (((unit, n, False), future) for n, unit in enumerate(several))
        return
    for unit, block in zip(several, _packed(parts), strict=True):
        yield (unit, None, False), task.executor.submit(units.read, task.before.folder, [unit[0][1]], [block])


def _submit(task: Task, parts: Sequence[units.Part]) -> Future[Any]:
    if task.elsewhere:
        return task.executor.submit(_facts_only, task.before.folder, parts)
    return task.executor.submit(units.read, task.before.folder, parts)


def _facts_only(folder: Path, parts: Sequence[units.Part]) -> Made:
    """What another process tells of a unit: its tables stay on disk."""
    return units.read(folder, parts)[0], None


def _several(folder: Path, parts: Sequence[units.Part]) -> list[Made]:
    return [(units.read(folder, [part], [block])[0], None) for part, block in zip(parts, _packed(parts), strict=True)]


def _packed(parts: Sequence[units.Part]) -> Iterator[custody.Block]:
    """The one block of each of these parts of one evidence."""
    return units.packed(parts[0].item, {part.start for part in parts})


def _ready(outcome: Made) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(outcome)
    return future
