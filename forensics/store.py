"""The case's Parquet: writer options, month layout, DuckDB views."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from forensics.case import Case

if TYPE_CHECKING:
    import duckdb

ROW_GROUP = 131_072


def write(table: pa.Table, path: Path, kind: str) -> None:
    """One table as one Parquet file: zstd-3, 128 Ki rows a group, `missent.*` keys in the footer. `kind` is the schema's name."""
    raise NotImplementedError


def read(case: Case, kind: str, columns: Collection[str] | None = None) -> pa.Table:
    """A whole table of the case (`deliveries`, `unread`, `findings`, `incidents`, `correspondents`); empty with the right schema when absent."""
    raise NotImplementedError


def batches(case: Case, kind: str, columns: Collection[str] | None = None) -> Iterable[pa.RecordBatch]:
    """The same in pieces, in the table's order."""
    raise NotImplementedError


def connect(case: Case, org: Collection[str] = ()) -> duckdb.DuckDBPyConnection:
    """In-memory DuckDB with a view per table; `deliveries` has a computed `direction` (outbound, inbound, internal, relayed)
    from the organisation's domains (`org`; each covers its subdomains)."""
    raise NotImplementedError
