"""Numbers that stand for what a record is, says and did to a recipient: one meaning each, for kernels and loaders.

`loaders.exchange.event_ids` says which event id has which effect, and where that is written.
"""

from __future__ import annotations

from typing import Final

# What a CSV record is.
DATA: Final = 0
COMMENT: Final = 1
BLANK: Final = 2
BROKEN: Final = 3
"""Quoting violated: the record is its first line."""

# What a tracking record can be used for.
USED: Final = 0
BAD_TIME: Final = 1
UNKNOWN_EVENT: Final = 2
NO_MESSAGE: Final = 3
"""No id and no recipient: such rows (NOTIFYMAPI and the like) say nothing of any message; ignored by event id."""
LISTS_DIFFER: Final = 4
NO_ID: Final = 5
"""Recipients, but no id that could join the row to a message."""

# Which id joins a record to its message.
BY_NETWORK: Final = 0
BY_MESSAGE: Final = 1
BY_INTERNAL: Final = 2

# Flags of a row.
STORE: Final = 1
"""Source STOREDRIVER."""
INTRA: Final = 2
"""Sent through the implicit intra-organisation connector."""
BY_ID: Final = 4
"""Known by its Message-ID alone (before Exchange 2013); `loaders.exchange.resent` tells resent messages apart."""
ONLINE: Final = 8
"""Logged by Exchange Online, not by a server of the organisation."""

# Effects of an event on a recipient.
ENTER: Final = 0
"""Accepted by a transport service: names recipients, starts or continues a hop; recipient-status may be the role."""
INFO: Final = 1
"""Proof that the message was here; changes no recipient's fate."""
SEND: Final = 2
"""Handed to the server in server-hostname by SMTP: inside or, before Exchange 2013, also outside."""
SEND_OUT: Final = 3
"""Handed to a server outside the organisation."""
DELIVER: Final = 4
"""In a local mailbox (or public folder). Nothing after it undoes it."""
DUPLICATE: Final = 5
"""The mailbox already had it: delivered, when nothing else says so."""
FAIL: Final = 6
"""Given up. recipient-status tells which way: 4.4.7 expired, 2xx silently handled (discarded), else bounced."""
DEFER: Final = 7
"""Not now; stays queued."""
DISCARD: Final = 8
"""Dropped without a report to the sender."""
HOLD: Final = 9
"""Kept by this server for a person to decide: quarantine, moderation, poison queue."""
RELEASE: Final = 10
"""What held it let it go: pending again."""
REFUSE: Final = 11
"""Refused by a person or a policy of this organisation."""
EXPIRE: Final = 12
"""Nobody decided in time."""
REPLACE: Final = 13
"""recipient-address takes the place of related-recipient-address (list, alias, forward)."""
REPORT: Final = 14
"""A delivery report was written; the row is the report's own birth."""
TRACE_DELIVERED: Final = 15
"""Final status from a trace without times of its own: delivered."""
TRACE_FAILED: Final = 16
"""… failed."""
TRACE_PENDING: Final = 17
"""… still under way."""
TRACE_HELD: Final = 18
"""… quarantined."""
TRACE_REFUSED: Final = 19
"""… identified as spam and rejected or blocked."""
TRACE_REPLACED: Final = 20
"""… expanded or resolved: other rows carry its recipients."""
TRACE_UNSETTLED: Final = 21
"""… no status, or none yet."""

# States of a recipient.
NOTHING: Final = 0
DELIVERED: Final = 1
BOUNCED: Final = 2
EXPIRED: Final = 3
DEFERRED: Final = 4
REJECTED: Final = 5
DISCARDED: Final = 6
HELD: Final = 7
SENT: Final = 8
"""Handed to another server, so far delivered."""
INSIDE: Final = 9
"""Handed on within the organisation."""
HAD_ALREADY: Final = 10
"""The mailbox had it before."""
