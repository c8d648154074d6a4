"""Findings, incidents and stories of a report, from the case's tables.

`read` joins findings to their deliveries; `incidents` and `stories` group them. Needs the views `findings`,
`deliveries` and `incidents` on a DuckDB connection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from forensics import domains, sent
from forensics.errors import CaseError
from forensics.headline import COUNTING
from forensics.report.facts import (
    STATES,
    Finding,
    Incident,
    Reason,
    Record,
    Ruling,
    Story,
    places,
    rulings,
    slipmarks,
    tallies,
)
from forensics.rulings import Verdict
from forensics.store import rows

_JOIN = """
SELECT f.*, d.delivery_id AS found, d.system, d.host, d.queue_id, d.message_id, d.network_message_id,
       d.submitted_at, d.resolved_at, d.sender, d.recipient, d.original_recipient, d.outcome, d.status_code,
       d.response, d.attempts, d.relay_name, d.relay_address, d.tls, d.size_bytes, d.subject, d.records
FROM findings f LEFT JOIN deliveries d USING (delivery_id)
ORDER BY d.submitted_at, d.delivery_id
"""

_TO_MEANT = """
SELECT delivery_id, bool_or(same) AS also, min(other) FILTER (WHERE NOT same AND own AND other > sent) AS later
FROM (
  SELECT f.delivery_id, s.submitted_at AS sent, d.submitted_at AS other, d.original_recipient IS NULL AS own,
         (s.system, s.host, s.queue_id, s.network_message_id, s.submitted_at)
         IS NOT DISTINCT FROM (d.system, d.host, d.queue_id, d.network_message_id, d.submitted_at) AS same
  FROM findings f
  JOIN deliveries s USING (delivery_id)
  JOIN deliveries d ON lower(d.sender) = lower(s.sender) AND lower(d.recipient) = lower(f.intended_address)
  WHERE f.intended_address IS NOT NULL AND s.sender <> ''
)
GROUP BY delivery_id
"""
"""Mail of the same sender to the address meant: the same message, or a later one (as `coverage.MESSAGE` tells them).

A later one counts only where the sender wrote to that address: who writes again to a list that holds both addresses has
corrected nothing, and wrote to neither.
"""


def utc(moment: datetime | None) -> datetime | None:
    """The same moment with the standard library's UTC."""
    return None if moment is None else moment.astimezone(UTC)


def read(
    connection: Any,
    verdicts: Sequence[Verdict],
    evidence: Mapping[str, str],
    headline: Collection[str] = COUNTING,
    loaders: Mapping[str, str] = MappingProxyType({}),
) -> tuple[tuple[Finding, ...], tuple[Ruling, ...]]:
    """All findings in order of time, and the verdicts that found nothing to rule on.

    `evidence` maps evidence ids to the report's references, `headline` are the levels that count,
    `loaders` maps references to what read that evidence. Raises CaseError when a finding names a delivery that the case
    does not hold.
    """
    table = rows(connection, _JOIN)
    lost = [row["delivery_id"] for row in table if row["found"] is None]
    if lost:
        raise CaseError(
            f"findings.parquet names {len(lost)} deliveries that the case does not hold (first: {lost[0]})",
            remedy="run `missent detect --case DIR` again",
        )
    ruled, orphaned = rulings.attach(table, verdicts)
    to_meant = {row["delivery_id"]: row for row in rows(connection, _TO_MEANT)} if table else {}
    groups = _references(connection, table)
    found = tuple(
        _finding(
            f"F{n}",
            row,
            ruled.get(row["delivery_id"]),
            to_meant.get(row["delivery_id"], {}),
            groups,
            evidence,
            headline,
            loaders,
        )
        for n, row in enumerate(table, 1)
    )
    return found, orphaned


def observed(connection: Any) -> set[str]:
    """The domains that findings accuse."""
    return {row["d"] for row in rows(connection, "SELECT DISTINCT observed_domain AS d FROM findings")}


def _references(connection: Any, table: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str, str | None]]:
    """{incident id: (incident reference, story reference, story)}: numbered worst first."""
    known = {row["incident_id"]: row for row in rows(connection, "SELECT * FROM incidents")}
    size: dict[str, list[int]] = {}
    for row in table:
        counts = size.setdefault(row["incident_id"], [0, 0, 0])
        counts[0] += row["level"] != "low"
        counts[1] += row["level"] != "low" and row["exposure"] in tallies.ACCEPTED
        counts[2] += 1
    pair = {row["incident_id"]: (row["observed_domain"], row["intended_domain"]) for row in table}
    story = {i: (known[i]["story"] if i in known else None) for i in size}

    def weight(ids: Iterable[str]) -> tuple[int, int, int]:
        one = [size[i] for i in ids]
        return -sum(c[1] for c in one), -sum(c[0] for c in one), -sum(c[2] for c in one)

    grouped: dict[str, list[str]] = {}
    for i in size:
        grouped.setdefault(story[i] or f"={i}", []).append(i)
    out: dict[str, tuple[str, str, str | None]] = {}
    ordered = sorted(grouped.values(), key=lambda ids: (weight(ids), min(pair[i] for i in ids)))
    for s, ids in enumerate(ordered, 1):
        for i in sorted(ids, key=lambda i: (weight([i]), pair[i])):
            out[i] = (f"I{len(out) + 1}", f"S{s}", story[i])
    return out


