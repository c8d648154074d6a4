"""Two hosts, each with a network of its own, that share one file system: the same bytes as one process makes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="NOT RUN: networks are made by root only"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="NOT RUN: iproute2 is not installed"),
]
FIRST, SECOND, PORT = "10.203.7.1", "10.203.7.2", "8786"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def networks() -> Iterator[tuple[str, str]]:
    """Names of two networks, joined by one cable."""
    pytest.importorskip("distributed", reason="NOT RUN: Dask is not installed (missent[cluster])")
    one, other = (f"missent-{os.getpid()}-{n}" for n in "ab")
    with ExitStack() as stack:
        for name in (one, other):
            made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
            if made.returncode:
                pytest.skip(f"NOT RUN: no network can be made here: {made.stderr.strip()}")
            stack.callback(_ip, "netns", "del", name)
        _ip("link", "add", "cable-a", "netns", one, "type", "veth", "peer", "name", "cable-b", "netns", other)
        for name, cable, address in ((one, "cable-a", FIRST), (other, "cable-b", SECOND)):
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", cable)
            for device in (cable, "lo"):
                _ip("-n", name, "link", "set", device, "up")
        yield one, other


def _started(stack: ExitStack, network: str, log: Path, *words: str) -> None:
    with log.open("wb") as out:
        command = ["ip", "netns", "exec", network, sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)


def _waited(log: Path, text: str) -> None:
    until = time.monotonic() + 60
    while text not in log.read_text("utf-8", "replace"):
        assert time.monotonic() < until, log.read_text("utf-8", "replace")
        time.sleep(0.1)


def _missent(network: str | None, *words: str) -> subprocess.CompletedProcess[str]:
    where = ["ip", "netns", "exec", network] if network else []
    return subprocess.run(
        [*where, sys.executable, "-c", "from forensics.cli import start; start()", *words],
        capture_output=True,
        text=True,
        check=False,
    )


def test_two_hosts(networks: tuple[str, str], data: Path, tmp_path: Path) -> None:
    one, other = networks
    logs = sorted(str(path) for path in (data / "postfix-albion").glob("mail.log-2023060*"))
    options = ["--org", "albion.example", "--year", "2023", "--timezone", "UTC"]
    with ExitStack() as stack:
        scheduler = f"tcp://{FIRST}:{PORT}"
        _started(
            stack, one, tmp_path / "scheduler", "dask_scheduler", "--host", FIRST, "--port", PORT, "--no-dashboard"
        )
        _waited(tmp_path / "scheduler", "Scheduler at")
        for network, address in ((one, FIRST), (other, SECOND)):
            folder = tmp_path / f"worker-{address}"
            words = ["dask_worker", scheduler, "--host", address, "--nthreads", "1", "--no-dashboard"]
            _started(stack, network, tmp_path / address, *words, "--no-nanny", "--local-directory", str(folder))
            _waited(tmp_path / address, "Registered to")
        done = _missent(one, "ingest", *logs, "--case", str(tmp_path / "two"), *options, "--cluster", scheduler)
        assert done.returncode == 0, done.stderr
        assert "neither encrypted nor" in done.stderr
    worked = [tmp_path / address for address in (FIRST, SECOND)]
    assert all("look" in log.read_text("utf-8") for log in worked)
    done = _missent(None, "ingest", *logs, "--case", str(tmp_path / "one"), *options)
    assert done.returncode == 0, done.stderr
    tables = [
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.parquet")}
        for name in ("one", "two")
    ]
    assert tables[0] and tables[0] == tables[1]
