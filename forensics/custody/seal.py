"""`REPORT.seal.json` beside a report: digests of the report's files, the case state it shows, the custody head that covers it.

The report itself holds no clock and no custody head (same inputs, same bytes); the seal ties it to the log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.custody import canonical, chain, manifest
from forensics.custody.chain import Chain, Clock, Head

SUFFIX = ".seal.json"


@dataclass(frozen=True)
class Seal:
    """`files`: name beside the seal → SHA-256."""

    path: Path
    files: Mapping[str, str]
    case_state: str
    custody: Head


def write(
    case: Case, files: Sequence[Path], details: Mapping[str, Any] | None = None, *, clock: Clock = chain.now
) -> tuple[Path, ...]:
    """Seal report files that belong to one run: one custody entry (`report`), and one seal for each file.

    Returns the seals. `incident.html` is sealed by `incident.html.seal.json`. Raises OSError.
    """
    digests = {path: digest(path) for path in sorted(files)}
    state = manifest.case_state_digest(case)
    listed = {path.name: sha256 for path, sha256 in digests.items()}
    head = manifest.touch(case, "report", {**(details or {}), "reports": listed, "case_state": state}, clock)
    seals = []
    for path, sha256 in digests.items():
        seal = path.with_name(path.name + SUFFIX)
        data = {
            "report": {path.name: sha256},
            "case_state": state,
            "custody": {"sequence": head.sequence, "digest": head.digest},
        }
        canonical.put(seal, canonical.page(data))
        seals.append(seal)
    return tuple(seals)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path) -> Seal:
    """A seal. Raises ValueError when it is none."""
    data = json.loads(path.read_text("utf-8"))
    try:
        head = Head(int(data["custody"]["sequence"]), str(data["custody"]["digest"]))
        files = {str(name): str(sha256) for name, sha256 in data["report"].items()}
        return Seal(path, files, str(data["case_state"]), head)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a seal: {error}") from None


def faults(path: Path, found: Chain, state: str) -> tuple[list[str], list[str]]:
    """(faults, remarks) of one seal, in words. A report of an earlier state of the case is a remark, not a fault."""
    try:
        seal = read(path)
    except (ValueError, OSError) as error:
        return [f"{path.name}: cannot be read as a seal ({error})"], []
    wrong: list[str] = []
    for name, sha256 in seal.files.items():
        report = path.parent / Path(name).name
        if not report.is_file():
            wrong.append(f"{path.name}: the report {name} is missing")
        elif digest(report) != sha256:
            wrong.append(f"{path.name}: the report {name} was changed after it was sealed")
    entries = {entry["sequence"]: entry for entry in found.entries}
    entry = entries.get(seal.custody.sequence)
    if entry is None or entry["digest"] != seal.custody.digest:
        wrong.append(f"{path.name}: the custody log does not hold the entry that covers it")
        return wrong, []
    details = entry.get("details", {})
    if details.get("case_state") != seal.case_state:
        wrong.append(f"{path.name}: the custody log recorded another case state for it")
    reports = details.get("reports", {})
    wrong += [
        f"{path.name}: the custody log recorded another digest for {name}"
        for name, sha256 in seal.files.items()
        if reports.get(name) != sha256
    ]
    if not wrong and seal.case_state != state:
        return [], [
            f"{path.name.removesuffix(SUFFIX)} shows an earlier state of the case; `missent report` writes it anew"
        ]
    return wrong, []


def find(case: Case, folders: Sequence[Path] = ()) -> list[Path]:
    """All seals in the case's reports and in other folders."""
    places = [case.reports, *folders]
    return sorted({seal for place in places if place.is_dir() for seal in place.rglob("*" + SUFFIX)})


__all__ = ["SUFFIX", "Seal", "digest", "faults", "find", "read", "write"]
