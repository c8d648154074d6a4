"""The stages as public functions: ingest → detect → report, `run` for all three, `verify` for the way back.

Each reads tables and writes tables, so that each can be run again alone. Nothing here parses, weighs or lays
out: the rooms below do. `org`, `watch` and `known_good` are remembered in case.toml, the other settings in
the manifest; so every stage, and every auditor, sees the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import case as case_files
from forensics import domains
from forensics.case import Case, CaseFile
from forensics.errors import CaseError, EvidenceError, UsageError, VerificationFailed

if TYPE_CHECKING:
    from forensics.custody.manifest import Evidence, Manifest
    from forensics.ingest import Progress

HEADLINE = ("high", "medium")
"""Levels that count; `low` is kept for review."""


@dataclass(frozen=True)
class Ingested:
    """records = used + ignored + unread, over all evidence of the case; duplicates are among the ignored."""

    case: Path
    evidence: int
    already: int
    records: int
    used: int
    ignored: int
    duplicates: int
    unread: int
    deliveries: int
    first: datetime | None
    last: datetime | None
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Detected:
    """`findings` and `messages` count levels high and medium; `kept_for_review` the level low."""

    case: Path
    verdict: str
    scored: int
    findings: int
    messages: int
    exposed: int
    handed_on: int
    not_exposed: int
    unsettled: int
    kept_for_review: int
    first: datetime | None
    last: datetime | None
    incidents: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Reported:
    case: Path
    files: tuple[Path, ...]
    answered: int
    required: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    ingested: Ingested
    detected: Detected
    reported: Reported


def run(
    logs: Sequence[str | Path],
    case_dir: str | Path = "case",
    *,
    org: Sequence[str] = (),
    watch: Sequence[str] = (),
    known_good: Sequence[str] = (),
    year: int | None = None,
    timezone: str | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    formats: str | Sequence[str] = ("html", "pdf", "json"),
    edition: str = "full",
    out: str | Path | None = None,
    as_of: datetime | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
) -> Run:
    """The main job. Raises MissentError as its stages do; a wish that cannot be met is refused before any work."""
    _formats(formats)
    case = Case(Path(case_dir))
    if not org and not (case.toml.exists() and case_files.read(case).organisation.domains):
        raise _no_organisation()
    about = {"org": org, "watch": watch, "known_good": known_good}
    reading = {"year": year, "timezone": timezone, "workers": workers, "cluster": cluster}
    told: dict[str, Any] = {"progress": progress, "command": command}
    return Run(
        ingest(logs, case_dir, **about, **reading, **told),  # type: ignore[arg-type]
        detect(case_dir, since=since, until=until, **told),
        report(case_dir, formats=formats, edition=edition, out=out, as_of=as_of, **told),
    )  # fmt: skip


def ingest(
    logs: Sequence[str | Path],
    case_dir: str | Path = "case",
    *,
    org: Sequence[str] = (),
    watch: Sequence[str] = (),
    known_good: Sequence[str] = (),
    year: int | None = None,
    timezone: str | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
) -> Ingested:
    """Read `logs` into the case, made if it is not there.

    Evidence that the case holds already is recognised by digest. With new evidence all of it is read anew, so that
    the tables are a function of the evidence and not of the order of commands; findings made before are removed.
    Raises EvidenceError when nothing could be read, VerificationFailed when known evidence is not what it was.
    """
    from forensics import engine
    from forensics import ingest as reading
    from forensics.custody import evidence, log, manifest
    from forensics.loaders.base import Settings

    started = log.now()
    case = Case(Path(case_dir))
    found = evidence.discover(logs, case.streams)
    if not found.sources:
        raise _nothing_read([(p.path, p.reason) for p in found.problems])
    prepare(case, org=org, watch=watch, known_good=known_good)
    known = manifest.read(case) if case.manifest.exists() else None
    sources = case_files.read(case).sources
    settings = {"sources": [one.model_dump() for one in sources]}
    new, named = _new(case, known, found.sources)
    told = _told(known, [source.name for source in found.sources], year, timezone)
    if known and not new and settings["sources"] == known.settings.get("sources") and _agrees(named, year, timezone):
        return _ingested(case, known, len(named), [(p.path, p.reason) for p in found.problems])
    contents = [*_again(case, known), *new]
    wanted = Settings(sources=(*sources, *told))
    with engine.executor(workers, cluster) as pool:
        result = reading.ingest(case, contents, wanted, executor=pool, workers=workers, progress=progress)
    skipped = [*((p.path, p.reason) for p in found.problems), *result.skipped]
    if not result.evidence:
        raise _nothing_read(skipped)
    _same(known, {one.id for one in result.evidence})
    for stale in (case.findings, case.incidents, case.correspondents, case.detection):
        stale.unlink(missing_ok=True)
    entries = manifest.evidence(case, result.evidence, contents)
    if known:
        skipped = [*((one.name, one.reason) for one in known.skipped), *skipped]
    held = manifest.record(
        case, "ingest", command=command, started=started, settings=settings, evidence=entries,
        skipped=sorted(set(skipped)), details={"skipped": sorted(set(skipped))}, state=False,
    )  # fmt: skip
    return _ingested(case, held, len(named), skipped)


def detect(
    case_dir: str | Path = "case",
    *,
    org: Sequence[str] = (),
    watch: Sequence[str] = (),
    known_good: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
) -> Detected:
    """Weigh every outbound delivery and write correspondents, findings, incidents and detection.json.

    `since`, `until`: score deliveries submitted in [since, until); all of them still count as history.
    """
    import json

    from forensics import detector, store
    from forensics.custody import log, manifest

    started = log.now()
    case = Case(Path(case_dir))
    case_files.read(case)
    manifest.read(case)
    prepare(case, org=org, watch=watch, known_good=known_good)
    casefile = case_files.read(case)
    if not casefile.organisation.domains:
        raise _no_organisation()
    with store.connect(case, casefile.organisation.domains) as connection:
        result = detector.detect(connection, casefile, since=since, until=until, progress=progress)
    for kind in ("correspondents", "findings", "incidents"):
        store.write(getattr(result, kind), getattr(case, kind), kind)
    text = json.dumps(result.parameters, ensure_ascii=False, indent=1, sort_keys=True)
    case.detection.write_text(text + "\n", "utf-8")
    settings = {"since": _iso(since), "until": _iso(until)}
    manifest.record(case, "detect", command=command, started=started, settings=settings)
    return detected(case)


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
    progress: Progress | None = None,
    command: Sequence[str] = (),
) -> Reported:
    """Write the report in each format and seal it. Raises CaseError when nothing was detected yet."""
    from forensics import report as reporting
    from forensics import review as reviewing
    from forensics import store
    from forensics.custody import manifest, seal

    case = Case(Path(case_dir))
    wanted = _formats(formats)
    casefile = case_files.read(case)
    held = manifest.read(case)
    if not case.findings.exists():
        raise CaseError(f"{case.folder}: nothing was detected yet", remedy=f"run `missent detect --case {case.folder}`")
    folder = Path(out) if out else None
    with store.connect(case, casefile.organisation.domains) as connection:
        written = reporting.write(
            case,
            connection,
            casefile,
            held,
            reviewing.current(case),
            formats=wanted,
            edition=edition,
            out=folder,
            as_of=as_of,
            language=language,
            templates=templates,
            logo=logo,
            progress=progress,
        )
    seal.write(case, written.files, {"edition": edition, "command": list(command)})
    return Reported(case.folder, written.files, written.answered, written.required, written.notes)


def detected(case: Case) -> Detected:
    """What the case's findings come to, and the verdict in one sentence."""
    from forensics import store
    from forensics.custody import manifest

    casefile = case_files.read(case)
    with store.connect(case, casefile.organisation.domains) as connection:
        counted = _rows(
            connection,
            f"""select count(*) findings,
            count(distinct (coalesce(network_message_id, message_id, queue_id, delivery_id), sender)) messages,
            count(*) filter (f.exposure = 'exposed') exposed,
            count(*) filter (f.exposure = 'handed-on') handed_on,
            count(*) filter (f.exposure = 'not-exposed') not_exposed,
            count(*) filter (f.exposure = 'unsettled') unsettled,
            min(d.submitted_at) first, max(d.submitted_at) last
            from findings f join deliveries d using (delivery_id) where f.level in {HEADLINE}""",
        )[0]
        low = _rows(connection, "select count(*) n from findings where level = 'low'")[0]["n"]
        period = _period(manifest.read(case).settings)
        scored = _rows(
            connection, f"select count(*) n from deliveries where direction = 'outbound' and sender <> '' {period}"
        )[0]["n"]
        incidents = _rows(
            connection,
            f"""select observed_domain, intended_domain, slip, story, messages, recipients, senders, exposed,
            not_exposed, first_seen, last_seen, score
            from incidents where incident_id in (select incident_id from findings where level in {HEADLINE})
            order by messages desc, observed_domain, intended_domain""",
        )
    return Detected(
        case.folder, _verdict(counted, scored), scored, kept_for_review=low, incidents=tuple(incidents), **counted
    )


