"""Evidence: finding it, opening it read-only, unpacking it, digesting it, cutting it into blocks of whole records.

`discover` turns arguments into `Source`s and names every input that cannot be one; `blocks` reads one source.
Containers are recognised by their content, never by name. An archive's members are sources of their own, and may
be compressed once more (up to `DEEPEST` layers); archives inside archives are named as problems. A workbook's
worksheets are sources too (`workbooks`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from forensics.custody import objects, streams
from forensics.custody.discovery import DEEPEST, Discovery, Problem, discover
from forensics.custody.names import display
from forensics.custody.objects import Object
from forensics.custody.sources import Content, Source, opened, reason
from forensics.custody.streams import Mark, Place
from forensics.errors import EvidenceError, UsageError
from forensics.wraps.wrap import HEAD

PADDING = 64
"""Zero bytes behind every block, so that a scanner may look ahead without a bounds check."""
BLOCK = 32 << 20
LONGEST_RECORD = 128 << 20
"""A record that does not end within this many bytes is cut there (`Block.cut`): memory stays bounded."""
Bytes = NDArray[np.uint8]
Split = Callable[[Bytes, bool], int]


@dataclass(frozen=True)
class Block:
    """Whole records of one content, in order."""

    data: Bytes
    """Exactly the block's bytes."""
    offset: int
    """Of its first byte in the decompressed content."""
    last: bool
    padded: Bytes = field(repr=False)
    """`data` followed by at least PADDING zero bytes; the same memory."""
    cut: bool = False
    """The block ends inside a record longer than LONGEST_RECORD, which goes on in the next block."""


@dataclass
class Digests:
    """What `blocks` learnt about a source; filled when its last block has been taken."""

    file_sha256: str = ""
    """Of the file on disk (for an archive's member: of the archive)."""
    file_size: int = 0
    member_sha256: str | None = None
    """Of the member as it came out of the archive, before any compression of its own was undone."""
    content_sha256: str = ""
    """Of the decompressed content: the evidence id."""
    content_size: int = 0
    damage: str | None = None
    """Why the rest could not be read; what could be was handed over. None when all was read."""


def blocks(
    source: Source,
    split: Split,
    *,
    size: int = BLOCK,
    digests: Digests | None = None,
    sums: dict[int, str] | None = None,
    begin: Callable[[bytes], None] | None = None,
    passed: Callable[[int], None] | None = None,
) -> Iterator[Block]:
    """The content of `source`, cut where `split` says; before that `begin` is called with its first HEAD bytes.

    `split(buffer, last)` returns how many bytes at the start of `buffer` are complete records; 0 asks for more. What
    it leaves at the end of the content is handed over all the same. Every block has its own memory, which stays valid.
    Nothing is handed over for an empty content. Block limits do not affect digests, offsets or damage. `passed` is told
    of stored bytes as they are read. `sums`, beside `digests`, gets the SHA-256 of each block by its offset.
    Raises EvidenceError when the file cannot be opened or read; damage inside it is no error: see `Digests.damage`.
    """
    notes: list[str] = []
    hashing = streams.Hashing(3) if digests is not None else None
    packed = not plain(source)
    try:
        with opened(source, notes, hashing, _counting(passed)) as reader:
            rest = _begun(reader, begin) if begin else reader
            # A small file takes no more memory than it needs.
            room = size if packed else min(size, source.size + 1)
            for block in _cut(rest, split, max(room, 1)):
                if packed:
                    _expanded.add(len(block.data))
                elif passed:
                    passed(len(block.data))
                if hashing:
                    hashing.update(2, block.data.data)
                    if sums is not None and (block.offset or not block.last):  # an only block is the content
                        hashing.part(block.offset, block.data.data)
                yield block
            if hashing and isinstance(reader, Content):
                reader.drain()
        if hashing and digests is not None:
            file_sum, member_sum, content_sum = hashing.finish()
            digests.content_sha256, digests.content_size = content_sum, hashing.sizes[2]
            if sums is not None:
                sums.update(hashing.parts or {0: content_sum})
            digests.file_sha256, digests.file_size = file_sum, hashing.sizes[0]
            if not packed:
                digests.file_sha256, digests.file_size = content_sum, hashing.sizes[2]
            if source.archive:
                digests.file_sha256, digests.file_size = file_digest(source.file, source.size)
                digests.member_sha256 = member_sum
            digests.damage = notes[0] if notes else None
            hashing = None
    except OSError as error:
        raise EvidenceError(
            f"{source.name}: cannot be read: {reason(error)}",
            remedy="check the file and the disk it lies on, then run again",
        ) from error
    finally:
        if hashing:
            hashing.finish()


