"""Records that say the same as others, under another name of their host, in another form, or once more in one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.columns import whole
from forensics.ingest.hops import Hashes, Longs
from forensics.ingest.overlap import ranks
from forensics.loaders.base import key_of
from forensics.native import codes

OFF, EARLIER = (0, 1, -1, 2, -2), (0, -1, -2)
"""Seconds that the stamps of a copy may be off, the most likely first (RESTAMPED); those of the original in one
file."""


@dataclass(frozen=True)
class Statements:
    """Events of one evidence in the order of their records. `says`: a hash with id and host; `host`: as the record has
    it."""

    number: Longs
    second: Longs
    id: Hashes
    says: Hashes
    host: Hashes

    @classmethod
    def of(cls, table: pa.Table, hosts: Mapping[str, str]) -> Statements:
        coded = whole(table["host"].unify_dictionaries())
        named = coded.dictionary.to_pylist()
        codes_ = coded.indices.to_numpy(zero_copy_only=False)
        own, host = (
            np.array([key_of(name) for name in names] or [0], np.uint64)[codes_]
            for names in (named, [hosts.get(name, name) for name in named])
        )
        ids, says = (whole(table[name]).to_numpy() for name in ("id", "says"))
        with np.errstate(over="ignore"):
            of_host = np.where(ids != 0, ids ^ host, np.uint64(0))
            mixed = (says * np.uint64(3) ^ of_host) * np.uint64(0x9E3779B97F4A7C15) ^ host
        return cls(table["number"].to_numpy(), table["at"].to_numpy() // codes.SECOND, of_host, mixed, own)

    def at(self, second: Longs) -> Hashes:
        """One number for what each event says and a second."""
        with np.errstate(over="ignore"):
            mixed: Hashes = self.says ^ (second.astype(np.uint64) + np.uint64(1)) * np.uint64(0xC2B2AE3D27D4EB4F)
        return mixed


def repeated(theirs: Statements, mine: Statements, shift: int, same: bool, renamed: bool) -> Longs:
    """For each event the one (its place in `theirs`) that it repeats, or -1. Single equal records stay: what repeats is
    two of a message, or a run; and records without an id that stand beside such, here and there.

    `same`: both are one file. There an event repeats one of the same second, or, where its host is `renamed`, one that
    was stamped up to RESTAMPED before it.
    """
    there = np.full(len(mine.number), -1, np.int64)
    by_id = np.flatnonzero(mine.id != 0)
    theirs_by_id = np.flatnonzero(theirs.id != 0)
    offs = OFF if not same else EARLIER if renamed and shift == 0 else (0,)
    for off in offs:
        in_place = same and shift == 0 and off == 0
        open_ = by_id[there[by_id] < 0]
        free = theirs_by_id if in_place else np.setdiff1d(theirs_by_id, there)
        if same and not in_place:
            free = np.setdiff1d(free, np.flatnonzero(there >= 0))
        found = _kth(
            theirs.at(theirs.second)[free], mine.at(mine.second - shift // codes.SECOND + off)[open_], in_place
        )
        there[open_[found >= 0]] = free[found[found >= 0]]
    there[by_id[~_in_runs(mine, by_id, there)]] = -1
    second = mine.second - shift // codes.SECOND
    for ours, others in zip(_neighbours(mine), _neighbours(theirs), strict=True):
        known = np.where(ours >= 0, there[ours], -1)
        for off in offs:
            open_ = np.flatnonzero((known >= 0) & (there < 0))
            free = np.setdiff1d(np.flatnonzero(others >= 0), there)
            found = _kth(
                _beside(theirs.at(theirs.second), others)[free], _beside(mine.at(second + off), known)[open_], False
            )
            there[open_[found >= 0]] = free[found[found >= 0]]
    return there


def _neighbours(some: Statements) -> tuple[Longs, Longs]:
    """For each event without an id the last one before it that has one, and the first one behind it, of the same host;
    -1 for none, and for events that have an id."""
    before, after = np.full((2, len(some.number)), -1, np.int64)
    for host in np.unique(some.host):
        own = np.flatnonzero((some.host == host) & (some.id != 0))
        plain = np.flatnonzero((some.host == host) & (some.id == 0))
        place = np.searchsorted(own, plain)
        has = place > 0
        before[plain[has]] = own[place[has] - 1]
        has = place < len(own)
        after[plain[has]] = own[place[has]]
    return before, after


def _beside(says: Hashes, event: Longs) -> Hashes:
    with np.errstate(over="ignore"):
        mixed: Hashes = says * np.uint64(3) ^ (event.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return mixed


def _kth(theirs: Hashes, mine: Hashes, same: bool) -> Longs:
    """For each of mine the place of its equal among theirs: of the k-th of several the k-th. Where both are the `same`,
    of every but the first the first."""
    order = np.argsort(theirs, kind="stable")
    ordered = theirs[order]
    low = np.searchsorted(ordered, mine, side="left")
    if same:
        first = order[low]
        return np.where(first == np.arange(len(mine)), -1, first)
    place = low + ranks(mine)
    found = np.full(len(mine), -1, np.int64)
    hit = place < np.searchsorted(ordered, mine, side="right")
    found[hit] = order[place[hit]]
    return found


def _in_runs(mine: Statements, by_id: Longs, there: Longs) -> NDArray[np.bool_]:
    """Which of the events with an id repeat others together: two of one message, or two that follow each other."""
    repeat = there[by_id] >= 0
    _, of_id = np.unique(mine.id[by_id], return_inverse=True)
    several = np.bincount(of_id, weights=repeat)[of_id] > 1
    order = np.argsort(mine.host[by_id], kind="stable")
    ordered, host = repeat[order], mine.host[by_id][order]
    beside = np.zeros(len(by_id), np.bool_)
    pair = ordered[1:] & ordered[:-1] & (host[1:] == host[:-1])
    beside[order[1:][pair]] = True
    beside[order[:-1][pair]] = True
    found: NDArray[np.bool_] = repeat & (several | beside)
    return found
