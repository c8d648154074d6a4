"""What others are to be shown: the custody of the evidence and of the case, and what proves it.

Everything works offline: what has to come from elsewhere (a time stamp) goes there and comes back as a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import casefile as case_files
from forensics.case import Case

if TYPE_CHECKING:
    from forensics.casefile import Custody
    from forensics.custody.bags import Bagged
    from forensics.custody.handovers import HandOver
    from forensics.custody.verify import Verification
    from forensics.ingest.survey import Progress

__all__ = ["Shown", "custody_add", "custody_show", "export", "verify"]


@dataclass(frozen=True)
class Shown:
    """The custody of a case: what people state, the chain of hand-overs, the custody log."""

    case: Path
    statements: Custody
    handed_over: tuple[HandOver, ...]
    gaps: tuple[str, ...]
    """Where a hand-over was not by whoever had the thing before."""
    entries: tuple[Mapping[str, Any], ...]
    faults: tuple[str, ...]
    """Where the log's chain is broken."""


def custody_add(
    case_dir: str | Path,
    *,
    given_by: str,
    taken_by: str,
    at: str,
    what: str,
    place: str = "",
    why: str = "",
    examiner: str = "",
    note: str = "",
) -> HandOver:
    """Record in the custody log that something changed hands, with or without evidence in the case yet.

    `at`: a day, or a time (UTC unless it has an offset). Raises UsageError for what no hand-over is, CaseError where
    there is no case.
    """
    from forensics.custody import handovers, log, manifest, staging

    case = Case(Path(case_dir))
    case_files.read(case)
    told = handovers.details(given_by, taken_by, at, what, place, why)
    with staging.change(case, "custody") as staged:
        manifest.touch(staged.next, handovers.ACTION, told, by=log.By(examiner, note))
        return next(one for one in reversed(_by_entry(staged.next)))


def custody_show(case_dir: str | Path) -> Shown:
    """The custody of a case. A broken log is shown with its faults, not refused. Raises CaseError where no case is."""
    from forensics.custody import handovers, log, staging

    case = Case(Path(case_dir))
    staging.finish(case)
    casefile = case_files.read(case)
    found = log.check(case)
    chain = handovers.read(found.entries)
    return Shown(case.folder, casefile.custody, chain, handovers.gaps(chain), found.entries, found.faults)


def export(
    case_dir: str | Path,
    *,
    out: str | Path,
    with_evidence: bool = True,
    evidence: str | Path | None = None,
    edition: str = "full",
    as_of: datetime | None = None,
) -> Bagged:
    """Copy a case into a BagIt bag (RFC 8493) at `out`, a new folder; the case stays as it is.

    `evidence`: a folder to search, by digest, for evidence that has moved. Raises VerificationFailed when the case or
    its evidence is not as recorded, EvidenceError when evidence is not there, UsageError when `out` is.
    """
    from forensics.custody import bags, staging

    case = Case(Path(case_dir))
    staging.finish(case)
    case_files.read(case)
    search = Path(evidence) if evidence else None
    return bags.write(case, Path(out), evidence=with_evidence, edition=edition, as_of=as_of, search=search)


def verify(
    path: str | Path,
    *,
    evidence: str | Path | None = None,
    all_records: bool = False,
    progress: Progress | None = None,
) -> Verification:
    """Walk a case, or the one in a bag, back to the bytes; hold a report to its seal. Says what failed; raises
    CaseError only when there is nothing to check."""
    from forensics.custody import lone, staging, unbagged
    from forensics.custody import verify as checking

    place = Path(path)
    if place.is_file():
        return lone.check(place)
    if unbagged.is_bag(place):
        return unbagged.check(place, all_records=all_records, progress=progress)
    case = Case(place)
    staging.finish(case)
    case_files.read(case)
    folder = Path(evidence) if evidence else None
    return checking.verify(case, evidence=folder, all_records=all_records, progress=progress)


def _by_entry(case: Case) -> Sequence[HandOver]:
    from forensics.custody import handovers, log

    return sorted(handovers.read(log.check(case).entries), key=lambda one: one.entry)
