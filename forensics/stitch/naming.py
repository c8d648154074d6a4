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
from forensics.loaders.postfix.text import HIGH, copy, lowered, oddities, oddities_of, tail
from forensics.machine import load64, store64
from forensics.stitch.blake2b import BLOCK, LANES, eight, one
from forensics.stitch.columns import buffers, flat, present, text_array


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
    """(where it ends, plain?): `domains.key` of an address to room at n, and up to 7 zeroes behind it; not plain: not
    ASCII, with blanks, or without `@` and a domain behind it."""
    while end > start and data[end - 1] == 46:
        end -= 1
    domain = end > start and data[end - 1] != 64
    from_here, to = data.ctypes.data, room.ctypes.data + n - start
    seen = ats = np.uint64(0)
    i = start
    while i < end:
        if i + 8 <= end:
            word = load64(from_here + i)
            seen |= oddities(word)
        else:
            word = tail(data, i, end)
            seen |= oddities_of(word, end - i)
        other = word ^ np.uint64(0x4040404040404040)  # zero where there is an @
        ats |= (other - np.uint64(0x0101010101010101)) & ~other
        store64(to + i, lowered(word))
        i += 8
    return n + end - start, seen & HIGH == np.uint64(0) and ats & HIGH != np.uint64(0) and domain


@kernel()
def bytes_turned(word):  # type: ignore[no-untyped-def]
    """The 8 bytes in the other order."""
    low = np.uint64(0x00FF00FF00FF00FF)
    word = (word >> np.uint64(8)) & low | (word & low) << np.uint64(8)
    low = np.uint64(0x0000FFFF0000FFFF)
    word = (word >> np.uint64(16)) & low | (word & low) << np.uint64(16)
    return word >> np.uint64(32) | word << np.uint64(32)


@kernel()
def hexadecimal(half):  # type: ignore[no-untyped-def]
    """Four bytes as the text of their 8 hexadecimal digits, in the order of the bytes."""
    x = (half | half << np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    x = (x | x << np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    x = (x >> np.uint64(4) | x << np.uint64(8)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    letters = (x + np.uint64(0x0606060606060606)) >> np.uint64(4) & np.uint64(0x0101010101010101)
    return x + np.uint64(0x3030303030303030) + letters * np.uint64(39)


@kernel()
def write_digest(first, second, r, out, top):  # type: ignore[no-untyped-def]
    """The two words of a digest (little-endian) as the name of row r."""
    low = np.uint64(0xFFFFFFFF)
    out[4 * r] = hexadecimal(first & low)
    out[4 * r + 1] = hexadecimal(first >> np.uint64(32))
    out[4 * r + 2] = hexadecimal(second & low)
    out[4 * r + 3] = hexadecimal(second >> np.uint64(32))
    top[r] = bytes_turned(first)


def _is_plain(address: bytes) -> bool:
    """See `put_key`."""
    rest = address.rstrip(b".")
    return address.isascii() and min(address, default=33) > 32 and b"@" in rest and not rest.endswith(b"@")


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
    _sizes,
    _digests,
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
        odd[r] = not (_is_plain(key) and (null or _is_plain(was)))
        message = b"\0".join(
            (
                b[0][place_at[f] : place_at[f + 1]], b[1][queue_at[r] : queue_at[r + 1]], str(int(stamps[r])).encode(),
                key.lower().rstrip(b"."), was.lower().rstrip(b"."),
            )
        )  # fmt: skip
        digest = hashlib.blake2b(message, digest_size=16).digest()
        out[4 * r : 4 * r + 4] = np.frombuffer(digest.hex().encode(), np.uint64)
        top[r] = np.uint64(int.from_bytes(digest[:8], "big"))


@kernel(
    "void(int32[::1], int32[::1], uint8[::1], int32[::1], uint8[::1], int64[::1], int32[::1], uint8[::1], int32[::1],"
    " uint8[::1], uint8[::1], uint8[::1], uint64[::1], uint64[::1], uint64[::1], uint64[::1], uint64[::1],"
    " boolean[::1])",
    plain=_name_rows,
)
def name_rows(  # type: ignore[no-untyped-def]
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
    room,
    words,
    sizes,
    digests,
    out,
    top,
    odd,
):
    """32 hexadecimal digits for each row, in four words; `top`: the first 8 bytes as a number that sorts as they do;
    `odd`: rows whose addresses are not as `put_key` wants them, to be named by other means. `words` is `room` as 64-bit
    words (little-endian), `sizes` and `digests` those of the messages that wait in it for their like; `which`: place
    (system, NUL, host) of each row."""
    waiting = 0
    for r in range(stamps.size):
        f = which[r]
        start = waiting * BLOCK
        size = place_at[f + 1] - place_at[f]
        copy(room, start, place, place_at[f], size)
        n = start + size
        room[n] = 0
        size = queue_at[r + 1] - queue_at[r]
        copy(room, n + 1, queue, queue_at[r], size)
        n += 1 + size
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
        while k & 7 != 0:
            room[k] = 0
            k += 1
        while k % BLOCK != 0:  # there are four separators: it is not empty
            words[k >> 3] = 0
            k += 8
        if k - start > BLOCK:
            one(words, start // 8, n - start, digests)
            write_digest(digests[0], digests[1], r, out, top)
            continue
        sizes[waiting] = n - start
        sizes[LANES + waiting] = r
        waiting += 1
        if waiting == LANES:
            eight(words.ctypes.data, sizes.ctypes.data, digests.ctypes.data)
            for lane in range(LANES):
                write_digest(digests[lane], digests[LANES + lane], np.int64(sizes[LANES + lane]), out, top)
            waiting = 0
    for lane in range(waiting):
        one(words, lane * (BLOCK // 8), np.int64(sizes[lane]), digests)
        write_digest(digests[0], digests[1], np.int64(sizes[LANES + lane]), out, top)


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
    words = np.zeros((longest + (LANES + 2) * BLOCK) // 8, np.uint64)
    sizes, digests = np.zeros(2 * LANES, np.uint64), np.empty(2 * LANES, np.uint64)
    out, top, odd = np.empty(4 * count, np.uint64), np.empty(count, np.uint64), np.empty(count, np.bool_)
    (pa_, pd, _), (qa, qd, _), (ta, td, _), (oa, od, none) = columns
    name_rows(
        which, pa_, pd, qa, qd, named.stamps, ta, td, oa, od, none, words.view(np.uint8), words, sizes,
        digests, out, top, odd,
    )  # fmt: skip
    digits = out.view(np.uint8)
    for r in np.flatnonzero(odd).tolist():
        rename(digits, top, r, named.message(r))
    return digits, top


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
