"""incident.veris.json keeps to the community's schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from forensics.report.facts import Facts
from forensics.report.formats import veris
from tests.report import made


def incident(facts: Facts) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(veris.render(facts, made.context(facts)))
    return parsed


def answered() -> Facts:
    told = {
        **made.QUESTIONNAIRE,
        "report": {**made.QUESTIONNAIRE["report"], "industry": "921190", "country": "gb", "employees": "101 to 1000"},
        "discovery": {**made.QUESTIONNAIRE["discovery"], "discovered_by": "employee"},
        "exposed": {
            "data_categories": ["contact data", "medical data", "berthing plans"],
            "subject_categories": ["employees", "service members", "contractors"],
            "credentials": "yes",
            "special_categories": "yes",
            "marking": "NATO Restricted",
        },
    }
    return made.facts(20, case=made.casefile(questionnaire=told))


CASES = {
    "found": lambda: made.facts(40),
    "confirmed": lambda: made.facts(40, verdicts=[made.CONFIRM]),
    "nothing": lambda: made.facts(0),
    "unanswered": lambda: made.facts(12, case=made.casefile(questionnaire={}), as_of=None),
    "answered": lambda: answered(),
    "hostile": lambda: made.facts(len(made.HOSTILE), made.HOSTILE),
}


@pytest.mark.parametrize("case", CASES)
def test_schema(case: str, corpora: Path) -> None:
    schema = json.loads((corpora / "public-samples" / "veris" / "verisc-merged.json").read_text("utf-8"))
    problems = jsonschema.Draft4Validator(schema).iter_errors(incident(CASES[case]()))
    assert [f"{'/'.join(map(str, p.path))}: {p.message}" for p in problems] == []


def test_status_follows_the_verdicts_and_the_outcome() -> None:
    assert incident(made.facts(40))["security_incident"] == "Suspected"
    assert incident(made.facts(40, verdicts=[made.CONFIRM]))["security_incident"] == "Confirmed"
    assert incident(made.facts(0))["security_incident"] == "False positive"


def test_it_names_nobody() -> None:
    text = veris.render(made.facts(40), made.context(made.facts(40))).decode()
    for value in ("albion", "Albion", "h.grant", "@", "R. Examiner"):
        assert value not in text


def test_the_same_case_has_the_same_id_and_another_another() -> None:
    facts = made.facts(5)
    assert incident(facts)["incident_id"] == incident(facts)["incident_id"]
    assert incident(made.renamed(facts, case_state="00" * 32))["incident_id"] != incident(facts)["incident_id"]


@pytest.mark.parametrize(
    ("length", "unit"),
    [(timedelta(seconds=5), "Seconds"), (timedelta(hours=3), "Hours"), (timedelta(days=400), "Years")],
)
def test_spans(length: timedelta, unit: str) -> None:
    start = datetime(2023, 1, 1, tzinfo=UTC)
    assert veris._span(start, start + length) == {"unit": unit}
    assert veris._span(start, None) == {"unit": "Unknown"}


def test_what_people_answered_fills_the_record() -> None:
    found = incident(answered())
    assert found["discovery_method"] == {"internal": {"variety": ["Reported by employee"]}}
    secrecy = found["attribute"]["confidentiality"]
    expected = ["Personal", "Medical", "Other", "Credentials", "Sensitive Personal", "Classified"]
    assert [one["variety"] for one in secrecy["data"]] == expected
    assert secrecy["data_victim"] == ["Employee", "Partner"]
    victim = {"employee_count": "101 to 1000", "industry": "921190", "country": ["GB"], "government": ["Unknown"]}
    assert found["victim"] == victim


def test_what_nobody_answered_stays_unknown() -> None:
    found = incident(made.facts(3, case=made.casefile(questionnaire={"report": {"industry": "x", "country": "EU"}})))
    assert found["discovery_method"] == {"unknown": True}
    assert found["attribute"]["confidentiality"]["data"] == [{"variety": "Unknown"}]
    assert found["victim"]["industry"] == "00"
    assert found["victim"]["country"] == ["Unknown"]
