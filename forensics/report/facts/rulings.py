"""People's verdicts, joined to the findings they speak of.

A verdict names a pair (observed, intended) and, when it speaks of single findings, their delivery ids. One for
single deliveries outweighs one for the pair; of two equal ones the later in the list counts. A verdict whose
pair or delivery has no finding any more is orphaned: shown, never dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from forensics.errors import CaseError
from forensics.headline import COUNTING
from forensics.report.facts import Ruling
from forensics.schema import VERDICTS


@dataclass(frozen=True)
class VerdictRecord:
    """One current verdict, as the review room hands it over."""

    observed_domain: str
    intended_domain: str
    verdict: str
    deliveries: tuple[str, ...] = ()
    """Empty: the whole incident."""
    reviewer: str = ""
    reason: str = ""
    at: datetime | None = None


def of(record: VerdictRecord | Mapping[str, Any] | object) -> VerdictRecord:
    """A verdict from a record with the same names, as mapping or as attributes.

    Raises CaseError when it rules something other than confirmed, dismissed or undecided.
    """
    if isinstance(record, VerdictRecord):
        return record

    def get(name: str, default: Any) -> Any:
        if isinstance(record, Mapping):
            return record.get(name, default)
        return getattr(record, name, default)

    verdict = get("verdict", "")
    if verdict not in VERDICTS:
        raise CaseError(f"verdicts.jsonl: {verdict!r} is no verdict", expected=", ".join(VERDICTS))
    at = get("at", None)
    if isinstance(at, str):
        at = datetime.fromisoformat(at) if at else None
    if at is not None:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return VerdictRecord(
        observed_domain=get("observed_domain", ""),
        intended_domain=get("intended_domain", ""),
        verdict=verdict,
        deliveries=tuple(get("deliveries", None) or ()),
        reviewer=get("reviewer", "") or "",
        reason=get("reason", "") or "",
        at=at,
    )


def attach(
    findings: Sequence[Mapping[str, Any]], records: Iterable[VerdictRecord | Mapping[str, Any] | object]
) -> tuple[dict[str, Ruling], tuple[Ruling, ...]]:
    """({delivery id: its ruling}, rulings that found nothing to rule on).

    `findings`: rows with delivery_id, observed_domain, intended_domain.
    """
    pairs: dict[tuple[str, str], list[str]] = {}
    for row in findings:
        pairs.setdefault((row["observed_domain"], row["intended_domain"]), []).append(row["delivery_id"])
    known = {row["delivery_id"]: (row["observed_domain"], row["intended_domain"]) for row in findings}
    whole: dict[str, Ruling] = {}
    single: dict[str, Ruling] = {}
    orphaned: list[Ruling] = []
    for verdict in map(of, records):
        ruling = Ruling(verdict=verdict.verdict, at=verdict.at, reviewer=verdict.reviewer, reason=verdict.reason)
        if verdict.deliveries:
            pair = (verdict.observed_domain, verdict.intended_domain)
            here = [delivery for delivery in verdict.deliveries if known.get(delivery) == pair]
            single.update(dict.fromkeys(here, ruling))
        else:
            here = pairs.get((verdict.observed_domain, verdict.intended_domain), [])
            whole.update(dict.fromkeys(here, ruling))
        if not here:
            orphaned.append(ruling)
    return {**whole, **single}, tuple(orphaned)


def state(level: str, ruling: Ruling | None, headline: Collection[str] = COUNTING) -> str:
    """confirmed, suspected, review or dismissed, as `facts.STATES` says. `headline`: levels that count unruled."""
    if ruling is not None and ruling.verdict in ("confirmed", "dismissed"):
        return ruling.verdict
    return "suspected" if level in headline else "review"
