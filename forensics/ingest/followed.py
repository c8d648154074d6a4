"""Which delivery stands for one that a new ingest does not have any more: the one that holds all its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
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


def successors(
    before: Case, after: Case, ids: Iterable[str], earlier: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Old id → new id of those among `ids` that `before` has and `after` has not, where one delivery of `after` to the
    same domain holds all their records.

    `earlier`: old ids, and those that stood for them `before`. Such an id is given itself again where `after` has it
    once more, or where what stood for it no longer holds what it held.
    """
    wanted = sorted({*ids, *earlier, *earlier.values()})
    connection = duckdb.connect()
    try:
        store.spilled_to(connection)
        for name, case in (("old", before), ("new", after)):
            files = [str(path) for path in store.paths(case, "deliveries")]
            if not files:
                return {}
            connection.read_parquet(files, hive_partitioning=False).create_view(f"{name}_rows")
        query = "select delivery_id from new_rows where delivery_id in (select unnest($ids))"
        there = {row[0] for row in connection.execute(query, {"ids": wanted}).fetchall()}
        asked = sorted((set(wanted) - there) | (set(earlier.values()) & there))
        if not asked:
            return {}
        which = "delivery_id in (select unnest($ids))"
        old = _by_delivery(connection, _RECORDS.format(table="old_rows", which=which), {"ids": asked})
        places = sorted({f"{evidence}:{number}" for _, held in old.values() for evidence, number in held})
        sharing = connection.execute(_SHARING, {"places": places}).fetchall()
        query = _RECORDS.format(table="new_rows", which=which)
        new = _by_delivery(connection, query, {"ids": [row[0] for row in sharing]})
    finally:
        connection.close()
    out = {}
    for one, (domain, held) in sorted(old.items()):
        fits = [other for other, (of, has) in new.items() if of == domain and held <= has]
        if one not in there and len(fits) == 1:
            out[one] = fits[0]
    for one, stood in earlier.items():
        no_longer = stood in there and stood in old and not old[stood][1] <= new.get(stood, ("", set()))[1]
        if stood != one and (one in there or no_longer):
            out[one] = one
    return out


def _by_delivery(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]
) -> dict[str, tuple[str, set[tuple[str, int]]]]:
    """Domain and records of deliveries."""
    out: dict[str, tuple[str, set[tuple[str, int]]]] = {}
    for delivery, domain, evidence, number in connection.execute(query, values).fetchall():
        out.setdefault(delivery, (domain, set()))[1].add((evidence, number))
    return out
