"""On which days each server is shown to have logged.

A day without a delivery is a gap in the evidence unless something else shows that logging ran: a delivery that was
settled on it, or a record on it at either end of a file that this server alone wrote, as rotation by the day gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from forensics.report.facts import Evidence
from forensics.store import rows

_DAYS = """
SELECT coalesce(host, '') AS host, (submitted_at AT TIME ZONE 'UTC')::date AS day FROM deliveries
UNION
SELECT coalesce(host, ''), (resolved_at AT TIME ZONE 'UTC')::date FROM deliveries WHERE resolved_at IS NOT NULL
"""

_WRITERS = """
SELECT DISTINCT coalesce(host, '') AS host, record.evidence AS evidence
FROM (SELECT host, unnest(records) AS record FROM deliveries)
"""


def running(connection: Any, evidence: Sequence[Evidence], ids: Mapping[str, str]) -> dict[str, frozenset[date]]:
    """UTC days by server. `ids`: `ref` of every evidence by its id."""
    days: dict[str, set[date]] = {}
    for row in rows(connection, _DAYS):
        days.setdefault(row["host"], set()).add(row["day"])
    writers: dict[str, set[str]] = {}
    for row in rows(connection, _WRITERS):
        writers.setdefault(ids.get(row["evidence"], row["evidence"]), set()).add(row["host"])
    for one in evidence:
        own = writers.get(one.ref, set())
        if len(own) == 1:
            days[next(iter(own))] |= {end.date() for end in (one.first, one.last) if end is not None}
    return {host: frozenset(own) for host, own in sorted(days.items())}