def _counting(passed: Callable[[int], None] | None) -> streams.Tap | None:
    return None if passed is None else lambda data: passed(len(data))


def stretch(source: Source, start: int, stop: int) -> Block:
    """The bytes from `start` to `stop` of a plain file's content as one block, with zeros where it has become shorter.

    For blocks whose limits and digests a first reading has found. Raises EvidenceError.
    """
    padded = window(source.file, start, stop - start)
    return Block(padded[: stop - start], start, stop >= source.size, padded)


def plain(source: Source) -> bool:
    """Whether the content is the file, so that any part of it can be read by itself."""
    return not source.archive and not source.outer


class ExpandedTooFar(UsageError):
    """More was unpacked than may be."""


class _Expanded:
    """How much has been unpacked, of how much there may be; all threads of a process together."""

    def __init__(self) -> None:
        self._most: int | None = None
        self._total = 0
        self._lock = threading.Lock()

    def begin(self, most: int | None) -> None:
        self._most, self._total = most, 0

    def add(self, count: int) -> None:
        if self._most is None:
            return
        with self._lock:
            self._total += count
        if self._total > self._most:
            raise ExpandedTooFar(
                f"the evidence unpacks to more than {self._most:,} bytes",
                expected="at most so much in all, as --max-expanded says",
                remedy="see what is in the archives; then give fewer of them at once, or a larger --max-expanded",
            )


_expanded = _Expanded()
EXPANDED = 1 << 40
"""Bytes that evidence may come to once it is unpacked, if nobody says otherwise."""


@contextlib.contextmanager
def expanding(most: int | None) -> Iterator[None]:
    """Within, until `expanded`, `blocks` raises ExpandedTooFar once it has unpacked more than `most` bytes in this
    process."""
    _expanded.begin(most)
    try:
        yield
    finally:
        _expanded.begin(None)


def expanded() -> None:
    """All evidence was gone through once; what is read again is no more."""
    _expanded.begin(None)


class _Begun:
    """A reader of which some bytes were read before."""

    def __init__(self, ahead: bytes, reader: streams.Reader) -> None:
        self._ahead = memoryview(ahead)
        self._reader = reader

    def readinto(self, view: memoryview) -> int:
        taken = min(len(self._ahead), len(view))
        view[:taken] = self._ahead[:taken]
        self._ahead = self._ahead[taken:]
        return taken + (self._reader.readinto(view[taken:]) if taken < len(view) else 0)


def _begun(reader: streams.Reader, begin: Callable[[bytes], None]) -> _Begun:
    buffer = bytearray(HEAD)
    ahead = bytes(buffer[: reader.readinto(memoryview(buffer))])
    begin(ahead)
    return _Begun(ahead, reader)


def _cut(reader: streams.Reader | _Begun, split: Split, size: int) -> Iterator[Block]:
    carried: Bytes = np.empty(0, np.uint8)
    ahead = b""
    offset = 0
    room = size
    while True:
        room = max(room, len(carried) + len(ahead))
        padded = np.empty(room + PADDING, np.uint8)
        view = padded.data
        filled = len(carried)
        padded[:filled] = carried
        view[filled : filled + len(ahead)] = ahead
        filled += len(ahead)
        filled += reader.readinto(view[filled:room])
        one = bytearray(1)
        ahead = bytes(one) if filled == room and reader.readinto(memoryview(one)) else b""
        last = not ahead
        padded[filled : filled + PADDING] = 0
        if last:
            if filled:
                yield from _last(padded, filled, offset, split)
            return
        whole = int(split(padded[:filled], False))
        cut = False
        if whole <= 0:
            if room < max(LONGEST_RECORD, size):
                carried, room = padded[:filled], min(room * 2, max(LONGEST_RECORD, size))
                continue
            whole, cut = filled, True
        carried = padded[whole:filled].copy()
        yield _block(padded, whole, offset, last=False, cut=cut)
        offset += whole
        room = size


