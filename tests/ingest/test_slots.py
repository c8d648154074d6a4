"""Which file a row lies in depends on what its own slot of time holds, and on nothing else."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.ingest import slots

DAY = 86_400_000_000
TIMES = st.lists(st.integers(0, 3 * DAY - 1), max_size=60)


def placed(times: list[int]) -> dict[str, list[int]]:
    """Times by the name of their file."""
    submitted = np.sort(np.array(times, np.int64))
    out: dict[str, list[int]] = {}
    for slot in slots.slots(submitted):
        assert slot.name not in out
        assert slot.rows == sum(b - a for a, b in slot.slices)
        out[slot.name] = [t for a, b in slot.slices for t in submitted[a:b].tolist()]
    return out


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "BUSY", 5)
    monkeypatch.setattr(slots, "SLICE", 2)


@given(TIMES)
def test_every_row_lies_in_one_file_in_order_of_time(times: list[int]) -> None:
    found = placed(times)
    assert [t for name in sorted(found) for t in found[name]] == sorted(times)
    for name, held in found.items():
        assert re.fullmatch(r"month=1970-01/day-0[123](-\d\d(-\d\d)?)?\.parquet", name)
        assert len(held) <= 5 or name.count("-") == 4  # a minute is not cut


@given(TIMES, TIMES)
def test_more_rows_leave_the_files_of_other_days_alone(times: list[int], more: list[int]) -> None:
    before = placed(times)
    after = placed([*times, *(t + 4 * DAY for t in more)])
    assert {name: after[name] for name in before} == before


@given(TIMES)
def test_rows_of_one_time_are_made_together(times: list[int]) -> None:
    submitted = np.sort(np.array([t // 1000 * 1000 for t in times], np.int64))
    for slot in slots.slots(submitted):
        ends = [submitted[b - 1] for _, b in slot.slices]
        starts = [submitted[a] for a, _ in slot.slices]
        assert all(end < start for end, start in zip(ends[:-1], starts[1:], strict=True))


def test_names() -> None:
    assert list(placed([0] * 6)) == ["month=1970-01/day-01-00-00.parquet"]
    assert list(placed([0] * 5 + [3_600_000_000])) == [
        "month=1970-01/day-01-00.parquet",
        "month=1970-01/day-01-01.parquet",
    ]
    assert list(placed([DAY])) == ["month=1970-01/day-02.parquet"]
