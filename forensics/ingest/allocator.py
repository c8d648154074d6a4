"""Memory that an ingest no longer needs goes back to the system before it takes more."""

from __future__ import annotations

import ctypes

import pyarrow as pa

MUCH = 640 << 20


def release() -> None:
    """Give memory that lies unused in the allocators back to the system, where the system has a way to ask for it;
    unless the process never held much: to get its pages anew would cost more than they are worth. No setting of the
    process is changed."""
    import resource  # not on every system on which this module is imported

    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MUCH // 1024:  # kilobytes; bytes on macOS: always more
        return
    pa.default_memory_pool().release_unused()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):  # not glibc
        return
