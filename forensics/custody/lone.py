"""A report file by itself: which case state it shows, and whether it is as it was sealed.

A seal lies beside its report and can be made by anybody: it shows an accident, not a forger. What ties it to a case is
the entry of the custody log that it names; where the report still lies in its case, that is looked up.
"""

from __future__ import annotations

from pathlib import Path

from forensics.case import Case
from forensics.custody import canonical, log, seal
from forensics.custody.checks import Check, Verification


def check(place: Path) -> Verification:
    """Check one report, or all of one seal. `ok` is None where there is no seal to hold it to."""
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
    rest = "the case that its seal names is not here, so who sealed it is not checked"
    return _told(checks, f"as its seal says; {rest}")


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
