"""BLAKE2b (RFC 7693) with a digest of 16 bytes and no key, as kernels: one message, or eight short ones at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from forensics.kernels import inline, kernel
from forensics.machine import pointer

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
BLOCK = 128
"""Bytes that are hashed at a time."""
LANES = 8
_PARAMETERS = 0x01010010
"""Digest length 16, no key, fan-out and depth 1: xor-ed into the first word."""
_MIXED = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)


@kernel()
def rotate(x, n):  # type: ignore[no-untyped-def]
    return (x >> np.uint64(n)) | (x << np.uint64(64 - n))


@kernel()
def quarter(a, b, c, d, x, y):  # type: ignore[no-untyped-def]
    a = a + b + x
    d = rotate(d ^ a, 32)
    c = c + d
    b = rotate(b ^ c, 24)
    a = a + b + y
    d = rotate(d ^ a, 16)
    c = c + d
    b = rotate(b ^ c, 63)
    return a, b, c, d


@kernel()
def one(words, start, size, h):  # type: ignore[no-untyped-def]
    """The digest of `size` bytes from the word `start` (zero behind them up to a whole block) as h[0] and h[1]."""
    for k in range(8):
        h[k] = IV[k]
    h[0] ^= np.uint64(_PARAMETERS)
    at = 0
    while True:
        last = size - at <= BLOCK
        w = start + at // 8
        v0, v1, v2, v3, v4, v5, v6, v7 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
        v8, v9, v10, v11, v13, v15 = IV[0], IV[1], IV[2], IV[3], IV[5], IV[7]
        v12 = IV[4] ^ np.uint64(size if last else at + BLOCK)
        v14 = ~IV[6] if last else IV[6]
        for i in range(12):
            s = SIGMA[i]
            v0, v4, v8, v12 = quarter(v0, v4, v8, v12, words[w + s[0]], words[w + s[1]])
            v1, v5, v9, v13 = quarter(v1, v5, v9, v13, words[w + s[2]], words[w + s[3]])
            v2, v6, v10, v14 = quarter(v2, v6, v10, v14, words[w + s[4]], words[w + s[5]])
            v3, v7, v11, v15 = quarter(v3, v7, v11, v15, words[w + s[6]], words[w + s[7]])
            v0, v5, v10, v15 = quarter(v0, v5, v10, v15, words[w + s[8]], words[w + s[9]])
            v1, v6, v11, v12 = quarter(v1, v6, v11, v12, words[w + s[10]], words[w + s[11]])
            v2, v7, v8, v13 = quarter(v2, v7, v8, v13, words[w + s[12]], words[w + s[13]])
            v3, v4, v9, v14 = quarter(v3, v4, v9, v14, words[w + s[14]], words[w + s[15]])
        h[0] ^= v0 ^ v8
        h[1] ^= v1 ^ v9
        h[2] ^= v2 ^ v10
        h[3] ^= v3 ^ v11
        h[4] ^= v4 ^ v12
        h[5] ^= v5 ^ v13
        h[6] ^= v6 ^ v14
        h[7] ^= v7 ^ v15
        if last:
            return
        at += BLOCK


@inline("void(intp, intp, intp)")
def eight(builder: Any, words: Any, sizes: Any, digests: Any) -> None:
    """The digests of LANES messages of at most BLOCK bytes each, one in each lane of a vector: `words` is where they
    lie, one block each, zero behind their ends; `sizes` their lengths (uint64). What comes to `digests` is the first
    word of each, then the second of each."""
    from llvmlite import ir

    word = ir.IntType(64)
    vector = ir.VectorType(word, LANES)

    def all_lanes(value: int) -> Any:
        return vector([value] * LANES)

    def rotated(value: Any, bits: int) -> Any:
        return builder.or_(builder.lshr(value, all_lanes(bits)), builder.shl(value, all_lanes(64 - bits)))

    def mixed(v: list[Any], places: tuple[int, int, int, int], x: Any, y: Any) -> None:
        a, b, c, d = places
        for given, first, second in ((x, 32, 24), (y, 16, 63)):
            v[a] = builder.add(builder.add(v[a], v[b]), given)
            v[d] = builder.xor(v[d], v[a])
            v[d] = rotated(v[d], first)
            v[c] = builder.add(v[c], v[d])
            v[b] = builder.xor(v[b], v[c])
            v[b] = rotated(v[b], second)

    base = pointer(builder, words, word)
    message = []
    for k in range(BLOCK // 8):
        gathered = vector(ir.Undefined)
        for lane in range(LANES):
            place = builder.gep(base, [word(lane * (BLOCK // 8) + k)])
            gathered = builder.insert_element(gathered, builder.load(place, align=8), ir.IntType(32)(lane))
        message.append(gathered)
    iv = [int(value) for value in IV]
    start = [all_lanes(value) for value in (iv[0] ^ _PARAMETERS, *iv[1:])]
    v = [*start, *(all_lanes(value) for value in iv[:4])]
    length = builder.load(pointer(builder, sizes, vector), align=8)
    v += [builder.xor(all_lanes(iv[4]), length), all_lanes(iv[5]), all_lanes(iv[6] ^ (2**64 - 1)), all_lanes(iv[7])]
    for order in SIGMA.tolist():
        for n, places in enumerate(_MIXED):
            mixed(v, places, message[order[2 * n]], message[order[2 * n + 1]])
    out = pointer(builder, digests, vector)
    for k in range(2):
        digest = builder.xor(start[k], builder.xor(v[k], v[k + 8]))
        builder.store(digest, builder.gep(out, [word(k)]), align=8)
