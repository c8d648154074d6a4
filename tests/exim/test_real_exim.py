"""A real Exim on loopback: what was submitted is what Missent reads back from its log."""

from __future__ import annotations

import smtplib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from forensics import pipeline, store, workbench
from forensics.case import Case
from tests.exim import private
from tests.postfix.private import free_ports
from tests.postfix.sinks import Destination, Received, serving, session

ANN = "ann@albion.example"


def submit(port: int, message_id: str, *recipients: str, subject: str = "Plan") -> list[int]:
    """Reply code of each RCPT."""
    content = f"From: {ANN}\r\nSubject: {subject}\r\nMessage-ID: <{message_id}>\r\n\r\nText\r\n"
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=30) as client:
        client.ehlo()
        client.docmd("MAIL", f"FROM:<{ANN}>")
        codes = [client.docmd("RCPT", f"TO:<{one}>")[0] for one in recipients]
        if 250 in codes:
            assert client.data(content)[0] == 250
        return codes


def answer(address: str, attempt: int) -> str:
    if address.startswith("gone"):
        return "550 5.1.1 No such user"
    if address.startswith("slow") or (address.startswith("grey") and attempt == 1):
        return "451 4.7.1 Come back"
    return "250 2.1.5 Ok"


def taken(message: Received) -> str:
    return "250 2.0.0 Ok: accepted"


@pytest.fixture(scope="module", params=["", "log_selector = +all", "log_selector = +all\nlog_timezone = true"])
def logs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The mainlogs of two servers that a day's mail went through, one after the other, and their rejectlogs."""
    if reason := private.why_not():
        pytest.skip(f"NOT RUN: {reason}; this proof reads the log of a real Exim")
    folder = tmp_path_factory.mktemp("exim")
    first, second = free_ports(2)
    with (
        serving(session(Destination(rcpt=answer, end=taken))) as sink,
        private.running("mx2", second, sink, request.param) as mx2,
        private.running("mx1", first, second, request.param) as mx1,
    ):
        assert submit(first, "plain@albion.example", "kit@navy.example", subject='A "b" C="250 OK" <= x') == [250]
        assert submit(first, "list@albion.example", "crew@albion.example", "moe@box.albion.example") == [250, 250]
        assert submit(first, "odd@albion.example", '"a b"@navy.example') == [250]
        assert submit(first, "hole@albion.example", "devnull@albion.example") == [250]
        assert submit(first, "refused@albion.example", "nobody@albion.example") == [550]
        assert submit(first, "later@albion.example", "later@navy.example") == [451]
        for server in (mx1, mx2):
            (server.base / "let-in").touch()
        assert submit(first, "later@albion.example", "later@navy.example") == [250]
        assert submit(first, "grey@albion.example", "grey@navy.example") == [250]
        assert submit(first, "gone@albion.example", "gone@navy.example") == [250]
        for kind in ("slow", "slow-frozen", "slow-removed"):
            assert submit(first, f"{kind}@albion.example", f"{kind}@navy.example") == [250]
            mx2.wait_log("==", f"{kind}@navy.example")
        mx2.run("-Mf", mx2.identity("slow-frozen@albion.example"))
        mx2.run("-Mrm", mx2.identity("slow-removed@albion.example"))
        mx2.wait_log("=>", "grey@navy.example")
        mx2.wait_log("=>", "later@navy.example")
        mx2.wait_log("**", "gone@navy.example")
        mx2.wait_log("R=reports")
        for server, name in ((mx1, "mx1"), (mx2, "mx2")):
            for kind in ("mainlog", "rejectlog"):
                if (server.base / "log" / kind).exists():
                    (folder / name).mkdir(exist_ok=True)
                    (folder / name / kind).write_bytes((server.base / "log" / kind).read_bytes())
    yield folder


EXPECTED = Counter(
    {
        (ANN, "kit@navy.example", "", "delivered"): 1,
        (ANN, "kit@navy.example", "crew@albion.example", "delivered"): 1,
        (ANN, "lou@port.example", "crew@albion.example", "delivered"): 1,
        (ANN, "moe@box.albion.example", "", "delivered"): 1,
        (ANN, '"a b"@navy.example', "", "delivered"): 1,
        (ANN, "devnull@albion.example", "", "discarded"): 1,
        (ANN, "nobody@albion.example", "", "rejected"): 1,
        (ANN, "later@navy.example", "", "delivered"): 1,
        (ANN, "grey@navy.example", "", "delivered"): 1,
        (ANN, "gone@navy.example", "", "bounced"): 1,
        (ANN, "slow@navy.example", "", "deferred"): 1,
        (ANN, "slow-frozen@navy.example", "", "held"): 1,
        (ANN, "slow-removed@navy.example", "", "discarded"): 1,
        ("", ANN, "", "delivered"): 1,
    }
)


@pytest.mark.slow
def test_deliveries(logs: Path, tmp_path: Path) -> None:
    place = tmp_path / "case"
    result = pipeline.ingest([logs], place, org=["albion.example"])
    rows = store.read(Case(place), "deliveries").to_pylist()
    got = Counter((r["sender"], r["recipient"], r["original_recipient"] or "", r["outcome"]) for r in rows)
    assert got == EXPECTED
    texts = [path.read_bytes() for path in logs.glob("*/mainlog")]
    assert (result.records, result.unread) == (sum(t.count(b"\n") for t in texts), 0)
    assert all(r["hops"] == 1 for r in rows if r["recipient"].endswith(("@navy.example", "@port.example")))
    assert workbench.verify(place, all_records=True).ok
    assert all("rejectlog" in reason for _, reason in result.skipped)
