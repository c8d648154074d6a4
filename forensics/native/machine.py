"""Four or eight bytes of a buffer as one number, the first byte lowest, read or written by one instruction.

numba has no such thing for places that are no multiple of their size. Put together from single bytes, each is thirty
instructions that LLVM goes through at several thousand places: that took most of the time of compiling. All processors
that numba compiles for keep the lowest byte first.

Nothing checks that the bytes lie inside of the buffer, so with checked indexing (NUMBA_BOUNDSCHECK) they are put
together from single ones all the same.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from forensics.native.compiler import kernel

_config: Any = numba.config


def _place(context, builder, kind, buffer, index, bits):
    """A pointer to so many bits of an array of bytes."""
    data = context.make_array(kind)(context, builder, buffer).data
    return builder.bitcast(builder.gep(data, [index]), ir.IntType(bits).as_pointer())


def _loading(bits, made):
    def load(_context, buf, _i):
        def generate(context, builder, signature, values):
            buffer, index = values
            place = _place(context, builder, signature.args[0], buffer, index, bits)
            return builder.load(place, align=1, typ=ir.IntType(bits))

        return made(buf, types.uint64), generate

    return load


def _store32(_context, buf, _i, _word):
    def generate(context, builder, signature, values):
        buffer, index, word = values
        builder.store(word, _place(context, builder, signature.args[0], buffer, index, 32), align=1)
        return context.get_dummy_value()

    return types.void(buf, types.uint64, types.uint32), generate


@kernel
def _checked_load64(buf, i):
    word = np.uint64(0)
    for k in range(8):
        word |= np.uint64(buf[np.uint64(i) + np.uint64(k)]) << np.uint64(8 * k)
    return word


@kernel
def _checked_load32(buf, i):
    word = np.uint32(0)
    for k in range(4):
        word |= np.uint32(buf[np.uint64(i) + np.uint64(k)]) << np.uint32(8 * k)
    return word


@kernel
def _checked_store32(buf, i, word):
    for k in range(4):
        buf[np.uint64(i) + np.uint64(k)] = np.uint8(word >> np.uint32(8 * k))


_checked = bool(_config.BOUNDSCHECK)
load64: Any = _checked_load64 if _checked else intrinsic(_loading(64, types.uint64))
"""load64(buf, i): the 8 bytes at i."""
load32: Any = _checked_load32 if _checked else intrinsic(_loading(32, types.uint32))
"""load32(buf, i): the 4 bytes at i."""
store32: Any = _checked_store32 if _checked else intrinsic(_store32)
"""store32(buf, i, word): write the lower 4 bytes of a number to i."""
