"""This machine: a pool of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
ENDING = 2.0
"""Seconds that work which has begun gets to end after Ctrl-C, so that what it was writing can be cleared away."""


class _Threads(ThreadPoolExecutor):
    """A pool that knows its unfinished work."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers, thread_name_prefix="missent")
        self.unfinished: set[Future[Any]] = set()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future = super().submit(fn, *args, **kwargs)
        self.unfinished.add(future)
        future.add_done_callback(self.unfinished.discard)
        return future


@contextmanager
def threads(workers: int) -> Iterator[Executor]:
    """A thread pool; work still queued is cancelled when the block ends by an error. After Ctrl-C nobody waits long for
    work that has begun either: it reads and computes, and the whole process ends."""
    pool = _Threads(workers)
    try:
        yield pool
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        pool.shutdown(wait=not interrupted, cancel_futures=True)
        if interrupted:
            wait(set(pool.unfinished), ENDING)
        raise
    pool.shutdown(wait=True)
