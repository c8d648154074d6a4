"""BLAKE2b (RFC 7693) over the rows of a column, 16 bytes, as hexadecimal: `hashlib.blake2b(row, digest_size=16)`
without the GIL."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pyarrow as pa

from forensics.kernels import kernel
from forensics.stitch.columns import buffers, flat

IV = np.array(
    [
        0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    np.uint64,
)  # fmt: skip
SIGMA = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4], [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13], [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11], [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5], [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.int64,
)  # fmt: skip
HEX = np.frombuffer(b"0123456789abcdef", np.uint8).copy()


@kernel()
def rotate(x, n):  # type: ignore[no-untyped-def]
    return (x >> np.uint64(n)) | (x << np.uint64(64 - n))


@kernel()
def quarter(v, a, b, c, d, x, y):  # type: ignore[no-untyped-def]
    v[a] = v[a] + v[b] + x
    v[d] = rotate(v[d] ^ v[a], 32)
    v[c] = v[c] + v[d]
    v[b] = rotate(v[b] ^ v[c], 24)
    v[a] = v[a] + v[b] + y
    v[d] = rotate(v[d] ^ v[a], 16)
    v[c] = v[c] + v[d]
    v[b] = rotate(v[b] ^ v[c], 63)


def _hex_rows(offsets, data, h, v, m, out):  # type: ignore[no-untyped-def]
    raw = data.tobytes()
    spans = pairwise(offsets.tolist())
    made = [hashlib.blake2b(raw[a:b], digest_size=16).hexdigest() for a, b in spans]
    out[:] = np.frombuffer("".join(made).encode(), np.uint8)


@kernel("void(int32[::1], uint8[::1], uint64[::1], uint64[::1], uint64[::1], uint8[::1])", plain=_hex_rows)
def hex_rows(offsets, data, h, v, m, out):  # type: ignore[no-untyped-def]
    """32 hexadecimal digits for each row, one behind the other. `h`, `v`, `m`: state (8), work (16), words (16)."""
    count = offsets.size - 1
    for r in range(count):
        start, end = offsets[r], offsets[r + 1]
        for k in range(8):
            h[k] = IV[k]
        h[0] ^= np.uint64(0x01010010)
        at = start
        while True:
            last = end - at <= 128
            stop = end if last else at + 128
            for k in range(16):
                word = np.uint64(0)
                for b in range(8):
                    p = at + 8 * k + b
                    if p < stop:
                        word |= np.uint64(data[p]) << np.uint64(8 * b)
                m[k] = word
            for k in range(8):
                v[k] = h[k]
                v[k + 8] = IV[k]
            v[12] ^= np.uint64(stop - start)
            if last:
                v[14] = ~v[14]
            for i in range(12):
                quarter(v, 0, 4, 8, 12, m[SIGMA[i, 0]], m[SIGMA[i, 1]])
                quarter(v, 1, 5, 9, 13, m[SIGMA[i, 2]], m[SIGMA[i, 3]])
                quarter(v, 2, 6, 10, 14, m[SIGMA[i, 4]], m[SIGMA[i, 5]])
                quarter(v, 3, 7, 11, 15, m[SIGMA[i, 6]], m[SIGMA[i, 7]])
                quarter(v, 0, 5, 10, 15, m[SIGMA[i, 8]], m[SIGMA[i, 9]])
                quarter(v, 1, 6, 11, 12, m[SIGMA[i, 10]], m[SIGMA[i, 11]])
                quarter(v, 2, 7, 8, 13, m[SIGMA[i, 12]], m[SIGMA[i, 13]])
                quarter(v, 3, 4, 9, 14, m[SIGMA[i, 14]], m[SIGMA[i, 15]])
            for k in range(8):
                h[k] ^= v[k] ^ v[k + 8]
            if last:
                break
            at += 128
        for b in range(16):
            byte = (h[b // 8] >> np.uint64(8 * (b % 8))) & np.uint64(0xFF)
            out[r * 32 + 2 * b] = HEX[byte >> np.uint64(4)]
            out[r * 32 + 2 * b + 1] = HEX[byte & np.uint64(15)]


def digests(names: pa.Array) -> pa.StringArray:
    """32 hexadecimal digits of BLAKE2b of each string (no nulls)."""
    column = flat(names)
    offsets, data, _ = buffers(column)
    out = np.empty(len(column) * 32, np.uint8)
    hex_rows(offsets, data, np.empty(8, np.uint64), np.empty(16, np.uint64), np.empty(16, np.uint64), out)
    ends = np.arange(len(column) + 1, dtype=np.int32) * np.int32(32)
    return pa.StringArray.from_buffers(len(column), pa.py_buffer(ends), pa.py_buffer(out))
