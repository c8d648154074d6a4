"""The way back: from the case to the bytes it rests on.

`verify` reads every evidence once (again only for more cited rows than fit in memory), compares digests and counts,
re-reads the cited records, recomputes tables, and walks the custody log and the reports' seals.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from forensics import headline, schema
from forensics.case import Case
from forensics.custody import (
    annexes,
    attested,
    canonical,
    chain,
    log,
    manifest,
    parameters,
    programs,
    runs,
    seal,
    signatures,
    stamps,
    statement,
    strays,
    successors,
    tables,
    told,
    traced,
)
from forensics.custody.checks import SHOWN, Check, Verification, checked, counted, named
from forensics.custody.entries import Manifest
from forensics.custody.streams import Place
from forensics.custody.tables import Table
from forensics.errors import CaseError, VerificationFailed
from forensics.progress import Meter, Progress
from forensics.unread import few

ROOM = "400MB"
"""What tables may take that are held against each other; more goes to the system's temporary folder meanwhile."""

Entries = Sequence[Mapping[str, Any]]


def verify(
    case: Case,
    *,
    evidence: Place | None = None,
    all_records: bool = False,
    progress: Progress | None = None,
    bag: bool = False,
    ca: Path | None = None,
    signers: Path | None = None,
) -> Verification:
    """Check a case against its evidence and itself; writes nothing.

    `evidence`: a folder, or objects of a store, to search by digest for files that are not where they were.
    `all_records` re-reads records of every delivery, not only of findings and a sample. The case of a `bag` has its
    evidence in that folder, or nowhere: the places that it recorded are those of another machine, and are not looked
    at. `ca`: certificates to check time stamps by, instead of those that the case keeps; `signers`: a file of allowed
    signers. Raises CaseError when nothing was ingested yet; a manifest that was lost or damaged since is a failed
    check.
    """
    try:
        inventory = manifest.read(case)
    except CaseError as error:
        entries = log.check(case).entries
        if not any("manifest" in log.details(entry) for entry in entries):
            raise
        text = error.what if case.manifest.exists() else "is missing, though the custody log records it"
        return Verification(False, (Check(case.manifest.name, False, text), _verdicts(case, entries)))
    if bag and evidence is None:
        read = [Check("evidence", None, "not in this bag: not checked")]
    else:
        read = traced.evidence(case, inventory, evidence, all_records, progress, bag)
    checks = [*own(case, inventory, bag=bag, progress=progress), *_attested(case, ca, signers), *read]
    return Verification(all(check.ok is not False for check in checks), tuple(checks))


def own(case: Case, inventory: Manifest, *, bag: bool = False, progress: Progress | None = None) -> list[Check]:
    """What can be checked of a case without its evidence."""
    found = log.check(case, inventory.custody)
    entries = found.entries
    checks = [_custody(case, inventory, found), _statement(case, entries), *_tables(case, inventory, progress)]
    rows = Meter(progress, "count", sum(one.rows for one in inventory.tables))
    checks += [_sums(case, inventory), *_annexes(case, inventory)]
    rows.add(sum(one.rows for one in inventory.tables))
    checks += _kept(case, inventory)
    said = [_verdicts(case, entries), *_successors(case, entries), _reports(case, inventory, entries, bag, progress)]
    return [*checks, *said, *([] if bag else _strays(case, inventory, entries))]


def _strays(case: Case, inventory: Manifest, entries: Entries) -> list[Check]:
    """What lies beside the case's own files; a bag lists every file, and this has none."""
    names = strays.found(case, inventory, entries)
    if not names:
        return []
    text = f"{counted(len(names), 'file')} that the case does not name, and no command reads: {few(names, SHOWN)}"
    return [Check("other files", None, text)]


def _kept(case: Case, inventory: Manifest) -> list[Check]:
    """What an ingest kept for the next one, where it is there."""
    count, faults = runs.faults(case.folder / runs.FOLDER, inventory.kept)
    if not count and not faults:
        return []
    return [checked("kept runs", faults, f"{count:,} batches as recorded")]


