"""The one fact base of a report: every number, name and time that any format shows.

`gather` (in `forensics.report.gather`) computes a `Facts` once; every format lays it out and computes nothing.
A `Number` carries the deliveries behind it, or, for totals over a whole table, the query that gives it again.

Fields whose value comes from the logs or names a person are marked `Annotated[…, Raw(kind)]`; the redacted
edition replaces exactly those, by kind (`forensics.report.redaction`). A field without a mark is shown in both
editions, so a new field that can hold an address, a name, a host or free text must be marked.

Times are aware datetimes in UTC. `None` always means "the evidence (or the investigator) does not say".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

FORMAT_VERSION = 1
"""Version of `Facts` as written to incident.json."""

EDITIONS = ("full", "redacted")
STATES = ("confirmed", "suspected", "review", "dismissed")
"""confirmed: a person ruled so · suspected: level high or medium without a ruling · review: level low without a
ruling, in no headline number · dismissed: a person ruled against."""

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
    accepted: Number
    """Exposed and handed on together."""
    exposed: Number
    """Accepted by the lookalike domain's own server."""
    handed_on: Number
    """Accepted by a relay that takes mail for many domains: final acceptance unknown."""
    not_exposed: Number
    unsettled: Number
    encrypted: Number
    """Of exposed and handed on: sent over TLS."""
    unencrypted: Number
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
    """Where in the evidence a delivery stands: evidence reference (`E1`), 1-based record number."""

    evidence: str
    number: int


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
    resent_at: datetime | None = None
    """When the same sender next wrote to the intended address, if the logs show it."""


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
    resent: Number
    """Findings whose sender wrote to the intended address afterwards."""
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
    encrypted: Number


@dataclass(frozen=True)
class Place:
    """Where misdirected mail went: one observed suffix."""

    suffix: str
    """Last label, without dot (`ml`)."""
    exists: bool
    """A registry has it: a real suffix means possible disclosure, an invented one a refusal."""
    country: str | None
    """ISO 3166 code, or `EU`; None for generic suffixes."""
    country_name: str | None
    of_concern: bool
    """On the case's own list of jurisdictions of concern."""
    deliveries: Number
    accepted: Number
    """Exposed or handed on."""
    messages: Number
    all_deliveries: Number
    """Every outbound delivery to this suffix, misdirected or meant."""
    all_messages: Number
    domains: Annotated[tuple[str, ...], Raw("domain")]
    relays: tuple[Relay, ...]
    operator_then: Annotated[str | None, Raw("text")]
    operator_now: Annotated[str | None, Raw("text")]


@dataclass(frozen=True)
class Day:
    """Outbound deliveries of one UTC day."""

    day: date
    legitimate: int
    exposed: int
    """Headline findings accepted (exposed or handed on)."""
    not_exposed: int
    """Headline findings refused or unsettled."""


@dataclass(frozen=True)
class Flow:
    """Headline deliveries from one sender, meant for one domain, sent to another."""

    sender: Annotated[str, Raw("address")]
    intended: Annotated[str, Raw("domain")]
    observed: Annotated[str, Raw("domain")]
    deliveries: Number
    accepted: Number


@dataclass(frozen=True)
class Header:
    """What stands at the head of every edition."""

    edition: str
    found: bool
    """Whether any headline finding exists."""
    organisation: Annotated[str, Raw("name")]
    domains: Annotated[tuple[str, ...], Raw("domain")]
    timezone: str
    title: Annotated[str, Raw("text")] = ""
    reference: Annotated[str | None, Raw("text")] = None
    handling: str | None = None
    """Handling marking, as the investigator set it; shown in both editions."""
    status: str | None = None
    """initial, follow-up or final."""
    author: Annotated[str | None, Raw("name")] = None
    qualification: Annotated[str | None, Raw("text")] = None
    as_of: datetime | None = None
    version: str = ""
    case_state: str = ""
    """Digest of evidence, tables, settings and verdicts."""
    verify: str = ""
    """The command that checks this report."""


@dataclass(frozen=True)
class Clock:
    """The 72 hours of GDPR Art. 33(1), from what the investigator states; nothing is assumed.

    state: `not-answered` (no time of awareness given) · `deadline` (aware, no as_of) · `running` · `passed` ·
    `notified-in-time` · `notified-late`.
    """

    state: str
    discovered_at: datetime | None
    aware_at: datetime | None
    deadline: datetime | None
    as_of: datetime | None
    remaining_seconds: int | None
    """Until the deadline at as_of; negative when it has passed; None without as_of."""
    notified_at: datetime | None
    discovered_how: Annotated[str | None, Raw("text")] = None
    delay_reasons: Annotated[str | None, Raw("text")] = None


@dataclass(frozen=True)
class Containment:
    """What was done to stop it, and whether the logs show that it holds.

    state: `not-answered` · `holds` (logs run past the block and show no accepted send after it) · `broken` ·
    `not-covered` (the logs end before the block).
    """

    state: str
    blocked_at: datetime | None
    last_accepted: datetime | None
    logs_end: datetime | None
    accepted_after: Number
    refused_after: Number
    legitimate_after: Number
    """Other outbound deliveries after the block: shows that the logs were alive."""


@dataclass(frozen=True)
class Statement:
    """A public claim and what the evidence says about it.

    result: `supported` · `contradicted` · `not-determinable`. `basis` is a key of the wording file
    (`statement.<basis>`), `values` fills it.
    """

    claim: Annotated[str, Raw("text")]
    made_by: Annotated[str | None, Raw("name")]
    made_on: date | None
    check: str
    """Kind of check asked for, or `none`."""
    threshold: str | None
    result: str
    basis: str
    values: tuple[tuple[str, str | int], ...]
    evidence: Number


