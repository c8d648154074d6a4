"""The manifest keeps what it was told, and its state digest knows neither clock nor place."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from forensics import schema
from forensics.case import Case
from forensics.casefile import remember_known_good
from forensics.custody import log, manifest
from forensics.custody.names import display, label, undisplay
from forensics.errors import CaseError


def test_round_trip(built):
    held = manifest.read(built.case)
    manifest.write(built.case, held)
    assert manifest.read(built.case) == held
    text = built.case.manifest.read_text("utf-8")
    assert text.endswith("}\n")
    assert json.loads(text)["version"] == schema.VERSION
    assert held.custody == log.head(built.case)
    assert [run.action for run in held.runs] == ["ingest", "detect"]
    assert held.evidence[0].first == "2023-06-01T10:00:00.000000Z"
    assert held.evidence[0].container == "gzip"
    assert held.skipped == (manifest.Skipped("x.log", "it is empty (0 bytes)"),)
    assert {"python", "missent", "pyarrow"} <= set(held.runs[0].versions)


def test_state_digest_depends_on_content_alone(built, monkeypatch, tmp_path):
    before = manifest.case_state_digest(built.case)
    monkeypatch.setattr(log, "host", lambda: "elsewhere")
    monkeypatch.setattr(log, "user", lambda: "somebody")
    later = datetime(2031, 1, 1, tzinfo=UTC)
    manifest.record(built.case, "detect", command=["other"], started=later, clock=lambda: later + timedelta(days=1))
    assert manifest.case_state_digest(built.case) == before
    moved = tmp_path / "moved"
    shutil.copytree(built.case.folder, moved)
    assert manifest.case_state_digest(Case(moved)) == before


def test_state_digest_changes_with_each_part(built):
    seen = {manifest.case_state_digest(built.case)}
    remember_known_good(built.case, "navy.ml")
    seen.add(manifest.case_state_digest(built.case))
    built.case.verdicts.write_text('{"verdict":"confirmed"}\n')
    seen.add(manifest.case_state_digest(built.case))
    moment = datetime(2023, 6, 1, tzinfo=UTC)
    manifest.record(built.case, "detect", command=[], started=moment, settings={"since": "2023"})
    seen.add(manifest.case_state_digest(built.case))
    built.case.incidents.unlink()
    manifest.record(built.case, "detect", command=[], started=moment)
    seen.add(manifest.case_state_digest(built.case))
    assert len(seen) == 5


def test_settings_are_merged_and_digested(built):
    held = manifest.record(
        built.case,
        "ingest",
        command=[],
        started=datetime(2023, 6, 1, tzinfo=UTC),
        settings={"timezone": "Europe/London"},
    )
    assert held.settings == {"year": 2023, "timezone": "Europe/London"}
    assert held.runs[-1].settings_digest == manifest.settings_digest({"timezone": "Europe/London", "year": 2023})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "cannot be read"),
        ("[]", "the case is in format none"),
        ('{"version": 9}', "the case is in format 9"),
        (f'{{"version": {schema.VERSION}}}', "is damaged or was altered"),
        (f'{{"version": {schema.VERSION}, "evidence": [{{"id": 3}}]}}', "is damaged or was altered"),
    ],
)
def test_damaged_manifest(tmp_path, text, what):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(CaseError, match=what):
        manifest.read(Case(tmp_path))


def test_no_manifest(tmp_path):
    with pytest.raises(CaseError, match="nothing was ingested yet"):
        manifest.read(Case(tmp_path))


@pytest.mark.parametrize(
    "name", ["plain", "a\\b", "a\\x41", "\udcff\n\u202e", "é…", "\\u{41}", "\U0010ffff\0", "\u2028"]
)
def test_names_are_shown_safely_and_given_back(name):
    assert undisplay(display(name)) == name
    assert display(name).isprintable()
    display(name).encode("utf-8")


def test_absurd_names_are_shortened():
    assert label("n" * 65_536).endswith("… (65,536 characters)")
