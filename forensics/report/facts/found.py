"""What was found: findings, incidents, stories, the people and places of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from forensics.report.facts.base import Number, Raw, Tally


@dataclass(frozen=True)
class Segment:
    """One piece of the slip, letter by letter.

    kind: `same` · `missing` (meant, not typed) · `extra` (typed, not meant) · `replaced` · `swapped`.
    """

    kind: str
    typed: str
    meant: str


@dataclass(frozen=True)
class Slip:
    """How the typed domain differs from the meant one. `segments` read left to right give both."""

    kind: str
    """Name as in FINDINGS.slip; its words are in the wording file under `slip.<kind>`."""
    typed: Annotated[str, Raw("domain")]
    meant: Annotated[str, Raw("domain")]
    segments: Annotated[tuple[Segment, ...], Raw("slip")]
    """Empty when the two share too little to be set letter by letter, or were redacted."""


@dataclass(frozen=True)
class Reason:
    """One named part of the weight of evidence; weight is log10 of a likelihood ratio."""

    name: str
    weight: float
    text: Annotated[str, Raw("text")]


@dataclass(frozen=True)
class Record:
    """Where in the evidence a delivery stands: evidence reference (`E1`), 1-based record number; offset of its first
    byte in the decompressed content, and its length in bytes."""

    evidence: str
    number: int
    offset: int
    length: int


@dataclass(frozen=True)
class Ruling:
    """A person's verdict. `reviewer` and `reason` are as they were written."""

    verdict: str
    at: datetime | None
    reviewer: Annotated[str, Raw("name")] = ""
    reason: Annotated[str, Raw("text")] = ""


@dataclass(frozen=True)
class Finding:
    """A delivery believed misdirected, with everything a reader needs to check it."""

    ref: str
    """`F1`, `F2` … in order of time: the number by which every format names it."""
    state: str
    level: str
    score: float
    weight: float
    prior: float
    exposure: str
    origin: str
    automated: bool
    """Machine mail: counted apart."""
    submitted_at: datetime
    resolved_at: datetime | None
    outcome: str
    attempts: int
    """Delivery attempts that the logs show."""
    content_sent: bool | None
    """Whether the message, or part of it, was sent to the server that accepted it, or that refused it, or with which
    the connection broke; None where that is not known (`forensics.sent`)."""
    tls: bool | None
    size_bytes: int | None
    slip: Slip
    reasons: tuple[Reason, ...]
    alternatives: Annotated[tuple[tuple[str, float], ...], Raw("domain")]
    """(other intended domain considered, its score)."""
    ruling: Ruling | None
    records: tuple[Record, ...]
    incident: str
    """`I1`, `I2` …"""
    story: str
    delivery_id: Annotated[str, Raw("id")]
    message: Annotated[str, Raw("id")]
    """Names the message: findings with the same value left as one message."""
    sender: Annotated[str, Raw("address")]
    recipient: Annotated[str, Raw("address")]
    intended_address: Annotated[str | None, Raw("address")]
    original_recipient: Annotated[str | None, Raw("address")]
    """The list or alias that led there."""
    subject: Annotated[str | None, Raw("subject")]
    message_id: Annotated[str | None, Raw("id")]
    queue_id: Annotated[str | None, Raw("id")]
    host: Annotated[str | None, Raw("host")]
    relay_name: Annotated[str | None, Raw("host")]
    relay_address: Annotated[str | None, Raw("ip")]
    status_code: str | None
    response: Annotated[str | None, Raw("response")]
    also_to_meant: bool = False
    """The same message was also addressed to the intended address."""
    resent_at: datetime | None = None
    """When the same sender next sent another message to the intended address, if the logs show it."""


@dataclass(frozen=True)
class Person:
    """A sender and how often the slip left from there."""

    address: Annotated[str, Raw("address")]
    deliveries: Number
    exposed: Number
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Incident:
    """Findings that share one observed → intended pair."""

    ref: str
    story: str
    state: str
    """The strongest state among its findings, in the order of STATES."""
    slip: Slip
    observed_country: str | None
    intended_country: str | None
    score: float
    tally: Tally
    """Confirmed and suspected findings."""
    review: Number
    dismissed: Number
    senders: tuple[Person, ...]
    """Most deliveries first."""
    lists: Annotated[tuple[tuple[str, Number], ...], Raw("address")]
    """(list or alias, deliveries that came through it)."""
    followups: Number
    """Deliveries by a sender to a wrong address that the same sender had already written to."""
    also_to_meant: Number
    """Findings whose message was also addressed to the intended address."""
    resent: Number
    """Findings whose sender wrote another message to the intended address afterwards."""
    findings: tuple[str, ...]
    """Refs of all its findings, dismissed and low ones too."""
    incident_id: Annotated[str, Raw("id")]


@dataclass(frozen=True)
class Story:
    """Incidents of one suffix slip (`.mil → .ml`), or one incident that shares its slip with no other."""

    ref: str
    suffixes: tuple[str, str] | None
    """(intended, observed) suffix when the story is one of suffixes, such as ("mil", "ml")."""
    incidents: tuple[str, ...]
    tally: Tally
    observed: Annotated[tuple[str, ...], Raw("domain")]
    intended: Annotated[tuple[str, ...], Raw("domain")]


@dataclass(frozen=True)
class Relay:
    """A server that took or refused misdirected mail."""

    name: Annotated[str | None, Raw("host")]
    address: Annotated[str | None, Raw("ip")]
    accepted: Number
    refused: Number
    encrypted: Number | None
    """Of the accepted deliveries those over TLS; None when the logs tell of none of them."""
    encryption_unknown: Number
    """Of the accepted deliveries those of which the logs do not tell."""


@dataclass(frozen=True)
class Place:
    """Where misdirected mail went: one observed suffix."""

    suffix: str
    """Last label, without dot (`ml`)."""
    exists: bool
    """A registry has it: somebody may own the domains there."""
    country: str | None
    """ISO 3166 code, or `EU`; None for generic suffixes."""
    country_name: str | None
    of_concern: bool
    """On the case's own list of jurisdictions of concern."""
    deliveries: Number
    accepted: Number
    """By servers of these domains themselves."""
    content_sent: Number
    """Not accepted, but sent to a server in whole or in part."""
    messages: Number
    all_deliveries: Number
    """Every outbound delivery to this suffix, misdirected or meant."""
    all_messages: Number
    domains: Annotated[tuple[str, ...], Raw("domain")]
    relays: tuple[Relay, ...]
    operator_then: Annotated[str | None, Raw("text")]
    operator_now: Annotated[str | None, Raw("text")]


@dataclass(frozen=True)
class Holder:
    """Who held a lookalike domain whose own server accepted mail or was sent it, or whose holder the case names."""

    domain: Annotated[str, Raw("domain")]
    then: Annotated[str | None, Raw("text")]
    now: Annotated[str | None, Raw("text")]


@dataclass(frozen=True)
class Day:
    """Outbound deliveries of one UTC day."""

    day: date
    legitimate: int
    exposed: int
    """Headline findings accepted by the server of the mistyped domain."""
    not_exposed: int
    """Headline findings refused, unsettled or handed on."""


@dataclass(frozen=True)
class Flow:
    """Headline deliveries from one sender, meant for one domain, sent to another."""

    sender: Annotated[str, Raw("address")]
    intended: Annotated[str, Raw("domain")]
    observed: Annotated[str, Raw("domain")]
    deliveries: Number
    accepted: Number