def prepare(case: Case, *, org: Sequence[str] = (), watch: Sequence[str] = (), known_good: Sequence[str] = ()) -> None:
    """Make the case if it is not there; remember what the options say in its case.toml."""
    from forensics.report import asking

    if not case.toml.exists():
        if case.folder.exists() and not case.folder.is_dir():
            raise CaseError(f"{case.folder} is a file", expected="a folder for the case")
        asked = asking.template()
        case_files.create(case, domains.clean(org), watched=watch, known_good=known_good, questionnaire=asked)
        return
    held = case_files.read(case)
    given = CaseFile(
        organisation=case_files.Organisation(domains=tuple(org)),
        domains=case_files.Domains(known_good=tuple(known_good), watched=tuple(watch)),
    )
    for table, key, old, wanted in (
        ("organisation", "domains", held.organisation.domains, given.organisation.domains),
        ("domains", "watched", held.domains.watched, given.domains.watched),
        ("domains", "known_good", held.domains.known_good, given.domains.known_good),
    ):
        if missing := [value for value in wanted if value not in old]:
            case_files.remember(case, table, key, missing)


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


def _verdict(counted: Mapping[str, Any], scored: int) -> str:
    if not counted["findings"]:
        return f"no delivery to a lookalike of a known domain was found among {scored:,} outbound deliveries."
    accepted = counted["exposed"] + counted["handed_on"]
    plural = "delivery" if counted["findings"] == 1 else "deliveries"
    settled = f"{accepted:,} accepted by the server there, {counted['not_exposed']:,} refused"
    open_ones = f", {counted['unsettled']:,} unsettled" if counted["unsettled"] else ""
    messages = "1 message" if counted["messages"] == 1 else f"{counted['messages']:,} messages"
    what = f"{counted['findings']:,} {plural} in {messages} went to a lookalike of the domain their sender meant"
    return f"{what}: {settled}{open_ones}."


