"""The way back: from the case to the bytes it rests on.

`verify` reads every evidence once (again only for more cited rows than fit in memory), compares digests and counts,
re-reads the cited records, recomputes tables, and walks the custody log and the reports' seals.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from forensics import errors, headline, schema
from forensics.case import Case
from forensics.custody import (
    annexes,
    attested,
    canonical,
    chain,
    citations,
    log,
    manifest,
    parameters,
    places,
    programs,
    reread,
    runs,
    seal,
    signatures,
    stamps,
    statement,
    successors,
    tables,
)
from forensics.custody.cited import Cited
from forensics.custody.entries import EvidenceEntry, Manifest
from forensics.custody.evidence import reason, size_of
from forensics.custody.streams import Place
from forensics.custody.tables import Table
from forensics.errors import CaseError, VerificationFailed
from forensics.progress import Meter, Part, Progress

SAMPLE = 2_000
"""About so many deliveries without a finding are re-read unless all are asked for."""
SHOWN = 10
ROOM = "400MB"
"""What tables may take that are held against each other; more goes to the system's temporary folder meanwhile."""
AT_ONCE = 100_000
"""Rows whose records are read one by one."""


@dataclass(frozen=True)
class Check:
    """One thing that was checked. `ok` is None when there was nothing to check."""

    name: str
    ok: bool | None
    text: str


@dataclass(frozen=True)
class Verification:
    """`ok`: no check failed; None where nothing can be said."""

    ok: bool | None
    checks: tuple[Check, ...]
    kind: str = "case"
    """`case`, `bag` or `report`."""
    told: str = "everything is as it was recorded"
    """What it comes to, in words, where no check failed."""

    @property
    def exit_code(self) -> int:
        return {True: errors.OK, False: errors.VERIFICATION_FAILED, None: errors.CANNOT_TELL}[self.ok]


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
        if not any("manifest" in log.details(entry) for entry in log.check(case).entries):
            raise
        text = error.what if case.manifest.exists() else "is missing, though the custody log records it"
        return Verification(False, (Check(case.manifest.name, False, text), _verdicts(case)))
    if bag and evidence is None:
        read = [Check("evidence", None, "not in this bag: not checked")]
    else:
        read = _evidence(case, inventory, evidence, all_records, progress, bag)
    checks = [*own(case, inventory, bag=bag, progress=progress), *_attested(case, ca, signers), *read]
    return Verification(all(check.ok is not False for check in checks), tuple(checks))


def own(case: Case, inventory: Manifest, *, bag: bool = False, progress: Progress | None = None) -> list[Check]:
    """What can be checked of a case without its evidence."""
    checks = [_custody(case, inventory), _statement(case), *_tables(case, inventory, progress)]
    rows = Meter(progress, "count", sum(one.rows for one in inventory.tables))
    checks += [_sums(case, inventory), *_annexes(case, inventory)]
    rows.add(sum(one.rows for one in inventory.tables))
    checks += _kept(case, inventory)
    return [*checks, _verdicts(case), *_successors(case), _reports(case, inventory, bag, progress)]


def _kept(case: Case, inventory: Manifest) -> list[Check]:
    """What an ingest kept for the next one, where it is there."""
    count, faults = runs.faults(case.folder / runs.FOLDER, inventory.kept)
    if not count and not faults:
        return []
    return [checked("kept runs", faults, f"{count:,} batches as recorded")]


def checked(name: str, faults: Sequence[str], right: str, remarks: Iterable[str] = ()) -> Check:
    if faults:
        more = f"; and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else ""
        return Check(name, False, "; ".join(faults[:SHOWN]) + more)
    return Check(name, True, "; ".join([right, *remarks]))


def _custody(case: Case, inventory: Manifest) -> Check:
    found = log.check(case, inventory.custody)
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
    entries = _count(len(found.entries), "entry", "entries")
    right = f"{entries}, each following from the one before; head {found.head.digest[:16]}…"
    return checked("custody log", faults, right)


