"""Exchange events as one Arrow table: what `scan` gives and `stitch.tracking` assembles.

One row is what one record says of one recipient (or of the message, when `recipient` is null). Columns from
`message_id` on hold message-level values; they stand on one row of a message and block only: the earliest with one.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

EVENTS: Final = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),  # equal for all rows of one message
        pa.field("group", pa.binary(16), nullable=False),  # the message itself: network-message-id or a digest
        pa.field("at", pa.int64(), nullable=False),  # microseconds UTC
        pa.field("evidence", pa.int32(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("part", pa.int32(), nullable=False),  # ordinal of the recipient in the record
        pa.field("effect", pa.int8(), nullable=False),  # event_ids
        pa.field("flags", pa.int8(), nullable=False),  # emit.STORE, emit.INTRA
        pa.field("online", pa.bool_(), nullable=False),  # Exchange Online, else a server's own log
        pa.field("recipient", pa.string()),
        pa.field("status", pa.string()),  # this recipient's recipient-status
        pa.field("host", pa.string()),  # server that logged it
        pa.field("peer", pa.string()),  # server it was handed to
        pa.field("peer_address", pa.string()),
        pa.field("context", pa.string()),  # source-context of a hand-off; reference of a TRANSFER
        pa.field("related", pa.string()),  # address that this recipient replaces
        pa.field("message_id", pa.string()),
        pa.field("network_message_id", pa.string()),
        pa.field("return_path", pa.string()),
        pa.field("purported", pa.string()),  # sender-address: Sender: or From:
        pa.field("subject", pa.string()),
        pa.field("size", pa.string()),
        pa.field("recipient_count", pa.string()),
        pa.field("internal_id", pa.string()),
        pa.field("client_ip", pa.string()),
        pa.field("client_host", pa.string()),
        pa.field("server_host", pa.string()),
        pa.field("original_ip", pa.string()),
    ]
)


def empty() -> pa.Table:
    return EVENTS.empty_table()
