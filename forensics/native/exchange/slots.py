"""Columns of tracking records that are read: a slot is the place that this project gives a column, whatever its place
in the file."""

from __future__ import annotations

from typing import Final

SLOTS: Final = (
    "date-time", "client-ip", "client-hostname", "server-ip", "server-hostname", "source-context", "connector-id",
    "source", "event-id", "internal-message-id", "message-id", "network-message-id", "recipient-address",
    "recipient-status", "total-bytes", "recipient-count", "related-recipient-address", "message-subject",
    "sender-address", "return-path", "original-client-ip", "custom-data", "reference",
)  # fmt: skip
"""Names of the columns, in slot order."""

(
    TIME, CLIENT_IP, CLIENT_HOST, SERVER_IP, SERVER_HOST, CONTEXT, CONNECTOR, SOURCE, EVENT, INTERNAL, MESSAGE_ID,
    NETWORK_ID, RECIPIENT, STATUS, BYTES, COUNT, RELATED, SUBJECT, SENDER, RETURN_PATH, ORIGINAL_IP, CUSTOM, REFERENCE,
) = range(len(SLOTS))  # fmt: skip
