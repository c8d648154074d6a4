"""Exchange events as one Arrow table: what `scan` gives, what waits on disk, and what `stitch.tracking` assembles.

One row is one record. What orders and joins records are columns; all text of a record is packed into one binary column,
copied once from the block and not again until a delivery needs it. Layout of `texts`, integers little-endian:

- 4 bytes: which columns of `TEXTS` are present, as bits in their order; each of these as 4 bytes length, then its bytes
- `parts` times (one for each recipient; one without any when the record says something of the message alone):
  1 byte effect, 4 bytes length of the recipient, 4 bytes length of its status (`ABSENT`: null), the bytes of both

Text is as in the evidence, quotes undone; what is not UTF-8 becomes U+FFFD when it is taken out.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

EVENTS: Final = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),  # equal for all records of one message
        pa.field("group", pa.binary(16), nullable=False),  # the message itself: network-message-id or a digest
        pa.field("at", pa.int64(), nullable=False),  # microseconds UTC
        pa.field("evidence", pa.int32(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("flags", pa.int8(), nullable=False),  # emit.STORE, emit.INTRA, emit.BY_ID, emit.ONLINE
        pa.field("parts", pa.int32(), nullable=False),
        pa.field("texts", pa.binary(), nullable=False),
    ]
)

TEXTS: Final = (
    "peer",  # server it was handed to
    "peer_address",
    "context",  # source-context of a hand-off; reference of a TRANSFER
    "related",  # address that these recipients replace
    "host",  # server that logged it
    # Values of the message, on the earliest record of a message and block that has one:
    "message_id",
    "network_message_id",
    "return_path",
    "purported",  # sender-address: Sender: or From:
    "subject",
    "size",
    "recipient_count",
    "internal_id",
    "client_ip",
    "client_host",
    "server_host",
    "original_ip",
)  # fmt: skip
CARRIED: Final = TEXTS.index("message_id")
"""Columns from here on are values of the message."""
ABSENT: Final = 0xFFFFFFFF
MOST: Final = 4 + 4 * len(TEXTS)
"""Bytes of a record's `texts` beside text and parts, at most."""


def texts(values: Mapping[str, str | None], parts: Sequence[tuple[int, str | None, str | None]]) -> bytes:
    """`texts` of one record: column of `TEXTS` → value; (effect, recipient, status) of each part."""
    mask = 0
    out = [b""]
    for bit, name in enumerate(TEXTS):
        value = values.get(name)
        if value is not None:
            mask |= 1 << bit
            out += _sized(value)
    out[0] = struct.pack("<I", mask)
    for effect, recipient, status in parts:
        (size, told), (more, said) = _sized(recipient), _sized(status)
        out += [struct.pack("<B", effect), size, more, told, said]
    return b"".join(out)


def _sized(value: str | None) -> tuple[bytes, bytes]:
    raw = b"" if value is None else value.encode("utf-8", "replace")
    return struct.pack("<I", ABSENT if value is None else len(raw)), raw


def empty() -> pa.Table:
    return EVENTS.empty_table()
