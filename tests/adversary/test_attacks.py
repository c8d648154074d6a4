"""Outsiders who know how Missent works change nothing that it says of the organisation (docs/adversary.md)."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from forensics import pipeline, store
from forensics.case import Case
from tests.adversary import attacks

FOUND = (
    "message_id, sender, recipient, original_recipient, observed_domain, intended_domain, intended_address, level, "
    "exposure, origin, outcome"
)
ROWS = (
    "message_id, sender, recipient, original_recipient, outcome, status_code, authenticated_user, client_address, "
    "attempts, hops, queue_id, direction, submission"
)
Told = tuple[Counter[Any], Counter[Any], list[Any]]


def told(folder: Path, log: attacks.Log) -> Told:
    """(findings, deliveries, scores by finding) of a log."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mail.log"
    path.write_text(log.text(), "utf-8")
    pipeline.ingest([path], folder / "case", org=[attacks.OWN], year=2023)
    pipeline.detect(folder / "case")
    with store.connect(Case(folder / "case"), [attacks.OWN]) as connection:
        found = store.fetch(connection, f"select {FOUND} from findings join deliveries using (delivery_id)")[1]
        rows = store.fetch(connection, f"select {ROWS} from deliveries")[1]
    return Counter(found), Counter(rows), sorted(found, key=repr)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Told:
    found = told(tmp_path_factory.mktemp("clean"), attacks.read(data / "postfix-albion"))
    assert sum(found[0].values()) == 44
    return found


def attacked(folder: Path, data: Path, attack: attacks.Attack) -> Told:
    log = attacks.read(data / "postfix-albion")
    before = log.text()
    attack(log, random.Random(attack.__name__))
    assert log.text() != before
    return told(folder, log)


@pytest.mark.parametrize("attack", attacks.ATTACKS, ids=lambda attack: attack.__name__)
def test_an_outsider_adds_removes_and_renames_nothing(
    attack: attacks.Attack, clean: Told, data: Path, tmp_path: Path
) -> None:
    found, rows, _ = attacked(tmp_path, data, attack)
    assert found == clean[0]
    assert not clean[1] - rows, "deliveries of the organisation are gone or changed"
    mine = {row for row in rows - clean[1] if row[-2] == "outbound"}
    assert not mine, "an outsider's doing counts as the organisation's"


@pytest.mark.parametrize("attack", attacks.BY_MAIL, ids=lambda attack: attack.__name__)
def test_mail_from_outside_takes_no_finding_away(
    attack: attacks.Attack, clean: Told, data: Path, tmp_path: Path
) -> None:
    found, rows, _ = attacked(tmp_path, data, attack)
    kept = [(row[:7], row[8:]) for row in found]
    assert not Counter((row[:7], row[8:]) for row in clean[0]) - Counter(kept)
    assert not clean[1] - rows
