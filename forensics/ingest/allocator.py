"""How the process uses memory while much of it is taken and given back."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

_TRIM, _MAP, _ARENAS = -1, -3, -8
"""mallopt(3): M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX."""
KEPT = 1 << 30
MUCH = 640 << 20


@contextmanager
def kept() -> Iterator[None]:
    """Blocks of memory that are given back stay with the process for the next ones, so that their pages are not
    cleared again and again; and the collector of reference cycles rests: tables and arrays are in none."""
    pool, collecting = pa.default_memory_pool(), gc.isenabled()
    pa.set_memory_pool(pa.system_memory_pool())
    _option(_TRIM, KEPT)
    _option(_MAP, 32 << 20)  # the most that glibc takes
    _option(_ARENAS, 1)
    gc.disable()
    try:
        yield
    finally:
        pa.set_memory_pool(pool)
        if collecting:
            gc.enable()


def _option(name: int, value: int) -> None:
    import ctypes

    try:
        ctypes.CDLL(None).mallopt(name, value)
    except (AttributeError, OSError):  # not glibc
        return


def release() -> None:
    """Give memory that lies unused in the allocators back to the system, where the system has a way to ask for it;
    unless the process never held much: to get its pages anew would cost more than they are worth."""
    import ctypes
    import resource

    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MUCH // 1024:  # kilobytes; bytes on macOS: always more
        return
    pa.default_memory_pool().release_unused()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):  # not glibc
        return
