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

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.columns import hashes, whole
from forensics.ingest.overlap import Duplicates, ranks, runs_of
from forensics.ingest.survey import Surveyed
from forensics.loaders import load
from forensics.loaders.base import key_of
from forensics.native import codes
from forensics.stitch.journeys import HopLegKeys

Longs = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Batch = tuple[pa.Table, pa.Table]

RESTAMPED = 2_000_000
"""How far (microseconds) the stamps of a copy may be off: the server that collects it may stamp it anew."""
QUARTER = 900_000_000
"""Zones differ by quarters of an hour …"""
ZONES = 60
"""… and by so many of them at most."""
SOON = 5_000_000
"""A message whose lines stand under two names goes on within so long."""
PARTS = 100_000
"""Messages in parts that are compared; more would be a log of which every other line is missing."""
_SHORT_ID = re.compile(r"[0-9A-F]+")
_CONTAINER = re.compile(r"[0-9a-f]{12,64}")


_OF_PART = (
    "host", "queue_id", "message_id", "sender", "size_bytes", "recipient_count", "first_at", "last_at", "born",
    "closed",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """`hosts`: name → the name that stands for the host. `duplicates`: of all evidence by its position, what was known
    before included. `noted`: sentences about each evidence."""

    hosts: Mapping[str, str]
    duplicates: Mapping[int, Duplicates]
    noted: Mapping[int, Sequence[str]]


@dataclass(frozen=True)
class _Some:
    """Hops of one batch."""

    batch: int
    id: Hashes
    who: Hashes
    """Id, Message-ID and sender; 0 where one is missing."""
    whole: NDArray[np.bool_]
    """Nothing is missing: birth and removal, Message-ID, sender and a recipient are there."""
    twice: Longs
    """Hops of which a record is there twice."""


@dataclass
class Hops:
    """What is kept of all hops until everything was read (17 bytes each, 8 of them shared with `JoinIndex`)."""

    some: list[_Some] = field(default_factory=list)
    strays: list[pa.Table] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    batches: int = 0

    def add(self, loader: str, hops: pa.Table, keys: HopLegKeys, strays: pa.Table | None) -> None:
        """The hops of one batch, in the order of batches, and those that are too little to count."""
        if hasattr(load(loader), "statements"):
            for table in (hops, strays):
                if table is not None and len(table):
                    self.names.update(name for name in whole(table["host"]).dictionary.to_pylist() if name)
            if strays is not None and len(strays):
                self.strays.append(strays.select(_OF_PART))
            both = codes.BORN | codes.CLOSED
            who = _who(keys)
            complete = np.zeros(len(who), np.bool_)
            complete[keys.hop] = True
            complete &= ((keys.flags & both) == both) & (who != 0)
            twice = np.zeros(0, np.int64)
            if "repeated" in hops.column_names:
                twice = np.flatnonzero(whole(hops["repeated"]).to_numpy(zero_copy_only=False))
            self.some.append(_Some(self.batches, keys.id, who, complete, twice))
        self.batches += 1


def _who(keys: HopLegKeys) -> Hashes:
    with np.errstate(over="ignore"):
        mixed = (keys.id * np.uint64(3) ^ keys.msgid) * np.uint64(0x9E3779B97F4A7C15) ^ keys.sender
    return np.where((keys.id != 0) & (keys.msgid != 0) & (keys.sender != 0), mixed, np.uint64(0))


def look(
    hops: Hops,
    batch: Callable[[int], Batch],
    evidence: Sequence[Surveyed],
    duplicates: Mapping[int, Duplicates],
    statements: Callable[[int], pa.Table],
) -> Found | None:
    """What was found; None for nothing. `batch` gives hops and legs by number, `statements` those of an evidence."""
    pairs = _copies(hops, batch)
    names = _Names()
    small = {name.lower(): name for name in sorted(hops.names)}
    for name in sorted(hops.names):
        names.same(name, small[name.lower()], "the same but for letter case")
    for first, second in _parts(hops, batch):
        names.same(first, second, "the same queue ids, one after the other")
    for pair in pairs:
        names.same(*pair.hosts, "the same queue ids, times and texts")
    hosts = names.chosen()
    masks = _masks(pairs, hosts, statements)
    if not hosts and not masks:
        return None
    noted: dict[int, list[str]] = {}
    for number, one in enumerate(evidence):
        said = [sentence for named, sentence in names.told(hosts) if has_host(one, named)]
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


class _Names:
    """Which names are one host's."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self._why: dict[tuple[str, str], str] = {}

    def _top(self, name: str) -> str:
        while name in self._above:
            name = self._above[name]
        return name

    def same(self, a: str, b: str, why: str) -> None:
        a, b = self._top(a), self._top(b)
        if a != b:
            best, other = sorted((a, b), key=_rank)
            self._above[other] = best
            self._why[best, other] = why

    def chosen(self) -> dict[str, str]:
        return {name: self._top(name) for name in sorted(self._above)}

    def told(self, hosts: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
        """(names, sentence) of each host that has several."""
        for best in sorted(set(hosts.values())):
            others = [name for name, top in hosts.items() if top == best]
            why = sorted({reason for (a, b), reason in self._why.items() if self._top(a) == best and b in hosts})
            yield (
                [best, *others],
                (f"the host {best} is named {', '.join(others)}, too ({'; '.join(why)}): it is counted as one host"),
            )


def _rank(name: str) -> tuple[int, str, bool]:
    """A host's whole name before its short one, these before what a container is called, and before an address."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        kind = 2 if _CONTAINER.fullmatch(name) else 0 if "." in name.strip(".") else 1
    else:
        kind = 3
    return kind, name.lower(), name != name.lower()


@dataclass(frozen=True)
class _Pair:
    """Two evidence files (or one twice) that have messages in common. `shift`: how much later (microseconds, whole
    quarters of an hour) the stamps of the second are."""

    hosts: tuple[str, str]
    evidence: tuple[int, int]
    shift: int


def _copies(hops: Hops, batch: Callable[[int], Batch]) -> list[_Pair]:
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


def _count_equal(
    hops: Hops, batch: Callable[[int], Batch], who: Hashes, found: Counter[tuple[int, int, str, str, int]]
) -> None:
    """Count (evidence, evidence, host, host, quarters of an hour between them) of hops that are the same message."""
    names: dict[str, int] = {}
    parts = [
        _places(batch(one.batch)[0], one.who, rows, names) for one in hops.some if len(rows := _among(one.who, who))
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


def _among(values: Hashes, ordered: Hashes) -> Longs:
    """Places of the values that are among the ordered ones."""
    if not len(ordered):
        return np.zeros(0, np.int64)
    at = np.searchsorted(ordered, values).clip(max=len(ordered) - 1)
    return np.flatnonzero(ordered[at] == values)


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


def _parts(hops: Hops, batch: Callable[[int], Batch]) -> list[tuple[str, str]]:
    """Names of which one has some records of a message and the other the rest."""
    if len(hops.names) < 2:
        return []
    open_ = [np.flatnonzero(~one.whole & (one.id != 0)) for one in hops.some]
    strays = [hashes(table["queue_id"]) for table in hops.strays]
    ids = np.sort(
        np.concatenate([np.zeros(0, np.uint64), *strays, *(o.id[n] for o, n in zip(hops.some, open_, strict=True))])
    )
    again = np.unique(ids[1:][ids[1:] == ids[:-1]])
    tables = [table.take(pa.array(_among(of, again))) for table, of in zip(hops.strays, strays, strict=True)]
    for one, places in zip(hops.some, open_, strict=True):
        if len(rows := places[_among(one.id[places], again)]):
            tables.append(batch(one.batch)[0].select(_OF_PART).take(pa.array(rows)))
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in (row for table in tables for row in _with_numbers(table).to_pylist()):
        if sum(map(len, groups.values())) >= PARTS:
            break
        groups.setdefault(row["queue_id"], []).append(row)
    found: Counter[tuple[str, str]] = Counter()
    for rows_ in groups.values():
        rows_.sort(key=lambda row: (row["first_at"], row["last_at"], row["host"] or ""))
        for first, second in pairwise(rows_):
            if weight := _one_message(first, second):
                found[min(first["host"], second["host"]), max(first["host"], second["host"])] += weight
    return sorted(pair for pair, weight in found.items() if weight >= SURE)


def _with_numbers(table: pa.Table) -> pa.Table:
    for name in ("first_at", "last_at"):
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.int64()))
    return table


