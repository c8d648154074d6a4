"""The command `missent review --web`: what it prints, where it listens, how it ends."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from forensics.case import Case
from forensics.errors import CaseError, UsageError
from forensics.review import review
from forensics.review.web import guard
from tests.conftest import ROOT
from tests.review.made import two_incidents

COMMAND = [sys.executable, "-c", "from forensics.cli import start; start()", "review", "--web", "--no-browser"]


@pytest.fixture
def served(tmp_path):
    """(process, the first line it prints)."""
    case = two_incidents(tmp_path).case
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*COMMAND, "--case", str(case.folder), "--reviewer", "A. Reviewer"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert process.stdout
    yield process, process.stdout.readline()
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def test_the_link_stands_on_a_line_of_its_own_and_the_desk_ends_by_an_interrupt(served):
    process, line = served
    found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=[\w-]{43}\n", line)
    assert found
    connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=60)
    connection.request("GET", "/?" + line.strip().partition("?")[2])
    opened = connection.getresponse()
    assert (opened.status, opened.getheader("location"), opened.read()) == (303, "/", b"")
    assert opened.getheader("server") is None
    cookie = opened.getheader("set-cookie").split(";")[0]
    connection.request("GET", "/", headers={"Cookie": cookie})
    page = connection.getresponse()
    assert page.status == 200
    assert b"A. Reviewer" in page.read()
    connection.close()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out == "0 verdicts recorded: 0 confirmed, 0 dismissed, 0 undecided\n"
    assert "Traceback" not in err


def test_what_is_no_http_is_answered_with_the_policy_too(served):
    _, line = served
    port = int(re.search(r":(\d+)/", line)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"no HTTP at all\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    for name, value in guard.HEADERS:
        assert name + b": " + value + b"\r\n" in answer


def test_only_loopback_is_listened_on(served):
    _, line = served
    port = int(re.search(r":(\d+)/", line)[1])
    for address in ("127.0.0.2", "::1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as connection, pytest.raises(OSError):
            connection.settimeout(5)
            connection.connect((address, port))


def test_a_port_in_use_is_named(tmp_path):
    case = two_incidents(tmp_path).case
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"--port {port}: "):
            review(case, web=True, port=port, browser=False)


def test_before_detection(tmp_path):
    with pytest.raises(CaseError, match="nothing was detected yet"):
        review(Case(tmp_path), web=True, browser=False)
