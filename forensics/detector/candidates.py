"""Which known domains could a typed one have been meant for: an index, not all pairs.

Slips of one letter meet in a *deletion neighbourhood* (two names are one edit apart only if they are equal
after at most one deletion in each), those of two letters after two. The hashes of all deletions of a batch of names
are computed at once: with prefix sums of a polynomial hash modulo 2^64, cutting out letters costs a few vector
operations. Slips with dots, hyphens, suffixes, tails and lookalikes meet in equal keys. Every meeting is then
judged by `slips.classify`; the index only has to miss nothing. Time is proportional to the number of names on either
side, as long as few of them meet (`python -m tests.bench.detection_speed candidates`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from forensics import domains
from forensics.detector.confusables import skeleton
from forensics.detector.slips import Slip, classify, classify_far, squeezed

_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)
_BATCH = 32_768
_TWO_EDITS_FROM = 6
"""Two wrong letters are looked for only in registered labels of at least this length."""
CROWD = 100
"""A key that more known names share tells none of them apart and is left out: hosts numbered by the thousand, hostile
names."""
_LONGEST = 80
"""Longer names are compared by keys only; a registered label has at most 63 letters (RFC 1035)."""
_BARE = str.maketrans("", "", ".-,;:/")


class Candidate(NamedTuple):
    """`meant` is a domain for which `typed` could be a slip; `seen` is False when only a watched zone suggests it."""

    typed: str
    meant: str
    slip: Slip
    seen: bool


def find(typed: Sequence[str], known: Collection[str], zones: Collection[str] = ()) -> list[Candidate]:
    """Candidates for every typed domain among known domains and in watched zones.

    `typed`, `known`: A-labels. `zones`: suffixes such as `mil` (from `*.mil`), under which any name is thought to
    exist. A domain is never its own candidate. Sorted by typed, then most probable slip.

    >>> [(c.meant, c.slip.kind) for c in find(["navy.ml"], ["navy.mil", "army.mil"])]
    [('navy.mil', 'omitted-letter')]
    """
    names = sorted(set(known) - {""})
    there = set(names)
    tokens = sorted(set(typed) - {""})
    found: list[Candidate] = []
    index = _index(names)
    for start in range(0, len(tokens), _BATCH):
        batch = tokens[start : start + _BATCH]
        for i, j in _meetings(batch, names, index):
            if (slip := classify(batch[i], names[j])) is not None:
                found.append(Candidate(batch[i], names[j], slip, True))
        for token in batch:
            for name in set(_in_zones(token, zones)) - there:
                if (slip := classify(token, name)) is not None:
                    found.append(Candidate(token, name, slip, False))
    return sorted(found, key=lambda c: (c.typed, -c.slip.log10, c.meant))


def anchored(alike: Iterable[tuple[str, str, str]], found: Collection[Candidate]) -> list[Candidate]:
    """Candidates that names alone would not suggest, to be added to `found`: (typed, meant, local part) of addresses
    whose rare local part exists at both domains (`history.alike`). Of several local parts the most probable slip
    counts."""
    there = {(c.typed, c.meant) for c in found}
    best: dict[tuple[str, str], Candidate] = {}
    for typed, meant, local in alike:
        if (typed, meant) in there:
            continue
        slip = classify_far(typed, meant, local)
        known = best.get((typed, meant))
        if slip is not None and (known is None or (slip.log10, slip.kind) > (known.slip.log10, known.slip.kind)):
            best[typed, meant] = Candidate(typed, meant, slip, True)
    return [best[pair] for pair in sorted(best)]


def _in_zones(token: str, zones: Collection[str]) -> Iterator[str]:
    """Names in watched zones that the token could stand for: the same name behind the zone's suffix."""
    for zone in zones:
        if token.endswith("." + zone) or token == zone:
            continue
        labels = token.split(".")
        for cut in range(1, len(labels)):
            tail = ".".join(labels[cut:])
            slip = classify("x." + tail, "x." + zone) if tail else None
            if slip is not None and slip.kind not in ("suffix-swap", "two-edits"):
                # Any suffix may be swapped for any other: without the name in the log that says nothing.
                yield ".".join(labels[:cut]) + "." + zone


