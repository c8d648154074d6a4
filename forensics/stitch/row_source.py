"""Strings and values of hops and legs, picked by global number from the batches where they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.columns import buffers, text_array, whole
from forensics.native.stitch.moving import copy_lists, copy_rows, measure_lists, measure_rows

Batch = tuple[pa.Table, pa.Table]
Longs = NDArray[np.int64]


@dataclass(frozen=True)
class RowSource:
    """`load(batch)` gives (hops, legs) of one batch; the starts say which global numbers a batch has."""

    load: Callable[[int], Batch]
    hop_starts: Longs
    leg_starts: Longs

    def pick(self, numbers: Longs, legs: bool, columns: Sequence[str]) -> dict[str, pa.Array]:
        """Columns of hops or legs by global number, in that order; number -1 gives null."""
        pieces = list(self.pieces(numbers, legs))
        if not pieces:
            table = self.load(0)[1 if legs else 0] if len(self.hop_starts) > 1 else None
            if table is None:
                raise AssertionError("nothing was read, so nothing can be picked")
            return {name: pa.nulls(len(numbers), table.schema.field(name).type) for name in columns}
        out: dict[str, pa.Array] = {}
        for name in columns:
            parts = [(whole(table[name]), rows, places) for table, rows, places in pieces]
            kind = parts[0][0].type
            out[name] = _strings(parts, len(numbers)) if pa.types.is_string(kind) else _values(parts, len(numbers))
        return out

    def coded(self, numbers: Longs, legs: bool, name: str, words: Sequence[str]) -> NDArray[np.int32]:
        """A column of few words that not every batch has, by global number: their places in `words`, -1 for null."""
        out = np.full(len(numbers), -1, np.int32)
        for table, rows, places in self.pieces(numbers, legs):
            if name in table.column_names:
                column = whole(table[name])
                column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
                of_word = np.array([*map(words.index, column.dictionary.to_pylist()), -1], np.int32)
                indices = column.indices.fill_null(len(of_word) - 1).to_numpy(zero_copy_only=False)
                out[places] = of_word[indices[rows]]
        return out

    def pieces(self, numbers: Longs, legs: bool) -> Iterator[tuple[pa.Table, Longs, Longs]]:
        """(table of a batch, rows in it, their places in `numbers`) of each batch that has some of these numbers."""
        starts = self.leg_starts if legs else self.hop_starts
        ascending = bool((numbers[1:] >= numbers[:-1]).all())
        order = np.arange(len(numbers)) if ascending else np.argsort(numbers, kind="stable")
        ordered = numbers if ascending else numbers[order]
        cuts = np.searchsorted(ordered, starts).tolist()
        for batch, (low, high) in enumerate(pairwise(cuts)):
            if high > low:
                yield self.load(batch)[1 if legs else 0], ordered[low:high] - starts[batch], order[low:high]


Part = tuple[pa.Array, Longs, Longs]


def _strings(parts: Sequence[Part], count: int) -> pa.StringArray:
    sizes = np.zeros(count + 1, np.int32)
    valid = np.zeros((count + 7) // 8, np.uint8)
    sources = []
    for column, rows, places in parts:
        offsets, data, bits = buffers(column)
        measure_rows(offsets, bits, rows, places, sizes, valid)
        sources.append((offsets, data, rows, places))
    starts = np.zeros(count + 1, np.int32)
    np.cumsum(sizes[:count], out=starts[1:])
    out = np.empty(int(starts[count]), np.uint8)
    for offsets, data, rows, places in sources:
        copy_rows(offsets, data, rows, places, starts, out)
    return pa.StringArray.from_buffers(count, pa.py_buffer(starts), pa.py_buffer(out), pa.py_buffer(valid))


def _values(parts: Sequence[Part], count: int) -> pa.Array:
    """Columns of fixed width and dictionaries."""
    kind = parts[0][0].type
    if pa.types.is_dictionary(kind):
        return _codes(parts, count)
    if kind.bit_width in (32, 64) and not any(column.null_count for column, _, _ in parts):
        width = np.int64 if kind.bit_width == 64 else np.int32
        out, filled = np.zeros(count, width), 0
        for column, rows, places in parts:
            out[places] = np.frombuffer(column.buffers()[1], width)[rows]
            filled += len(rows)
        if filled == count:
            return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(out)])
    taken = [column.take(pa.array(rows)) for column, rows, _ in parts]
    places = np.concatenate([p for _, _, p in parts])
    if len(places) < count:
        taken.append(pa.nulls(1, taken[0].type))
    back = np.full(count, len(places), np.int64)
    back[places] = np.arange(len(places))
    joined = pa.concat_arrays(taken) if len(taken) > 1 else taken[0]
    return joined if len(places) == count and bool((places[1:] > places[:-1]).all()) else joined.take(pa.array(back))


def _codes(parts: Sequence[Part], count: int) -> pa.DictionaryArray:
    """One dictionary for the words of all parts, in the order in which the parts have them."""
    known: dict[str, int] = {}
    codes = np.full(count, -1, np.int32)
    for column, rows, places in parts:
        names = column.dictionary.to_pylist()
        for name in names:
            known.setdefault(name, len(known))
        table = np.array([*(known[name] for name in names), -1], np.int32)
        indices = column.indices
        filled = indices.fill_null(len(names)) if indices.null_count else indices
        codes[places] = table[filled.to_numpy()[rows]]
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), text_array(list(known)))


def gathered_records(source: RowSource, numbers: Longs, is_leg: NDArray[np.bool_]) -> tuple[NDArray[np.int32], Longs]:
    """(offsets, values): the `records` of these hops and legs, one after the other. Values have the columns evidence,
    number, offset, length."""
    sizes = np.zeros(len(numbers) + 1, np.int32)
    sources = []
    for legs in (False, True):
        of_kind = np.flatnonzero(is_leg == legs)
        for table, rows, places in source.pieces(numbers[of_kind], legs):
            column = whole(table["records"])
            values = column.values
            fields = [np.ascontiguousarray(values.field(n).to_numpy(zero_copy_only=False)) for n in range(4)]
            at = of_kind[places]
            offsets = column.offsets.to_numpy()
            measure_lists(offsets, rows, at, sizes)
            sources.append((offsets, fields, rows, at))
    starts = np.zeros(len(numbers) + 1, np.int32)
    np.cumsum(sizes[:-1], out=starts[1:])
    out = np.empty((int(starts[-1]), 4), np.int64)
    for offsets, fields, rows, at in sources:
        copy_lists(offsets, fields[0].astype(np.int32), fields[1], fields[2], fields[3], rows, at, starts, out)
    return starts, out
