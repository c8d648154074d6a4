"""Timesketch, IRIS and ECS: what other tools read, held to the field lists that they publish."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from forensics.report import redaction
from forensics.report.facts import Facts
from forensics.report.formats import ecs, iris, timesketch
from forensics.report.text import timeline
from tests.report import made

PUBLISHED = Path(__file__).parents[2] / "data" / "published"


@cache
def facts() -> Facts:
    return made.facts(60, made.HOSTILE, verdicts=[made.CONFIRM])


def sketch() -> dict[str, bytes]:
    return timesketch.render(facts(), made.context(facts()))


def expected_events() -> int:
    found = facts()
    case = len(timeline.events(found, made.context(found).words))
    return case + sum(1 + (finding.resolved_at is not None) for finding in found.findings)


def test_timesketch_has_what_it_asks_for() -> None:
    """docs/guides/user/import-from-json-csv.md of google/timesketch: mandatory fields, file endings, microseconds."""
    files = sketch()
    assert [name.rpartition(".")[2] for name in files] == ["jsonl", "csv"]
    rows = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    assert len(rows) == expected_events()
    for row in rows:
        assert row["message"]
        assert row["timestamp_desc"]
        at = datetime.fromisoformat(row["datetime"])
        assert at.utcoffset() is not None
        assert datetime.fromtimestamp(row["timestamp"] / 1_000_000, UTC) == at
    assert rows == sorted(rows, key=lambda row: row["timestamp"])


def test_timesketch_csv_is_the_same_and_runs_in_no_spreadsheet() -> None:
    files = sketch()
    assert files["events.csv"].startswith(b"message,timestamp,datetime,timestamp_desc,")
    rows = list(csv.DictReader(io.StringIO(files["events.csv"].decode(), newline="")))
    told = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    assert [row["datetime"] for row in rows] == [row["datetime"] for row in told]
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert files["events.csv"].decode().splitlines() == files["events.csv"].decode().split("\n")[:-1]


def test_timesketch_keeps_hostile_values_whole() -> None:
    told = [json.loads(line) for line in sketch()["events.jsonl"].splitlines()]
    subjects = {row.get("subject") for row in told}
    assert {value for value in made.HOSTILE if value} <= subjects


def test_iris_as_its_upload_checks_it() -> None:
    """What `case_events_upload_csv` of dfir-iris/iris-web does with a file, step by step."""
    content = iris.render(facts(), made.context(facts())).decode()
    rows = list(csv.DictReader(content.splitlines(), delimiter=","))
    assert len(rows) == expected_events()
    fields = "event_date event_tz event_title event_category event_content event_raw event_source event_assets event_iocs event_tags"
    assert list(rows[0]) == fields.split()
    for row in rows:
        assert None not in row
        assert all(value is not None for value in row.values())
        assert row["event_title"]
        assert row["event_assets"] == row["event_iocs"] == row["event_category"] == ""
        at = datetime.fromisoformat(row["event_date"] + row["event_tz"])
        assert at.utcoffset() is not None
        assert not row["event_title"].startswith(("=", "+", "-", "@"))
    assert not content.startswith("\ufeff")


def leaves(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, one in value.items():
        if isinstance(one, dict) and prefix + key != "labels":
            yield from leaves(one, f"{prefix}{key}.")
        else:
            yield prefix + key, one


def test_ecs_uses_published_fields_and_types_alone() -> None:
    published = {row["Field"]: row for row in csv.DictReader((PUBLISHED / "ecs-fields.csv").open(encoding="utf-8"))}
    rows = [json.loads(line) for line in ecs.render(facts(), made.context(facts())).splitlines()]
    assert len(rows) == len(facts().findings)
    for row in rows:
        for name, value in leaves(row):
            field = published[name]
            assert isinstance(value, list) == (field["Normalization"] == "array"), name
            if field["Type"] == "date":
                assert datetime.fromisoformat(value).utcoffset() is not None
            elif field["Type"] == "float":
                assert isinstance(value, float)
        assert all(isinstance(value, str) for value in row["labels"].values())
        # Values that ECS allows for its categorization fields.
        event = row["event"]
        assert (event["kind"], event["category"], event["type"]) == ("event", ["email"], ["info"])
        assert event["outcome"] in ("success", "failure", "unknown")


def test_ecs_says_success_only_of_what_left() -> None:
    rows = [json.loads(line) for line in ecs.render(facts(), made.context(facts())).splitlines()]
    for row in rows:
        left = row["labels"]["exposure"] in ("exposed", "handed-on")
        assert (row["event"]["outcome"] == "success") == left
        assert ("delivery_timestamp" in row["email"]) == left


def test_ecs_calls_nothing_misdirected_that_a_person_ruled_was_meant_as_sent() -> None:
    dismissed = replace(made.CONFIRM, verdict="dismissed")
    found = made.facts(60, verdicts=[dismissed])
    rows = [json.loads(line) for line in ecs.render(found, made.context(found)).splitlines()]
    states = {row["labels"]["state"] for row in rows}
    assert {"dismissed", "review", "suspected"} <= states
    for row in rows:
        counted = row["labels"]["state"] in ("confirmed", "suspected")
        assert ("misdirected" in row["tags"]) == counted
        assert (row["event"]["action"] == "misdirected-delivery") == counted
        assert ("risk_score" in row["event"]) == (row["labels"]["state"] != "dismissed")


@pytest.mark.parametrize("module", [timesketch, iris, ecs])
def test_the_same_facts_give_the_same_bytes_and_the_redacted_ones_no_address(module: Any) -> None:
    context = made.context(facts())
    assert module.render(facts(), context) == module.render(facts(), context)
    redacted = redaction.redact(facts(), b"k" * 32)
    out = module.render(redacted, made.context(redacted))
    text = b"".join(out.values()) if isinstance(out, dict) else out
    assert b"albion-logistics" not in text
    assert b"grant@" not in text