class _Index(NamedTuple):
    """Known names by key, and by the hashes of their deletion neighbourhoods."""

    keys: dict[str, list[int]]
    tables: Sequence[tuple[Callable[[str], str], int, _Table]]
    """What of a name is compared, how many letters are cut, the hashes of what is left."""


class _Table(NamedTuple):
    """Hashes of known names' neighbourhoods."""

    values: np.ndarray
    """Sorted."""
    owners: np.ndarray
    """The name that each is of."""
    marks: np.ndarray
    """Bits: set at the first digits of every hash. Nearly all typed names meet nothing, and a bit tells so without a
    search through the hashes."""
    shift: int
    """What is cut off a hash to have the number of its bit."""


def _index(names: Sequence[str]) -> _Index:
    keys: dict[str, list[int]] = {}
    for j, name in enumerate(names):
        for key in _known_keys(name):
            keys.setdefault(key, []).append(j)
    compared: tuple[tuple[Callable[[str], str], int], ...] = ((domains.u_label, 1), (_long_label, 2))
    return _Index(keys, [(take, depth, _table([take(n) for n in names], depth)) for take, depth in compared])


def _meetings(batch: Sequence[str], names: Sequence[str], index: _Index) -> set[tuple[int, int]]:
    """(row of batch, row of names) of all that meet in any key or hash."""
    met = set(_by_keys(batch, index.keys))
    for take, depth, table in index.tables:
        met.update(_by_deletions([take(t) for t in batch], table, len(names), depth))
    return {(i, j) for i, j in met if batch[i] != names[j]}


def _long_label(domain: str) -> str:
    """The name without its suffix, with the suffix's first letter to keep apart what cannot meet; empty when short."""
    cut = domains.split(domain)
    if not cut.suffix or len(cut.domain) < _TWO_EDITS_FROM:
        return ""
    return domains.u_label(domain.removesuffix("." + cut.suffix)) + "." + cut.suffix


def _by_keys(batch: Sequence[str], keys: Mapping[str, Sequence[int]]) -> Iterator[tuple[int, int]]:
    for i, token in enumerate(batch):
        for key in _typed_keys(token):
            found = keys.get(key, ())
            if len(found) <= CROWD:
                for j in found:
                    yield i, j


def _shared_keys(name: str) -> set[str]:
    shown = domains.u_label(name)
    return {
        "skeleton " + skeleton(shown.translate(_BARE)),
        "bare " + shown.translate(_BARE),
        "squeezed " + squeezed(shown),
        "labels " + ".".join(sorted(shown.split("."))),
    }


def _known_keys(name: str) -> set[str]:
    shown = domains.u_label(name)
    keys = _shared_keys(name) | {"exact " + shown}
    keys |= {"cut " + shown[:-n] for n in (1, 2, 3) if len(shown) > n}
    suffix = domains.split(name).suffix
    if suffix and suffix != name:
        keys.add("stem " + name.removesuffix("." + suffix))
        keys.add("cut " + name.removesuffix("." + suffix))
    labels = shown.split(".")
    keys.add("stem " + ".".join(name.split(".")[:-1]))
    keys |= {"cut " + ".".join(labels[:i] + labels[i + 1 :]) for i in range(1, len(labels) - 1)}
    return keys


def _typed_keys(token: str) -> set[str]:
    shown = domains.u_label(token)
    labels = token.split(".")
    keys = _shared_keys(token) | {"cut " + shown}
    keys |= {"exact " + shown[:-n] for n in range(1, 13) if len(shown) - n >= 4}
    keys |= {"stem " + ".".join(labels[:n]) for n in range(1, len(labels))}
    return keys


