"""A Dask cluster, at the address the user gave: the only module that knows dask.

`Client.get_executor()` is a `concurrent.futures.Executor` (Dask documentation, "Futures").
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from forensics.errors import UsageError

CONNECT_SECONDS = 10


@contextmanager
def connect(address: str) -> Iterator[Executor]:
    """An executor on the cluster whose scheduler listens at `address` (`tcp://host:8786`).

    Raises UsageError when `distributed` is not installed or nobody answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--cluster needs Dask", remedy="pip install 'missent[cluster]'") from None
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(
            f"--cluster {address}: {str(error).strip() or type(error).__name__}",
            expected="the address of a running Dask scheduler, such as tcp://10.0.0.5:8786",
        ) from None
    with client:
        yield client.get_executor()
