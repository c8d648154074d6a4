"""Where evidence lies now: the recorded places that still exist.

An object of a store counts as gone where this user has not named its bucket: a case that somebody else made opens no
connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from forensics.case import Case
from forensics.custody import objects
from forensics.custody.discovery import discover
from forensics.custody.entries import EvidenceEntry, Location, location, path_of
from forensics.custody.evidence import plain
from forensics.custody.names import label, undisplay
from forensics.custody.objects import Object
from forensics.custody.sources import Source
from forensics.custody.streams import Place


def recorded(case: Case, evidence: EvidenceEntry) -> Iterator[Source]:
    """The recorded places that still exist; of a file that has grown, the part that was recorded."""
    return (source for _, source in located(case, evidence))


def located(case: Case, evidence: EvidenceEntry) -> Iterator[tuple[Location, Source]]:
    """The same, each with what was recorded of it."""
    for place in evidence.locations:
        path = path_of(case, place)
        if not _reachable(path):
            continue
        found = discover([path])
        for source in found.sources:
            if location(case, source).index == place.index:
                most = None if plain(source) else evidence.content_size
                size = min(source.size, place.size) if place.index is None else source.size
                yield place, replace(source, size=size, most=most)


def unasked(case: Case, evidence: EvidenceEntry) -> str:
    """The address of a bucket that has to be named before what is recorded there is asked for; empty where none has."""
    every = [path_of(case, place) for place in evidence.locations]
    buckets = {one.bucket for one in every if isinstance(one, Object)} - objects.known()
    return f"{objects.SCHEME}{min(buckets)}/" if buckets else ""


def given(case: Case, place: Location) -> str:
    """The path that gave the evidence its name, which year and zone may have been found by; `-` for standard input."""
    path = path_of(case, place)
    if isinstance(path, Path) and path.is_relative_to(case.streams):
        return "-"
    behind = f"!/{label(undisplay(place.member))}" if place.member is not None else ""
    return undisplay(place.name.removesuffix(behind))


def _reachable(path: Place) -> bool:
    if isinstance(path, Object):
        return path.bucket in objects.known()
    try:
        return path.is_file()
    except OSError:  # a path that no file can have
        return False
