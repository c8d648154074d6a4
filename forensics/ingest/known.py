"""Evidence that a case holds already: recognised by digest, found again, read as people said it should be."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.case import Case
from forensics.errors import EvidenceError, MissentError, UsageError, VerificationFailed
from forensics.progress import Meter

if TYPE_CHECKING:
    from forensics.casefile import SourceSettings
    from forensics.custody.manifest import EvidenceEntry, Location, Manifest
    from forensics.custody.sources import Source
    from forensics.progress import Progress


def read_manifest(case: Case) -> Manifest | None:
    """The manifest of the case; None for a case without evidence, for which nothing more is imported here."""
    if not case.manifest.exists():
        return None
    from forensics.custody import manifest

    return manifest.read(case)


def split_new_and_known(
    case: Case, known: Manifest | None, sources: Sequence[Any], progress: Progress | None = None
) -> tuple[list[Any], list[tuple[Any, EvidenceEntry]]]:
    """Sources whose file the case does not hold yet, and those that it does, each with its evidence (several, where a
    log was known before it grew and was packed). A copy whose name
    tells another date than that by which the year is known is looked at as if it were new: it may tell another year."""
    if known is None:
        return list(sources), []
    from forensics.custody import evidence, manifest

    by_place: dict[tuple[str, str | None, int | None], list[EvidenceEntry]] = {}
    for one in known.evidence:
        for key in {(one.file_sha256, place.member, place.index) for place in one.locations}:
            by_place.setdefault(key, []).append(one)
    new, named = [], []
    meter = Meter(progress, "known", sum(source.weight for source in sources))
    for source in sources:
        place = manifest.location(case, source)
        part = meter.of(source.name, source.weight)
        file_sha256 = evidence.file_digest(source.file, passed=part.add)[0]
        part.finish()
        found = by_place.get((file_sha256, place.member, place.index), [])
        if not found or any(_otherwise_dated(one, source.name) for one in found):
            new.append(source)
        else:
            named += [(source, one) for one in found]
    return new, named


def _otherwise_dated(one: EvidenceEntry, name: str) -> bool:
    from forensics.loaders import years

    by = one.notes.get("year", {}).get("by")
    if by is None or by == "setting" or name in one.names:
        return False
    date = years.date_in(name)
    return date is not None and date not in {years.date_in(other) for other in one.names}


def per_file_settings(
    case: Case, known: Manifest | None, new: Sequence[Any] = (), moved: Sequence[Moved] = ()
) -> tuple[SourceSettings, ...]:
    """What people have said earlier, by options, about single files of the case: not of a `new` one that only bears the
    name of one of these. What case.toml said then, it says now, or no longer."""
    if not known:
        return ()
    from forensics.casefile import SourceSettings
    from forensics.custody.told import written as said_then
    from forensics.loaders import years as dating
    from forensics.loaders.settings import Settings

    written = Settings(sources=said_then(known))
    elsewhere = {one.evidence.id: one for one in moved}
    settings: list[SourceSettings] = []
    for one in known.evidence:
        year, timezone = written.for_source(one.names[0])
        years, zones = one.notes.get("year", {}), one.notes.get("timezone", {})
        at = elsewhere.get(one.id)
        told = years.get("by") == "setting"
        if at and at.renamed and years.get("by"):  # a name that tells another date is no reason to read another year
            told |= dating.date_in(at.source.name) != dating.date_in(one.names[0])
        first = years.get("first") if told and year is None else None
        zone = zones.get("name") if zones.get("by") == "setting" and timezone is None else None
        named = {*one.names, *(place.path for place in one.locations)}
        if first is not None or zone is not None:
            named -= {source.name for source in new if source.name in named and not _continues(case, one, source)}
        if at:
            named.add(at.source.name)
        settings += [SourceSettings(file=name, year=first, timezone=zone) for name in sorted(named)]
    return tuple(settings)


def _continues(case: Case, one: EvidenceEntry, source: Any) -> bool:
    """Whether a file is one that the case holds, grown since."""
    from forensics.custody import evidence, manifest

    places = [place for place in one.locations if manifest.path_of(case, place) == source.file.absolute()]
    return any(
        place.size <= source.size and evidence.file_digest(source.file, place.size)[0] == one.file_sha256
        for place in places
    )


def agrees(named: Sequence[tuple[Any, EvidenceEntry]], year: int | str | None, timezone: str | None) -> bool:
    """Whether the evidence named again was read with the year and zone that the options give, if they give any."""
    for _, one in named:
        years, zones = one.notes.get("year"), one.notes.get("timezone")
        if year is not None and years and year != years.get("asked", years.get("first")):
            return False
        if timezone is not None and zones and zones.get("name") != timezone:
            return False
    return True


@dataclass(frozen=True)
class Moved:
    """Evidence that lies elsewhere now: found by its content among what was named. `before`, `now`: its path, for
    display; `renamed`: whether it goes by the name of the file now, since another file bears the one that it had."""

    evidence: EvidenceEntry
    before: str
    now: str
    source: Source
    renamed: bool

    def said(self) -> dict[str, str]:
        """For the custody log."""
        return {"evidence": self.evidence.id, "from": self.before, "to": self.now}


@dataclass(frozen=True)
class Reopened:
    """`sources`: of the evidence that the case holds, each with its id; `new`: what is none of it."""

    sources: Sequence[tuple[Source, str]]
    new: Sequence[Source]
    moved: Sequence[Moved] = ()


def reopen(
    case: Case,
    known: Manifest | None,
    new: Sequence[Source] = (),
    named: Sequence[tuple[Source, EvidenceEntry]] = (),
) -> Reopened:
    """The evidence that the case holds, under the names that it was given, unless another file bears them now.

    What is gone from its place, or has another file there (a log that was rotated), is looked for among what was
    named now, by its content. Raises EvidenceError or VerificationFailed when it is nowhere.
    """
    if known is None:
        return Reopened((), new)
    from forensics.custody import elsewhere, manifest, places

    every = [*new, *(source for source, _ in named)]
    real = _paths()
    handed = {real(source) for source in every}
    given = {one.id: source for source, one in named}
    lying = {one.id: _lying(case, one, handed, given.get(one.id), real) for one in known.evidence}
    lost = {one.id: one for one in known.evidence if lying[one.id][1]}
    at = {id: elsewhere.recorded(given[id], one) for id, one in lost.items() if id in given}
    at |= elsewhere.search(every, {id: one for id, one in lost.items() if id not in at})
    for id, one in lost.items():
        if id not in at:
            raise _nowhere(case, one, lying[id][1][0])
    itself = set(at.values())
    rest = [source for source in new if source not in itself]
    taken = {source.name for source in (*rest, *at.values())}
    sources: list[tuple[Source, str]] = []
    moved: list[Moved] = []
    for one in known.evidence:
        found = list(lying[one.id][0])
        if one.id in at:
            found.append((lying[one.id][1][0], at[one.id]))
        for place, source in found:
            before = replace(source, path=places.given(case, place), stored=source.file)
            renamed = before.name in taken or (source.member is None) != (place.member is None)
            now = source if renamed else before
            sources.append((now, one.id))
            if one.id in at and source is at[one.id]:
                moved.append(Moved(one, place.path, manifest.location(case, source).path, now, renamed))
    return Reopened(sources, rest, moved)


def _lying(
    case: Case, one: EvidenceEntry, handed: Collection[str], given: Source | None, real: Callable[[Source], str]
) -> tuple[Sequence[tuple[Location, Source]], Sequence[Location]]:
    """Where an evidence still lies, and the places where it no longer does: all that it had, where it is at none, and
    those that have another content now.

    Each place is read by the survey that follows, so it is read here only where something tells of a change: it was
    named, or has become shorter, or the content was named elsewhere.
    """
    from forensics.custody import places

    here, lost = [], []
    for place, source in places.located(case, one):
        file = real(source)
        moved = given is not None and real(given) != file
        if (moved or file in handed or _shorter(source, place)) and not _holds(one, place, source):
            lost.append(place)
        else:
            here.append((place, source))
    return here, lost or ([] if here else one.locations)


def _paths() -> Callable[[Source], str]:
    """Gives each file's own path, links of folders resolved, each folder's once: there may be 100,000 files."""
    folder = cache(os.path.realpath)

    def real(source: Source) -> str:
        file = source.file
        return os.path.join(folder(file.absolute().parent), file.name) if isinstance(file, Path) else str(file)  # noqa: PTH118

    return real


def _shorter(source: Source, place: Location) -> bool:
    return place.index is None and source.size < place.size


def _holds(one: EvidenceEntry, place: Location, source: Source) -> bool:
    """Whether the file still is what was recorded; true where only reading its content could tell."""
    from forensics.custody import evidence

    plain = place.index is None and place.container == "plain"
    if not plain and place != one.locations[0]:
        return True
    try:
        digest = evidence.file_digest(source.file, None if _shorter(source, place) else place.size)[0]
    except OSError:  # the survey opens it again, and says why it cannot
        return True
    return digest == (one.id if plain else one.file_sha256)


def _nowhere(case: Case, one: EvidenceEntry, place: Location) -> MissentError:
    from forensics.custody import manifest

    path = manifest.path_of(case, place)
    if not isinstance(path, Path) or not path.is_file() or not path.stat().st_size:
        return EvidenceError(
            f"{one.names[0]}: is no longer at {path}",
            expected="known evidence, which is read again together with the new",
            remedy="put it back, name it (a file, or the address of an object) where it lies now, too, or ingest "
            "everything into a new case",
        )
    return _changed(one.names[0], one.id)


def beside(known: Manifest, named: Sequence[tuple[Source, EvidenceEntry]]) -> Manifest:
    """Of the evidence that was named, and what lies in the same files: a log that was known before it grew."""
    ids = {one.id for _, one in named}
    paths = {place.path for _, one in named for place in one.locations}
    shared = (one for one in known.evidence if one.id in ids or paths & {place.path for place in one.locations})
    return replace(known, evidence=tuple(shared))


def as_files(moved: Sequence[Moved]) -> bool:
    """Whether all that has moved lies in files with the digest that was recorded: not packed since, or anew."""
    from forensics.custody import evidence

    return all(
        one.source.container == one.evidence.container
        and (evidence.plain(one.source) or evidence.file_digest(one.source.file)[0] == one.evidence.file_sha256)
        for one in moved
    )


def at_their_places(case: Case, known: Manifest, reopened: Reopened) -> list[EvidenceEntry]:
    """The evidence of the case, of which some has moved as whole files: all else of it is as it was recorded."""
    from forensics.custody import manifest

    moved = {one.evidence.id: one for one in reopened.moved}
    out = []
    for one in known.evidence:
        if one.id in moved:
            first = moved[one.id].source  # its file is the one whose digest was recorded
            every = [first, *(source for source, id in reopened.sources if id == one.id and source != first)]
            places = tuple(manifest.location(case, source) for source in every)
            one = replace(one, names=tuple(source.name for source in every), locations=places)
        out.append(one)
    return out


def keep_what_was_said(known: Manifest | None, sources: Sequence[SourceSettings], moved: Sequence[Moved]) -> None:
    """Raises UsageError where case.toml says other things of evidence under the name that it goes by now than it said
    under the one before: its times would be others."""
    from forensics.custody.told import written as said_then
    from forensics.loaders.settings import Settings

    written, now = Settings(sources=said_then(known)), Settings(sources=tuple(sources))

    for one in moved:
        name, other = one.evidence.names[0], one.source.name
        before, after = written.said(name), now.said(other)
        differ = [what for what in before if before[what] != after[what]]
        if one.renamed and differ:
            told = ", ".join(f"{what} {before[what] or 'not said'}" for what in differ)
            raise UsageError(
                f"{name} lies at {one.now} now, of which case.toml says other things than it did of {name}: {told}",
                expected="the same for the same content",
                remedy=f"say it of {other} in [[sources]] of case.toml; what is said of {name} is now said of the file "
                "that has its name",
            )


def unchanged(known: Manifest | None, reopened: Sequence[tuple[Any, str]], read: Mapping[str, set[str]]) -> None:
    """`read`: what the sources that were read now came to, by their names, which a file that has grown shares with what
    it was. Raises VerificationFailed where that is not the known evidence, of which the case may have other copies."""
    for source, expected in reopened:
        if expected not in read.get(source.name, {expected}):
            raise _changed(source.name, expected)
    ids = set().union(*read.values())
    for one in known.evidence if known else ():
        if one.id not in ids:
            raise _changed(one.names[0], one.id)


def _changed(name: str, id: str) -> VerificationFailed:
    return VerificationFailed(
        f"{name}: its content is no longer what the case recorded (SHA-256 {id})",
        remedy="if this log was rotated since, name all that it is now in one command (`mail.log*`): known content is "
        "found by its digest, whatever its file is called; else find out who changed it, `missent verify` says what "
        "else did",
    )
