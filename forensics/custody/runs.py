"""What an ingest keeps for the next one, as custody sees it: batches in `CASE/.runs`, and a state that names each with
its digest. The manifest holds the digest of the state; all of it may be deleted at any time.

A case comes from anywhere, with a manifest that fits: no name in a state leads out of the folder, and what is not as
Missent writes it is told, not read.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forensics.custody import canonical

FOLDER = ".runs"
_BATCH, _FILE, _DIGEST = re.compile(r"[0-9a-f]{32}"), re.compile(r"[a-z_]+\.[a-z]+"), re.compile(r"[0-9a-f]{64}")


def state(folder: Path, digest: str) -> Path:
    """The file of the state that has this digest. Raises ValueError for what is no digest."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"{digest!r} is no digest")
    return folder / f"state-{digest[:16]}.json"


def read(folder: Path, digest: str) -> dict[str, Any]:
    """The state of this digest; its `batches` are (keys, name, digest). Raises OSError; ValueError where it is another
    one, or none."""
    place = state(folder, digest)
    if canonical.file_digest(place) != digest:
        raise ValueError("was changed")
    try:
        data = json.loads(place.read_bytes())
        batches = list(listed(data["batches"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"is no state ({type(error).__name__})") from None
    return {**data, "batches": batches}


def listed(batches: Any) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(keys, name, digest) of batches as a state lists them. Raises ValueError, TypeError for what is none."""
    for keys, name, found in batches:
        if not (keys and all(isinstance(key, str) for key in keys)):
            raise ValueError("no keys")
        if not (_BATCH.fullmatch(name) and _DIGEST.fullmatch(found)):
            raise ValueError("no name of a batch")
        yield tuple(keys), name, found


def digest(batch: Path) -> str:
    """SHA-256 over the names and contents of a batch's files. Raises OSError; ValueError where something else lies
    among them."""
    found = hashlib.sha256()
    for path in sorted(batch.iterdir()):
        if not _FILE.fullmatch(path.name) or not path.is_file():
            raise ValueError("what is no file of a batch lies in it")
        found.update(f"{path.name}\n{canonical.file_digest(path)}\n".encode())
    return found.hexdigest()


def faults(folder: Path, recorded: str) -> tuple[int, list[str]]:
    """(batches that are there, what is not as the state says); what was deleted is no fault."""
    if not recorded:
        return 0, []
    try:
        place = state(folder, recorded)
        if not place.exists():
            return 0, []
        batches = read(folder, recorded)["batches"]
    except (OSError, ValueError) as error:
        return 0, [f"{FOLDER}: the state that manifest.json names {_why(error)}"]
    there = [(name, found) for _, name, found in batches if (folder / name).exists()]
    return len(there), [f"{FOLDER}/{name} {why}" for name, found in there if (why := _fault(folder / name, found))]


def _fault(batch: Path, recorded: str) -> str:
    try:
        return "" if digest(batch) == recorded else "was changed"
    except (OSError, ValueError) as error:
        return f"was changed: {_why(error)}"


def _why(error: Exception) -> str:
    return f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
