"""A Dask cluster, at the address the user gave: the only module that knows dask.

`Client.get_executor()` is a `concurrent.futures.Executor` (Dask documentation, "Futures"). Scheduling, and running a
lost task again, are Dask's.
"""

from __future__ import annotations

import concurrent.futures
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from forensics.errors import ClusterLost, UsageError

CONNECT_SECONDS = 10
Everywhere = Callable[..., Mapping[str, Any]]
"""everywhere(function, *arguments): what it gives on each worker, by the worker's address."""


def knock(address: str) -> None:
    """Raises OSError or ValueError unless a server at `tcp://host:port` says something.

    A Dask scheduler speaks first; the client waits for that without a limit, so the limit is set here.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port:
        raise ValueError("no address of a scheduler")
    with socket.create_connection((parts.hostname, parts.port), CONNECT_SECONDS) as server:
        if parts.scheme == "tcp" and not server.recv(1):
            raise OSError("the server there hung up")


@contextmanager
def connect(address: str, first: Callable[[Everywhere], None] | None = None) -> Iterator[Executor]:
    """An executor on the cluster whose scheduler listens at `address` (`tcp://host:8786`, or `tls://…` with the
    certificates that Dask's configuration names). `first` is called before any work, to look at the workers.

    Raises UsageError when `distributed` is not installed, nobody answers or no worker is there; ClusterLost when
    scheduler or workers are lost meanwhile.
    """
    try:
        from distributed import Client
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise UsageError("--cluster needs Dask", remedy="pip install 'missent[cluster]'") from None
    try:
        knock(address)
        client = Client(address, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
    except TypeError as error:  # what Dask raises for tls:// without certificates
        raise UsageError(
            f"--cluster {address}: {str(error).strip()}",
            expected="certificates that Dask's configuration names (distributed.comm.tls)",
        ) from None
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(
            f"--cluster {address}: {str(error).strip() or type(error).__name__}",
            expected="the address of a running Dask scheduler, such as tcp://10.0.0.5:8786",
        ) from None
    with client, _quiet():
        if not client.scheduler_info()["workers"]:
            raise UsageError(f"--cluster {address}: the scheduler has no worker", remedy="start workers: dask worker")
        try:
            if first is not None:
                first(client.run)
            yield client.get_executor()  # type: ignore[no-untyped-call]
        except (concurrent.futures.CancelledError, CommClosedError, KilledWorker) as error:
            lost = "its workers were lost" if isinstance(error, KilledWorker) else "its scheduler was lost"
            raise ClusterLost(
                f"--cluster {address}: {lost}; nothing was changed",
                remedy="see what the scheduler and its workers say, then run again: what was read is not read again",
            ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """What people must know is said by the error; Dask's client logs the same loss many times over."""
    logs = logging.getLogger("distributed")
    before = logs.level
    logs.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logs.setLevel(before)
