"""Byte kernels against Python's own methods."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forensics import domains
from forensics.native import text

raws = st.binary(max_size=40)


def array(raw: bytes) -> np.ndarray:
    return np.frombuffer(raw + bytes(64), np.uint8)


@given(raws, st.integers(0, 255), st.integers(0, 40))
def test_find_byte_is_where_python_finds_it(raw: bytes, byte: int, start: int) -> None:
    start = min(start, len(raw))
    found = raw.find(bytes([byte]), start)
    assert text.find_byte(array(raw), start, len(raw), byte) == (len(raw) if found < 0 else found)


@given(raws, st.binary(min_size=3, max_size=3), st.integers(0, 40))
def test_find_first_is_the_first_that_python_finds(raw: bytes, three: bytes, start: int) -> None:
    start = min(start, len(raw))
    found = [at for at in (raw.find(bytes([one]), start) for one in three) if at >= 0]
    assert text.find_first(array(raw), start, len(raw), *three) == min(found, default=len(raw))


@given(st.binary(min_size=1, max_size=48), st.binary(max_size=9), st.integers(0, 47), st.integers(0, 255))
def test_a_literal_of_any_size_stands_where_all_its_bytes_do(
    literal: bytes, before: bytes, place: int, byte: int
) -> None:
    wanted = np.frombuffer(literal, np.uint8)
    assert text.at(array(before + literal), len(before), wanted)
    place %= len(literal)
    changed = literal[:place] + bytes([byte]) + literal[place + 1 :]
    assert text.at(array(before + changed), len(before), wanted) == (changed == literal)


@given(raws, st.binary(min_size=1, max_size=3))
def test_find_and_rfind_are_python_s(raw: bytes, literal: bytes) -> None:
    wanted = np.frombuffer(literal, np.uint8)
    assert text.find(array(raw), 0, len(raw), wanted) == raw.find(literal)
    assert text.rfind(array(raw), 0, len(raw), wanted) == raw.rfind(literal)


@given(raws, raws, st.integers(0, 7))
def test_hashes_are_equal_where_bytes_are(a: bytes, b: bytes, shift: int) -> None:
    """Wherever they lie in a buffer, padded or not."""
    moved = np.frombuffer(bytes(shift) + a, np.uint8)
    one = text.hashed(moved, shift, shift + len(a), text.SEED)
    assert one == text.hashed(array(a), 0, len(a), text.SEED)
    assert (one == text.hashed(array(b), 0, len(b), text.SEED)) == (a == b)


@given(st.binary(min_size=8, max_size=30))
def test_lowered_and_plain_are_python_s(raw: bytes) -> None:
    h, plain = text.lower_hash(array(raw), 0, len(raw))
    assert h == text.hashed(array(raw.lower()), 0, len(raw), text.SEED)
    assert plain == (raw.isascii() and min(raw) > 32)


@given(st.from_regex(r"[A-Za-z.\"]{1,9}@[A-Za-z0-9.-]{0,9}\.{0,2}", fullmatch=True))
def test_keys_of_plain_addresses_are_those_of_their_domain_key(address: str) -> None:
    raw = address.encode()
    key, plain = text.address_key(array(raw), 0, len(raw))
    assert plain
    assert key == text.hash_of(domains.key(address).encode())


@given(raws, st.integers(0, 40), st.integers(0, 40))
def test_copy_moves_these_bytes_alone(raw: bytes, start: int, to: int) -> None:
    start = min(start, len(raw))
    out = np.full(120, 7, np.uint8)
    text.copy(out, to, array(raw), start, len(raw) - start)
    assert out[to : to + len(raw) - start].tobytes() == raw[start:]
    assert (out[:to] == 7).all() and (out[to + len(raw) - start :] == 7).all()
