"""Findings that share one observed → intended pair, as rows of INCIDENTS."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from forensics import domains, schema
from forensics.detector.exposure import jurisdiction, story

if TYPE_CHECKING:
    import duckdb

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_FACTS = f"""
select d.delivery_id, epoch_us(d.submitted_at) as at, {schema.MESSAGE.format("d")} as message, d.recipient, d.sender
from deliveries d join found f on d.delivery_id = f.delivery_id
"""


def table(
    connection: duckdb.DuckDBPyConnection,
    findings: pa.Table,
    parts: Mapping[tuple[str, str], str],
    headline: Collection[str] = ("high", "medium"),
) -> pa.Table:
    """One row per pair, in order of first message. `parts`: pair → part of the name the slip lies in.

    Counts are over the pair's findings of a level in `headline`; where none is, over all.
    """
    if not len(findings):
        return schema.INCIDENTS.empty_table()
    connection.register("found", findings.select(["delivery_id"]))
    facts = {row[0]: row[1:] for row in connection.execute(_FACTS).fetchall()}
    connection.unregister("found")
    grouped: dict[str, list[dict[str, Any]]] = {}
    columns = ["delivery_id", "incident_id", "observed_domain", "intended_domain", "slip", "score", "level", "exposure"]
    for row in findings.select(columns).to_pylist():
        grouped.setdefault(row["incident_id"], []).append(row)
    rows = []
    for incident, members in grouped.items():
        counted = [m for m in members if m["level"] in headline] or members
        about = [facts[m["delivery_id"]] for m in counted]
        observed, intended = members[0]["observed_domain"], members[0]["intended_domain"]
        gone = sum(m["exposure"] == "exposed" for m in counted)
        rows.append(
            {
                "incident_id": incident,
                "observed_domain": observed,
                "intended_domain": intended,
                "slip": members[0]["slip"],
                "story": story(observed, intended, parts.get((observed, intended), "")),
                "observed_jurisdiction": jurisdiction(observed),
                "intended_jurisdiction": jurisdiction(intended),
                "first_seen": _EPOCH + timedelta(microseconds=min(a[0] for a in about)),
                "last_seen": _EPOCH + timedelta(microseconds=max(a[0] for a in about)),
                "messages": len({a[1] for a in about}),
                "recipients": len({domains.key(a[2]) for a in about}),
                "senders": len({domains.key(a[3] or "") for a in about}),
                "exposed": gone,
                "not_exposed": len(counted) - gone,
                "score": max(m["score"] for m in counted),
            }
        )
    rows.sort(key=lambda r: (r["first_seen"], r["incident_id"]))
    return pa.Table.from_pylist(rows, schema=schema.INCIDENTS)
