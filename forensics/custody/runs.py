"""What an ingest keeps for the next one, as custody sees it: batches in `CASE/.runs`, and a state that names each with
its digest. The manifest holds the digest of the state; all of it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from forensics.custody import canonical

FOLDER = ".runs"


def state(folder: Path, digest: str) -> Path:
    """The file of the state that has this digest."""
    return folder / f"state-{digest[:16]}.json"


def digest(batch: Path) -> str:
    """SHA-256 over the names and contents of a batch's files. Raises OSError."""
    found = hashlib.sha256()
    for path in sorted(batch.iterdir()):
        found.update(f"{path.name}\n{canonical.file_digest(path)}\n".encode())
    return found.hexdigest()


def faults(folder: Path, recorded: str) -> tuple[int, list[str]]:
    """(batches that are there, what is not as the state says); what was deleted is no fault."""
    place = state(folder, recorded)
    if not recorded or not place.is_file():
        return 0, []
    content = place.read_bytes()
    if hashlib.sha256(content).hexdigest() != recorded:
        return 0, [f"{FOLDER}/{place.name} was changed"]
    there = [(name, found) for _, name, found in json.loads(content)["batches"] if (folder / name).is_dir()]
    return len(there), [f"{FOLDER}/{name} was changed" for name, found in there if digest(folder / name) != found]