def _custody(case: Case, inventory: Manifest, found: chain.Chain) -> Check:
    faults = list(found.faults)
    if not found.entries and not faults:
        faults.append(f"{case.custody_log.name} is missing or empty")
    recorded = [log.details(entry) for entry in found.entries]
    stages = [details for details in recorded if "files" in details]
    if stages and stages[-1]["files"] != manifest.files_digest(inventory):
        faults.append("manifest.json lists other tables than the custody log recorded")
    ids = [details["evidence"] for details in recorded if "evidence" in details]
    if ids and sorted(ids[-1]) != sorted(one.id for one in inventory.evidence):
        faults.append("manifest.json lists other evidence than the custody log recorded")
    state = stages[-1].get("record") if stages else None
    if state and manifest.record_digest(inventory) != state:
        faults.append("manifest.json holds another record of evidence and settings than the custody log")
    wholes = [details["manifest"] for details in recorded if "manifest" in details]
    if wholes and not faults and manifest.whole_digest(inventory) != wholes[-1]:
        faults.append("manifest.json holds other names, places, skipped inputs or runs than the custody log recorded")
    held = case.manifest.read_bytes()
    if not faults and held != canonical.page(canonical.load(held)).encode():
        faults.append("manifest.json is not laid out as it was written, though it says the same")
    entries = counted(len(found.entries), "entry", "entries")
    right = f"{entries}, each following from the one before; head {found.head.digest[:16]}…"
    return checked("custody log", faults, right)


def _statement(case: Case, entries: Entries) -> Check:
    """case.toml against what the last stage that wrote recorded of it."""
    known = statement.last(entries)
    if known is None:
        return Check(case.toml.name, None, "no stage recorded it yet")
    keys = statement.changed(case, known)
    if keys is None:
        return Check(case.toml.name, True, "as the last stage recorded it")
    if not case.toml.exists():
        return Check(case.toml.name, False, "is missing, though the custody log records it")
    what = f"other values of {', '.join(keys)}" if keys else "other remarks or layout only"
    read = any(statement.weighed(key) for key in keys)
    command = "missent ingest" if told.KEY in keys else "missent detect" if read else "missent report"
    return Check(case.toml.name, False, f"{what} than the last stage recorded; `{command}` takes the edit in")


def _tables(case: Case, inventory: Manifest, progress: Progress | None) -> list[Check]:
    meter = Meter(progress, "tables", sum(file.size for one in inventory.tables for file in one.files))
    recorded = {one.name: one for one in inventory.tables}
    checks = []
    for name in tables.TABLES:
        known = {one.path: one.sha256 for one in recorded[name].files} if name in recorded else {}
        if name not in recorded and not tables.files(case, name):
            continue
        rows = recorded[name].rows if name in recorded else 0
        checks.append(
            checked(f"table {name}", tables.faults(case, name, known, meter), f"{counted(rows, 'row')} as recorded")
        )
    digest = canonical.file_digest(case.detection) if case.detection.exists() else ""
    if digest != inventory.detection_digest:
        checks.append(Check("detection.json", False, "was changed or removed since detection"))
    return checks


def _annexes(case: Case, inventory: Manifest) -> list[Check]:
    known = len(annexes.listed(inventory))
    faults = annexes.faults(case, inventory)
    return [checked("annexes", faults, f"{counted(known, 'file')} as handed in")] if known or faults else []


def _sums(case: Case, inventory: Manifest) -> Check:
    faults = []
    for one in inventory.evidence:
        total = one.used + sum(one.ignored.values()) + one.unread
        if total != one.records:
            faults.append(f"{named(one)}: {one.records:,} records, but used, ignored and unread come to {total:,}")
    try:
        faults += _table_faults(case, inventory)
    except (duckdb.Error, RuntimeError, *tables.DAMAGED) as error:  # names that are no text: DuckDB's own
        faults.append(f"a table cannot be read: {error}")
    records = counted(sum(one.records for one in inventory.evidence), "record")
    files = counted(len(inventory.evidence), "evidence file")
    return checked("counts", faults, f"{records} = used + ignored + unread, in {files}")


def _table_faults(case: Case, inventory: Manifest) -> list[str]:
    """Sums over tables that must agree with the manifest and with each other."""
    faults = []
    with tempfile.TemporaryDirectory(prefix="missent-verify-") as spill, duckdb.connect() as connection:
        connection.execute("set memory_limit = ?", [ROOM])
        connection.execute("set temp_directory = ?", [spill])
        for name in tables.TABLES:
            paths = [str(path) for path in tables.files(case, name)]
            table = connection.read_parquet(paths, hive_partitioning=False) if paths else None
            connection.register(name, table if table is not None else getattr(schema, name.upper()).empty_table())

        def rows(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query).fetchall()

        unread = dict(rows("select cast(evidence as varchar), count(*) from unread group by 1"))
        for one in inventory.evidence:
            if unread.get(one.id, 0) != one.unread:
                faults.append(f"{named(one)}: {one.unread:,} unread recorded, {unread.get(one.id, 0):,} kept")
        again = "select count(*) - 1 as n from deliveries group by delivery_id having count(*) > 1"
        if twice := int(rows(f"select coalesce(sum(n), 0) from ({again})")[0][0]):
            faults.append(f"{twice:,} delivery ids stand more than once")
        for source, key, other in (("findings", "delivery_id", "deliveries"), ("findings", "incident_id", "incidents")):
            lost = rows(
                f"select distinct {key} from {source} where {key} not in (select {key} from {other}) order by 1"
            )
            if lost:
                faults.append(f"{len(lost):,} {key}s of {source} are not in {other}: {lost[0][0]}")
        counting = headline.sql(headline.told(parameters.read(case)))
        wrong = rows(
            f"""select observed_domain, intended_domain from incidents i where i.exposed + i.not_exposed <>
            (select coalesce(nullif(count(*) filter (level in {counting}), 0), count(*))
            from findings f where f.incident_id = i.incident_id) order by 1, 2"""
        )
        faults += [f"incident {one} → {two}: exposed and not exposed are not its findings" for one, two in wrong]
    return faults


