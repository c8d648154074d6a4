"""A case folder that somebody else handed over: what it holds lies in it.

No link is followed out of it, neither to read what it points to as the case's own nor to write there, and nothing that
is neither file nor folder (a pipe, a device) is opened.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from forensics.case import Case
from forensics.errors import CaseError


def check(case: Case, names: Iterable[str]) -> None:
    """Raises CaseError for a link or special file among `names` (entries of the folder, with all that is below)."""
    for name in sorted(names):
        for place, mode in _entries(case.folder / name):
            if stat.S_ISLNK(mode):
                raise CaseError(
                    f"{place}: is a symbolic link to {str(Path(place).readlink())!r}",
                    expected="a case that holds its files itself",
                    remedy="put the file in the place of the link, if it is the case's",
                )
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise CaseError(f"{place}: is neither a file nor a folder", remedy="take it out of the case")


def _entries(place: Path) -> Iterator[tuple[str, int]]:
    waiting = [str(place)]
    while waiting:
        one = waiting.pop()
        try:
            mode = os.lstat(one).st_mode
        except FileNotFoundError:
            continue
        yield one, mode
        if stat.S_ISDIR(mode):
            with os.scandir(one) as found:
                waiting.extend(sorted((entry.path for entry in found), reverse=True))
