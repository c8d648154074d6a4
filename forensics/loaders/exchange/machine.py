"""What compiled kernels take from the machine: C's memchr, unaligned words of eight and four bytes, counting zero bits.

Addresses are plain integers (`array.ctypes.data + position`). Text is copied eight bytes at a time: up to seven
behind it are read, which blocks have (`loaders.base.PADDING`), and written, which the caller leaves room for.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Any

from forensics import kernels
from forensics.kernels import jit  # before numba: it chooses where compiled code is kept

from numba import types  # isort: skip
from numba.core.registry import cpu_target  # isort: skip
from numba.extending import intrinsic  # isort: skip

with kernels._without_scipy():  # what numba loads at its first use
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()

_intrinsic: Any = intrinsic
memchr: Any = types.ExternalFunction("memchr", types.intp(types.intp, types.intc, types.uintp))


def _place(context: Any, builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, context.get_value_type(kind).as_pointer())


@_intrinsic
def load(typing, address):
    """The eight bytes at an address as a little-endian number."""
    del typing, address

    def code(context, builder, signature, arguments):
        del signature
        word = builder.load(_place(context, builder, arguments[0], types.uint64))
        word.align = 1
        return word

    return types.uint64(types.intp), code


@_intrinsic
def store(typing, address, word):
    """Writes eight bytes at an address."""
    del typing, address, word

    def code(context, builder, signature, arguments):
        del signature
        builder.store(arguments[1], _place(context, builder, arguments[0], types.uint64)).align = 1
        return context.get_dummy_value()

    return types.void(types.intp, types.uint64), code


@_intrinsic
def store_four(typing, address, word):
    """Writes four bytes at an address."""
    del typing, address, word

    def code(context, builder, signature, arguments):
        del signature
        builder.store(arguments[1], _place(context, builder, arguments[0], types.uint32)).align = 1
        return context.get_dummy_value()

    return types.void(types.intp, types.uint32), code


@_intrinsic
def trailing_zeros(typing, word):
    """How many of the lowest bits are zero; `word` is not zero."""
    del typing, word

    def code(context, builder, signature, arguments):
        del signature
        return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

    return types.uint64(types.uint64), code


@jit()
def find(address, byte, count):
    """Position of the first such byte among `count`, or `count`."""
    at = memchr(address, byte, count)
    return at - address if at else count
