"""Files and folders that a person names: what is to be read must be there, what is to be written must not be.

Where a name is wrong, that is said before any work, as a mistake of use: an option that is passed over in silence lets
people believe in a check that was not made, and a file that is overwritten may be somebody's work.
"""

from __future__ import annotations

import os
from pathlib import Path

from forensics.errors import UsageError, naming


def file(option: str, place: Path, expected: str | None = None) -> Path:
    """A file that is to be read. Raises UsageError where there is none."""
    if place.is_dir():
        raise UsageError(f"{option} {place}: is a folder", expected=expected or "a file")
    if not place.exists():
        raise UsageError(f"{option} {place}: there is no such file", expected=expected)
    return place


def found(option: str, place: Path) -> Path:
    """A file or folder that is to be looked at. Raises UsageError where there is neither."""
    if not place.exists():
        raise UsageError(f"{option} {place}: there is no such file or folder")
    return place


def new(option: str, place: Path) -> Path:
    """A file that is to be written. Raises UsageError where something has that name, a dead link too."""
    if os.path.lexists(place):
        raise UsageError(f"{option} {place}: is there already", expected="a new file, so that nothing is lost")
    for above in place.parents:
        if above.exists():
            if not above.is_dir():
                raise UsageError(f"{option} {place}: {above} is a file", expected="a folder above it")
            break
    return place


def write(option: str, place: Path, content: bytes) -> None:
    """Write a `new` file, in folders that are made for it; whole, or not at all. Raises UsageError, OSError."""
    new(option, place)
    with naming(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as out:
            try:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            except BaseException:
                place.unlink(missing_ok=True)
                raise
