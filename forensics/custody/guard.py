"""A case folder that somebody else handed over: what it holds lies in it.

No link is followed out of it, neither to read what it points to as the case's own nor to write there, nothing that
is neither file nor folder (a pipe, a device) is opened, and no folders are gone down that nest without end.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from forensics.case import Case
from forensics.errors import CaseError

DEEPEST = 64
"""Folders in folders."""


def check(case: Case, names: Iterable[str]) -> None:
    """Raises CaseError for a link or special file among `names` (entries of the folder, with all that is below), and
    for folders that nest deeper than any that Missent makes."""
    if case.folder.is_file():
        raise CaseError(f"{case.folder}: is a file, not a case", expected="the folder of a case")
    for name in sorted(names):
        for place, mode, depth in _entries(case.folder / name):
            if depth > DEEPEST:
                raise CaseError(
                    f"{case.folder / name}: holds folders in folders, {depth:,} deep",
                    expected=f"no more than {DEEPEST}",
                    remedy="take them out of the case",
                )
            if stat.S_ISLNK(mode):
                raise CaseError(
                    f"{place}: is a symbolic link to {str(Path(place).readlink())!r}",
                    expected="a case that holds its files itself",
                    remedy="put the file in the place of the link, if it is the case's",
                )
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise CaseError(f"{place}: is neither a file nor a folder", remedy="take it out of the case")


def _entries(place: Path) -> Iterator[tuple[str, int, int]]:
    """(path, mode, how deep it lies)."""
    waiting = [(str(place), 0)]
    while waiting:
        one, depth = waiting.pop()
        try:
            mode = os.lstat(one).st_mode
        except FileNotFoundError:
            continue
        yield one, mode, depth
        if stat.S_ISDIR(mode):
            with os.scandir(one) as found:
                waiting.extend(sorted(((entry.path, depth + 1) for entry in found), reverse=True))
