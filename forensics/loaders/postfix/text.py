"""Byte-level kernels shared by the Postfix scanner: compare, search, addresses, queue ids, hashes.

Buffers are padded with at least 64 zero bytes; no literal is longer than that, so looking ahead stays inside.
A span is (start, end) into the buffer; start -1 means absent.
"""

from __future__ import annotations

import numpy as np

from forensics.kernels import kernel
from forensics.machine import load64, memchr, memcpy


def lit(text: str) -> np.ndarray:
    """A literal as the byte array that kernels compare with."""
    return np.frombuffer(text.encode("ascii"), np.uint8).copy()


SEED = np.uint64(0xCBF29CE484222325)
FACTOR = np.uint64(0x9E3779B97F4A7C15)
ALL = 0xFFFFFFFFFFFFFFFF
HIGH, BLANKS = np.uint64(0x8080808080808080), np.uint64(0x2121212121212121)
"""The highest bit of each of eight bytes; the least byte that is no blank, eight times."""

# Classes of byte in queue ids: 1 = hexadecimal and base 52, 2 = hexadecimal only (A, E), 4 = base 52 only, 8 = neither
# (other letters), 16 = a digit.
CLASS = np.zeros(256, np.uint8)
for _c in b"0123456789":
    CLASS[_c] = 1 | 16
for _c in b"BCDF":
    CLASS[_c] = 1
for _c in b"IOUaeiou":
    CLASS[_c] = 8
for _c in b"AE":
    CLASS[_c] = 2
for _c in b"GHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz":
    CLASS[_c] = 4


def _at(buf, i, literal):  # type: ignore[no-untyped-def]
    return buf[i : i + literal.size] == literal.tobytes()


@kernel(plain=_at)
def at(buf, i, literal):  # type: ignore[no-untyped-def]
    """True when `literal` stands at i."""
    for k in range(literal.size):  # noqa: SIM110
        if buf[i + k] != literal[k]:
            return False
    return True


def _find(buf, i, end, literal):  # type: ignore[no-untyped-def]
    return buf.find(literal.tobytes(), i, max(i, end))


@kernel(plain=_find)
def find(buf, i, end, literal):  # type: ignore[no-untyped-def]
    """First position of `literal` that lies wholly in [i, end), or -1."""
    first = literal[0]
    stop = end - literal.size
    while i <= stop:
        if buf[i] == first and at(buf, i, literal):
            return i
        i += 1
    return -1


def _rfind(buf, i, end, literal):  # type: ignore[no-untyped-def]
    return buf.rfind(literal.tobytes(), i, max(i, end))


@kernel(plain=_rfind)
def rfind(buf, i, end, literal):  # type: ignore[no-untyped-def]
    """Last position of `literal` that lies wholly in [i, end), or -1."""
    first = literal[0]
    k = end - literal.size
    while k >= i:
        if buf[k] == first and at(buf, k, literal):
            return k
        k -= 1
    return -1


@kernel()
def address_end(buf, i, end):  # type: ignore[no-untyped-def]
    """Position of the `>` that closes an address whose first byte is i (behind `<`); -1 when none does.

    Quoted local parts (RFC 5321 4.1.2) may hold `>`; a quote that never closes is taken literally.
    """
    k = i
    quoted = False
    while k < end:
        c = buf[k]
        if quoted:
            if c == 92:  # backslash
                k += 1
            elif c == 34:
                quoted = False
        elif c == 34:
            quoted = True
        elif c == 62:
            return k
        k += 1
    if not quoted:
        return -1
    k = i
    while k < end:
        if buf[k] == 62:
            return k
        k += 1
    return -1


@kernel()
def queue_id_end(buf, i, end):  # type: ignore[no-untyped-def]
    """End of the queue id at i, or -1.

    Short ids are upper-case hexadecimal; long ids base 52 (no vowels): six characters of seconds, four of microseconds,
    `z`, inode (postconf(5), enable_long_queue_ids). Logs that were rewritten or come from relatives of Postfix have
    ids of
    their own: any letters and digits, with a digit among them. The caller checks what follows.
    """
    k = i
    seen = 0
    while k < end and k - i <= 25:
        kind = CLASS[buf[k]]
        if kind == 0:
            break
        seen |= kind
        k += 1
    n = k - i
    if 5 <= n <= 24 and seen & 12 == 0:
        return k
    if 6 <= n <= 24 and seen & 16 != 0:
        return k
    if 12 <= n <= 24 and seen & 10 == 0 and buf[i + 10] == 122:
        return k
    return -1


