"""Cases to rule on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from forensics import schema
from forensics.custody import manifest
from tests.custody.made import Built, build, delivery, finding, incident, write

NASTY = '=cmd|"/c calc"!A1'


def two_incidents(folder: Path) -> Built:
    """navy.ml (d1, d3) and army.ml (d2); d3's sender is hostile."""
    made = build(folder)
    detect(made, {"d1": "i1", "d2": "i2", "d3": "i1"})
    return made


def detect(made: Built, found: dict[str, str]) -> None:
    case = made.case
    sent = [
        delivery(delivery_id=name, sender="h.grant@example.org", recipient=f"{name}@navy.ml", subject="lunch")
        for name in ("d1", "d2")
    ]
    sent.append(delivery(delivery_id="d3", sender=NASTY, recipient="\u202ex@navy.ml", subject="[red]\x1b[31m\x00"))
    write(sent, next(case.deliveries.rglob("*.parquet")), schema.DELIVERIES)
    domains = {"i1": "navy.ml", "i2": "army.ml", "i3": "navy.mli"}
    rows = []
    for name, incident_id in found.items():
        row = finding(name) | {"incident_id": incident_id, "observed_domain": domains[incident_id]}
        row["reasons"] = [{"name": "history", "weight": 1.0, "text": f"[bold]{NASTY}", "source": "theirs"}]
        rows.append(row)
    write(rows, case.findings, schema.FINDINGS)
    listed = [incident(incident_id=one, observed_domain=domains[one]) for one in sorted(set(found.values()))]
    write(listed, case.incidents, schema.INCIDENTS)
    manifest.record(case, "detect", command=[], started=datetime(2023, 6, 1, tzinfo=UTC))


def clock():
    return datetime(2023, 7, 1, 8, 30, tzinfo=UTC)
