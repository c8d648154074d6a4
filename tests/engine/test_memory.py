"""`--memory`: fewer threads, a bound for the database, and a refusal instead of an end by the system."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import pipeline, store
from forensics.case import Case
from forensics.custody import manifest
from forensics.engine import memory
from forensics.errors import MachineError, UsageError
from forensics.ingest import read as reading
from tests.test_docs import evidence


@given(wanted=st.integers(1, 64), room=st.integers(memory.LEAST, 64 << 30))
def test_threads_leave_room_for_rows(wanted: int, room: int) -> None:
    chosen = memory.threads(wanted, room)
    memory.enough(3_000_000, chosen, room)
    assert 1 <= chosen <= wanted
    if chosen < wanted:
        with pytest.raises(MachineError):
            memory.enough(0, 2 * (chosen + 1), room)


def test_too_little_is_refused_before_any_work(tmp_path: Path) -> None:
    logs = evidence(tmp_path) / "evidence"
    with pytest.raises(UsageError, match="1 GiB or more"):
        pipeline.ingest([logs], tmp_path / "case", memory=memory.LEAST - 1)
    assert not (tmp_path / "case").exists()
    with pytest.raises(UsageError, match="1 GiB or more"):
        pipeline.detect(tmp_path / "case", memory=memory.LEAST - 1)


def test_what_does_not_fit_is_said_and_the_case_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = sorted((evidence(tmp_path) / "evidence").iterdir())
    case = tmp_path / "case"
    pipeline.ingest([logs[0]], case, org=["example.org"])
    before = {path: path.read_bytes() for path in sorted(case.rglob("*")) if path.is_file()}
    more = tmp_path / "more.log"
    more.write_bytes(logs[0].read_bytes().replace(b"clerk", b"other"))
    monkeypatch.setattr(memory, "_OF_ROW", 1 << 30)
    with pytest.raises(MachineError, match=r"hops and legs come to needs about [\d,.]+ GiB of memory") as refused:
        pipeline.ingest([more], case, memory=memory.LEAST)
    assert "cut by time" in str(refused.value.remedy)
    tables = {path: data for path, data in before.items() if ".runs" not in path.parts}
    assert {path: path.read_bytes() for path in tables} == tables
    monkeypatch.undo()
    pipeline.ingest([more], case, memory=memory.LEAST)


def test_fewer_threads_give_the_same_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = evidence(tmp_path) / "evidence"
    seen: list[int | None] = []
    true = reading.ingest_then

    def watched(*given: object, **options: object) -> object:
        seen.append(options["workers"])  # type: ignore[arg-type]
        return true(*given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "ingest_then", watched)
    for name, room in (("bound", memory.LEAST), ("free", None)):
        pipeline.ingest([logs], tmp_path / name, org=["example.org"], workers=64, memory=room)
    assert seen == [2, 64]
    bound, free = (
        manifest.tables_digest(one, manifest.read(one)) for one in (Case(tmp_path / n) for n in ("bound", "free"))
    )
    assert bound == free


def test_detection_writes_aside_what_it_may_not_hold(tmp_path: Path) -> None:
    logs = evidence(tmp_path) / "evidence"
    case = tmp_path / "case"
    pipeline.ingest([logs], case, org=["example.org"])
    with store.connect(Case(case), memory=memory.for_database(memory.LEAST)) as connection:
        assert store.fetch(connection, "select current_setting('memory_limit')")[1] == (("512.0 MiB",),)
    found = pipeline.detect(case, memory=memory.LEAST)
    assert found == pipeline.detect(case)


def test_a_database_without_memory_says_what_helps() -> None:
    import duckdb

    from forensics.cli.faults import in_words

    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '10MiB'")
        connection.execute("SET temp_directory = ''")
        with pytest.raises(duckdb.OutOfMemoryException) as full:
            connection.execute("CREATE TABLE t AS SELECT range AS a, hash(range) AS b FROM range(10000000)")
    said = in_words(full.value)
    assert isinstance(said, MachineError)
    assert "not enough memory" in said.what
    assert said.remedy is not None
    assert "--memory" in said.remedy
