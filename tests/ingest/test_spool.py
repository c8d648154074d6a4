"""Batches come back as they were written: from memory, from files, and named for another evidence."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from forensics.custody import runs
from forensics.custody.discovery import discover
from forensics.ingest import batches, spool, survey, units
from forensics.loaders.settings import Settings
from forensics.native import compiler
from forensics.stitch.journeys import HopLegKeys
from tests.ingesting import message, run, to


@pytest.fixture
def parts(tmp_path: Path) -> list[units.Part]:
    """Two small logs, the second of which ends within a message."""
    compiler.ready(None)
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text("".join(_messages("4B1C2D", 1)))
    (logs / "b.log").write_text(
        "".join(_messages("5C2D3E", 2))
        + message("6D3E4F5A6B", removed=False, at="2024-03-03T10:00:00.000000+00:00")
        + "2024-03-03T11:00:00+00:00 mx1 postfix/smtp[3]: who@knows.example: this is no form\n"
    )
    surveyed = [survey._survey(source, Settings(), survey.BLOCK, None) for source in discover([logs]).sources]
    found = [one for one in surveyed if isinstance(one, survey.Surveyed)]
    return [part for _, part in units.parts(found, {}, [(), ()], {})]


def _messages(prefix: str, day: int) -> Iterator[str]:
    """Sixty of them, an hour's, each complete; those in the middle are far from both ends of the file."""
    for n in range(60):
        at = f"2024-03-0{day}T10:{n:02d}:00.000000+00:00"
        yield message(f"{prefix}{n:04X}", to("x@navy.example"), to("y@navy.example"), at=at)


def same(one: HopLegKeys, other: HopLegKeys) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(HopLegKeys))


def test_a_batch_comes_back_as_it_was_written(tmp_path: Path, parts: list[units.Part]) -> None:
    batch, made = units.read(tmp_path / "runs", parts)
    place = tmp_path / "runs" / batch.name
    hops, legs = batches.rows(place, np.array([0, 1], np.int32))
    assert (hops, legs) == (made.hops, made.legs)
    assert same(batches.keys(place), made.keys)
    assert batches.facts(place, batch.digest) == batch
    assert runs.digest(place) == batch.digest
    assert [one.records for one in batch.members] == [360, 364]
    assert batch.hosts == ("mx1",)
    unread = batches.optional(place, "unread")
    assert unread is not None and unread["member"].to_pylist() == [1] * batch.unread
    assert batches.optional(place, "strays") is None


@pytest.mark.parametrize("few", [0, 1 << 30])
def test_fragments_come_back_by_key_once(
    tmp_path: Path, parts: list[units.Part], monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(batches, "FEW", few)
    batch, made = units.read(tmp_path / "runs", parts)
    assert made.fragments is not None and len(made.fragments)
    place = tmp_path / "runs" / batch.name
    members = np.array([5, 9], np.int32)
    found = [batches.fragments(place, range(n, n + 1), members) for n in range(batches.PARTITIONS)]
    assert sorted(pa.concat_tables(found)["raw"].to_pylist()) == sorted(made.fragments["raw"].to_pylist())
    for n, table in enumerate(found):
        assert set((table["key"].to_numpy() % np.uint64(batches.PARTITIONS)).tolist()) <= {n}
        assert set(table["evidence"].to_pylist()) <= {5, 9}
    assert batches.fragments(place, range(batches.PARTITIONS), members).equals(pa.concat_tables(found))


def test_records_name_the_evidence_that_the_members_are(tmp_path: Path, parts: list[units.Part]) -> None:
    batch, _ = units.read(tmp_path / "runs", parts)
    hops, legs = batches.rows(tmp_path / "runs" / batch.name, np.array([7, 3], np.int32))
    for table in (hops, legs):
        named = [{record["evidence"] for record in row["records"]} for row in table.to_pylist()]
        assert set.union(*named) == {7, 3}
        assert all(len(one) == 1 for one in named)


def test_the_same_batch_twice_is_one(tmp_path: Path, parts: list[units.Part]) -> None:
    first, _ = units.read(tmp_path / "runs", parts)
    second, _ = units.read(tmp_path / "runs", parts)
    assert first == second
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [first.name]


def test_a_batch_takes_the_place_of_one_that_is_not_whole(tmp_path: Path, parts: list[units.Part]) -> None:
    first, _ = units.read(tmp_path / "runs", parts)
    (tmp_path / "runs" / first.name / "legs.arrow").write_bytes(b"")
    second, _ = units.read(tmp_path / "runs", parts)
    assert first == second
    assert runs.digest(tmp_path / "runs" / first.name) == first.digest
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [first.name]


def test_a_failed_write_leaves_nothing(
    tmp_path: Path, parts: list[units.Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(batches, "_columns", full)
    with pytest.raises(OSError, match="No space"):
        units.read(tmp_path / "runs", parts)
    assert not list((tmp_path / "runs").iterdir())


@pytest.mark.parametrize("memory", [0, 1 << 30])
def test_batches_come_back_whatever_memory_holds(tmp_path: Path, parts: list[units.Part], memory: int) -> None:
    folder = tmp_path / "runs"
    held = spool.Batches(memory, memory)
    made = [units.read(folder, [part]) for part in parts]
    for n, (batch, tables) in enumerate(made):
        held.add(spool.Placed(batch, folder, (n + 4,)), tables)
    if memory:
        shutil.rmtree(folder)
    for n, (_, tables) in enumerate(made):
        hops, legs = held.load(n)
        members = np.array([n + 4], np.int32)
        assert (hops, legs) == (batches.of_evidence(tables.hops, members), batches.of_evidence(tables.legs, members))
        assert same(held.keys(n), tables.keys)
        assert same(held.take_keys(n), tables.keys)


def written(place: Path) -> dict[str, bytes]:
    return {str(p.relative_to(place)): p.read_bytes() for p in sorted(place.rglob("*.parquet"))}


@pytest.mark.parametrize("name", ["postfix-albion-filter", "exchange-albion-inside"])
def test_an_ingest_that_holds_nothing_in_memory_writes_the_same_bytes(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    logs = [path for path in sorted((data / name).iterdir()) if path.suffix != ".tsv"]
    run(tmp_path / "memory", logs)

    class Nothing(spool.Batches):
        def __init__(self) -> None:
            super().__init__(0, 0)

    from forensics.ingest import fragments, read

    together: list[Any] = []
    join = fragments._join
    monkeypatch.setattr(fragments, "TOGETHER", 2_000)
    monkeypatch.setattr(fragments, "RELEASE", 0)
    monkeypatch.setattr(fragments, "_join", lambda *a: together.append(a) or join(*a))
    monkeypatch.setattr(spool, "CACHED", 1)
    monkeypatch.setattr(units, "BUNDLED", 2)
    monkeypatch.setattr(read.spool, "Batches", Nothing)
    run(tmp_path / "disk", logs)
    assert len(together) > 1
    assert written(tmp_path / "disk") == written(tmp_path / "memory")
    assert not (tmp_path / "disk" / ".work").exists()
