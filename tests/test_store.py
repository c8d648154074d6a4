"""The case's Parquet: layout, footer, encodings, views and directions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forensics import schema, store
from forensics.case import Case
from forensics.errors import CaseError
from tests.ingesting import message, read, to


@pytest.fixture
def case(tmp_path: Path) -> Case:
    text = message("4A1C2D3E4F", to("x@navy.example"), at="2024-02-29T23:59:59.000000+00:00")
    text += message("4B1C2D3E4F", to("y@hq.albion.example"), at="2024-03-01T00:00:00.000000+00:00")
    text += message("4C1C2D3E4F", to("z@albion.example"), sender="a@out.example", at="2024-03-01T00:00:01.000000+00:00")
    text += message(
        "4D1C2D3E4F", to("z@notalbion.example"), sender="a@out.example", at="2024-03-01T00:00:02.000000+00:00"
    )
    text += message("4E1C2D3E4F", to("ann@albion.example"), sender="", at="2024-03-01T00:00:03.000000+00:00") + "junk\n"
    read(tmp_path, {"mail.log": text})
    return Case(tmp_path / "case")


def test_layout_and_footer(case: Case) -> None:
    names = [str(p.relative_to(case.folder)) for p in store.paths(case, "deliveries")]
    assert names == ["deliveries/month=2024-02/day-29.parquet", "deliveries/month=2024-03/day-01.parquet"]
    for path in store.paths(case, "deliveries"):
        file = pq.ParquetFile(path)
        assert file.schema_arrow.equals(schema.DELIVERIES)
        assert file.metadata.metadata[b"missent.table"] == b"deliveries"
        assert file.metadata.metadata[b"missent.schema"] == str(schema.VERSION).encode()
        columns = {
            file.metadata.row_group(0).column(i).path_in_schema: file.metadata.row_group(0).column(i)
            for i in range(file.metadata.num_columns)
        }
        assert columns["submitted_at"].compression == "ZSTD"
        assert "DELTA_BINARY_PACKED" in columns["submitted_at"].encodings
        assert "RLE_DICTIONARY" in columns["recipient_domain"].encodings
        assert "RLE_DICTIONARY" not in columns["delivery_id"].encodings


def test_read_and_batches_agree(case: Case) -> None:
    table = store.read(case, "deliveries", ["delivery_id", "submitted_at"])
    assert table.num_rows == 5
    assert pa.Table.from_batches(store.batches(case, "deliveries", ["delivery_id", "submitted_at"])) == table
    assert store.read(case, "findings").schema == schema.FINDINGS
    unread = store.read(case, "unread").to_pylist()
    assert [(u["raw"], u["reason"]) for u in unread] == [(b"junk", "no readable time stamp")]


def test_directions(case: Case) -> None:
    connection = store.connect(case, ["albion.example"])
    found = connection.execute("SELECT recipient, direction FROM deliveries ORDER BY submitted_at").fetchall()
    assert found == [
        ("x@navy.example", "outbound"),
        ("y@hq.albion.example", "internal"),
        ("z@albion.example", "inbound"),
        ("z@notalbion.example", "relayed"),
        ("ann@albion.example", "inbound"),
    ]
    assert connection.execute("SELECT count(*) FROM findings").fetchall() == [(0,)]


@pytest.mark.parametrize("directed", [True, False])
def test_domains_that_mail_has(case: Case, directed: bool) -> None:
    given = ["Albion.example", "hq.albion.example", "bion.example", "out.example", "typo.example", "*.navy.example"]
    with store.connect(case, directed=directed) as connection:
        seen, unseen = store.mentioned(connection, given)
    assert seen == ("albion.example", "hq.albion.example", "navy.example", "out.example")
    assert unseen == ("bion.example", "typo.example")


def test_unknown_table(case: Case) -> None:
    with pytest.raises(CaseError, match="nonesuch"):
        store.paths(case, "nonesuch")


def test_a_second_ingest_replaces_the_tables(case: Case, tmp_path: Path) -> None:
    read(tmp_path, {"mail.log": message("4A1C2D3E4F", to("x@navy.example"))})
    assert store.read(case, "deliveries").num_rows == 1
    assert store.read(case, "unread").num_rows == 0
    assert not (case.folder / ".work").exists()


@pytest.fixture
def far_east() -> Iterator[None]:
    """A machine whose clock is fourteen hours ahead of UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Pacific/Kiritimati")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_east")
