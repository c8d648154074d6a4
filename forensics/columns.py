"""Arrow string columns: as one array, as numpy sees them; hashes, address keys, domains of their rows, and where
addresses lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics import addresses, domains
from forensics.native.codes import PUBLIC
from forensics.native.columns import domain_hash_rows, domain_rows, hash_rows, ipv4_rows, key_rows, label_rows
from forensics.native.text import hash_of

Hashes = NDArray[np.uint64]
_STARTS = np.array(addresses.STARTS, np.int64)
_REACH = np.array([PUBLIC, *addresses.REACH], np.int64)
"""That of what is no IPv4 address first."""


def one_chunk(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as one array, which `combine_chunks` would copy even where it is one already."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    joined = column.combine_chunks()
    if isinstance(joined, pa.ChunkedArray):
        return joined.chunk(0) if joined.num_chunks else pa.nulls(0, column.type)
    return joined


def whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """One contiguous array without an offset."""
    column = one_chunk(column)
    return column.take(pa.array(np.arange(len(column)))) if column.offset else column


def flat(column: pa.ChunkedArray | pa.Array) -> pa.StringArray:
    """`whole`, as strings."""
    column = whole(column)
    return column if column.type == pa.string() else column.cast(pa.string())


def text_array(values: Sequence[str]) -> pa.StringArray:
    """A few strings as a column."""
    return pa.array(list(values), pa.string())


def coded(places: NDArray[np.int32], words: Sequence[str]) -> pa.DictionaryArray:
    """A column of few words, by the place of each in `words`."""
    return pa.DictionaryArray.from_arrays(pa.array(places), text_array(words))


def buffers(column: pa.StringArray) -> tuple[Any, Any, Any]:
    """(offsets, bytes, validity bitmap) of a flat column; without nulls the bitmap is empty. No bytes at all are one
    zero."""
    n = len(column)
    valid, offsets, data = column.buffers()
    o = np.frombuffer(offsets, np.int32)[: n + 1] if n else np.zeros(1, np.int32)
    d = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    bits = np.frombuffer(valid, np.uint8) if valid is not None and column.null_count else np.zeros(0, np.uint8)
    return o, d, bits


def hashes(column: pa.ChunkedArray | pa.Array) -> Hashes:
    """64-bit hash of every string, 0 for null."""
    if column.null_count == len(column):
        return np.zeros(len(column), np.uint64)
    out: Hashes = np.empty(len(column), np.uint64)
    hash_rows(*buffers(flat(column)), out)
    return out


def keys(column: pa.ChunkedArray | pa.Array) -> Hashes:
    """64-bit hash of `domains.key` of every address, 0 for null."""
    if column.null_count == len(column):
        return np.zeros(len(column), np.uint64)
    column = flat(column)
    out: Hashes = np.empty(len(column), np.uint64)
    plain = np.empty(len(column), np.bool_)
    key_rows(*buffers(column), out, plain)
    for r in np.flatnonzero(~plain).tolist():
        out[r] = hash_of(domains.key(column[r].as_py()).encode())
    return out


def reaches(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(`addresses.reach`, `addresses.loops`) of each address; null is public."""
    column = flat(column)
    numbers = np.empty(len(column), np.int64)
    ipv4_rows(*buffers(column), numbers)
    reach = _REACH[np.searchsorted(_STARTS, numbers, side="right")]
    loops = numbers >> 24 == addresses.LOOP
    odd = np.flatnonzero((numbers < 0) & column.is_valid().to_numpy(zero_copy_only=False))
    if len(odd):
        encoded = column.take(pa.array(odd)).dictionary_encode()
        words, of_word = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
        reach[odd] = np.array([addresses.reach(word) for word in words], np.int64)[of_word]
        loops[odd] = np.array([addresses.loops(word) for word in words], np.bool_)[of_word]
    return reach, loops


def label_hashes(column: pa.ChunkedArray | pa.Array) -> Hashes:
    """64-bit hash of each host's name as systems compare it: its first label, lower-case; 0 for null and for what has
    no letter there, as addresses."""
    if column.null_count == len(column):
        return np.zeros(len(column), np.uint64)
    column = flat(column)
    out: Hashes = np.empty(len(column), np.uint64)
    plain = np.empty(len(column), np.bool_)
    label_rows(*buffers(column), out, plain)
    for r in np.flatnonzero(~plain).tolist():
        label = column[r].as_py().partition(".")[0]
        has = any(c.isascii() and c.isalpha() for c in label)
        out[r] = hash_of(label.lower().encode()) if has else np.uint64(0)
    return out


def domain_hashes(addresses: pa.ChunkedArray | pa.Array) -> Hashes:
    """64-bit hash of every address's domain as it is written, in lower case, to count domains by; 0 for null."""
    if addresses.null_count == len(addresses):
        return np.zeros(len(addresses), np.uint64)
    out: Hashes = np.empty(len(addresses), np.uint64)
    domain_hash_rows(*buffers(flat(addresses)), out)
    return out


def domain_column(addresses: pa.Array) -> pa.StringArray:
    """`domains.parts(address)[1]` of every address; null stays null."""
    column = flat(addresses)
    offsets, data, bits = buffers(column)
    count = len(column)
    out = np.empty(max(int(offsets[count]) - int(offsets[0]), 1), np.uint8)
    ends, plain = np.empty(count + 1, np.int32), np.empty(count, np.bool_)
    out = out[: domain_rows(offsets, data, bits, out, ends, plain)].copy()
    valid = pa.py_buffer(bits) if bits.size else None
    if plain.all():
        return pa.StringArray.from_buffers(len(column), pa.py_buffer(ends), pa.py_buffer(out), valid)
    raw = pa.BinaryArray.from_buffers(
        pa.binary(), len(column), [valid, pa.py_buffer(ends), pa.py_buffer(out)]
    ).to_pylist()
    odd = set(np.flatnonzero(~plain).tolist())
    values = [
        None if b is None else domains.parts(column[r].as_py())[1] if r in odd else b.decode()
        for r, b in enumerate(raw)
    ]
    return pa.array(values, pa.string())
