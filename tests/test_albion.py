"""The whole job on the project's own gateways: every delivery once, every slip found, nobody else accused."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from forensics import pipeline, store
from forensics.case import Case

ORG = "albion-defence.uk"
FOLDERS = ("postfix-albion", "postfix-albion-filter")
LIST_MEMBER = "jtaylor7@navy.ml"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Case:
    folder = tmp_path_factory.mktemp("albion") / "case"
    logs = [path for name in FOLDERS for path in (data / name).glob("mail.log*")]
    ingested = pipeline.ingest(logs, folder, org=[ORG])
    assert ingested.records == ingested.used + ingested.ignored == 21911
    assert ingested.unread == 0
    pipeline.detect(folder)
    return Case(folder)


def ask(case: Case, query: str) -> list[tuple[object, ...]]:
    with store.connect(case, [ORG]) as connection:
        return list(store.fetch(connection, query)[1])


def test_every_delivery_exactly_once(case: Case, data: Path) -> None:
    expected = Counter(
        (row["message_id"], row["recipient"], row["original_recipient"] or None, row["outcome"])
        for name in FOLDERS
        for row in rows(data / name / "outcome.tsv")
    )
    found = Counter(
        ask(case, "select message_id, recipient, original_recipient, outcome from deliveries where sender <> ''")
    )
    assert sum(expected.values()) == 1456 + 803
    assert found == expected


def test_the_76_misdirected_deliveries_and_no_other(case: Case, data: Path) -> None:
    typed = {
        (row["message_id"], row["recipient"], row["intended"])
        for name in FOLDERS
        for row in rows(data / name / "truth.tsv")
        if row["label"] == "misdirected"
    }
    listed = {
        (row["message_id"], LIST_MEMBER, "jtaylor7@navy.mil")
        for name in FOLDERS
        for row in rows(data / name / "outcome.tsv")
        if row["recipient"] == LIST_MEMBER
    }
    assert (len(typed), len(listed)) == (24 + 16, 20 + 16)
    found = ask(
        case,
        """select message_id, recipient, intended_address, origin from findings join deliveries using (delivery_id)
        where level in ('high', 'medium')""",
    )
    assert {row[:3] for row in found} == typed | listed
    assert len(found) == 76
    assert {row[0] for row in found if row[3] == "list"} == {row[0] for row in listed}


def test_genuine_correspondents_are_not_accused(case: Case) -> None:
    genuine = ("diplomatie.gouv.ml", "orangemali.ml", "fabrikam.de", "fabrikam.fr")
    assert not ask(case, f"select * from findings where observed_domain in {genuine} and level in ('high', 'medium')")


def test_order_of_arguments_and_workers_change_nothing(case: Case, data: Path, tmp_path: Path) -> None:
    logs = [path for name in reversed(FOLDERS) for path in sorted((data / name).glob("mail.log*"), reverse=True)]
    pipeline.ingest(logs, tmp_path / "again", org=[ORG], workers=1)
    pipeline.detect(tmp_path / "again")
    other = Case(tmp_path / "again")
    for path in [*case.deliveries.rglob("*.parquet"), case.findings, case.incidents, case.correspondents]:
        assert (other.folder / path.relative_to(case.folder)).read_bytes() == path.read_bytes(), path.name
