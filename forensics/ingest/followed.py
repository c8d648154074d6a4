"""Which delivery stands for one that a new ingest does not have any more: the one that holds all its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


Place = tuple[str, int]
"""Evidence, and the number of a record in it."""
Runs = Sequence[tuple[int, int, str, int]]
"""Records that count in another evidence: (first number, count, that evidence, first number there)."""
NONE: Mapping[str, Any] = MappingProxyType({})


def successors(
    before: Case,
    after: Case,
    ids: Iterable[str],
    earlier: Mapping[str, str] = NONE,
    duplicate_of: Mapping[str, Runs] = NONE,
) -> dict[str, str]:
    """Old id → new id of those among `ids` that `before` has and `after` has not, where one delivery of `after` to the
    same domain holds all their records.

    `earlier`: old ids, and those that stood for them `before`. Such an id is given itself again where `after` has it
    once more, or where what stood for it no longer holds what it held. `duplicate_of`: for each evidence of `after` its
    records that another one holds too, in which they count now.
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
        old = {one: (of, {_counted(place, duplicate_of) for place in held}) for one, (of, held) in old.items()}
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


def _counted(place: Place, duplicate_of: Mapping[str, Runs]) -> Place:
    """The record as which a record counts."""
    seen = {place}
    while True:
        evidence, number = place
        runs = (run for run in duplicate_of.get(evidence, ()) if run[0] <= number < run[0] + run[1])
        first, _, other, there = next(runs, (number, 1, evidence, number))
        place = other, there + number - first
        if place in seen:
            return place
        seen.add(place)


def _by_delivery(
    connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]
) -> dict[str, tuple[str, set[Place]]]:
    """Domain and records of deliveries."""
    out: dict[str, tuple[str, set[Place]]] = {}
    for delivery, domain, evidence, number in connection.execute(query, values).fetchall():
        out.setdefault(delivery, (domain, set()))[1].add((evidence, number))
    return out
