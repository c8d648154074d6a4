"""A Dask cluster, at the address the user gave: the only module that knows dask.

`Client.get_executor()` is a `concurrent.futures.Executor` (Dask documentation, "Futures").
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from urllib.parse import urlsplit

from forensics.errors import UsageError

CONNECT_SECONDS = 10


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
def connect(address: str) -> Iterator[Executor]:
    """An executor on the cluster whose scheduler listens at `address` (`tcp://host:8786`).

    Raises UsageError when `distributed` is not installed or nobody answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--cluster needs Dask", remedy="pip install 'missent[cluster]'") from None
    try:
        knock(address)
        client = Client(address, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(
            f"--cluster {address}: {str(error).strip() or type(error).__name__}",
            expected="the address of a running Dask scheduler, such as tcp://10.0.0.5:8786",
        ) from None
    with client:
        yield client.get_executor()  # type: ignore[no-untyped-call]
