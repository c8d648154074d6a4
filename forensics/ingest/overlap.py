"""Records that lie in two evidence files: counted once, in the earlier one.

Two files can share lines only if they share a host and a time. Equal lines are matched by multiplicity: the k-th
occurrence in the later file is the k-th in the earlier one, so a line that one file truly holds twice stays two lines.

No two files are compared with each other. Times are swept host by host, and the records of the files that meet another
are sorted together, in batches: 100,000 files cost what their records cost, however many of them meet.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forensics import loaders, wraps
from forensics.custody import evidence as custody
from forensics.loaders.base import Survey
from forensics.progress import Meter, Part, Progress

if TYPE_CHECKING:
    from forensics.custody.evidence import Source

BATCH = 4 << 20
"""Records that are sorted together; one file may have more."""
Windows = tuple[tuple[int, int], ...]
"""Times, microseconds UTC, both ends included; in order, none touching the next."""
Prints = NDArray[np.uint64]


@dataclass(frozen=True)
class Duplicates:
    """`mask`: for each record of the evidence True when an earlier one holds it. `runs`: (first number, count,
    evidence, first number there)."""

    mask: NDArray[np.bool_]
    runs: tuple[tuple[int, int, int, int], ...]


def meet(a: Survey, b: Survey) -> bool:
    """Whether two files have a time in common and may have a host in common, so that they may share lines."""
    if a.first is None or a.last is None or b.first is None or b.last is None:
        return False
    if a.hosts is not None and b.hosts is not None and not a.hosts & b.hosts:
        return False
    return max(a.first, b.first) <= min(a.last, b.last)


def windows(surveys: Sequence[Survey]) -> list[Windows]:
    """For each evidence the times that another one covers too with which it may share lines."""
    groups = _by_host(surveys)
    anything = _merged(_spans(surveys, [n for n, one in enumerate(surveys) if one.hosts is None]))
    with_any = _twice(_spans(surveys, range(len(surveys)))) if anything else ()
    of_host = {host: _twice(_spans(surveys, numbers)) for host, numbers in groups.items() if len(numbers) > 1}
    out: list[Windows] = []
    for one in surveys:
        if one.first is None or one.last is None:
            out.append(())
        elif one.hosts is None:
            out.append(_within(with_any, one.first, one.last))
        else:
            parts = [anything, *(of_host[host] for host in one.hosts if host in of_host)]
            found = [_within(part, one.first, one.last) for part in parts if part]
            out.append(_merged(sorted(span for part in found for span in part)) if len(found) > 1 else sum(found, ()))
    return out


def _by_host(surveys: Sequence[Survey]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for number, one in enumerate(surveys):
        for host in one.hosts or ():
            groups.setdefault(host, []).append(number)
    return groups


def _spans(surveys: Sequence[Survey], numbers: Iterable[int]) -> list[tuple[int, int]]:
    """What these files cover, in order of time."""
    ends = ((surveys[n].first, surveys[n].last) for n in numbers)
    return sorted((first, last) for first, last in ends if first is not None and last is not None)


def _merged(spans: Iterable[tuple[int, int]]) -> Windows:
    """The times in any of `spans`, which are in order."""
    out: list[tuple[int, int]] = []
    for first, last in spans:
        if out and first <= out[-1][1] + 1:
            out[-1] = out[-1][0], max(out[-1][1], last)
        else:
            out.append((first, last))
    return tuple(out)


def _twice(spans: Sequence[tuple[int, int]]) -> Windows:
    """The times in two or more of `spans`, which are in order."""
    reach = accumulate((last for _, last in spans), max)
    return _merged(
        (first, min(last, before)) for (first, last), before in zip(spans[1:], reach, strict=False) if first <= before
    )


def _within(found: Windows, first: int, last: int) -> Windows:
    low = bisect_left(found, first, key=lambda span: span[1])
    high = bisect_right(found, last, key=lambda span: span[0])
    return tuple((max(a, first), min(b, last)) for a, b in found[low:high])


def duplicates(
    evidence: Sequence[tuple[Source, str, wraps.Wrap, Survey]], size: int, report: Progress | None = None
) -> dict[int, Duplicates]:
    """For each evidence that repeats records of an earlier one: which, and where they are. `evidence` is in order of
    first time, as `survey.ordered` gives it. `report` hears of the step `compare`, where there is anything to it."""
    groups = []
    for name in sorted({loader for _, loader, _, _ in evidence}):
        numbers = [n for n, (_, loader, _, _) in enumerate(evidence) if loader == name]
        groups.append((numbers, meeting([evidence[n][3] for n in numbers])))
    weights = {numbers[place]: evidence[numbers[place]][0].weight for numbers, places in groups for place in places}
    meter = Meter(report if weights else None, "compare", sum(weights.values()))

    def read(numbers: Sequence[int], place: int) -> Prints:
        source, loader, wrap, _ = evidence[numbers[place]]
        part = meter.of(source.name, weights[numbers[place]])
        found = _fingerprints(source, loader, wrap, size, part)
        part.finish()
        return found

    out: dict[int, Duplicates] = {}
    for numbers, places in groups:
        surveys = [evidence[n][3] for n in numbers]
        for place, found in repeated(surveys, places, partial(read, numbers)):
            runs = tuple((number, count, numbers[other], there) for number, count, other, there in found.runs)
            out[numbers[place]] = Duplicates(found.mask, runs)
    return dict(sorted(out.items()))


def _fingerprints(source: Source, loader: str, wrap: wraps.Wrap, size: int, part: Part) -> Prints:
    module = loaders.load(loader)

    def split(data: custody.Bytes, last: bool) -> int:
        return wraps.split(data, last, wrap, module.split)

    read = custody.blocks(source, split, size=size, passed=part.add)
    found = [module.fingerprints(wraps.unwrap(block, wrap, as_logged=True)) for block in read]
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def meeting(surveys: Sequence[Survey]) -> list[int]:
    """The files that may share lines with another one."""
    return [number for number, found in enumerate(windows(surveys)) if found]


def repeated(
    surveys: Sequence[Survey], numbers: Iterable[int], prints: Callable[[int], Prints]
) -> Iterator[tuple[int, Duplicates]]:
    """(number, duplicates) of each file of one format that repeats records of an earlier one that it meets: of several
    the first. `surveys` are in order of first time, `numbers` those that `meeting` gives; `prints` gives the
    fingerprints of a file's records."""
    waiting = deque(numbers)
    needed = _needed(surveys)
    kept: list[_Sorted] = []
    while waiting:
        batch: list[tuple[int, Prints]] = []
        room = BATCH
        while waiting and room > 0:
            number = waiting.popleft()
            batch.append((number, prints(number)))
            room -= len(batch[-1][1])
        kept = [one for one in (run.of_files(needed, batch[0][0]) for run in kept) if len(one.key)]
        mine = _Sorted.of(batch)
        yield from _repeats(surveys, kept, mine, batch)
        kept.append(mine)


