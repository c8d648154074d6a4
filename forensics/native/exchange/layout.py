"""How the text of one record is packed into one binary value; integers are little-endian.

- 4 bytes: which columns of `TEXTS` are present, as bits in their order; each of these as 4 bytes length, then its bytes
- `parts` times (one for each recipient; one without any when the record says something of the message alone):
  1 byte effect, 4 bytes length of the recipient, 4 bytes length of its status (`ABSENT`: null), the bytes of both

`packing` writes it from a block of log, `loaders.exchange.events.texts` from the values of an export, `rows` reads it.
"""

from __future__ import annotations

from typing import Final

TEXTS: Final = (
    "peer",  # server it was handed to; of an acceptance the one that it came from
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
COLUMNS: Final = len(TEXTS)
HOST: Final = TEXTS.index("host")
"""Columns from here on are asked for by message."""
CARRIED: Final = TEXTS.index("message_id")
"""Columns from here on are values of the message."""
ABSENT: Final = 0xFFFFFFFF
MOST: Final = 4 + 4 * COLUMNS
"""Bytes of a record's `texts` beside text and parts, at most."""
