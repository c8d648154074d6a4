"""OpenStack Swift on loopback: a real object store with the protocol of Amazon S3, users and signatures.

Used where its programs are installed in an environment of their own, `.swift` or what MISSENT_SWIFT names, as `.ci/run`
does it: it is no package that this one needs.
"""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.conftest import ROOT

KEY, SECRET = "test:tester", "testing"
_PROXY = """
[pipeline:main]
pipeline = catch_errors s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
check_bucket_owner = false
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:catch_errors]
use = egg:swift#catch_errors
"""


INSTALLED = Path(os.environ.get("MISSENT_SWIFT") or ROOT / ".swift")


def programs() -> Path | None:
    """The folder of its programs."""
    folder = INSTALLED.absolute() / "bin"
    return folder if (folder / "swift-proxy-server").is_file() else None


@contextmanager
def serving(folder: Path, programs: Path) -> Iterator[str]:
    """The address of a server whose data lie in `folder`."""
    etc = folder / "etc"
    etc.mkdir(parents=True)
    (folder / "data" / "disk").mkdir(parents=True)
    (etc / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_prefix = a\nswift_hash_path_suffix = b\n"
        "[storage-policy:0]\nname = one\ndefault = yes\n"
    )
    with ExitStack() as running:
        for kind in ("account", "container", "object", "proxy"):
            port = _free()
            (etc / f"{kind}.conf").write_text(
                _settings(folder, etc, port) + (_PROXY if kind == "proxy" else _app(kind))
            )
            if kind != "proxy":
                _ring(programs, etc / f"{kind}.builder", port)
            command = [programs / f"swift-{kind}-server", etc / f"{kind}.conf"]
            server = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            running.callback(server.wait)
            running.callback(server.kill)
            _answers(port, server)
        yield f"http://127.0.0.1:{port}"


def _settings(folder: Path, etc: Path, port: int) -> str:
    return (
        f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {port}\nworkers = 0\nswift_dir = {etc}\nuser = {getpass.getuser()}\n"
        f"devices = {folder / 'data'}\nmount_check = false\n"
    )


def _app(kind: str) -> str:
    return f"[pipeline:main]\npipeline = {kind}-server\n[app:{kind}-server]\nuse = egg:swift#{kind}\n"


def _ring(programs: Path, builder: Path, port: int) -> None:
    device = [
        "--region",
        "1",
        "--zone",
        "1",
        "--ip",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "disk",
        "--weight",
        "1",
    ]
    for step in (["create", "4", "1", "1"], ["add", *device], ["rebalance"]):
        subprocess.run([programs / "swift-ring-builder", builder, *step], check=True, capture_output=True)


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "a server of Swift ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("a server of Swift does not answer")
