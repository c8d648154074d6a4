"""What rows are made of, in numbers that another ingest of more evidence gives them too: to see which files of the
tables it leaves as they were."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.columns import hashes, whole
from forensics.ingest.spool import Batches
from forensics.native.text import hash_of
from forensics.stitch.plans import Plan

Hashes = NDArray[np.uint64]
_HOPS, _LEGS = ("head", "own"), ("leg", "source", "before")
_MIX, _ODD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


class Tags:
    """A number for every hop and leg of all batches: of its batch's name and its place there; of those that were joined
    from fragments of several batches, of all their values: the same records come to others where people say another
    year or zone of one of their files."""

    def __init__(self, batches: Batches, joined: int, evidence: Sequence[str]) -> None:
        """`joined`: how many batches, at the end, were joined from fragments."""
        self._starts: list[Any] = [np.cumsum([0, *(n(one) for one in batches.placed)]) for n in (_hops, _legs)]
        self._single = len(batches) - joined
        named = [int(one.batch.name[:16], 16) for one in batches.placed[: self._single]]
        self._names = np.array([*named, *([0] * joined)], np.uint64)
        of = np.array([int(one[:16], 16) for one in evidence], np.uint64)
        self._of_rows: list[Any] = [[], []]
        for number in range(self._single, len(batches)):
            for kind, table in enumerate(batches.load(number)):
                self._of_rows[kind].append(_of_rows(table, of))

    def of(self, numbers: NDArray[np.int64], legs: bool) -> Hashes:
        """For hops or legs by their global numbers; 0 for -1."""
        starts = self._starts[legs]
        batch = np.searchsorted(starts, np.maximum(numbers, 0), side="right") - 1
        with np.errstate(over="ignore"):
            out = (self._names[batch] ^ (numbers - starts[batch]).astype(np.uint64)) * _MIX
        for n, tags in enumerate(self._of_rows[legs]):
            here = np.flatnonzero(batch == self._single + n)
            out[here] = tags[numbers[here] - starts[self._single + n]]
        out[numbers < 0] = 0
        found: Hashes = out
        return found

    def digest(self, about: str, plans: Sequence[Plan | None]) -> str:
        """SHA-256 of `about` and of what these plans say, whatever numbers their hops and legs have."""
        found = hashlib.sha256(about.encode())
        for plan in plans:
            if plan is None:
                found.update(b"none")
                continue
            for one in fields(Plan):
                found.update(one.name.encode())
                found.update(np.ascontiguousarray(self._tagged(plan, one.name)).data)
        return found.hexdigest()

    def _tagged(self, plan: Plan, name: str) -> Any:
        values = getattr(plan, name)
        if name == "chain_numbers":
            out = np.empty(len(values), np.uint64)
            for legs in (False, True):
                at = np.flatnonzero(plan.chain_is_leg == legs)
                out[at] = self.of(values[at], legs)
            return out
        if name in _HOPS or name in _LEGS:
            return self.of(values, name in _LEGS)
        return values


def _hops(one: Any) -> int:
    return int(one.batch.hops)


def _legs(one: Any) -> int:
    return int(one.batch.legs)


def _of_rows(table: pa.Table, evidence: Hashes) -> Hashes:
    """Of each row a hash of its values; its key is its batch's alone."""
    found = _of_records(table, evidence)
    with np.errstate(over="ignore"):
        for name in sorted({*table.column_names} - {"hop", "records"}):
            found += _of_values(whole(table[name]), np.uint64(hash_of(name.encode())))
    return found


def _of_values(column: pa.Array, seed: np.uint64) -> Hashes:
    """Of each value a hash; 0 for null, as of a column that not every batch has."""
    if not len(column) or column.null_count == len(column):
        return np.zeros(len(column), np.uint64)
    if pa.types.is_dictionary(column.type):
        of_word = _of_values(column.dictionary, seed)
        found: Hashes = of_word[column.indices.fill_null(0).to_numpy(zero_copy_only=False)]
    else:
        text = pa.types.is_string(column.type)
        values = hashes(column) if text else column.cast(pa.int64()).fill_null(0).to_numpy().view(np.uint64)
        with np.errstate(over="ignore"):
            found = (values ^ seed) * _MIX
            found ^= found >> np.uint64(29)
            found *= _ODD
    return found if not column.null_count else found * column.is_valid().to_numpy(zero_copy_only=False)


def _of_records(table: Any, evidence: Hashes) -> Hashes:
    """Of each row a hash of which records it rests on."""
    column = whole(table["records"])
    offsets = column.offsets.to_numpy().astype(np.int64)
    values = column.values
    of = evidence[values.field("evidence").to_numpy(zero_copy_only=False)]
    number = values.field("number").to_numpy(zero_copy_only=False).astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = (of ^ number * _MIX) * _ODD
        mixed ^= mixed >> np.uint64(29)
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed * _MIX, dtype=np.uint64)])
        found: Hashes = (sums[offsets[1:]] - sums[offsets[:-1]]) * np.uint64(3) + np.diff(offsets).astype(np.uint64)
    return found
