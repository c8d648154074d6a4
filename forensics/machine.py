"""What compiled kernels take from the machine: words at addresses, bits, the C library. Addresses are not checked."""

from __future__ import annotations

from typing import Any

from forensics.kernels import external, inline

memchr = external("memchr", "intp(intp, intc, uintp)")
"""memchr(address, byte, count): where the first such byte is, or 0."""
memcpy = external("memcpy", "intp(intp, intp, uintp)")
"""memcpy(to, from, count)."""


def pointer(builder: Any, address: Any, kind: Any) -> Any:
    """The address as a pointer to values of this LLVM type."""
    return builder.inttoptr(address, kind.as_pointer())


@inline("uint64(intp)")
def load64(builder: Any, address: Any) -> Any:
    """The 8 bytes at an address as a number of the machine's byte order."""
    from llvmlite import ir

    return builder.load(pointer(builder, address, ir.IntType(64)), align=1)


@inline("void(intp, uint64)")
def store64(builder: Any, address: Any, word: Any) -> None:
    """Write 8 bytes in the machine's byte order."""
    builder.store(word, pointer(builder, address, word.type), align=1)


@inline("void(intp, uint32)")
def store32(builder: Any, address: Any, word: Any) -> None:
    """Write 4 bytes likewise."""
    builder.store(word, pointer(builder, address, word.type), align=1)


@inline("uint64(uint64)")
def trailing_zeros(builder: Any, word: Any) -> Any:
    """How many of the lowest bits are zero; the number is not."""
    from llvmlite import ir

    return builder.cttz(word, ir.IntType(1)(1))
