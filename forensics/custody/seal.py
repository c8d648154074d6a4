"""`REPORT.seal.json` beside a report: its files' digests, the case state they show, the custody head that covers them.

A report itself holds no clock and no custody head (same inputs, same bytes); the seal ties it to the log. Files that
differ in their ending only (`incident.html`, `incident.pdf`) share one seal, `incident.seal.json`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.custody import canonical, chain, log, manifest
from forensics.custody.chain import Clock, Head
from forensics.custody.names import display, undisplay
from forensics.custody.staging import Staged
from forensics.errors import UsageError
from forensics.unread import few

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
    staged: Staged,
    files: Sequence[Path],
    details: Mapping[str, Any] | None = None,
    *,
    by: log.By = log.NOBODY,
    clock: Clock = chain.now,
) -> tuple[Path, ...]:
    """Seal report files that are written together: one custody entry (`report`, with `details`), then the seals.

    `files` are the places that the commit gives them; what an earlier run wrote beside them under other endings stays
    sealed as it was. The entry names each file by its path below CASE/reports, or below the `folder` that it names.
    Returns the seals' places. Raises OSError, and UsageError where somebody else's file stands at one of the places.
    """
    case = staged.next
    digests = {path: canonical.file_digest(staged.content(path)) for path in sorted(files)}
    _nobodys(staged, digests)
    state = manifest.case_state_digest(case, manifest.settled(case, manifest.read(case)))
    noted = {**(details or {})}
    reports = staged.case.reports.absolute()
    base = reports
    if not all(path.absolute().is_relative_to(reports) for path in digests):
        base = Path(os.path.commonpath([path.parent.absolute() for path in digests]))
        noted["folder"] = display(str(base))
    noted["reports"] = {
        display(path.absolute().relative_to(base).as_posix()): sha256 for path, sha256 in digests.items()
    }
    head = manifest.touch(case, "report", noted, clock, by=by)
    seals: dict[Path, dict[str, Seal]] = {}
    for path, sha256 in digests.items():
        sealed = beside(path)
        if sealed not in seals:
            seals[sealed] = {old.name: old for old in _earlier(sealed)}
        seals[sealed][path.name] = Seal(path.name, sha256, state, head)
    for sealed, parts in seals.items():
        staged.report(sealed).write_bytes(_page(parts.values()))
    return tuple(sorted(seals))


def _nobodys(staged: Staged, digests: Mapping[Path, str]) -> None:
    """Raises UsageError where a file would be lost that this case did not write as it stands there: a worksheet that
    somebody filled in, a document that was edited, the report of another case and its seal."""
    ours = {one.place.absolute(): one.sha256 for one in recorded(staged.case, log.check(staged.case).entries)}
    remedy = "move it, or name another folder with --out"
    for path, sha256 in digests.items():
        if os.path.lexists(path):
            if not path.is_file():
                raise UsageError(
                    f"{path}: is there already, and is no file", expected="a report, or nothing", remedy=remedy
                )
            there = canonical.file_digest(path)
            if there not in (sha256, ours.get(path.absolute())):
                changed = "was changed since this case wrote it" if path.absolute() in ours else "is not of this case"
                raise UsageError(f"{path}: is there already, and {changed}", remedy=remedy)
        for old in _earlier(beside(path)):
            other = path.parent / old.name
            if other not in digests and other.absolute() not in ours:
                raise UsageError(
                    f"{beside(path)}: is there already, and seals {old.name}, which is not of this case", remedy=remedy
                )


def _page(parts: Iterable[Seal]) -> bytes:
    """A seal as it is written: its parts and nothing else, in one way."""
    listed = {
        part.name: {
            "sha256": part.sha256,
            "case_state": part.case_state,
            "custody": {"sequence": part.custody.sequence, "digest": part.custody.digest},
        }
        for part in parts
    }
    return canonical.page({"reports": listed}).encode()


def _earlier(path: Path) -> list[Seal]:
    """What a seal held for files that are still there; nothing when there is none or it is unreadable."""
    if not path.is_file():
        return []
    try:
        return [part for part in read(path) if (path.parent / part.name).is_file()]
    except ValueError:
        return []


def read(path: Path) -> tuple[Seal, ...]:
    """A seal's parts, by name. Raises ValueError when it is no seal."""
    try:
        data = canonical.load(path.read_bytes())
        return tuple(
            Seal(
                Path(name).name,
                str(part["sha256"]),
                str(part["case_state"]),
                Head(int(part["custody"]["sequence"]), str(part["custody"]["digest"])),
            )
            for name, part in sorted(data["reports"].items())
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a seal: {error!r}") from None


@dataclass(frozen=True)
class Withdrawal:
    """That a report no longer holds, as the custody log tells."""

    entry: int
    at: str
    who: str
    why: str

    def __str__(self) -> str:
        why = f", because: {self.why}" if self.why else ", without a reason"
        return f"withdrawn on {self.at} by {self.who}{why} (entry {self.entry} of the custody log)"


@dataclass(frozen=True)
class Written:
    """The last report of one name, as the custody log tells. `inside`: in the case's own folder of reports."""

    place: Path
    name: str
    """Below CASE/reports, or the whole path."""
    inside: bool
    sha256: str
    case_state: str
    head: Head
    withdrawn: Withdrawal | None = None
    edition: str = "full"


def recorded(case: Case, entries: Iterable[Mapping[str, Any]]) -> tuple[Written, ...]:
    """Every report that these entries of the custody log say was written, by name; the last one of each."""
    out: dict[str, Written] = {}
    for entry in entries:
        details = log.details(entry)
        if entry.get("action") == "withdraw":
            why = str(details.get("why", "")).strip()
            withdrawal = Withdrawal(int(entry["sequence"]), str(entry.get("at", "")), log.who(entry), why)
            for name in details.get("reports", ()):
                if name in out:
                    out[name] = replace(out[name], withdrawn=withdrawal)
        if entry.get("action") != "report":
            continue
        base = Path(undisplay(str(details["folder"]))) if "folder" in details else None
        for name, sha256 in details.get("reports", {}).items():
            place = (base or case.reports) / undisplay(str(name))
            shown = display(str(place)) if base else str(name)
            head = Head(int(entry["sequence"]), str(entry["digest"]))
            state, edition = str(details.get("case_state", "")), str(details.get("edition", "full"))
            out[shown] = Written(place, shown, base is None, str(sha256), state, head, edition=edition)
    return tuple(out[name] for name in sorted(out))


def beside(place: Path) -> Path:
    """Where the seal of a report lies."""
    return place.with_name(place.stem + SUFFIX)


def judge(
    case: Case, entries: Iterable[Mapping[str, Any]], state: str, *, bag: bool = False
) -> tuple[list[str], list[str], int]:
    """(faults, remarks, reports that are as they were sealed), in words.

    A report of the case's own folder must be there as the custody log tells, its seal beside it; one that was written
    elsewhere is checked where it still is, but never from within a `bag`, whose paths are those of another machine. A
    report of an earlier state of the case is only a remark.
    """
    wrong: list[str] = []
    earlier: list[str] = []
    absent: list[str] = []
    right = 0
    known = recorded(case, entries)
    for one in known:
        if one.withdrawn:
            continue
        if not one.inside and (bag or not one.place.is_file()):
            absent.append(one.name)
        elif fault := _fault(one):
            wrong.append(f"{one.name}: {fault}")
        else:
            right += 1
            if one.case_state != state:
                earlier.append(one.name)
    wrong += _strange(case, known)
    remarks = []
    if earlier:
        remarks.append(f"{few(earlier)} from an earlier state of the case; `missent report` writes the present one")
    if absent:
        remarks.append(f"not here, not checked: {few(absent)}")
    return wrong, remarks, right


def _fault(one: Written) -> str | None:
    if not one.place.is_file():
        return "sealed, but missing (`missent report --withdraw NAME --because TEXT` records that it no longer holds)"
    if canonical.file_digest(one.place) != one.sha256:
        return "was changed after it was sealed"
    sealed = beside(one.place)
    if not sealed.is_file():
        return "its seal is missing, though the custody log records it"
    try:
        parts = read(sealed)
        written = sealed.read_bytes() == _page(parts)
        part = next((part for part in parts if part.name == one.place.name), None)
    except (ValueError, OSError) as error:
        return f"{sealed.name} cannot be read as a seal ({error})"
    if part is None:
        return f"{sealed.name} does not hold it"
    if not written:
        return f"{sealed.name} was changed after it was written"
    if part.sha256 != one.sha256 or part.case_state != one.case_state or part.custody != one.head:
        return "the custody log recorded another digest, case state or entry for it than its seal"
    return None


def _strange(case: Case, known: Sequence[Written]) -> list[str]:
    """Seals in the case's folder of reports for files that the custody log does not know."""
    names = {one.place.absolute() for one in known}
    out = []
    for found in sorted(case.reports.rglob("*" + SUFFIX)) if case.reports.is_dir() else ():
        try:
            parts = read(found)
        except (ValueError, OSError) as error:
            out.append(f"{found.name}: cannot be read as a seal ({error})")
            continue
        for part in parts:
            if (found.parent / part.name).absolute() not in names:
                out.append(f"{part.name}: the custody log does not hold the entry that its seal names")
    return out


def withdraw(
    staged: Staged, names: Sequence[str], why: str, *, by: log.By = log.NOBODY, clock: Clock = chain.now
) -> tuple[str, ...]:
    """Record that reports no longer hold, so that they may be missing; the files themselves are left alone.

    `names` are those below CASE/reports or, written elsewhere, whole paths; `incident` means all its endings. Returns
    the withdrawn ones. Raises UsageError without a reason, for a name that no report has, or only reports that were
    withdrawn before.
    """
    if not why.strip():
        raise UsageError("--withdraw: without a reason", expected="--because TEXT beside it, for whoever asks later")
    known = recorded(staged.case, log.check(staged.case).entries)
    chosen: list[str] = []
    for name in names:
        fit = [one for one in known if name in (one.name, str(one.place), str(Path(one.name).with_suffix("")))]
        holding = [one.name for one in fit if not one.withdrawn]
        if not holding:
            there = ", ".join(one.name for one in known if not one.withdrawn)
            said = "; ".join(f"{one.name} was {one.withdrawn}" for one in fit)
            raise UsageError(
                said or f"{name}: no report of this case has that name", expected=f"one of: {there}" if there else None
            )
        chosen += holding
    manifest.touch(staged.next, "withdraw", {"reports": sorted(set(chosen)), "why": why}, clock, by=by)
    return tuple(sorted(set(chosen)))


__all__ = ["SUFFIX", "Seal", "Withdrawal", "Written", "beside", "judge", "read", "recorded", "withdraw", "write"]
