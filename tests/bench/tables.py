"""Messages as tables: `forensics.schema.DELIVERIES` and the truth about every outbound delivery."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa

from forensics import addresses, domains, schema
from tests.bench.mail import Message

TRUTH = pa.schema(
    [
        pa.field("message_id", pa.string()),
        pa.field("sender", pa.string()),
        pa.field("recipient", pa.string()),
        pa.field("label", pa.string()),  # genuine, misdirected, unclear (a correspondent's own misconfiguration)
        pa.field("intended", pa.string()),  # address meant; empty when genuine
        pa.field("kind", pa.string()),  # kind of slip, or kind of genuine neighbour; empty for plain mail
        pa.field("origin", pa.string()),  # typed, reply-all, address-book, list, automated; empty when genuine
        pa.field("outcome", pa.string()),
    ]
)
"""One row for each outbound (message, final recipient)."""


def _time(seconds: float) -> int:
    return round(seconds * 1_000_000)


def delivery_id(message: Message, recipient: str) -> str:
    """A stable name, as the ingest's is, though not the same."""
    return hashlib.sha256(f"{message.message_id}\0{domains.key(recipient)}".encode()).hexdigest()[:32]


def deliveries(messages: list[Message], host: str, *, subjects: bool) -> pa.Table:
    """Rows in order of (submitted_at, delivery_id). `records` are empty: no log text stands behind them."""
    columns: dict[str, list[object]] = {name: [] for name in schema.DELIVERIES.names}
    for number, message in enumerate(messages):
        for leg in sorted(message.legs, key=lambda g: delivery_id(message, g.recipient)):
            last = leg.tries[-1]
            row: dict[str, object] = {
                "delivery_id": delivery_id(message, leg.recipient),
                "system": "postfix",
                "host": host.partition(".")[0],
                "queue_id": f"Q{number:07d}",
                "message_id": message.message_id,
                "submitted_at": _time(message.at),
                "resolved_at": None if last.status == "deferred" else _time(message.at + last.after),
                "sender": message.sender,
                "sender_domain": domains.parts(message.sender)[1],
                "authenticated_user": message.user,
                "submission": "local"
                if message.bounce_of
                else addresses.submission(message.user is not None, message.client_address),
                "client_name": None if message.bounce_of else message.client_name,
                "client_address": None if message.bounce_of else message.client_address,
                "recipient": leg.recipient,
                "recipient_domain": domains.parts(leg.recipient)[1],
                "original_recipient": leg.original,
                "recipient_role": "unknown",
                "outcome": leg.outcome,
                "status_code": last.dsn,
                "response": last.text,
                "relay_name": last.relay_name,
                "relay_address": last.relay_address,
                "attempts": len([t for t in leg.tries if t.status != "expired"]),
                "size_bytes": message.size,
                "recipient_count": len(message.legs),
                "subject": message.subject if subjects else None,
                "hops": 0,
                "records": [],
            }
            for name, values in columns.items():
                values.append(row.get(name))
    return pa.table([pa.array(columns[f.name], f.type) for f in schema.DELIVERIES], schema=schema.DELIVERIES)


def truth(messages: list[Message]) -> pa.Table:
    """The labels, in order of time."""
    rows = [
        {"message_id": m.message_id, "sender": m.sender, "recipient": g.recipient, "label": g.label,
         "intended": g.intended, "kind": g.kind, "origin": g.origin, "outcome": g.outcome}
        for m in messages for g in m.legs if g.label
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, TRUTH)


def write_truth(table: pa.Table, path: Path) -> None:
    """TSV with a header line."""
    lines = ["\t".join(table.column_names)]
    lines += ["\t".join(str(v) for v in row.values()) for row in table.to_pylist()]
    path.write_text("\n".join(lines) + "\n", "utf-8", newline="\n")
