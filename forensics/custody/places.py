"""Where evidence lies now: the recorded places that still exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from forensics.case import Case
from forensics.custody.discovery import discover
from forensics.custody.entries import EvidenceEntry, location, path_of
from forensics.custody.sources import Source


def recorded(case: Case, evidence: EvidenceEntry) -> Iterator[Source]:
    """The recorded places that still exist; of a file that has grown, the part that was recorded."""
    for place in evidence.locations:
        path = path_of(case, place)
        if not _is_file(path):
            continue
        found = discover([path])
        for source in found.sources:
            if location(case, source).index == place.index:
                yield replace(source, size=min(source.size, place.size)) if place.index is None else source


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a path that no file can have
        return False
