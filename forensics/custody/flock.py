"""The operating system's lock on an open file (flock(2)); the kernel lets go of it when the file is closed.

`fcntl` is imported when a lock is asked for, so that every module can be imported, and say what is missing, on a system
that does not have it.
"""

from __future__ import annotations

from forensics.errors import refuse_without_locks


def exclusive(fd: int, *, wait: bool = False) -> None:
    """Nobody else may hold a lock on it. Raises BlockingIOError where somebody does, unless it waits; MachineError on
    a system without these locks."""
    refuse_without_locks()
    import fcntl

    fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def shared(fd: int) -> None:
    """Nobody else may hold an exclusive lock on it. Raises as `exclusive`."""
    refuse_without_locks()
    import fcntl

    fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
