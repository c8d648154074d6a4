"""The stages as public functions: ingest → detect → report, and `run` for all three.

Each reads tables and writes tables, so that each can be run again alone. Nothing here parses, weighs or lays
out: the rooms below do. `org`, `watch` and `known_good` are remembered in case.toml, the other settings in
the manifest; so every stage, and every auditor, sees the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.about import agree, create_or_update, remember, unseen_settings
from forensics.arguments import checked
from forensics.case import Case, argument, refuse, undetected
from forensics.errors import UsageError, naming
from forensics.ingesting import ingest
from forensics.progress import if_interrupted

if TYPE_CHECKING:
    from forensics.casefile import CaseFile
    from forensics.custody.manifest import Manifest
    from forensics.progress import Progress
    from forensics.results import Detected, Reported, Run

__all__ = ["create_or_update", "detect", "ingest", "moment", "report", "run", "withdraw"]


@checked
def run(
    logs: Sequence[str | Path],
    case_dir: str | Path = "case",
    *,
    org: Sequence[str] = (),
    org_add: bool = False,
    org_replace: bool = False,
    watch: Sequence[str] = (),
    known_good: Sequence[str] = (),
    year: int | str | None = None,
    timezone: str | None = None,
    workers: int | None = None,
    memory: int | None = None,
    cluster: str | None = None,
    follow_links: bool = False,
    max_expanded: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    formats: str | Sequence[str] = ("html", "pdf", "json"),
    edition: str = "full",
    out: str | Path | None = None,
    as_of: datetime | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
    examiner: str = "",
    note: str = "",
    wait: bool = False,
    break_lock: bool = False,
) -> Run:
    """The main job. Raises MissentError as its stages do; a wish that cannot be met is refused before any work."""
    from forensics import casefile as case_files
    from forensics import report as reporting
    from forensics.results import Run

    reporting.chosen(formats, edition)
    case = Case(Path(case_dir))
    if case.manifest.exists() and not case.toml.exists():
        raise case_files.gone(case)
    if not org and not (case.toml.exists() and case_files.read(case).organisation.domains):
        raise _no_organisation()
    about = {
        "org": org, "org_add": org_add, "org_replace": org_replace, "watch": watch, "known_good": known_good
    }  # fmt: skip
    reading = {
        "year": year, "timezone": timezone, "workers": workers, "memory": memory, "cluster": cluster,
        "follow_links": follow_links, "max_expanded": max_expanded,
    }  # fmt: skip
    common: dict[str, Any] = {
        "progress": progress, "command": command, "examiner": examiner, "note": note,
        "wait": wait, "break_lock": break_lock,
    }  # fmt: skip
    _in_order(since, until)
    ingested = ingest(logs, case_dir, **about, **reading, **common)  # type: ignore[arg-type]
    with if_interrupted(
        f"the evidence is in the case: `missent detect --case {argument(case_dir)}` goes on from there"
    ):
        detected = detect(case_dir, org=org, org_add=bool(org), since=since, until=until, memory=memory, **common)
    with if_interrupted(
        f"the findings are in the case: `missent report --case {argument(case_dir)}` goes on from there"
    ):
        reported = report(case_dir, formats=formats, edition=edition, out=out, as_of=as_of, **common)
    return Run(ingested, detected, reported)


@checked
def detect(
    case_dir: str | Path = "case",
    *,
    org: Sequence[str] = (),
    org_add: bool = False,
    org_replace: bool = False,
    watch: Sequence[str] = (),
    known_good: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
    examiner: str = "",
    note: str = "",
    wait: bool = False,
    break_lock: bool = False,
) -> Detected:
    """Weigh every outbound delivery and write correspondents, findings, incidents and detection.json.

    `since`, `until`: score deliveries submitted in [since, until); all of them still count as history. `org` and
    `memory` as for `ingest`; what does not fit lies in files inside the case meanwhile. Where no delivery is there to
    be weighed, the tables are empty and `Detected.scored` is nought.
    """
    from dataclasses import replace

    from forensics import casefile as case_files
    from forensics import results
    from forensics.custody import doing, log, manifest, staging, told
    from forensics.engine import memory as bounds

    started = log.now()
    bounds.bounded(memory)
    _in_order(since, until)
    case = Case(Path(case_dir))
    staging.finish(case)
    case_files.read(case)
    before = manifest.read(case)
    refuse(case, org=org, watch=watch, known_good=known_good)
    agree(case, org, add=org_add, replace=org_replace)
    with staging.change(case, "detect", wait=wait, break_lock=break_lock) as staged:
        now, progress = staged.next, doing.kept(case, progress)
        inventory = manifest.read(now)
        manifest.intact(case, inventory, ("deliveries", "unread"), progress)
        unseen = remember(now, org=org, replace=org_replace, watch=watch, known_good=known_good)
        casefile = case_files.read(now)
        told.alike(case, casefile, inventory)
        settings: dict[str, Any] = {"since": _iso(since), "until": _iso(until)}
        settings |= unseen_settings(before, org, unseen)
        if not (casefile.organisation.domains or settings.get("unseen_domains")):
            raise _no_organisation()
        weigh(now, casefile, inventory, since=since, until=until, memory=memory, progress=progress)
        by = log.By(examiner, note)
        manifest.record(now, "detect", command=command, started=started, settings=settings, by=by, progress=progress)
        found = results.detected(now)
    return replace(found, case=case.folder)


def weigh(
    case: Case,
    casefile: CaseFile,
    inventory: Manifest,
    *,
    since: datetime | None,
    until: datetime | None,
    progress: Progress | None,
    memory: int | None = None,
) -> None:
    """Detect in the case's deliveries and write what came of it: four tables and detection.json."""
    import json

    from forensics import detector, store
    from forensics.custody import annexes, statement
    from forensics.engine import memory as bounds

    room = bounds.for_database(memory)
    with store.connect(case, casefile.organisation.domains, spill=case.folder / ".spill", memory=room) as connection:
        asked = annexes.told(case, inventory, store.named(connection)) if annexes.listed(inventory) else {}
        result = detector.detect(connection, casefile, since=since, until=until, lookups=asked, progress=progress)
    parameters = {**result.parameters, "case_toml": {**statement.recorded(case), "values": statement.values(case)}}
    text = json.dumps(parameters, ensure_ascii=False, indent=1, sort_keys=True)
    with naming(case.detection):
        case.detection.write_text(text + "\n", "utf-8")
    for kind in ("correspondents", "findings", "incidents", "lookalikes"):
        store.write(getattr(result, kind), getattr(case, kind), kind)


