"""Which delivery stands for one that a new ingest does not have any more: the one that holds all its records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb

from forensics import store
from forensics.case import Case

_RECORDS = """
select delivery_id, recipient_domain, r.evidence::varchar as evidence, r.number as number
from (select delivery_id, recipient_domain, unnest(records) as r from {table} where {which})
"""

_SHARING = """
select distinct delivery_id from (select delivery_id, unnest(records) as r from new_rows)
where r.evidence::varchar || ':' || r.number in (select unnest($places))
"""


def successors(before: Case, after: Case, ids: Iterable[str]) -> dict[str, str]:
    """Old id → new id of those among `ids` that `before` has and `after` has not, where one delivery of `after` to the
    same domain holds all their records."""
    wanted = sorted(set(ids))
    connection = duckdb.connect()
    try:
        store.spilled_to(connection)
        for name, case in (("old", before), ("new", after)):
            files = [str(path) for path in store.paths(case, "deliveries")]
            if not files:
                return {}
            connection.read_parquet(files, hive_partitioning=False).create_view(f"{name}_rows")
        there = connection.execute(
            "select delivery_id from new_rows where delivery_id in (select unnest($ids))", {"ids": wanted}
        ).fetchall()
        gone = sorted(set(wanted) - {row[0] for row in there})
        if not gone:
            return {}
        which = "delivery_id in (select unnest($ids))"
        old = _by_delivery(connection, _RECORDS.format(table="old_rows", which=which), {"ids": gone})
        places = sorted({f"{evidence}:{number}" for _, held in old.values() for evidence, number in held})
        sharing = connection.execute(_SHARING, {"places": places}).fetchall()
        query = _RECORDS.format(table="new_rows", which=which)
        new = _by_delivery(connection, query, {"ids": [row[0] for row in sharing]})
    finally:
        connection.close()
    out = {}
    for one, (domain, held) in sorted(old.items()):
        fits = [other for other, (of, has) in new.items() if of == domain and held <= has]
        if len(fits) == 1:
            out[one] = fits[0]
    return out


def _by_delivery(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]
) -> dict[str, tuple[str, set[tuple[str, int]]]]:
    """Domain and records of deliveries."""
    out: dict[str, tuple[str, set[tuple[str, int]]]] = {}
    for delivery, domain, evidence, number in connection.execute(query, values).fetchall():
        out.setdefault(delivery, (domain, set()))[1].add((evidence, number))
    return out
