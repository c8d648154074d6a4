"""Evidence read again: where it lies now, its digests, its number of records, and the records that rows cite."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

import numpy as np

from forensics import loaders, wraps
from forensics.case import Case
from forensics.custody import elsewhere
from forensics.custody.citations import LONGEST, Citations, forms
from forensics.custody.cited import Cited
from forensics.custody.discovery import discover
from forensics.custody.entries import EvidenceEntry, location
from forensics.custody.evidence import Block, Bytes, Digests, blocks, window
from forensics.custody.names import display
from forensics.custody.sources import Source
from forensics.custody.streams import Place as Where
from forensics.errors import EvidenceError
from forensics.loaders.base import Loader, Places, line_places, whole_lines

BLOCK = 16 << 20
"""Bytes of content that are read at a time."""
AHEAD = 2
"""Blocks that wait for each step of the work on them: memory stays bounded."""


@dataclass(frozen=True)
class Place:
    """One block of an evidence: where it lies in the content, the records before it, what it was when it was read."""

    offset: int
    size: int
    before: int
    sha256: bytes


@dataclass
class Reading:
    """One evidence as it is now. `faults`: what is not as recorded, in words."""

    source: Source | None
    digests: Digests | None = None
    records: int | None = None
    faults: list[str] = field(default_factory=list)
    cutter: Cutter | None = None
    places: list[Place] = field(default_factory=list)


def is_first(case: Case, evidence: EvidenceEntry, source: Source) -> bool:
    """Whether this is the place whose own digest (`file_sha256`) was recorded."""
    here = location(case, source)
    return [(one.path, one.index) for one in evidence.locations[:1]] == [(here.path, here.index)]


def search(folder: Where, wanted: dict[str, EvidenceEntry]) -> dict[str, Source]:
    """Where below `folder` the content of evidence lies that is not where it was: evidence id → source."""
    return elsewhere.search(discover([folder]).sources, wanted)


def read(
    source: Source,
    evidence: EvidenceEntry,
    cited: Cited | None,
    advance: Callable[[int], None],
    pool: Executor,
) -> Reading:
    """Read a source once: digests, records, and what the cited ones say; blocks are worked on in parallel."""
    cutter = Cutter(evidence.loader)
    result = Reading(source, Digests(), cutter=cutter)
    span = cited.span(evidence.id) if cited else (0, 0)
    found: deque[Future[tuple[Block, Places, Places, bytes]]] = deque()
    held: deque[Future[list[str]]] = deque()
    number = reached = 0

    def next_block() -> None:
        nonlocal number, reached
        block, offsets, lengths, sha256 = found.popleft().result()
        result.places.append(Place(block.offset, len(block.data), number, sha256))
        advance(len(block.data))
        if cited is not None:
            here = cited.within(span, block.offset, block.offset + len(block.data))
            reached += here[1] - here[0]
            if here[0] < here[1]:
                held.append(pool.submit(cited.hold, here, block, offsets, lengths, number))
        number += len(offsets)
        while len(held) > AHEAD:
            result.faults += held.popleft().result()

    try:
        for block in blocks(source, cutter.split, size=BLOCK, digests=result.digests, begin=cutter.begin):
            found.append(pool.submit(_records, block, cutter))
            if len(found) > AHEAD:
                next_block()
        while found:
            next_block()
        while held:
            result.faults += held.popleft().result()
    except EvidenceError as error:
        result.faults.append(error.what)
        return result
    result.records = number
    if reached < span[1] - span[0]:
        result.faults.append(f"{span[1] - span[0] - reached:,} cited records lie beyond its end")
    return result


def _records(block: Block, cutter: Cutter) -> tuple[Block, Places, Places, bytes]:
    offsets, lengths = cutter.places(cutter.unwrapped(block))
    return block, offsets, lengths, hashlib.sha256(block.data.data).digest()


def hold_more(
    reading: Reading, evidence: EvidenceEntry, cited: Cited, advance: Callable[[int], None], pool: Executor
) -> list[str]:
    """Hold more citations of an evidence that was read against its records; what is wrong, in words."""
    span, cutter = cited.span(evidence.id), reading.cutter
    if span[0] == span[1] or reading.source is None or cutter is None:
        return []

    def hold(place: Place, block: Block) -> list[str]:
        here = cited.within(span, place.offset, place.offset + place.size)
        return cited.hold(here, block, *cutter.places(cutter.unwrapped(block)), place.before)

    faults: list[str] = []
    waiting: deque[Future[list[str]]] = deque()
    reached = 0
    try:
        for place, block in _once_more(reading, cited.offset[slice(*span)], faults):
            here = cited.within(span, place.offset, place.offset + place.size)
            reached += here[1] - here[0]
            advance(here[1] - here[0])
            waiting.append(pool.submit(hold, place, block))
            if len(waiting) > AHEAD:
                faults += waiting.popleft().result()
        while waiting:
            faults += waiting.popleft().result()
    except EvidenceError as error:
        return [*faults, error.what]
    if reached < span[1] - span[0] and not faults:
        faults.append(f"{evidence.names[0]}: {span[1] - span[0] - reached:,} cited records lie beyond its end")
    return faults


def read_each(
    reading: Reading, evidence: EvidenceEntry, citations: Citations, advance: Callable[[int], None]
) -> list[str]:
    """Read cited records of an evidence that was read, one by one, into `citations`; what is wrong, in words."""
    low, high = citations.of(evidence.id)
    if low == high or reading.source is None or reading.cutter is None:
        return []
    faults: list[str] = []
    shown_ids = _shown_ids(evidence.loader)
    try:
        for place, block in _once_more(reading, citations.offset[low:high], faults):
            first, beyond = (
                low + int(n)
                for n in np.searchsorted(citations.offset[low:high], [place.offset, place.offset + place.size])
            )
            _read_each(block, reading.cutter.unwrapped(block), shown_ids, citations, first, beyond)
            advance(beyond - first)
    except EvidenceError as error:
        faults.append(error.what)
    return faults


def _read_each(
    block: Block,
    inner: wraps.Block,
    shown_ids: Callable[[str], tuple[str, ...]],
    citations: Citations,
    first: int,
    beyond: int,
) -> None:
    text: list[str] = []
    ids: tuple[str, ...] = ()
    before = (-1, -1)
    starts, sizes = citations.offset[first:beyond] - block.offset, citations.length[first:beyond]
    for index, start, length in zip(range(first, beyond), starts.tolist(), sizes.tolist(), strict=True):
        if (start, length) != before:
            before = start, length
            text = forms(bytes(block.data[start : min(start + length, start + LONGEST)]))
            plain = text[:1]
            if within := wraps.lines_of(inner, start + block.offset)[:LONGEST]:
                text += forms(within)
                plain = [line.decode("utf-8", "surrogateescape").lower() for line in within.split(b"\n")]
            ids = tuple(dict.fromkeys(one for line in plain for one in shown_ids(line)))
        citations.read(index, text, ids)


def _once_more(reading: Reading, offsets: Places, faults: list[str]) -> Iterator[tuple[Place, Block]]:
    """The blocks in which records begin at some of `offsets`, which are in order. One that is no longer what it was is
    left out, and said."""
    assert reading.source is not None and reading.cutter is not None
    begins = np.array([place.offset for place in reading.places], np.int64)
    counts = np.diff(np.searchsorted(offsets, np.append(begins, _end(reading.places))))
    wanted = {place.offset: place for place, count in zip(reading.places, counts.tolist(), strict=True) if count}
    source = reading.source
    read = _windows(source, wanted.values()) if not source.archive and not source.outer else _stream(reading, wanted)
    for block in read:
        place = wanted[block.offset]
        if hashlib.sha256(block.data.data).digest() != place.sha256:
            faults.append(f"{source.name}: it changed while it was verified, at byte {place.offset:,}")
            continue
        yield place, block


def _end(places: Sequence[Place]) -> int:
    return places[-1].offset + places[-1].size if places else 0


def _windows(source: Source, wanted: Iterable[Place]) -> Iterator[Block]:
    """Parts of a file that holds its content as it is."""
    for place in wanted:
        part = window(source.file, place.offset, place.size)
        yield Block(part[: place.size], place.offset, False, part)


def _stream(reading: Reading, wanted: Mapping[int, Place]) -> Iterator[Block]:
    """What is packed is unpacked again from its beginning, as far as the last block that is wanted."""
    assert reading.source is not None and reading.cutter is not None
    left = len(wanted)
    for block in blocks(reading.source, reading.cutter.split, size=BLOCK) if left else ():
        if block.offset in wanted:
            left -= 1
            yield block
        if not left:
            return


class Cutter:
    """How the records of one evidence are found: by what its beginning says of what is around them, and its loader;
    as lines where the loader is unknown to this version."""

    def __init__(self, loader: str) -> None:
        self.wrap = wraps.Wrap()
        self.loader: Loader | None
        try:
            self.loader = loaders.load(loader)
        except ImportError:
            self.loader = None

    def begin(self, head: bytes) -> None:
        """`evidence.blocks` calls it."""
        self.wrap = wraps.recognise(head)

    def split(self, data: Bytes, last: bool) -> int:
        """`evidence.Split`."""
        return wraps.split(data, last, self.wrap, self.loader.split if self.loader else whole_lines)

    def unwrapped(self, block: Block) -> wraps.Block:
        """The block's records as plain lines."""
        return wraps.unwrap(block, self.wrap, as_logged=True)

    def places(self, inner: wraps.Block) -> tuple[Places, Places]:
        """(offset, length) in the evidence of each record of a block that was unwrapped."""
        return self.loader.places(inner) if self.loader else line_places(inner)


def _shown_ids(loader: str) -> Callable[[str], tuple[str, ...]]:
    """The ids that a record shows by its loader; those that any loader sees where it is unknown to this version."""
    try:
        return loaders.load(loader).shown_ids
    except ImportError:
        known = [loaders.load(name) for name in loaders.LOADERS]
        return lambda text: tuple(sorted({one for each in known for one in each.shown_ids(text)}))


def where(source: Source) -> str:
    """Its path on disk, for display."""
    return display(str(source.file))
