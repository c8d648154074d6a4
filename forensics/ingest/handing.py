"""Rows of one file of the deliveries, made here or by another process that sees the same folders.

What goes to another process is addresses: where the batches lie (in one file) and where the plan of the file
lies; what comes back is a number of rows.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import fields
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics import store
from forensics.columns import whole
from forensics.errors import naming
from forensics.ingest import batches
from forensics.ingest.spool import CACHED, Placed
from forensics.stitch import rows
from forensics.stitch.plans import Plan
from forensics.stitch.row_source import RowSource

Plans = tuple[Plan, Plan | None]
"""What the rows of a slice are made of, and of which rows they may be the same."""
Hand = Callable[[Sequence[Plans], Path], Future[int]]
"""Has a file written elsewhere."""


def write(found: Sequence[Plans], source: RowSource, evidence: Sequence[str], path: Path) -> int:
    """Make the rows of a file and write it. Its dictionaries hold what its own rows name, in order."""
    table = pa.concat_tables([rows.deliveries(plan, source, evidence, other) for plan, other in found])
    store.write(_own_words(table.unify_dictionaries().combine_chunks()), path, "deliveries")
    return len(table)


def _own_words(table: pa.Table) -> pa.Table:
    for n, column in enumerate(table.schema):
        if pa.types.is_dictionary(column.type):
            table = table.set_column(n, column, _compact(whole(table[column.name])))
        elif pa.types.is_list(column.type) and len(table):
            held = whole(table[column.name])
            values = held.values
            parts = [values.field(k) for k in range(values.type.num_fields)]
            parts = [_compact(part) if pa.types.is_dictionary(part.type) else part for part in parts]
            struct = pa.StructArray.from_arrays(parts, fields=list(values.type))
            table = table.set_column(n, column, pa.ListArray.from_arrays(held.offsets, struct, type=column.type))
    return table


def _compact(column: pa.DictionaryArray) -> pa.DictionaryArray:
    """The column with those words only that it has, sorted."""
    codes = column.indices.fill_null(0).to_numpy(zero_copy_only=False)
    valid = column.indices.is_valid().to_numpy(zero_copy_only=False)
    used = np.flatnonzero(np.bincount(codes[valid], minlength=len(column.dictionary)))
    words = column.dictionary.take(pa.array(used))
    order = pc.sort_indices(words).to_numpy()
    new = np.zeros(max(len(column.dictionary), 1), np.int32)
    new[used[order]] = np.arange(len(used), dtype=np.int32)
    indices = pa.array(new[codes], mask=~valid) if not valid.all() else pa.array(new[codes])
    return pa.DictionaryArray.from_arrays(indices, words.take(pa.array(order)))


def elsewhere(executor: Executor, folder: Path, placed: Sequence[Placed], evidence: Sequence[str]) -> Hand:
    """Has files written by `executor`'s workers, which see `folder`."""
    folder.mkdir()
    about = {
        "evidence": list(evidence),
        "batches": [[str(one.place), list(one.members), one.batch.hops, one.batch.legs] for one in placed],
    }
    where = folder / f"placed-{secrets.token_hex(8)}.json"  # workers outlive an ingest, and remember
    with naming(where):
        where.write_text(json.dumps(about), "utf-8")
    numbers = count()

    def hand(found: Sequence[Plans], path: Path) -> Future[int]:
        plan = folder / f"{next(numbers)}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, Any] = {}
        for n, pair in enumerate(found):
            for k, one in enumerate(pair):
                if one is not None:
                    arrays |= {f"{n}.{k}.{f.name}": getattr(one, f.name) for f in fields(Plan)}
        with naming(plan):
            np.savez(plan, **arrays)
        return executor.submit(_written, str(where), str(plan), len(found), str(path))

    return hand


def _written(where: str, plan: str, slices: int, path: str) -> int:
    source, evidence = _source(where)
    found: list[Plans] = []
    with np.load(plan, allow_pickle=False) as file:
        for n in range(slices):
            pair = [
                Plan(**{f.name: file[f"{n}.{k}.{f.name}"] for f in fields(Plan)})
                if f"{n}.{k}.leg" in file.files
                else None
                for k in range(2)
            ]
            if pair[0] is None:
                raise AssertionError(f"{plan}: no rows in slice {n}")
            found.append((pair[0], pair[1]))
    aside = Path(plan).with_name(f"{Path(plan).stem}.{secrets.token_hex(8)}.parquet")  # a task may run twice, at once
    count = write(found, source, evidence, aside)
    aside.replace(path)
    return count


@lru_cache(maxsize=1)
def _source(where: str) -> tuple[RowSource, list[str]]:
    about = json.loads(Path(where).read_text("utf-8"))
    listed: list[Any] = about["batches"]

    @lru_cache(maxsize=CACHED)
    def load(number: int) -> tuple[pa.Table, pa.Table]:
        place, members, _, _ = listed[number]
        return batches.rows(Path(place), np.array(members, np.int32))

    starts = [np.cumsum([0, *(one[n] for one in listed)]) for n in (2, 3)]
    return RowSource(load, starts[0], starts[1]), about["evidence"]
