"""What can be asked of a case beside its tables, inside and in a DuckDB of one's own."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import pipeline, rulings, views, workbench
from forensics.case import Case
from forensics.custody import manifest, successors
from forensics.errors import MissentError
from forensics.report.facts.rulings import attach
from forensics.review.verdicts import NewVerdict, record
from forensics.schema import VERDICTS
from tests.ingesting import slipped

ORG = "albion.example"
NAMES = ("deliveries", "findings", "evidence", "ignored", "verdicts", "rulings", "findings_open", "citations")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Two slips that were noticed by nobody, among mail to the right name."""
    folder = tmp_path_factory.mktemp("views")
    log = folder / "mail.log"
    log.write_text(slipped() + "Mar  1 10:00:00 mx1 kernel: nothing\nnobody knows this line status=sent\n")
    pipeline.ingest([log], folder / "case", org=[ORG], year=2024)
    pipeline.detect(folder / "case")
    return Case(folder / "case")


def ask(case: Case, query: str) -> list[tuple[object, ...]]:
    return list(workbench.sql(case.folder, query).rows)


def test_evidence_and_ignored_are_the_manifest(case: Case) -> None:
    held = manifest.read(case).evidence
    assert ask(case, "select id, records, used, ignored, unread from evidence") == [
        (one.id, one.records, one.used, sum(one.ignored.values()), one.unread) for one in held
    ]
    assert sorted(ask(case, "select evidence, kind, records from ignored")) == sorted(
        (one.id, kind, n) for one in held for kind, n in one.ignored.items()
    )


def test_citations_are_the_records_of_deliveries(case: Case) -> None:
    asked = "select delivery_id, unnest(records).number from deliveries"
    assert sorted(ask(case, "select delivery_id, number from citations")) == sorted(ask(case, asked))


def test_verdicts_close_findings_and_the_latest_counts(case: Case) -> None:
    found = ask(case, "select delivery_id, observed_domain, intended_domain from findings order by 1")
    assert len(found) == 2
    (first, typed, meant), (second, _, _) = found
    assert len(ask(case, "from findings_open")) == 2
    record(case, NewVerdict(typed, meant, "dismissed", "a partner"), "R. Examiner")
    assert ask(case, "from findings_open") == []
    record(case, NewVerdict(typed, meant, "confirmed", "the sender says so", (first,)), "R. Examiner")
    assert ask(case, "select delivery_id, verdict from findings_open") == [(first, "confirmed")]
    assert ask(case, "select delivery_id, verdict from rulings order by 1") == sorted(
        [(first, "confirmed"), (second, "dismissed")]
    )
    assert len(ask(case, "from verdicts")) == 2


PAIRS = st.sampled_from([("a.ml", "a.mil"), ("a.ml", "b.mil"), ("c.ml", "a.mil")])
DELIVERIES = st.sampled_from(["d1", "d2", "d3"])
RULED = st.tuples(PAIRS, st.sampled_from(VERDICTS), st.lists(DELIVERIES, max_size=2).map(tuple))


@given(st.dictionaries(DELIVERIES, PAIRS), st.lists(RULED, max_size=6))
def test_which_verdict_holds_is_the_same_in_sql(found: dict[str, tuple[str, str]], said: list[Any]) -> None:
    """A new detection may find a delivery under another pair than people ruled on."""
    made = [
        rulings.Verdict(*pair, verdict, "why", named, "R. Examiner", datetime(2024, 3, 1, tzinfo=UTC), number)
        for number, (pair, verdict, named) in enumerate(said, 1)
    ]
    findings = [
        {"delivery_id": delivery, "observed_domain": typed, "intended_domain": meant}
        for delivery, (typed, meant) in found.items()
    ]
    with duckdb.connect() as connection:
        types = pa.schema([(name, pa.string()) for name in ("delivery_id", "observed_domain", "intended_domain")])
        connection.register("findings", pa.Table.from_pylist(findings, types))
        connection.register("verdicts", pa.Table.from_pylist([vars(one) for one in made], views._VERDICTS))
        holding = dict(connection.sql(views._DERIVED["rulings"]).fetchall())
    assert holding == {delivery: one.verdict for delivery, one in attach(findings, made)[0].items()}


def test_the_printed_views_are_the_same_elsewhere(case: Case) -> None:
    same_elsewhere(case)


def test_the_printed_views_follow_a_ruling_to_what_stands_for_its_delivery_now(tmp_path: Path, case: Case) -> None:
    copy = Case(shutil.copytree(case.folder, tmp_path / "case"))
    found = ask(copy, "select delivery_id, observed_domain, intended_domain from findings order by 1")
    (first, typed, meant), (second, _, _) = (map(str, row) for row in found)
    record(copy, NewVerdict(typed, meant, "undecided", "ask", (first,)), "R. Examiner")
    successors.record(copy, {first: second, "what's gone": first})
    assert ask(copy, "select deliveries from verdicts order by sequence desc limit 1") == [([second],)]
    same_elsewhere(copy)


def same_elsewhere(case: Case) -> None:
    outside = duckdb.connect()
    for _ in range(2):
        outside.execute(workbench.views_sql(case.folder))
    outside.execute("SET TimeZone = 'UTC'")
    for name in NAMES:
        columns = [row[0] for row in ask(case, f"select column_name from (describe {name})")]
        query = f"select {', '.join(f'{c}::varchar' for c in columns)} from {name}"
        assert sorted(map(repr, outside.execute(query).fetchall())) == sorted(map(repr, ask(case, query))), name


def test_altered_verdicts_are_not_asked(tmp_path: Path, case: Case) -> None:
    copy = Case(shutil.copytree(case.folder, tmp_path / "case"))
    lines = [json.loads(line) for line in copy.verdicts.read_text().splitlines()]
    lines[0]["verdict"] = "confirmed"
    copy.verdicts.write_text("".join(json.dumps(one) + "\n" for one in lines))
    with pytest.raises(MissentError, match="altered"):
        views.connect(copy)
