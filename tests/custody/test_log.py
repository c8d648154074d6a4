"""The custody log cannot be altered, shortened or reordered unseen, and writers do not lose each other's entries."""

from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.case import Case
from forensics.custody import canonical, chain, log
from forensics.errors import CaseError, VerificationFailed


def clock() -> datetime:
    return datetime(2023, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def case(tmp_path):
    case = Case(tmp_path)
    for action in ("ingest", "detect", "report"):
        log.append(case, action, {"note": "ünï\u202e", "n": 1, "bad": "\udcff"}, clock=clock)
    return case


def test_entries(case):
    first, second, third = log.read(case)
    assert first["previous"] == chain.GENESIS
    assert (first["sequence"], second["sequence"]) == (1, 2)
    assert second["previous"] == first["digest"]
    assert first["at"] == "2023-06-01T12:00:00.000000Z"
    assert first["details"]["note"] == "ünï\u202e"
    assert log.head(case) == log.Head(3, third["digest"])
    assert log.check(case, log.head(case)).faults == ()


def test_same_clock_and_content_give_the_same_bytes(case, tmp_path):
    other = Case(tmp_path / "other")
    for action in ("ingest", "detect", "report"):
        log.append(other, action, {"bad": "\udcff", "n": 1.0, "note": "ünï\u202e"}, clock=clock)
    assert other.custody_log.read_bytes() == case.custody_log.read_bytes()


def alter(case: Case, change) -> str:
    lines = case.custody_log.read_bytes().splitlines(keepends=True)
    head = log.head(case)
    case.custody_log.write_bytes(b"".join(change(lines)))
    faults = log.check(case, head).faults
    assert faults
    with pytest.raises(VerificationFailed) if log.check(case).faults else _nothing():
        log.read(case)
    return "\n".join(faults)


def _nothing():
    import contextlib

    return contextlib.nullcontext()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda lines: [lines[0].replace(b"ingest", b"INGEST"), *lines[1:]], "line 1: entry 1 was altered"),
        (lambda lines: [lines[0], lines[2]], "line 2: entry 3 follows entry 1"),
        (lambda lines: [lines[1], lines[0], lines[2]], "line 1: entry 2 follows entry 0"),
        (lambda lines: lines[:2], "entry 3 is on record, the file ends at 2"),
        (lambda lines: [lines[0], b"not json\n", *lines[1:]], "line 2: not an entry"),
        (lambda lines: [lines[0], b"[" * 10_000 + b"\n", *lines[1:]], "line 2: not an entry"),
        (lambda lines: [lines[0], b'{"sequence":true}\n', *lines[1:]], "line 2: not an entry"),
        (lambda lines: [*lines, b"\xff\xfe\n"], "line 4: not an entry"),
        (lambda lines: [*lines[:2], lines[2][:-9]], "the last line is cut off"),
        (lambda lines: [], "entry 3 is on record, the file ends at 0"),
    ],
)
def test_tampering_is_named(case, change, text):
    assert text in alter(case, change)


def test_rebuilt_tail_is_seen_against_the_recorded_head(case):
    head = log.head(case)
    lines = case.custody_log.read_bytes().splitlines(keepends=True)
    case.custody_log.write_bytes(b"".join(lines[:2]))
    log.append(case, "report", {"other": 1}, clock=clock)
    assert log.check(case).faults == ()
    assert "entry 3 is not the one on record" in log.check(case, head).faults[0]


def test_nothing_is_appended_behind_damage(case):
    with case.custody_log.open("ab") as file:
        file.write(b'{"half":')
    before = case.custody_log.read_bytes()
    with pytest.raises(CaseError, match="cut off"):
        log.append(case, "verify", clock=clock)
    case.custody_log.write_bytes(b"nonsense\n")
    with pytest.raises(CaseError, match="not an entry"):
        log.append(case, "verify", clock=clock)
    assert before


def _write(folder, count):
    for index in range(count):
        log.append(Case(folder), "verdict", {"index": index, "text": "x" * 5000})


def test_writers_exclude_each_other(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(tmp_path, 15)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    entries = log.read(Case(tmp_path))
    assert [entry["sequence"] for entry in entries] == list(range(1, 61))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(details=st.dictionaries(st.text(max_size=5), json_values, max_size=4), position=st.integers(0, 10**6))
def test_any_details_and_any_changed_byte(tmp_path_factory, details, position):
    case = Case(tmp_path_factory.mktemp("log"))
    log.append(case, "a", details, clock=clock)
    log.append(case, "b", {}, clock=clock)
    head = log.head(case)
    assert log.check(case, head).faults == ()
    whole = bytearray(case.custody_log.read_bytes())
    whole[position % len(whole)] ^= 1
    case.custody_log.write_bytes(bytes(whole))
    assert log.check(case, head).faults


def test_canonical_json_is_one_for_equal_values():
    one = {"b": [1, 2.0], "a": {"x": "é", "y": {"q", "p"}}}
    two = {"a": {"y": ["p", "q"], "x": "é"}, "b": (1, 2)}
    assert canonical.line(one) == canonical.line(two)
    assert json.loads(canonical.line(one)) == {"a": {"x": "é", "y": ["p", "q"]}, "b": [1, 2]}