def _formats(formats: str | Sequence[str]) -> tuple[str, ...]:
    from forensics import report as reporting

    names = formats.split(",") if isinstance(formats, str) else list(formats)
    wanted = tuple(dict.fromkeys(name.strip().lower() for name in names if name.strip()))
    unknown = [name for name in wanted if name not in reporting.FORMATS]
    if unknown or not wanted:
        raise UsageError(
            f"--format: {', '.join(unknown) or 'nothing named'}", expected="any of " + ", ".join(reporting.FORMATS)
        )
    return wanted


def _no_organisation() -> UsageError:
    return UsageError(
        "whose mail is this?",
        expected="--org DOMAIN for every domain of the organisation",
        remedy="give --org, or name the domains in case.toml under [organisation]",
    )


def _nothing_read(skipped: Sequence[tuple[str, str]]) -> EvidenceError:
    lines = "\n".join(f"  {name}: {reason}" for name, reason in skipped)
    return EvidenceError(
        "no evidence could be read" + (":\n" + lines if lines else ""),
        expected="Postfix, Exchange message tracking or Exchange Online trace logs (`missent formats`)",
    )


def _new(case: Case, known: Manifest | None, sources: Sequence[Any]) -> tuple[list[Any], list[Evidence]]:
    """Sources whose file the case does not hold yet, and the evidence of those that it does."""
    from forensics.custody import evidence, manifest

    if known is None:
        return list(sources), []
    held = {(one.file_sha256, place.member, place.index): one for one in known.evidence for place in one.locations}
    new, named = [], []
    for source in sources:
        place = manifest.location(case, source)
        one = held.get((evidence.file_digest(source.file)[0], place.member, place.index))
        if one is None:
            new.append(source)
        else:
            named.append(one)
    return new, named