def _statement(case: Case) -> Check:
    """case.toml against what the last stage that wrote recorded of it."""
    known = [told["case_toml"] for told in map(log.details, log.check(case).entries) if "case_toml" in told]
    if not known:
        return Check(case.toml.name, None, "no stage recorded it yet")
    keys = statement.changed(case, known[-1])
    if keys is None:
        return Check(case.toml.name, True, "as the last stage recorded it")
    what = f"other values of {', '.join(keys)}" if keys else "other remarks or layout only"
    read = any(statement.weighed(key) for key in keys)
    command = "missent detect" if read else "missent report"
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
            checked(f"table {name}", tables.faults(case, name, known, meter), f"{_count(rows, 'row')} as recorded")
        )
    digest = canonical.file_digest(case.detection) if case.detection.exists() else ""
    if digest != inventory.detection_digest:
        checks.append(Check("detection.json", False, "was changed or removed since detection"))
    return checks


def _annexes(case: Case, inventory: Manifest) -> list[Check]:
    known = len(annexes.listed(inventory))
    faults = annexes.faults(case, inventory)
    return [checked("annexes", faults, f"{_count(known, 'file')} as handed in")] if known or faults else []


def _sums(case: Case, inventory: Manifest) -> Check:
    faults = []
    for one in inventory.evidence:
        total = one.used + sum(one.ignored.values()) + one.unread
        if total != one.records:
            faults.append(f"{_name(one)}: {one.records:,} records, but used, ignored and unread come to {total:,}")
    try:
        faults += _table_faults(case, inventory)
    except (duckdb.Error, RuntimeError, *tables.DAMAGED) as error:  # names that are no text: DuckDB's own
        faults.append(f"a table cannot be read: {error}")
    records = sum(one.records for one in inventory.evidence)
    return checked(
        "counts",
        faults,
        f"{_count(records, 'record')} = used + ignored + unread, in {_count(len(inventory.evidence), 'evidence file')}",
    )


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
                faults.append(f"{_name(one)}: {one.unread:,} unread recorded, {unread.get(one.id, 0):,} kept")
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


def _evidence(
    case: Case,
    inventory: Manifest,
    folder: Place | None,
    all_records: bool,
    progress: Progress | None,
    bag: bool,
) -> list[Check]:
    try:
        findings = _findings(case)
        parts = citations.chunks(case, findings, None if all_records else SAMPLE)
        first = next(parts, None)
        cited = Cited.of(first[0]) if first else None
    except tables.DAMAGED as error:
        return [Check("cited records", False, f"the tables that cite them cannot be read: {error}")]
    meter = Meter(progress, "verify", sum(one.content_size for one in inventory.evidence))
    checks = []
    readings: dict[str, reread.Reading] = {}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for one in inventory.evidence:
            part = meter.of(_name(one), one.content_size)
            check, reading = _one(case, one, cited, part.add, bag, pool)
            part.finish()
            checks.append(check)
            readings[one.id] = reading
        lost = {one.id: one for one in inventory.evidence if readings[one.id].source is None}
        if folder is not None and lost:
            elsewhere = reread.search(folder, lost)
            for index, one in enumerate(inventory.evidence):
                if one.id in elsewhere:
                    readings[one.id] = reread.read(elsewhere[one.id], one, cited, lambda _: None, pool)
                    checks[index] = _judged(one, readings[one.id], moved=True)
        if first is None or cited is None:
            return [*checks, Check("cited records", None, "no delivery cites a record")]
        rows = sum(one.rows for one in inventory.tables if one.name == "deliveries")
        every = _Every(inventory, readings, pool, Meter(progress, "cited", rows))
        every.take(cited, first[1], held=True)
        del cited, first
        try:
            for table, looked in parts:
                every.take(Cited.of(table), looked)
        except tables.DAMAGED as error:
            every.faults.append(f"a table that cites them cannot be read: {error}")
    return [*checks, every.check(findings, all_records)]


