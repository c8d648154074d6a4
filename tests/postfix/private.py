"""A Postfix of our own on loopback: own folders, own ports, own log; the machine's instance is not touched."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 30
"""Seconds after which waiting for the mail system is an error."""

MAIN = """
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {base}/maillog
maillog_file_prefixes = {base}
import_environment = MAIL_CONFIG TZ=UTC
myhostname = mx.albion.example
mydomain = albion.example
myorigin = lists.albion.example
mydestination = lists.albion.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtp_bind_address = 127.0.0.1
disable_dns_lookups = yes
smtp_host_lookup = native
smtp_tls_security_level = none
smtpd_tls_security_level = none
smtpd_peername_lookup = no
notify_classes =
append_dot_mydomain = no
default_transport = error:5.4.4:nowhere to go
transport_maps = texthash:{base}/etc/transport
virtual_alias_maps = texthash:{base}/etc/virtual
virtual_mailbox_domains = box.albion.example
virtual_mailbox_maps = static:all/
virtual_mailbox_base = {base}/boxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
alias_maps = texthash:{base}/etc/aliases
alias_database =
local_recipient_maps =
recipient_bcc_maps = texthash:{base}/etc/bcc
header_checks = regexp:{base}/etc/header_checks
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
maximal_queue_lifetime = 6s
bounce_queue_lifetime = 6s
delay_warning_time = 0
destination_recipient_limit = 1
default_destination_recipient_limit = 50
default_destination_concurrency_failed_cohort_limit = 0
"""

MASTER = """
127.0.0.1:{submission} inet n - n - - smtpd
127.0.0.1:{filtered} inet n - n - - smtpd -o content_filter=scan:[127.0.0.1]:{filter}
127.0.0.1:{reinjection} inet n - n - - smtpd -o syslog_name=postfix/reinjection
  -o receive_override_options=no_header_body_checks,no_address_mappings
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
scan unix - - n - - smtp -o syslog_name=postfix/scan
gone unix - n n - - pipe user=nobody argv=/bin/true
fails unix - n n - - pipe user=nobody argv=/bin/false
pickup unix n - n 1 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def why_not() -> str | None:
    """Why no Postfix can be run here; None when one can."""
    if shutil.which("postfix", path=PATH) is None:
        return "Postfix is not installed"
    if os.geteuid() != 0:
        return "starting Postfix needs root"
    return None


PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [s.getsockname()[1] for s in sockets]


@dataclass(frozen=True)
class Postfix:
    base: Path
    ports: Mapping[str, int]

    @property
    def log(self) -> Path:
        return self.base / "maillog"

    def run(self, command: str, *arguments: str, stdin: bytes = b"", check: bool = True) -> str:
        option = "-C" if command == "sendmail" else "-c"
        done = subprocess.run(
            [shutil.which(command, path=PATH) or command, option, str(self.base / "etc"), *arguments],
            input=stdin, capture_output=True, timeout=PATIENCE, env={"PATH": PATH, "TZ": "UTC"},
        )  # fmt: skip
        assert not check or done.returncode == 0, (command, arguments, done.stdout, done.stderr)
        return done.stdout.decode()

    def queue(self) -> dict[str, str]:
        """Name of the queue that each message is in."""
        entries = [json.loads(line) for line in self.run("postqueue", "-j").splitlines()]
        return {entry["queue_id"]: entry["queue_name"] for entry in entries}

    def text(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def wait(self, what: str, ready: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not ready():
            assert time.monotonic() < end, f"waited {PATIENCE} s for {what}\n{self.queue()}\n{self.text()[-4000:]}"
            time.sleep(0.1)

    def wait_log(self, pattern: str) -> None:
        self.wait(pattern, lambda: re.search(pattern, self.text()) is not None)

    def wait_empty(self, kept: set[str]) -> None:
        """Until only `kept` is queued."""
        self.wait("the queue to run empty", lambda: set(self.queue()) <= kept)


@contextlib.contextmanager
def running(files: Mapping[str, str], ports: Mapping[str, int], settings: str = "") -> Iterator[Postfix]:
    """A started instance with these tables under etc/; stopped and removed at the end, whatever happens."""
    own = dict(zip(("submission", "filtered"), free_ports(2), strict=True))
    base = Path(tempfile.mkdtemp(prefix="missent-postfix-"))
    postfix = Postfix(base, {**ports, **own})
    try:
        base.chmod(0o755)
        for name in ("etc", "queue", "data", "boxes"):
            (base / name).mkdir()
        shutil.chown(base / "data", "postfix")
        shutil.chown(base / "boxes", 65534, 65534)
        (base / "etc" / "main.cf").write_text(MAIN.format(base=base) + settings)
        (base / "etc" / "master.cf").write_text(MASTER.format(**postfix.ports))
        for name, content in files.items():
            (base / "etc" / name).write_text(content, "utf-8")
        postfix.run("postfix", "start")
        postfix.wait_log("daemon started")
        yield postfix
    finally:
        stop(postfix)
        shutil.rmtree(base, ignore_errors=True)


def stop(postfix: Postfix) -> None:
    """`postfix stop`; if that does not do, `postfix abort`. Returns when the master is gone."""
    pid_file = postfix.base / "queue" / "pid" / "master.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    for command in ("stop", "abort"):
        with contextlib.suppress(subprocess.TimeoutExpired):
            postfix.run("postfix", command, check=False)
        end = time.monotonic() + 10
        while Path(f"/proc/{pid}").exists() and time.monotonic() < end:
            time.sleep(0.1)
        if not Path(f"/proc/{pid}").exists():
            return