def _told(
    known: Manifest | None, named: Sequence[str], year: int | None, timezone: str | None
) -> tuple[case_files.Source, ...]:
    """What people have said about single files: now, by options, about those named now; earlier, about the others."""
    from glob import escape

    told = [case_files.Source(file=escape(name), year=year, timezone=timezone) for name in named if year or timezone]
    for one in known.evidence if known else ():
        years, zones = one.notes.get("year", {}), one.notes.get("timezone", {})
        first = years.get("first") if years.get("by") == "setting" else None
        zone = zones.get("name") if zones.get("by") == "setting" else None
        told += [case_files.Source(file=escape(name), year=first, timezone=zone) for name in one.names]
    return tuple(told)


def _agrees(named: Sequence[Evidence], year: int | None, timezone: str | None) -> bool:
    """Whether the evidence named again was read with the year and zone that the options give, if they give any."""
    for one in named:
        years, zones = one.notes.get("year"), one.notes.get("timezone")
        if year is not None and years and years.get("first") != year:
            return False
        if timezone is not None and zones and zones.get("name") != timezone:
            return False
    return True


def _again(case: Case, known: Manifest | None) -> list[Any]:
    """Sources of the evidence that the case holds. Raises EvidenceError when a file is no longer where it was."""
    from dataclasses import replace

    from forensics.custody import manifest, reread

    sources: list[Any] = []
    for one in known.evidence if known else ():
        found = list(reread.places(case, one))
        if not found:
            raise EvidenceError(
                f"{one.names[0]}: is no longer at {manifest.path_of(case, one.locations[0])}",
                expected="known evidence, which is read again together with the new",
                remedy="put it back, or ingest everything into a new case",
            )
        for source in found:
            kept = source.file.is_relative_to(case.streams)
            sources.append(replace(source, path="-", stored=source.file) if kept else source)
    return sources


def _same(known: Manifest | None, ids: set[str]) -> None:
    for one in known.evidence if known else ():
        if one.id not in ids:
            raise VerificationFailed(
                f"{one.names[0]}: its content is no longer what the case recorded (SHA-256 {one.id})",
                remedy="find out who changed it; `missent verify` says what else did",
            )


def _ingested(case: Case, held: Manifest, already: int, skipped: Sequence[tuple[str, str]]) -> Ingested:
    ends = [datetime.fromisoformat(t) for one in held.evidence for t in (one.first, one.last) if t]
    ignored = sum(sum(one.ignored.values()) for one in held.evidence)
    return Ingested(
        case=case.folder, evidence=len(held.evidence), already=already,
        records=sum(one.records for one in held.evidence), used=sum(one.used for one in held.evidence), ignored=ignored,
        duplicates=sum(one.duplicates for one in held.evidence), unread=sum(one.unread for one in held.evidence),
        deliveries=next((table.rows for table in held.tables if table.name == "deliveries"), 0),
        first=min(ends, default=None), last=max(ends, default=None), skipped=tuple(skipped), notes=_notes(held),
    )  # fmt: skip


def _notes(held: Manifest) -> tuple[str, ...]:
    """Damage, and how years were found for stamps that have none, alike ones together."""
    from collections import Counter

    damage = [f"{one.names[0]}: {one.damage}" for one in held.evidence if one.damage]
    found = [one.notes["year"] for one in held.evidence if one.notes.get("year")]
    years = Counter((year["first"], str(year["by"]).partition(" (")[0]) for year in found)
    told = [
        f"stamps without a year: {number} of the files from {year}, by {how}" for (year, how), number in years.items()
    ]
    return (*damage, *sorted(told))


def _period(settings: Mapping[str, Any]) -> str:
    since, until = settings.get("since"), settings.get("until")
    return (f" and submitted_at >= '{since}'" if since else "") + (f" and submitted_at < '{until}'" if until else "")


def _iso(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat() if value else None


def fetch(connection: Any, query: str) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """Column names and rows of a query. Through Arrow, because DuckDB's own rows need pytz for times with a zone."""
    answer = connection.sql(query)
    if answer is None:
        return (), ()
    table = answer.to_arrow_table()
    columns = [column.to_pylist() for column in table.columns]
    return tuple(table.column_names), tuple(zip(*columns, strict=True))


def _rows(connection: Any, query: str) -> list[dict[str, Any]]:
    names, rows = fetch(connection, query)
    return [dict(zip(names, row, strict=True)) for row in rows]
