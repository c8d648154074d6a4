"""`REPORT.seal.json` beside a report: its files' digests, the case state they show, the custody head that covers them.

A report itself holds no clock and no custody head (same inputs, same bytes); the seal ties it to the log. Files that
differ in their ending only (`incident.html`, `incident.pdf`) share one seal, `incident.seal.json`.
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
from forensics.custody.names import display

SUFFIX = ".seal.json"


@dataclass(frozen=True)
class Seal:
    """What holds one report file."""

    name: str
    """File beside the seal."""
    sha256: str
    case_state: str
    custody: Head


def write(
    case: Case, files: Sequence[Path], details: Mapping[str, Any] | None = None, *, clock: Clock = chain.now
) -> tuple[Path, ...]:
    """Seal report files that were written together: one custody entry (`report`, with `details`), then the seals.

    What an earlier run wrote beside them under other endings stays sealed as it was. Returns the seals' paths.
    Raises OSError.
    """
    digests = {path: digest(path) for path in sorted(files)}
    digested = manifest.settled(case, manifest.read(case))
    state = manifest.case_state_digest(case, digested)
    listed = {path.name: sha256 for path, sha256 in digests.items()}
    noted = {**(details or {}), "reports": listed}
    folders = {path.parent.absolute() for path in digests}
    if len(folders) == 1 and not (folder := folders.pop()).is_relative_to(case.folder.absolute()):
        noted["folder"] = display(str(folder))
    head = manifest.touch(case, "report", noted, clock)
    seals: dict[Path, dict[str, Seal]] = {}
    for path, sha256 in digests.items():
        beside = path.with_name(path.stem + SUFFIX)
        if beside not in seals:
            seals[beside] = {old.name: old for old in _earlier(beside)}
        seals[beside][path.name] = Seal(path.name, sha256, state, head)
    for beside, parts in seals.items():
        reports = {
            name: {
                "sha256": part.sha256,
                "case_state": part.case_state,
                "custody": {"sequence": part.custody.sequence, "digest": part.custody.digest},
            }
            for name, part in parts.items()
        }
        canonical.put(beside, canonical.page({"reports": reports}))
    return tuple(sorted(seals))


def _earlier(path: Path) -> list[Seal]:
    """What a seal held for files that are still there; nothing when there is none or it is unreadable."""
    if not path.is_file():
        return []
    try:
        return [part for part in read(path) if (path.parent / part.name).is_file()]
    except ValueError:
        return []


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path) -> tuple[Seal, ...]:
    """A seal's parts, by name. Raises ValueError when it is no seal."""
    try:
        data = json.loads(path.read_text("utf-8"))
        return tuple(
            Seal(
                Path(name).name,
                str(part["sha256"]),
                str(part["case_state"]),
                Head(int(part["custody"]["sequence"]), str(part["custody"]["digest"])),
            )
            for name, part in sorted(data["reports"].items())
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a seal: {error!r}") from None


def faults(path: Path, found: Chain, state: str) -> tuple[list[str], list[str]]:
    """(faults, remarks) of one seal file, in words. A report of an earlier state of the case is only a remark."""
    try:
        parts = read(path)
    except (ValueError, OSError) as error:
        return [f"{path.name}: cannot be read as a seal ({error})"], []
    entries = {entry["sequence"]: entry for entry in found.entries}
    wrong: list[str] = []
    remarks: list[str] = []
    for part in parts:
        one = _fault(path, part, entries.get(part.custody.sequence))
        if one:
            wrong.append(one)
        elif part.case_state != state:
            remarks.append(part.name)
    if remarks:
        names = ", ".join(remarks)
        remarks = [f"{names} from an earlier state of the case; `missent report` writes the present one"]
    return wrong, remarks


def _fault(path: Path, part: Seal, entry: Mapping[str, Any] | None) -> str | None:
    report = path.parent / part.name
    if not report.is_file():
        return f"{part.name}: sealed, but missing"
    if digest(report) != part.sha256:
        return f"{part.name}: was changed after it was sealed"
    if entry is None or entry["digest"] != part.custody.digest:
        return f"{part.name}: the custody log does not hold the entry {part.custody.sequence} that covers it"
    details = entry.get("details", {})
    if details.get("case_state") != part.case_state or details.get("reports", {}).get(part.name) != part.sha256:
        return f"{part.name}: the custody log recorded another case state or digest for it than its seal"
    return None


def find(case: Case, folders: Sequence[Path] = ()) -> list[Path]:
    """All seals in the case's reports and in other folders."""
    inside = case.reports.rglob("*" + SUFFIX) if case.reports.is_dir() else ()
    outside = [seal for place in folders if place.is_dir() for seal in place.glob("*" + SUFFIX)]
    return sorted({*inside, *outside})


def unsealed(case: Case, found: Chain, seals: Sequence[Path]) -> list[str]:
    """Reports of the case's own folder that the custody log recorded and that lie there without a seal."""
    recorded = {
        name
        for entry in found.entries
        if entry.get("action") == "report" and "folder" not in entry.get("details", {})
        for name in entry.get("details", {}).get("reports", {})
    }
    beside = {one.resolve() for one in seals}
    there = sorted(path for path in case.reports.rglob("*") if path.is_file() and path.name in recorded)
    bare = [path for path in there if path.with_name(path.stem + SUFFIX).resolve() not in beside]
    return [path.relative_to(case.reports).as_posix() for path in bare]


__all__ = ["SUFFIX", "Seal", "digest", "faults", "find", "read", "unsealed", "write"]