_MARKS = 4
"""log2 of the least number of bits for each hash: of those that are not there one in sixteen passes."""


def _table(strings: Sequence[str], depth: int) -> _Table:
    """All neighbourhoods, crowded hashes left out."""
    parts = list(_neighbourhoods(strings, depth))
    if not parts:
        return _marked(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64))
    values, owners = _distinct(np.concatenate([v for _, v in parts]), np.concatenate([o for o, _ in parts]))
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    sizes = np.diff(np.r_[starts, len(values)])
    roomy = np.repeat(sizes <= CROWD, sizes)
    return _marked(values[roomy], owners[roomy])


def _marked(values: np.ndarray, owners: np.ndarray) -> _Table:
    digits = max(8, len(values).bit_length() + _MARKS)
    marks = np.zeros(1 << (digits - 3), dtype=np.uint8)
    places = values >> np.uint64(64 - digits)
    np.bitwise_or.at(marks, places >> np.uint64(3), np.uint8(1) << (places & np.uint64(7)).astype(np.uint8))
    return _Table(values, owners, marks, 64 - digits)


def _may_be_in(values: np.ndarray, table: _Table) -> np.ndarray:
    places = values >> np.uint64(table.shift)
    bits = table.marks[places >> np.uint64(3)] >> (places & np.uint64(7)).astype(np.uint8)
    return np.flatnonzero(bits & np.uint8(1))


def _by_deletions(strings: Sequence[str], table: _Table, names: int, depth: int) -> Iterator[tuple[int, int]]:
    """Rows that are equal after at most `depth` deletions in each (by hash: rare false meetings pass)."""
    if not len(table.values):
        return
    found = []
    for owner, value in _neighbourhoods(strings, depth):
        some = _may_be_in(value, table)
        found.append((owner[some], value[some]))
    if not found:
        return
    owner, value = np.concatenate([o for o, _ in found]), np.concatenate([v for _, v in found])
    low = np.searchsorted(table.values, value, "left")
    count = np.searchsorted(table.values, value, "right") - low
    hit = np.flatnonzero(count)
    low, count = low[hit], count[hit]
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    # One integer a pair sorts faster than two columns.
    pair = np.repeat(owner[hit], count) * np.int64(names) + table.owners[np.repeat(low, count) + step]
    for code in np.unique(pair).tolist():
        yield code // names, code % names


def _distinct(values: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted by value, each (value, owner) once: a name of equal letters has equal cuts by the thousand."""
    order = np.lexsort((owners, values))
    values, owners = values[order], owners[order]
    first = np.r_[True, (values[1:] != values[:-1]) | (owners[1:] != owners[:-1])]
    return values[first], owners[first]


def _neighbourhoods(strings: Sequence[str], depth: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(row numbers, hashes) of every string with 0 … depth letters cut out, in arrays by length and cut."""
    lengths = np.array([len(s) for s in strings], dtype=np.int64)
    for length in np.unique(lengths):
        if not 3 <= length <= _LONGEST:
            continue
        rows = np.flatnonzero(lengths == length)
        text = "".join(strings[r] for r in rows.tolist())
        codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32).reshape(len(rows), length).astype(np.uint64)
        powers = np.array([pow(_BASE, k, 1 << 64) for k in range(length)], dtype=np.uint64)
        inverse = [pow(_INVERSE, k, 1 << 64) for k in range(depth + 1)]
        with np.errstate(over="ignore"):
            sums = np.zeros((length + 1, len(rows)), dtype=np.uint64)
            np.cumsum((codes * powers).T, axis=0, dtype=np.uint64, out=sums[1:])
            for cuts in range(depth + 1):
                for places in combinations(range(length), cuts):
                    edges = [-1, *places, length]
                    total = np.zeros(len(rows), dtype=np.uint64)
                    for n, (left, right) in enumerate(pairwise(edges)):
                        total += (sums[right] - sums[left + 1]) * np.uint64(inverse[n])
                    yield rows, total
