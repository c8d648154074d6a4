"""The stages as public functions: ingest → detect → report, and `run` for all three.

Each reads tables and writes tables, so that each can be run again alone. Nothing here parses, weighs or lays
out: the rooms below do. `org`, `watch` and `known_good` are remembered in case.toml, the other settings in
the manifest; so every stage, and every auditor, sees the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.about import agree, create_or_update, remember, unseen_settings
from forensics.arguments import checked
from forensics.case import Case, refuse, undetected
from forensics.errors import EvidenceError, UsageError, naming
from forensics.progress import if_interrupted

if TYPE_CHECKING:
    from forensics.casefile import CaseFile, SourceSettings
    from forensics.custody.log import By
    from forensics.custody.manifest import Manifest
    from forensics.custody.sources import Source
    from forensics.custody.staging import Staged
    from forensics.ingest.kept import Kept
    from forensics.ingest.survey import Surveyed
    from forensics.progress import Progress
    from forensics.results import Detected, Ingested, Reported, Run

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
    ingested = ingest(logs, case_dir, **about, **reading, **common)  # type: ignore[arg-type]
    with if_interrupted(f"the evidence is in the case: `missent detect --case {case_dir}` goes on from there"):
        detected = detect(case_dir, org=org, org_add=bool(org), since=since, until=until, memory=memory, **common)
    with if_interrupted(f"the findings are in the case: `missent report --case {case_dir}` goes on from there"):
        reported = report(case_dir, formats=formats, edition=edition, out=out, as_of=as_of, **common)
    return Run(ingested, detected, reported)


@checked
def ingest(
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
    progress: Progress | None = None,
    command: Sequence[str] = (),
    examiner: str = "",
    note: str = "",
    wait: bool = False,
    break_lock: bool = False,
) -> Ingested:
    """Read `logs` into the case, made if it is not there.

    Evidence that the case holds already is recognised by digest. With new evidence all of it is read anew, so that
    the tables are a function of the evidence and not of the order of commands; findings made before are removed.
    A domain of `org` is kept in case.toml when the evidence has a sender or recipient in it; one that the case does not
    have yet needs `org_add` or `org_replace` (OrganisationDiffers).
    `follow_links`: read what symbolic links in a folder lead to outside of it, too. `max_expanded`: bytes that archives
    and compressed files may come to when they are unpacked (default 1 TiB); more is an error.
    A snapshot of lookups (`forensics.lookups`) is taken as an annex: kept and recorded, no evidence of mail.
    `memory`: bytes that it may take, 1 GiB or more: fewer `workers` than asked for then, and MachineError where what
    decides does not fit; a cluster's workers are bounded by their own options.
    `year`: of the first records of files whose stamps have none, or two ("2022/2023") for files that run over New Year.
    Raises EvidenceError when nothing could be read, VerificationFailed when known evidence is not what it was,
    EvidenceChanged when it changes meanwhile. Whatever is raised, the case is then as it was before; after an
    interruption or a lost cluster the next ingest of the same evidence does not read again what was read.
    """
    from dataclasses import replace

    from forensics import engine
    from forensics.custody import annexes, chain, doing, evidence, log, objects, runs, staging
    from forensics.engine import memory as bounds
    from forensics.ingest import known as known_evidence
    from forensics.ingest import survey as surveying
    from forensics.loaders.base import Settings

    if isinstance(logs, str | Path):
        raise UsageError(f"logs: {str(logs)!r} is one path", expected="a list of paths")
    started, by = chain.now(), log.By(examiner, note)
    bounds.bounded(memory)
    objects.refuse(logs)
    logs, snapshots = annexes.split(logs)
    if snapshots:
        if logs:
            ingest(
                logs, case_dir, org=org, org_add=org_add, org_replace=org_replace, watch=watch, known_good=known_good,
                year=year, timezone=timezone, workers=workers, memory=memory, cluster=cluster,
                follow_links=follow_links, max_expanded=max_expanded, progress=progress, command=command,
                examiner=examiner, note=note, wait=wait, break_lock=break_lock,
            )  # fmt: skip
        return _annex(Case(Path(case_dir)), snapshots, by, command=command, wait=wait, break_lock=break_lock)
    _zone(timezone)
    case = Case(Path(case_dir))
    refuse(case, org=org, watch=watch, known_good=known_good)
    agree(case, org, add=org_add, replace=org_replace)
    with staging.change(case, "ingest", wait=wait, break_lock=break_lock) as staged:
        now, progress = staged.next, doing.kept(case, progress)
        objects.name(logs, later=True)
        found = evidence.discover(logs, now.streams, follow_links=follow_links, progress=progress)
        problems = [(p.path, p.reason) for p in found.problems]
        if not found.sources:
            raise _nothing_read(problems)
        sources: Sequence[SourceSettings] = ()
        if case.toml.exists():
            from forensics import casefile as case_files

            sources = case_files.read(case).sources
        settings: dict[str, Any] = {"sources": [one.model_dump() for one in sources]}
        known = known_evidence.read_manifest(now)
        new, named = known_evidence.split_new_and_known(now, known, found.sources, progress)
        earlier = known_evidence.per_file_settings(now, known, new)
        about: dict[str, Any] = {"org": org, "replace": org_replace, "watch": watch, "known_good": known_good}
        if (
            known
            and not new
            and settings["sources"] == known.settings.get("sources")
            and known_evidence.agrees(named, year, timezone)
        ):
            from forensics import results, store
            from forensics.custody import manifest

            manifest.intact(case, known, store.TABLES)
            unseen = remember(now, **about)
            _edited(staged, "ingest", command, by)
            return replace(results.ingested(now, known, len(named), problems, unseen), case=case.folder)
        reopened = known_evidence.reopen(now, known, new, named)
        contents = [*(source for source, _ in reopened), *new]
        if cluster is not None:  # workers have folders of their own to be in
            contents = [replace(source, stored=source.file.absolute()) for source in contents]
            reopened = [(replace(source, stored=source.file.absolute()), one) for source, one in reopened]
        named_now = frozenset(source.name for source in found.sources)
        first, over = _years(year)
        wanted = Settings(first, timezone, sources=tuple(sources), named=named_now, known=earlier, over=over)
        bounded = evidence.expanding(evidence.EXPANDED if max_expanded is None else max_expanded)

        def look_at_workers(everywhere: Callable[..., Mapping[str, Any]]) -> None:
            from forensics.ingest import workers as others

            nonlocal workers
            workers = others.check(everywhere, case.folder / runs.FOLDER, [source.file for source in contents])

        if cluster is None and memory is not None:
            workers = bounds.threads(workers or engine.default_workers(), memory)
        with engine.executor(workers, cluster, look_at_workers) as pool, bounded:
            before: Kept | None = None
            told: Mapping[Source, Surveyed] = {}
            if known and known.kept:
                from forensics.ingest import kept

                before, told = kept.again(case.folder / runs.FOLDER, known.kept, reopened, wanted)
            begun = surveying.begin(contents, wanted, pool, progress, told)
            # what else is needed is imported meanwhile
            from forensics import results
            from forensics.custody import manifest
            from forensics.ingest import kept
            from forensics.ingest import read as reading

            def record(result: reading.IngestResult) -> Ingested:
                """What the tables came from, while they can still be taken back."""
                skipped = [*problems, *result.skipped]
                read: dict[str, set[str]] = {}
                for one in result.evidence:
                    for name in one.names:
                        read.setdefault(name, set()).add(one.id)
                known_evidence.unchanged(known, reopened, read)
                if not (named or read.keys() & {source.name for source in new}):
                    raise _nothing_read(skipped)
                unseen = remember(now, **about)
                settings.update(unseen_settings(known, org, unseen))
                before = [(one.name, one.reason) for one in known.skipped] if known else []
                every = sorted({*before, *skipped})
                details: dict[str, Any] = {"skipped": every}
                if found.links:
                    details["links_followed"] = found.links
                details |= _followed(case, now, known, {one.id: one.duplicate_of for one in result.evidence})
                again = [one for one in (known.evidence if known and known.kept else ()) if one.id in result.read]
                if again:
                    details["read_again"] = [one.id for one in again]
                if result.resumed:
                    details["resumed_bytes"] = result.resumed
                inventory = manifest.record(
                    now, "ingest", command=command, started=started, settings=settings, skipped=every, state=False,
                    evidence=manifest.evidence(now, result.evidence, contents), details=details, by=by,
                    kept=result.kept, progress=progress,
                )  # fmt: skip
                made = results.ingested(now, inventory, len(named), skipped, unseen)
                return replace(
                    made, case=case.folder, read_again=tuple(one.names[0] for one in again), resumed=result.resumed
                )

            options: dict[str, Any] = {"executor": pool, "workers": workers, "progress": progress, "begun": begun}
            options["memory"] = memory
            options |= {"before": before, "keep": case.folder / runs.FOLDER, "elsewhere": cluster is not None}
            done = reading.ingest_then(now, contents, wanted, record, **options)
    kept.forget(case.folder / runs.FOLDER, manifest.read(case).kept)
    return done


def _followed(
    case: Case, now: Case, known: Manifest | None, duplicate_of: Mapping[str, Sequence[tuple[int, int, str, int]]]
) -> dict[str, Any]:
    """Record which deliveries stand for those that people ruled on and that have another name with more evidence; what
    the custody log is to say of it."""
    if known is None or not case.verdicts.exists():
        return {}
    from forensics import review as reviewing
    from forensics.custody import manifest, successors
    from forensics.ingest import followed

    ruled = {one for verdict in reviewing.read(case) for one in verdict.deliveries}
    if not ruled:
        return {}
    manifest.intact(case, known, ("deliveries",))
    earlier = {old: new for old, new in successors.read(case).items() if new in ruled}
    return successors.record(now, followed.successors(case, now, ruled, earlier, duplicate_of))


def _annex(
    case: Case, snapshots: Sequence[Path], by: By, *, command: Sequence[str], wait: bool, break_lock: bool
) -> Ingested:
    """Take snapshots of lookups into a case that holds evidence; what was detected without them goes."""
    from dataclasses import replace

    from forensics import results, store
    from forensics.custody import annexes, chain, manifest, staging

    started = chain.now()
    staging.finish(case)
    if not case.manifest.exists():
        raise EvidenceError(
            f"{snapshots[0]}: a snapshot of lookups is no mail evidence, and the case holds none yet",
            expected="the logs first",
            remedy=f"ingest the logs into {case.folder}, then the snapshot",
        )
    with staging.change(case, "ingest", wait=wait, break_lock=break_lock) as staged:
        now = staged.next
        before = manifest.read(now)
        manifest.intact(now, before, ("deliveries", "unread"))
        with store.connect(now) as connection:
            entries = annexes.take(now, snapshots, store.named(connection), started)
        known = {one["sha256"]: one for one in annexes.listed(before)}
        every = [one for _, one in sorted({**known, **{one["sha256"]: one for one in entries}}.items())]
        for stale in (now.findings, now.incidents, now.correspondents, now.lookalikes, now.detection):
            stale.unlink(missing_ok=True)
        details = {"annexes": [one["sha256"] for one in entries]}
        found = manifest.record(
            now, "ingest", command=command, started=started, settings={annexes.KEY: every}, details=details,
            state=False, by=by,
        )  # fmt: skip
        return replace(results.ingested(now, found, 0, []), case=case.folder)


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
    from forensics.custody import doing, log, manifest, staging
    from forensics.engine import memory as bounds

    started = log.now()
    bounds.bounded(memory)
    case = Case(Path(case_dir))
    staging.finish(case)
    case_files.read(case)
    before = manifest.read(case)
    refuse(case, org=org, watch=watch, known_good=known_good)
    agree(case, org, add=org_add, replace=org_replace)
    with staging.change(case, "detect", wait=wait, break_lock=break_lock) as staged:
        now, progress = staged.next, doing.kept(case, progress)
        manifest.intact(case, manifest.read(now), ("deliveries", "unread"), progress)
        unseen = remember(now, org=org, replace=org_replace, watch=watch, known_good=known_good)
        casefile = case_files.read(now)
        settings: dict[str, Any] = {"since": _iso(since), "until": _iso(until)}
        settings |= unseen_settings(before, org, unseen)
        if not (casefile.organisation.domains or settings.get("unseen_domains")):
            raise _no_organisation()
        weigh(now, casefile, manifest.read(now), since=since, until=until, memory=memory, progress=progress)
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
    from forensics.custody import doing, log, manifest, parameters, seal, staging
    from forensics.results import Reported

    case = Case(Path(case_dir))
    staging.finish(case)
    wanted = reporting.chosen(formats, edition)
    case_files.read(case)
    manifest.read(case)
    with staging.change(case, "report", wait=wait, break_lock=break_lock) as staged:
        now, progress = staged.next, doing.kept(case, progress)
        casefile, inventory = case_files.read(now), manifest.read(now)
        if not now.findings.exists():
            raise undetected(case)
        manifest.intact(case, inventory, (*store.TABLES, case.detection.name), progress)
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
    case_dir: str | Path, names: Sequence[str], *, because: str = "", examiner: str = "", note: str = ""
) -> tuple[str, ...]:
    """Record that reports no longer hold: `verify` then does not ask for them. The files are left alone.

    Raises UsageError for a name that no report of the case has.
    """
    from forensics.custody import log, manifest, seal, staging

    case = Case(Path(case_dir))
    staging.finish(case)
    manifest.read(case)
    with staging.change(case, "withdraw") as staged:
        return seal.withdraw(staged, names, because, by=log.By(examiner, note))


def _edited(staged: Staged, action: str, command: Sequence[str], by: By) -> None:
    """Record an edit of case.toml, or what an examiner notes, by a command that changes nothing else."""
    from forensics.custody import manifest, statement

    if by.said() or statement.recorded(staged.case) != statement.recorded(staged.next):
        manifest.touch(staged.next, action, {"command": list(command)}, by=by)


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


def _years(year: int | str | None) -> tuple[int | None, bool]:
    """(year of the first records, whether files run on into the next one) of 2022, or of "2022/2023"."""
    if year is None or isinstance(year, int):
        return year, False
    first, _, second = year.partition("/")
    try:
        years = int(first), int(second)
    except ValueError:
        years = 0, 0
    if not years[0] or years[1] != years[0] + 1:
        raise UsageError(f"--year {year}: no year", expected="a year such as 2022, or two that follow: 2022/2023")
    return years[0], True


def _zone(name: str | None) -> None:
    """Refuse a zone that nobody knows before any work, even where every stamp has an offset of its own."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(f"--timezone {name}: no such zone", expected="a name such as Europe/London") from None


def _no_organisation() -> UsageError:
    return UsageError(
        "whose mail is this?",
        expected="--org DOMAIN for every domain of the organisation",
        remedy="give --org, or name the domains in case.toml under [organisation]",
    )


def _nothing_read(skipped: Sequence[tuple[str, str]]) -> EvidenceError:
    from forensics.results import not_read

    lines = "\n".join(f"  {line}" for line in not_read(skipped))
    return EvidenceError(
        "no evidence could be read" + (":\n" + lines if lines else ""),
        expected="Postfix, Exim, Exchange message tracking or Exchange Online trace logs (`missent formats`)",
    )


def _iso(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None
