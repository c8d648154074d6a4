"""incident.json: valid against its own schema, values equal, references resolve."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from forensics.report.formats import data
from forensics.report.redaction import redact
from tests.report import made

FACTS = made.facts(60, made.HOSTILE, verdicts=[made.CONFIRM])
PUBLISHED = Path(data.__file__).parent / "incident.schema.json"


@pytest.mark.parametrize("facts", [FACTS, made.facts(0), redact(FACTS, b"k" * 32)], ids=["full", "none", "redacted"])
def test_valid_against_the_schema(facts) -> None:  # type: ignore[no-untyped-def]
    schema = data.schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(data.render(facts)))


def test_the_published_schema_is_this_one() -> None:
    assert PUBLISHED.read_text("utf-8") == json.dumps(data.schema(), indent=1) + "\n"


def test_hostile_values_come_back_equal() -> None:
    told = json.loads(data.render(FACTS))
    for finding, row in zip(FACTS.findings, told["findings"], strict=True):
        assert row["subject"] == finding.subject
        assert row["response"] == finding.response
        assert row["recipient"] == finding.recipient


def test_hidden_characters_show_in_the_file_itself() -> None:
    assert data.render(FACTS).isascii()


def test_numbers_name_the_findings_behind_them() -> None:
    told = json.loads(data.render(FACTS))
    headline = told["groups"]["headline"]["deliveries"]
    named = set()
    for span in headline["findings"]:
        first, _, last = span.partition("-")
        named |= set(range(int(first[1:]), int((last or first)[1:]) + 1))
    assert len(named) == headline["value"]
    states = {int(row["ref"][1:]): row["state"] for row in told["findings"]}
    assert {states[n] for n in named} <= {"confirmed", "suspected"}
