"""What was recorded of a chained file stands: whoever chains the file anew has no later entry to vouch for it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from forensics.case import Case
from forensics.custody import chain, log, verify
from forensics.custody.checks import Check


def clock() -> datetime:
    return datetime(2023, 6, 1, 12, tzinfo=UTC)


def _added(case: Case, name: str, content: dict[str, Any]) -> None:
    """An entry, and in the custody log what a stage says of it."""
    path: Path = getattr(case, name)
    made = chain.append(path, content, clock)
    log.append(case, "review", {name: [made["sequence"]] * 2, f"{name}_head": made["digest"]}, clock=clock)


def _judged(case: Case, name: str) -> Check:
    entries = log.check(case).entries
    (check,) = verify._successors(case, entries) if name == "successors" else [verify._verdicts(case, entries)]
    return check


@pytest.mark.parametrize("name", ["verdicts", "successors"])
def test_an_entry_that_was_chained_anew_is_told_after_later_ones(tmp_path: Path, name: str) -> None:
    case = Case(tmp_path)
    entries = [{"old": letter, "new": letter * 2} for letter in "abc"]
    for one in entries:
        _added(case, name, one)
    assert _judged(case, name).ok
    path: Path = getattr(case, name)
    path.unlink()
    for one in ({**entries[0], "new": "forged"}, *entries[1:]):
        chain.append(path, one, clock)
    assert "entry 1 is not the one on record" in _judged(case, name).text
    _added(case, name, {"old": "d", "new": "dd"})
    check = _judged(case, name)
    assert check.ok is False
    assert [f"entry {n} is not" in check.text for n in (1, 2, 3, 4)] == [True, True, True, False]


@pytest.mark.parametrize("name", ["verdicts", "successors"])
def test_what_is_missing_at_the_end_is_told_once(tmp_path: Path, name: str) -> None:
    case = Case(tmp_path)
    for letter in "abc":
        _added(case, name, {"old": letter, "new": letter * 2})
    path: Path = getattr(case, name)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:1]))
    assert _judged(case, name).text == f"{path.name}: entries are missing at the end: entry 3 is on record, " + (
        "the file ends at 1"
    )
    path.unlink()
    assert _judged(case, name).ok is False
