"""The case's Parquet: writer options, month layout, DuckDB views.

Every file: zstd level 3 (1 for digests, Message-IDs and replies), row groups of 128 Ki rows (of lookalikes 1 Ki, with
their writers), dictionaries only where values repeat, DELTA_BINARY_PACKED on times and numbers, DELTA_LENGTH_BYTE_ARRAY
on delivery ids, and in the footer `missent.schema` (version of the tables) and `missent.table` (which one).
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from forensics import directions, domains, schema, shortened
from forensics.case import Case
from forensics.errors import CaseError, naming

if TYPE_CHECKING:
    import duckdb

ROW_GROUP = 131_072
SOURCE = "source"
"""Schema of what the views are made of: no table of it shows among the case's."""
TABLES = ("deliveries", "unread", "findings", "incidents", "correspondents", "lookalikes")
_SCHEMAS = {name: getattr(schema, name.upper()) for name in TABLES}
_REPEATED = {
    "deliveries": (
        "system", "host", "sender", "sender_domain", "authenticated_user", "recipient_domain", "recipient_role",
        "submission", "outcome", "status_code", "relay_name", "relay_address", "client_name", "client_address",
        "records.list.element.evidence",
    ),
    "unread": ("evidence", "reason"),
    "findings": ("observed_domain", "intended_domain", "slip", "level", "exposure", "origin"),
    "incidents": ("slip", "observed_jurisdiction", "intended_jurisdiction"),
    "correspondents": ("suffix",),
    "lookalikes": (
        "typed", "meant", "kind", "part", "writers.list.element.recipient_local", "writers.list.element.writer_local",
        "writers.list.element.writer_domain", "writers.list.element.carried_from",
    ),
}  # fmt: skip
_DELTA = {
    "deliveries": (
        "submitted_at", "resolved_at", "attempts", "size_bytes", "recipient_count", "records.list.element.number",
        "records.list.element.offset", "records.list.element.length",
    ),
    "unread": ("number", "offset", "length"),
    "findings": (),
    "incidents": ("first_seen", "last_seen"),
    "correspondents": ("first_seen", "last_seen"),
    "lookalikes": (),
}  # fmt: skip


_SOUGHT = {"deliveries": ["submitted_at", "resolved_at", "sender_domain", "recipient_domain", "queue_id"]}
"""Columns whose least and greatest values are kept, so that a query can leave out files: those people ask by, unless
128 Ki rows have nearly every value between them."""
_GROUPS = {"lookalikes": 1_024}
"""Rows of one group where not ROW_GROUP: of these one domain is asked for at a time."""
_LENGTHS = {"deliveries": ("delivery_id",)}
"""DELTA_LENGTH_BYTE_ARRAY: the digits of digests without a length between them."""
_LEVEL_1 = {"delivery_id", "incident_id", "message_id", "response"}
"""Searching them for longer repetitions (level 3) takes more time and finds less: digests are random, the others differ
in few places."""


def _leaves(wanted: pa.Schema) -> Iterator[str]:
    """The names that Parquet gives the columns of a schema."""
    for field in wanted:
        kind, name = field.type, field.name
        if pa.types.is_list(kind):
            kind, name = kind.value_type, f"{name}.list.element"
        if pa.types.is_struct(kind):
            yield from (f"{name}.{kind.field(n).name}" for n in range(kind.num_fields))
        else:
            yield name


def write(table: pa.Table, path: Path, kind: str) -> None:
    """One table as one Parquet file. `kind` is one of TABLES; the table must have that schema's columns."""
    wanted = _SCHEMAS[kind]
    meta = {"missent.schema": str(schema.VERSION), "missent.table": kind}
    table = table.select(wanted.names).cast(wanted).replace_schema_metadata(meta)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # it may be a link to the table that still counts
    with naming(path):
        pq.write_table(
            table,
            path,
            compression="zstd",
            compression_level={name: 1 if name in _LEVEL_1 else 3 for name in _leaves(wanted)},
            row_group_size=_GROUPS.get(kind, ROW_GROUP),
            use_dictionary=list(_REPEATED[kind]),
            column_encoding=dict.fromkeys(_DELTA[kind], "DELTA_BINARY_PACKED")
            | dict.fromkeys(_LENGTHS.get(kind, ()), "DELTA_LENGTH_BYTE_ARRAY"),
            store_schema=True,
            write_statistics=_SOUGHT.get(kind, True),
        )


def paths(case: Case, kind: str) -> list[Path]:
    """The Parquet files of one table, in the table's order; none when it was never written."""
    if kind not in TABLES:
        raise CaseError(f"no table is named {kind!r}", expected=", ".join(TABLES))
    place: Path = getattr(case, kind)
    if place.suffix == ".parquet":
        return [place] if place.exists() else []
    return sorted(place.glob("**/*.parquet"))


