"""What was searched and how: gateways, coverage, evidence, method."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from forensics import accounts
from forensics.report.facts.base import Number, Raw


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


SEARCHES = ("read", "partly", "unweighed", "unread")
"""read: what was weighed is all but a little of what there was · partly: a file, the rest of a damaged one, or a stated
share (`accounts.MUCH`) was not read · unweighed: read, but no delivery of the organisation in the period · unread:
nothing was read. In the last two nothing was searched, and nothing found is no answer."""
NOTHING_SEARCHED = ("unweighed", "unread")


@dataclass(frozen=True)
class Skipped:
    """A file that was handed in and is no evidence: it could not be opened, or no mail log was recognised in it."""

    name: Annotated[str, Raw("file")]
    reason: Annotated[str, Raw("text")]

    @property
    def cut(self) -> bool:
        """An archive that was not read to its end: nobody knows what else is in it."""
        return accounts.CUT in self.reason


@dataclass(frozen=True)
class Loss:
    """Records or messages that the log itself says, or shows, that it does not hold."""

    kind: str
    host: Annotated[str, Raw("host")]
    at: datetime | None
    count: int | None
    """None: the log says no number."""
    record: int | None
    """Number of the record that says so."""
    text: Annotated[str, Raw("text")]


@dataclass(frozen=True)
class LossTotal:
    """All losses of one kind in one evidence; `Evidence.losses` has the earliest of them."""

    kind: str
    records: int
    count: int | None
    """The sum of what they say; None: they say no number."""
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class OtherLines:
    """Lines of a mail program that bear on no delivery, and one of them."""

    program: Annotated[str, Raw("name")]
    count: int
    record: int | None
    offset: int | None
    text: Annotated[str, Raw("text")]


@dataclass(frozen=True)
class UnreadKind:
    """Records that could not be read for one reason, and the first of them."""

    reason: str
    count: int
    evidence: str
    """`ref` of the evidence that the example lies in."""
    record: int
    offset: int
    text: Annotated[str, Raw("text")]


@dataclass(frozen=True)
class Coverage:
    """What was searched and what could not be seen."""

    search: str
    """One of SEARCHES."""
    first: datetime | None
    last: datetime | None
    """Of what was read; a file of which nothing was read counts for nothing."""
    since: datetime | None
    until: datetime | None
    """Period that detection was asked for: [since, until)."""
    weighed: Number
    """Outbound deliveries with a sender in that period: what a search that found nothing rests on."""
    weighed_messages: Number
    weighed_domains: Number
    weighed_first: datetime | None
    weighed_last: datetime | None
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
    uncovered: tuple[tuple[date, date], ...]
    """Runs of UTC days (first, last) that lie within no server's period and no evidence file's: holes in the whole.
    Days without a delivery within a server's period are its `silent_days`."""
    records: int
    used: int
    ignored: int
    unread: int
    duplicates: int
    unread_reasons: tuple[tuple[str, int], ...]
    """Every reason; `unread_examples` has the commonest with an example each."""
    unread_examples: tuple[UnreadKind, ...]
    bearing: int
    """Records that bear on deliveries, or may: used, repeated and unread ones. Shares of `unread` are of these."""
    unread_first: datetime | None
    unread_last: datetime | None
    """Period of the evidence that unread records lie in; None where none of its records has a time."""
    unread_touches: bool
    """Whether that may be the period of the findings, or, where nothing was found, the period searched."""
    unread_files: tuple[str, ...]
    """`ref` of every evidence of which nothing was read."""
    skipped: tuple[Skipped, ...]
    losses: tuple[LossTotal, ...]
    """Signs in the logs that something is missing, by kind."""
    losses_first: datetime | None
    losses_last: datetime | None
    losses_touching: int
    """Those that may lie in the period of the findings (the period searched, where nothing was found)."""
    unseen_domains: Annotated[tuple[str, ...], Raw("domain")]
    """Domains named as the organisation's that no sender or recipient has."""
    watched: Annotated[tuple[str, ...], Raw("domain")]
    known_good: Annotated[tuple[str, ...], Raw("domain")]
    unaccused: Annotated[tuple[str, ...], Raw("domain")]
    """Public suffixes, as `*.ml`, that case.toml calls the organisation's or known-good, or watches as a whole though
    anybody may have a name there: no finding can be below them."""
    any_relay: Annotated[tuple[str, ...], Raw("domain")]
    """Public suffixes, in the same way, that case.toml names among the shared relays."""


ASSUMED = "assumed: neither the log nor case.toml names one"
"""What `Evidence.time_basis` says of a time zone that nobody told."""


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
    packing: str = ""
    """The command of a shell that prints the file's content (`zcat`); empty where it takes more than one."""
    plain_lines: bool = False
    """Whether a record is a line of the content, so that its number is the line's."""
    damage: Annotated[str | None, Raw("text")] = None
    noted: Annotated[tuple[str, ...], Raw("text")] = ()
    """What its loader noted, in sentences."""
    losses: tuple[Loss, ...] = ()
    """The earliest of each kind, in order of time."""
    loss_totals: tuple[LossTotal, ...] = ()
    other_lines: tuple[OtherLines, ...] = ()


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
class Level:
    """How often a level was right on logs that the detector had not seen, and whether it counts in a headline."""

    name: str
    counts: bool
    hits: int
    of: int
    mean: float | None
    """Mean score of these pairs; None without any."""


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
    """Commands that make these tables again, a line each."""
    signals: tuple[Signal, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()
    levels: tuple[Level, ...] = ()
