"""People's verdicts, joined to the findings they speak of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from forensics.headline import COUNTING
from forensics.report.facts import Ruling
from forensics.rulings import Verdict, held, on, orphaned


def attach(
    findings: Sequence[Mapping[str, Any]], verdicts: Sequence[Verdict]
) -> tuple[dict[str, Ruling], tuple[Ruling, ...]]:
    """({delivery id: its ruling}, rulings that found nothing to rule on).

    `findings`: rows with delivery_id, observed_domain, intended_domain. `verdicts`: in their order.
    """
    pairs = {row["delivery_id"]: (row["observed_domain"], row["intended_domain"]) for row in findings}
    said = held(verdicts)
    holding = {delivery: on(said, pair, delivery) for delivery, pair in pairs.items()}
    ruled = {delivery: _ruling(one) for delivery, one in holding.items() if one is not None}
    return ruled, tuple(map(_ruling, orphaned(verdicts, pairs)))


def _ruling(one: Verdict) -> Ruling:
    return Ruling(verdict=one.verdict, at=one.at, reviewer=one.reviewer, reason=one.reason)


def state(level: str, ruling: Ruling | None, headline: Collection[str] = COUNTING) -> str:
    """confirmed, suspected, review or dismissed, as `facts.STATES` says. `headline`: levels that count unruled."""
    if ruling is not None and ruling.verdict in ("confirmed", "dismissed"):
        return ruling.verdict
    return "suspected" if level in headline else "review"
