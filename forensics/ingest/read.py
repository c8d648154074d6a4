"""Evidence in, deliveries out: survey every file, read all blocks in parallel, join, write the case's tables."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from forensics import engine, store
from forensics.case import Case
from forensics.custody import runs
from forensics.engine import memory as bounds
from forensics.errors import EvidenceError, MachineError
from forensics.ingest import (
    allocator,
    batches,
    copies,
    finished,
    fragments,
    handing,
    kept,
    overlap,
    remarks,
    spool,
    tasks,
    units,
)
from forensics.ingest import deliveries as writing
from forensics.ingest import survey as surveying
from forensics.ingest.batches import Batch
from forensics.ingest.hops import Hops
from forensics.ingest.survey import Begun, Progress, Surveyed
from forensics.ingest.tasks import Task
from forensics.loaders import timing
from forensics.loaders.settings import Settings
from forensics.progress import current
from forensics.stitch import selection

if TYPE_CHECKING:
    from forensics.custody.evidence import Source

AGAIN = 2
"""How often evidence is read again, at most, with what reading it has shown."""
DEFAULTS = Settings()
T = TypeVar("T")


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
    """Inferences: year, zone, clock steps; and what `forensics.ingest.remarks` lists."""


@dataclass(frozen=True)
class IngestResult:
    evidence: tuple[EvidenceResult, ...]
    """In the order that `records.evidence` counts: by first time, then id."""
    skipped: tuple[tuple[str, str], ...]
    """(name, reason) of sources that could not be opened or recognised."""
    deliveries: int
    unread: int
    files: tuple[str, ...]
    """Parquet files of the tables, relative to the case folder, sorted."""
    made_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """`deliveries.Written.made_of`."""
    read: frozenset[str] = frozenset()
    """Ids of evidence that was read, not found as it was kept."""
    kept: str = ""
    """SHA-256 of what says what is kept (`forensics.ingest.kept`)."""
    resumed: int = 0
    """Bytes of content that an ingest had read that was cut short (`forensics.ingest.finished`)."""


@dataclass
class _Account:
    """The running sum of one evidence."""

    records: int = 0
    used: int = 0
    unread: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    remarks: remarks.Remarks = field(default_factory=remarks.Remarks)

    def add(self, member: batches.Account) -> None:
        self.records += member.records
        self.used += member.used
        self.unread += member.unread
        for kind, count in member.ignored.items():
            self.ignored[kind] = self.ignored.get(kind, 0) + count
        losses = batches.losses(member.losses) if member.losses else None
        self.remarks.add(member.examples, losses, member.noted)


def ingest(case: Case, sources: Sequence[Source], settings: Settings = DEFAULTS, **options: Any) -> IngestResult:
    """`ingest_then` without anything more to do."""
    return ingest_then(case, sources, settings, lambda result: result, **options)


def ingest_then(
    case: Case,
    sources: Sequence[Source],
    settings: Settings,
    then: Callable[[IngestResult], T],
    *,
    executor: Executor | None = None,
    elsewhere: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
    begun: Begun | None = None,
    keep: Path | None = None,
    before: kept.Kept | None = None,
    memory: int | None = None,
) -> T:
    """Read all `sources` and write `deliveries/` and `unread/` of the case anew: the tables are a function of the
    evidence. What was detected in the old ones goes with them.

    `executor` runs the work (default: threads, `workers` of them, default one for each processor); with `elsewhere` its
    workers are other processes that see the same folders. The result depends on neither, nor on the order of
    `sources`, nor on what was kept `before`; what this run keeps lies in `keep` (default: in the case), and who gives
    an executor clears it away where the work fails (`finished.undone`). `then` is called with the result when the
    tables stand, and what it gives is returned. That a case is changed wholly or not at all is `custody.staging`'s.
    Raises AmbiguousTime; EvidenceChanged when evidence is not the same at the second reading as at the first;
    MachineError when what decides needs more than `memory` bytes (`engine.memory.enough`).
    """
    keep = keep or case.folder / runs.FOLDER
    if executor is None:
        with finished.undone(keep), engine.executor(workers) as threads:
            begun = begun or surveying.begin(sources, settings, threads, progress)
            return ingest_then(
                case, sources, settings, then, executor=threads, workers=workers, progress=progress, begun=begun,
                keep=keep, before=before, memory=memory,
            )  # fmt: skip
    begun = begun or surveying.begin(sources, settings, executor, progress)
    if elsewhere:  # workers have folders of their own to be in
        case = Case(case.folder.absolute())
    before = before or kept.Kept(keep)
    before = finished.known(replace(before, folder=before.folder.absolute()))
    report = progress or _silent
    with _work(case) as work:
        found = surveying.finish(begun, report)
        evidence, names = surveying.ordered(found.placed)
        width = workers or engine.default_workers()
        task = Task(evidence, {}, begun.size, executor, elsewhere, width, report, before, memory)
        with _told_by_name():
            made, read = _read_all(work, task, names, case)
        state = kept.write(before, found.surveyed, settings, read.units, made.made_of)
        result = replace(made, skipped=tuple(sorted(found.skipped)), kept=state, resumed=read.resumed)
        store.replace(case.deliveries, work / "deliveries")
        store.replace(case.unread, work / "unread")
    for stale in (case.findings, case.incidents, case.correspondents, case.lookalikes, case.detection):
        stale.unlink(missing_ok=True)
    return then(result)


@contextmanager
def _work(case: Case) -> Iterator[Path]:
    """An empty folder on the case's disk for the length of a `with` block."""
    work = case.folder / ".work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _told_by_name() -> Iterator[None]:
    """A failure to read what could be surveyed is the machine's."""
    try:
        yield
    except EvidenceError as error:
        raise MachineError(error.what, remedy=error.remedy) from error


