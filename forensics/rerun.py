"""A case made once more from its evidence, in a temporary folder, and compared with what is recorded.

`verify` shows that nothing was changed since; this shows that the same evidence and settings give the same tables by
the program that is installed now. Where they do not, the versions that differ are named: they could explain it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from forensics import casefile as case_files
from forensics import domains
from forensics.case import Case
from forensics.custody import manifest, places, reread, tables, told
from forensics.custody.checks import Check, checked
from forensics.custody.entries import EvidenceEntry, Manifest
from forensics.custody.sources import Source
from forensics.custody.streams import Place
from forensics.errors import MissentError
from forensics.ingest import known as known_evidence
from forensics.ingest import read as reading
from forensics.loaders.settings import Settings
from forensics.pipeline import weigh
from forensics.progress import Progress

CIRCUMSTANCES = ("names", "locations", "file_sha256", "file_size")
"""Of an evidence: what depends on where and how it lies."""


def rerun(
    case: Case, *, evidence: Place | None = None, bag: bool = False, progress: Progress | None = None
) -> list[Check]:
    """Read and weigh everything afresh, with the recorded settings; writes nothing into the case.

    `evidence`, `bag`: as `verify.verify` has them. Raises CaseError, OSError.
    """
    inventory = manifest.settled(case, manifest.read(case))
    try:
        sources = list(_sources(case, inventory, evidence, bag))
    except LookupError as error:
        return [Check("rerun", None, f"{error.args[0]}: nothing was made afresh")]
    with tempfile.TemporaryDirectory(prefix="missent-rerun-") as folder:
        fresh = Case(Path(folder) / "case")
        fresh.folder.mkdir()
        shutil.copyfile(case.toml, fresh.toml)
        if case.annexes.is_dir():
            shutil.copytree(case.annexes, fresh.annexes)
        try:
            made = _made(case, fresh, inventory, sources, progress)
        except MissentError as error:
            return [Check("rerun", False, f"the evidence cannot be read as it was: {error.what}")]
    return [_compared(inventory, made)]


def _sources(case: Case, inventory: Manifest, evidence: Place | None, bag: bool) -> Iterator[Source]:
    """Every content under every name that it had, wherever it lies now. Raises LookupError naming what is not there."""
    here = {one.id: [] if bag else list(places.recorded(case, one)) for one in inventory.evidence}
    lost = {one.id: one for one in inventory.evidence if not here[one.id]}
    moved = reread.search(evidence, lost) if evidence is not None and lost else {}
    for one in inventory.evidence:
        source = here[one.id][0] if here[one.id] else moved.get(one.id)
        if source is None:
            raise LookupError(f"{one.names[0]} is not there")
        for place in one.locations:
            yield replace(source, path=places.given(case, place), member=source.member, stored=source.file)


def _made(
    case: Case, fresh: Case, inventory: Manifest, sources: Sequence[Source], progress: Progress | None
) -> Manifest:
    wanted = Settings(
        sources=told.written(inventory),
        named=frozenset(),
        known=known_evidence.per_file_settings(case, inventory),
    )
    entries: tuple[EvidenceEntry, ...] = reading.ingest_then(
        fresh, sources, wanted, lambda result: manifest.evidence(fresh, result.evidence), progress=progress
    )
    detected = any(one.name == "findings" for one in inventory.tables)
    if detected:
        since, until = (_moment(inventory.settings.get(name)) for name in ("since", "until"))
        weigh(fresh, case_files.read(fresh), inventory, since=since, until=until, progress=progress)
    found = Manifest(evidence=entries, tables=tables.existing(fresh), settings=inventory.settings)
    return manifest.settled(fresh, found)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _compared(inventory: Manifest, made: Manifest) -> Check:
    faults = []
    before, after = ({one.id: _account(one) for one in each.evidence} for each in (inventory, made))
    for one in inventory.evidence:
        if one.id not in after:
            faults.append(f"{one.names[0]}: its content was not read")
        elif before[one.id] != after[one.id]:
            names = sorted(name for name in before[one.id] if before[one.id][name] != after[one.id][name])
            faults.append(f"{one.names[0]}: other {', '.join(names)}")
    now = {one.name: one for one in made.tables}
    for recorded in inventory.tables:
        there = now.get(recorded.name)
        if there is None or there.digest != recorded.digest:
            rows = 0 if there is None else there.rows
            faults.append(f"table {recorded.name}: other content ({rows:,} rows now, {recorded.rows:,} recorded)")
    differ = _differing(inventory)
    why = f"other versions than recorded: {'; '.join(differ)}" if differ else "all versions are those recorded"
    if faults:
        meant = "which may explain it" if differ else "so no version explains it"
        return checked("rerun", [*faults, f"{why}, {meant}"], "")
    rows = sum(one.rows for one in inventory.tables)
    return checked("rerun", [], f"{len(inventory.tables)} tables, {rows:,} rows made afresh, all the same; {why}")


def _account(one: EvidenceEntry) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name not in CIRCUMSTANCES}


def _differing(inventory: Manifest) -> list[str]:
    """Versions of the last run of each stage that are not those of now, and the list of public suffixes."""
    now = manifest.versions()
    out: dict[str, None] = {}
    for run in {one.action: one for one in inventory.runs}.values():
        for name in sorted(run.versions.keys() | now.keys()):
            if run.versions.get(name) != now.get(name):
                out[f"{name} {run.versions.get(name, 'none')} recorded, {now.get(name, 'none')} now"] = None
        if run.suffix_list_digest != domains.suffix_list_digest():
            out["another list of public suffixes"] = None
    return list(out)


__all__ = ["rerun"]
