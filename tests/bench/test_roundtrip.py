"""Simulated logs go through the real ingest and come back as the deliveries they were written from."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from forensics import domains, pipeline
from tests.bench import mod_2023, simulate
from tests.bench.mail import Message
from tests.bench.traffic import Rates

SMALL = simulate.Settings(11, people=30, months=2, domains=600, rates=Rates(slip=0.004))
COLUMNS = ["message_id", "recipient", "outcome", "original_recipient", "sender", "authenticated_user", "subject"]
Row = tuple[str | None, ...]


def _read(folder: Path) -> list[Row]:
    table = pq.ParquetDataset(folder / "deliveries").read(columns=COLUMNS)
    return sorted((tuple(row.values()) for row in table.to_pylist()), key=repr)


def _written(messages: list[Message]) -> list[Row]:
    rows: list[Row] = [
        (m.message_id, g.recipient, g.outcome, g.original, m.sender, m.user, m.subject)
        for m in messages
        for g in m.legs
    ]
    return sorted(rows, key=repr)


def _case(folder: Path, own: tuple[str, ...]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "case.toml").write_text(f"[organisation]\ndomains = {list(own)}\n", "utf-8")


@pytest.mark.parametrize("stamps", ["iso", "rfc3164"])
def test_simulated_organisation(tmp_path: Path, stamps: str) -> None:
    simulate.save(SMALL, tmp_path / "logs", stamps=stamps)
    _case(tmp_path / "case", SMALL.own)
    found = pipeline.ingest(sorted((tmp_path / "logs").glob("mail.log-*")), tmp_path / "case", workers=1)
    assert _read(tmp_path / "case") == _written(simulate.messages(SMALL))
    assert found.unread == 0


def test_second_worked_example(tmp_path: Path) -> None:
    """Every delivery once, in the right year, and nothing unread; clients turned away for now stay `deferred`."""
    evidence = mod_2023.ROOT / "forensics" / "demo" / "mod-2023"
    _case(tmp_path, (mod_2023.OWN,))
    found = pipeline.ingest(sorted(evidence.glob("mail.log-*")), tmp_path, workers=1)
    assert found.unread == 0
    rows = _read(tmp_path)
    assert [r for r in rows if r[0] is not None] == _written(mod_2023.messages())
    turned_away = [r for r in rows if r[0] is None]
    assert turned_away and {(r[1], r[2]) for r in turned_away} == {(f"office@{mod_2023.OWN}", "deferred")}
    table = pq.ParquetDataset(tmp_path / "deliveries").read(columns=["submitted_at", "recipient"])
    assert {t.year for t in table.column("submitted_at").to_pylist()} == {2022, 2023}
    assert sum(domains.within(domains.parts(r)[1], {"ml"}) for r in table.column("recipient").to_pylist()) == 55
