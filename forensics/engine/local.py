"""This machine: a pool of threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def threads(workers: int) -> Iterator[Executor]:
    """A thread pool; work still queued is cancelled when the block ends by an error. After Ctrl-C nobody waits for work
    that has begun either: it reads and computes, and the whole process ends."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="missent")
    try:
        yield pool
    except BaseException as error:
        pool.shutdown(wait=not isinstance(error, KeyboardInterrupt), cancel_futures=True)
        raise
    pool.shutdown(wait=True)
