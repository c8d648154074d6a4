"""What the command `missent` sets for its whole process. The library sets nothing: a process that imports it stays as
it was.

Beside each setting stands what it gains, in processor time of `missent ingest`: medians of runs in turn with all
settings and without this one, measured by `python -m tests.bench.settings`. A setting that gains less than a few
hundredths of a second on a small log and less than three in a hundred on a large one is not worth having.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable


def one_heap() -> None:
    """Arrow takes its memory from malloc, as numpy does: what one gives back the other uses again."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def keep_freed_memory() -> None:
    """Memory that is given back stays with the process, in one heap, for the next blocks: its pages are not cleared
    again and again (mallopt(3); nothing where the C library is not glibc)."""
    import ctypes

    trim_threshold, mmap_threshold, arena_max = -1, -3, -8
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(trim_threshold, 1 << 30)
        library.mallopt(mmap_threshold, 32 << 20)  # the most that glibc takes
        library.mallopt(arena_max, 1)


def collect_cycles_rarely() -> None:
    """Modules, tables and arrays are many objects in no cycle: the collector looks through them less often."""
    gc.set_threshold(200_000)


SETTINGS: tuple[Callable[[], None], ...] = (one_heap, keep_freed_memory, collect_cycles_rarely)


def prepare() -> None:
    """Make all settings; before numpy or pyarrow are imported."""
    for setting in SETTINGS:
        setting()
