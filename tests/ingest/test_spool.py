"""What waits on disk comes back as what stayed in memory does: the same rows, in the same order, once."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.ingest import spool
from tests.ingesting import run

TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
ROWS = st.lists(st.tuples(st.integers(0, 2**64 - 1), TEXT), max_size=12)


def table(rows: list[tuple[int, str]]) -> pa.Table:
    keys, texts = [key for key, _ in rows], [text for _, text in rows]
    return pa.table({"key": pa.array(keys, pa.uint64()), "text": pa.array(texts, pa.string())})


def rows(tables: list[pa.Table]) -> list[list[tuple[int, str]]]:
    return [list(zip(t["key"].to_pylist(), t["text"].to_pylist(), strict=True)) for t in tables]


@given(
    pairs=st.lists(st.tuples(ROWS, ROWS), max_size=10),
    memory=st.integers(0, 400),
    order=st.lists(st.integers(0, 9), max_size=30),
)
def test_batches_come_back_whatever_memory_holds(
    tmp_path_factory: pytest.TempPathFactory,
    pairs: list[tuple[list[tuple[int, str]], list[tuple[int, str]]]],
    memory: int,
    order: list[int],
) -> None:
    batches = spool.Batches(tmp_path_factory.mktemp("batches") / "spool", memory)
    for hops, legs in pairs:
        batches.add(table(hops), table(legs))
    assert len(batches) == len(pairs)
    for number in [*range(len(pairs)), *(n for n in order if n < len(pairs))]:
        hops, legs = batches.load(number)
        assert (hops, legs) == (table(pairs[number][0]), table(pairs[number][1]))


def test_batches_beyond_the_memory_are_on_disk_and_few_of_them_are_cached(tmp_path: Path) -> None:
    many = [table([(n, "x" * 100)]) for n in range(20)]
    batches = spool.Batches(tmp_path / "spool", memory=2 * many[0].nbytes)
    for one in many:
        batches.add(one, one)
    assert sorted(int(path.stem) for path in (tmp_path / "spool").glob("*.hops")) == list(range(1, 20))
    for number, one in enumerate(many):
        assert batches.load(number) == (one, one)
    assert len(batches._cache) == spool.CACHED
    (tmp_path / "spool" / "19.hops").unlink()
    assert batches.load(19) == (many[19], many[19])  # among the last: not read again


def test_a_small_batch_after_a_spilled_one_is_spilled_too(tmp_path: Path) -> None:
    """Once the memory is spent it stays spent: what is in memory is a beginning of the whole."""
    big, small = table([(1, "x" * 1000)]), table([(2, "y")])
    batches = spool.Batches(tmp_path / "spool", memory=500)
    batches.add(big, big)
    batches.add(small, small)
    assert len(list((tmp_path / "spool").iterdir())) == 4
    assert batches.load(1) == (small, small)


@given(
    arrays=st.lists(st.dictionaries(st.sampled_from("abc"), st.lists(st.integers(-9, 9), max_size=9)), max_size=8),
    memory=st.integers(0, 300),
)
def test_arrays_come_back_whatever_memory_holds(
    tmp_path_factory: pytest.TempPathFactory, arrays: list[dict[str, list[int]]], memory: int
) -> None:
    waiting = spool.Arrays(tmp_path_factory.mktemp("arrays") / "spool", memory)
    for one in arrays:
        waiting.add({name: np.array(values, np.int64) for name, values in one.items()})
    for number, one in enumerate(arrays):
        taken = waiting.take(number)
        assert {name: values.tolist() for name, values in taken.items()} == one
        assert all(values.dtype == np.int64 for values in taken.values())


@settings(max_examples=40)  # each writes up to 64 files for every table added
@given(added=st.lists(ROWS, max_size=8), memory=st.sampled_from([0, 100, 300, spool.FRAGMENTS]))
def test_fragments_of_one_key_come_together_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, added: list[list[tuple[int, str]]], memory: int
) -> None:
    fragments = spool.Fragments(tmp_path_factory.mktemp("fragments") / "spool", memory)
    for one in added:
        fragments.add(table(one))
    given_back = rows(list(fragments.partitions()))
    expected = [row for one in added for row in one]
    assert Counter(row for part in given_back for row in part) == Counter(expected)
    places: dict[int, set[int]] = {}
    for number, part in enumerate(given_back):
        for key, _ in part:
            places.setdefault(key, set()).add(number)
    assert all(len(found) == 1 for found in places.values())
    for key in places:
        together = [row for part in given_back for row in part if row[0] == key]
        assert together == [row for row in expected if row[0] == key]


@pytest.mark.parametrize("memory", [0, 2_000, spool.FRAGMENTS])
def test_fragments_are_given_back_in_many_tables_when_they_are_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    monkeypatch.setattr(spool, "JOINED", 1000)
    fragments = spool.Fragments(tmp_path / "spool", memory)
    for start in range(0, 1000, 100):
        fragments.add(table([(key % 97, f"{key}") for key in range(start, start + 100)]))
    given_back = list(fragments.partitions())
    assert len(given_back) > 5
    assert (tmp_path / "spool").exists() is (memory < spool.FRAGMENTS)
    assert sorted(row for part in rows(given_back) for row in part) == sorted((k % 97, f"{k}") for k in range(1000))


def written(place: Path) -> dict[str, bytes]:
    return {str(p.relative_to(place)): p.read_bytes() for p in sorted(place.rglob("*.parquet"))}


@pytest.mark.parametrize("name", ["postfix-albion-filter", "exchange-albion-inside"])
def test_an_ingest_that_spills_everything_writes_the_same_bytes(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    logs = [path for path in sorted((data / name).iterdir()) if path.suffix != ".tsv"]
    run(tmp_path / "memory", logs)
    spilled: Counter[str] = Counter()
    save, savez = spool._save, np.savez

    def count(table: pa.Table, path: Path) -> None:
        spilled[path.suffix or "fragments"] += 1
        save(table, path)

    def count_arrays(path: Any, **arrays: Any) -> None:
        spilled["arrays"] += 1
        savez(path, **arrays)

    monkeypatch.setattr(spool, "_save", count)
    monkeypatch.setattr(spool.np, "savez", count_arrays)
    for kind in ("Batches", "Arrays", "Fragments"):
        monkeypatch.setattr(spool, kind, functools.partial(getattr(spool, kind), memory=0))
    monkeypatch.setattr(spool, "JOINED", 2_000)
    monkeypatch.setattr(spool, "FRAGMENTS", 4_000)  # memory is given back between partitions
    monkeypatch.setattr(spool, "CACHED", 1)
    run(tmp_path / "disk", logs)
    assert set(spilled) == {".hops", ".legs", "arrays", "fragments"}
    assert written(tmp_path / "disk") == written(tmp_path / "memory")
    assert not (tmp_path / "disk" / ".work").exists()
