"""Work that runs ahead of whoever takes its results, but not by more than is bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


def results(work: Iterable[tuple[K, Future[T]]], width: int) -> Iterator[tuple[K, T]]:
    """What each piece of work is and what it came to, in order; more than `width` of them are begun (taken from `work`)
    only as results are taken."""
    waiting: deque[tuple[K, Future[T]]] = deque()
    for one in work:
        waiting.append(one)
        if len(waiting) > width:
            what, future = waiting.popleft()
            yield what, future.result()
    while waiting:
        what, future = waiting.popleft()
        yield what, future.result()