def batches(case: Case, kind: str, columns: Collection[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The table in pieces of at most ROW_GROUP rows, in its order."""
    wanted = _SCHEMAS[kind]
    if columns is not None:
        wanted = pa.schema([wanted.field(c) for c in columns])
    for path in paths(case, kind):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=wanted.names)
                yield from table.select(wanted.names).cast(wanted).to_batches(max_chunksize=ROW_GROUP)


def read(case: Case, kind: str, columns: Collection[str] | None = None) -> pa.Table:
    """The whole table; empty with the right schema when it was never written."""
    wanted = _SCHEMAS[kind]
    if columns is not None:
        wanted = pa.schema([wanted.field(c) for c in columns])
    found = list(batches(case, kind, columns))
    return pa.Table.from_batches(found, wanted).unify_dictionaries() if found else wanted.empty_table()


def replace(place: Path, fresh: Path) -> None:
    """Put the folder `fresh` where `place` is."""
    if place.exists():
        shutil.rmtree(place)
    fresh.rename(place)


def sound(case: Case) -> None:
    """Refuse files that are no tables of this version before anything is made of them. Raises CaseError by name."""
    for kind in TABLES:
        wanted = [(field.name, field.type, field.nullable) for field in _SCHEMAS[kind]]
        for path in paths(case, kind):
            about = path.stat()
            seen = (kind, about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
            if seen in _sound:
                continue
            try:
                found = pq.read_schema(path)
            except (pa.ArrowException, ValueError) as error:
                raise _no_table(path, (str(error).splitlines() or [""])[0]) from None
            if [(field.name, field.type, field.nullable) for field in found] != wanted:
                raise _no_table(path, f"its columns are not those of {kind}")
            _sound.add(seen)


_sound: set[tuple[str | int, ...]] = set()
"""Files that were found to be tables, as they were then."""


def _no_table(path: Path, why: str) -> CaseError:
    return CaseError(
        f"{path}: not a readable table: {why}",
        expected="the tables as Missent writes them",
        remedy="`missent verify` lists all that was changed; ingest the evidence into a new case",
    )


def spilled_to(connection: duckdb.DuckDBPyConnection, folder: Path | None = None) -> None:
    """Have what memory does not hold written to `folder` (default: one of its own among the system's temporary ones),
    never to the folder that the command was called in, which may hold the evidence. It is made when it is needed, and
    DuckDB removes it at the end."""
    place = folder or Path(tempfile.gettempdir()) / f"missent-{os.getpid()}-{secrets.token_hex(8)}"
    connection.execute("SET temp_directory = ?", [str(place.absolute())])


def connect(
    case: Case,
    org: Collection[str] = (),
    *,
    spill: Path | None = None,
    memory: int | None = None,
    directed: bool = True,
) -> duckdb.DuckDBPyConnection:
    """In-memory DuckDB with one view for each table that exists. `spill`: see `spilled_to`; `memory`: bytes that it may
    hold beside that.

    `deliveries` has the computed column `direction` (outbound, inbound, internal, relayed) after the organisation's
    domains `org` (default: case.toml's), each of which covers its subdomains; bare names and `<>` count as inside
    only where the other end decides: a null sender is outside, a bare recipient inside. Its `submission` is `internal`
    for the addresses that `directions` finds, and for no other. To find them, all rows are read: without `directed`,
    `deliveries` has neither, but `submission` as it was logged.
    """
    sound(case)
    connection = _in_utc()
    spilled_to(connection, spill)
    if memory is not None:
        connection.execute("SET memory_limit = ?", [f"{memory >> 20}MiB"])
    for statement in _made(case, _inside(case, org) if directed else None):
        connection.execute(statement)
    return connection


def _in_utc() -> duckdb.DuckDBPyConnection:
    """A DuckDB whose times and days are those of UTC: of itself it takes the zone of the machine, and a day, or an
    hour, would be another one on the next machine."""
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _hand(connection: duckdb.DuckDBPyConnection, kind: str, rows: Any) -> None:
    """Make an Arrow table or dataset the source of a view; the relation keeps it alive."""
    connection.execute(f"SET schema = '{SOURCE}'")
    connection.from_arrow(rows).create_view(kind)
    connection.execute("SET schema = 'main'")


def _view(kind: str, org: Collection[str] | None) -> Sequence[str]:
    """SQL that makes the view of a table; with `org`, that of deliveries has their direction."""
    if kind == "deliveries" and org is not None:
        return directions.views(SOURCE, org)
    return (f"CREATE OR REPLACE VIEW {kind} AS SELECT * FROM {SOURCE}.{kind}",)


def closed(
    case: Case,
    org: Collection[str] = (),
    more: Mapping[str, pa.Table] = MappingProxyType({}),
    derived: Mapping[str, str] = MappingProxyType({}),
) -> duckdb.DuckDBPyConnection:
    """The views of `connect` for a query that somebody else wrote: nothing but them can be read, nothing be written.
    `more`: further tables; `derived`: further views, each a query over the others.

    The tables are handed over as Arrow datasets, because a connection that may open Parquet may open any file, and
    one that may read a folder may also write there (`COPY`, which `EXPLAIN ANALYZE` runs). DuckDB then gives up all
    access to files and network, and its settings cannot be changed back.
    """
    import pyarrow.dataset as datasets

    sound(case)
    connection = _in_utc()
    connection.execute("SET temp_directory = ''")  # it writes nothing, not even what memory does not hold
    connection.execute(f"CREATE SCHEMA {SOURCE}")
    for kind in TABLES:
        files = [str(path) for path in paths(case, kind)]
        rows = datasets.dataset(files, _SCHEMAS[kind], format="parquet") if files else _SCHEMAS[kind].empty_table()
        _hand(connection, kind, rows)
    for statement in (one for kind in TABLES for one in _view(kind, _inside(case, org))):
        connection.execute(statement)
    for name, table in more.items():
        _hand(connection, name, table)
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {SOURCE}.{name}")
    for name, query in derived.items():
        connection.execute(f"CREATE VIEW {name} AS {query}")
    connection.execute(
        "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false; "
        "SET python_enable_replacements = false; SET enable_external_access = false; SET lock_configuration = true"
    )
    return connection


def statements(case: Case, org: Collection[str] = ()) -> list[str]:
    """SQL that makes the views of `connect` in a DuckDB of one's own."""
    return [f"{one};" for one in _made(case, _inside(case, org))]


def _made(case: Case, org: Collection[str] | None) -> Iterator[str]:
    yield f"CREATE SCHEMA IF NOT EXISTS {SOURCE}"
    for kind in TABLES:
        columns = ", ".join(f'NULL::{_sql_type(f.type)} AS "{f.name}"' for f in _SCHEMAS[kind])
        files = paths(case, kind)
        rows = f"SELECT * FROM {_parquet(files)}" if files else f"SELECT {columns} WHERE false"
        yield f"CREATE OR REPLACE VIEW {SOURCE}.{kind} AS {rows}"
        if kind != "deliveries":
            yield from _view(kind, org)
    yield from _view("deliveries", org)


def _sql_type(kind: pa.DataType) -> str:
    """DuckDB's name of an Arrow type that the schemas use."""
    if pa.types.is_list(kind):
        return _sql_type(kind.value_type) + "[]"
    if pa.types.is_struct(kind):
        parts = ", ".join(f'"{kind.field(n).name}" {_sql_type(kind.field(n).type)}' for n in range(kind.num_fields))
        return f"STRUCT({parts})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMPTZ"
    return _SQL_TYPES.get(str(kind), "VARCHAR")


_SQL_TYPES = {
    "int64": "BIGINT", "int32": "INTEGER", "int16": "SMALLINT", "double": "DOUBLE", "bool": "BOOLEAN", "binary": "BLOB",
}  # fmt: skip


def _parquet(files: Collection[Path]) -> str:
    quoted = ", ".join("'" + str(f).replace("'", "''") + "'" for f in files)
    return f"read_parquet([{quoted}], hive_partitioning = false)"


def _inside(case: Case, org: Collection[str]) -> list[str]:
    if org:
        return domains.clean(org)
    if case.toml.exists():
        from forensics import casefile as cases

        return list(cases.read(case).organisation.domains)
    return []


def mentioned(connection: Any, given: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(those, the others) of these domains that a sender or recipient of `deliveries` has, before or after expansion;
    a domain covers its subdomains. Both sorted."""
    wanted = domains.clean(given)
    seen = set()
    for one in wanted:
        name = one.replace("'", "''")
        tests = [f"{column} = '{name}' OR {column} LIKE '%.{name}'" for column in ("sender_domain", "recipient_domain")]
        tests += [f"lower(original_recipient) LIKE '%{before}{name}'" for before in "@."]
        if connection.sql(f"SELECT 1 FROM deliveries WHERE {' OR '.join(tests)} LIMIT 1").fetchall():
            seen.add(one)
    return tuple(one for one in wanted if one in seen), tuple(one for one in wanted if one not in seen)


def named(connection: Any) -> list[str]:
    """Every domain that a sender or recipient of `deliveries` has, sorted."""
    query = "SELECT DISTINCT unnest([sender_domain, recipient_domain]) AS d FROM deliveries"
    return sorted(row[0] for row in connection.sql(query).fetchall() if row[0])


def delivery(connection: Any, name: str) -> str | None:
    """The whole id of the view `deliveries` that is named so, or begins so; None where there is none.

    Raises UsageError where several begin so.
    """
    query = "select distinct delivery_id from deliveries where delivery_id = $name or ($begun <> '' and "
    query += "starts_with(delivery_id, $begun)) order by 1"
    given = {"name": name, "begun": shortened.begun(name)}
    return shortened.whole(name, (row[0] for row in connection.execute(query, given).fetchall()))


def rows(connection: Any, query: str) -> list[dict[str, Any]]:
    """The rows of a query by column name. Through Arrow, as `fetch` has them."""
    return connection.sql(query).to_arrow_table().to_pylist()  # type: ignore[no-any-return]


def fetch(connection: Any, query: str) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """Column names and rows of a query. Through Arrow, because DuckDB's own rows need pytz for times with a zone."""
    answer = connection.sql(query)
    if answer is None:
        return (), ()
    table = answer.to_arrow_table()
    columns = [column.to_pylist() for column in table.columns]
    return tuple(table.column_names), tuple(zip(*columns, strict=True))
