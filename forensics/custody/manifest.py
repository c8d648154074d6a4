"""manifest.json: what the case holds and how it came to be.

Two parts. The *record* (evidence, tables, settings, detection) is a function of evidence and settings: no clock, host
or path in its digest. The *circumstances* (names and places of evidence files, inputs that were skipped, runs with
times, host, user and command line, the head of the custody log) are not.

`case_state_digest` is what reports print: the record with case.toml and verdicts.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from forensics import case as cases
from forensics import domains, schema
from forensics.case import Case
from forensics.custody import canonical, declared, log, statement, tables
from forensics.custody.chain import Clock, Head, now, stamp
from forensics.custody.entries import (
    EvidenceEntry,
    IngestedEvidence,
    Location,
    Manifest,
    RunEntry,
    Skipped,
    evidence,
    location,
    path_of,
)
from forensics.custody.names import display
from forensics.custody.tables import Table
from forensics.errors import CaseError, VerificationFailed, system_error
from forensics.progress import Meter, Progress

VERSION = schema.VERSION
"""Of the case folder: a case whose tables have other columns is another format."""
CIRCUMSTANCES = ("names", "locations")
"""Of an evidence: what does not belong to the record."""
LIBRARIES = (
    "missent", "duckdb", "numba", "numpy", "pyarrow", "rapidfuzz", "tldextract", "typst", "zstandard",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Versions of Missent, Python and the libraries that shape results; `not installed` where one is absent."""
    from importlib import metadata

    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def settings_digest(settings: Mapping[str, Any]) -> str:
    return canonical.digest(settings)


def run(
    action: str, command: Sequence[str], started: datetime, ended: datetime, settings: Mapping[str, Any]
) -> RunEntry:
    """This process's circumstances."""
    return RunEntry(
        action=action,
        command=tuple(display(part) for part in command),
        started=stamp(started),
        ended=stamp(ended),
        host=log.host(),
        user=log.user(),
        platform=platform.platform(),
        versions=versions(),
        settings_digest=settings_digest(settings),
        suffix_list_digest=domains.suffix_list_digest(),
    )


def record_digest(manifest: Manifest) -> str:
    """SHA-256 of a settled manifest's record: evidence, tables and settings, wherever and whenever they were read."""
    entries = [
        {name: value for name, value in vars(one).items() if name not in CIRCUMSTANCES} for one in manifest.evidence
    ]
    return canonical.digest(
        {
            "evidence": sorted(entries, key=lambda entry: str(entry["id"])),
            "tables": [[one.name, one.rows, one.digest] for one in manifest.tables],
            "settings": manifest.settings,
            "detection": manifest.detection_digest,
        }
    )


def tables_digest(case: Case, manifest: Manifest) -> str:
    """SHA-256 of name, rows and content digest of every table: of evidence and settings alone, whatever the files were
    called, in which order and when they were read, and whatever people have ruled since."""
    return canonical.digest([[one.name, one.rows, one.digest] for one in settled(case, manifest).tables])


def whole_digest(manifest: Manifest) -> str:
    """SHA-256 of all that manifest.json says but the custody head, which names the entry that holds this digest."""
    return canonical.digest({**_data(manifest), "custody": None})


def _data(manifest: Manifest) -> dict[str, Any]:
    """As `dataclasses.asdict` has it, which copies every value: of 100,000 evidence files for five seconds.

    Where nothing is kept for the next ingest, nothing is said of it.
    """
    rest = asdict(replace(manifest, evidence=()))
    if not manifest.kept:
        del rest["kept"]
    entries = [{**vars(one), "locations": [vars(place) for place in one.locations]} for one in manifest.evidence]
    return {**rest, "evidence": entries}


def intact(case: Case, manifest: Manifest, names: Iterable[str], progress: Progress | None = None) -> None:
    """Refuse tables that are not what the case recorded, before a stage reads them and makes them its own.

    `names` are of `tables.TABLES`, or `detection.json`. Raises VerificationFailed naming the first file.
    """
    names = list(names)
    recorded = {one.name: {file.path: file.sha256 for file in one.files} for one in manifest.tables}
    sizes = [file.size for one in manifest.tables for file in one.files if one.name in names]
    meter = Meter(progress, "tables", sum(sizes))
    for name in names:
        if name == case.detection.name:
            there = hashlib.sha256(case.detection.read_bytes()).hexdigest() if case.detection.exists() else ""
            faults = [] if there == manifest.detection_digest else [f"{name} was changed or removed"]
        else:
            faults = tables.faults(case, name, recorded.get(name, {}), meter)
        if faults:
            raise VerificationFailed(
                f"{case.folder}: {faults[0]} since the case recorded it; nothing was read from it",
                expected="the tables as the stage before wrote them",
                remedy="`missent verify` lists all that was changed; ingest the evidence into a new case",
            )


def settled(case: Case, manifest: Manifest, progress: Progress | None = None) -> Manifest:
    """The manifest with the content digest of every table; those that are missing are computed."""
    sizes = [file.size for one in manifest.tables for file in one.files if not one.digest]
    meter = Meter(progress if sizes else None, "digest", sum(sizes))
    whole = (
        one if one.digest else replace(one, digest=tables.content_digest(case, one.name, meter))
        for one in manifest.tables
    )
    return replace(manifest, tables=tuple(whole))


