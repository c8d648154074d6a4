"""Evidence that a case holds already: recognised by digest, found again, read as people said it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forensics.case import Case
from forensics.errors import EvidenceError, VerificationFailed
from forensics.progress import Meter

if TYPE_CHECKING:
    from forensics.casefile import SourceSettings
    from forensics.custody.manifest import EvidenceEntry, Manifest
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
    """Sources whose file the case does not hold yet, and those that it does, each with its evidence. A copy whose name
    tells another date than that by which the year is known is looked at as if it were new: it may tell another year."""
    if known is None:
        return list(sources), []
    from forensics.custody import evidence, manifest

    by_place = {(one.file_sha256, place.member, place.index): one for one in known.evidence for place in one.locations}
    new, named = [], []
    meter = Meter(progress, "known", sum(source.weight for source in sources))
    for source in sources:
        place = manifest.location(case, source)
        part = meter.of(source.name, source.weight)
        one = by_place.get((evidence.file_digest(source.file, passed=part.add)[0], place.member, place.index))
        part.finish()
        if one is None or _otherwise_dated(one, source.name):
            new.append(source)
        else:
            named.append((source, one))
    return new, named


def _otherwise_dated(one: EvidenceEntry, name: str) -> bool:
    from forensics.loaders import years

    by = one.notes.get("year", {}).get("by")
    if by is None or by == "setting" or name in one.names:
        return False
    date = years.date_in(name)
    return date is not None and date not in {years.date_in(other) for other in one.names}


def per_file_settings(case: Case, known: Manifest | None, new: Sequence[Any] = ()) -> tuple[SourceSettings, ...]:
    """What people have said earlier, by options, about single files of the case: not of a `new` one that only bears the
    name of one of these. What case.toml said then, it says now, or no longer."""
    if not known:
        return ()
    from forensics.casefile import SourceSettings
    from forensics.loaders.settings import Settings

    try:
        written = Settings(sources=tuple(SourceSettings(**one) for one in known.settings.get("sources", ())))
    except (TypeError, ValueError) as error:
        raise VerificationFailed(f"manifest.json: the sources among its settings were altered ({error})") from None
    settings: list[SourceSettings] = []
    for one in known.evidence:
        year, timezone = written.for_source(one.names[0])
        years, zones = one.notes.get("year", {}), one.notes.get("timezone", {})
        first = years.get("first") if years.get("by") == "setting" and year is None else None
        zone = zones.get("name") if zones.get("by") == "setting" and timezone is None else None
        named = {*one.names, *(place.path for place in one.locations)}
        if first is not None or zone is not None:
            named -= {source.name for source in new if source.name in named and not _continues(case, one, source)}
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


def reopen(
    case: Case,
    known: Manifest | None,
    new: Sequence[Any] = (),
    named: Sequence[tuple[Any, EvidenceEntry]] = (),
) -> list[tuple[Any, str]]:
    """Sources of the evidence that the case holds, each with its id, under the names that they were given, unless one
    of `new` bears it now. What is no longer where it was may be among those `named` now. Raises EvidenceError when a
    file is nowhere."""
    if known is None:
        return []
    from forensics.custody import manifest, places

    taken = {source.name for source in new}
    given = {one.id: source for source, one in named}
    sources: list[tuple[Any, str]] = []
    for one in known.evidence:
        found = list(places.located(case, one))
        if not found and one.id in given and places.given(case, one.locations[0]) not in taken:
            found = [(one.locations[0], given[one.id])]
        if not found:
            raise EvidenceError(
                f"{one.names[0]}: is no longer at {manifest.path_of(case, one.locations[0])}",
                expected="known evidence, which is read again together with the new",
                remedy="put it back, name it (a file, or the address of an object) where it lies now, too, or ingest "
                "everything into a new case",
            )
        for place, source in found:
            at = replace(source, path=places.given(case, place), stored=source.file)
            sources.append((source if at.name in taken else at, one.id))
    return sources


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
        remedy="find out who changed it; `missent verify` says what else did",
    )