def _verdicts(case: Case, entries: Entries) -> Check:
    heads = _heads(entries, "verdicts")
    if not case.verdicts.exists() and not heads:
        return Check("verdicts", None, "nobody ruled yet")
    found = chain.check(case.verdicts, heads)
    faults = list(found.faults)
    if len(found.entries) > max((one.sequence for one in heads), default=0):
        faults.append("verdicts.jsonl holds verdicts that the custody log did not record")
    return checked("verdicts", faults, f"{counted(len(found.entries), 'verdict')}, each following from the one before")


def _heads(entries: Entries, name: str) -> list[chain.Head]:
    """Of a chained file, all that the custody log ever recorded."""
    recorded = [log.details(entry) for entry in entries]
    ends = [(one.get(name), one.get(f"{name}_head")) for one in recorded]
    return [
        chain.Head(span[1], head)
        for span, head in ends
        if isinstance(span, list) and len(span) == 2 and type(span[1]) is int and isinstance(head, str)
    ]


def _successors(case: Case, entries: Entries) -> list[Check]:
    """Deliveries that have another name by now, where there are any."""
    heads = _heads(entries, "successors")
    if not heads and not case.successors.exists():
        return []
    count, faults = successors.faults(case, heads)
    return [checked("successors", faults, f"{counted(count, 'delivery', 'deliveries')} with another name by now")]


def _attested(case: Case, ca: Path | None, signers: Path | None) -> list[Check]:
    """Time stamps and signatures: of the chain's own entries, their files as recorded, and nothing beside them."""
    entries = {int(entry["sequence"]): entry for entry in log.check(case).entries}
    known = attested.read(entries.values())
    trusted = stamps.read(ca) if ca else None
    checks = []
    for one in known:
        if one.action == attested.QUERY:
            continue
        stamp = one.action == attested.STAMP
        name = f"{'time stamp' if stamp else 'signature'} of entry {one.covers}"
        covered = entries.get(one.covers)
        program = "openssl" if stamp else "ssh-keygen"
        sure = True
        if covered is None or covered["digest"] != one.digest or one.covers >= one.entry:
            faults, right = [f"the custody log has no entry {one.covers} with the digest {one.digest}"], ""
        elif not programs.there(program):
            faults, right, sure = [], f"present, not checked: {program} is not installed", False
        elif stamp:
            faults, right, sure = stamps.judge(case, one, known, attested.line(covered), trusted)
        else:
            faults, right = signatures.judge(case, one, attested.line(covered), signers)
        after = [f"{n} {entries[n].get('action')}" for n in sorted(entries) if n > one.covers]
        remark = f"after it: {', '.join(after[:SHOWN])}{', …' if len(after) > SHOWN else ''}"
        check = checked(name, faults, right, [remark])
        checks.append(check if sure or faults else replace(check, ok=None))
    if faults := attested.strange(case, known):
        checks.append(checked(attested.FOLDER, faults, ""))
    return checks


def _reports(case: Case, inventory: Manifest, entries: Entries, bag: bool, progress: Progress | None) -> Check:
    try:
        there = replace(inventory, tables=_as_they_are(case, inventory))
        state = manifest.case_state_digest(case, there, progress)
    except VerificationFailed as error:
        return Check("reports", False, f"the case state cannot be computed: {error.what}")
    faults, remarks, right = seal.judge(case, entries, state, bag=bag)
    if not faults and not remarks and not right:
        return Check("reports", None, "no report was written yet")
    return checked("reports", faults, f"{counted(right, 'report')} as sealed", remarks)


def _as_they_are(case: Case, inventory: Manifest) -> tuple[Table, ...]:
    """The tables; one without rows may have no file, and then no folder either (a bag keeps none)."""
    there = {one.name: one for one in tables.existing(case)}
    empty = {one.name: replace(one, digest="") for one in inventory.tables if not one.files}
    return tuple(one for _, one in sorted({**empty, **there}.items()))
