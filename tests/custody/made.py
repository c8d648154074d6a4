"""A small case with everything in it, made without the ingest room: three evidence files, deliveries, a finding."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from forensics import casefile as cases
from forensics import schema
from forensics.case import Case
from forensics.custody import manifest, seal, staging
from forensics.custody.evidence import Digests, Source, blocks, discover

NOON = datetime(2023, 6, 1, 12, tzinfo=UTC)
GATEWAY = b"""\
Jun  1 10:00:00 gw postfix/smtpd[1]: 4QWxyz0001: client=desk[192.0.2.7], sasl_username=h.grant
Jun  1 10:00:00 gw postfix/cleanup[2]: 4QWxyz0001: message-id=<one@example.org>
Jun  1 10:00:01 gw postfix/qmgr[3]: 4QWxyz0001: from=<H.Grant@example.org>, size=900, nrcpt=1 (queue active)
Jun  1 10:00:02 gw postfix/smtp[4]: 4QWxyz0001: to=<J.Doe@navy.ml>, relay=filter[127.0.0.1]:10025, dsn=2.0.0, \
status=sent (250 2.0.0 Ok: queued as 4QWxyz0002)
Jun  1 10:00:02 gw postfix/smtpd[5]: 4QWxyz0002: client=localhost[127.0.0.1]
Jun  1 10:00:02 gw postfix/qmgr[3]: 4QWxyz0001: removed
Jun  1 10:00:03 gw postfix/smtp[4]: 4QWxyz0002: to=<j.doe@navy.ml>, relay=mx.navy.ml[203.0.113.9]:25, dsn=2.0.0, \
status=sent (250 ok)
Jun  1 10:00:03 gw postfix/qmgr[3]: 4QWxyz0002: removed
Jun  1 10:00:04 gw postfix/anvil[9]: statistics: max connection rate
"""
SECOND = b"""\
Jun  1 11:00:00 gw postfix/qmgr[3]: 4QWxyz0003: from=<h.grant@example.org>, size=900, nrcpt=1 (queue active)
Jun  1 11:00:02 gw postfix/smtp[4]: 4QWxyz0003: to=<j.doe@navy.mil>, relay=mx.navy.mil[203.0.113.8]:25, status=sent
what is this line?
"""


@dataclass(frozen=True)
class Found:
    """What the ingest room tells about one evidence."""

    id: str
    names: tuple[str, ...]
    source: Source
    file_sha256: str
    file_size: int
    content_size: int
    records: int
    used: int
    unread: int
    loader: str = "lines-of-another-version"
    ignored: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    duplicate_of: tuple[tuple[int, int, str, int], ...] = ()
    first: int | None = 1_685_613_600_000_000
    last: int | None = 1_685_613_604_000_000
    damage: str | None = None
    notes: dict[str, Any] = field(default_factory=dict)


def clock() -> datetime:
    return NOON


def lines_of(content: bytes, evidence: str) -> list[dict[str, Any]]:
    found = []
    offset = 0
    for number, line in enumerate(content.splitlines(), 1):
        found.append({"evidence": evidence, "number": number, "offset": offset, "length": len(line)})
        offset += len(line) + 1
    return found


def delivery(**values: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(schema.DELIVERIES.names)
    row |= {
        "system": "postfix",
        "submitted_at": NOON,
        "recipient_role": "to",
        "outcome": "delivered",
        "attempts": 1,
        "hops": 0,
        "submission": "not-seen",
    }
    return row | values


def write(rows: list[dict[str, Any]], path: Path, kind: pa.Schema) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, kind), path)


def finding(delivery_id: str) -> dict[str, Any]:
    return {
        "delivery_id": delivery_id,
        "observed_domain": "navy.ml",
        "intended_domain": "navy.mil",
        "intended_address": None,
        "slip": "omitted letter",
        "score": 0.99,
        "weight": 3.0,
        "prior": -3.0,
        "reasons": [{"name": "history", "weight": 3.0, "text": "wrote to navy.mil", "source": "ours"}],
        "alternatives": [],
        "level": "high",
        "exposure": "exposed",
        "origin": "typed",
        "incident_id": "i1",
        "score_without_theirs": 0.99,
        "contested": False,
    }


def incident(**values: Any) -> dict[str, Any]:
    return {
        "incident_id": "i1",
        "observed_domain": "navy.ml",
        "intended_domain": "navy.mil",
        "slip": "omitted letter",
        "story": ".mil → .ml",
        "observed_jurisdiction": "ML",
        "intended_jurisdiction": "US",
        "first_seen": NOON,
        "last_seen": NOON,
        "messages": 1,
        "recipients": 1,
        "senders": 1,
        "exposed": 1,
        "not_exposed": 0,
        "score": 0.99,
        **values,
    }


def seal_files(case: Case, files: list[Path]) -> None:
    """Seal files that lie in their places already."""
    with staging.change(case, "report") as staged:
        seal.write(staged, files, clock=clock)


@dataclass(frozen=True)
class Built:
    case: Case
    logs: Path
    run: Callable[[], Any]
    """Write tables, manifest and custody entries anew."""


def build(tmp_path: Path) -> Built:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a-gateway.log.gz").write_bytes(gzip.compress(GATEWAY, mtime=0))
    (logs / "b-second.log").write_bytes(SECOND)
    case = Case(tmp_path / "case")
    cases.create(case, ["example.org"])

    def run() -> manifest.Manifest:
        sources = discover([logs]).sources
        found = []
        for source, unread in zip(sources, (0, 1), strict=True):
            digests = Digests()
            data = b"".join(b.data.tobytes() for b in blocks(source, lambda d, last: len(d), digests=digests))
            count = len(data.splitlines())
            found.append(
                Found(
                    digests.content_sha256,
                    (source.name,),
                    source,
                    digests.file_sha256,
                    digests.file_size,
                    digests.content_size,
                    count,
                    count - unread,
                    unread,
                )
            )
        one, two = (hashlib.sha256(data).hexdigest() for data in (GATEWAY, SECOND))
        gateway, second = lines_of(GATEWAY, one), lines_of(SECOND, two)
        rows = [
            delivery(
                delivery_id="d1", queue_id="4QWxyz0001", sender="H.Grant@example.org", recipient="J.Doe@navy.ml",
                recipient_domain="navy.ml", message_id="one@example.org", hops=1, records=gateway[:8],
            ),
            delivery(delivery_id="d2", sender="h.grant@example.org", recipient="j.doe@navy.mil", records=second[:2]),
        ]  # fmt: skip
        write(rows, case.deliveries / "month=2023-06" / "part.parquet", schema.DELIVERIES)
        bad = second[2]
        write(
            [{**bad, "reason": "not a log line", "raw": b"what is this line?"}],
            case.unread / "u.parquet",
            schema.UNREAD,
        )
        command = ["missent", "ingest", "logs"]
        manifest.record(
            case,
            "ingest",
            command=command,
            started=NOON,
            clock=clock,
            settings={"year": 2023},
            state=False,
            evidence=manifest.evidence(case, found, sources),
            skipped=[("x.log", "it is empty (0 bytes)")],
        )
        write([finding("d1")], case.findings, schema.FINDINGS)
        write([incident()], case.incidents, schema.INCIDENTS)
        case.detection.write_text('{"prior": 0.001}\n')
        held = manifest.record(case, "detect", command=["missent", "detect"], started=NOON, clock=clock)
        case.reports.mkdir(exist_ok=True)
        (case.reports / "incident.html").write_text("<p>report</p>")
        (case.reports / "incident.json").write_text("{}")
        seal_files(case, [case.reports / "incident.html", case.reports / "incident.json"])
        return held

    run()
    return Built(case, logs, run)
