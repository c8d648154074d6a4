"""Evidence read again: where it lies now, its digests, its number of records, and the records that rows cite."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from forensics import loaders, wraps
from forensics.case import Case
from forensics.custody.citations import Citations, forms
from forensics.custody.discovery import discover
from forensics.custody.entries import EvidenceEntry, location
from forensics.custody.evidence import Block, Bytes, Digests, blocks, file_digest
from forensics.custody.names import display
from forensics.custody.sources import Source
from forensics.errors import EvidenceError
from forensics.loaders.base import Loader, Places, line_places, whole_lines

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
    cutter = Cutter(evidence.loader)
    shown_ids = _shown_ids(evidence.loader)
    low, high = citations.of(evidence.id) if citations else (0, 0)
    number = 0
    try:
        for block in blocks(source, cutter.split, digests=result.digests, begin=cutter.begin):
            inner = cutter.unwrapped(block)
            offsets, lengths = cutter.places(inner)
            if citations is not None and low < high:
                _cited(block, inner, offsets, lengths, number, shown_ids, citations, low, high, result)
            number += len(offsets)
            advance(len(block.data))
    except EvidenceError as error:
        result.faults.append(error.what)
        return result
    result.records = number
    if citations is not None and result.cited < high - low:
        result.faults.append(f"{high - low - result.cited:,} cited records lie beyond its end")
    return result


def _cited(
    block: Block,
    inner: wraps.Block,
    offsets: Places,
    lengths: Places,
    number: int,
    shown_ids: Callable[[str], tuple[str, ...]],
    citations: Citations,
    low: int,
    high: int,
    result: Reading,
) -> None:
    """Read the cited records of a block, before which `number` records lie."""
    ends = block.offset + len(block.data)
    first = low + int(np.searchsorted(citations.offset[low:high], block.offset))
    beyond = low + int(np.searchsorted(citations.offset[low:high], ends))
    text: list[str] = []
    before = (-1, -1)
    for index in range(first, beyond):
        offset, length = int(citations.offset[index]), int(citations.length[index])
        start = offset - block.offset
        if (start, length) != before:
            before = start, length
            text = forms(bytes(block.data[start : min(start + length, start + LONGEST_CITED)]))
            if within := wraps.lines_of(inner, offset):
                text += forms(within[:LONGEST_CITED])
        result.cited += 1
        if fault := _misplaced(offset, length, int(citations.number[index]), offsets, lengths, number):
            result.faults.append(fault)
        citations.read(index, text, shown_ids)


def _misplaced(offset: int, length: int, cited: int, offsets: Places, lengths: Places, number: int) -> str | None:
    """What is wrong with an address, in words; several records may lie at one place (lines that an export took
    together)."""
    at, behind = (int(np.searchsorted(offsets, offset, side)) for side in ("left", "right"))
    if at == behind:
        return f"at byte {offset:,} no record begins, though one is cited there"
    if not at < cited - number <= behind:
        return f"at byte {offset:,} stands record {number + at + 1:,}, cited as {cited:,}"
    if int(lengths[cited - number - 1]) != length:
        return f"the record at byte {offset:,} is not {length:,} bytes long, as cited"
    return None


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