def _read_all(
    work: Path, task: Task, names: Mapping[str, tuple[str, ...]], case: Case
) -> tuple[IngestResult, _AllRead]:
    """Both tables, made below `work`."""
    compared = [(e.source, e.loader, e.wrap, e.survey) for e in task.evidence]
    task = replace(task, duplicates=overlap.duplicates(compared, task.size, task.report))
    task, read = _read_with_what_it_shows(work, task)
    evidence = list(task.evidence)
    ids = [e.digests.content_sha256 for e in evidence]
    hand = None
    if task.elsewhere:
        hand = handing.elsewhere(task.executor, work / "plans", read.batches.placed, ids)
    written = writing.deliveries(
        work / "deliveries", read.batches, read.indexes, read.joined, ids,
        writing.Before(case.deliveries, task.before.made_of), task.decisions(), task.width, hand, task.report,
    )  # fmt: skip
    evidence = [_with_clocks(one, written.apart) for one in evidence]
    unread_files = read.unread.finish()
    results = tuple(
        _account(e, names[e.digests.content_sha256], account, task.duplicates.get(n), ids)
        for n, (e, account) in enumerate(zip(evidence, read.accounts, strict=True))
    )
    made = IngestResult(
        evidence=results,
        skipped=(),
        deliveries=written.rows,
        unread=sum(e.unread for e in results),
        files=tuple(sorted(written.files + unread_files)),
        made_of=written.made_of,
        read=frozenset(read.fresh),
    )
    return made, read


def _with_clocks(one: Surveyed, apart: Sequence[writing.Apart]) -> Surveyed:
    """The evidence with a note on hosts of its own whose clocks differ from others'."""
    said = []
    for host, other, seconds in apart:
        if copies.has_host(one, (host, other)):
            way = "ahead of" if seconds > 0 else "behind"
            said.append(
                f"the clock of host {other} is {abs(seconds):,} s {way} that of {host}, as all their hand-overs show: "
                f"times are those of each host's own stamps"
            )
    return replace(one, survey=timing.noted(one.survey, *said)) if said else one


def _read_with_what_it_shows(work: Path, task: Task) -> tuple[Task, _AllRead]:
    """Read all evidence; and once more with what only the whole of it shows (`copies`), which is rare."""
    read = _all(work, task)
    for _ in range(AGAIN):
        found = copies.look(read.hops, read.batches.load, task.evidence, task.duplicates, task.statements)
        if found is None:
            break
        shutil.rmtree(work)
        work.mkdir()
        noted = [timing.noted(one.survey, *found.noted.get(n, ())) for n, one in enumerate(task.evidence)]
        hosts = {name: found.hosts.get(other, other) for name, other in task.hosts.items()}
        task = replace(
            task,
            evidence=[replace(one, survey=survey) for one, survey in zip(task.evidence, noted, strict=True)],
            duplicates=found.duplicates,
            hosts={**hosts, **found.hosts},
        )
        read = _all(work, task)
    return task, read


def _silent(step: str, done: int, total: int) -> None:
    """No progress wanted."""


@dataclass
class _AllRead:
    """What reading all evidence came to. `units`: each with its batch; `joined`: batches at the end that were joined
    from fragments; `rows`: hops and legs of all; `fresh`: ids of evidence that was read, not found as it was kept;
    `resumed`: `IngestResult.resumed`."""

    batches: spool.Batches
    unread: writing.Unread
    hops: Hops
    accounts: list[_Account]
    indexes: list[selection.JoinIndex] = field(default_factory=list)
    units: list[tuple[Sequence[units.Part], Batch]] = field(default_factory=list)
    joined: int = 0
    rows: int = 0
    fresh: set[str] = field(default_factory=set)
    resumed: int = 0


