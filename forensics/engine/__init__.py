"""Where work runs: an executor for this machine or for a cluster that the user names.

Both are `concurrent.futures.Executor`s, so that what they run need not know which one it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from forensics.errors import UsageError

MAX_WORKERS = 64


def default_workers() -> int:
    """Processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else (os.cpu_count() or 1)


@contextmanager
def executor(
    workers: int | None = None,
    cluster: str | None = None,
    first: Callable[[Callable[..., Mapping[str, Any]]], None] | None = None,
) -> Iterator[Executor]:
    """An executor for the length of a `with` block.

    `workers` threads of this process (the kernels release the interpreter lock, and nothing has to be copied
    between processes), or the Dask cluster whose scheduler listens at `cluster`. A connection is opened only
    in that case; `first` then looks at its workers, by a function
    that runs another one on each of them. Raises UsageError when the cluster cannot be had.
    """
    if workers is not None and not 1 <= workers <= MAX_WORKERS:
        raise UsageError(f"--workers {workers}", expected=f"1 to {MAX_WORKERS}")
    if cluster is None:
        from forensics.engine.local import threads

        with threads(workers or default_workers()) as pool:
            yield pool
    else:
        from forensics.engine.cluster import connect

        with connect(cluster, first) as pool:
            yield pool