@pytest.mark.parametrize("connected", [store.connect, store.closed])
def test_times_and_days_are_those_of_utc_wherever_the_machine_is(connected: Any, case: Case) -> None:
    with connected(case) as connection:
        words = "submitted_at::DATE::VARCHAR AS day, strftime(submitted_at, '%Y-%m-%d %H') AS hour"
        asked = f"SELECT {words}, date_trunc('day', submitted_at) AS begins, submitted_at AS at FROM deliveries"
        table = connection.execute(asked).to_arrow_table()
    assert table.num_rows
    assert table.schema.field("at").type == table.schema.field("begins").type == pa.timestamp("us", "UTC")
    for row in table.to_pylist():
        assert (row["day"], row["hour"]) == (f"{row['at']:%Y-%m-%d}", f"{row['at']:%Y-%m-%d %H}")
        assert f"{row['begins']:%Y-%m-%d %H}" == f"{row['day']} 00"


def test_closed_views_are_those_of_connect(case: Case) -> None:
    org = ["albion.example"]
    queries = (
        "SELECT * FROM deliveries ORDER BY delivery_id", "SELECT * FROM unread", "SELECT * FROM findings",
        "SELECT direction, count(*) AS n FROM deliveries GROUP BY 1 ORDER BY 1", "SHOW TABLES",
        "DESCRIBE incidents", "EXPLAIN SELECT 1",
    )  # fmt: skip
    open_one, closed_one = store.connect(case, org), store.closed(case, org)
    for query in queries[:4]:
        assert store.fetch(open_one, query) == store.fetch(closed_one, query), query
    assert store.fetch(closed_one, "SHOW TABLES")[1] == tuple((name,) for name in sorted(store.TABLES))


HOSTILE = (
    "COPY (SELECT 1) TO '{new}'", "EXPLAIN ANALYZE COPY (SELECT 1) TO '{new}'",
    "COPY (SELECT 1) TO '{table}' (FORMAT parquet, USE_TMP_FILE false)",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{table}' (USE_TMP_FILE false)", "COPY deliveries FROM '{table}'",
    "ATTACH '{new}'", "ATTACH '{new}' AS x; CREATE TABLE x.t AS SELECT 1", "EXPORT DATABASE '{new}'",
    "IMPORT DATABASE '{new}'", "INSTALL httpfs", "LOAD httpfs", "LOAD '{new}'", "SELECT * FROM '{secret}'",
    "SELECT * FROM read_text('{secret}')", "SELECT * FROM read_blob('{secret}')", "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_parquet('{table}')", "SELECT * FROM parquet_metadata('{table}')",
    "SELECT * FROM sniff_csv('{secret}')", "SELECT * FROM glob('{folder}/*')", "SELECT * FROM duckdb_secrets()",
    "SELECT getenv('HOME')", "SET enable_external_access = true", "RESET enable_external_access",
    "SET python_enable_replacements = true", "SET allowed_directories = ['/']", "PRAGMA enable_profiling = 'json'",
    "SET profiling_output = '{new}'", "SET temp_directory = '{new}'", "SET log_query_path = '{new}'",
    "SELECT * FROM case", "SELECT * FROM pandas_frame", "CREATE SECRET s (TYPE s3)",
    "SELECT * FROM query('COPY (SELECT 1) TO ''{new}''')", "CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')",
)  # fmt: skip
"""Statements that would change, create or read a file, or a value of this process."""


@pytest.mark.parametrize("statement", HOSTILE)
def test_a_closed_connection_touches_no_file(case: Case, tmp_path: Path, statement: str) -> None:
    import duckdb

    secret = tmp_path / "secret.txt"
    secret.write_text("not for the case's readers")
    table = store.paths(case, "deliveries")[0]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    places = {"new": tmp_path / "new", "secret": secret, "table": table, "folder": tmp_path}
    connection = store.closed(case, ["albion.example"])
    with pytest.raises(duckdb.Error):
        connection.execute(statement.format(**places)).fetchall()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("inside", [True, False])
def test_what_memory_does_not_hold_is_never_written_where_the_command_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    """That folder may hold the evidence; and what is spilled are addresses."""
    here, case, temporary = (tmp_path / name for name in ("evidence", "case", "temporary"))
    for folder in (here, case, temporary):
        folder.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(store.tempfile, "gettempdir", lambda: str(temporary))
    spill = case / ".spill"
    seen: set[Path] = set()
    with store.connect(Case(case), ["albion.example"], spill=spill if inside else None) as connection:
        connection.execute("SET memory_limit = '60MB'; SET threads = 1")
        rows = connection.execute("select * from range(9000000) t(n) order by hash(n)")
        assert rows.fetchone() is not None
        seen = {path for folder in (here, case, temporary) for path in folder.rglob("*") if path.is_file()}
    assert seen and all(path.is_relative_to(spill if inside else temporary) for path in seen)
    assert not list(here.iterdir()) and not spill.exists() and not list(temporary.iterdir())
    with store.closed(Case(case), ["albion.example"]) as connection:
        assert connection.execute("select current_setting('temp_directory')").fetchone() == ("",)
