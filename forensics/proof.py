"""What others are to be shown: the custody of the evidence and of the case, and what proves it.

Everything works offline: what has to come from elsewhere (a time stamp) goes there and comes back as a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import casefile as case_files
from forensics.case import Case

if TYPE_CHECKING:
    from forensics.casefile import Custody
    from forensics.custody.handovers import HandOver

__all__ = ["Shown", "custody_add", "custody_show"]


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


def _by_entry(case: Case) -> Sequence[HandOver]:
    from forensics.custody import handovers, log

    return sorted(handovers.read(log.check(case).entries), key=lambda one: one.entry)
