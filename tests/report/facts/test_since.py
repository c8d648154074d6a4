"""What changed since an earlier report."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import UsageError
from forensics.report import redaction
from forensics.report.facts import Facts, since
from forensics.report.formats import data
from forensics.report.text import blocks as b
from forensics.report.text import changes, document, onepage
from forensics.report.text.wording import load
from tests.report import made

WORDS = load()


@cache
def before() -> Facts:
    return made.facts(20)


def now(count: int = 24) -> Facts:
    told = {**made.QUESTIONNAIRE, "exposed": {**made.QUESTIONNAIRE["exposed"], "subjects": 30, "marking": "none"}}
    return made.facts(count, verdicts=[made.CONFIRM], case=made.casefile(questionnaire=told))


def written(facts: Facts, folder: Path) -> Path:
    (folder / "incident.json").write_bytes(data.render(facts))
    return folder


def compared(earlier: Facts, later: Facts, folder: Path) -> Facts:
    return replace(later, changes=since.compare(since.read(written(earlier, folder)), later))


def test_the_same_report_shows_no_change(tmp_path: Path) -> None:
    facts = compared(before(), before(), tmp_path)
    assert facts.changes is not None
    assert not (facts.changes.counts or facts.changes.added.value or facts.changes.moved or facts.changes.answers)
    said = [b.plain(block.spans) for block in changes.section(facts, WORDS) if isinstance(block, b.Para)]
    assert said[1] == "Nothing that the reports say has changed."


def test_what_is_new_moved_and_restated(tmp_path: Path) -> None:
    facts = compared(before(), now(), tmp_path)
    found = facts.changes
    assert found is not None
    assert found.added.deliveries == ("d000020", "d000021", "d000022", "d000023")
    ruled = [x for x in facts.findings if x.state == "confirmed" and x.delivery_id < "d000020"]
    assert [(one.before, one.now, one.deliveries.value) for one in found.moved] == [
        ("suspected", "confirmed", len(ruled))
    ]
    assert [(one.key, one.before, one.now) for one in found.answers] == [
        ("exposed.subjects", "12", "30"),
        ("exposed.marking", None, "none"),
    ]
    counts = {one.key: (one.before, one.now) for one in found.counts}
    assert counts["headline.deliveries"][0] == before().groups.headline.deliveries.value
    assert counts["headline.deliveries"][1] == facts.groups.headline.deliveries.value


def test_a_finding_that_is_none_any_more_is_named(tmp_path: Path) -> None:
    facts = compared(now(), before(), tmp_path)
    assert facts.changes is not None
    assert facts.changes.gone == ("F21", "F22", "F23", "F24")


def test_it_has_a_section_and_a_point_and_no_other_report_has(tmp_path: Path) -> None:
    facts = compared(before(), now(), tmp_path)
    assert onepage.sections(facts) == (*onepage.SECTIONS, "changes")
    (point,) = [point for point in onepage.points(facts, WORDS) if point.anchor == "changes"]
    assert b.plain(point.spans).startswith("Since the initial report: 4 findings new")
    assert dict(document.sections(facts, made.context(facts)))["changes"]
    assert "changes" not in onepage.sections(before())


def test_the_redacted_edition_shows_no_answer(tmp_path: Path) -> None:
    told = {**made.QUESTIONNAIRE, "account": {"cause": "Asked Kit Ellis in room 12"}}
    facts = compared(before(), made.facts(20, case=made.casefile(questionnaire=told)), tmp_path)
    hidden = redaction.redact(facts, b"k" * 32)
    blocks = list(changes.section(hidden, WORDS))
    shown = " ".join(
        b.plain(cell) for block in blocks if isinstance(block, b.Table) for row in block.rows for cell in row
    )
    assert "Ellis" not in shown
    assert "[withheld]" in shown


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no incident.json"),
        (b"[]", "is no incident.json"),
        (b"[" * 100_000, "is no incident.json"),
        (b'{"format": "other-1", "header": {"edition": "full"}}', "format 'other-1'"),
        (
            json.dumps({"format": since.FORMAT, "header": {"edition": "redacted"}}).encode(),
            "is of the redacted edition",
        ),
        (json.dumps({"format": since.FORMAT, "header": {"edition": "full"}}).encode(), "lacks parts"),
    ],
)
def test_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "old.json").write_bytes(content)
    with pytest.raises(UsageError) as refused:
        since.compare(since.read(tmp_path / "old.json"), before())
    assert said in str(refused.value)


def changed(folder: Path, change: Any) -> Path:
    report = json.loads(data.render(before()))
    change(report)
    (folder / "incident.json").write_text(json.dumps(report))
    return folder


def test_another_cases_report_and_a_made_up_state_are_refused(tmp_path: Path) -> None:
    def other(report: dict[str, Any]) -> None:
        report["evidence"][0]["content_sha256"] = "f" * 64

    def state(report: dict[str, Any]) -> None:
        report["findings"][0]["state"] = "proven"

    for change, said in ((other, "shares no evidence"), (state, "lacks parts")):
        with pytest.raises(UsageError, match=said):
            since.compare(since.read(changed(tmp_path, change)), before())