def _needed(surveys: Sequence[Survey]) -> NDArray[np.int64]:
    """For each file a number after which no file meets it."""
    last = np.full(len(surveys), -1, np.int64)
    groups = [*_by_host(surveys).values(), [n for n, one in enumerate(surveys) if one.hosts is None]]
    everyone = list(range(len(surveys)))
    for group, with_whom in [*((one, one) for one in groups), (groups[-1], everyone), (everyone, groups[-1])]:
        timed = sorted((first, n) for n in with_whom if (first := surveys[n].first) is not None)
        begins = [first for first, _ in timed]
        latest = list(accumulate((n for _, n in timed), max))
        for number in group if timed else ():
            end = surveys[number].last
            until = 0 if end is None else bisect_right(begins, end)
            if until:
                last[number] = max(last[number], latest[until - 1])
    return last


@dataclass(frozen=True)
class _Sorted:
    """Records of some files in order of `key`, then of `file`. Of equal records of one file each has a key of its
    own."""

    key: Prints
    file: NDArray[np.int32]
    place: NDArray[np.int32]
    """In its file, counted from 0."""

    @staticmethod
    def of(batch: Sequence[tuple[int, Prints]]) -> _Sorted:
        key = np.concatenate([one for _, one in batch])
        sizes = [len(one) for _, one in batch]
        file = np.repeat(np.array([number for number, _ in batch], np.int32), sizes)
        place = np.concatenate([np.arange(size, dtype=np.int32) for size in sizes])
        order = np.argsort(key, kind="stable")
        key, file, place = key[order], file[order], place[order]
        again = np.flatnonzero((key[1:] == key[:-1]) & (file[1:] == file[:-1])) + 1
        if not len(again):
            return _Sorted(key, file, place)
        key[again] += (_counted(np.diff(again, prepend=-1) != 1) + 1).astype(np.uint64) * _STEP
        order = np.argsort(key, kind="stable")
        return _Sorted(key[order], file[order], place[order])

    def of_files(self, needed: NDArray[np.int64], number: int) -> _Sorted:
        """Without the files that nobody from `number` on meets."""
        keep = needed[self.file] >= number
        return self if keep.all() else _Sorted(self.key[keep], self.file[keep], self.place[keep])


_STEP = np.uint64(0x9E3779B97F4A7C15)