def _findings(case: Case) -> set[str]:
    """Delivery ids of all findings."""
    read = (pq.read_table(path, columns=["delivery_id"]) for path in tables.files(case, "findings"))
    return {str(one) for table in read for one in table["delivery_id"].to_pylist()}


def _one(
    case: Case, one: EvidenceEntry, cited: Cited | None, advance: Callable[[int], None], bag: bool, pool: Executor
) -> tuple[Check, reread.Reading]:
    """The first recorded place whose content is right; else the first that is there, with what is wrong."""
    wrong: list[tuple[Check, reread.Reading]] = []
    for source in () if bag else places.recorded(case, one):
        reading = reread.read(source, one, cited, advance, pool)
        check = _judged(one, reading, first=reread.is_first(case, one, source))
        if check.ok:
            return check, reading
        wrong.append((check, reading))
    if wrong:
        return wrong[0]
    path = one.locations[0].path if one.locations else one.names[0]
    if bag:
        return Check(f"evidence {_name(one)}", False, "is not in the bag, which has evidence"), reread.Reading(None)
    text = f"{path} is missing or no longer readable; `--evidence DIR` searches for it elsewhere"
    if unasked := places.unasked(case, one):
        text = f"{path} was not asked for: its bucket was not named here; `--evidence {unasked}` does"
    return Check(f"evidence {_name(one)}", False, text), reread.Reading(None)


def _judged(one: EvidenceEntry, reading: reread.Reading, *, moved: bool = False, first: bool = True) -> Check:
    digests = reading.digests
    faults: list[str] = []
    if digests is None or reading.source is None or not digests.content_sha256:
        return Check(f"evidence {_name(one)}", False, "; ".join(reading.faults) or "cannot be read")
    if digests.content_sha256 != one.id:
        faults.append(
            f"its content was changed: SHA-256 {digests.content_sha256}, recorded {one.id}; "
            f"{digests.content_size:,} bytes, recorded {one.content_size:,}"
        )
    elif digests.file_sha256 != one.file_sha256 and first and not moved:
        faults.append(
            f"the file was replaced, though its content is the same: SHA-256 {digests.file_sha256}, "
            f"recorded {one.file_sha256}"
        )
    if digests.content_sha256 == one.id and reading.records != one.records:
        faults.append(f"it holds {reading.records or 0:,} records, {one.records:,} were recorded")
    faults += reading.faults
    place = reread.where(reading.source)
    right = (
        f"{'found at ' + place + ', ' if moved else ''}{one.content_size:,} bytes, SHA-256 {one.id[:16]}… as recorded"
    )
    remarks = []
    try:
        current = size_of(reading.source.file)
    except OSError as error:
        return checked(f"evidence {_name(one)}", [*faults, f"cannot be read: {reason(error)}"], right)
    if not moved and one.locations and current > one.locations[0].size and reading.source.index is None:
        remarks.append(f"the file has since grown by {current - one.locations[0].size:,} bytes, which are not evidence")
    return checked(f"evidence {_name(one)}", faults, right, remarks)