SURE = 3
"""Weight from which two names are one host's: one message whose id is of no other host in the world, or whose sender
and size both parts tell; or three of which only the time fits; or one, if the names are alike."""


def _one_message(first: Mapping[str, Any], second: Mapping[str, Any]) -> int:
    """How surely two parts under different names are of one message of one host: 0 is not."""
    if first["host"] is None or second["host"] is None or first["host"] == second["host"]:
        return 0
    if (first["born"] and second["born"]) or (first["closed"] and second["closed"]):
        return 0
    told = [(first[c], second[c]) for c in ("message_id", "sender", "size_bytes", "recipient_count")]
    if any(a is not None and b is not None and a != b for a, b in told):
        return 0
    at_once = second["first_at"] <= first["last_at"] + SOON and not (
        second["born"] and second["first_at"] > first["first_at"] + SOON
    )
    goes_on = not first["closed"] and not second["born"] and second["first_at"] <= first["last_at"] + codes.LIFETIME
    if not (at_once or goes_on):
        return 0
    queued = all(first[c] is not None and second[c] is not None for c in ("sender", "size_bytes"))
    if queued or not _SHORT_ID.fullmatch(first["queue_id"]):
        return SURE
    if not at_once:
        return 0
    return SURE if _alike(first["host"], second["host"]) else 1


def _alike(a: str, b: str) -> bool:
    """A host's short name and its whole one."""
    short, long = sorted((a.lower().rstrip("."), b.lower().rstrip(".")), key=len)
    return long == short or long.startswith(short + ".")


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
    tables: dict[int, _Statements] = {}
    for number in sorted({number for pair in pairs for number in pair.evidence}):
        tables[number] = _Statements.of(statements(number), hosts)
    found: dict[int, _Mask] = {}
    ways: dict[tuple[int, int, int], bool] = {}
    for pair in pairs:
        way = *pair.evidence, pair.shift
        ways[way] = ways.get(way, False) or pair.hosts[0] != pair.hosts[1]
    for (a, b, shift), renamed in sorted(ways.items()):
        mine = tables[b]
        there = _repeats(tables[a], mine, shift, a == b, renamed)
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


@dataclass(frozen=True)
class _Statements:
    """Events of one evidence in the order of their records. `says`: a hash with id and host; `host`: as the record has
    it."""

    number: Longs
    second: Longs
    id: Hashes
    says: Hashes
    host: Hashes

    @classmethod
    def of(cls, table: pa.Table, hosts: Mapping[str, str]) -> _Statements:
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


def _repeats(theirs: _Statements, mine: _Statements, shift: int, same: bool, renamed: bool) -> Longs:
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


def _neighbours(some: _Statements) -> tuple[Longs, Longs]:
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


OFF, EARLIER = (0, 1, -1, 2, -2), (0, -1, -2)
"""Seconds that the stamps of a copy may be off, the most likely first (RESTAMPED); those of the original in one
file."""


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


def _in_runs(mine: _Statements, by_id: Longs, there: Longs) -> NDArray[np.bool_]:
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