def _finding(
    ref: str,
    row: Mapping[str, Any],
    ruling: Ruling | None,
    to_meant: Mapping[str, Any],
    groups: Mapping[str, tuple[str, str, str | None]],
    evidence: Mapping[str, str],
    headline: Collection[str],
    loaders: Mapping[str, str],
) -> Finding:
    submitted = row["submitted_at"].astimezone(UTC)
    sender = row["sender"] or ""
    parent = row["network_message_id"] or "|".join(
        str(part) for part in (row["system"], row["host"], row["queue_id"], submitted.isoformat())
    )
    incident, story, _ = groups[row["incident_id"]]
    records = tuple(
        Record(evidence.get(r["evidence"], r["evidence"][:12]), r["number"], r["offset"], r["length"])
        for r in row["records"]
    )
    read_by = {loaders[record.evidence] for record in records if record.evidence in loaders}
    return Finding(
        ref=ref,
        state=rulings.state(row["level"], ruling, headline),
        level=row["level"],
        score=row["score"],
        weight=row["weight"],
        prior=row["prior"],
        exposure=row["exposure"],
        origin=row["origin"],
        automated=row["origin"] == "automated" or sender == "",
        submitted_at=submitted,
        resolved_at=utc(row["resolved_at"]),
        outcome=row["outcome"],
        attempts=row["attempts"],
        content_sent=sent.content_sent(row["outcome"], row["response"], row["attempts"], read_by),
        tls=row["tls"],
        size_bytes=row["size_bytes"],
        slip=slipmarks.slip(row["slip"], row["observed_domain"], row["intended_domain"]),
        reasons=tuple(Reason(name=r["name"], weight=r["weight"], text=r["text"]) for r in row["reasons"]),
        alternatives=tuple((a["domain"], a["score"]) for a in row["alternatives"]),
        ruling=ruling,
        records=records,
        incident=incident,
        story=story,
        delivery_id=row["delivery_id"],
        message=parent,
        sender=sender,
        recipient=row["recipient"],
        intended_address=row["intended_address"],
        original_recipient=row["original_recipient"],
        subject=row["subject"],
        message_id=row["message_id"],
        queue_id=row["queue_id"],
        host=row["host"],
        relay_name=row["relay_name"],
        relay_address=row["relay_address"],
        status_code=row["status_code"],
        response=row["response"],
        also_to_meant=bool(to_meant.get("also")),
        resent_at=utc(to_meant.get("later")),
    )


def incidents(connection: Any, findings: Sequence[Finding]) -> tuple[Incident, ...]:
    """Incidents in order of their references."""
    names = {
        (row["observed_domain"], row["intended_domain"]): row for row in rows(connection, "SELECT * FROM incidents")
    }
    by: dict[str, list[Finding]] = {}
    for finding in findings:
        by.setdefault(finding.incident, []).append(finding)
    return tuple(
        _incident(ref, by[ref], names.get((by[ref][0].slip.typed, by[ref][0].slip.meant), {}))
        for ref in sorted(by, key=lambda ref: int(ref[1:]))
    )


def _incident(ref: str, own: Sequence[Finding], row: Mapping[str, Any]) -> Incident:
    head = tallies.headline(own)
    slip = own[0].slip
    seen: set[tuple[str, str]] = set()
    followups: list[Finding] = []
    messages: dict[tuple[str, str], str] = {}
    for finding in tallies.own(head):
        who = (domains.key(finding.sender), domains.key(finding.recipient))
        if who in seen and messages[who] != finding.message:
            followups.append(finding)
        seen.add(who)
        messages.setdefault(who, finding.message)
    lists: dict[str, list[Finding]] = {}
    for finding in head:
        if finding.original_recipient:
            lists.setdefault(finding.original_recipient, []).append(finding)
    return Incident(
        ref=ref,
        story=own[0].story,
        state=min((f.state for f in own), key=STATES.index),
        slip=slip,
        observed_country=row.get("observed_jurisdiction") or places.country(places.suffix(slip.typed)),
        intended_country=row.get("intended_jurisdiction") or places.country(places.suffix(slip.meant)),
        score=max(f.score for f in own),
        tally=tallies.tally(head),
        review=tallies.number(f for f in own if f.state == "review"),
        dismissed=tallies.number(f for f in own if f.state == "dismissed"),
        senders=tallies.persons(head),
        lists=tuple(
            (name, tallies.number(through))
            for name, through in sorted(lists.items(), key=lambda item: (-len(item[1]), item[0]))
        ),
        followups=tallies.number(followups),
        also_to_meant=tallies.number(f for f in head if f.also_to_meant),
        resent=tallies.number(f for f in head if f.resent_at is not None),
        findings=tuple(f.ref for f in own),
        incident_id=row.get("incident_id") or "",
    )


def stories(findings: Sequence[Finding], all_incidents: Sequence[Incident]) -> tuple[Story, ...]:
    """Incidents of one suffix slip together; every other incident is a story of its own. Worst first."""
    by: dict[str, list[Incident]] = {}
    for incident in all_incidents:
        by.setdefault(incident.story, []).append(incident)
    out = []
    for ref in sorted(by, key=lambda ref: int(ref[1:])):
        own = by[ref]
        ends = {(places.public_suffix(i.slip.meant), places.public_suffix(i.slip.typed)) for i in own}
        one = ends.pop() if len(ends) == 1 and all(slipmarks.in_suffix(i.slip) for i in own) else None
        out.append(
            Story(
                ref=ref,
                suffixes=one,
                incidents=tuple(i.ref for i in own),
                tally=tallies.tally([f for f in tallies.headline(findings) if f.story == ref]),
                observed=tuple(i.slip.typed for i in own),
                intended=tuple(dict.fromkeys(i.slip.meant for i in own)),
            )
        )
    return tuple(out)
