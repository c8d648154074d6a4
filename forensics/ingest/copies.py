"""What only the whole evidence shows: one host that has several names, and records that were collected twice.

A queue id is given by its server alone, and not twice within a second; the same one under two hosts' names, with the
same times and texts, is one message of one host. So when all was read, messages are looked for

- that two hosts have, or one has twice, with id, Message-ID and sender: the same records, collected twice, from the
  host itself and from a server that knows it by another name, or as a block that stands twice in one file;
- of which one host's name has the beginning and another's the end: a host that was renamed, or a container that was
  made anew with the same queue.

Nothing that an outsider chooses is enough for either: ids are not theirs, and replies of other servers are not looked
at. Where something was found the evidence is read again with it: the host has one name, and each record counts once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from forensics.columns import whole
from forensics.ingest import hosts as named
from forensics.ingest.hops import Hashes, Hops, Longs, Rows, among
from forensics.ingest.overlap import Duplicates, runs_of
from forensics.ingest.repeats import Statements, repeated
from forensics.ingest.survey import Surveyed
from forensics.loaders import load

RESTAMPED = 2_000_000
"""How far (microseconds) the stamps of a copy may be off: the server that collects it may stamp it anew."""
QUARTER = 900_000_000
"""Zones differ by quarters of an hour …"""
ZONES = 60
"""… and by so many of them at most."""


@dataclass(frozen=True)
class Found:
    """`hosts`: name → the name that stands for the host. `duplicates`: of all evidence by its position, what was known
    before included. `noted`: sentences about each evidence."""

    hosts: Mapping[str, str]
    duplicates: Mapping[int, Duplicates]
    noted: Mapping[int, Sequence[str]]


def look(
    hops: Hops,
    batch: Rows,
    evidence: Sequence[Surveyed],
    duplicates: Mapping[int, Duplicates],
    statements: Callable[[int], pa.Table],
) -> Found | None:
    """What was found; None for nothing. `batch` gives hops and legs by number, `statements` those of an evidence."""
    pairs = _copies(hops, batch)
    names = named.Names()
    small = {name.lower(): name for name in sorted(hops.names)}
    for name in sorted(hops.names):
        names.same(name, small[name.lower()], "the same but for letter case")
    for first, second in named.parts(hops, batch):
        names.same(first, second, "the same queue ids, one after the other")
    for pair in pairs:
        names.same(*pair.hosts, "the same queue ids, times and texts")
    hosts = names.chosen()
    masks = _masks(pairs, hosts, statements)
    if not hosts and not masks:
        return None
    noted: dict[int, list[str]] = {}
    for number, one in enumerate(evidence):
        said = [sentence for those, sentence in names.told(hosts) if has_host(one, those)]
        for other, count in sorted(Counter(masks[number].other.tolist()).items()) if number in masks else ():
            where = "others of this file" if other == number else f"records of {evidence[other].source.name}"
            said.append(f"{count:,} of its records repeat {where}, which were collected twice: they count once")
        if said:
            noted[number] = said
    joined = dict(duplicates)
    for number, mask in masks.items():
        joined[number] = mask.joined(evidence[number].survey.records, duplicates.get(number))
    return Found(hosts, joined, noted)


def has_host(one: Surveyed, names: Sequence[str]) -> bool:
    """Whether records of a host of one of these names lie in the evidence."""
    loader: Any = load(one.loader)
    if not hasattr(loader, "host_key"):
        return False
    hosts = one.survey.hosts
    return hosts is None or any(loader.host_key(name) in hosts for name in names)


def known_as(one: Surveyed, hosts: Mapping[str, str]) -> Surveyed:
    """The evidence with its hosts by the names that stand for them."""
    loader: Any = load(one.loader)
    if not hosts or one.survey.hosts is None or not hasattr(loader, "host_key"):
        return one
    keys = {loader.host_key(name): loader.host_key(other) for name, other in hosts.items()}
    return replace(one, survey=replace(one.survey, hosts=frozenset(keys.get(h, h) for h in one.survey.hosts)))


@dataclass(frozen=True)
class _Pair:
    """Two evidence files (or one twice) that have messages in common. `shift`: how much later (microseconds, whole
    quarters of an hour) the stamps of the second are."""

    hosts: tuple[str, str]
    evidence: tuple[int, int]
    shift: int


def _copies(hops: Hops, batch: Rows) -> list[_Pair]:
    """Evidence that has messages twice, each pair of files and of hosts once, with the shift that most of them have."""
    ordered = np.sort(np.concatenate([np.zeros(0, np.uint64), *(one.who for one in hops.some)]))
    again = np.unique(ordered[1:][(ordered[1:] == ordered[:-1]) & (ordered[1:] != 0)])
    found: Counter[tuple[int, int, str, str, int]] = Counter()
    _count_equal(hops, batch, again, found)
    for one in hops.some:
        if len(one.twice):
            _count_twice(batch(one.batch)[0].select(["host", "records"]).take(pa.array(one.twice)), found)
    best: dict[tuple[int, int, str, str], tuple[int, int]] = {}
    for (x, y, host, other, shift), count in sorted(found.items()):
        best[x, y, host, other] = max(best.get((x, y, host, other), (0, 0)), (count, shift))
    return [_Pair((host, other), (x, y), way * QUARTER) for (x, y, host, other), (_, way) in sorted(best.items())]


def _count_equal(hops: Hops, batch: Rows, who: Hashes, found: Counter[tuple[int, int, str, str, int]]) -> None:
    """Count (evidence, evidence, host, host, quarters of an hour between them) of hops that are the same message."""
    names: dict[str, int] = {}
    parts = [
        _places(batch(one.batch)[0], one.who, rows, names) for one in hops.some if len(rows := among(one.who, who))
    ]
    if not parts:
        return
    key, first, evidence, host = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((host, evidence, first, key))
    a, b = order[:-1], order[1:]
    gap = first[b] - first[a]
    shift = (gap + QUARTER // 2) // QUARTER
    good = (key[a] == key[b]) & (np.abs(gap - shift * QUARTER) <= RESTAMPED) & (np.abs(shift) <= ZONES)
    good &= (evidence[a] >= 0) & (evidence[b] >= 0)
    a, b, shift = a[good], b[good], shift[good]
    turned = evidence[a] > evidence[b]
    a, b, shift = np.where(turned, b, a), np.where(turned, a, b), np.where(turned, -shift, shift)
    rows = np.stack([evidence[a], evidence[b], host[a], host[b], shift], axis=1)
    by_number = list(names)
    for (x, y, one, other, way), count in zip(
        *(part.tolist() for part in np.unique(rows, axis=0, return_counts=True)), strict=True
    ):
        found[x, y, by_number[one], by_number[other], way] += count


def _count_twice(hops: pa.Table, found: Counter[tuple[int, int, str, str, int]]) -> None:
    """The same for hops of which a record is there twice: any two of their files may have it."""
    for row in hops.to_pylist():
        files = sorted({record["evidence"] for record in row["records"]})
        for n, one in enumerate(files):
            for other in files[n:]:
                found[one, other, row["host"], row["host"], 0] += 1


def _places(hops: pa.Table, who: Hashes, rows: Longs, names: dict[str, int]) -> tuple[Any, Any, Any, Any]:
    """(who, first time, evidence of the first record or -1, host) of some hops; hosts are numbered in `names`."""
    coded = whole(hops["host"])
    numbers = np.array([names.setdefault(name, len(names)) for name in coded.dictionary.to_pylist()], np.int64)
    records = whole(hops["records"])
    starts, ends = (part.to_numpy()[rows] for part in (records.offsets[:-1], records.offsets[1:]))
    of_record = records.values.field("evidence").to_numpy(zero_copy_only=False)
    evidence = np.full(len(rows), -1, np.int64)
    evidence[ends > starts] = of_record[starts[ends > starts]]
    first = whole(hops["first_at"]).cast(pa.int64()).to_numpy()[rows]
    return who[rows], first, evidence, numbers[coded.indices.to_numpy(zero_copy_only=False)[rows]]


@dataclass(frozen=True)
class _Mask:
    """Records of one evidence that repeat others: their numbers, and evidence and number of those others."""

    number: Longs
    other: Longs
    there: Longs

    def joined(self, records: int, known: Duplicates | None) -> Duplicates:
        mask = np.zeros(records, np.bool_) if known is None else known.mask.copy()
        mask[self.number - 1] = True
        runs = [*(known.runs if known else ()), *runs_of(self.number, self.other, self.there)]
        return Duplicates(mask, tuple(sorted(runs)))


def _masks(pairs: Sequence[_Pair], hosts: Mapping[str, str], statements: Callable[[int], pa.Table]) -> dict[int, _Mask]:
    """For each evidence the records that repeat others of an earlier one, or earlier ones of its own."""
    tables: dict[int, Statements] = {}
    for number in sorted({number for pair in pairs for number in pair.evidence}):
        tables[number] = Statements.of(statements(number), hosts)
    found: dict[int, _Mask] = {}
    ways: dict[tuple[int, int, int], bool] = {}
    for pair in pairs:
        way = *pair.evidence, pair.shift
        ways[way] = ways.get(way, False) or pair.hosts[0] != pair.hosts[1]
    for (a, b, shift), renamed in sorted(ways.items()):
        mine = tables[b]
        there = repeated(tables[a], mine, shift, a == b, renamed)
        if b in found:  # what repeats an earlier file already
            there[np.isin(mine.number, found[b].number)] = -1
        rows = np.flatnonzero(there >= 0)
        if len(rows):
            new = _Mask(mine.number[rows], np.full(len(rows), a, np.int64), tables[a].number[there[rows]])
            found[b] = _both(found[b], new) if b in found else new
    return found


def _both(one: _Mask, other: _Mask) -> _Mask:
    number = np.concatenate([one.number, other.number])
    order = np.argsort(number, kind="stable")
    return _Mask(
        number[order], np.concatenate([one.other, other.other])[order], np.concatenate([one.there, other.there])[order]
    )
