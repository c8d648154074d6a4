"""Small logs, said in few words, as the view `deliveries` that the detector reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from forensics import domains, schema

START = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)
OWN = ("albion.example",)
Row = dict[str, Any]


def mail(
    sender: str, *recipients: str, day: float = 0.0, message: str | None = None, via: str | None = None, **more: Any
) -> list[Row]:
    """One message: a row for each recipient. `day`: days after START. `via`: the list that expanded to them."""
    at = START + timedelta(days=day)
    name = message or f"{sender}-{day}-{'-'.join(recipients)}"
    rows = []
    for recipient in recipients:
        row = {
            "delivery_id": f"{name}>{recipient}",
            "system": "postfix",
            "host": "gw",
            "queue_id": name,
            "message_id": name,
            "submitted_at": at,
            "resolved_at": at,
            "sender": sender,
            "sender_domain": domains.parts(sender)[1],
            "recipient": recipient,
            "recipient_domain": domains.parts(recipient)[1],
            "original_recipient": via,
            "recipient_role": "unknown",
            "outcome": "delivered",
            "relay_name": f"mx.{domains.parts(recipient)[1]}",
            "relay_address": "192.0.2.1",
            "attempts": 1,
            "hops": 0,
            "records": [{"evidence": "e" * 64, "number": 1, "offset": 0, "length": 10}],
        }
        rows.append({**row, **more})
    return rows


def view(rows: Iterable[Row], own: Sequence[str] = OWN) -> duckdb.DuckDBPyConnection:
    """DuckDB with the view `deliveries`, `direction` computed as the store does."""
    table = pa.Table.from_pylist(list(rows), schema=schema.DELIVERIES)
    directions = []
    for row in table.select(["sender_domain", "recipient_domain"]).to_pylist():
        inside = [domains.within(row[name] or "", own) for name in ("sender_domain", "recipient_domain")]
        directions.append({(1, 0): "outbound", (0, 1): "inbound", (1, 1): "internal"}.get(tuple(inside), "relayed"))
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.register("given", table.append_column("direction", pa.array(directions, pa.string())))
    connection.execute("create view deliveries as select * from given")
    return connection


def everyday(own: str = "albion.example") -> list[Row]:
    """A fortnight in which an office writes to the navy and a shipyard, and both write back."""
    rows: list[Row] = []
    for day in range(14):
        for n, person in enumerate(("ada", "ben", "cyd", "dan")):
            officer, clerk = f"officer{(day + n) % 6}@navy.mil", f"clerk{(day + n) % 3}@shipyard.co.uk"
            rows += mail(f"{person}@{own}", officer, clerk, day=day + n / 10)
            rows += mail(officer, f"{person}@{own}", day=day + n / 10 + 0.2)
        rows += mail("clerk1@shipyard.co.uk", f"ada@{own}", day=day + 0.7)
    return rows
