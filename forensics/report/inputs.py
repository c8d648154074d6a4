"""What a report is made from, read out of the case: manifest, detection settings, measured error rates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from forensics.case import Case, CaseFile
from forensics.custody import manifest
from forensics.custody.manifest import Manifest
from forensics.errors import CaseError
from forensics.report.facts import Bin, Evidence, Method, Rate
from forensics.report.gather import Inputs

VERIFY = "missent verify CASE"
"""Where the case lies is no part of a report."""


def read(
    case: Case, casefile: CaseFile, held: Manifest, verdicts: Iterable[object], as_of: datetime | None = None
) -> Inputs:
    """Everything beside the tables. Raises CaseError when detection.json cannot be read."""
    evidence = tuple(_evidence(f"E{n}", entry) for n, entry in enumerate(held.evidence, 1))
    return Inputs(
        casefile=casefile,
        evidence=evidence,
        evidence_ids={entry.id: f"E{n}" for n, entry in enumerate(held.evidence, 1)},
        method=_method(case, held),
        verdicts=tuple(verdicts),
        as_of=as_of,
        case_state=manifest.case_state_digest(case, held),
        verify=VERIFY,
    )


def _evidence(ref: str, entry: manifest.Evidence) -> Evidence:
    return Evidence(
        ref=ref,
        names=entry.names,
        file_sha256=entry.file_sha256,
        content_sha256=entry.id,
        file_bytes=entry.file_size,
        content_bytes=entry.content_size,
        loader=entry.loader,
        records=entry.records,
        used=entry.used,
        ignored=sum(entry.ignored.values()),
        unread=entry.unread,
        duplicates=entry.duplicates,
        first=_moment(entry.first),
        last=_moment(entry.last),
        time_basis=_time_basis(entry.notes),
        damage=entry.damage,
    )


def _moment(stamp: str | None) -> datetime | None:
    return None if stamp is None else datetime.fromisoformat(stamp).astimezone(UTC)


def _time_basis(notes: Mapping[str, Any]) -> str:
    """How year and zone were found, as the loader noted it; `; ` between notes."""
    said = [str(notes[key]) for key in ("year", "zone", "timezone", "clock", "steps") if notes.get(key)]
    return "; ".join(said)


def _method(case: Case, held: Manifest) -> Method:
    run = held.runs[-1] if held.runs else None
    versions = dict(run.versions) if run else {}
    measured = evaluation()
    return Method(
        version=versions.pop("missent", ""),
        settings_digest=run.settings_digest if run else "",
        suffix_list_digest=run.suffix_list_digest if run else "",
        libraries=tuple(sorted(versions.items())),
        parameters=tuple(_parameters(_detection(case))),
        rates=tuple(Rate(**rate) for rate in measured.get("rates", ())),
        reliability=tuple(Bin(**one) for one in measured.get("reliability", ())),
        evaluated_on=str(measured.get("evaluated_on", "")),
        command=_command(held),
    )


def _command(held: Manifest) -> str:
    """The commands of this case's stages, one a line, as they were given."""
    return "\n".join(" ".join(run.command) for run in held.runs if run.command and run.action in ("ingest", "detect"))


def _detection(case: Case) -> Mapping[str, Any]:
    if not case.detection.exists():
        return {}
    try:
        return dict(json.loads(case.detection.read_text("utf-8")))
    except (ValueError, OSError) as error:
        raise CaseError(
            f"{case.detection}: cannot be read: {error}", remedy=f"run `missent detect --case {case.folder}` again"
        ) from None


def _parameters(settings: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Settings that are single values, nested ones by dotted name; lists and weights stay in detection.json."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            if not prefix:
                yield from _parameters(value, f"{name}.")
        elif isinstance(value, bool | int | float | str):
            yield prefix + name, f"{value:.6g}" if isinstance(value, float) else str(value)


def evaluation() -> Mapping[str, Any]:
    """The measured error rates that ship with the detector; empty when none do."""
    found = files("forensics.detector").joinpath("evaluation.json")
    return dict(json.loads(found.read_text("utf-8"))) if found.is_file() else {}
