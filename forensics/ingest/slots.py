"""Where a delivery's row lies: one file for each UTC day, hour or minute, by what that time itself holds.

A day with more than BUSY rows is cut into hours, such an hour into minutes. So a file's rows depend on its own slot of
time alone, and what a new record does not touch keeps its bytes, whatever workers, memory or order of commands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics import store

BUSY = 2 * store.ROW_GROUP
"""Rows of one file, unless a single minute has more."""
SLICE = store.ROW_GROUP // 4
"""Rows made at a time: what their intermediate copies need stays small."""
_FINER = {"D": "h", "h": "m"}
Longs = NDArray[np.int64]


@dataclass(frozen=True)
class Slot:
    """`name`: the file's below the table's folder; `slices`: which rows (from, to) in order of time are made at a
    time."""

    name: str
    slices: tuple[tuple[int, int], ...]

    @property
    def rows(self) -> int:
        return self.slices[-1][1] - self.slices[0][0]


def slots(submitted: Longs) -> Iterator[Slot]:
    """The files of rows with these times (microseconds UTC, ascending)."""
    yield from _cut(submitted, 0, len(submitted), "D")


def _cut(submitted: Longs, low: int, high: int, unit: str) -> Iterator[Slot]:
    if low == high:
        return
    times = submitted[low:high].astype("datetime64[us]").astype(f"datetime64[{unit}]")
    starts = np.flatnonzero(np.concatenate([[True], times[1:] != times[:-1]])) + low
    for a, b in zip(starts.tolist(), [*starts.tolist()[1:], high], strict=True):
        if b - a > BUSY and unit in _FINER:
            yield from _cut(submitted, a, b, _FINER[unit])
        else:
            yield Slot(_name(times[a - low]), tuple(_slices(submitted, a, b)))


def _name(time: Any) -> str:
    """`month=2023-06/day-05.parquet`; of an hour `day-05-14`, of a minute `day-05-14-30`."""
    text = str(time)
    day, _, clock = text.partition("T")
    return f"month={day[:7]}/day-{'-'.join([day[8:], *(clock.split(':') if clock else ())])}.parquet"


def _slices(submitted: Longs, a: int, b: int) -> Iterator[tuple[int, int]]:
    """Equal times stay in one slice."""
    while a < b:
        end = min(a + SLICE, b)
        if end < b:
            low = int(np.searchsorted(submitted[a:b], submitted[end], side="left")) + a
            end = low if low > a else int(np.searchsorted(submitted[a:b], submitted[end], side="right")) + a
        yield a, end
        a = end
