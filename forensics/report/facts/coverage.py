"""What was searched and what could not be seen: totals of the tables, gateways, days, evidence.

Totals are whole-table counts; each carries the query that gives it again in `missent sql`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from forensics import accounts, directions, unread
from forensics.casefile import CaseFile
from forensics.detector import zones
from forensics.report.facts import (
    Coverage,
    Day,
    Evidence,
    Finding,
    Gateway,
    LossTotal,
    Number,
    Skipped,
    UnreadKind,
    tallies,
)
from forensics.report.facts.incidents import utc
from forensics.schema import OUTCOMES
from forensics.store import rows

MESSAGE = "DISTINCT (system, host, queue_id, network_message_id, submitted_at)"
"""What tells one message from another in `deliveries`."""


def total(connection: Any, what: str = "count(*)", where: str = "true") -> Number:
    """One count over `deliveries`, with its query."""
    query = f"SELECT {what} FROM deliveries WHERE {where}"
    return Number(connection.sql(query).fetchall()[0][0], None, query)


Span = tuple[datetime, datetime]


def coverage(
    connection: Any,
    casefile: CaseFile,
    evidence: Sequence[Evidence],
    asked: tuple[datetime | None, datetime | None] = (None, None),
    *,
    found: Span | None = None,
    ids: Mapping[str, str] | None = None,
    skipped: Sequence[Skipped] = (),
    unseen: Sequence[str] = (),
) -> Coverage:
    """Everything about coverage. Needs the view `deliveries` with `direction`, and `unread`.

    `asked`: [since, until) of the detection; `found`: first and last send of the findings; `ids`: `ref` of every
    evidence by its id.
    """
    out = "direction = 'outbound'"
    weighed = directions.weighed_sql(*asked)
    read = [e for e in evidence if not accounts.wholly_unread(e)]
    sent = rows(
        connection, f"SELECT min(submitted_at) AS first, max(submitted_at) AS last FROM deliveries WHERE {weighed}"
    )[0]
    losses = _losses(evidence)
    covering = zones.covering(casefile)
    unread_ends = _ends(e for e in evidence if e.unread)
    span = rows(
        connection,
        "SELECT min(submitted_at) AS first, max(greatest(submitted_at, coalesce(resolved_at, submitted_at))) AS last "
        "FROM deliveries",
    )[0]
    ends = [*(moment for moment in (utc(span["first"]), utc(span["last"])) if moment is not None), *_ends(read)]
    by_outcome = {outcome: total(connection, where=f"{out} AND outcome = '{outcome}'") for outcome in OUTCOMES}
    reasons = rows(
        connection,
        f"SELECT {unread.KIND_SQL} AS reason, count(*) AS n FROM unread GROUP BY 1 ORDER BY n DESC, 1",
    )
    gateways = _gateways(connection)
    spans = [(g.first, g.last) for g in gateways]
    spans += [(e.first, e.last) for e in read if e.first is not None and e.last is not None]
    return Coverage(
        search=_search(evidence, total(connection, where=weighed).value, skipped),
        first=min(ends, default=None),
        last=max(ends, default=None),
        since=asked[0],
        until=asked[1],
        weighed=total(connection, where=weighed),
        weighed_messages=total(connection, f"count({MESSAGE})", weighed),
        weighed_domains=total(connection, "count(DISTINCT recipient_domain)", weighed),
        weighed_first=utc(sent["first"]),
        weighed_last=utc(sent["last"]),
        deliveries=total(connection),
        outbound=total(connection, where=out),
        inbound=total(connection, where="direction = 'inbound'"),
        internal=total(connection, where="direction = 'internal'"),
        relayed=total(connection, where="direction = 'relayed'"),
        machine=total(connection, where=f"{out} AND coalesce(sender, '') = ''"),
        messages=total(connection, f"count({MESSAGE})", out),
        external_domains=total(connection, "count(DISTINCT recipient_domain)", out),
        unknown_outcome=by_outcome["unknown"],
        deferred=by_outcome["deferred"],
        without_subject=total(connection, where=f"{out} AND subject IS NULL"),
        tls_unknown=total(connection, where=f"{out} AND tls IS NULL"),
        possible_duplicates=total(connection, where="possible_duplicate_of IS NOT NULL"),
        outcomes=tuple((name, n) for name, n in by_outcome.items() if n.value),
        gateways=gateways,
        uncovered=uncovered(spans),
        records=sum(e.records for e in evidence),
        used=sum(e.used for e in evidence),
        ignored=sum(e.ignored for e in evidence),
        unread=sum(e.unread for e in evidence),
        duplicates=sum(e.duplicates for e in evidence),
        unread_reasons=tuple((row["reason"], row["n"]) for row in reasons),
        unread_examples=_examples(connection, ids or {}) if any(e.unread for e in evidence) else (),
        bearing=accounts.bearing(evidence),
        unread_first=min(unread_ends, default=None),
        unread_last=max(unread_ends, default=None),
        unread_touches=any(_touches(e.first, e.last, found, asked) for e in evidence if e.unread),
        unread_files=tuple(e.ref for e in accounts.unread_files(evidence)),
        skipped=tuple(skipped),
        losses=losses,
        losses_first=min((one.first for one in losses if one.first), default=None),
        losses_last=max((one.last for one in losses if one.last), default=None),
        losses_touching=sum(_touching(e, total, found, asked) for e in evidence for total in e.loss_totals),
        unseen_domains=tuple(unseen),
        watched=casefile.domains.watched,
        known_good=casefile.domains.known_good,
        unaccused=tuple(f"*.{suffix}" for suffix in covering.unaccused),
        any_relay=tuple(f"*.{suffix}" for suffix in covering.shared_relays),
    )


def _search(evidence: Sequence[Evidence], weighed: int, skipped: Sequence[Skipped] = ()) -> str:
    """One of `searched.SEARCHES`."""
    unread_records, bearing = sum(e.unread for e in evidence), accounts.bearing(evidence)
    if unread_records and unread_records == bearing:
        return "unread"
    if not weighed:
        return "unweighed"
    much = unread_records >= accounts.MUCH * bearing and unread_records > 0
    torn = accounts.unread_files(evidence) or any(e.damage for e in evidence)
    return "partly" if much or torn or any(one.cut for one in skipped) else "read"


def _ends(evidence: Iterable[Evidence]) -> list[datetime]:
    return [at for e in evidence for at in (e.first, e.last) if at is not None]


def _touches(
    first: datetime | None,
    last: datetime | None,
    found: Span | None,
    asked: tuple[datetime | None, datetime | None],
) -> bool:
    """Whether [first, last] may overlap the days of the findings, else the period asked for; an unknown end may be
    anywhere. By days: what was lost on the day of a misdirected message may have been another one."""
    low, high = found or (asked[0], asked[1] - timedelta(microseconds=1) if asked[1] else None)
    before = last is not None and low is not None and last.date() < low.date()
    after = first is not None and high is not None and first.date() > high.date()
    return not (before or after)


def _losses(evidence: Sequence[Evidence]) -> tuple[LossTotal, ...]:
    """By kind, over all evidence."""
    by: dict[str, list[LossTotal]] = {}
    for e in evidence:
        for total in e.loss_totals:
            by.setdefault(total.kind, []).append(total)
    return tuple(
        LossTotal(
            kind=kind,
            records=sum(one.records for one in own),
            count=sum(counts) if (counts := [one.count for one in own if one.count is not None]) else None,
            first=min((one.first for one in own if one.first), default=None),
            last=max((one.last for one in own if one.last), default=None),
        )
        for kind, own in sorted(by.items())
    )


def _touching(
    evidence: Evidence, total: LossTotal, found: Span | None, asked: tuple[datetime | None, datetime | None]
) -> int:
    """How many of these losses may touch the period that matters: by their own times where all are listed, else all of
    them by that of the whole."""
    own = [loss.at for loss in evidence.losses if loss.kind == total.kind]
    if len(own) == total.records:
        return sum(_touches(at, at, found, asked) for at in own)
    return total.records if _touches(total.first, total.last, found, asked) else 0


def _examples(connection: Any, ids: Mapping[str, str]) -> tuple[UnreadKind, ...]:
    return tuple(
        UnreadKind(one.reason, one.records, one.file, one.number, one.offset, one.text)
        for one in unread.reasons(connection, ids)
    )


def uncovered(spans: Iterable[tuple[datetime, datetime]]) -> tuple[tuple[date, date], ...]:
    """Runs of whole UTC days between the spans, in order of time: (first, last) of each.

    >>> from datetime import datetime as t
    >>> [(str(a), str(b)) for a, b in uncovered([(t(2023, 6, 9), t(2023, 6, 12)), (t(2023, 6, 1), t(2023, 6, 4))])]
    [('2023-06-05', '2023-06-08')]
    """
    out: list[tuple[date, date]] = []
    end: date | None = None
    for first, last in sorted((first.date(), last.date()) for first, last in spans):
        if end is not None and (first - end).days > 1:
            out.append((end + timedelta(days=1), first - timedelta(days=1)))
        end = last if end is None else max(end, last)
    return tuple(out)


def _gateways(connection: Any) -> tuple[Gateway, ...]:
    out = []
    days = rows(
        connection,
        "SELECT host, system, (submitted_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n, "
        "min(submitted_at) AS first, max(submitted_at) AS last FROM deliveries GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    )
    by: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in days:
        by.setdefault((row["host"] or "", row["system"]), []).append(row)
    for (host, system), own in by.items():
        seen = {row["day"] for row in own}
        first, last = own[0]["day"], own[-1]["day"]
        span = (first + timedelta(days=n) for n in range((last - first).days + 1))
        quoted = host.replace("'", "''")
        out.append(
            Gateway(
                name=host,
                system=system,
                first=min(row["first"] for row in own).astimezone(UTC),
                last=max(row["last"] for row in own).astimezone(UTC),
                deliveries=Number(
                    sum(row["n"] for row in own),
                    None,
                    f"SELECT count(*) FROM deliveries WHERE coalesce(host, '') = '{quoted}' AND system = '{system}'",
                ),
                silent_days=tuple(day for day in span if day not in seen),
            )
        )
    return tuple(out)


def days(connection: Any, findings: Sequence[Finding]) -> tuple[Day, ...]:
    """Outbound deliveries per UTC day, days without any left out. Low and dismissed findings count as legitimate."""
    counts = {
        row["day"]: row["n"]
        for row in rows(
            connection,
            "SELECT (submitted_at AT TIME ZONE 'UTC')::date AS day, count(*) AS n "
            "FROM deliveries WHERE direction = 'outbound' GROUP BY 1 ORDER BY 1",
        )
    }
    accepted: dict[date, int] = {}
    refused: dict[date, int] = {}
    for finding in tallies.headline(findings):
        side = accepted if finding.exposure in tallies.ACCEPTED else refused
        day = finding.submitted_at.date()
        side[day] = side.get(day, 0) + 1
    return tuple(
        Day(
            day=day,
            legitimate=max(0, n - accepted.get(day, 0) - refused.get(day, 0)),
            exposed=accepted.get(day, 0),
            not_exposed=refused.get(day, 0),
        )
        for day, n in counts.items()
    )
