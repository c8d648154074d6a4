"""What the Exchange kernels have in common: they work on addresses, so that they are never interpreted.

Addresses are plain integers (`array.ctypes.data + position`). Text is copied eight bytes at a time: up to seven
behind it are read, which blocks have (`loaders.base.PADDING`), and written, which the caller leaves room for.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from forensics import kernels
from forensics.machine import memchr


def kernel(signature: str | None = None) -> Callable[[Any], Any]:
    """`kernels.kernel` of what is always machine code."""
    return kernels.kernel(signature, always=True)


@kernel()
def find(address, byte, count):
    """Position of the first such byte among `count`, or `count`."""
    at = memchr(address, byte, count)
    return at - address if at else count