def _mix(h):  # type: ignore[no-untyped-def]
    h = int(h)
    h ^= h >> 33
    h = h * 0xFF51AFD7ED558CCD & ALL
    h ^= h >> 33
    h = h * 0xC4CEB9FE1A85EC53 & ALL
    return np.uint64((h ^ h >> 33) or 1)


@kernel(plain=_mix)
def mix(h):  # type: ignore[no-untyped-def]
    """Final avalanche (the 64-bit finaliser of MurmurHash3); never 0, which means "no key"."""
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> np.uint64(33)
    if h == np.uint64(0):
        return np.uint64(1)
    return h


def _hashed(buf, i, end, h):  # type: ignore[no-untyped-def]
    return np.uint64(hash_number(bytes(buf[i:end]), int(h)))


def hash_number(raw: bytes, h: int) -> int:
    """`hashed` of all of `raw`, in plain Python."""
    for k in range(0, len(raw), 8):
        h = (h ^ int.from_bytes(raw[k : k + 8], "little")) * int(FACTOR) & ALL
        h ^= h >> 32
    return (h ^ len(raw)) * int(FACTOR) & ALL


@kernel(plain=_hashed)
def hashed(buf, i, end, h):  # type: ignore[no-untyped-def]
    """A hash of [i, end), eight bytes at a step, continuing h; not mixed."""
    start = buf.ctypes.data
    size = end - i
    while i + 8 <= end:
        h = (h ^ load64(start + i)) * FACTOR
        h ^= h >> np.uint64(32)
        i += 8
    if i < end:
        h = (h ^ tail(buf, i, end)) * FACTOR
        h ^= h >> np.uint64(32)
    return (h ^ np.uint64(size)) * FACTOR


def _same_bytes(buf, a, b, n):  # type: ignore[no-untyped-def]
    return buf[a : a + n] == buf[b : b + n]


@kernel(plain=_same_bytes)
def same_bytes(buf, a, b, n):  # type: ignore[no-untyped-def]
    """Are the n bytes at a those at b?"""
    start = buf.ctypes.data
    k = 0
    while k + 8 <= n:
        if load64(start + a + k) != load64(start + b + k):
            return False
        k += 8
    while k < n:
        if buf[a + k] != buf[b + k]:
            return False
        k += 1
    return True


@kernel()
def tail(buf, i, end):  # type: ignore[no-untyped-def]
    """Up to 8 bytes, but not none, as one number, the first one lowest."""
    if end >= 8:
        return load64(buf.ctypes.data + end - 8) >> np.uint64(8 * (8 - (end - i)))
    word = np.uint64(0)
    shift = np.uint64(0)
    while i < end:
        word |= np.uint64(buf[i]) << shift
        shift += np.uint64(8)
        i += 1
    return word


@kernel()
def lowered(word):  # type: ignore[no-untyped-def]
    """Eight bytes with their ASCII capitals made small."""
    low = word & np.uint64(0x7F7F7F7F7F7F7F7F)
    from_a = low + np.uint64(0x3F3F3F3F3F3F3F3F)
    past_z = low + np.uint64(0x2525252525252525)
    capital = (from_a ^ past_z) & ~word & HIGH
    return word | capital >> np.uint64(2)


@kernel()
def oddities(word):  # type: ignore[no-untyped-def]
    """A word with a highest bit of a byte set where one of eight bytes is not ASCII or a blank: below 33 it borrows."""
    return word | (word - BLANKS)


@kernel()
def oddities_of(word, n):  # type: ignore[no-untyped-def]
    """The same of its first n bytes, fewer than eight; the others are zero."""
    behind = ~np.uint64(0) << np.uint64(8 * n)
    return word | ((word | behind) - BLANKS) & ~behind


def _lower_hash(buf, i, end):  # type: ignore[no-untyped-def]
    raw = bytes(buf[i:end])
    return np.uint64(hash_number(raw.lower(), int(SEED))), raw.isascii() and min(raw, default=33) > 32


