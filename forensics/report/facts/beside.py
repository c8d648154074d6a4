"""What is worth a person's look and is in no headline: contested findings, lookalikes that write in a partner's name,
domains that do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from forensics.report.facts.base import Number, Raw
from forensics.report.facts.found import Finding


@dataclass(frozen=True)
class Contested:
    """A pair of which what the other side could have brought about decides: a correspondent, or someone who took the
    name."""

    typed: Annotated[str, Raw("domain")]
    meant: Annotated[str, Raw("domain")]
    deliveries: Number
    wrote: int
    """Deliveries from there to the organisation."""
    score: float
    """The highest with all evidence."""
    without_theirs: float
    """The same without what the domain's owner could have brought about."""
    verdict: str
    """confirmed, dismissed or mixed; empty where no person ruled."""


@dataclass(frozen=True)
class Impersonation:
    """A lookalike that wrote to the organisation from local parts that are known at the partner."""

    domain: Annotated[str, Raw("domain")]
    partner: Annotated[str, Raw("domain")]
    local_parts: int
    messages: int
    second: float
    """Probability that it is the partner's second name."""


@dataclass(frozen=True)
class NoSuchDomain:
    """A domain whose every delivery failed because there is none: probably mistyped, the domain meant unknown."""

    domain: Annotated[str, Raw("domain")]
    deliveries: int
    writers: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Beside:
    """Beside the findings."""

    contested: tuple[Contested, ...] = ()
    impersonations: tuple[Impersonation, ...] = ()
    undeliverable: tuple[NoSuchDomain, ...] = ()


@dataclass(frozen=True)
class Told:
    """What detection.json says of it, as `detector.signs` made it."""

    impersonation: Sequence[Mapping[str, Any]] = field(default=())
    undeliverable: Sequence[Mapping[str, Any]] = field(default=())


# Also what the other side alone took below level high: else it could write itself out of every number.
_CONTESTED = """
WITH pairs AS (
  SELECT observed_domain, intended_domain, list(delivery_id ORDER BY delivery_id) AS ids, max(score) AS score,
         max(score_without_theirs) AS without
  FROM findings WHERE contested OR (score < 0.95 AND score_without_theirs >= 0.95) GROUP BY ALL
), came AS (
  SELECT sender_domain, count(*) AS wrote FROM deliveries WHERE direction = 'inbound' GROUP BY ALL
)
SELECT observed_domain, intended_domain, ids, score, without, coalesce(wrote, 0)
FROM pairs LEFT JOIN came ON sender_domain = observed_domain ORDER BY len(ids) DESC, 1, 2
"""


def read(connection: Any, findings: Iterable[Finding], told: Told) -> Beside:
    """From the views `findings` and `deliveries`, and what detection.json tells."""
    state = {finding.delivery_id: finding.state for finding in findings}
    contested = []
    for typed, meant, ids, score, without, wrote in connection.execute(_CONTESTED).fetchall():
        ruled = {state[i] for i in ids if state[i] in ("confirmed", "dismissed")}
        verdict = "mixed" if len(ruled) > 1 else next(iter(ruled), "")
        contested.append(Contested(typed, meant, Number(len(ids), tuple(ids)), wrote, score, without, verdict))
    return Beside(
        tuple(contested),
        tuple(
            Impersonation(one["domain"], one["partner"], one["local_parts"], one["messages"], one["second"])
            for one in told.impersonation
        ),
        tuple(
            NoSuchDomain(one["domain"], one["deliveries"], one["writers"], _moment(one, "first"), _moment(one, "last"))
            for one in told.undeliverable
        ),
    )


def _moment(one: Mapping[str, Any], end: str) -> datetime:
    return datetime.fromisoformat(one[f"{end}_seen"]).astimezone(UTC)
