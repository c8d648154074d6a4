"""The order in which a file's stamps stand: as they were logged, newest first, in blocks, or in none.

Where daemons log at once, the stamps of one host step back by a second or two; its clock may be set back by more, and
in summer time's last hour it runs twice. All else means that the file was put together after it was logged: turned
round by what exported it, sorted, or joined from files that do not follow each other. The records then follow their
stamps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.native import sequence as s

BACKS = MARKS = 4096
"""Steps that are written down; a file with more of them has no order."""
SET_BACK = 9_000_000_000
"""How far (microseconds) a clock is set back: an hour of summer time or two, a wrong zone; not by days."""
LATE, LINES = 60_000_000, 3
"""So late (microseconds), and fewer than so many, records are that were held up and then logged."""
RECORDED, NEWEST_FIRST, NONE = "as recorded", "newest first", "none"

Longs = NDArray[np.int64]


@dataclass(frozen=True)
class Order:
    """`how`: RECORDED, NEWEST_FIRST or NONE. `blocks`: numbers of the records at which a file that is otherwise
    RECORDED goes on with another block, whose stamps do not follow those before it."""

    how: str = RECORDED
    blocks: tuple[int, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether records follow each other as they were logged."""
        return self.how == RECORDED and not self.blocks

    def places(self, numbers: Longs) -> tuple[Longs, Longs]:
        """(block, place) of records by number: stamps order the records of different blocks, places those of one."""
        if self.how == RECORDED:
            return np.searchsorted(np.array(self.blocks, np.int64), numbers, side="right").astype(np.int64), numbers
        return numbers, -numbers if self.how == NEWEST_FIRST else numbers


AS_RECORDED = Order()


@dataclass(frozen=True)
class Stamps:
    """What one pass over a file has seen of its stamps (columns: `native.sequence`). Pickled with a survey."""

    absolute: tuple[int, int] | None
    local: tuple[int, int] | None
    packed: tuple[int, int] | None
    start: int
    """The first time without a year."""
    ups: int
    downs: int
    far: int
    lost: bool
    backs: Longs
    after: tuple[int, ...]
    """Ranges since the last of `backs`."""
    last: int
    """Number of the last record that has one."""
    marks: Longs
    days: Longs
    """For each day that has stamps the least and the greatest of them, packed."""


@dataclass
class Seen:
    """The state of that pass."""

    state: Longs = field(default_factory=lambda: _state())
    hosts: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(s.SLOTS, np.uint64))
    lasts: Longs = field(default_factory=lambda: np.full((s.SLOTS, 4), s.NONE, np.int64))
    ranges: Longs = field(default_factory=lambda: np.array([s.FAR_OFF, s.NONE] * (s.RANGE // 2), np.int64))
    backs: Longs = field(default_factory=lambda: np.zeros((BACKS, s.BACK_COLUMNS), np.int64))
    marks: Longs = field(default_factory=lambda: np.zeros((MARKS, s.MARK_COLUMNS), np.int64))
    days: Longs = field(default_factory=lambda: np.full((s.DAYS, 2), -1, np.int64))

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What kernels write into."""
        return self.state, self.hosts, self.lasts, self.ranges, self.backs, self.marks, self.days

    def follow(self, stamps: Sequence[tuple[int, int, int, int]]) -> None:
        """(kind, time, hash of the host, record number) of each record that has a stamp."""
        columns = list(zip(*stamps, strict=True)) or [(), (), (), ()]
        kinds, times, hosts, numbers = (
            np.array(c, t) for c, t in zip(columns, (np.int32, np.int64, np.uint64, np.int64), strict=True)
        )
        s.follow_all(kinds, times, hosts, numbers, *self.arrays)

    def known_hosts(self) -> frozenset[int] | None:
        """Hashes of the hosts; None when there were too many to tell."""
        if self.state[s.HOSTS_FOUND] >= s.SLOTS // 2:
            return None
        return frozenset(int(h) for h in self.hosts[self.hosts != 0])

    def stamps(self) -> Stamps:
        v = [int(n) for n in self.state]
        return Stamps(
            absolute=_pair(v, s.FIRST_ABSOLUTE), local=_pair(v, s.FIRST_LOCAL), packed=_pair(v, s.FIRST_PACKED),
            start=v[s.START], ups=v[s.UPS], downs=v[s.DOWNS], far=v[s.FAR], lost=bool(v[s.LOST]),
            backs=self.backs[: v[s.BACKS]].copy(), after=tuple(int(n) for n in self.ranges),
            last=v[s.RECORD], marks=self.marks[: v[s.MARKS]].copy(), days=self.days[self.days[:, 1] >= 0],
        )  # fmt: skip


def _state() -> Longs:
    state = np.zeros(s.STATE, np.int64)
    state[s.LAST] = -1
    state[s.LEAP_YEAR] = s.NONE
    for first in (s.FIRST_PACKED, s.FIRST_LOCAL, s.FIRST_ABSOLUTE):
        state[first], state[first + 1] = s.FAR_OFF, s.NONE
    return state


def _pair(state: Sequence[int], first: int) -> tuple[int, int] | None:
    return (state[first], state[first + 1]) if state[first + 1] != s.NONE else None


def order(stamps: Stamps) -> Order:
    """How the records of the file stand."""
    if stamps.downs > 2 * stamps.ups:
        return Order(NEWEST_FIRST)
    if len(stamps.backs) == BACKS or (stamps.far > 2 and 10 * stamps.far > stamps.ups + stamps.downs):
        return Order(NONE)
    return Order(RECORDED, tuple(int(run[0][s.B_RECORD]) for run in _runs(stamps) if not _set_back(*run)))


def clock_steps(stamps: Stamps) -> list[tuple[int, int, int, int]]:
    """(record, kind of stamp, time before, time after) where the clock of a host was set back, or an hour ran twice."""
    if order(stamps).how != RECORDED:
        return []
    return [
        (int(b[s.B_RECORD]), int(b[s.B_KIND]), int(b[s.B_BEFORE]), int(b[s.B_AFTER]))
        for b, count, after in _runs(stamps)
        if _set_back(b, count, after)
    ]


def _runs(stamps: Stamps) -> list[tuple[Longs, int, int]]:
    """Each step back, the records before the next one and the greatest time of its kind among them."""
    if not len(stamps.backs):
        return []
    highest = [int(b[s.B_HIGH]) for b in stamps.backs[1:]]
    highest.append(stamps.after[2 * int(stamps.backs[-1][s.B_KIND]) - 1])
    counts = np.diff(stamps.backs[:, s.B_RECORD], append=stamps.last + 1).tolist()
    return list(zip(stamps.backs, counts, highest, strict=True))


def _set_back(back: Longs, count: int, after: int) -> bool:
    """The clock was set back: by a little, and then runs on to times beyond. Or a few records come late."""
    step = int(back[s.B_BEFORE]) - int(back[s.B_AFTER])
    return (step <= SET_BACK and after > int(back[s.B_BEFORE])) or (step <= LATE and count < LINES)
