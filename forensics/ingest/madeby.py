"""Which code made a result: what is kept of an ingest holds for this code alone, and workers must have the same."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

_ROOMS = ("custody", "ingest", "loaders", "native", "stitch", "wraps")
"""Whatever shapes hops, legs and surveys lies in these, or below them."""
_LIBRARIES = ("idna", "numpy", "pyarrow")


@cache
def digest() -> str:
    """SHA-256 of the sources that shape what an ingest keeps, and of the versions of what else does: Python (letter
    case), Arrow (which writes it), numpy, and idna (names of domains)."""
    package = Path(__file__).parents[1]
    versions = {name: metadata.version(name) for name in _LIBRARIES}
    found = hashlib.sha256(f"{sys.version_info[:2]} {versions}\n".encode())
    paths = [*package.glob("*.py"), *(path for room in _ROOMS for path in (package / room).rglob("*.py"))]
    for path in sorted(paths):
        content = path.read_bytes()
        found.update(f"{path.relative_to(package).as_posix()}\0{len(content)}\0".encode() + content)
    return found.hexdigest()
