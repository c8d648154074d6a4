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
Told = tuple[Counter[Any], Counter[Any]]


def told(folder: Path, log: attacks.Log) -> Told:
    """(findings, deliveries) of a log."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mail.log"
    path.write_text(log.text(), "utf-8")
    pipeline.ingest([path], folder / "case", org=[attacks.OWN], year=2023)
    pipeline.detect(folder / "case")
    with store.connect(Case(folder / "case"), [attacks.OWN]) as connection:
        found = store.fetch(connection, f"select {FOUND} from findings join deliveries using (delivery_id)")[1]
        rows = store.fetch(connection, f"select {ROWS} from deliveries")[1]
    return Counter(found), Counter(rows)


COUNTS = {"postfix-albion": 44, "postfix-albion-filter": 32}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, data: Path) -> dict[str, Told]:
    """What the untouched logs tell."""
    made = {name: told(tmp_path_factory.mktemp(name), attacks.read(data / name)) for name in COUNTS}
    assert {name: sum(one[0].values()) for name, one in made.items()} == COUNTS
    return made


def attacked(folder: Path, source: Path, attack: attacks.Attack) -> Told:
    log = attacks.read(source)
    before = log.text()
    attack(log, random.Random(attack.__name__))
    assert log.text() != before
    return told(folder, log)


CASES = [("postfix-albion", attack) for attack in attacks.ATTACKS]
CASES += [("postfix-albion-filter", attack) for attack in attacks.BEHIND_A_FILTER]


@pytest.mark.parametrize(("name", "attack"), CASES, ids=[f"{name}-{attack.__name__}" for name, attack in CASES])
def test_an_outsider_adds_removes_and_renames_nothing(
    name: str, attack: attacks.Attack, clean: dict[str, Told], data: Path, tmp_path: Path
) -> None:
    found, rows = attacked(tmp_path, data / name, attack)
    assert found == clean[name][0]
    assert not clean[name][1] - rows, "deliveries of the organisation are gone or changed"
    mine = {row for row in rows - clean[name][1] if row[-2] == "outbound"}
    assert not mine, "an outsider's doing counts as the organisation's"


@pytest.mark.parametrize("attack", attacks.BY_MAIL, ids=lambda attack: attack.__name__)
def test_mail_from_outside_takes_no_finding_away(
    attack: attacks.Attack, clean: dict[str, Told], data: Path, tmp_path: Path
) -> None:
    found, rows = attacked(tmp_path, data / "postfix-albion", attack)
    at = FOUND.split(", ").index("level")
    kept, before = (Counter((*row[:at], *row[at + 1 :]) for row in one) for one in (found, clean["postfix-albion"][0]))
    assert not before - kept
    assert not clean["postfix-albion"][1] - rows
