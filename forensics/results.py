"""What each stage came to: the numbers that commands print, read back from the case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics.case import Case

if TYPE_CHECKING:
    from forensics.custody.manifest import Manifest

__all__ = ["Detected", "Ingested", "Reported", "Run"]

HEADLINE = ("high", "medium")
"""Levels that count; `low` is kept for review."""


@dataclass(frozen=True)
class Ingested:
    """records = used + ignored + unread, over all evidence of the case; duplicates are among the ignored."""

    case: Path
    evidence: int
    already: int
    records: int
    used: int
    ignored: int
    duplicates: int
    unread: int
    deliveries: int
    first: datetime | None
    last: datetime | None
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Detected:
    """`findings` and `messages` count levels high and medium; `kept_for_review` the level low."""

    case: Path
    verdict: str
    scored: int
    findings: int
    messages: int
    exposed: int
    handed_on: int
    not_exposed: int
    unsettled: int
    kept_for_review: int
    first: datetime | None
    last: datetime | None
    incidents: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Reported:
    case: Path
    files: tuple[Path, ...]
    answered: int
    required: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    ingested: Ingested
    detected: Detected
    reported: Reported


def ingested(case: Case, inventory: Manifest, already: int, skipped: Sequence[tuple[str, str]]) -> Ingested:
    entries = inventory.evidence
    ends = [datetime.fromisoformat(t) for one in entries for t in (one.first, one.last) if t]
    return Ingested(
        case=case.folder, evidence=len(entries), already=already,
        records=sum(one.records for one in entries), used=sum(one.used for one in entries),
        ignored=sum(sum(one.ignored.values()) for one in entries),
        duplicates=sum(one.duplicates for one in entries), unread=sum(one.unread for one in entries),
        deliveries=next((table.rows for table in inventory.tables if table.name == "deliveries"), 0),
        first=min(ends, default=None), last=max(ends, default=None), skipped=tuple(skipped), notes=_notes(inventory),
    )  # fmt: skip


def detected(case: Case) -> Detected:
    """What the case's findings come to, and the verdict in one sentence."""
    from forensics import casefile as case_files
    from forensics import store
    from forensics.custody import manifest

    casefile = case_files.read(case)
    with store.connect(case, casefile.organisation.domains) as connection:
        counted = _rows(
            connection,
            f"""select count(*) findings,
            count(distinct (coalesce(network_message_id, message_id, queue_id, delivery_id), sender)) messages,
            count(*) filter (f.exposure = 'exposed') exposed,
            count(*) filter (f.exposure = 'handed-on') handed_on,
            count(*) filter (f.exposure = 'not-exposed') not_exposed,
            count(*) filter (f.exposure = 'unsettled') unsettled,
            min(d.submitted_at) first, max(d.submitted_at) last
            from findings f join deliveries d using (delivery_id) where f.level in {HEADLINE}""",
        )[0]
        low = _rows(connection, "select count(*) n from findings where level = 'low'")[0]["n"]
        period = _period(manifest.read(case).settings)
        scored = _rows(
            connection, f"select count(*) n from deliveries where direction = 'outbound' and sender <> '' {period}"
        )[0]["n"]
        incidents = _rows(
            connection,
            f"""select observed_domain, intended_domain, slip, story, messages, recipients, senders, exposed,
            not_exposed, first_seen, last_seen, score
            from incidents where incident_id in (select incident_id from findings where level in {HEADLINE})
            order by messages desc, observed_domain, intended_domain""",
        )
        verdict = _verdict(counted, scored) if scored else _nothing_outbound(connection, casefile.organisation.domains)
    return Detected(case.folder, verdict, scored, kept_for_review=low, incidents=tuple(incidents), **counted)


def _nothing_outbound(connection: Any, organisation: Sequence[str]) -> str:
    """Not an all-clear: with a wrong domain for the organisation nothing at all is weighed."""
    common = _rows(
        connection,
        "select sender_domain from deliveries where sender_domain <> '' group by 1 order by count(*) desc, 1 limit 5",
    )
    names = ", ".join(row["sender_domain"] for row in common) or "none"
    ours = ", ".join(organisation)
    return (
        f"nothing was weighed: no delivery left {ours} for another domain. "
        f"Most mail in these logs is from {names}; if one of them is the organisation's, give it with --org."
    )


def _verdict(counted: Mapping[str, Any], scored: int) -> str:
    if not counted["findings"]:
        return f"no delivery to a lookalike of a known domain was found among {scored:,} outbound deliveries."
    accepted = counted["exposed"] + counted["handed_on"]
    plural = "delivery" if counted["findings"] == 1 else "deliveries"
    settled = f"{accepted:,} accepted by the server there, {counted['not_exposed']:,} refused"
    open_ones = f", {counted['unsettled']:,} unsettled" if counted["unsettled"] else ""
    messages = "1 message" if counted["messages"] == 1 else f"{counted['messages']:,} messages"
    what = f"{counted['findings']:,} {plural} in {messages} went to a lookalike of the domain their sender meant"
    return f"{what}: {settled}{open_ones}."


def _notes(inventory: Manifest) -> tuple[str, ...]:
    """Damage, and how years were found for stamps that have none, alike ones together."""
    damage = [f"{one.names[0]}: {one.damage}" for one in inventory.evidence if one.damage]
    found = [one.notes["year"] for one in inventory.evidence if one.notes.get("year")]
    years = Counter((year["first"], str(year["by"]).partition(" (")[0]) for year in found)
    years_from = [
        f"stamps without a year: {number} of the files from {year}, by {how}" for (year, how), number in years.items()
    ]
    return (*damage, *sorted(years_from))


def _period(settings: Mapping[str, Any]) -> str:
    since, until = settings.get("since"), settings.get("until")
    return (f" and submitted_at >= '{since}'" if since else "") + (f" and submitted_at < '{until}'" if until else "")


def _rows(connection: Any, query: str) -> list[dict[str, Any]]:
    from forensics import store

    names, rows = store.fetch(connection, query)
    return [dict(zip(names, row, strict=True)) for row in rows]
