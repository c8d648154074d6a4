"""Evidence read again, and every record that a row cites, held against what the row says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq

from forensics import engine
from forensics.case import Case
from forensics.custody import citations, places, reread, tables
from forensics.custody.checks import Check, checked, counted, named
from forensics.custody.cited import Cited
from forensics.custody.entries import EvidenceEntry, Manifest
from forensics.custody.evidence import Source, reason, size_of
from forensics.custody.streams import Place
from forensics.progress import Meter, Part, Progress

SAMPLE = 2_000
"""About so many deliveries without a finding are re-read unless all are asked for."""
AT_ONCE = 100_000
"""Rows whose records are read one by one."""


def evidence(
    case: Case,
    inventory: Manifest,
    folder: Place | None,
    all_records: bool,
    progress: Progress | None,
    bag: bool,
) -> list[Check]:
    """Each evidence as it is now, and the citations of findings and of a sample, or of `all_records`."""
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
    with ThreadPoolExecutor(engine.default_workers()) as pool:
        for one in inventory.evidence:
            part = meter.of(named(one), one.content_size)
            check, reading = _one(case, one, cited, part.add, bag, pool)
            part.finish()
            checks.append(check)
            readings[one.id] = reading
        lost = {one.id: one for one in inventory.evidence if not _is(one, readings[one.id])}
        if folder is not None and lost:
            elsewhere = reread.search(folder, lost)
            for index, one in enumerate(inventory.evidence):
                if one.id in elsewhere:
                    other = readings[one.id].source
                    readings[one.id] = reread.read(elsewhere[one.id], one, cited, lambda _: None, pool)
                    checks[index] = _judged(one, readings[one.id], moved=True, other=other)
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
        return Check(f"evidence {named(one)}", False, "is not in the bag, which has evidence"), reread.Reading(None)
    text = f"{path} is missing or no longer readable; `--evidence DIR` searches for it elsewhere"
    if unasked := places.unasked(case, one):
        text = f"{path} was not asked for: its bucket was not named here; `--evidence {unasked}` does"
    return Check(f"evidence {named(one)}", False, text), reread.Reading(None)


def _is(one: EvidenceEntry, reading: reread.Reading) -> bool:
    """Whether the content of the evidence was found."""
    return reading.digests is not None and reading.digests.content_sha256 == one.id


def _judged(
    one: EvidenceEntry,
    reading: reread.Reading,
    *,
    moved: bool = False,
    first: bool = True,
    other: Source | None = None,
) -> Check:
    """`other`: what lies now where evidence that has `moved` was recorded."""
    digests = reading.digests
    faults: list[str] = []
    if digests is None or reading.source is None or not digests.content_sha256:
        return Check(f"evidence {named(one)}", False, "; ".join(reading.faults) or "cannot be read")
    if digests.content_sha256 != one.id:
        faults.append(
            f"its content was changed: SHA-256 {digests.content_sha256}, recorded {one.id}; "
            f"{digests.content_size:,} bytes, recorded {one.content_size:,} (of a log that was rotated since, "
            "`--evidence DIR` searches for what was recorded under its other names)"
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
    remarks = [f"at {reread.where(other)}, where it was recorded, lies something else now"] if other else []
    try:
        current = size_of(reading.source.file)
    except OSError as error:
        return checked(f"evidence {named(one)}", [*faults, f"cannot be read: {reason(error)}"], right)
    if not moved and one.locations and current > one.locations[0].size and reading.source.index is None:
        remarks.append(f"the file has since grown by {current - one.locations[0].size:,} bytes, which are not evidence")
    return checked(f"evidence {named(one)}", faults, right, remarks)


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
        others = counted(max(self._rows - len(findings), 0), "other delivery", "other deliveries")
        what = "every delivery" if all_records else f"{counted(len(findings), 'finding')} and {others}"
        said = f"{counted(self._cited, 'citation')} of {what}: all lead to records that speak of them"
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
