"""Where a case stands: what it holds, who is at work on it, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forensics import casefile as case_files
from forensics.arguments import checked
from forensics.case import Case, argument

if TYPE_CHECKING:
    from forensics.custody.doing import Doing


@dataclass(frozen=True)
class Status:
    """Where a case stands. `in_use`: who works on it now (action, host, user, since), or None; `doing`: how far that
    command is, or was when it ended without letting go of the case; `ruled`: findings with a
    ruling; `changed`: keys of case.toml that no stage has read yet, empty for remarks alone, None for none;
    `following`: the command that comes next."""

    case: Path
    in_use: Mapping[str, str] | None
    doing: Doing | None
    evidence: int
    records: int
    unread: int
    deliveries: int
    findings: int
    incidents: int
    ruled: int
    detected: bool
    reports: int
    entries: int
    last_action: str
    last_at: str
    changed: tuple[str, ...] | None
    following: str


@checked
def status(case_dir: str | Path) -> Status:
    """What a case holds, who is at work on it and how far, and what comes next. Takes no lock and writes nothing.

    Raises CaseError where there is no case, and where a command was killed while it put new tables in place.
    """
    from forensics import views
    from forensics.casefile import CaseFile
    from forensics.custody import doing, lock, log, manifest, seal, staging, statement

    case = Case(Path(case_dir))
    staging.settled(case)
    at_work = doing.read(case)
    casefile = CaseFile() if at_work and not case.toml.exists() else case_files.read(case)
    entries = log.read(case) if case.custody_log.exists() else ()
    counts = dict.fromkeys(("evidence", "records", "unread", "deliveries", "findings", "incidents", "ruled"), 0)
    if case.manifest.exists():
        held = manifest.read(case)
        counts |= {name: sum(getattr(one, name) for one in held.evidence) for name in ("records", "unread")}
        counts["evidence"] = len(held.evidence)
        with views.connect(case, casefile.organisation.domains) as connection:
            tables = {"deliveries": "deliveries", "findings": "findings", "incidents": "incidents", "ruled": "rulings"}
            asked = ", ".join(f"(SELECT count(*) FROM {table}) AS {name}" for name, table in tables.items())
            counts |= views.answer(connection, f"SELECT {asked}").to_pylist()[0]
    recorded = statement.last(entries)
    changed = statement.changed(case, recorded) if recorded is not None else None
    last = entries[-1] if entries else {}
    reports = sum(not one.withdrawn for one in seal.recorded(case, entries))
    if not counts["evidence"]:
        following = f"missent ingest LOG… --case {argument(case.folder)}"
    elif not case.detection.exists():
        whose = "" if casefile.organisation.domains else " --org DOMAIN"
        following = f"missent detect --case {argument(case.folder)}{whose}"
    elif counts["ruled"] < counts["findings"]:
        following = f"missent review --case {argument(case.folder)}"
    else:
        following = f"missent report --case {argument(case.folder)}"
    return Status(
        case=case.folder,
        in_use=lock.holder(case),
        doing=at_work,
        **counts,
        detected=case.detection.exists(),
        reports=reports,
        entries=len(entries),
        last_action=str(last.get("action", "")),
        last_at=str(last.get("at", "")),
        changed=changed,
        following=following,
    )
