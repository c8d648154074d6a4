"""The case's tables as Arrow schemas: the single source of column names, types and meanings.

The meaning of each column is the `meaning` entry of its field metadata; `describe()` prints them. The two tables that
loaders hand to the stitcher are in `forensics.loaders.base`.

All times are UTC with microseconds. All digests are lower-case hexadecimal SHA-256.
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 3
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

OUTCOMES = ("delivered", "bounced", "expired", "deferred", "rejected", "discarded", "held", "unknown")
ROLES = ("to", "cc", "bcc", "unknown")
SUBMISSIONS = ("authenticated", "local", "internal", "outside", "not-seen")
"""How a message came into the first hop: a client that logged in, itself or in the session; a program of the host
(pickup); a client whose address the world cannot reach; any other client; the log does not show it. The view
`deliveries`, which knows the organisation, tells `internal` from `outside` better (`store.connect`)."""
DIRECTIONS = ("outbound", "inbound", "internal", "relayed")
LEVELS = ("high", "medium", "low")
EXPOSURES = ("exposed", "handed-on", "not-exposed", "unsettled")
ORIGINS = ("typed", "list", "address-book", "reply-all", "automated")
VERDICTS = ("confirmed", "dismissed", "undecided")


def column(name: str, type_: pa.DataType, meaning: str, *, nullable: bool = True) -> pa.Field:
    """A column that says what it means."""
    return pa.field(name, type_, nullable=nullable, metadata={"meaning": meaning})


def _schema(*fields: pa.Field) -> pa.Schema:
    return pa.schema(fields)


MESSAGE = (
    "coalesce({0}.network_message_id, concat_ws('|', {0}.system, {0}.host, {0}.queue_id, epoch_us({0}.submitted_at)))"
)
"""What tells one message from another in `deliveries` ({0}), as SQL, so that numbers that people see beside each other
are of the same things. Not by Message-ID: clients reuse it, and two systems that logged one message without a hand-over
between them keep two rows (`possible_duplicate_of`)."""

DELIVERIES = _schema(
    column("delivery_id", pa.string(), "stable name of this row: equal on every rerun", nullable=False),
    column(
        "system",
        CODE,
        "where the message entered, as its loader names it (postfix, exim, …)",
        nullable=False,
    ),
    column("host", CODE, "logging host or server of the first hop"),
    column(
        "queue_id",
        pa.string(),
        "queue id of the first hop / Exim message id / Exchange internal-message-id",
    ),
    column("message_id", pa.string(), "RFC 5322 Message-ID without <>; null when the log has none"),
    column("network_message_id", pa.string(), "Exchange network-message-id"),
    column("submitted_at", TIME, "first event of the journey", nullable=False),
    column("resolved_at", TIME, "event that settled this recipient; null while unsettled"),
    column("sender", pa.string(), "envelope sender; empty string for <>; null when the log has none"),
    column("sender_domain", pa.string(), "lower-case A-label domain of sender"),
    column("authenticated_user", pa.string(), "SASL or mailbox user that submitted"),
    column("client_name", pa.string(), "host name of the submitting client"),
    column("client_address", pa.string(), "IP address of the submitting client"),
    column(
        "submission",
        CODE,
        "how the message came in: authenticated, local, internal, outside or not-seen",
        nullable=False,
    ),
    column("recipient", pa.string(), "final envelope recipient, as first spelled", nullable=False),
    column("recipient_domain", pa.string(), "lower-case A-label domain of recipient"),
    column("original_recipient", pa.string(), "address before alias, list or forward expansion, else null"),
    column("recipient_role", CODE, "to, cc, bcc or unknown", nullable=False),
    column(
        "outcome", CODE, "delivered, bounced, expired, deferred, rejected, discarded, held, unknown", nullable=False
    ),
    column("status_code", pa.string(), "enhanced status code (RFC 3463) of the settling event"),
    column("response", pa.string(), "remote text of the settling event"),
    column("relay_name", pa.string(), "host name of the server that took or refused it"),
    column("relay_address", pa.string(), "IP address of that server"),
    column("tls", pa.bool_(), "sent over TLS; null when the log does not tell"),
    column("attempts", pa.int32(), "delivery attempts seen", nullable=False),
    column("size_bytes", pa.int64(), "message size in bytes"),
    column("recipient_count", pa.int32(), "envelope recipients of the message as logged"),
    column("subject", pa.string(), "decoded subject; null unless logged"),
    column("hops", pa.int16(), "internal re-injections joined into this journey (0 = none)", nullable=False),
    column("possible_duplicate_of", pa.string(), "delivery_id of an earlier row that may be this one; null"),
    column(
        "records",
        pa.list_(pa.field("element", RECORD, nullable=False)),
        "every record it rests on, in order",
        nullable=False,
    ),
)

UNREAD = _schema(
    column("evidence", CODE, "evidence id", nullable=False),
    column("number", pa.int64(), "1-based record number", nullable=False),
    column("offset", pa.int64(), "byte offset in the decompressed content", nullable=False),
    column("length", pa.int64(), "length in bytes", nullable=False),
    column("reason", CODE, "why no loader could read it", nullable=False),
    column("raw", pa.binary(), "the record's bytes, first 4 KiB", nullable=False),
)

SOURCES = ("ours", "theirs")
REASON = pa.struct([("name", pa.string()), ("weight", pa.float64()), ("text", pa.string()), ("source", pa.string())])
"""`source`: `theirs` where only mail that came in could have made it, which its sender chooses; else `ours`."""

FINDINGS = _schema(
    column("delivery_id", pa.string(), "the delivery believed misdirected", nullable=False),
    column("observed_domain", pa.string(), "recipient domain as sent", nullable=False),
    column("intended_domain", pa.string(), "domain the sender is believed to have meant", nullable=False),
    column("intended_address", pa.string(), "address the sender is believed to have meant; null when the log has none"),
    column("slip", CODE, "how the observed domain differs from the intended one", nullable=False),
    column("score", pa.float64(), "posterior probability that the sender slipped, 0-1", nullable=False),
    column("weight", pa.float64(), "total weight of evidence, log10 likelihood ratio", nullable=False),
    column("prior", pa.float64(), "prior log10 odds that the weight is added to", nullable=False),
    column("reasons", pa.list_(pa.field("element", REASON)), "named parts of the weight, in words", nullable=False),
    column(
        "alternatives",
        pa.list_(pa.field("element", pa.struct([("domain", pa.string()), ("score", pa.float64())]))),
        "other intended domains considered",
        nullable=False,
    ),
    column("level", CODE, "high score >= 0.95, medium >= 0.5, low >= 0.1; low where contested", nullable=False),
    column("exposure", CODE, "exposed, handed-on, not-exposed or unsettled", nullable=False),
    column("origin", CODE, "typed, list, address-book, reply-all or automated", nullable=False),
    column("incident_id", pa.string(), "the incident this finding belongs to", nullable=False),
    column(
        "score_without_theirs",
        pa.float64(),
        "the score without what the observed domain's owner can bring about: its mail, its servers, its zone",
        nullable=False,
    ),
    column("contested", pa.bool_(), "the two scores fall on different sides of 0.5", nullable=False),
)

INCIDENTS = _schema(
    column("incident_id", pa.string(), "hash of observed and intended domain", nullable=False),
    column("observed_domain", pa.string(), "recipient domain as sent", nullable=False),
    column("intended_domain", pa.string(), "domain believed meant", nullable=False),
    column("slip", CODE, "how the two differ", nullable=False),
    column("story", pa.string(), "suffix slip shared with other incidents, such as `.mil → .ml`; null"),
    column("observed_jurisdiction", CODE, "ISO 3166 code behind the observed suffix; null for generic suffixes"),
    column("intended_jurisdiction", CODE, "ISO 3166 code behind the intended suffix; null for generic suffixes"),
    column("first_seen", TIME, "first finding submitted", nullable=False),
    column("last_seen", TIME, "last finding submitted", nullable=False),
    column("messages", pa.int64(), "distinct messages", nullable=False),
    column("recipients", pa.int64(), "distinct recipient addresses", nullable=False),
    column("senders", pa.int64(), "distinct sender addresses", nullable=False),
    column("exposed", pa.int64(), "deliveries that the server of the typed domain accepted", nullable=False),
    column("not_exposed", pa.int64(), "deliveries refused, never settled or handed on", nullable=False),
    column("score", pa.float64(), "highest score of its findings", nullable=False),
)

CORRESPONDENTS = _schema(
    column("domain", pa.string(), "external domain, lower-case A-label", nullable=False),
    column("registered_domain", pa.string(), "public suffix plus one label; null when the suffix is unknown"),
    column("suffix", pa.string(), "public suffix; empty when no registry has it", nullable=False),
    column("messages_out", pa.int64(), "deliveries sent to it", nullable=False),
    column("messages_in", pa.int64(), "deliveries received from it", nullable=False),
    column("senders", pa.int64(), "distinct inside senders that wrote to it", nullable=False),
    column(
        "replies",
        pa.int64(),
        "mail from one of its addresses to an inside sender that had written to that address",
        nullable=False,
    ),
    column("first_seen", TIME, "first delivery either way", nullable=False),
    column("last_seen", TIME, "last delivery either way", nullable=False),
)

WRITER = pa.struct(
    [
        pa.field("recipient_local", pa.string()),
        pa.field("writer_local", pa.string()),
        pa.field("writer_domain", pa.string()),
        pa.field("via", pa.bool_()),
        pa.field("messages", pa.int64()),
        pa.field("times_before", pa.int64()),
        pa.field("times_right", pa.int64()),
        pa.field("wrote_before", pa.bool_()),
        pa.field("wrote_after", pa.bool_()),
        pa.field("gap_after", pa.float64()),
        pa.field("gap_same_subject", pa.float64()),
        pa.field("gap_same_size", pa.float64()),
        pa.field("address_known", pa.bool_()),
        pa.field("address_in", pa.int64()),
        pa.field("address_writers", pa.int64()),
        pa.field("address_lists", pa.int64()),
        pa.field("beside_same", pa.int64()),
        pa.field("beside_domain", pa.int64()),
        pa.field("answered_anyone", pa.int64()),
        pa.field("address_users", pa.int64()),
        pa.field("carried_from", pa.string()),
    ]
)
"""One sender, or list that chose the address (`via`), and one address at the typed domain, with what was measured
beside the meant domain (`detector.signals`). Counts are deliveries or messages, gaps seconds. `carried_from`: whose
message of the same conversation it answered, where that makes it surer."""

LOOKALIKES = _schema(
    column("typed", pa.string(), "external domain that mail was sent to, as sent", nullable=False),
    column("meant", pa.string(), "domain that it could stand for", nullable=False),
    column("kind", CODE, "kind of slip that leads from one to the other", nullable=False),
    column("words", pa.string(), "what happened then, as a clause", nullable=False),
    column("part", CODE, "where the slip lies: suffix, name, subdomain or whole", nullable=False),
    column("channel", pa.float64(), "log10 probability of this very slip among all slips", nullable=False),
    column("slip", pa.float64(), "probability that the typed domain is only a slip for this one", nullable=False),
    column("mixed", pa.float64(), "that it is somebody's own and some writers slipped so", nullable=False),
    column("second", pa.float64(), "that it is a second name of this one", nullable=False),
    column(
        "own",
        pa.float64(),
        "that it is somebody's own; the same for all rows of a typed domain, which sum to 1 with it",
        nullable=False,
    ),
    column("direction", pa.float64(), "factor by which other domains' answers changed slip and mixed", nullable=False),
    column(
        "slip_without_theirs",
        pa.float64(),
        "`slip` without what the typed domain's owner can bring about",
        nullable=False,
    ),
    column("mixed_without_theirs", pa.float64(), "`mixed` without it", nullable=False),
    column("measured", pa.string(), "what was measured of the two, as JSON", nullable=False),
    column(
        "writers",
        pa.list_(pa.field("element", WRITER, nullable=False)),
        "what was measured of each sender and address, in the order of addresses",
        nullable=False,
    ),
)


def describe(schema: pa.Schema) -> list[tuple[str, str, str]]:
    """(column, type, meaning) of every column, for documentation and `missent formats`."""
    return [(f.name, str(f.type), (f.metadata or {}).get(b"meaning", b"").decode()) for f in schema]
