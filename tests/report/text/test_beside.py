"""What stands beside the findings: told in every laid out format, in no number, and hidden in the redacted edition."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from forensics.report.facts import Beside, Contested, Facts, Impersonation, NoSuchDomain, Number
from forensics.report.facts import beside as gathered
from forensics.report.redaction import redact
from forensics.report.text import beside
from forensics.report.text import blocks as b
from tests.report import made

AT = datetime(2023, 3, 21, 8, 0, tzinfo=UTC)
BESIDE = Beside(
    (Contested("harbuor.example", "harbour.example", Number(3, ("a", "b", "c")), 12, 0.3, 0.97, ""),),
    (Impersonation("navv.example", "navy.example", 2, 7, 0.01),),
    (NoSuchDomain("qzlight.example", 4, 2, AT, AT),),
)


def said(facts: Facts) -> str:
    out: list[str] = []
    for block in beside.section(facts, made.context(facts)):
        if isinstance(block, b.Heading):
            out.append(block.text)
        elif isinstance(block, b.Para):
            out.append("".join(span.text for span in block.spans))
        elif isinstance(block, b.Table):
            out += ["".join(span.text for span in cell) for row in block.rows for cell in row]
    return "\n".join(out)


def test_each_part_that_has_something_to_tell() -> None:
    facts = made.facts(5)
    assert said(facts) == ""
    told = said(replace(facts, beside=BESIDE))
    for name in ("harbuor.example", "navv.example", "qzlight.example", "someone who took the name", "none yet"):
        assert name in told
    only = said(replace(facts, beside=Beside(undeliverable=BESIDE.undeliverable)))
    assert "4 deliveries to it failed" in only and "took the name" not in only


def test_no_domain_stands_in_the_redacted_edition() -> None:
    told = said(redact(replace(made.facts(5), beside=BESIDE), b"k" * 32))
    assert "12" in told
    assert not [name for name in ("harbuor", "navv", "qzlight", "harbour", "navy") if name in told]


@pytest.mark.parametrize(
    ("states", "verdict"), [([], ""), (["confirmed"], "confirmed"), (["confirmed", "dismissed"], "mixed")]
)
def test_a_verdict_decides_what_is_contested(states: list[str], verdict: str) -> None:
    facts = made.facts(40)
    pair = facts.findings[0].slip
    ids = [x.delivery_id for x in facts.findings if x.slip == pair]
    findings = [
        replace(x, state=states[ids.index(x.delivery_id) % len(states)]) if states and x.delivery_id in ids else x
        for x in facts.findings
    ]
    connection = duckdb.connect()
    connection.execute("create table deliveries (direction varchar, sender_domain varchar)")
    connection.execute("insert into deliveries values ('inbound', 'navy.ml'), ('outbound', 'navy.ml')")
    connection.execute(
        "create table findings as select 'navy.ml' observed_domain, 'navy.mil' intended_domain, unnest(?) delivery_id, "
        "0.2 score, 0.9 score_without_theirs, true contested",
        [ids],
    )
    (one,) = gathered.read(connection, findings, gathered.Told()).contested
    assert (one.verdict, one.wrote, one.deliveries.value) == (verdict, 1, len(ids))


@pytest.mark.parametrize(("score", "without", "listed"), [(0.65, 0.99, 1), (0.97, 0.99, 0), (0.65, 0.7, 0)])
def test_who_writes_below_level_high_is_listed_too(score: float, without: float, listed: int) -> None:
    """Else the owner of a lookalike could write itself out of every number."""
    connection = duckdb.connect()
    connection.execute("create table deliveries (direction varchar, sender_domain varchar)")
    connection.execute(
        "create table findings as select 'navy.ml' observed_domain, 'navy.mil' intended_domain, ? delivery_id, "
        "? score, ? score_without_theirs, false contested",
        [made.facts(1).findings[0].delivery_id, score, without],
    )
    assert len(gathered.read(connection, made.facts(1).findings, gathered.Told()).contested) == listed