@kernel(plain=_lower_hash)
def lower_hash(buf, i, end):  # type: ignore[no-untyped-def]
    """(`hashed` of [i, end) with ASCII capitals made small, plain?); not plain: not ASCII, or with blanks."""
    start = buf.ctypes.data
    size = end - i
    h = SEED
    seen = np.uint64(0)
    while i + 8 <= end:
        word = load64(start + i)
        seen |= oddities(word)
        h = (h ^ lowered(word)) * FACTOR
        h ^= h >> np.uint64(32)
        i += 8
    if i < end:
        word = tail(buf, i, end)
        seen |= oddities_of(word, end - i)
        h = (h ^ lowered(word)) * FACTOR
        h ^= h >> np.uint64(32)
    return (h ^ np.uint64(size)) * FACTOR, seen & HIGH == np.uint64(0)


def _address_key(buf, i, end):  # type: ignore[no-untyped-def]
    raw = bytes(buf[i:end])
    return np.uint64(address_number(raw) & ALL), raw.isascii() and min(raw, default=33) > 32


@kernel(plain=_address_key)
def address_key(buf, i, end):  # type: ignore[no-untyped-def]
    """(hash, plain?) of an address: lower-cased, dots behind the domain left out. Equal for equal `domains.key`, if
    plain: ASCII without blanks."""
    stop = end
    if end > i and buf[end - 1] == 46:
        has_at = False
        for k in range(i, end):
            if buf[k] == 64:
                has_at = True
                break
        while has_at and buf[stop - 1] == 46:
            stop -= 1
    if stop > i and buf[stop - 1] == 64:  # no domain
        stop -= 1
    h, plain = lower_hash(buf, i, stop)
    return mix(h), plain


def _within(h):  # type: ignore[no-untyped-def]
    return np.uint64((int(h) ^ 0xFF) * int(FACTOR) & ALL)


@kernel(plain=_within)
def within(h):  # type: ignore[no-untyped-def]
    """Continue a hash behind a separator that no text holds."""
    return (h ^ np.uint64(0xFF)) * FACTOR


def _spread(n):  # type: ignore[no-untyped-def]
    return np.uint64((int(n) + 1) * 0x9E3779B97F4A7C15 & ALL)


@kernel(plain=_spread)
def spread(n):  # type: ignore[no-untyped-def]
    """A row number as something to mix with a hash."""
    return np.uint64(n + 1) * np.uint64(0x9E3779B97F4A7C15)


def _signed(h):  # type: ignore[no-untyped-def]
    h = int(h)
    return h - (1 << 64) if h >> 63 else h


@kernel(plain=_signed)
def signed(h):  # type: ignore[no-untyped-def]
    """A hash as the int64 with the same bits."""
    return np.int64(h)


def _unsigned(n):  # type: ignore[no-untyped-def]
    return np.uint64(int(n) & ALL)


@kernel(plain=_unsigned)
def unsigned(n):  # type: ignore[no-untyped-def]
    """The reverse of `signed`."""
    return np.uint64(n)


def _line_end(buf, i, n):  # type: ignore[no-untyped-def]
    e = buf.find(b"\n", i, n)
    return n if e < 0 else e


@kernel(plain=_line_end)
def line_end(buf, i, n):  # type: ignore[no-untyped-def]
    """Position of the first line feed in [i, n), or n."""
    start = buf.ctypes.data
    found = memchr(start + i, 10, n - i)
    return n if found == 0 else found - start


def _copy(out, k, buf, i, n):  # type: ignore[no-untyped-def]
    out[k : k + n] = buf[i : i + n]


@kernel(plain=_copy)
def copy(out, k, buf, i, n):  # type: ignore[no-untyped-def]
    """n bytes of buf from i to out at k; the caller knows that both have them."""
    memcpy(out.ctypes.data + k, buf.ctypes.data + i, n)


def address_number(raw: bytes) -> int:
    """`address_key` of a whole address as the int64 with the same bits, in plain Python."""
    if b"@" in raw:
        raw = raw.rstrip(b".").removesuffix(b"@")
    return key_number(raw.lower())


def key_number(key: bytes) -> int:
    """`address_key` of an address that is a `domains.key` already."""
    return _signed(_mix(hash_number(key, int(SEED))))  # type: ignore[no-untyped-call, no-any-return]
