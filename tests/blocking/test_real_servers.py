"""The rules in the programs that they are for: a Postfix and a resolver of our own on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forensics import workbench
from tests.blocking.mails import case
from tests.postfix import private
from tests.postfix.sinks import Destination, serving, session, submit

DAY = datetime(2024, 6, 1, tzinfo=UTC)
MAIL = b"Message-ID: <one@drill.example>\r\nSubject: x\r\n\r\nText.\r\n"


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("block")
    workbench.block(case(place, confirm=True), formats=["postfix", "rpz"], out=place / "out", as_of=DAY)
    return place / "out"


@pytest.mark.slow
def test_postfix_refuses_the_recipient_and_local_submission(rules: Path, tmp_path: Path) -> None:
    if reason := private.why_not():
        pytest.skip(f"NOT RUN: {reason}; the rules were tried on no Postfix")
    sink = Destination()
    with serving(session(sink)) as port:
        transport = (rules / "postfix-transport").read_text() + f"contoso-marine.com smtp:[127.0.0.1]:{port}\n"
        files = {
            "transport": transport, "access": (rules / "postfix-access").read_text(), "aliases": "", "virtual": "",
            "bcc": "", "header_checks": "",
        }  # fmt: skip
        access = "smtpd_recipient_restrictions = check_recipient_access texthash:$queue_directory/../etc/access, permit_mynetworks, reject\n"
        ports = {"filter": port, "reinjection": private.free_ports(1)[0]}
        with private.running(files, ports, access) as postfix:
            _, codes = submit(
                postfix.ports["submission"], "a@albion.example", ["x@contoso-marnie.com", "x@contoso-marine.com"], MAIL
            )
            assert codes == [554, 250]
            postfix.run("sendmail", "-f", "a@albion.example", "y@contoso-marnie.com", stdin=MAIL)
            postfix.wait_log(r"to=<y@contoso-marnie\.com>.*dsn=5\.1\.2.*status=bounced")
            postfix.wait_log(r"to=<x@contoso-marine\.com>.*status=sent")
            for name in ("transport", "access"):
                plain = f"texthash:{postfix.base}/etc/{name}"
                assert "5.1.2" in postfix.run("postmap", "-q", "contoso-marnie.com", plain)
                kind = postfix.run("postconf", "-h", "default_database_type").strip()
                postfix.run("postmap", f"{kind}:{postfix.base}/etc/{name}")
    assert [one.recipients for one in sink.received] == [("x@contoso-marine.com",)]


@pytest.mark.slow
def test_a_resolver_with_the_zone_knows_no_such_name(rules: Path, tmp_path: Path) -> None:
    program = shutil.which("unbound", path=private.PATH)
    if program is None:
        pytest.skip("NOT RUN: unbound is not installed; the response policy zone was tried on no resolver")
    (port,) = private.free_ports(1)
    (tmp_path / "com.zone").write_text(
        "$TTL 60\n$ORIGIN com.\n@ SOA localhost. nobody.invalid. 1 60 60 60 60\n@ NS localhost.\n"
        "contoso-marine A 203.0.113.5\ncontoso-marnie A 203.0.113.9\nwww.contoso-marnie A 203.0.113.9\n"
    )
    (tmp_path / "unbound.conf").write_text(
        f"""server:
  interface: 127.0.0.1@{port}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{tmp_path}"
  pidfile: ""
  use-syslog: no
  module-config: "respip validator iterator"
  do-not-query-localhost: no
auth-zone:
  name: com.
  zonefile: {tmp_path / "com.zone"}
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
rpz:
  name: block.invalid.
  zonefile: {rules / "rpz.zone"}
remote-control:
  control-enable: no
"""
    )
    process = subprocess.Popen([program, "-c", str(tmp_path / "unbound.conf"), "-d"], stderr=subprocess.PIPE)
    try:
        codes = {}
        for name in ("contoso-marine.com", "contoso-marnie.com", "www.contoso-marnie.com"):
            codes[name] = asked(name, port)
        assert codes == {"contoso-marine.com": 0, "contoso-marnie.com": 3, "www.contoso-marnie.com": 3}
    finally:
        process.terminate()
        process.wait(10)


def asked(name: str, port: int) -> int:
    """The response code of a query for an address (RFC 1035, 4.1.1): 0 found, 3 no such name."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    query = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + labels + b"\0\x01\0\x01"
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(1)
            client.sendto(query, ("127.0.0.1", port))
            try:
                answer = client.recv(512)
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(0.1)
                continue
            return answer[3] & 15
    raise AssertionError("the resolver gave no answer")
