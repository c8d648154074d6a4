"""One content that may be evidence, and how its bytes are reached: opened, unpacked, tapped for digests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forensics.custody import objects, streams, workbooks
from forensics.custody.names import display, label
from forensics.custody.streams import Place


@dataclass(frozen=True)
class Source:
    """One content that may be evidence: a file, or a file in an archive. Plain values: it may be sent to a worker."""

    path: str
    """As given or found; `-` for standard input; the address of an object."""
    member: str | None = None
    """Name inside the archive: a label chosen by whoever made it, never used as a path."""
    stored: Place | None = None
    """Where the bytes lie when that is not `path`: the copy of standard input; the object, as it was when found."""
    size: int = 0
    """Bytes of the file on disk when it was found; what is appended later is not read."""
    outer: tuple[str, ...] = ()
    """Compressions of the file, outermost first."""
    archive: str | None = None
    """tar or zip; xlsx for a workbook, the members of which are its worksheets."""
    own: tuple[str, ...] = ()
    """Compression that zip applied to the member."""
    inner: tuple[str, ...] = ()
    """Compressions of the member, outermost first."""
    index: int | None = None
    """Position of the member among the archive's files (a workbook's worksheets)."""
    offset: int = 0
    length: int = 0
    """Where the member's stored bytes lie in the (decompressed) archive."""
    crc: int | None = None
    most: int | None = None
    """Bytes of packed content that are read, of one that may have grown before it was packed; None for all."""

    @property
    def name(self) -> str:
        """For display, with anything unprintable escaped: `logs.tar!/mail.log`."""
        # Two streams of one case must not bear one name.
        stream = f"standard input ({self.stored.name[:12]})" if isinstance(self.stored, Path) else "standard input"
        base = stream if self.path == "-" else display(self.path)
        return base if self.member is None else f"{base}!/{label(self.member)}"

    @property
    def file(self) -> Place:
        """The file on disk, or the object."""
        return self.stored or objects.recorded(self.path) or Path(self.path)

    @property
    def weight(self) -> int:
        """Stored bytes that reading it takes, as far as that is known before; a workbook's count with its first
        worksheet."""
        if self.archive == "xlsx":
            return 0 if self.index else self.size
        return self.length if self.archive else self.size

    @property
    def container(self) -> str:
        """In words, innermost first: `gzip in tar in gzip`; `plain` for a plain file."""
        chain = (*self.outer, *((self.archive,) if self.archive else ()), *self.inner)
        return " in ".join(reversed(chain)) or "plain"


class Content(streams.Pieces):
    """Unpacked content of a file that can read its stored bytes to the end, for the file's digest."""

    def __init__(self, pieces: Iterator[bytes], raw: Iterator[bytes]) -> None:
        super().__init__(pieces)
        self._raw = raw

    def drain(self) -> None:
        for _ in self._raw:
            pass


@contextlib.contextmanager
def opened(
    source: Source, notes: list[str], hashing: streams.Hashing | None, passed: streams.Tap | None = None
) -> Iterator[streams.Reader]:
    """Its content; `passed` gets the stored bytes of what is packed, as they are taken."""
    note = notes.append
    if source.archive == "xlsx":
        rows = workbooks.lines(source.file, source.index or 0, note)
        yield Content(streams.limited(streams.tapped(rows, hashing.tap(1) if hashing else None), source.most), iter(()))
        return
    if source.archive and source.outer:
        with _in_compressed(source, notes, hashing, passed) as reader:
            yield reader
        return
    with contextlib.closing(streams.opened(source.file)) as stored:
        if not source.archive:
            if not source.outer:
                yield streams.Raw(stored, 0, source.size, note)
                return
            raw = streams.Raw(stored, 0, source.size, note, hashing.tap(0) if hashing else None).pieces()
            raw = streams.tapped(raw, passed)
            yield Content(streams.limited(streams.unpacked(source.outer, raw, source.size, note), source.most), raw)
            return
        there = max(source.size - source.offset, 0)
        if source.length > there:
            note("the archive ends inside it: it is cut off")
        raw = streams.tapped(streams.Raw(stored, source.offset, min(source.length, there), note).pieces(), passed)
        yield _member(source, raw, notes, hashing)


def _member(source: Source, raw: Iterator[bytes], notes: list[str], hashing: streams.Hashing | None) -> streams.Reader:
    note = notes.append
    whole = streams.checked(streams.unpacked(source.own, raw, source.length, note), source.crc, note)
    tapped = streams.tapped(whole, hashing.tap(1) if hashing else None)
    pieces = streams.unpacked(source.inner, tapped, source.length, note)
    return Content(streams.limited(pieces, source.most), tapped)


@contextlib.contextmanager
def _in_compressed(
    source: Source, notes: list[str], hashing: streams.Hashing | None, passed: streams.Tap | None
) -> Iterator[streams.Reader]:
    key, cursor = streams.take_cursor(source.file, source.outer, source.size, source.offset)
    kept = False
    try:
        cursor.skip(source.offset - cursor.position)
        reader = _member(source, streams.tapped(cursor.pieces(source.length), passed), notes, hashing)
        yield reader
        if isinstance(reader, Content):
            reader.drain()
        if cursor.position < source.offset + source.length:
            notes.insert(0, f"the archive ends inside it: {cursor.damage or 'it is cut off'}")
        streams.give_back(key, cursor)
        kept = True
    finally:
        if not kept:
            cursor.close()


def reason(error: OSError) -> str:
    """Why an operating system call failed, in plain words."""
    return {
        "Permission denied": "no permission to read it",
        "No such file or directory": "there is no such file or folder",
        "Too many levels of symbolic links": "it is a symbolic link that leads to itself",
    }.get(error.strerror or "", error.strerror or str(error))
