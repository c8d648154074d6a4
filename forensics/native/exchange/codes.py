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
NO_EVENT: Final = 2
NO_MESSAGE: Final = 3
"""No id and no recipient: such rows (NOTIFYMAPI and the like) say nothing of any message; ignored by event id."""
NO_ID: Final = 4
"""Recipients, but no id that could join the row to a message."""
ZONELESS: Final = 5
"""A time without a zone, where a zone is known for such: read by `loaders.exchange.exports`."""
ODD_RECIPIENTS: Final = 6
"""Recipients that are no list of addresses joined by `;`: read by `loaders.exchange.exports`."""

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
OLD: Final = 16
"""Of a log without network-message-ids: by a server before Exchange 2013."""

ALONE: Final = 32
"""Of a trace without network-message-ids: known by Message-ID, sender and second; `loaders.exchange.copies` finds the
same message in a trace that has them, or cut its times."""

TO_MINUTE: Final = 64
"""Of a file all times of which end with a whole minute: seconds were lost."""

# Effects of an event on a recipient.
ENTER: Final = 0
"""Accepted by a transport service: names recipients, starts or continues a hop; recipient-status may be the role."""
INFO: Final = 1
"""Proof that the message was here; changes no recipient's fate."""
SEND: Final = 2
"""Handed to the server in server-hostname by SMTP: between transport services; before Exchange 2013 also outside."""
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
OTHER: Final = 15
"""An event that is not known, or says nothing certain: names recipients, decides nothing, and its word is kept."""
TRACE_DELIVERED: Final = 16
"""Final status from a trace without times of its own: delivered."""
TRACE_FAILED: Final = 17
"""… failed."""
TRACE_PENDING: Final = 18
"""… still under way."""
TRACE_HELD: Final = 19
"""… quarantined."""
TRACE_REFUSED: Final = 20
"""… rejected or blocked."""
TRACE_DISCARDED: Final = 21
"""… dropped without a delivery report."""
TRACE_REPLACED: Final = 22
"""… expanded or resolved: other rows carry its recipients."""
TRACE_UNSETTLED: Final = 23
"""… no status, none yet, or one that does not tell where the message went."""
EFFECTS: Final = TRACE_UNSETTLED + 1
"""How many effects there are."""

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
