"""Logs without the lines of smtpd, as extracts often are: the same deliveries, the same findings."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from forensics import pipeline, store
from forensics.case import Case
from tests.adversary import attacks

FOUND = "message_id, recipient, intended_address, level, exposure, origin, round(score, 4)"


@pytest.mark.parametrize("name", ["postfix-albion", "postfix-albion-filter"])
def test_nothing_is_lost_without_lines_of_smtpd(name: str, data: Path, tmp_path: Path) -> None:
    with (data / name / "outcome.tsv").open(newline="", encoding="utf-8") as file:
        wanted = Counter(
            (r["message_id"], r["recipient"], r["original_recipient"], r["outcome"])
            for r in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        )
    lines = attacks.read(data / name).lines
    found: list[Counter[Any]] = []
    for part, kept in (("whole", lines), ("extract", [one for one in lines if "/smtpd[" not in one])):
        (tmp_path / f"{part}.log").write_text("\n".join(kept) + "\n", "utf-8")
        pipeline.ingest([tmp_path / f"{part}.log"], tmp_path / part, org=[attacks.OWN], year=2023)
        pipeline.detect(tmp_path / part)
        with store.connect(Case(tmp_path / part), [attacks.OWN]) as connection:
            query = "select message_id, recipient, coalesce(original_recipient, ''), outcome from deliveries"
            rows = store.fetch(connection, f"{query} where sender <> ''")[1]
            assert Counter(rows) == wanted
            found.append(
                Counter(store.fetch(connection, f"select {FOUND} from findings join deliveries using (delivery_id)")[1])
            )
    assert len(lines) > 5000 and found[0] == found[1] and found[0]
