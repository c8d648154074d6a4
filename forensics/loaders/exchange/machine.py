"""What compiled kernels take from the machine: C's memchr, unaligned eight-byte loads, counting of zero bits.

Addresses are plain integers (`array.ctypes.data + position`). `load` reads eight bytes at once, and so up to seven
behind what is asked for: blocks are padded (`loaders.base.PADDING`).
"""

# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="attr-defined,no-untyped-call,misc"
from __future__ import annotations

from typing import Any

from forensics.kernels import jit  # before numba: it chooses where compiled code is kept

from numba import types  # isort: skip
from numba.extending import intrinsic  # isort: skip

memchr: Any = types.ExternalFunction("memchr", types.intp(types.intp, types.intc, types.uintp))
memcpy: Any = types.ExternalFunction("memcpy", types.intp(types.intp, types.intp, types.uintp))


@intrinsic
def load(typing: Any, address: Any) -> Any:
    """The eight bytes at an address as a little-endian number."""
    del typing

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(signature.return_type)
        word = builder.load(builder.inttoptr(arguments[0], kind.as_pointer()))
        word.align = 1
        return word

    return types.uint64(types.intp), code


@intrinsic
def store(typing: Any, address: Any, word: Any) -> Any:
    """Writes eight bytes at an address."""
    del typing

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(signature.args[1])
        builder.store(arguments[1], builder.inttoptr(arguments[0], kind.as_pointer())).align = 1
        return context.get_dummy_value()

    return types.void(types.intp, types.uint64), code


@intrinsic
def store_four(typing: Any, address: Any, word: Any) -> Any:
    """Writes four bytes at an address."""
    del typing

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(signature.args[1])
        builder.store(arguments[1], builder.inttoptr(arguments[0], kind.as_pointer())).align = 1
        return context.get_dummy_value()

    return types.void(types.intp, types.uint32), code


@intrinsic
def trailing_zeros(typing: Any, word: Any) -> Any:
    """How many of the lowest bits are zero; `word` is not zero."""
    del typing

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return builder.cttz(arguments[0], _true(builder))

    return types.uint64(types.uint64), code


def _true(builder: Any) -> Any:
    from llvmlite import ir

    del builder
    return ir.Constant(ir.IntType(1), 1)


@jit()
def find(address, byte, count):
    """Position of the first such byte among `count`, or `count`."""
    at = memchr(address, byte, count)
    return at - address if at else count
