"""Several bytes as one number, by one instruction or put together, against Python's own reading of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.native import compiler, machine


@compiler.kernel
def _eight(buf, i):  # type: ignore[no-untyped-def]
    return machine.load64(buf, i)


@compiler.kernel
def _four(buf, i):  # type: ignore[no-untyped-def]
    return machine.load32(buf, i)


@compiler.kernel
def _write(buf, i, word):  # type: ignore[no-untyped-def]
    machine.store32(buf, i, word)


@pytest.mark.parametrize("read_only", [True, False])
@given(raw=st.binary(min_size=8, max_size=24), data=st.data())
def test_bytes_anywhere_as_one_number(read_only: bool, raw: bytes, data: st.DataObject) -> None:
    buffer = np.frombuffer(raw if read_only else bytearray(raw), np.uint8)
    at = data.draw(st.integers(0, len(raw) - 8))
    eight, four = int.from_bytes(raw[at : at + 8], "little"), int.from_bytes(raw[at : at + 4], "little")
    assert _eight(buffer, at) == eight == machine._checked_load64(buffer, at)
    assert _four(buffer, at) == four == machine._checked_load32(buffer, at)


@given(st.binary(min_size=4, max_size=12), st.integers(0, 2**32 - 1), st.data())
def test_four_bytes_are_written_and_no_others(raw: bytes, word: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(raw) - 4))
    for write in (_write, machine._checked_store32):
        buffer = np.frombuffer(bytearray(raw), np.uint8)
        write(buffer, at, np.uint32(word))
        assert bytes(buffer) == raw[:at] + word.to_bytes(4, "little") + raw[at + 4 :]
