"""How much memory a command may take, and what takes it: `--memory`."""

from __future__ import annotations

from forensics.errors import MachineError, UsageError

LEAST = 1 << 30
_BASE = 640 << 20
"""Bytes that an ingest takes beside its threads and the numbers of rows: code, caches of fixed size."""
_OF_THREAD = 96 << 20
"""Bytes that each thread takes for the block that it reads and the rows that it makes."""
_OF_ROW = 56
"""Bytes for each hop and leg while it is decided what belongs together."""
_OF_DATABASE = 512 << 20
"""Bytes of `detect` that are not DuckDB's to bound."""


def bounded(memory: int | None) -> None:
    """Raises UsageError for fewer bytes than LEAST."""
    if memory is not None and memory < LEAST:
        raise UsageError(f"--memory: {memory:,} bytes", expected=f"{_said(LEAST)} or more")


def threads(wanted: int, memory: int | None) -> int:
    """As many of the threads wanted as half of the memory beside `_BASE` is enough for: the other half is for rows.

    >>> threads(64, None), threads(64, 2 << 30), threads(64, 1 << 30)
    (64, 7, 2)
    """
    return wanted if memory is None else max(1, min(wanted, (memory - _BASE) // 2 // _OF_THREAD))


def for_database(memory: int | None) -> int | None:
    """What of it DuckDB may take; what is more it writes to its folder.

    >>> for_database(2 << 30) == 3 << 29
    True
    """
    return None if memory is None else memory - _OF_DATABASE


def enough(rows: int, width: int, memory: int | None) -> None:
    """Raises MachineError when the numbers of so many hops and legs, and `width` threads, need more memory."""
    needed = _BASE + width * _OF_THREAD + rows * _OF_ROW
    if memory is not None and needed > memory:
        raise MachineError(
            f"what {rows:,} hops and legs come to needs about {_said(needed)} of memory, more than --memory allows",
            remedy="give more --memory, or give the evidence to several cases, cut by time",
        )


def _said(size: int) -> str:
    return f"{size / (1 << 30):,.1f} GiB".replace(".0 ", " ")
