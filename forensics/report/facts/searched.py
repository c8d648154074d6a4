"""What was searched and how: gateways, coverage, evidence, method."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

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
    uncovered: tuple[tuple[date, date], ...]
    """Runs of UTC days (first, last) that lie within no server's period and no evidence file's: holes in the whole.
    Days without a delivery within a server's period are its `silent_days`."""
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
