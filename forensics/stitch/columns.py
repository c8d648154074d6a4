"""Kernels over Arrow string columns: hashes, address keys, domains. Zero stands for null."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics import domains
from forensics.kernels import kernel
from forensics.loaders.postfix.text import ALL, SEED, address_key, hashed, key_number, lower_hash, mix

Hashes = NDArray[np.uint64]


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


def buffers(column: pa.StringArray) -> tuple[Any, Any, Any]:
    """(offsets, bytes, validity bitmap) of a flat column; without nulls the bitmap is empty. No bytes at all are one
    zero."""
    n = len(column)
    valid, offsets, data = column.buffers()
    o = np.frombuffer(offsets, np.int32)[: n + 1] if n else np.zeros(1, np.int32)
    d = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
    bits = np.frombuffer(valid, np.uint8) if valid is not None and column.null_count else np.zeros(0, np.uint8)
    return o, d, bits


@kernel()
def present(bits, r):  # type: ignore[no-untyped-def]
    """Is row r of a column with this validity bitmap not null?"""
    return bits.size == 0 or bits[r >> 3] >> np.uint8(r & 7) & np.uint8(1) != 0


@kernel("void(int32[::1], uint8[::1], uint8[::1], uint64[::1])")
def _hash_rows(offsets, data, bits, out):  # type: ignore[no-untyped-def]
    for r in range(out.size):
        out[r] = np.uint64(0)
        if present(bits, r):
            out[r] = mix(hashed(data, offsets[r], offsets[r + 1], SEED))


@kernel("void(int32[::1], uint8[::1], uint8[::1], uint64[::1], boolean[::1])")
def _key_rows(offsets, data, bits, out, plain):  # type: ignore[no-untyped-def]
    for r in range(out.size):
        out[r] = np.uint64(0)
        plain[r] = True
        if present(bits, r):
            h, ascii_ = address_key(data, offsets[r], offsets[r + 1])
            out[r] = h
            plain[r] = ascii_


@kernel("void(int32[::1], uint8[::1], uint8[::1], uint64[::1], boolean[::1])")
def _label_rows(offsets, data, bits, out, plain):  # type: ignore[no-untyped-def]
    for r in range(out.size):
        out[r] = np.uint64(0)
        plain[r] = True
        if not present(bits, r):
            continue
        letter = False
        end = offsets[r]
        while end < offsets[r + 1] and data[end] != 46:
            letter = letter or 97 <= data[end] | 32 <= 122
            end += 1
        h, ascii_ = lower_hash(data, offsets[r], end)
        plain[r] = ascii_
        if letter:
            out[r] = mix(h)


def hashes(column: pa.ChunkedArray | pa.Array) -> Hashes:
    """64-bit hash of every string, 0 for null."""
    if column.null_count == len(column):
        return np.zeros(len(column), np.uint64)
    out: Hashes = np.empty(len(column), np.uint64)
    _hash_rows(*buffers(flat(column)), out)
    return out


def keys(column: pa.ChunkedArray | pa.Array) -> Hashes:
    """64-bit hash of `domains.key` of every address, 0 for null."""
    if column.null_count == len(column):
        return np.zeros(len(column), np.uint64)
    column = flat(column)
    out: Hashes = np.empty(len(column), np.uint64)
    plain = np.empty(len(column), np.bool_)
    _key_rows(*buffers(column), out, plain)
    for r in np.flatnonzero(~plain).tolist():
        out[r] = key_number(domains.key(column[r].as_py()).encode()) & ALL
    return out


def label_hashes(column: pa.ChunkedArray | pa.Array) -> Hashes:
    """64-bit hash of each host's name as systems compare it: its first label, lower-case; 0 for null and for what has
    no letter there, as addresses."""
    if column.null_count == len(column):
        return np.zeros(len(column), np.uint64)
    column = flat(column)
    out: Hashes = np.empty(len(column), np.uint64)
    plain = np.empty(len(column), np.bool_)
    _label_rows(*buffers(column), out, plain)
    for r in np.flatnonzero(~plain).tolist():
        label = column[r].as_py().partition(".")[0]
        has = any(c.isascii() and c.isalpha() for c in label)
        raw = label.lower().encode()
        out[r] = mix(hashed(raw, 0, len(raw), SEED)) if has else np.uint64(0)
    return out


@kernel("int64(int32[::1], uint8[::1], uint8[::1], uint8[::1], int32[::1], boolean[::1])")
def _domain_rows(offsets, data, bits, out, ends, plain):  # type: ignore[no-untyped-def]
    n = plain.size
    k = 0
    ends[0] = 0
    for r in range(n):
        plain[r] = True
        if present(bits, r):
            a, b = offsets[r], offsets[r + 1]
            at = b
            for i in range(b - 1, a - 1, -1):
                if data[i] == 64:
                    at = i + 1
                    break
            while b > at and data[b - 1] == 46:
                b -= 1
            for i in range(at, b):
                c = data[i]
                if c >= 128 or c <= 32:
                    plain[r] = False
                if 65 <= c <= 90:
                    c = np.uint8(c + 32)
                out[k] = c
                k += 1
        ends[r + 1] = k
    return k


def domain_column(addresses: pa.Array) -> pa.StringArray:
    """`domains.parts(address)[1]` of every address; null stays null."""
    column = flat(addresses)
    offsets, data, bits = buffers(column)
    count = len(column)
    out = np.empty(max(int(offsets[count]) - int(offsets[0]), 1), np.uint8)
    ends, plain = np.empty(count + 1, np.int32), np.empty(count, np.bool_)
    out = out[: _domain_rows(offsets, data, bits, out, ends, plain)].copy()
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
