"""What all facts are made of: marks of raw values, numbers with what is behind them, tallies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

FORMAT_VERSION = 1
"""Version of `Facts` as written to incident.json."""


EDITIONS = ("full", "redacted")


STATES = ("confirmed", "suspected", "review", "dismissed")
"""confirmed: a person ruled so · suspected: of a level that counts (`Method.levels`), without a ruling · review: of
another level without a ruling, in no headline number · dismissed: a person ruled against."""


RAW_KINDS = ("address", "domain", "name", "text", "host", "ip", "id", "file", "response", "subject", "slip")
"""What a marked field holds. `domain` keeps its public suffix when redacted, `address` the suffix of its domain,
`text` is withheld unless the investigator released it, `slip` keeps only what happened inside the suffix."""


@dataclass(frozen=True)
class Raw:
    """Annotation of a field that the redacted edition must replace."""

    kind: str

    def __post_init__(self) -> None:
        if self.kind not in RAW_KINDS:
            raise ValueError(f"unknown kind of raw value: {self.kind}")


@dataclass(frozen=True)
class Number:
    """A count and what it rests on."""

    value: int
    deliveries: tuple[str, ...] | None = None
    """Ids of the deliveries counted; None for a total over a whole table."""
    query: str = ""
    """For totals: the query that gives the number again in `missent sql`."""


@dataclass(frozen=True)
class Tally:
    """One group of findings, counted every way. Exposure and origin count deliveries."""

    deliveries: Number
    messages: Number
    senders: Number
    recipients: Number
    exposed: Number
    """Accepted by the mistyped domain's own server."""
    handed_on: Number
    """Handed to a server that takes mail for many domains, or to one not named: final acceptance unknown."""
    not_exposed: Number
    unsettled: Number
    content_sent: Number
    """Of not exposed and unsettled: sent to a server, in whole or in part, before it refused or the connection broke.
    The server may have kept what it was sent."""
    stage_unknown: Number
    """Of not exposed and unsettled: whether anything had been sent is not known, because the log does not tell it, or
    because the reply to the last of several attempts tells only of that one."""
    encrypted: Number | None
    """Of exposed: sent over TLS. None, not nought, when the logs tell of none of them."""
    unencrypted: Number | None
    encryption_unknown: Number
    origins: tuple[tuple[str, Number], ...]
    """(origin, deliveries) for the origins that occur, most frequent first."""
    first: datetime | None
    last: datetime | None
    first_exposed: datetime | None
    last_exposed: datetime | None


@dataclass(frozen=True)
class Groups:
    """The headline (confirmed and suspected together) and every way it is told apart.

    headline = confirmed + suspected = people + automated. `review` and `dismissed` are outside it.
    """

    headline: Tally
    confirmed: Tally
    suspected: Tally
    people: Tally
    automated: Tally
    review: Tally
    dismissed: Tally
