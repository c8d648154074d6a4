"""Every loader of LOADERS through the same cases. A loader contributes `tests/data/contract/NAME.log`, a small log with
a line of another kind in it, and beside it `NAME.expected.tsv`, the deliveries that a person reads in it."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forensics import loaders, pipeline, store, workbench
from forensics.case import Case
from forensics.custody.evidence import blocks, discover
from forensics.errors import MissentError
from forensics.loaders import base
from forensics.loaders.settings import Settings
from tests.conftest import DATA
from tests.ingesting import read

SAMPLES = Path(os.environ.get("MISSENT_CONTRACT") or DATA / "contract")
COLUMNS = ("system", "queue_id", "message_id", "sender", "recipient", "original_recipient", "outcome", "status_code")
Rows = list[dict[str, Any]]
HOSTILE = {
    "not UTF-8": b"\xff\xfe\x80 \xc3\x28 what\xed\xa0\x80",
    "NUL": b"\0\0 2024-03-01 \0",
    "carriage returns": b"one\rtwo\r\rthree\r",
    "a very long line": b"x" * 100_000,
    "a very long line of fields": b"A=<" * 20_000,
    "control characters": bytes(c for c in range(1, 32) if c not in (10, 13)) + b"\x7f\x1b[31mred",
    "marks that turn text around": "\u202eevil\u2066\u200b".encode(),
    "a quote that is never closed": b'"never closed',
    "nothing": b"",
}


def sample(name: str) -> bytes:
    path = SAMPLES / f"{name}.log"
    assert path.is_file(), f"loader {name} has no sample: write {path} and {path.with_suffix('.expected.tsv').name}"
    return path.read_bytes()


def expected(name: str) -> Counter[tuple[str, ...]]:
    with (SAMPLES / f"{name}.expected.tsv").open(newline="") as file:
        return Counter(tuple(row.values()) for row in csv.DictReader(file, delimiter="\t"))


def seen(rows: Rows) -> Counter[tuple[str, ...]]:
    return Counter(tuple("" if r[c] is None else str(r[c]) for c in (*COLUMNS, "attempts")) for r in rows)


def spans(content: bytes, loader: base.Loader, size: int = 1 << 20) -> list[int]:
    """Where records may be cut: offsets at which `split` ends a block."""
    path = Path(tempfile.mkdtemp()) / "log"
    try:
        path.write_bytes(content)
        (source,) = discover([path]).sources
        return [block.offset for block in blocks(source, loader.split, size=size)]
    finally:
        shutil.rmtree(path.parent)


@pytest.fixture(params=loaders.LOADERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_protocol_is_whole(name: str) -> None:
    loader = loaders.load(name)
    wanted = {member for member in vars(base.Loader) if not member.startswith("_")} | set(base.Loader.__annotations__)
    assert not [member for member in sorted(wanted) if not hasattr(loader, member)]
    assert name == loader.NAME
    assert loader.SYSTEMS and all(form and what for form, what in loader.FORMATS)


def test_no_two_loaders_name_one_system() -> None:
    systems = loaders.systems()
    assert len(set(systems)) == len(systems)


def test_the_sample_is_recognised_and_read(name: str, tmp_path: Path) -> None:
    assert loaders.recognise(sample(name)) == name
    result, rows = read(tmp_path, {"sample.log": sample(name)})
    assert [e.loader for e in result.evidence] == [name]
    assert seen(rows) == expected(name)
    assert {r["system"] for r in rows} <= set(loaders.load(name).SYSTEMS)


def test_no_other_sample_is_claimed(name: str) -> None:
    """Junk is nobody's; and another system's log is claimed with less confidence than its own loader has."""
    loader = loaders.load(name)
    assert loader.detect(b"") == loader.detect(bytes(range(256)) * 20) == loader.detect(b"hello\nworld\n" * 50) == 0
    for other in loaders.LOADERS:
        if other != name:
            assert loader.detect(sample(other)) < loaders.load(other).detect(sample(other))


def accounted(folder: Path, contents: dict[str, bytes]) -> Rows:
    """Ingest and check what must hold whatever the bytes: sums, offsets of all records cited and unread, verify."""
    logs, place = folder / "logs", folder / "case"
    logs.mkdir()
    for file, content in contents.items():
        (logs / file).write_bytes(content)
    pipeline.ingest([logs], place, org=["albion.example"], year=2024)
    case = Case(place)
    rows = store.read(case, "deliveries").to_pylist()
    by_id = {hashlib.sha256(content).hexdigest(): content for content in contents.values()}
    unread = store.read(case, "unread").to_pylist()
    places: dict[tuple[str, int], tuple[int, int]] = {}
    for record in [r for row in rows for r in row["records"]] + unread:
        content = by_id[record["evidence"]]
        start, length = record["offset"], record["length"]
        assert start >= 0 and start + length <= len(content)
        # NUL bytes and escape sequences at the ends of a line are no part of its record
        assert start == 0 or content[start - 1 : start] in (b"\n", b"\r", b"\0", b"m", b"K")
        assert content[start + length : start + length + 1] in (b"", b"\n", b"\r", b"\0", b"\x1b")
        assert places.setdefault((record["evidence"], record["number"]), (start, length)) == (start, length)
    for record in unread:
        start = record["offset"]
        assert by_id[record["evidence"]][start : start + min(record["length"], 4096)] == record["raw"]
    assert all(row["records"] for row in rows)
    checked = workbench.verify(place, all_records=True)
    assert checked.ok, [check.text for check in checked.checks if check.ok is False]
    return rows


def test_sums_offsets_and_verify(name: str, tmp_path: Path) -> None:
    assert seen(accounted(tmp_path, {"sample.log": sample(name)})) == expected(name)


@pytest.mark.parametrize("size", [900, 1_500, 3_000])
def test_any_block_size_gives_the_same_tables(
    name: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = read(tmp_path / "whole", {"sample.log": sample(name)})
    monkeypatch.setattr("forensics.ingest.survey.BLOCK", size)
    monkeypatch.setattr("forensics.ingest.units.BUNDLE", 0)
    result, cut = read(tmp_path / "cut", {"sample.log": sample(name)})
    assert cut == whole
    (evidence,) = result.evidence
    assert evidence.records == evidence.used + sum(evidence.ignored.values()) + evidence.unread


def tables(place: Path) -> dict[str, bytes]:
    return {str(p.relative_to(place)): p.read_bytes() for p in sorted(place.glob("*/**/*.parquet"))}


def test_order_of_files(name: str, tmp_path: Path) -> None:
    """Cut between records, the files of a log give its rows, whatever they are called."""
    content = sample(name)
    cuts = spans(content, loaders.load(name), 700)
    middle = cuts[len(cuts) // 2]
    for folder, names in (("a", ("1.log", "2.log")), ("b", ("2.log", "1.log"))):
        files = dict(zip(names, (content[:middle], content[middle:]), strict=True))
        _, rows = read(tmp_path / folder, files)
        assert seen(rows) == expected(name)
    assert tables(tmp_path / "a" / "case") == tables(tmp_path / "b" / "case")


def test_a_file_twice_counts_once(name: str, tmp_path: Path) -> None:
    result, rows = read(tmp_path, {"one.log": sample(name), "copy.log": sample(name)})
    (evidence,) = result.evidence
    assert len(evidence.names) == 2
    assert seen(rows) == expected(name)


def test_overlapping_files_count_once(name: str, tmp_path: Path) -> None:
    content = sample(name)
    cuts = spans(content, loaders.load(name), 700)
    low, high = cuts[len(cuts) // 3], cuts[len(cuts) * 2 // 3]
    assert low < high
    result, rows = read(tmp_path, {"one.log": content[:high], "two.log": content[low:]})
    assert seen(rows) == expected(name)
    assert len(result.evidence) == 2
    assert sum(e.duplicates for e in result.evidence) > 0
    for evidence in result.evidence:
        assert evidence.records == evidence.used + sum(evidence.ignored.values()) + evidence.unread


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_records_hide_nothing(name: str, kind: str, tmp_path: Path) -> None:
    """Hostile records after each one of the sample that its format is not known by: its rows stay, and everything is
    accounted for."""
    lines = sample(name).splitlines(keepends=True)
    known = next(n for n in range(1, len(lines)) if loaders.recognise(b"".join(lines[:n])) == name)
    mixed = b"".join(lines[:known]) + b"".join(HOSTILE[kind] + b"\n" + line for line in lines[known:])
    assert seen(accounted(tmp_path, {"sample.log": mixed})) == expected(name)


def test_an_address_that_is_not_utf_8_verifies(name: str, tmp_path: Path) -> None:
    """Every sample has mail to bob@navy.example."""
    content = sample(name).replace(b"bob@navy.example", b"b\xffb@navy.example")
    rows = accounted(tmp_path, {"sample.log": content})
    assert sum(r["recipient_domain"] == "navy.example" and r["recipient"].startswith("b") for r in rows) == 1


def mutated(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    changed = bytearray(content)
    for at, length, put in edits:
        start = at % len(changed)
        changed[start : start + length] = put
    return bytes(changed)


BYTES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [b"\0", b"\xff", b"\xc3", b"\r", b"\n", b'"', b"<", b">", b" ", b": ", b"@", b"\\", b"\xe2\x80\xae"]
    ),
)
EDITS = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 8), BYTES), min_size=1, max_size=12)


@pytest.mark.parametrize("name", loaders.LOADERS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(edits=EDITS)
def test_mutated_logs_are_accounted_for(name: str, edits: list[tuple[int, int, bytes]]) -> None:
    """Bytes replaced anywhere: what can be read is cited where it stands, and verifies."""
    folder = Path(tempfile.mkdtemp())
    try:
        accounted(folder, {"sample.log": mutated(sample(name), edits)})
    except MissentError:
        return  # no longer a log of this kind, or of any: said, not read
    finally:
        shutil.rmtree(folder)


def test_fragments_of_one_key_stay_one_group(name: str, tmp_path: Path) -> None:
    """What `scan` and `assemble` hand back can be resumed in any order and in any parts of whole keys."""
    loader = loaders.load(name)
    parts = list(_fragments(name, tmp_path))
    if not parts:
        pytest.skip(f"NOT RUN: {name} completes every message of its sample inside one block")
    import pyarrow as pa

    table = pa.concat_tables(parts)
    assert table.schema.field("key").type == pa.uint64()
    whole = loader.assemble(loader.resume(table), final=True)
    backwards = loader.assemble(loader.resume(table.take(pa.array(np.arange(len(table))[::-1]))), final=True)
    assert whole.fragments is None
    assert sorted(whole.legs["recipient"].to_pylist()) == sorted(backwards.legs["recipient"].to_pylist())


def _fragments(name: str, folder: Path) -> Iterator[Any]:
    loader = loaders.load(name)
    path = folder / "sample.log"
    path.write_bytes(sample(name))
    (source,) = discover([path]).sources
    surveyor = loader.surveyor("sample.log", Settings())
    for block in blocks(source, loader.split, size=700):
        surveyor.feed(block)
    survey = surveyor.result()
    for block in blocks(source, loader.split, size=700):
        context = base.ScanContext(
            0, survey.blocks[block.offset], survey.plan, id=hashlib.sha256(sample(name)).hexdigest()
        )
        made = loader.assemble(loader.scan(block, context).events, final=False)
        if made.fragments is not None and len(made.fragments):
            yield made.fragments