def _all(work: Path, task: Task) -> _AllRead:
    """Read all evidence."""
    evidence = task.evidence
    total = sum(e.digests.content_size for e in evidence)
    done = 0
    read = _AllRead(spool.Batches(), writing.Unread(work / "unread"), Hops(), [_Account() for _ in evidence])
    for account, item in zip(read.accounts, evidence, strict=True):
        account.remarks.add((), item.survey.losses, ())
    for unit, (batch, made), found in tasks.outcomes(task):
        placed = spool.Placed(batch, task.before.folder, tuple(number for number, _ in unit))
        parts = [part for _, part in unit]
        size = sum(part.size for part in parts)
        read.units.append((parts, batch))
        resumed = found and batch.name in task.before.finished
        if resumed:
            read.resumed += size
        elif not found:
            finished.add(task.before, parts, batch)
        if resumed or not found:
            read.fresh.update(part.item.digests.content_sha256 for part in parts)
        _take(read, placed, made, task)
        for (number, _), member in zip(unit, batch.members, strict=True):
            read.accounts[number].add(member)
        for member_number, table in _unread(placed, made):
            read.unread.add(table, evidence[unit[member_number][0]].digests.content_sha256)
        done += size
        current(task.report, unit[-1][1].item.source.name)
        task.report("read", done, total)
    allocator.release()
    task.report("join", 0, 0)
    everything = tuple(range(len(evidence)))
    for batch, made in fragments.joined(
        work / "joined", read.batches.placed, task.executor, task.width, task.elsewhere
    ):
        placed = spool.Placed(batch, work / "joined", everything)
        _take(read, placed, made, task)
        read.joined += 1
        for number, rows in remarks.of_evidence(_optional(placed, made, "losses")).items():
            read.accounts[number].remarks.add((), rows, ())
    return read


def _take(read: _AllRead, placed: spool.Placed, made: batches.Tables | None, task: Task) -> None:
    read.batches.add(placed, made)
    read.rows += placed.batch.hops + placed.batch.legs
    bounds.enough(read.rows, task.width, task.memory)
    keys = made.keys if made is not None else read.batches.keys(len(read.batches) - 1)
    read.indexes.append(selection.join_index(keys))
    read.hops.add(placed.batch, keys, _optional(placed, made, "strays"))


def _optional(placed: spool.Placed, made: batches.Tables | None, kind: str) -> pa.Table | None:
    if made is None:
        return batches.optional(placed.place, kind)
    found: pa.Table | None = getattr(made, kind)
    return found


def _unread(placed: spool.Placed, made: batches.Tables | None) -> Iterator[tuple[int, pa.Table]]:
    """(member, its unread records), in order."""
    table = _optional(placed, made, "unread") if placed.batch.unread else None
    if table is not None:
        for member in sorted(table["member"].unique().to_pylist()):
            yield member, table.filter(pc.equal(table["member"], member)).drop_columns("member")


def _account(
    item: Surveyed,
    names: tuple[str, ...],
    account: _Account,
    duplicates: overlap.Duplicates | None,
    ids: Sequence[str],
) -> EvidenceResult:
    records, used, unread = account.records, account.used, account.unread
    ignored = dict(sorted(account.ignored.items()))
    if records != used + sum(ignored.values()) + unread or records != item.survey.records:
        raise AssertionError(
            f"{item.source.name}: {records} records (surveyed {item.survey.records}) are not {used} used "
            f"+ {sum(ignored.values())} ignored + {unread} unread"
        )
    runs = () if duplicates is None else tuple((a, n, ids[e], b) for a, n, e, b in duplicates.runs)
    return EvidenceResult(
        id=item.digests.content_sha256,
        names=names,
        source=item.source,
        loader=item.loader,
        file_sha256=item.digests.file_sha256,
        file_size=item.digests.file_size,
        content_size=item.digests.content_size,
        records=records,
        used=used,
        ignored=ignored,
        unread=unread,
        duplicates=ignored.get("duplicate", 0),
        duplicate_of=runs,
        first=item.survey.first,
        last=item.survey.last,
        damage=item.digests.damage,
        notes=_notes(item.survey.notes, account.remarks.notes()),
    )


def _notes(survey: Mapping[str, Any], said: Mapping[str, Any]) -> Mapping[str, Any]:
    """The survey's notes and what the reading found."""
    noted = sorted({*survey.get("noted", ()), *said.get("noted", ())})
    return {**survey, **said, **({"noted": noted} if noted else {})}
