"""Evidence in, deliveries out: survey every file, read all blocks in parallel, join, write the case's tables."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from forensics import loaders, store, wraps
from forensics.case import Case
from forensics.custody import evidence as custody
from forensics.errors import EvidenceChanged, EvidenceError, MachineError
from forensics.ingest import allocator as memory
from forensics.ingest import copies, overlap, remarks, spool
from forensics.ingest import deliveries as writing
from forensics.ingest import survey as surveying
from forensics.ingest.hops import Hops
from forensics.ingest.survey import Begun, Progress, Surveyed
from forensics.loaders import timing
from forensics.loaders.base import STATEMENTS, Example, ScanContext, Settings, Survey
from forensics.stitch import journeys

if TYPE_CHECKING:
    from forensics.custody.evidence import Source

_Joined = tuple[pa.Table, pa.Table, journeys.HopLegKeys, pa.Table | None, pa.Table | None]
"""Hops, legs, their keys, stray hops, losses."""
SMALL = 48 << 20
"""An evidence up to this size is read as one piece of work; larger ones block by block."""
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
    """Parquet files written, relative to the case folder, sorted."""


@dataclass(frozen=True)
class _Piece:
    """What one piece of work came to."""

    records: int
    used: int
    ignored: Mapping[str, int]
    unread: pa.Table
    hops: pa.Table
    legs: pa.Table
    parts: journeys.HopLegKeys
    fragments: pa.Table | None
    size: int
    examples: tuple[Example, ...]
    losses: tuple[pa.Table, ...]
    noted: tuple[str, ...]


@dataclass
class _Account:
    """The running sum of one evidence."""

    records: int = 0
    used: int = 0
    unread: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    remarks: remarks.Remarks = field(default_factory=remarks.Remarks)

    def add(self, piece: _Piece) -> None:
        self.records += piece.records
        self.used += piece.used
        self.unread += len(piece.unread)
        for kind, count in piece.ignored.items():
            self.ignored[kind] = self.ignored.get(kind, 0) + count
        self.remarks.add(piece.examples, None, piece.noted)
        for losses in piece.losses:
            self.remarks.add((), losses, ())


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
    workers: int | None = None,
    progress: Progress | None = None,
    begun: Begun | None = None,
) -> T:
    """Read all `sources` and write `deliveries/` and `unread/` of the case anew: the tables are a function of the
    evidence. What was detected in the old ones goes with them.

    `executor` runs the work (default: threads, `workers` of them, default one for each processor). The result depends
    on neither, nor on the order of `sources`. `then` is called with it when the tables stand, and what it gives is
    returned. That a case is changed wholly or not at all is `custody.staging`'s. Raises AmbiguousTime; EvidenceChanged
    when evidence is not the same at the second reading as at the first.
    """
    if executor is None:
        with ThreadPoolExecutor(workers or os.cpu_count() or 1) as threads:
            begun = begun or surveying.begin(sources, settings, threads, progress)
            return ingest_then(
                case, sources, settings, then, executor=threads, workers=workers, progress=progress, begun=begun
            )
    begun = begun or surveying.begin(sources, settings, executor, progress)
    report = progress or _silent
    with _work(case) as work:
        surveyed, skipped = surveying.finish(begun, report)
        evidence, names = surveying.ordered(surveyed)
        with _unchanged(begun, evidence):
            made = _read_all(work, evidence, names, begun.size, executor, workers or os.cpu_count() or 1, report)
        result = replace(made, skipped=tuple(sorted(skipped)))
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
def _unchanged(begun: Begun, evidence: Sequence[Surveyed]) -> Iterator[None]:
    """Raises EvidenceChanged when, at the end or at a failure within, evidence is not what the survey read; another
    failure to read it is the machine's."""

    def check() -> None:
        for one in evidence:
            if not begun.stands(one):
                raise EvidenceChanged(
                    f"{one.source.name}: it changed while it was read: the second reading found another content than "
                    f"the first",
                    remedy="read a copy that nothing writes to, or wait until it is whole",
                )

    try:
        yield
    except Exception as error:
        check()
        if isinstance(error, EvidenceError):
            raise MachineError(error.what, remedy=error.remedy) from error
        raise
    check()


