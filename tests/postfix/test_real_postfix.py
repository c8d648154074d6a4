"""A real Postfix on loopback: what was submitted is what Missent reads back from its log, row for row."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from forensics import pipeline
from forensics.case import Case
from forensics.custody import manifest
from tests.postfix import private, scenes
from tests.postfix.drill import Row, mail_system

SCENES = (
    scenes.deferred, scenes.plain, scenes.expansion, scenes.filtered, scenes.agents, scenes.look_alike_ids,
    scenes.checks, scenes.refused_here, scenes.spelling, scenes.hostile, scenes.local, scenes.held,
)  # fmt: skip


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """The log of a mail system that went through all scenes, and the deliveries that are to be in it."""
    if reason := private.why_not():
        pytest.skip(f"NOT RUN: {reason}; this proof reads the log of a real Postfix")
    log = tmp_path_factory.mktemp("postfix") / "maillog"
    with mail_system() as drill:
        for scene in SCENES:
            scene(drill)
        drill.postfix.wait_empty(drill.kept)
        scenes.unsettled(drill)
        private.stop(drill.postfix)
        log.write_bytes(drill.postfix.log.read_bytes())
        return log, drill.rows()


def ingested(log: Path, folder: Path) -> pipeline.Ingested:
    year = datetime.fromtimestamp(log.stat().st_mtime, UTC).year
    return pipeline.ingest([log], folder, org=["albion.example"], year=year, timezone="UTC")


def read(folder: Path) -> list[Row]:
    table = pq.read_table(Case(folder).deliveries, columns=list(Row._fields))
    return [Row(**row) for row in table.to_pylist()]


@pytest.mark.slow
def test_deliveries(drilled: tuple[Path, list[Row]], tmp_path: Path) -> None:
    log, expected = drilled
    ingested(log, tmp_path / "case")
    # how often the queue manager tried before it gave up is its affair: such rows are expected with 0 attempts
    open_ended = {row[:6] for row in expected if row.attempts == 0}
    got = [row._replace(attempts=0) if row[:6] in open_ended else row for row in read(tmp_path / "case")]
    missing, surplus = Counter(expected) - Counter(got), Counter(got) - Counter(expected)
    lines = [f"- {row}" for row in missing.elements()] + [f"+ {row}" for row in surplus.elements()]
    assert not lines, "\n" + "\n".join(sorted(lines, key=lambda line: line[2:]))


@pytest.mark.slow
def test_every_record_is_accounted_for(drilled: tuple[Path, list[Row]], tmp_path: Path) -> None:
    log, _ = drilled
    result = ingested(log, tmp_path / "case")
    lines = log.read_bytes().count(b"\n")
    assert (result.records, result.unread) == (lines, 0)
    assert result.records == result.used + result.ignored
    (evidence,) = manifest.read(Case(tmp_path / "case")).evidence
    assert evidence.records == evidence.used + sum(evidence.ignored.values()) + evidence.unread
