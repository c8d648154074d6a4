"""Records that two evidence files hold: counted once, in the earlier one, as often as the file that has most of them."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.case import Case
from forensics.custody.evidence import discover
from forensics.ingest import overlap
from forensics.ingest.read import IngestResult, ingest
from forensics.loaders.base import Survey

FILES = st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=5)
"""Each file a list of records; few different ones, so that they repeat within files and between them."""


def compare(files: list[list[int]]) -> overlap.Duplicates | None:
    """The last file against those before it, all of one time."""
    prints = [np.array(records, np.uint64) for records in files]
    return dict(overlap.repeated([survey(1, 9)] * len(files), range(len(files)), prints.__getitem__)).get(
        len(files) - 1
    )


def naive(files: list[list[int]]) -> dict[int, tuple[int, int]]:
    """The same by counting: position in the last file → (file, position) of the record that it repeats."""
    found: dict[int, tuple[int, int]] = {}
    seen: Counter[int] = Counter()
    for position, record in enumerate(files[-1]):
        for number, other in enumerate(files[:-1]):
            places = [n for n, one in enumerate(other) if one == record]
            if seen[record] < len(places):
                found[position] = number, places[seen[record]]
                break
        seen[record] += 1
    return found


@given(files=FILES)
def test_the_kth_of_equal_records_is_the_kth_there(files: list[list[int]]) -> None:
    found, expected = compare(files), naive(files)
    assert (found is None) is (not expected)
    if found is None:
        return
    assert set(np.flatnonzero(found.mask).tolist()) == set(expected)
    pointed = {
        first - 1 + n: (number, there - 1 + n) for first, count, number, there in found.runs for n in range(count)
    }
    assert pointed == expected


@given(files=FILES)
def test_runs_are_in_order_and_as_long_as_can_be(files: list[list[int]]) -> None:
    found = compare(files)
    runs = found.runs if found else ()
    for (first, count, number, there), (next_first, _, next_number, next_there) in itertools.pairwise(runs):
        assert first + count <= next_first
        assert (first + count, number, there + count) != (next_first, next_number, next_there)


@given(files=FILES)
def test_each_record_counts_as_often_as_in_the_file_that_has_most(files: list[list[int]]) -> None:
    counted: Counter[int] = Counter()
    for number in range(len(files)):
        found = compare(files[: number + 1])
        mask = found.mask if found else np.zeros(len(files[number]), np.bool_)
        counted.update(record for record, again in zip(files[number], mask, strict=True) if not again)
    most: Counter[int] = Counter()
    for records in files:
        most |= Counter(records)
    assert counted == most


@pytest.mark.parametrize(
    ("files", "runs"),
    [
        ([[1, 2, 3], [2, 3, 4]], ((1, 2, 0, 2),)),  # the tail of a log that was rotated by copying
        ([[1, 2], [3], [1, 3, 2]], ((1, 1, 0, 1), (2, 1, 1, 1), (3, 1, 0, 2))),  # repeated from two files
        ([[7], [7, 7]], ((1, 1, 0, 1),)),  # the second of two equal lines is new
        ([[7, 7], [7]], ((1, 1, 0, 1),)),
        ([[7], [7, 7], [7, 7]], ((1, 1, 0, 1), (2, 1, 1, 2))),
        ([[1, 2], [2, 1]], ((1, 1, 0, 2), (2, 1, 0, 1))),  # the same lines in another order are no one run
    ],
)
def test_runs_of_small_examples(files: list[list[int]], runs: tuple[tuple[int, int, int, int], ...]) -> None:
    found = compare(files)
    assert found is not None and found.runs == runs


def survey(first: int | None, last: int | None, hosts: set[int] | None = None) -> Survey:
    return Survey(0, first, last, {}, None if hosts is None else frozenset(hosts))


@pytest.mark.parametrize(
    ("a", "b", "met"),
    [
        (survey(1, 5, {1}), survey(3, 9, {1, 2}), (3, 5)),
        (survey(1, 5, {1}), survey(5, 9, {1}), (5, 5)),
        (survey(1, 5, {1}), survey(6, 9, {1}), None),
        (survey(1, 5, {1}), survey(3, 9, {2}), None),  # no host in common: no line in common
        (survey(1, 5, {1}), survey(3, 9, None), (3, 5)),  # a format without hosts may share with any
        (survey(1, 5, set()), survey(3, 9, {1}), None),
        (survey(None, None), survey(3, 9), None),
    ],
)
def test_windows_are_the_times_that_files_of_one_host_share(a: Survey, b: Survey, met: tuple[int, int] | None) -> None:
    expected = [(met,), (met,)] if met else [(), ()]
    assert overlap.windows([a, b]) == expected
    assert overlap.windows([b, a]) == expected


SURVEYS = st.lists(
    st.builds(
        lambda first, length, hosts: survey(first, None if first is None else first + length, hosts),
        st.none() | st.integers(0, 12),
        st.integers(0, 6),
        st.none() | st.sets(st.integers(0, 3), max_size=3),
    ),
    max_size=9,
)


@given(surveys=SURVEYS)
def test_windows_cover_what_all_pairs_have_in_common(surveys: list[Survey]) -> None:
    for number, found in enumerate(overlap.windows(surveys)):
        common: set[int] = set()
        for other, two in enumerate(surveys):
            one = surveys[number]
            if other != number and overlap.meet(one, two):
                common.update(range(max(one.first or 0, two.first or 0), min(one.last or 0, two.last or 0) + 1))
        assert {time for first, last in found for time in range(first, last + 1)} == common
        assert all(last + 1 < first for (_, last), (first, _) in itertools.pairwise(found))


def in_order(surveys: list[Survey]) -> list[Survey]:
    return sorted(surveys, key=lambda one: 99 if one.first is None else one.first)


@given(
    surveys=SURVEYS.map(in_order),
    records=st.lists(st.lists(st.integers(0, 4), max_size=6), min_size=9, max_size=9),
    batch=st.integers(1, 12),
)
def test_records_are_those_that_comparing_all_pairs_finds(
    surveys: list[Survey], records: list[list[int]], batch: int
) -> None:
    prints = [np.array(one, np.uint64) for one in records]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overlap, "BATCH", batch)
        found = dict(overlap.repeated(surveys, overlap.meeting(surveys), prints.__getitem__))
    for number, one in enumerate(surveys):
        met = [other if overlap.meet(one, two) else None for other, two in enumerate(surveys[:number])]
        expected = naive([[] if other is None else records[other] for other in met] + [records[number]])
        pointed = {
            first - 1 + n: (other, there - 1 + n)
            for first, count, other, there in (found[number].runs if number in found else ())
            for n in range(count)
        }
        assert pointed == expected
        assert set(np.flatnonzero(found[number].mask).tolist() if number in found else []) == set(expected)


def test_only_files_that_meet_another_are_read() -> None:
    surveys = [survey(0, 4, {1}), survey(2, 5, {2}), survey(4, 9, {1}), survey(11, 12, {2}), survey(None, None)]
    read: list[int] = []

    def prints(number: int) -> overlap.Prints:
        read.append(number)
        return np.array([number], np.uint64)

    assert list(overlap.repeated(surveys, overlap.meeting(surveys), prints)) == []
    assert read == [0, 2]


def holding_one(surveys: list[Survey]) -> dict[int, overlap.Duplicates]:
    """Of files of two lines, one of which they all hold."""
    read = {number: np.array([7, 100 + number], np.uint64) for number in range(len(surveys))}
    return dict(overlap.repeated(surveys, overlap.meeting(surveys), read.__getitem__))


def test_a_line_that_all_files_hold_is_looked_for_in_those_of_its_host_and_time() -> None:
    """A blank line has no host and no time: it is the same in files that cannot share lines."""
    files = 3_000
    surveys = [survey(time, time + 1, {time % 2}) for time in range(files)]
    found = holding_one(surveys)
    assert found == {}
    surveys = [survey(time, time + 2, {time % 2}) for time in range(files)]
    found = holding_one(surveys)
    assert {number: one.runs for number, one in found.items()} == {
        number: ((1, 1, number - 2, 1),) for number in range(2, files)
    }


LINES = [
    f"Mar  1 10:00:{second:02d} {host} postfix/qmgr[4]: 4jYb3c4BDWzL5Q{letter}: from=<ann@albion.example>, size=1000, "
    "nrcpt=1 (queue active)\n"
    for host in ("mx1", "mx2")
    for second in (0, 1)
    for letter in "bc"
]


def at(folder: Path, files: list[list[str]]) -> IngestResult:
    logs = folder / "logs"
    logs.mkdir()
    for number, lines in enumerate(files):
        (logs / f"{number}-mail.log-20240301").write_text("".join(lines))
    case = folder / "case"
    case.mkdir()
    return ingest(Case(case), discover([logs]).sources, workers=1)


@settings(max_examples=25)  # each is two ingests
@given(
    files=st.lists(st.lists(st.sampled_from(LINES), min_size=1, max_size=6), min_size=1, max_size=4), seed=st.randoms()
)
def test_files_in_any_order_count_each_line_as_often_as_the_file_that_has_most(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[str]], seed: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("overlap")
    found = at(folder, files)
    most: Counter[str] = Counter()
    for lines in files:
        most |= Counter(lines)
    assert sum(one.records - one.duplicates for one in found.evidence) == most.total()
    contents = {one.id: (folder / "logs" / one.names[0]).read_text().splitlines() for one in found.evidence}
    order = [one.id for one in found.evidence]
    for place, one in enumerate(found.evidence):
        assert sum(count for _, count, _, _ in one.duplicate_of) == one.duplicates
        for first, count, other, there in one.duplicate_of:
            assert order.index(other) < place
            mine, theirs = contents[one.id][first - 1 :][:count], contents[other][there - 1 :][:count]
            assert len(mine) == count and mine == theirs

    shuffled = list(files)
    seed.shuffle(shuffled)
    again = at(tmp_path_factory.mktemp("shuffled"), shuffled)
    assert [(one.id, one.duplicate_of) for one in again.evidence] == [
        (one.id, one.duplicate_of) for one in found.evidence
    ]
