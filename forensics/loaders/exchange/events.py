"""Exchange events as one Arrow table: what `scan` gives, what waits on disk, and what `assembling` assembles.

One row is one record. What orders and joins records are columns; all text of a record is packed into one binary column
(`native.exchange.layout`), copied once from the block and not again until a delivery needs it.

Text is as in the evidence, quotes undone; what is not UTF-8 becomes U+FFFD when it is taken out.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from forensics.native.exchange.layout import ABSENT, TEXTS

EVENTS: Final = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),  # equal for all records of one message
        pa.field("group", pa.binary(16), nullable=False),  # the message itself: network-message-id or a digest
        pa.field("at", pa.int64(), nullable=False),  # microseconds UTC
        pa.field("evidence", pa.int32(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("own", pa.uint64(), nullable=False),  # a hash of its Message-ID, 0 without
        pa.field("flags", pa.int8(), nullable=False),  # codes.STORE, INTRA, BY_ID, ONLINE, OLD, ALONE, TO_MINUTE
        pa.field("parts", pa.int32(), nullable=False),
        pa.field("texts", pa.binary(), nullable=False),
    ]
)


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
        (size, named), (more, answer) = _sized(recipient), _sized(status)
        out += [struct.pack("<B", effect), size, more, named, answer]
    return b"".join(out)


def _sized(value: str | None) -> tuple[bytes, bytes]:
    raw = b"" if value is None else value.encode("utf-8", "replace")
    return struct.pack("<I", ABSENT if value is None else len(raw)), raw