def _read_all(
    work: Path,
    evidence: Sequence[Surveyed],
    names: Mapping[str, tuple[str, ...]],
    size: int,
    executor: Executor,
    width: int,
    report: Progress,
) -> IngestResult:
    """Both tables, made below `work`."""
    duplicates = overlap.duplicates([(e.source, e.loader, e.wrap, e.survey) for e in evidence], size)
    task, read = _read_with_what_it_shows(work, _Task(evidence, duplicates, size, executor, width, report))
    evidence, duplicates = list(task.evidence), dict(task.duplicates)
    ids = [e.digests.content_sha256 for e in evidence]
    written = writing.deliveries(work / "deliveries", read.batches, read.numbers, ids, width, report)
    evidence = [_with_clocks(one, written.apart) for one in evidence]
    unread_files = read.unread.finish()
    results = tuple(
        _account(e, names[e.digests.content_sha256], account, duplicates.get(n), ids)
        for n, (e, account) in enumerate(zip(evidence, read.accounts, strict=True))
    )
    return IngestResult(
        evidence=results,
        skipped=(),
        deliveries=written.rows,
        unread=sum(e.unread for e in results),
        files=tuple(sorted(written.files + unread_files)),
    )


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


def _read_with_what_it_shows(work: Path, task: _Task) -> tuple[_Task, _AllRead]:
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


@dataclass(frozen=True)
class _Task:
    """What is to be read, and how."""

    evidence: Sequence[Surveyed]
    duplicates: Mapping[int, overlap.Duplicates]
    size: int
    executor: Executor
    width: int
    report: Progress
    hosts: Mapping[str, str] = field(default_factory=dict)

    def skip(self, number: int) -> Any:
        return self.duplicates[number].mask if number in self.duplicates else None

    def statements(self, number: int) -> pa.Table:
        """What the records of one evidence say, but those that are known to repeat others."""
        item = self.evidence[number]
        module: Any = loaders.load(item.loader)
        found = []
        for block in custody.blocks(item.source, _cutter(item.survey), size=self.size):
            context = _context(block.offset, item, number, (), self.skip(number), self.hosts)
            found.append(module.statements(module.scan(wraps.unwrap(block, item.wrap), context).events))
        return pa.concat_tables([STATEMENTS.empty_table(), *found])


@dataclass(frozen=True)
class _AllRead:
    """What reading all evidence came to."""

    batches: spool.Batches
    numbers: writing.Numbers
    unread: writing.Unread
    hops: Hops
    accounts: list[_Account]

    def add(
        self, loader: str, hops: pa.Table, legs: pa.Table, parts: journeys.HopLegKeys, strays: pa.Table | None = None
    ) -> None:
        self.batches.add(hops, legs)
        self.numbers.add(parts)
        self.hops.add(loader, hops, parts, strays)


def _all(work: Path, task: _Task) -> _AllRead:
    """Read all evidence."""
    evidence = task.evidence
    shared = overlap.windows([copies.known_as(one, task.hosts).survey for one in evidence])
    fragments = {name: spool.Fragments(work / "fragments" / name) for name in loaders.LOADERS}
    total = sum(e.digests.content_size for e in evidence)
    done = 0
    read = _AllRead(
        spool.Batches(work / "batches"), writing.Numbers(work / "numbers"), writing.Unread(work / "unread"),
        Hops(), [_Account() for _ in evidence],
    )  # fmt: skip
    for account, item in zip(read.accounts, evidence, strict=True):
        account.remarks.add((), item.survey.losses, ())
    for number, piece in _read(task, shared):
        loader = evidence[number].loader
        read.accounts[number].add(piece)
        read.unread.add(piece.unread, evidence[number].digests.content_sha256)
        read.add(loader, piece.hops, piece.legs, piece.parts)
        if piece.fragments is not None:
            fragments[loader].add(piece.fragments)
        done += piece.size
        task.report("read", done, total)
    memory.release()
    for loader, (hops, legs, parts, strays, losses) in _joined(fragments, task.executor, task.width):
        read.add(loader, hops, legs, parts, strays)
        for number, rows in remarks.of_evidence(losses).items():
            read.accounts[number].remarks.add((), rows, ())
    return read