def case_state_digest(case: Case, manifest: Manifest | None = None, progress: Progress | None = None) -> str:
    """SHA-256 over the manifest's record, case.toml and verdicts.jsonl: what a report is a function of. No clock in it.

    The tables' digests are of their content, as recorded (`verify` recomputes them), or computed now when they are not.
    Verdicts count with their bytes, times included: the log of people's rulings is an input like any other.
    """
    digested = settled(case, manifest or read(case), progress)
    verdicts = case.verdicts.read_bytes() if case.verdicts.exists() else b""
    followed = case.successors.exists()
    return canonical.digest(
        {
            "record": record_digest(digested),
            "case_toml": cases.digest(case),
            "verdicts": hashlib.sha256(verdicts).hexdigest(),
            **({"successors": hashlib.sha256(case.successors.read_bytes()).hexdigest()} if followed else {}),
        }
    )


def record(
    case: Case,
    action: str,
    *,
    command: Sequence[str],
    started: datetime,
    details: Mapping[str, Any] | None = None,
    evidence: Sequence[EvidenceEntry] | None = None,
    skipped: Iterable[tuple[str, str]] | None = None,
    settings: Mapping[str, Any] | None = None,
    kept: str | None = None,
    state: bool = True,
    by: log.By = log.NOBODY,
    clock: Clock = now,
    progress: Progress | None = None,
) -> Manifest:
    """A stage is done: digest the tables, write custody entry and manifest. What is None stays as it was.

    The custody entry carries the digest of the tables' files and the ids of new evidence, so that tables or a manifest
    altered later are seen. With `state` (which reads the changed tables once) the record's and the case-state digest
    too; without, they are left to the next stage. `settings` are merged into those recorded (by key).
    """
    before = read(case) if case.manifest.exists() else Manifest()
    merged = {**before.settings, **(settings or {})}
    detection = case.detection.read_bytes() if case.detection.exists() else None
    after = replace(
        before,
        evidence=before.evidence if evidence is None else tuple(evidence),
        skipped=before.skipped if skipped is None else tuple(Skipped(*one) for one in skipped),
        tables=_tables(case, before.tables, progress),
        settings=merged,
        detection_digest="" if detection is None else hashlib.sha256(detection).hexdigest(),
        runs=(*before.runs, run(action, command, started, clock(), merged)),
        kept=before.kept if kept is None else kept,
    )
    facts = {**(details or {}), "command": [display(part) for part in command], "files": files_digest(after)}
    if state:
        after = settled(case, after, progress)
        facts |= {"record": record_digest(after), "case_state": case_state_digest(case, after)}
    if evidence is not None:
        facts["evidence"] = [one.id for one in after.evidence]
    facts |= {"case_toml": statement.recorded(case), "manifest": whole_digest(after)}
    after = replace(after, custody=log.append(case, action, facts, by=by, clock=clock))
    write(case, after)
    return after


def _tables(case: Case, before: Iterable[Table], progress: Progress | None) -> tuple[Table, ...]:
    """The tables as they are; a content digest computed before is kept where no file has changed."""
    known = {(one.name, one.files): one.digest for one in before}
    return tuple(replace(one, digest=known.get((one.name, one.files), "")) for one in tables.existing(case, progress))


def files_digest(manifest: Manifest) -> str:
    """SHA-256 over the digests of all table files and detection.json, as the custody log keeps it."""
    files = [[file.path, file.sha256] for one in manifest.tables for file in one.files]
    return canonical.digest([files, manifest.detection_digest])


def touch(case: Case, action: str, details: Mapping[str, Any], clock: Clock = now, *, by: log.By = log.NOBODY) -> Head:
    """Record an action that changes no table (a report, a verdict): custody entry, and its head in the manifest."""
    digested = settled(case, read(case)) if case.manifest.exists() else None
    state: dict[str, Any] = {"case_toml": statement.recorded(case)}
    if digested:
        state |= {"case_state": case_state_digest(case, digested), "manifest": whole_digest(digested)}
    head = log.append(case, action, {**state, **details}, by=by, clock=clock)
    if digested:
        write(case, replace(digested, custody=head))
    return head


def write(case: Case, manifest: Manifest) -> None:
    """manifest.json, in one step."""
    canonical.put(case.manifest, canonical.page({**_data(manifest), "version": VERSION}))


def read(case: Case) -> Manifest:
    """manifest.json. Raises CaseError when it is missing, damaged or of another version."""
    try:
        data = canonical.load(case.manifest.read_bytes())
    except FileNotFoundError:
        raise CaseError(
            f"{case.folder}: nothing was ingested yet: it has no manifest.json",
            remedy="run `missent ingest LOG… --case DIR` first",
        ) from None
    except ValueError as error:
        raise CaseError(f"{case.manifest}: cannot be read: {error}", expected="JSON as Missent writes it") from None
    except OSError as error:
        raise system_error(error, case.manifest) from None
    if not isinstance(data, dict) or data.get("version") != VERSION:
        found = data.get("version") if isinstance(data, dict) else "none"
        raise CaseError(
            f"{case.manifest}: the case is in format {found}, made by another version of Missent",
            expected=f"format {VERSION}",
            remedy="open it with the version that made it, or ingest its evidence into a new case",
        )
    try:
        said = {name: one for name, one in data.items() if name != "version"}
        made: Manifest = declared.value(Manifest, {"kept": "", **said})
        if strange := [one.name for one in made.tables if one.name not in tables.TABLES]:
            raise ValueError(f"no table is named {strange[0]!r}")
        return made
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CaseError(
            f"{case.manifest}: is damaged or was altered ({type(error).__name__}: {error})",
            remedy="ingest the evidence into a new case and compare",
        ) from None


__all__ = [
    "EvidenceEntry",
    "Head",
    "IngestedEvidence",
    "Location",
    "Manifest",
    "RunEntry",
    "Skipped",
    "case_state_digest",
    "evidence",
    "files_digest",
    "intact",
    "location",
    "path_of",
    "read",
    "record",
    "record_digest",
    "run",
    "settings_digest",
    "settled",
    "touch",
    "versions",
    "whole_digest",
    "write",
]