class _Every:
    """What all citations come to, some rows at a time."""

    def __init__(
        self, inventory: Manifest, readings: Mapping[str, reread.Reading], pool: Executor, meter: Meter
    ) -> None:
        self._evidence = inventory.evidence
        self._readings = readings
        self._pool = pool
        self._meter = meter
        self._looked = 0
        self._rows = self._cited = self._unseen = 0
        self.faults: list[str] = []

    def take(self, cited: Cited, looked: int, *, held: bool = False) -> None:
        """Hold the citations of some more rows against the evidence, unless they are `held` already, and look into rows
        of which that does not tell enough. `looked`: rows of the case that were looked at so far."""
        rows, self._looked = looked - self._looked, looked
        part = self._meter.of("", rows)
        share = _Share(part, rows, len(cited.row))
        for one in self._evidence if not held else ():
            self.faults += reread.hold_more(self._readings[one.id], one, cited, share.add, self._pool)
        self.faults += [f"delivery {delivery}: it cites no record" for delivery in cited.rows_without()]
        self._rows += len(cited.table)
        self._cited += len(cited.row) - cited.unseen()
        self._unseen += cited.unseen()
        left = cited.open_rows()
        del cited
        for begin in range(0, len(left), AT_ONCE):
            some = citations.citations(left.take(pa.array(range(begin, min(begin + AT_ONCE, len(left))))))
            for one in self._evidence:
                self.faults += reread.read_each(self._readings[one.id], one, some, share.add)
            self.faults += [f"delivery {delivery}: {why}" for delivery, why in some.unsupported()]
        part.finish()

    def check(self, findings: set[str], all_records: bool) -> Check:
        faults = self.faults
        if self._unseen:
            faults.append(
                f"{self._unseen:,} cited records could not be re-read, as their evidence is not there or was changed"
            )
        others = _count(max(self._rows - len(findings), 0), "other delivery", "other deliveries")
        what = "every delivery" if all_records else f"{_count(len(findings), 'finding')} and {others}"
        said = f"{_count(self._cited, 'citation')} of {what}: all lead to records that speak of them"
        return checked("cited records", faults, said)


class _Share:
    """Rows done, told by their citations."""

    def __init__(self, part: Part, rows: int, citations: int) -> None:
        self._part = part
        self._each = rows / max(2 * citations, 1)
        self._done = 0.0

    def add(self, count: int) -> None:
        before = int(self._done)
        self._done += count * self._each
        self._part.add(int(self._done) - before)


def _verdicts(case: Case) -> Check:
    heads = _heads(case, "verdicts")
    if not case.verdicts.exists() and not heads:
        return Check("verdicts", None, "nobody ruled yet")
    found = chain.check(case.verdicts, heads)
    faults = list(found.faults)
    if len(found.entries) > max((one.sequence for one in heads), default=0):
        faults.append("verdicts.jsonl holds verdicts that the custody log did not record")
    return checked("verdicts", faults, f"{_count(len(found.entries), 'verdict')}, each following from the one before")


def _heads(case: Case, name: str) -> list[chain.Head]:
    """Of a chained file, all that the custody log ever recorded."""
    recorded = [log.details(entry) for entry in log.check(case).entries]
    ends = [(one.get(name), one.get(f"{name}_head")) for one in recorded]
    return [
        chain.Head(span[1], head)
        for span, head in ends
        if isinstance(span, list) and len(span) == 2 and type(span[1]) is int and isinstance(head, str)
    ]


def _successors(case: Case) -> list[Check]:
    """Deliveries that have another name by now, where there are any."""
    heads = _heads(case, "successors")
    if not heads and not case.successors.exists():
        return []
    count, faults = successors.faults(case, heads)
    return [checked("successors", faults, f"{_count(count, 'delivery', 'deliveries')} with another name by now")]


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


def _reports(case: Case, inventory: Manifest, bag: bool, progress: Progress | None) -> Check:
    entries = log.check(case)
    try:
        there = replace(inventory, tables=_as_they_are(case, inventory))
        state = manifest.case_state_digest(case, there, progress)
    except VerificationFailed as error:
        return Check("reports", False, f"the case state cannot be computed: {error.what}")
    faults, remarks, right = seal.judge(case, entries.entries, state, bag=bag)
    if not faults and not remarks and not right:
        return Check("reports", None, "no report was written yet")
    return checked("reports", faults, f"{_count(right, 'report')} as sealed", remarks)


def _as_they_are(case: Case, inventory: Manifest) -> tuple[Table, ...]:
    """The tables; one without rows may have no file, and then no folder either (a bag keeps none)."""
    there = {one.name: one for one in tables.existing(case)}
    empty = {one.name: replace(one, digest="") for one in inventory.tables if not one.files}
    return tuple(one for _, one in sorted({**empty, **there}.items()))


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _name(one: EvidenceEntry) -> str:
    return one.names[0] if one.names else one.id[:16]
