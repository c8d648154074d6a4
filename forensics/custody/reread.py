"""Evidence read again: where it lies now, its digests, its number of records, and the records that rows cite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics import loaders
from forensics.case import Case
from forensics.custody.citations import Citations, forms
from forensics.custody.discovery import discover
from forensics.custody.entries import EvidenceEntry, location, path_of
from forensics.custody.evidence import Block, Bytes, Digests, blocks, file_digest
from forensics.custody.names import display
from forensics.custody.sources import Source
from forensics.errors import EvidenceError

LINE_ENDS = (10, 13)
LONGEST_CITED = 4 << 20
"""Bytes of a cited record that are looked at."""


@dataclass
class Reading:
    """One evidence as it is now. `faults`: what is not as recorded, in words."""

    source: Source | None
    digests: Digests | None = None
    records: int | None = None
    cited: int = 0
    faults: list[str] = field(default_factory=list)


def places(case: Case, evidence: EvidenceEntry) -> Iterator[Source]:
    """The recorded places that still exist; of a file that has grown, the part that was recorded."""
    for place in evidence.locations:
        path = path_of(case, place)
        if not path.is_file():
            continue
        found = discover([path])
        for source in found.sources:
            if location(case, source).index == place.index:
                yield replace(source, size=min(source.size, place.size)) if place.index is None else source


def is_first(case: Case, evidence: EvidenceEntry, source: Source) -> bool:
    """Whether this is the place whose own digest (`file_sha256`) was recorded."""
    here = location(case, source)
    return [(one.path, one.index) for one in evidence.locations[:1]] == [(here.path, here.index)]


def search(folder: Path, wanted: dict[str, EvidenceEntry]) -> dict[str, Source]:
    """Where under `folder` the content of missing evidence lies: evidence id → source. Files are compared by their
    own digest first; what is still missing then, by the digest of every content there."""
    found: dict[str, Source] = {}
    sources = discover([folder]).sources
    by_file = {(one.file_sha256, place.index): one.id for one in wanted.values() for place in one.locations[:1]}
    sizes = {one.file_size for one in wanted.values()}
    for source in sources:
        if source.size in sizes:
            name = by_file.get((file_digest(source.file)[0], source.index))
            if name:
                found.setdefault(name, source)
    for source in sources if len(found) < len(wanted) else ():
        if source in found.values():
            continue
        digests = Digests()
        try:
            for _ in blocks(source, lambda data, _last: len(data), digests=digests):
                pass
        except EvidenceError:
            continue
        if digests.content_sha256 in wanted:
            found.setdefault(digests.content_sha256, source)
    return found


def read(
    source: Source,
    evidence: EvidenceEntry,
    citations: Citations | None,
    advance: Callable[[int], None],
    *,
    digest: bool = True,
) -> Reading:
    """Read a source once: digests, records, and the cited records into `citations`."""
    result = Reading(source, Digests() if digest else None)
    counter = _counter(evidence.loader)
    split = splitter(evidence.loader)
    shown_ids = _shown_ids(evidence.loader)
    places = _places(evidence.loader)
    low, high = citations.of(evidence.id) if citations else (0, 0)
    number = 0
    try:
        for block in blocks(source, split, digests=result.digests):
            if citations is not None and places is not None and low < high:
                number = _records(block, number, places, shown_ids, citations, low, high, result)
            else:
                number = _block(block, number, counter, split, shown_ids, citations, low, high, result)
            advance(len(block.data))
    except EvidenceError as error:
        result.faults.append(error.what)
        return result
    result.records = number
    if citations is not None and result.cited < high - low:
        result.faults.append(f"{high - low - result.cited:,} cited records lie beyond its end")
    return result


def _records(
    block: Block,
    number: int,
    places: Callable[[Block], tuple[NDArray[np.int64], NDArray[np.int64]]],
    shown_ids: Callable[[str], tuple[str, ...]],
    citations: Citations,
    low: int,
    high: int,
    result: Reading,
) -> int:
    """`_block` where the loader itself says where records lie: not every record ends with a line, or can be told apart
    without those before it."""
    starts, lengths = places(block)
    ends = block.offset + len(block.data)
    first = low + int(np.searchsorted(citations.offset[low:high], block.offset))
    beyond = low + int(np.searchsorted(citations.offset[low:high], ends))
    text: list[str] = []
    before = -1
    for index in range(first, beyond):
        offset, length = int(citations.offset[index]), int(citations.length[index])
        at = int(np.searchsorted(starts, offset))
        result.cited += 1
        if at == len(starts) or starts[at] != offset:
            result.faults.append(f"at byte {offset:,} no record begins, though one is cited there")
        elif lengths[at] != length:
            result.faults.append(f"the record at byte {offset:,} is not {length:,} bytes long, as cited")
        elif int(citations.number[index]) != number + at + 1:
            result.faults.append(
                f"at byte {offset:,} stands record {number + at + 1:,}, cited as {citations.number[index]:,}"
            )
        if offset != before:
            before, start = offset, offset - block.offset
            text = forms(bytes(block.data[start : start + min(length, LONGEST_CITED)]))
        citations.read(index, text, shown_ids)
    return number + len(starts)


def _block(
    block: Block,
    number: int,
    counter: Callable[[Block], int],
    split: Callable[[Bytes, bool], int],
    shown_ids: Callable[[str], tuple[str, ...]],
    citations: Citations | None,
    low: int,
    high: int,
    result: Reading,
) -> int:
    """Number of records up to the end of the block."""
    if citations is None or low == high:
        return number + counter(block)
    ends = block.offset + len(block.data)
    first = low + int(np.searchsorted(citations.offset[low:high], block.offset))
    beyond = low + int(np.searchsorted(citations.offset[low:high], ends))
    at = 0
    text: list[str] = []
    before = -1
    for index in range(first, beyond):
        start = int(citations.offset[index]) - block.offset
        length = int(citations.length[index])
        if start != before:
            between = _part(block, at, start)
            if not _whole(block, at, start, counter, split):
                result.faults.append(f"at byte {block.offset + start:,} no record begins, though one is cited there")
            number += counter(between)
            at = before = start
            if start + length < len(block.data) and block.data[start + length] not in LINE_ENDS:
                result.faults.append(
                    f"the record at byte {block.offset + start:,} is not {length:,} bytes long, as cited"
                )
            stop = min(start + length, start + LONGEST_CITED, len(block.data))
            text = forms(bytes(block.data[start:stop]))
        result.cited += 1
        if start + length > len(block.data) and not block.cut:
            result.faults.append(f"cited record {citations.number[index]:,} is longer than what is there")
        if int(citations.number[index]) != number + 1:
            result.faults.append(
                f"at byte {block.offset + start:,} stands record {number + 1:,}, cited as {citations.number[index]:,}"
            )
        citations.read(index, text, shown_ids)
    return number + counter(_part(block, at, len(block.data)))


def _whole(
    block: Block, at: int, start: int, counter: Callable[[Block], int], split: Callable[[Bytes, bool], int]
) -> bool:
    """Whether whole records lie between the ends of two that are cited."""
    between = _part(block, at, start)
    if not len(between.data) or split(between.data, False) == len(between.data):
        return True
    # `split` waits for the end of what begins here, such as a quoted field of CSV that is never closed: if a record
    # begins at `start` nevertheless, those before and behind it are as many apart as together
    stop = min(start + LONGEST_CITED, len(block.data))
    return counter(between) + counter(_part(block, start, stop)) == counter(_part(block, at, stop))


def _part(block: Block, start: int, stop: int) -> Block:
    return Block(
        block.data[start:stop], block.offset + start, block.last and stop == len(block.data), block.padded[start:]
    )


def _counter(loader: str) -> Callable[[Block], int]:
    """How the loader counts records; lines where it is unknown to this version."""
    try:
        module: Any = loaders.load(loader)
    except ImportError:
        return lambda block: int(np.count_nonzero(block.data == 10)) + int(_open_end(block))
    return lambda block: len(module.fingerprints(block)) if len(block.data) else 0


def _places(loader: str) -> Callable[[Block], tuple[NDArray[np.int64], NDArray[np.int64]]] | None:
    """Where records lie, by loaders whose records are not lines."""
    try:
        module: Any = loaders.load(loader)
    except ImportError:
        return None
    return getattr(module, "places", None)


def _open_end(block: Block) -> bool:
    return bool(block.last and len(block.data) and block.data[-1] != 10)


def splitter(loader: str) -> Callable[[Bytes, bool], int]:
    """How the loader cuts records; at line ends where it is unknown to this version."""
    try:
        module: Any = loaders.load(loader)
    except ImportError:
        return _lines
    split: Callable[[Bytes, bool], int] = module.split
    return split


def _shown_ids(loader: str) -> Callable[[str], tuple[str, ...]]:
    """The ids that a record shows by its loader; those that any loader sees where it is unknown to this version."""
    try:
        return loaders.load(loader).shown_ids
    except ImportError:
        known = [loaders.load(name) for name in loaders.LOADERS]
        return lambda text: tuple(sorted({one for each in known for one in each.shown_ids(text)}))


def _lines(data: Bytes, last: bool) -> int:
    return len(data) if last else data.tobytes().rfind(b"\n") + 1


def where(source: Source) -> str:
    """Its path on disk, for display."""
    return display(str(source.file))
