"""What can be asked of a case: its tables, and what its manifest and verdicts hold as tables beside them.

| view | rows |
|---|---|
| the tables | as `forensics.schema` says; `deliveries` with `direction` (`store.connect`) |
| evidence | one for each evidence: id, names, loader, container, sizes, records = used + ignored + unread, times |
| ignored | evidence, kind, records: what was understood and says nothing of deliveries, counted by kind |
| verdicts | every ruling ever made, oldest first: sequence, ruled_at, reviewer, verdict, reason, the pair, deliveries |
| rulings | delivery_id, verdict: the ruling that holds for each finding on which there is one |
| findings_open | findings that no person dismissed, with the `verdict` that holds for them or null |
| citations | delivery_id, evidence, number, byte_offset, length: the records behind each delivery, one a row |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from forensics import store
from forensics.case import Case
from forensics.custody import manifest, successors
from forensics.errors import UsageError
from forensics.review import verdicts

if TYPE_CHECKING:
    from collections.abc import Collection

    import duckdb

_TIME = pa.timestamp("us", tz="UTC")
_VERDICTS = pa.schema(
    [
        ("sequence", pa.int64()),
        ("ruled_at", _TIME),
        ("observed_domain", pa.string()),
        ("intended_domain", pa.string()),
        ("verdict", pa.string()),
        ("reason", pa.string()),
        ("deliveries", pa.list_(pa.string())),
        ("reviewer", pa.string()),
    ]
)
_EVIDENCE = pa.schema(
    [
        ("id", pa.string()),
        ("names", pa.list_(pa.string())),
        ("loader", pa.string()),
        ("container", pa.string()),
        ("encoding", pa.string()),
        ("file_sha256", pa.string()),
        ("file_size", pa.int64()),
        ("content_size", pa.int64()),
        ("records", pa.int64()),
        ("used", pa.int64()),
        ("ignored", pa.int64()),
        ("unread", pa.int64()),
        ("duplicates", pa.int64()),
        ("first", pa.string()),
        ("last", pa.string()),
        ("damage", pa.string()),
    ]
)
_IGNORED = pa.schema([("evidence", pa.string()), ("kind", pa.string()), ("records", pa.int64())])
_DERIVED = {
    "citations": """
SELECT delivery_id, record.evidence AS evidence, record.number AS number, record."offset" AS byte_offset,
       record.length AS length
FROM (SELECT delivery_id, unnest(records) AS record FROM deliveries)""",
    "rulings": """
SELECT f.delivery_id, coalesce(own.verdict, pair.verdict) AS verdict
FROM findings f
LEFT JOIN (
    SELECT delivery, arg_max(verdict, sequence) AS verdict, arg_max(observed_domain, sequence) AS observed_domain,
           arg_max(intended_domain, sequence) AS intended_domain
    FROM (SELECT unnest(deliveries) AS delivery, * FROM verdicts) GROUP BY delivery
) own ON own.delivery = f.delivery_id AND own.observed_domain = f.observed_domain
    AND own.intended_domain = f.intended_domain
LEFT JOIN (
    SELECT observed_domain, intended_domain, arg_max(verdict, sequence) AS verdict
    FROM verdicts WHERE len(deliveries) = 0 GROUP BY ALL
) pair ON pair.observed_domain = f.observed_domain AND pair.intended_domain = f.intended_domain
WHERE coalesce(own.verdict, pair.verdict) IS NOT NULL""",
    "findings_open": """
