"""What one task reads, and reading it: small evidence files that follow one another, or one block of a large one.

A part's `key` names all that its result depends on, but the times that other evidence covers too: which of these bear
on it is known once its own times are (`bearing`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics import loaders, wraps
from forensics.custody import evidence as custody
from forensics.custody import objects, streams
from forensics.errors import EvidenceChanged, EvidenceError
from forensics.ingest import batches, madeby, plainly
from forensics.ingest.batches import Account, Batch, Tables
from forensics.ingest.survey import Surveyed
from forensics.loaders import letters
from forensics.loaders.base import Assembled, Scan, ScanContext
from forensics.stitch import journeys

Windows = tuple[tuple[int, int], ...]
BUNDLE = 16 << 20
"""Bytes of content of small files that are read as one unit, at most; a larger file is read block by block."""
BUNDLED = 1_000
"""Files of one unit, at most."""


@dataclass(frozen=True)
class Part:
    """Blocks of one evidence from offset `start` to `stop`. `skip`: for each of its records whether an earlier evidence
    holds it; `shared`: `ScanContext.shared`; `hosts`: names that stand for another name of the same host."""

    item: Surveyed
    start: int
    stop: int
    skip: NDArray[np.bool_] | None = None
    shared: Windows = ()
    hosts: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """All of its evidence."""
        return self.start == 0 and self.stop == self.item.digests.content_size

    @property
    def size(self) -> int:
        """Bytes of its content."""
        return self.stop - self.start

    @property
    def offsets(self) -> list[int]:
        """Where its blocks begin."""
        return [one for one in sorted(self.item.survey.blocks) if self.start <= one < max(self.stop, 1)]

    @cached_property
    def key(self) -> str:
        """SHA-256 of all that reading it depends on, but `shared`."""
        survey, skip = self.item.survey, self.skip
        about = {
            "made_by": madeby.digest(),
            "evidence": self.item.digests.content_sha256,
            "damage": self.item.digests.damage,
            "blocks": [[offset, survey.blocks[offset]] for offset in self.offsets],
            "stop": self.stop,
            "loader": self.item.loader,
            "wrap": plainly.plain(self.item.wrap),
            "plan": plainly.plain(survey.plan),
            "skip": hashlib.sha256(np.packbits(skip).data).hexdigest() if skip is not None and skip.any() else None,
            "hosts": sorted(self.hosts.items()),
        }
        return plainly.digest(about)


def bearing(shared: Windows, span: tuple[int, int] | None) -> Windows:
    """What of these times lies within `span`; nothing for what was not compared with them."""
    if span is None:
        return ()
    cut = {(max(first, span[0]), min(last, span[1])) for first, last in shared}
    return tuple(sorted((first, last) for first, last in cut if first <= last))


def name(parts: Sequence[Part], members: Sequence[Account]) -> str:
    """Of the batch that these parts came to."""
    about = [[part.key, bearing(part.shared, one.span)] for part, one in zip(parts, members, strict=True)]
    return plainly.digest(about)[:32]


def parts(
    evidence: Sequence[Surveyed],
    skip: Mapping[int, NDArray[np.bool_]],
    shared: Sequence[Windows],
    hosts: Mapping[str, str],
) -> Iterator[tuple[int, Part]]:
    """(position of the evidence, part) of all evidence in order: blocks of large ones, small ones whole."""
    for number, item in enumerate(evidence):
        for part in of_one(item, skip.get(number), hosts, shared[number]):
            yield number, part


def of_one(
    item: Surveyed, skip: NDArray[np.bool_] | None, hosts: Mapping[str, str], shared: Windows = ()
) -> Iterator[Part]:
    """The parts of one evidence."""
    offsets = sorted(item.survey.blocks)
    ends = [*offsets[1:], item.digests.content_size]
    small = item.digests.content_size <= BUNDLE
    for start, stop in [(0, ends[-1])] if small and offsets else zip(offsets, ends, strict=True):
        yield Part(item, start, stop, _records(item, start, stop, skip), shared, hosts)


def _records(item: Surveyed, start: int, stop: int, skip: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    if skip is None:
        return None
    first, after = item.survey.blocks[start], item.survey.blocks.get(stop, item.survey.records + 1)
    return skip[first - 1 : after - 1]


def fits(first: Part, count: int, size: int, part: Part) -> bool:
    """Whether a part may be read in one unit with the `count` parts of `size` bytes that begin with `first`."""
    same = first.item.loader == part.item.loader
    return same and first.whole and part.whole and size + part.size <= BUNDLE and count < BUNDLED


def read(folder: Path, unit: Sequence[Part], given: Iterable[custody.Block] | None = None) -> tuple[Batch, Tables]:
    """Read a unit and write its batch below `folder`. `given`: its blocks, for one of packed content.

    Raises EvidenceChanged when a block is not what was surveyed.
    """
    members, hops, legs, fragments, unread = [], [], [], [], []
    count = 0
    for number, part in enumerate(unit):
        read_ = [_scanned(part, number, block) for block in (given or blocks(part))]
        members.append(_account([scan for scan, _ in read_], [made for _, made in read_]))
        for scan, made in read_:
            hops.append(_counted(made.hops, "hop", count))
            legs.append(_counted(made.legs, "hop", count))
            count += len(made.hops)
            if made.fragments is not None and len(made.fragments):
                fragments.append(made.fragments)
            if len(scan.unread):
                unread.append(
                    scan.unread.append_column("member", pa.array(np.full(len(scan.unread), number, np.int32)))
                )
    of_hops, of_legs = _together(hops), _together(legs)
    made_of = Tables(
        unit[0].item.loader,
        tuple(members),
        of_hops,
        of_legs,
        journeys.hop_leg_keys(of_hops, of_legs),
        _together(fragments) if fragments else None,
        _together(unread) if unread else None,
    )
    return batches.write(folder, name(unit, members), made_of), made_of


def scans(part: Part, number: int) -> Iterator[Scan]:
    """What the records of a part say, as evidence of this number."""
    for block in blocks(part):
        yield _scan(part, number, block)


def blocks(part: Part) -> Iterator[custody.Block]:
    """The blocks of a part, each as it was when it was surveyed."""
    item, offsets = part.item, part.offsets
    if custody.plain(item.source):
        for start, stop in zip(offsets, [*offsets[1:], part.stop], strict=True):
            yield same(item, _stretch(item, start, stop))
    else:
        yield from packed(item, offsets)


def _stretch(item: Surveyed, start: int, stop: int) -> custody.Block:
    try:
        return custody.stretch(item.source, start, stop)
    except EvidenceError as error:
        if isinstance(error.__cause__, FileNotFoundError | streams.NoFile | objects.Replaced):
            raise changed(item) from None
        raise


def packed(item: Surveyed, wanted: Collection[int]) -> Iterator[custody.Block]:
    """Those blocks of packed content that begin at `wanted`. It is gone through from its beginning, and cut as it was
    when it was surveyed."""
    for block in custody.blocks(item.source, cutter(item), size=max_block(item)):
        if block.offset in wanted:
            yield same(item, block)


def max_block(item: Surveyed) -> int:
    """Bytes of its largest block."""
    offsets = sorted(item.survey.blocks)
    return max((b - a for a, b in zip(offsets, [*offsets[1:], item.digests.content_size], strict=True)), default=1)


def cutter(item: Surveyed) -> custody.Split:
    """A split for a later reading of an evidence: where the survey cut it, without looking for record ends again."""
    starts = iter(sorted(item.survey.blocks)[1:])
    here = 0
    following = next(starts, None)

    def split(data: Any, last: bool) -> int:
        nonlocal here, following
        if following is None or following - here > len(data):
            return len(data) if last else 0
        taken = following - here
        here, following = following, next(starts, None)
        return taken

    return split


def same(item: Surveyed, block: custody.Block) -> custody.Block:
    """The block; raises EvidenceChanged unless it is what was surveyed."""
    if item.sums.get(block.offset) != hashlib.sha256(block.data.data).hexdigest():
        raise changed(item)
    return block


def changed(item: Surveyed) -> EvidenceChanged:
    return EvidenceChanged(
        f"{item.source.name}: it changed while it was read: the second reading found another content than the first",
        remedy="read a copy that nothing writes to, or wait until it is whole",
    )


def _scanned(part: Part, number: int, block: custody.Block) -> tuple[Scan, Assembled]:
    scan = _scan(part, number, block)
    return scan, letters.told(loaders.load(part.item.loader).assemble(scan.events, final=False))


def _scan(part: Part, number: int, block: custody.Block) -> Scan:
    survey = part.item.survey
    first, of_part = survey.blocks[block.offset], survey.blocks[part.start]
    after = _after(survey, block.offset)
    context = ScanContext(
        evidence=number,
        number=first,
        plan=survey.plan,
        id=part.item.digests.content_sha256,
        skip=None if part.skip is None else part.skip[first - of_part : after - of_part],
        shared=part.shared,
        hosts=part.hosts,
    )
    return loaders.load(part.item.loader).scan(wraps.unwrap(block, part.item.wrap), context)


def _after(survey: Any, offset: int) -> int:
    """Number of the first record behind the block at `offset`."""
    later = [number for start, number in survey.blocks.items() if start > offset]
    return min(later) if later else int(survey.records) + 1


def _account(scans: Sequence[Scan], made: Sequence[Assembled]) -> Account:
    ignored: dict[str, int] = {}
    for scan in scans:
        for kind, count in scan.ignored.items():
            ignored[kind] = ignored.get(kind, 0) + count
    spans = [scan.span for scan in scans if scan.span is not None]
    tables = [one for both in zip(scans, made, strict=True) for one in (both[0].losses, both[1].losses)]
    return Account(
        records=sum(scan.records for scan in scans),
        used=sum(scan.used for scan in scans),
        ignored=ignored,
        unread=sum(len(scan.unread) for scan in scans),
        examples=tuple(one for scan in scans for one in scan.examples),
        losses=tuple(row for table in tables if table is not None for row in table.to_pylist()),
        noted=tuple(one for scan in scans for one in scan.noted),
        span=(min(a for a, _ in spans), max(b for _, b in spans)) if spans else None,
    )


def _counted(table: pa.Table, column: str, by: int) -> pa.Table:
    """The table with row keys of hops that count on from those of tables before it."""
    if not by or not len(table):
        return table
    at = table.schema.get_field_index(column)
    moved = pa.array(table[column].to_numpy() + np.int64(by))
    return table.set_column(at, table.schema.field(at), moved)


def _together(tables: Sequence[pa.Table]) -> pa.Table:
    """One table; columns that not all of them have are null where they are missing."""
    filled = [table for table in tables if len(table)] or tables[:1]
    if len(filled) == 1:
        return filled[0]
    return pa.concat_tables(filled, promote_options="default").unify_dictionaries().combine_chunks()
