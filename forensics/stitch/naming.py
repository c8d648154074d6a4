"""delivery_id: the first 32 hexadecimal digits of BLAKE2b (RFC 7693, 16 bytes) over what identifies a delivery.

Hashed are system, host, first known queue id, its first stamp (microseconds UTC), recipient key and original recipient
key, joined by NUL; what is null counts as empty. Rows that agree in all of it are told apart by their order in the
evidence: `#1`, `#2`, … is appended before hashing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics import domains
from forensics.kernels import kernel
from forensics.stitch.columns import buffers, flat, present, text_array

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
BLOCK = 128


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
def blake(words, size, h):  # type: ignore[no-untyped-def]
    """BLAKE2b of the first `size` bytes of `words` (zero behind them up to a whole block) into h[0] and h[1]."""
    for k in range(8):
        h[k] = IV[k]
    h[0] ^= np.uint64(0x01010010)
    at = 0
    while True:
        last = size - at <= BLOCK
        w = at // 8
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


@kernel()
def put(room, n, data, start, end):  # type: ignore[no-untyped-def]
    """Bytes of data to room at n: where they end."""
    for i in range(start, end):
        room[n] = data[i]
        n += 1
    return n


@kernel()
def put_number(room, n, value):  # type: ignore[no-untyped-def]
    """A whole number in decimal digits to room at n: where it ends."""
    if value < 0:
        room[n] = 45
        n += 1
        value = -value
    digits = 1
    rest = value // 10
    while rest > 0:
        digits += 1
        rest //= 10
    for k in range(digits):
        room[n + digits - 1 - k] = 48 + value % 10
        value //= 10
    return n + digits


@kernel()
def put_key(room, n, data, start, end):  # type: ignore[no-untyped-def]
    """(where it ends, plain?): `domains.key` of an address to room at n; not plain: not ASCII, or without `@`."""
    while end > start and data[end - 1] == 46:
        end -= 1
    at = False
    plain = True
    for i in range(start, end):
        c = data[i]
        if 65 <= c <= 90:
            c = np.uint8(c + 32)
        elif c >= 128:
            plain = False
        elif c == 64:
            at = True
        room[n] = c
        n += 1
    return n, plain and at


def _name_rows(  # type: ignore[no-untyped-def]
    which,
    place_at,
    place,
    queue_at,
    queue,
    stamps,
    to_at,
    to,
    orig_at,
    orig,
    orig_bits,
    _room,
    _words,
    _h,
    out,
    top,
    odd,
):
    b = [x.tobytes() for x in (place, queue, to, orig)]
    for r in range(stamps.size):
        f = which[r]
        key = b[2][to_at[r] : to_at[r + 1]]
        null = not present(orig_bits, r)
        was = b"" if null else b[3][orig_at[r] : orig_at[r + 1]]
        odd[r] = not all(x.isascii() and b"@" in x for x in ((key,) if null else (key, was)))
        message = b"\0".join(
            (
                b[0][place_at[f] : place_at[f + 1]], b[1][queue_at[r] : queue_at[r + 1]], str(int(stamps[r])).encode(),
                key.lower().rstrip(b"."), was.lower().rstrip(b"."),
            )
        )  # fmt: skip
        digest = hashlib.blake2b(message, digest_size=16).digest()
        out[32 * r : 32 * r + 32] = np.frombuffer(digest.hex().encode(), np.uint8)
        top[r] = np.uint64(int.from_bytes(digest[:8], "big"))


@kernel(
    "void(int32[::1], int32[::1], uint8[::1], int32[::1], uint8[::1], int64[::1], int32[::1], uint8[::1], int32[::1],"
    " uint8[::1], uint8[::1], uint8[::1], uint64[::1], uint64[::1], uint8[::1], uint64[::1], boolean[::1])",
    plain=_name_rows,
)
def name_rows(  # type: ignore[no-untyped-def]
    which, place_at, place, queue_at, queue, stamps, to_at, to, orig_at, orig, orig_bits, room, words, h, out, top, odd
):
    """32 hexadecimal digits for each row, one behind the other; `top`: the first 8 bytes as a number that sorts as they
    do; `odd`: rows whose addresses are not ASCII or without `@`, to be named by other means. `words` is `room` as
    64-bit words (little-endian); `which`: place (system, NUL, host) of each row."""
    for r in range(stamps.size):
        f = which[r]
        n = put(room, 0, place, place_at[f], place_at[f + 1])
        room[n] = 0
        n = put(room, n + 1, queue, queue_at[r], queue_at[r + 1])
        room[n] = 0
        n = put_number(room, n + 1, stamps[r])
        room[n] = 0
        n, plain = put_key(room, n + 1, to, to_at[r], to_at[r + 1])
        room[n] = 0
        n += 1
        if present(orig_bits, r):
            n, ok = put_key(room, n, orig, orig_at[r], orig_at[r + 1])
            plain = plain and ok
        odd[r] = not plain
        k = n
        while k % BLOCK != 0 or k == 0:
            room[k] = 0
            k += 1
        blake(words, n, h)
        value = np.uint64(0)
        for b in range(16):
            byte = (h[b // 8] >> np.uint64(8 * (b % 8))) & np.uint64(0xFF)
            out[r * 32 + 2 * b] = HEX[byte >> np.uint64(4)]
            out[r * 32 + 2 * b + 1] = HEX[byte & np.uint64(15)]
            if b < 8:
                value = value << np.uint64(8) | byte
        top[r] = value


@dataclass(frozen=True)
class Named:
    """What delivery ids are made from: `system` and `host` as dictionaries, `stamps` in microseconds UTC."""

    system: pa.DictionaryArray
    host: pa.DictionaryArray
    queue_id: pa.StringArray
    stamps: NDArray[np.int64]
    recipient: pa.StringArray
    original: pa.StringArray

    def message(self, row: int) -> bytes:
        """What is hashed for one row."""
        to, was = self.recipient[row].as_py(), self.original[row].as_py()
        values = (
            self.system[row].as_py(), self.host[row].as_py(), self.queue_id[row].as_py(), str(int(self.stamps[row])),
            domains.key(to), None if was is None else domains.key(was),
        )  # fmt: skip
        return b"\0".join((value or "").encode() for value in values)


def digest(message: bytes) -> str:
    return hashlib.blake2b(message, digest_size=16).hexdigest()


def _places(named: Named) -> tuple[NDArray[np.int32], pa.StringArray]:
    """(which place each row has, the places: system, NUL, host)."""
    systems, hosts = named.system.dictionary.to_pylist(), [*named.host.dictionary.to_pylist(), ""]
    of_host = named.host.indices.fill_null(len(hosts) - 1).to_numpy()
    which = named.system.indices.to_numpy().astype(np.int32) * np.int32(len(hosts)) + of_host.astype(np.int32)
    return which, text_array([f"{s}\0{h}" for s in systems for h in hosts])


def names(named: Named) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """(32 hexadecimal digits for each row, one behind the other; the first 8 bytes of each as a number)."""
    count = len(named.stamps)
    which, places = _places(named)
    columns = [buffers(flat(c)) for c in (places, named.queue_id, named.recipient, named.original)]
    longest = sum(int((o[1:] - o[:-1]).max(initial=0)) for o, _, _ in columns) + 32
    words = np.zeros(longest // 8 + 2 * BLOCK // 8, np.uint64)
    out, top, odd = np.empty(32 * count, np.uint8), np.empty(count, np.uint64), np.empty(count, np.bool_)
    (pa_, pd, _), (qa, qd, _), (ta, td, _), (oa, od, none) = columns
    name_rows(
        which, pa_, pd, qa, qd, named.stamps, ta, td, oa, od, none, words.view(np.uint8), words, np.empty(8, np.uint64),
        out, top, odd,
    )  # fmt: skip
    for r in np.flatnonzero(odd).tolist():
        rename(out, top, r, named.message(r))
    return out, top


def rename(out: Any, top: Any, row: int, message: bytes) -> None:
    """Name one row after this message."""
    made = digest(message)
    out[32 * row : 32 * row + 32] = np.frombuffer(made.encode(), np.uint8)
    top[row] = np.uint64(int(made[:16], 16))


def as_strings(digits: NDArray[np.uint8]) -> pa.StringArray:
    """Names one behind the other as a column."""
    count = len(digits) // 32
    ends = np.arange(count + 1, dtype=np.int32) * np.int32(32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(ends), pa.py_buffer(digits))