SELECT f.*, r.verdict FROM findings f LEFT JOIN rulings r USING (delivery_id)
WHERE coalesce(r.verdict, '') <> 'dismissed'""",
}
"""Views that are queries over the others. Which verdict holds `forensics.rulings` says, too."""


def connect(case: Case, org: Collection[str] = ()) -> duckdb.DuckDBPyConnection:
    """`store.closed` with all views: nothing else can be read, nothing written. Raises VerificationFailed where the
    verdicts were altered."""
    held = manifest.read(case)
    said = [{**vars(one), "deliveries": list(one.deliveries), "ruled_at": one.at} for one in verdicts.read(case)]
    found = [
        {**{name: getattr(one, name) for name in _EVIDENCE.names}, "names": list(one.names),
         "ignored": sum(one.ignored.values())}
        for one in held.evidence
    ]  # fmt: skip
    kinds = [
        {"evidence": one.id, "kind": kind, "records": records}
        for one in held.evidence
        for kind, records in sorted(one.ignored.items())
    ]
    tables = {
        "verdicts": pa.Table.from_pylist(said, _VERDICTS),
        "evidence": pa.Table.from_pylist(found, _EVIDENCE),
        "ignored": pa.Table.from_pylist(kinds, _IGNORED),
    }
    return store.closed(case, org, tables, _DERIVED)


def answer(connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    """The rows of one query. Raises UsageError with DuckDB's own words when it is wrong, or is more than a query."""
    import duckdb

    try:
        statements = connection.extract_statements(query)
        kinds = [statement.type for statement in statements]
        if len(kinds) != 1 or kinds[0] not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
            names = ", ".join(kind.name for kind in kinds) or "nothing"
            raise UsageError(f"sql: {names}", expected="one query (select, from, describe, show, explain)")
        rows: Any = connection.sql(query)
        return rows.to_arrow_table() if rows is not None else pa.table({})
    except duckdb.Error as error:
        tables = "`missent sql --case DIR 'show tables'` lists the tables, 'describe deliveries' their columns"
        raise UsageError(str(error).strip(), remedy=tables) from None


def statements(case: Case, org: Collection[str] = ()) -> str:
    """SQL that makes the same views in a DuckDB of one's own, from the files of the case."""
    source = f"read_json({_quoted(case.manifest)}, columns = {{evidence: 'JSON[]'}}, maximum_object_size = 1073741824)"
    one = f"(SELECT unnest(evidence) AS e FROM {source})"
    kinds = "(e->'$.ignored')::MAP(VARCHAR, BIGINT)"
    own = {"names": "(e->'$.names')::VARCHAR[]", "ignored": f"coalesce(list_sum(map_values({kinds})), 0)::BIGINT"}
    types = {field.name: "BIGINT" if field.type == pa.int64() else "VARCHAR" for field in _EVIDENCE}
    columns = ", ".join(own.get(name, f"(e->>'$.{name}')::{kind}") + f" AS {name}" for name, kind in types.items())
    made = [
        f"CREATE OR REPLACE VIEW evidence AS SELECT {columns} FROM {one};",
        f"CREATE OR REPLACE VIEW ignored AS SELECT e->>'$.id' AS evidence, unnest(map_keys({kinds})) AS kind, "
        f"unnest(map_values({kinds})) AS records FROM {one};",
        _said(case),
    ]
    derived = [f"CREATE OR REPLACE VIEW {name} AS {query.strip()};" for name, query in _DERIVED.items()]
    return "\n".join([*store.statements(case, org), *made, *derived]) + "\n"


def _said(case: Case) -> str:
    """The view of verdicts, deliveries by the names that they have now; empty where nobody ruled yet."""
    columns = {
        "sequence": "BIGINT", "at": "TIMESTAMPTZ", "observed_domain": "VARCHAR", "intended_domain": "VARCHAR",
        "verdict": "VARCHAR", "reason": "VARCHAR", "deliveries": "VARCHAR[]", "reviewer": "VARCHAR",
    }  # fmt: skip
    said = {"at": '"at" AS ruled_at'}
    if followed := {old: new for old, new in successors.read(case).items() if old != new}:
        names = ", ".join(f"{_quoted(old)}: {_quoted(new)}" for old, new in sorted(followed.items()))
        now = f"coalesce(list_extract(map_extract(MAP {{{names}}}, one), 1), one)"
        said["deliveries"] = f"[{now} FOR one IN deliveries] AS deliveries"
    shown = ", ".join(said.get(name, f'"{name}"') for name in columns)
    if case.verdicts.exists():
        listed = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
        rows = f"FROM read_json({_quoted(case.verdicts)}, format = 'newline_delimited', columns = {{{listed}}})"
        return f"CREATE OR REPLACE VIEW verdicts AS SELECT {shown} {rows};"
    listed = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in columns.items())
    return f"CREATE OR REPLACE VIEW verdicts AS SELECT {shown} FROM (SELECT {listed}) WHERE false;"


def _quoted(path: object) -> str:
    return "'" + str(path).replace("'", "''") + "'"