def _last(padded: Bytes, filled: int, offset: int, split: Split) -> Iterator[Block]:
    """The end of the content; what `split` leaves there is a record without its end, handed over by itself."""
    while 0 < (whole := int(split(padded[:filled], True))) < filled:
        tail = np.zeros(filled - whole + PADDING, np.uint8)
        tail[: filled - whole] = padded[whole:filled]
        yield _block(padded, whole, offset, last=False)
        padded, filled, offset = tail, filled - whole, offset + whole
    yield _block(padded, filled, offset, last=True)


def _block(padded: Bytes, whole: int, offset: int, *, last: bool, cut: bool = False) -> Block:
    padded[whole : whole + PADDING] = 0
    behind = padded[: whole + PADDING]
    return Block(behind[:whole], offset, last, behind, cut)


def head(source: Source, size: int = HEAD) -> bytes:
    """The first bytes of the content, for recognising its format. Raises EvidenceError as `blocks` does."""
    try:
        with opened(source, [], None) as reader:
            buffer = bytearray(size)
            return bytes(buffer[: reader.readinto(memoryview(buffer))])
    except OSError as error:
        raise EvidenceError(f"{source.name}: cannot be read: {reason(error)}") from error


def window(place: Place, offset: int, size: int) -> Bytes:
    """`size` bytes of a file from `offset` on, with PADDING behind them; zeros where it has become shorter. Raises
    EvidenceError."""
    padded = np.zeros(size + PADDING, np.uint8)
    try:
        with contextlib.closing(streams.opened(place)) as stored:
            streams.Raw(stored, offset, size, lambda _: None).readinto(padded.data[:size])
    except OSError as error:
        raise EvidenceError(f"{display(str(place))}: cannot be read: {reason(error)}") from error
    return padded


def mark(place: Place) -> Mark:
    """By what a change of stored bytes shows. Raises OSError."""
    if isinstance(place, Object) and place.tag:
        return objects.mark(place)
    with contextlib.closing(streams.opened(place)) as stored:
        return stored.mark


def size_of(place: Place) -> int:
    """Stored bytes, now. Raises OSError."""
    with contextlib.closing(streams.opened(place)) as stored:
        return stored.size


_archives: dict[tuple[Mark, int], tuple[str, int]] = {}


def file_digest(place: Place, size: int | None = None, passed: Callable[[int], None] | None = None) -> tuple[str, int]:
    """SHA-256 and number of the first `size` bytes of a file (default all); remembered while the file is unchanged.
    `passed` is told of bytes as they are read."""
    with contextlib.closing(streams.opened(place)) as stored:
        size = stored.size if size is None else size
        key = (stored.mark, size)
        if key not in _archives:
            hashing = streams.Hashing(1)
            try:
                for piece in streams.Raw(stored, 0, size, lambda _: None, hashing.tap(0)).pieces():
                    if passed:
                        passed(len(piece))
            finally:
                digest = hashing.finish()[0]
            _archives[key] = (digest, hashing.sizes[0])
        return _archives[key]


__all__ = [
    "DEEPEST",
    "EXPANDED",
    "PADDING",
    "Block",
    "Digests",
    "Discovery",
    "ExpandedTooFar",
    "Mark",
    "Problem",
    "Source",
    "blocks",
    "discover",
    "expanded",
    "expanding",
    "file_digest",
    "head",
    "mark",
    "plain",
    "reason",
    "size_of",
    "stretch",
    "window",
]
