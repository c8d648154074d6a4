"""The case's tables as Arrow schemas: the single source of column names, types and meanings.

The meaning of each column is the `meaning` entry of its field metadata; `describe()` prints them. Two kinds
of table live here: those that a case keeps (`DELIVERIES`, `UNREAD`, `FINDINGS`, `INCIDENTS`,
`CORRESPONDENTS`) and the two that loaders hand to the stitcher (`HOPS`, `LEGS`).

All times are UTC with microseconds. All digests are lower-case hexadecimal SHA-256.
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 1
"""Version of the tables; written into the footer of every Parquet file as `missent.schema`."""

TIME = pa.timestamp("us", tz="UTC")
CODE = pa.dictionary(pa.int32(), pa.string())
"""A string column with few distinct values."""

RECORD = pa.struct(
    [
        pa.field("evidence", CODE, nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
    ]
)
"""Address of one record: evidence id (SHA-256 of the decompressed content), 1-based record number, byte
offset in the decompressed content, length in bytes without the line end."""

SYSTEMS = ("postfix", "exchange", "exchange-online")
OUTCOMES = ("delivered", "bounced", "expired", "deferred", "rejected", "discarded", "held", "unknown")
ROLES = ("to", "cc", "bcc", "unknown")
DIRECTIONS = ("outbound", "inbound", "internal", "relayed")
LEVELS = ("high", "medium", "low")
EXPOSURES = ("exposed", "handed-on", "not-exposed", "unsettled")
ORIGINS = ("typed", "list", "address-book", "reply-all", "automated")
VERDICTS = ("confirmed", "dismissed", "undecided")


def _field(name: str, type_: pa.DataType, meaning: str, *, nullable: bool = True) -> pa.Field:
    return pa.field(name, type_, nullable=nullable, metadata={"meaning": meaning})


def _schema(*fields: pa.Field) -> pa.Schema:
    return pa.schema(fields)


DELIVERIES = _schema(
    _field("delivery_id", pa.string(), "stable name of this row: equal on every rerun", nullable=False),
    _field("system", CODE, "postfix, exchange or exchange-online: where the message entered", nullable=False),
    _field("host", CODE, "logging host or server of the first hop"),
    _field("queue_id", pa.string(), "Postfix queue id of the first hop / Exchange internal-message-id"),
    _field("message_id", pa.string(), "RFC 5322 Message-ID without <>; null when the log has none"),
    _field("network_message_id", pa.string(), "Exchange network-message-id"),
    _field("submitted_at", TIME, "first event of the journey", nullable=False),
    _field("resolved_at", TIME, "event that settled this recipient; null while unsettled"),
    _field("sender", pa.string(), "envelope sender; empty string for <>; null when the log has none"),
    _field("sender_domain", pa.string(), "lower-case A-label domain of sender"),
    _field("authenticated_user", pa.string(), "SASL or mailbox user that submitted"),
    _field("client_name", pa.string(), "host name of the submitting client"),
    _field("client_address", pa.string(), "IP address of the submitting client"),
    _field("recipient", pa.string(), "final envelope recipient, as first spelled", nullable=False),
    _field("recipient_domain", pa.string(), "lower-case A-label domain of recipient"),
    _field("original_recipient", pa.string(), "address before alias, list or forward expansion, else null"),
    _field("recipient_role", CODE, "to, cc, bcc or unknown", nullable=False),
    _field(
        "outcome", CODE, "delivered, bounced, expired, deferred, rejected, discarded, held, unknown", nullable=False
    ),
    _field("status_code", pa.string(), "enhanced status code (RFC 3463) of the settling event"),
    _field("response", pa.string(), "remote text of the settling event"),
    _field("relay_name", pa.string(), "host name of the server that took or refused it"),
    _field("relay_address", pa.string(), "IP address of that server"),
    _field("tls", pa.bool_(), "sent over TLS; null when the log does not tell"),
    _field("attempts", pa.int32(), "delivery attempts seen", nullable=False),
    _field("size_bytes", pa.int64(), "message size in bytes"),
    _field("recipient_count", pa.int32(), "envelope recipients of the message as logged"),
    _field("subject", pa.string(), "decoded subject; null unless logged"),
    _field("hops", pa.int16(), "internal re-injections joined into this journey (0 = none)", nullable=False),
    _field("possible_duplicate_of", pa.string(), "delivery_id of a row of another system that may be this one; null"),
    _field(
        "records",
        pa.list_(pa.field("element", RECORD, nullable=False)),
        "every record it rests on, in order",
        nullable=False,
    ),
)

UNREAD = _schema(
    _field("evidence", CODE, "evidence id", nullable=False),
    _field("number", pa.int64(), "1-based record number", nullable=False),
    _field("offset", pa.int64(), "byte offset in the decompressed content", nullable=False),
    _field("length", pa.int64(), "length in bytes", nullable=False),
    _field("reason", CODE, "why no loader could read it", nullable=False),
    _field("raw", pa.binary(), "the record's bytes, first 4 KiB", nullable=False),
)

REASON = pa.struct([("name", pa.string()), ("weight", pa.float64()), ("text", pa.string())])

FINDINGS = _schema(
    _field("delivery_id", pa.string(), "the delivery believed misdirected", nullable=False),
    _field("observed_domain", pa.string(), "recipient domain as sent", nullable=False),
    _field("intended_domain", pa.string(), "domain the sender is believed to have meant", nullable=False),
    _field("intended_address", pa.string(), "address the sender is believed to have meant; null when the log has none"),
    _field("slip", CODE, "how the observed domain differs from the intended one", nullable=False),
    _field("score", pa.float64(), "posterior probability that the sender slipped, 0-1", nullable=False),
    _field("weight", pa.float64(), "total weight of evidence, log10 likelihood ratio", nullable=False),
    _field("prior", pa.float64(), "prior log10 odds that the weight is added to", nullable=False),
    _field("reasons", pa.list_(pa.field("element", REASON)), "named parts of the weight, in words", nullable=False),
    _field(
        "alternatives",
        pa.list_(pa.field("element", pa.struct([("domain", pa.string()), ("score", pa.float64())]))),
        "other intended domains considered",
        nullable=False,
    ),
    _field("level", CODE, "high score >= 0.95, medium >= 0.5, low >= 0.1", nullable=False),
    _field("exposure", CODE, "exposed, handed-on, not-exposed or unsettled", nullable=False),
    _field("origin", CODE, "typed, list, address-book, reply-all or automated", nullable=False),
    _field("incident_id", pa.string(), "the incident this finding belongs to", nullable=False),
)

INCIDENTS = _schema(
    _field("incident_id", pa.string(), "hash of observed and intended domain", nullable=False),
    _field("observed_domain", pa.string(), "recipient domain as sent", nullable=False),
    _field("intended_domain", pa.string(), "domain believed meant", nullable=False),
    _field("slip", CODE, "how the two differ", nullable=False),
    _field("story", pa.string(), "suffix slip shared with other incidents, such as `.mil → .ml`; null"),
    _field("observed_jurisdiction", CODE, "ISO 3166 code behind the observed suffix; null for generic suffixes"),
    _field("intended_jurisdiction", CODE, "ISO 3166 code behind the intended suffix; null for generic suffixes"),
    _field("first_seen", TIME, "first finding submitted", nullable=False),
    _field("last_seen", TIME, "last finding submitted", nullable=False),
    _field("messages", pa.int64(), "distinct messages", nullable=False),
    _field("recipients", pa.int64(), "distinct recipient addresses", nullable=False),
    _field("senders", pa.int64(), "distinct sender addresses", nullable=False),
    _field("exposed", pa.int64(), "deliveries exposed or handed on", nullable=False),
    _field("not_exposed", pa.int64(), "deliveries refused or never settled", nullable=False),
    _field("score", pa.float64(), "highest score of its findings", nullable=False),
)

CORRESPONDENTS = _schema(
    _field("domain", pa.string(), "external domain, lower-case A-label", nullable=False),
    _field("registered_domain", pa.string(), "public suffix plus one label; null when the suffix is unknown"),
    _field("suffix", pa.string(), "public suffix; empty when no registry has it", nullable=False),
    _field("messages_out", pa.int64(), "deliveries sent to it", nullable=False),
    _field("messages_in", pa.int64(), "deliveries received from it", nullable=False),
    _field("senders", pa.int64(), "distinct inside senders that wrote to it", nullable=False),
    _field(
        "replies",
        pa.int64(),
        "mail from one of its addresses to an inside sender that had written to that address",
        nullable=False,
    ),
    _field("first_seen", TIME, "first delivery either way", nullable=False),
    _field("last_seen", TIME, "last delivery either way", nullable=False),
)

RECORD_INDEX = pa.struct(
    [
        pa.field("evidence", pa.int32(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
    ]
)
"""A record's address while ingest runs: `evidence` is the position in this run's ordered evidence list."""

HOPS = _schema(
    _field("hop", pa.int64(), "row key within one batch; LEGS.hop points here", nullable=False),
    _field("system", CODE, "postfix, exchange or exchange-online", nullable=False),
    _field("host", CODE, "logging host or server"),
    _field("queue_id", pa.string(), "queue id / internal-message-id"),
    _field("message_id", pa.string(), "Message-ID without <>"),
    _field("network_message_id", pa.string(), "Exchange only"),
    _field("first_at", TIME, "first event", nullable=False),
    _field("last_at", TIME, "last event", nullable=False),
    _field("sender", pa.string(), "envelope sender; empty for <>; null unknown"),
    _field("authenticated_user", pa.string(), "who submitted"),
    _field("client_name", pa.string(), "submitting client"),
    _field("client_address", pa.string(), "submitting client's address"),
    _field("size_bytes", pa.int64(), "message size"),
    _field("recipient_count", pa.int32(), "envelope recipients as logged"),
    _field("subject", pa.string(), "decoded subject"),
    _field("born", pa.bool_(), "the evidence shows how the message entered this hop", nullable=False),
    _field("closed", pa.bool_(), "the evidence shows that this hop was done with it", nullable=False),
    _field(
        "records", pa.list_(pa.field("element", RECORD_INDEX, nullable=False)), "message-level records", nullable=False
    ),
)
"""One stay of one message in one queue: a Postfix queue id from birth to removal, or one message on
Exchange (all servers that share its network-message-id)."""

LEGS = _schema(
    _field("hop", pa.int64(), "HOPS.hop", nullable=False),
    _field("recipient", pa.string(), "final recipient of this hop, first spelling", nullable=False),
    _field("original_recipient", pa.string(), "before expansion in this hop; null"),
    _field("recipient_role", CODE, "to, cc, bcc or unknown", nullable=False),
    _field("outcome", CODE, "as in DELIVERIES", nullable=False),
    _field("at", TIME, "settling (or last) event", nullable=False),
    _field("status_code", pa.string(), "enhanced status code"),
    _field("response", pa.string(), "remote text"),
    _field("relay_name", pa.string(), "next server"),
    _field("relay_address", pa.string(), "its address"),
    _field("tls", pa.bool_(), "TLS to the next server"),
    _field("attempts", pa.int32(), "attempts seen", nullable=False),
    _field("next_id", pa.string(), "id the next server gave (`queued as`, InternalId); null"),
    _field(
        "records",
        pa.list_(pa.field("element", RECORD_INDEX, nullable=False)),
        "records of this recipient",
        nullable=False,
    ),
)
"""What one hop did for one recipient."""


def describe(schema: pa.Schema) -> list[tuple[str, str, str]]:
    """(column, type, meaning) of every column, for documentation and `missent formats`."""
    return [(f.name, str(f.type), (f.metadata or {}).get(b"meaning", b"").decode()) for f in schema]
