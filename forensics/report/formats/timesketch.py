"""Events for Timesketch, as JSONL and as CSV.

Timesketch asks for `message`, `datetime` (ISO 8601) and `timestamp_desc` and takes any further columns; `timestamp` is
in microseconds. Source: docs/guides/user/import-from-json-csv.md of google/timesketch.
The CSV has no byte order mark, which would become part of the first column's name; cells that a spreadsheet would run
have a leading apostrophe, the JSONL has the values as they are.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC
from typing import Any

from forensics.report import facts as f
from forensics.report.formats.csvs import guarded
from forensics.report.formats.events import Event, events, records, stage
from forensics.report.text.context import Context
from forensics.report.text.visible import visible
from forensics.report.text.wording import Words

COLUMNS = (
    "message", "timestamp", "datetime", "timestamp_desc", "finding", "state", "sender", "recipient", "observed_domain",
    "intended_domain", "exposure", "outcome", "content_sent", "score", "subject", "message_id", "queue_id", "host",
    "relay_name", "relay_address", "delivery_id", "records",
)  # fmt: skip


def render(facts: f.Facts, context: Context) -> dict[str, bytes]:
    """`events.jsonl` and `events.csv`, the same events in order of time."""
    rows = [_row(event, context.words) for event in events(facts, context.words)]
    lines = "".join(json.dumps(row, ensure_ascii=True) + "\n" for row in rows)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row.get(column)) for column in COLUMNS] for row in rows)
    return {"events.jsonl": lines.encode("ascii"), "events.csv": out.getvalue().encode("utf-8")}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return guarded(value)[0] if isinstance(value, str) else str(value)


def _row(event: Event, words: Words) -> dict[str, Any]:
    at = event.at.astimezone(UTC)
    row: dict[str, Any] = {
        "message": visible(event.message),
        "timestamp": int(at.timestamp()) * 1_000_000 + at.microsecond,
        "datetime": at.isoformat(),
        "timestamp_desc": words(f"events.kind.{event.kind}"),
    }
    x = event.finding
    if x is None:
        return row
    return row | {
        "finding": x.ref,
        "state": x.state,
        "sender": x.sender,
        "recipient": x.recipient,
        "observed_domain": x.slip.typed,
        "intended_domain": x.slip.meant,
        "exposure": x.exposure,
        "outcome": x.outcome,
        "content_sent": stage(x),
        "score": x.score,
        "subject": x.subject,
        "message_id": x.message_id,
        "queue_id": x.queue_id,
        "host": x.host,
        "relay_name": x.relay_name,
        "relay_address": x.relay_address,
        "delivery_id": x.delivery_id,
        "records": records(x),
    }