def ranks(values: Prints) -> NDArray[np.int64]:
    """For each value how many equal ones stand before it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    found = np.empty(len(order), np.int64)
    found[order] = _counted(np.concatenate([np.ones(len(order[:1]), np.bool_), ordered[1:] != ordered[:-1]]))
    return found


def _counted(begins: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The place of each row in its run, from 0; `begins`: where a run does, the first row among them."""
    starts = np.flatnonzero(begins)
    return np.arange(len(begins)) - np.repeat(starts, np.diff(np.concatenate([starts, [len(begins)]])))


def _repeats(
    surveys: Sequence[Survey], earlier: Sequence[_Sorted], mine: _Sorted, batch: Sequence[tuple[int, Prints]]
) -> Iterator[tuple[int, Duplicates]]:
    """The files of a batch with the records that an earlier one, in the batch or before it, holds too."""
    runs = [*earlier, mine]
    which = np.full(len(mine.key), -1, np.int32)
    where = np.full(len(mine.key), -1, np.int32)
    for run in reversed(runs):  # so that the earliest stands in the end
        at = np.searchsorted(run.key, mine.key)
        at[at == len(run.key)] = 0
        there = (run.key[at] == mine.key) & (run.file[at] < mine.file)
        which[there], where[there] = run.file[at[there]], run.place[at[there]]
    rows = np.flatnonzero(which >= 0)
    apart = rows[~_meet_each(surveys, mine.file[rows], which[rows])]
    which[apart] = -1
    for same in np.split(apart, np.flatnonzero(np.diff(mine.key[apart])) + 1) if len(apart) else ():
        key = mine.key[same[0]]
        holders = [
            (int(run.file[n]), int(run.place[n]))
            for run in runs
            for n in range(int(np.searchsorted(run.key, key)), int(np.searchsorted(run.key, key, "right")))
        ]
        found = _first_that_meets(surveys, holders, set(mine.file[same].tolist()))
        for row in same:
            which[row], where[row] = found.get(int(mine.file[row]), (-1, -1))
    rows = np.flatnonzero(which >= 0)
    rows = rows[np.lexsort((mine.place[rows], mine.file[rows]))]
    sizes = {number: len(one) for number, one in batch}
    for part in np.split(rows, np.flatnonzero(np.diff(mine.file[rows])) + 1) if len(rows) else ():
        number, places = int(mine.file[part[0]]), mine.place[part].astype(np.int64)
        mask = np.zeros(sizes[number], np.bool_)
        mask[places] = True
        there = where[part].astype(np.int64) + 1
        yield number, Duplicates(mask, runs_of(places + 1, which[part].astype(np.int64), there))


def _meet_each(surveys: Sequence[Survey], one: NDArray[np.int32], other: NDArray[np.int32]) -> NDArray[np.bool_]:
    pairs, of = np.unique(one.astype(np.int64) * len(surveys) + other, return_inverse=True)
    met = [
        meet(surveys[a], surveys[b]) for a, b in zip(*(p.tolist() for p in np.divmod(pairs, len(surveys))), strict=True)
    ]
    return np.array(met, np.bool_)[of]


ALL, ANY = -1, -2
"""In the place of a host, of which no number is negative: all files, and those that may be of any host."""


def _first_that_meets(
    surveys: Sequence[Survey], holders: Sequence[tuple[int, int]], asked: set[int]
) -> dict[int, tuple[int, int]]:
    """Of the files that hold one record (number, place there; in order): for each that is asked about the first before
    it that it meets. Files that ended before it began meet none after it either, as these begin later still."""
    open_: dict[int, deque[tuple[int, int]]] = defaultdict(deque)
    out: dict[int, tuple[int, int]] = {}
    for number, place in holders:
        one = surveys[number]
        if one.first is None or one.last is None:
            continue
        if number in asked:
            for host in (ALL,) if one.hosts is None else (ANY, *one.hosts):
                line = open_[host]
                while line and (surveys[line[0][0]].last or 0) < one.first:
                    line.popleft()
                if line and (number not in out or line[0] < out[number]):
                    out[number] = line[0]
        for host in (ALL, ANY) if one.hosts is None else (ALL, *one.hosts):
            open_[host].append((number, place))
    return out


def runs_of(
    number: NDArray[np.int64], other: NDArray[np.int64], there: NDArray[np.int64]
) -> tuple[tuple[int, int, int, int], ...]:
    """Records by their numbers, ascending, each the same as a record of another evidence, as `Duplicates.runs`."""
    steps = (np.diff(number) != 1) | (np.diff(there) != 1) | (np.diff(other) != 0)
    starts = np.concatenate([[0], np.flatnonzero(steps) + 1])
    ends = np.concatenate([starts[1:], [len(number)]])
    return tuple((int(number[a]), int(b - a), int(other[a]), int(there[a])) for a, b in zip(starts, ends, strict=True))
