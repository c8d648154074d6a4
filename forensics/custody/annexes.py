"""Annexes: what people hand in that is no mail evidence. Each is kept in the case as its bytes, by digest.

`settings["annexes"]` of the manifest lists them, so that the record's digest covers them; the custody log names them
when they come in, and `verify` compares the copies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from forensics import lookups
from forensics.case import Case
from forensics.custody import objects
from forensics.custody.entries import Manifest
from forensics.custody.names import display
from forensics.errors import EvidenceError, system_error

KEY = "annexes"


def split(logs: Sequence[str | Path]) -> tuple[list[str | Path], list[Path]]:
    """(what is not, what is a snapshot of lookups) of the paths given; only files named one by one can be one."""
    rest: list[str | Path] = []
    found: list[Path] = []
    for name in logs:
        path = Path(name)
        if not objects.is_address(name) and _is_one(path):
            found.append(path)
        else:
            rest.append(name)
    return rest, found


def _is_one(path: Path) -> bool:
    try:
        if str(path) == "-" or not path.is_file():
            return False
        with path.open("rb") as file:
            return lookups.is_one(file.read(64))
    except OSError:
        return False


def take(case: Case, paths: Sequence[Path], known: Sequence[str], now: datetime) -> list[dict[str, str]]:
    """Hold each file to the rules of `lookups.read` and copy it into the case. All or none."""
    contents = []
    for path in paths:
        try:
            content = path.read_bytes() if path.stat().st_size <= lookups.MOST_BYTES else b""
        except OSError as error:
            raise system_error(error, path) from None
        records = lookups.read(display(str(path)), content, known, now)
        contents.append((path, content, max(one["at"] for one in records)))
    case.annexes.mkdir(exist_ok=True)
    entries = []
    for path, content, at in contents:
        digest = hashlib.sha256(content).hexdigest()
        (case.annexes / digest).write_bytes(content)
        entries.append({"sha256": digest, "name": display(path.name), "kind": "lookups", "asked": at.isoformat()})
    return entries


def listed(manifest: Manifest) -> list[Mapping[str, Any]]:
    """The annexes that the manifest lists, by digest."""
    return sorted(manifest.settings.get(KEY, ()), key=lambda one: str(one["sha256"]))


def told(case: Case, manifest: Manifest, known: Sequence[str]) -> dict[str, lookups.Lookup]:
    """What all snapshots of the case say. Raises EvidenceError when a copy is not what was handed in."""
    records: list[Mapping[str, Any]] = []
    for one in listed(manifest):
        if fault := _fault(case, one):
            raise EvidenceError(f"annex {one['name']}: {fault}", remedy="`missent verify` lists all that was changed")
        content = (case.annexes / one["sha256"]).read_bytes()
        records += lookups.read(one["name"], content, known)
    return lookups.told(records)


def faults(case: Case, manifest: Manifest) -> list[str]:
    """Annexes whose copy is missing or other than recorded, and copies that nobody recorded."""
    found = [f"annex {one['name']}: {fault}" for one in listed(manifest) if (fault := _fault(case, one))]
    known = {one["sha256"] for one in listed(manifest)}
    there = {path.name for path in case.annexes.iterdir()} if case.annexes.is_dir() else set()
    return found + [f"annexes/{display(name)}: nobody handed it in" for name in sorted(there - known)]


def _fault(case: Case, one: Mapping[str, Any]) -> str:
    path = case.annexes / one["sha256"]
    if not path.is_file():
        return "its copy is missing"
    return "" if hashlib.sha256(path.read_bytes()).hexdigest() == one["sha256"] else "its copy was changed"