def _read(task: _Task, shared: Sequence[tuple[tuple[int, int], ...]]) -> Iterator[tuple[int, _Piece]]:
    """The pieces of all evidence in order, with a bounded number of them at work ahead."""
    ahead: deque[tuple[int, Future[list[_Piece]]]] = deque()
    for job in _jobs(task, shared):
        ahead.append(job)
        if len(ahead) > task.width:
            number, future = ahead.popleft()
            for piece in future.result():
                yield number, piece
    while ahead:
        number, future = ahead.popleft()
        for piece in future.result():
            yield number, piece


def _jobs(task: _Task, shared: Sequence[tuple[tuple[int, int], ...]]) -> Iterator[tuple[int, Future[list[_Piece]]]]:
    hosts = dict(task.hosts)
    for number, item in enumerate(task.evidence):
        skip = task.skip(number)
        if item.digests.content_size <= SMALL:
            yield (
                number,
                task.executor.submit(_piece_of_all, item, number, shared[number], skip, hosts, task.size),
            )
            continue
        for block in custody.blocks(item.source, _cutter(item.survey), size=task.size):
            context = _context(block.offset, item, number, shared[number], skip, hosts)
            yield number, task.executor.submit(_piece, block, item.loader, item.wrap, context)


def _context(offset: int, item: Surveyed, number: int, shared: Any, skip: Any, hosts: Mapping[str, str]) -> ScanContext:
    survey = item.survey
    start = survey.blocks[offset]
    later = [n for n in survey.blocks.values() if n > start]
    end = min(later) if later else survey.records + 1
    return ScanContext(
        evidence=number,
        number=start,
        plan=survey.plan,
        id=item.digests.content_sha256,
        skip=None if skip is None else skip[start - 1 : end - 1],
        shared=shared,
        hosts=hosts,
    )


def _joined(fragments: Mapping[str, spool.Fragments], executor: Executor, width: int) -> Iterator[tuple[str, _Joined]]:
    """What the fragments of all evidence come to, loader by loader and partition by partition, with a bounded number of
    them at work ahead."""
    ahead: deque[tuple[str, Future[_Joined]]] = deque()
    for name, waiting in fragments.items():
        for table in waiting.partitions():
            ahead.append((name, executor.submit(_join, name, table)))
            if len(ahead) > width:
                loader, future = ahead.popleft()
                yield loader, future.result()
    for loader, future in ahead:
        yield loader, future.result()


def _join(name: str, table: pa.Table) -> _Joined:
    loader = loaders.load(name)
    made = loader.assemble(loader.resume(table), final=True)
    return made.hops, made.legs, journeys.hop_leg_keys(made.hops, made.legs), made.strays, made.losses


def _cutter(survey: Survey) -> Callable[[Any, bool], int]:
    """A split for the second reading of an evidence: where the survey cut it, without looking for record ends again."""
    starts = iter(sorted(survey.blocks)[1:])
    here = 0
    following = next(starts, None)

    def split(data: Any, last: bool) -> int:
        nonlocal here, following
        if following is None or following - here > len(data):
            return len(data) if last else 0
        taken = following - here
        here, following = following, next(starts, None)
        return taken

    return split


def _piece_of_all(
    item: Surveyed, number: int, shared: Any, skip: Any, hosts: Mapping[str, str], size: int
) -> list[_Piece]:
    out = []
    plain = loaders.load(item.loader).split
    for block in custody.blocks(item.source, lambda data, last: wraps.split(data, last, item.wrap, plain), size=size):
        out += _piece(block, item.loader, item.wrap, _context(block.offset, item, number, shared, skip, hosts))
    return out


def _piece(block: custody.Block, loader: str, wrap: wraps.Wrap, context: ScanContext) -> list[_Piece]:
    module = loaders.load(loader)
    scan = module.scan(wraps.unwrap(block, wrap), context)
    made = module.assemble(scan.events, final=False)
    return [
        _Piece(
            records=scan.records,
            used=scan.used,
            ignored=scan.ignored,
            unread=scan.unread,
            hops=made.hops,
            legs=made.legs,
            parts=journeys.hop_leg_keys(made.hops, made.legs),
            fragments=made.fragments,
            size=len(block.data),
            examples=scan.examples,
            losses=tuple(one for one in (scan.losses, made.losses) if one is not None),
            noted=scan.noted,
        )
    ]


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
