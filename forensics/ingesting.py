"""The first stage: evidence into a case, and the tables made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.about import agree, remember, unseen_settings
from forensics.arguments import checked
from forensics.case import Case, is_zone, refuse
from forensics.errors import EvidenceError, UsageError

if TYPE_CHECKING:
    from forensics.casefile import SourceSettings
    from forensics.custody.log import By
    from forensics.custody.manifest import Manifest
    from forensics.custody.sources import Source
    from forensics.custody.staging import Staged
    from forensics.ingest.kept import Kept
    from forensics.ingest.known import Moved
    from forensics.ingest.survey import Surveyed
    from forensics.progress import Progress
    from forensics.results import Ingested


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

    Evidence that the case holds already is recognised by digest, also where its file has another name by now, as after
    a rotation. With new evidence all of it is read anew, so that the tables are a function of the evidence and not of
    the order of commands; findings made before are removed.
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
    from forensics.ingest import finished
    from forensics.ingest import known as known_evidence
    from forensics.ingest import survey as surveying
    from forensics.loaders.settings import Settings

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
        elif org or watch or known_good or year is not None or timezone is not None:
            raise UsageError(
                f"{snapshots[0]}: is a snapshot of lookups, to which no option of a log applies",
                expected="--org, --watch, --known-good, --year and --timezone beside logs, or with `missent detect`",
            )
        return _annex(Case(Path(case_dir)), snapshots, by, command=command, wait=wait, break_lock=break_lock)
    _zone(timezone)
    case = Case(Path(case_dir))
    refuse(case, org=org, watch=watch, known_good=known_good)
    agree(case, org, add=org_add, replace=org_replace)
    with staging.change(case, "ingest", wait=wait, break_lock=break_lock) as staged:
        now, progress = staged.next, doing.kept(case, progress)
        objects.name(logs, later=True)
        found = evidence.discover(logs, now.streams, follow_links=follow_links, making=case.folder, progress=progress)
        problems = [(p.path, p.reason) for p in found.problems]
        if not found.sources:
            raise _nothing_read(problems)
        sources: Sequence[SourceSettings] = ()
        if case.toml.exists() or case.holds:
            from forensics import casefile as case_files

            sources = case_files.read(case).sources
        settings: dict[str, Any] = {"sources": [one.model_dump() for one in sources]}
        known = known_evidence.read_manifest(now)
        new, named = known_evidence.split_new_and_known(now, known, found.sources, progress)
        about: dict[str, Any] = {"org": org, "replace": org_replace, "watch": watch, "known_good": known_good}
        already = len({source for source, _ in named})
        told_anew = not known or settings["sources"] != known.settings.get("sources")
        if known and not new and not told_anew and known_evidence.agrees(named, year, timezone):
            lying = known_evidence.reopen(now, known_evidence.beside(known, named), (), named)
            if known_evidence.as_files(lying.moved):
                from forensics import results, store
                from forensics.custody import manifest

                manifest.intact(case, known, store.TABLES)
                unseen = remember(now, **about)
                if lying.moved:
                    known_evidence.keep_what_was_said(known, sources, lying.moved)
                    known = manifest.record(
                        now, "ingest", command=command, started=started, by=by, progress=progress,
                        evidence=known_evidence.at_their_places(now, known, lying),
                        details={"moved": [one.said() for one in lying.moved]},
                    )  # fmt: skip
                else:
                    _edited(staged, "ingest", command, by)
                made = results.ingested(now, known, already, problems, unseen)
                return replace(made, case=case.folder, moved=_moved(lying.moved))
        lying = known_evidence.reopen(now, known, new, named)
        reopened, new, moved = lying.sources, list(lying.new), lying.moved
        known_evidence.keep_what_was_said(known, sources, moved)
        earlier = known_evidence.per_file_settings(now, known, new, moved)
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
        keep = case.folder / runs.FOLDER
        with finished.undone(keep), engine.executor(workers, cluster, look_at_workers) as pool, bounded:
            before: Kept | None = None
            told: Mapping[Source, Surveyed] = {}
            if known and known.kept:
                from forensics.ingest import kept

                before, told = kept.again(keep, known.kept, reopened, wanted)
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
                if not (named or moved or read.keys() & {source.name for source in new}):
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
                if moved:
                    details["moved"] = [one.said() for one in moved]
                if result.resumed:
                    details["resumed_bytes"] = result.resumed
                inventory = manifest.record(
                    now, "ingest", command=command, started=started, settings=settings, skipped=every, state=False,
                    evidence=manifest.evidence(now, result.evidence, contents), details=details, by=by,
                    kept=result.kept, progress=progress,
                )  # fmt: skip
                made = results.ingested(now, inventory, already, skipped, unseen)
                return replace(
                    made, case=case.folder, read_again=tuple(one.names[0] for one in again), resumed=result.resumed,
                    moved=_moved(moved),
                )  # fmt: skip

            options: dict[str, Any] = {"executor": pool, "workers": workers, "progress": progress, "begun": begun}
            options["memory"] = memory
            options |= {"before": before, "keep": keep, "elsewhere": cluster is not None}
            done = reading.ingest_then(now, contents, wanted, record, **options)
    kept.forget(keep, manifest.read(case).kept)
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


def _moved(moved: Sequence[Moved]) -> tuple[tuple[str, str], ...]:
    return tuple((one.before, one.now) for one in moved)


def _edited(staged: Staged, action: str, command: Sequence[str], by: By) -> None:
    """Record an edit of case.toml, or what an examiner notes, by a command that changes nothing else."""
    from forensics.custody import manifest, statement

    if by.said() or statement.recorded(staged.case) != statement.recorded(staged.next):
        manifest.touch(staged.next, action, {"command": list(command)}, by=by)


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
    if name is not None and not is_zone(name):
        raise UsageError(f"--timezone {name or repr(name)}: no such zone", expected="a name such as Europe/London")


def _nothing_read(skipped: Sequence[tuple[str, str]]) -> EvidenceError:
    from forensics.results import not_read

    lines = "\n".join(f"  {line}" for line in not_read(skipped))
    return EvidenceError(
        "no evidence could be read" + (":\n" + lines if lines else ""),
        expected="Postfix, Exim, Exchange message tracking or Exchange Online trace logs (`missent formats`)",
    )
