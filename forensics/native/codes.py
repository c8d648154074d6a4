"""Codes and limits that kernels of several rooms share, and that the tables know by name."""

from __future__ import annotations

DELIVERED, BOUNCED, EXPIRED, DEFERRED, REJECTED, DISCARDED, HELD, UNKNOWN = range(8)
"""Outcomes, by their place in `schema.OUTCOMES`."""

BORN, CLOSED, GREYLISTED = 1, 2, 4
"""Flags of a hop: its first record is there; its last is there; it is a refusal for now."""
FROM_SELF, FROM_INSIDE, FROM_LOOP, FROM_PROGRAM, FROM_UNSEEN, KNOWN_USER = 8, 16, 32, 64, 128, 256
"""More of them: its client is this host's own address; one of a private network; one in 127.0.0.0/8; a program of this
host made it; the log shows no client; its client logged in."""

FORWARDED, MAILBOX, DIRECT, PROGRAM, SHOWN, TO_LOOP = 1, 2, 4, 8, 16, 32
"""Flags of a leg: local(8) sent it on under another queue id; it ended in a mailbox; the host took the message for that
recipient itself; a program took it; the log shows which program or port took it; its relay lies in 127.0.0.0/8."""

PUBLIC, PRIVATE, OWN = 0, 1, 2
"""Where the address of a relay is (`forensics.addresses`)."""

NO_ORIGINAL, OWN_ORIGINAL, OWN_RECIPIENT = 0, 1, 2
"""What of a leg is the original recipient of a delivery."""

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Mail is of these years. A stamp of another is an error, or of another calendar: no time that can be believed."""

SKEW = 300_000_000
"""How far (microseconds) the clocks of two hosts may differ."""
SAME_HOST = 10_000_000
"""How far the stamps of one host may."""
RETURN = 3_600_000_000
"""How long (microseconds) a filter may keep a message that it then gives back."""
LIFETIME = 5 * 86_400_000_000
"""How long a message may wait in a queue: Postfix' maximal_queue_lifetime (postconf(5)), microseconds."""
DEEPEST = 64
"""Hops of one journey that are followed."""

NO_TIME, ABSOLUTE, LOCAL, NO_YEAR = 0, 1, 2, 3
"""Kinds of stamps: unreadable; with an offset from UTC; without one; without a year."""
SECOND = 1_000_000
DAY = 86_400 * SECOND
MONTH_UNIT = 64 * DAY
"""NO_YEAR times are packed as month * MONTH_UNIT + day * DAY + microseconds of the day: they order like the calendar.
"""
YEAR_UNIT = 16 * MONTH_UNIT
"""A packed time with a year counted from that of the file's first record: year * YEAR_UNIT + packed time."""