@dataclass(frozen=True)
class Item:
    """One item of the questionnaire and its answer.

    `key` is `section.name`; question and help are in the wording file. answer None = NOT YET ANSWERED.
    """

    key: str
    section: str
    required: bool
    answered: bool
    demanded_by: tuple[str, ...]
    """Norms that ask for it, such as `GDPR Art 33(3)(a)`."""
    answer: Annotated[str | None, Raw("text")]
    """For display; choices are keys of the wording file (`choice.<value>`) when kind is `choice`."""
    kind: str = "text"
    """text, choice, moment, count or list."""
    released: bool = False
    """The redacted edition may show the answer's text."""


@dataclass(frozen=True)
class Action:
    """A decision or next step."""

    what: Annotated[str, Raw("text")]
    owner: Annotated[str | None, Raw("name")]
    due: date | None
    done: bool


@dataclass(frozen=True)
class Questionnaire:
    items: tuple[Item, ...]
    required: int
    answered: int
    """Of the required ones."""
    actions: tuple[Action, ...]
    release: tuple[str, ...] = ()
    """Keys of texts that the redacted edition may show, `statements`, `actions` and `operators` among them."""

    def __getitem__(self, key: str) -> Item:
        return next(item for item in self.items if item.key == key)


@dataclass(frozen=True)
class Gateway:
    """One logging host and what its log covers."""

    name: Annotated[str, Raw("host")]
    system: str
    first: datetime
    last: datetime
    deliveries: Number
    silent_days: tuple[date, ...]
    """UTC days between first and last on which it logged no delivery."""


@dataclass(frozen=True)
class Coverage:
    """What was searched and what could not be seen."""

    first: datetime | None
    last: datetime | None
    deliveries: Number
    outbound: Number
    inbound: Number
    internal: Number
    relayed: Number
    machine: Number
    """Outbound deliveries without a sender (delivery reports)."""
    messages: Number
    """Distinct outbound messages."""
    external_domains: Number
    unknown_outcome: Number
    deferred: Number
    without_subject: Number
    tls_unknown: Number
    possible_duplicates: Number
    outcomes: tuple[tuple[str, Number], ...]
    """Outbound deliveries by outcome, in schema order."""
    gateways: tuple[Gateway, ...]
    records: int
    used: int
    ignored: int
    unread: int
    duplicates: int
    unread_reasons: tuple[tuple[str, int], ...]
    watched: Annotated[tuple[str, ...], Raw("domain")]
    known_good: Annotated[tuple[str, ...], Raw("domain")]


@dataclass(frozen=True)
class Evidence:
    """One evidence file. `ref` (`E1`) is how findings cite it."""

    ref: str
    names: Annotated[tuple[str, ...], Raw("file")]
    file_sha256: str
    content_sha256: str
    file_bytes: int
    content_bytes: int
    loader: str
    records: int
    used: int
    ignored: int
    unread: int
    duplicates: int
    first: datetime | None
    last: datetime | None
    time_basis: str
    """How year and zone were found, in the manifest's words."""
    damage: Annotated[str | None, Raw("text")] = None


@dataclass(frozen=True)
class Rate:
    """One row of the measured error rates that the method annex quotes."""

    name: str
    """Corpus or kind of slip."""
    measure: str
    """`precision`, `recall`, `calibration-error`, `intended-right` …"""
    value: float
    low: float | None
    high: float | None
    count: int | None


@dataclass(frozen=True)
class Bin:
    """One bin of the reliability curve."""

    predicted: float
    observed: float
    count: int


@dataclass(frozen=True)
class Signal:
    """One part of the weighing: what it looks at, and its fitted weight a unit (log10)."""

    name: str
    meaning: str
    weight: float | None


@dataclass(frozen=True)
class Sensitivity:
    """Findings by level if the prior odds were `factor` times the stated ones."""

    factor: float
    high: int
    medium: int
    low: int


@dataclass(frozen=True)
class Method:
    """How findings were made, and how well that is known to work."""

    version: str
    settings_digest: str
    suffix_list_digest: str
    libraries: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    """(name, value) of the detector's settings, prior and thresholds."""
    rates: tuple[Rate, ...]
    reliability: tuple[Bin, ...]
    evaluated_on: str
    """What the rates were measured on; empty when no measurement ships with this version."""
    command: Annotated[str, Raw("text")] = ""
    """A command that makes these tables again."""
    signals: tuple[Signal, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Everything a report says. Formats lay it out; none computes."""

    header: Header
    groups: Groups
    clock: Clock
    containment: Containment
    stories: tuple[Story, ...]
    """Worst first: exposed deliveries, then deliveries."""
    incidents: tuple[Incident, ...]
    findings: tuple[Finding, ...]
    """All of them, in order of time; look at `state`."""
    repeat_senders: tuple[Person, ...]
    """Senders with more than one headline delivery, most first."""
    places: tuple[Place, ...]
    days: tuple[Day, ...]
    flows: tuple[Flow, ...]
    statements: tuple[Statement, ...]
    questionnaire: Questionnaire
    coverage: Coverage
    evidence: tuple[Evidence, ...]
    method: Method
    orphaned: tuple[Ruling, ...] = ()
    """Verdicts whose finding no longer exists."""
