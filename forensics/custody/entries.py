"""What manifest.json holds, as values: evidence and its places, skipped inputs, runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from forensics.case import Case
from forensics.custody import objects
from forensics.custody.chain import Head, stamp
from forensics.custody.names import display, undisplay
from forensics.custody.sources import Source
from forensics.custody.streams import Place
from forensics.custody.tables import Table


@dataclass(frozen=True)
class Location:
    """Where a content was found. Paths and member names are in display form (`names.undisplay` gives them back)."""

    name: str
    """As reports print it."""
    path: str
    """Absolute; relative to the case folder for copies of standard input; the address of an object."""
    member: str | None
    index: int | None
    """Position of the member among its archive's files."""
    container: str
    size: int
    """Bytes of the file on disk that were read."""


@dataclass(frozen=True)
class EvidenceEntry:
    """One evidence: records = used + the sum of ignored + unread."""

    id: str
    """SHA-256 of the decompressed content."""
    names: tuple[str, ...]
    locations: tuple[Location, ...]
    loader: str
    container: str
    encoding: str
    file_sha256: str
    """Of the first location's file on disk (for an archive's member: of the archive)."""
    file_size: int
    content_size: int
    records: int
    used: int
    ignored: Mapping[str, int]
    unread: int
    duplicates: int
    duplicate_of: tuple[tuple[int, int, str, int], ...]
    """Runs of records that an earlier evidence holds too: (first number, count, evidence id, first number there)."""
    first: str | None
    last: str | None
    """Earliest and latest stamp, ISO 8601 UTC."""
    damage: str | None
    notes: Mapping[str, Any]
    """How year and zone were found, clock steps."""


@dataclass(frozen=True)
class Skipped:
    name: str
    reason: str


@dataclass(frozen=True)
class RunEntry:
    """One command's circumstances."""

    action: str
    command: tuple[str, ...]
    started: str
    ended: str
    host: str
    user: str
    platform: str
    versions: Mapping[str, str]
    settings_digest: str
    suffix_list_digest: str


@dataclass(frozen=True)
class Manifest:
    """The whole file. `settings` are those of ingest and detection that are not in case.toml."""

    evidence: tuple[EvidenceEntry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    tables: tuple[Table, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    detection_digest: str = ""
    """SHA-256 of detection.json; empty before detection."""
    runs: tuple[RunEntry, ...] = ()
    kept: str = ""
    """SHA-256 of what says what the last ingest kept for the next one (`custody.runs`)."""
    custody: Head = field(default_factory=Head)
    """Head of the custody log when this file was written."""

    @property
    def unseen_domains(self) -> tuple[str, ...]:
        """Domains that were named as the organisation's and of which no delivery has a sender or recipient."""
        return tuple(self.settings.get("unseen_domains", ()))

    def evidence_by_id(self) -> dict[str, EvidenceEntry]:
        return {one.id: one for one in self.evidence}


class IngestedEvidence(Protocol):
    """What ingest tells about one evidence (`forensics.ingest.read.EvidenceResult`)."""

    @property
    def id(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def source(self) -> Source: ...
    @property
    def loader(self) -> str: ...
    @property
    def file_sha256(self) -> str: ...
    @property
    def file_size(self) -> int: ...
    @property
    def content_size(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def used(self) -> int: ...
    @property
    def ignored(self) -> Mapping[str, int]: ...
    @property
    def unread(self) -> int: ...
    @property
    def duplicates(self) -> int: ...
    @property
    def duplicate_of(self) -> tuple[tuple[int, int, str, int], ...]: ...
    @property
    def first(self) -> int | None: ...
    @property
    def last(self) -> int | None: ...
    @property
    def damage(self) -> str | None: ...
    @property
    def notes(self) -> Mapping[str, Any]: ...


def evidence(
    case: Case, results: Iterable[IngestedEvidence], sources: Iterable[Source] = ()
) -> tuple[EvidenceEntry, ...]:
    """Entries for what ingest found, in its order.

    `sources`: all that were discovered, so that the place of every copy is kept.
    """
    known = {source.name: source for source in sources}
    return tuple(_evidence(case, result, known) for result in results)


def _evidence(case: Case, result: IngestedEvidence, known: Mapping[str, Source]) -> EvidenceEntry:
    # A file that has grown bears the name of what it was.
    here = (result.source.file, result.source.index)
    places = [known[name] for name in result.names if name in known]
    copies = [result.source, *(place for place in places if (place.file, place.index) != here)]
    return EvidenceEntry(
        id=result.id,
        names=tuple(result.names),
        locations=tuple(location(case, source) for source in copies),
        loader=result.loader,
        container=result.source.container,
        encoding=str(result.notes.get("encoding", "")),
        file_sha256=result.file_sha256,
        file_size=result.file_size,
        content_size=result.content_size,
        records=result.records,
        used=result.used,
        ignored=dict(sorted(result.ignored.items())),
        unread=result.unread,
        duplicates=result.duplicates,
        duplicate_of=tuple(result.duplicate_of),
        first=_time(result.first),
        last=_time(result.last),
        damage=result.damage,
        notes=dict(result.notes),
    )


def location(case: Case, source: Source) -> Location:
    """Where a source lies, for the manifest."""
    place = source.file.absolute()
    folder = case.folder.absolute()
    inside = isinstance(place, Path) and source.stored is not None and place.is_relative_to(folder)
    return Location(
        name=source.name,
        path=display(Path(str(place)).relative_to(folder).as_posix() if inside else str(place)),
        member=None if source.member is None else display(source.member[:1024]),
        index=source.index,
        container=source.container,
        size=source.size,
    )


def _time(micros: int | None) -> str | None:
    if micros is None:
        return None
    return stamp(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros))


def path_of(case: Case, place: Location) -> Place:
    """The file on disk, or the object, that a location names."""
    path = undisplay(place.path)
    return objects.recorded(path) or case.folder / path
