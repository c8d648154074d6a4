"""Which code made a result: what is kept of an ingest holds for this code alone, and workers must have the same."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

_ROOMS = ("custody", "ingest", "loaders", "native", "stitch", "wraps")
"""Whatever shapes hops, legs and surveys lies in these, or below them."""


@cache
def digest() -> str:
    """SHA-256 of the sources that shape what an ingest keeps, and of the version of Arrow that writes it."""
    package = Path(__file__).parents[1]
    found = hashlib.sha256(f"pyarrow {metadata.version('pyarrow')}\n".encode())
    paths = [*package.glob("*.py"), *(path for room in _ROOMS for path in (package / room).rglob("*.py"))]
    for path in sorted(paths):
        content = path.read_bytes()
        found.update(f"{path.relative_to(package).as_posix()}\0{len(content)}\0".encode() + content)
    return found.hexdigest()
