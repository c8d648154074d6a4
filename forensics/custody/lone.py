"""A report file by itself: which case state it shows, and whether it is as it was sealed.

A seal lies beside its report and can be made by anybody: it shows an accident, not a forger. What ties it to a case is
the entry of the custody log that it names; where the report still lies in its case, or the case is named beside it,
that is looked up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from forensics.case import Case
from forensics.custody import canonical, log, seal
from forensics.custody.checks import Check, Verification


def check(place: Path, against: Case | None = None) -> Verification:
    """Check one report, or all of one seal. `ok` is None where there is no seal to hold it to. `against`: the case
    whose custody log is to know its content, wherever the file lies and whatever it is called."""
    if against is not None:
        return _against(place, against)
    sealed = place if place.name.endswith(seal.SUFFIX) else seal.beside(place)
    case = _case(place)
    if not sealed.is_file():
        if case and _recorded(case, place):
            return _told([Check(place.name, False, "its seal is missing, though the custody log records it")], "")
        return _unknown(place, f"no seal lies beside it ({sealed.name})")
    try:
        parts = seal.read(sealed)
    except (ValueError, OSError) as error:
        return _told([Check(sealed.name, False, f"cannot be read as a seal ({error})")], "")
    wanted = [part for part in parts if sealed == place or part.name == place.name]
    if not wanted:
        return _unknown(place, f"{sealed.name} does not hold it")
    checks = [_part(sealed.parent / part.name, part, case) for part in wanted]
    if case:
        return _told(checks, "as its seal and the custody log of its case record it")
    rest = (
        "the case that its seal names is not here, so who sealed it is not checked: whoever replaces a report can make "
        "it a seal. `missent verify FILE --case CASE` holds it to the custody log of its case"
    )
    return _told(checks, f"as its seal says; {rest}")


def _against(place: Path, case: Case) -> Verification:
    """The report, or the reports of a seal, by their content among all that the custody log of a case recorded."""
    found = log.check(case)
    if found.faults:
        return _told([Check(case.custody_log.name, False, f"was altered: {found.faults[0]}")], "")
    files = [place]
    if place.name.endswith(seal.SUFFIX):
        try:
            files = [place.parent / part.name for part in seal.read(place)]
        except (ValueError, OSError) as error:
            return _told([Check(place.name, False, f"cannot be read as a seal ({error})")], "")
    written = [one for entry in found.entries for one in seal.recorded(case, [entry])]
    last = {one.name: one for one in seal.recorded(case, found.entries)}
    checks = [_by_content(file, written, last) for file in files]
    return _told(checks, f"as the custody log of {case.folder} records it")


def _by_content(file: Path, written: Sequence[seal.Written], last: Mapping[str, seal.Written]) -> Check:
    if not file.is_file():
        return Check(file.name, False, "sealed, but missing")
    sha256 = canonical.file_digest(file)
    one = next((one for one in reversed(written) if one.sha256 == sha256), None)
    if one is None:
        return Check(file.name, False, f"no report of this content was written by the case (SHA-256 {sha256})")
    now = last[one.name]
    text = f"written as {one.name}: case state {one.case_state}, entry {one.head.sequence} of the custody log"
    if now.head != one.head:
        text += f"; entry {now.head.sequence} wrote a later one of that name"
    if now.withdrawn:
        text += f"; {now.withdrawn}"
    return Check(file.name, True, text)


def _unknown(place: Path, why: str) -> Verification:
    told = f"{why}: whether it was changed is not known"
    return Verification(None, (Check(place.name, None, why),), "report", told)


def _told(checks: list[Check], right: str) -> Verification:
    ok = all(one.ok for one in checks)
    return Verification(ok, tuple(checks), "report", right if ok else "")


def _part(place: Path, part: seal.Seal, case: Case | None) -> Check:
    head = f"case state {part.case_state}, entry {part.custody.sequence} of the custody log, {part.custody.digest}"
    if not place.is_file():
        return Check(place.name, False, "sealed, but missing")
    if canonical.file_digest(place) != part.sha256:
        return Check(place.name, False, f"was changed after it was sealed ({head})")
    if case:
        known = _recorded(case, place)
        if known is None:
            return Check(place.name, False, "the case's custody log does not know it")
        if (known.sha256, known.case_state, known.head) != (part.sha256, part.case_state, part.custody):
            return Check(
                place.name, False, "the custody log has another digest, case state or entry for it than its seal"
            )
        if faults := log.check(case).faults:
            return Check(place.name, False, f"the custody log that records it was altered: {faults[0]}")
        if known.withdrawn:
            return Check(place.name, True, f"as sealed, but {known.withdrawn} ({head})")
    return Check(place.name, True, f"as sealed: {head}")


def _recorded(case: Case, place: Path) -> seal.Written | None:
    there = place.absolute()
    return next((one for one in seal.recorded(case, log.check(case).entries) if one.place.absolute() == there), None)


def _case(place: Path) -> Case | None:
    """The case in whose folder of reports the file lies."""
    for folder in place.absolute().parents:
        if folder.name == "reports" and (case := Case(folder.parent)).custody_log.is_file():
            return case
    return None


__all__ = ["check"]
