"""Records that lie in two evidence files: counted once, in the earlier one.

Two files can share lines only if they share a host and a time. Equal lines are matched by multiplicity: the k-th
occurrence
in the later file is the k-th in the earlier one, so a line that one file truly holds twice stays two lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from forensics import loaders, wraps
from forensics.custody import evidence as custody
from forensics.loaders.base import Survey

if TYPE_CHECKING:
    from forensics.custody.evidence import Source


@dataclass(frozen=True)
class Duplicates:
    """`mask`: for each record of the evidence True when an earlier one holds it. `runs`: (first number, count,
    evidence,
    first number there)."""

    mask: NDArray[np.bool_]
    runs: tuple[tuple[int, int, int, int], ...]


def _meet(a: Survey, b: Survey) -> tuple[int, int] | None:
    """The time both cover, if they may share lines."""
    if a.first is None or a.last is None or b.first is None or b.last is None:
        return None
    if a.hosts is not None and b.hosts is not None and not a.hosts & b.hosts:
        return None
    first, last = max(a.first, b.first), min(a.last, b.last)
    return (first, last) if first <= last else None


def windows(surveys: Sequence[Survey]) -> list[tuple[tuple[int, int], ...]]:
    """For each evidence the times that another one covers too."""
    out: list[list[tuple[int, int]]] = [[] for _ in surveys]
    for i, a in enumerate(surveys):
        for j in range(i):
            met = _meet(a, surveys[j])
            if met:
                out[i].append(met)
                out[j].append(met)
    return [tuple(w) for w in out]


def duplicates(evidence: Sequence[tuple[Source, str, wraps.Wrap, Survey]], size: int) -> dict[int, Duplicates]:
    """For each evidence that repeats records of an earlier one: which, and where they are."""
    surveys = [s for *_, s in evidence]
    earlier = {
        i: [j for j in range(i) if evidence[i][1] == evidence[j][1] and _meet(surveys[i], surveys[j])]
        for i in range(len(evidence))
    }
    last_use = {j: i for i, js in earlier.items() for j in js}
    in_memory: dict[int, NDArray[np.uint64]] = {}
    out: dict[int, Duplicates] = {}
    for i, js in earlier.items():
        if not js and i not in last_use:
            continue
        in_memory[i] = _fingerprints(*evidence[i][:3], size)
        found = _compare(in_memory[i], [(j, in_memory[j]) for j in js]) if js else None
        if found is not None:
            out[i] = found
        for j in [k for k in in_memory if last_use.get(k, -1) <= i]:
            del in_memory[j]
    return out


def _fingerprints(source: Source, loader: str, wrap: wraps.Wrap, size: int) -> NDArray[np.uint64]:
    module = loaders.load(loader)
    read = custody.blocks(source, lambda data, last: wraps.split(data, last, wrap, module.split), size=size)
    found = [module.fingerprints(wraps.unwrap(block, wrap, as_logged=True)) for block in read]
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def ranks(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """For each value how many equal ones stand before it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    n = len(order)
    if not n:
        return order
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    begin = np.repeat(starts, np.diff(np.concatenate([starts, [n]])))
    found = np.empty(n, np.int64)
    found[order] = np.arange(n) - begin
    return found


def _compare(mine: NDArray[np.uint64], others: Sequence[tuple[int, NDArray[np.uint64]]]) -> Duplicates | None:
    mask = np.zeros(len(mine), np.bool_)
    where = np.full(len(mine), -1, np.int64)
    which = np.full(len(mine), -1, np.int64)
    if len(mine):
        rank = ranks(mine)
        for j, theirs in others:
            sorted_order = np.argsort(theirs, kind="stable")
            ordered = theirs[sorted_order]
            low = np.searchsorted(ordered, mine, side="left")
            high = np.searchsorted(ordered, mine, side="right")
            hit = (low + rank < high) & ~mask
            mask |= hit
            where[hit] = sorted_order[(low + rank)[hit]]
            which[hit] = j
    rows = np.flatnonzero(mask)
    if not len(rows):
        return None
    return Duplicates(mask, runs_of(rows + 1, which[rows], where[rows] + 1))


def runs_of(
    number: NDArray[np.int64], other: NDArray[np.int64], there: NDArray[np.int64]
) -> tuple[tuple[int, int, int, int], ...]:
    """Records by their numbers, ascending, each the same as a record of another evidence, as `Duplicates.runs`."""
    steps = (np.diff(number) != 1) | (np.diff(there) != 1) | (np.diff(other) != 0)
    starts = np.concatenate([[0], np.flatnonzero(steps) + 1])
    ends = np.concatenate([starts[1:], [len(number)]])
    return tuple((int(number[a]), int(b - a), int(other[a]), int(there[a])) for a, b in zip(starts, ends, strict=True))