@checked
def report(
    case_dir: str | Path = "case",
    *,
    formats: str | Sequence[str] = ("html", "pdf", "json"),
    edition: str = "full",
    out: str | Path | None = None,
    as_of: datetime | None = None,
    templates: Path | None = None,
    logo: Path | None = None,
    language: str = "en-GB",
    since_report: Path | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
    examiner: str = "",
    note: str = "",
    wait: bool = False,
    break_lock: bool = False,
) -> Reported:
    """Write the report in each format and seal it. What case.toml says by now of people's answers is taken in.

    `since_report`: incident.json of an earlier report of the case; the report then says what changed since.

    Raises CaseError when nothing was detected yet, or when case.toml has been changed since in what detection reads;
    VerificationFailed when a table is not what the case recorded.
    """
    from forensics import casefile as case_files
    from forensics import report as reporting
    from forensics import review as reviewing
    from forensics import store
    from forensics.custody import doing, log, manifest, parameters, seal, staging, told
    from forensics.results import Reported

    case = Case(Path(case_dir))
    staging.finish(case)
    wanted = reporting.chosen(formats, edition)
    if logo is not None and edition == "redacted":
        raise UsageError("--logo: names the organisation, and stands in no redacted report", expected="--edition full")
    case_files.read(case)
    manifest.read(case)
    with staging.change(case, "report", wait=wait, break_lock=break_lock) as staged:
        now, progress = staged.next, doing.kept(case, progress)
        casefile, inventory = case_files.read(now), manifest.read(now)
        if not now.findings.exists():
            raise undetected(case)
        manifest.intact(case, inventory, (*store.TABLES, case.detection.name), progress)
        told.alike(case, casefile, inventory)
        parameters.weighed_alike(case)
        with store.connect(now, casefile.organisation.domains) as connection:
            written = reporting.write(
                case,
                connection,
                casefile,
                inventory,
                reviewing.read(now),
                formats=wanted,
                edition=edition,
                out=Path(out) if out else None,
                as_of=as_of,
                language=language,
                templates=templates,
                logo=logo,
                progress=progress,
                key=now,
                where=staged.report,
                since_report=since_report,
            )
        details = {"edition": edition, "command": list(command)}
        seal.write(staged, written.files, details, by=log.By(examiner, note))
    return Reported(case.folder, written.files, written.answered, written.required, written.notes, written.unknown)


@checked
def withdraw(
    case_dir: str | Path, names: Sequence[str], *, because: str, examiner: str = "", note: str = ""
) -> tuple[str, ...]:
    """Record that reports no longer hold: `verify` then does not ask for them. The files are left alone.

    Raises UsageError without a reason, for a name that no report of the case has, or only reports that were withdrawn
    before.
    """
    from forensics.custody import log, manifest, seal, staging

    case = Case(Path(case_dir))
    staging.finish(case)
    manifest.read(case)
    with staging.change(case, "withdraw") as staged:
        return seal.withdraw(staged, names, because, by=log.By(examiner, note))


@checked
def moment(text: str, *, end: bool = False) -> datetime:
    """A UTC time from `2023-06-01` or an ISO 8601 time; a bare date is its start or, with `end`, the next day's.

    >>> moment("2023-06-01", end=True).isoformat()
    '2023-06-02T00:00:00+00:00'
    """
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no time", expected="2023-06-01 or 2023-06-01T08:00, UTC unless it has an offset"
        ) from None
    if end and len(text) == len("2023-06-01") and value.time() == time():
        value += timedelta(days=1)
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _no_organisation() -> UsageError:
    return UsageError(
        "whose mail is this?",
        expected="--org DOMAIN for every domain of the organisation",
        remedy="give --org, or name the domains in case.toml under [organisation]",
    )


def _in_order(since: datetime | None, until: datetime | None) -> None:
    """Raises UsageError for a period in which nothing can lie."""
    if since and until and since >= until:
        raise UsageError(
            f"--since {_iso(since)} --until {_iso(until)}: the period ends before it begins",
            expected="a time before that of --until",
        )


def _iso(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None
