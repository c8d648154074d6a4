"""What lies in a case folder without being named by the case: no digest covers it, and no command reads it.

Somebody may keep notes there, a system files of its own, and a forger what looks like a part of the case. Which of
these it is nobody can tell, so it is told and fails nothing. Tables, annexes and attestations that the case does not
name, and seals without an entry in the custody log, fail in the checks of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.custody import attested, runs, seal, staging
from forensics.custody.entries import Manifest, path_of
from forensics.custody.names import display


def found(case: Case, inventory: Manifest, entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Their names below the case folder, as people may safely see them, in order. Raises OSError."""
    places = [path_of(case, place) for one in inventory.evidence for place in one.locations]
    named = {one.absolute() for one in places if isinstance(one, Path)}
    for report in seal.recorded(case, entries):
        named |= {report.place.absolute(), seal.beside(report.place).absolute()}
    out = []
    for path in _files(case):
        inside = path.relative_to(case.folder)
        of_a_table = inside.parts[0] in (case.deliveries.name, case.unread.name) and path.suffix == ".parquet"
        if not of_a_table and path.absolute() not in named:
            out.append(display(inside.as_posix()))
    return sorted(out)


def _files(case: Case) -> Iterator[Path]:
    """What is no folder, but for what the case names by name alone and for what has a check of its own. What is kept
    for the next ingest may be deleted at any time, and so may go on to lie there without a name."""
    held = (case.annexes.name, attested.FOLDER, runs.FOLDER, staging.NEXT, staging.BEFORE)
    for path in case.folder.iterdir():
        if path.is_symlink() or not path.is_dir():
            if path.name not in staging.OWN:
                yield path
        elif path.name not in held:
            yield from (one for one in path.rglob("*") if one.is_symlink() or not one.is_dir())
