"""An Exim of our own on loopback: unpacked beside the machine's mail system, which it would replace if it were installed.

Debian's exim4-daemon-light is built for a user `Debian-exim`, which only its installation makes: nss_wrapper
(https://cwrap.org) shows it one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = Path(os.environ.get("MISSENT_EXIM") or ROOT / ".exim")
"""Folder that exim4-daemon-light, libidn12 and libnss-wrapper were unpacked into (`dpkg-deb -x`); see .ci/run."""
PATIENCE = 30
USER = "Debian-exim"

CONFIGURATION = """
spool_directory = {base}/spool
log_file_path = {base}/log/%slog
pid_file_path = {base}/pid
primary_hostname = {name}.albion.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
exim_user = {user}
exim_group = {user}
never_users =
deliver_drop_privilege = true
exim_path = {unpacked}/usr/sbin/exim4
keep_environment = LD_LIBRARY_PATH : LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts =
{selector}
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny local_parts = nobody
       message = no such user
  defer condition = ${{if !exists{{{base}/let-in}}}}
       local_parts = later
       message = come back
  accept
begin routers
reports:
  driver = accept
  senders = :
  transport = box
hole:
  driver = redirect
  local_parts = devnull
  data = :blackhole:
list:
  driver = redirect
  local_parts = crew
  data = kit@navy.example, lou@port.example
box:
  driver = accept
  domains = box.albion.example
  transport = box
out:
  driver = manualroute
  domains = *.example
  route_list = * 127.0.0.1::{next} byname
  self = send
  transport = smtp
begin transports
smtp:
  driver = smtp
  allow_localhost
  hosts_try_prdr =
  max_rcpt = 1
box:
  driver = appendfile
  file = {base}/box/mail
  user = {user}
begin retry
* * F,1h,1s
"""


def why_not() -> str | None:
    """Why no Exim can be run here; None when one can."""
    program = UNPACKED / "usr/sbin/exim4"
    if not program.exists():
        return f"no Exim is unpacked in {UNPACKED}"
    if program.stat().st_mode & stat.S_ISUID:
        return f"{program} is setuid, so that it does not find the libraries unpacked beside it (chmod u-s)"
    if closed := [str(folder) for folder in program.resolve().parents if not folder.stat().st_mode & stat.S_IXOTH]:
        return f"the user {USER} may not enter {closed[-1]}, where Exim is unpacked"
    return "starting Exim needs root" if os.geteuid() != 0 else None


@dataclass(frozen=True)
class Exim:
    base: Path

    @property
    def log(self) -> Path:
        return self.base / "log" / "mainlog"

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(UNPACKED / "usr/sbin/exim4"), "-C", str(self.base / "conf"), *arguments],
            capture_output=True, timeout=PATIENCE, env=environment(self.base), cwd=self.base,
        )  # fmt: skip
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout.decode()

    def text(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def wait(self, what: str, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not ready():
            assert time.monotonic() < end, f"waited {PATIENCE} s for {what}\n{self.text()[-4000:]}"
            time.sleep(0.1)

    def wait_log(self, *texts: str) -> None:
        """Until one line of the log has all these texts."""
        lines = self.text
        self.wait(str(texts), lambda: any(all(t in line for t in texts) for line in lines().splitlines()))

    def identity(self, message_id: str) -> str:
        """Exim's id of a message that has this Message-ID."""
        self.wait_log("<=", f"id={message_id}")
        (line,) = [one for one in self.text().splitlines() if "<=" in one and f"id={message_id}" in one]
        return line[: line.index(" <=")].rpartition(" ")[2]


def answers(port: int) -> bool:
    """Whether an SMTP server greets there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False


def environment(base: Path) -> dict[str, str]:
    (library,) = (UNPACKED / "usr/lib").glob("*-linux-gnu")
    return {
        "LD_LIBRARY_PATH": str(library),
        "LD_PRELOAD": str(library / "libnss_wrapper.so"),
        "NSS_WRAPPER_PASSWD": str(base / "passwd"),
        "NSS_WRAPPER_GROUP": str(base / "group"),
        "PATH": os.environ.get("PATH", ""),
        "TZ": "UTC",
    }


@contextlib.contextmanager
def running(name: str, port: int, following: int, selector: str) -> Iterator[Exim]:
    """A started instance that hands everything on to the port `following`; stopped and removed at the end."""
    base = Path(tempfile.mkdtemp(prefix="missent-exim-"))
    exim = Exim(base)
    daemon = None
    try:
        for folder in (base, *(base / one for one in ("spool", "log", "box"))):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
        (base / "passwd").write_text(f"root:x:0:0::/root:/bin/sh\n{USER}:x:64999:64999::/:/bin/false\n")
        (base / "group").write_text(f"root:x:0:\nmail:x:8:\n{USER}:x:64999:\n")
        text = CONFIGURATION.format(
            base=base, name=name, port=port, next=following, selector=selector, user=USER, unpacked=UNPACKED
        )
        (base / "conf").write_text(text)
        daemon = subprocess.Popen(
            [str(UNPACKED / "usr/sbin/exim4"), "-C", str(base / "conf"), "-bdf", "-q1s"],
            env=environment(base), cwd=base, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        exim.wait_log("daemon started")
        exim.wait("an answer", lambda: answers(port))  # it says so before it listens
        yield exim
    finally:
        if daemon is not None:
            daemon.terminate()
            daemon.wait(PATIENCE)
        shutil.rmtree(base, ignore_errors=True)
