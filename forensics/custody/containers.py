"""Compressions and archives, recognised by their first bytes and read as streams.

Nothing here trusts its input: memory stays bounded whatever a header claims, and damage ends a stream with
what could be read before it, and a note that says where and why. Names inside archives are labels, never paths.

Formats: gzip RFC 1952, bzip2, xz (.xz file format 1.1), Zstandard RFC 8878, tar POSIX.1-2017 pax/ustar with
the GNU long names, zip APPNOTE 6.3.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import Any

STEP = 64 << 10
"""Content handed over at a time; what a decoder held back when it met damage is at most this."""
INFLATE_STEP = 1 << 20
ZSTD_INPUT = 2 << 10
"""Zstandard has no bound on its output per call, so its input is fed in pieces this small."""
SHORT_MEMBER = 4 << 10
"""Stored bytes of a new gzip member that are handed over first: what lies behind its end is copied."""
MOST_EMPTY = 100_000
"""Members or frames without content, one after another; no program writes so many."""
MEMORY = 256 << 20
"""Most that an xz dictionary or a Zstandard window may ask for."""

ARCHIVES = ("tar", "zip")

Note = Callable[[str], None]
"""Told, at most once a stream, why it ends early."""


def kind(head: bytes) -> str | None:
    """Which compression or archive the first 512 bytes announce; None for anything else."""
    if head[:3] == b"\x1f\x8b\x08":
        return "gzip"
    if head[:3] == b"BZh" and head[3:4] in b"123456789" and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"):
        return "bzip2"
    if head[:6] == b"\xfd7zXZ\x00":
        return "xz"
    if head[:4] == b"\x28\xb5\x2f\xfd" or (head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F):
        return "zstd"
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "zip"
    return "tar" if is_tar_header(head[:512]) else None


def is_tar_header(block: bytes) -> bool:
    """A 512-byte tar header with the ustar mark and a right checksum (POSIX.1-2017, pax)."""
    if len(block) < 512 or block[257:262] != b"ustar":
        return False
    digits = block[148:156].strip(b"\0 ")
    try:
        recorded = int(digits, 8)
    except ValueError:
        return False
    return recorded == sum(block[:148]) + 8 * 32 + sum(block[156:512])


def decode(name: str, pieces: Iterator[bytes], note: Note) -> Iterator[bytes]:
    """The content of one compressed stream, in pieces; `note` is told when it ends before its time.

    `pieces` are the stored bytes. Several members, streams or frames in a row are one content. Zero bytes after
    the last are padding; anything else there is reported and left out.
    """
    return _DECODERS[name](_Feed(pieces), note)


class _Feed:
    """Stored bytes with their position, handed out a piece at a time."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.data = b""
        self.position = 0  # of data[0] in the stored bytes
        self._empty = 0

    def fetch(self) -> bool:
        """Make `data` the next piece, if the one before is used up."""
        while not self.data:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self.data = bytes(piece)
        return True

    def rest(self, rest: bytes) -> None:
        """What a decoder left of `data`."""
        self.position += len(self.data) - len(rest)
        self.data = rest

    def next_member(self, magic: bytes, name: str, note: Note, empty: bool = False) -> bool:
        """Skip zero padding and say whether another member follows. `empty`: the one before had no content."""
        self._empty = self._empty + 1 if empty else 0
        if self._empty > MOST_EMPTY:
            note(
                f"more than {MOST_EMPTY:,} parts without content follow each other before byte {self.position:,} of "
                "the stored file; the rest was not read"
            )
            return False
        head = b""
        while True:
            if not self.fetch():
                break
            if not head:
                stripped = self.data.lstrip(b"\0")
                self.rest(stripped)
                if not stripped:
                    continue
            head = self.data
            if len(head) >= len(magic):
                break
            more = next(self._pieces, None)
            if more is None:
                break
            self.data += bytes(more)
        if not head:
            return False
        if self.data.startswith(magic):
            return True
        note(f"bytes that are not {name} data follow its end, from byte {self.position:,} of the stored file on")
        return False


def _truncated(name: str, feed: _Feed, note: Note) -> None:
    note(f"the {name} data is cut off at byte {feed.position:,} of the stored file")


def _corrupt(name: str, position: int, why: object, note: Note) -> None:
    words = str(why).strip() or type(why).__name__
    note(f"the {name} data is corrupt near byte {position:,} of the stored file ({words})")


def _inflate(feed: _Feed, note: Note, *, bits: int, name: str) -> Iterator[bytes]:
    """One deflate stream; afterwards `feed` stands behind it. Stops short, with a note, at damage."""
    decoder = zlib.decompressobj(bits)
    drained = True
    step = SHORT_MEMBER
    while not decoder.eof:
        if not feed.data and drained and not feed.fetch():
            _truncated(name, feed, note)
            return
        before = decoder.copy()
        given, later = feed.data[:step], feed.data[step:]
        step *= 4
        try:
            out = decoder.decompress(given, INFLATE_STEP)
        except zlib.error as error:
            yield from _salvage(before, feed)
            _corrupt(name, feed.position, error, note)
            return
        feed.rest((decoder.unused_data if decoder.eof else decoder.unconsumed_tail) + later)
        drained = len(out) < INFLATE_STEP
        if out:
            yield out


def _salvage(decoder: Any, feed: _Feed) -> Iterator[bytes]:
    """Everything before the damage: the piece is fed again a byte at a time."""
    data = feed.data
    for index in range(len(data)):
        try:
            out = decoder.decompress(data[index : index + 1])
        except zlib.error:
            feed.position += index
            feed.data = b""
            return
        if out:
            yield out


def _gzip(feed: _Feed, note: Note) -> Iterator[bytes]:
    damaged: list[str] = []

    def once(why: str) -> None:
        damaged.append(why)
        note(why)

    while True:
        empty = True
        for out in _inflate(feed, once, bits=31, name="gzip"):
            empty = False
            yield out
        if damaged or not feed.next_member(b"\x1f\x8b", "gzip", note, empty):
            return


def _bounded(feed: _Feed, note: Note, make: Callable[[], Any], magic: bytes, name: str) -> Iterator[bytes]:
    """bzip2 and xz: decoders that keep their own input and bound their output."""
    while True:
        decoder = make()
        empty = True
        while not decoder.eof:
            if decoder.needs_input and not feed.fetch():
                _truncated(name, feed, note)
                return
            piece = feed.data
            try:
                out = decoder.decompress(piece, STEP)
            except (OSError, lzma.LZMAError, EOFError, MemoryError) as error:
                _corrupt(name, feed.position, error, note)
                return
            feed.rest(decoder.unused_data if decoder.eof else b"")
            if out:
                empty = False
                yield out
        if not feed.next_member(magic, name, note, empty):
            return


def _bzip2(feed: _Feed, note: Note) -> Iterator[bytes]:
    return _bounded(feed, note, bz2.BZ2Decompressor, b"BZh", "bzip2")


def _xz(feed: _Feed, note: Note) -> Iterator[bytes]:
    return _bounded(feed, note, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY), b"\xfd7zXZ\0", "xz")


def _zstd(feed: _Feed, note: Note) -> Iterator[bytes]:
    import zstandard

    context = zstandard.ZstdDecompressor(max_window_size=MEMORY)
    while True:
        _skip_frames(feed)
        decoder = context.decompressobj()
        empty = True
        while not decoder.eof:
            if not feed.fetch():
                _truncated("zstd", feed, note)
                return
            piece, later = feed.data[:ZSTD_INPUT], feed.data[ZSTD_INPUT:]
            try:
                out = decoder.decompress(piece)
            except zstandard.ZstdError as error:
                _corrupt("zstd", feed.position, error, note)
                return
            feed.rest((decoder.unused_data if decoder.eof else b"") + later)
            empty = empty and not out
            for start in range(0, len(out), INFLATE_STEP):
                yield out[start : start + INFLATE_STEP]
        if not _next_frame(feed, note, empty):
            return


def _skip_frames(feed: _Feed) -> None:
    """Pass over skippable frames that lie whole in what was read, without copying what is behind each (RFC 8878,
    3.1.2); the decoder takes any other."""
    data = memoryview(feed.data)
    at = 0
    while len(data) - at > 8 and bytes(data[at + 1 : at + 4]) == b"\x2a\x4d\x18" and 0x50 <= data[at] <= 0x5F:
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if end >= len(data):
            break
        at = end
    feed.rest(bytes(data[at:]))


def _next_frame(feed: _Feed, note: Note, empty: bool) -> bool:
    """Another frame, or a skippable one (whose magic number begins otherwise)."""
    if feed.fetch() and 0x50 <= feed.data[0] <= 0x5F:
        return True
    return feed.next_member(b"\x28\xb5\x2f\xfd", "zstd", note, empty)


def _deflate(feed: _Feed, note: Note) -> Iterator[bytes]:
    return _inflate(feed, note, bits=-15, name="zip")


_DECODERS: dict[str, Callable[[_Feed, Note], Iterator[bytes]]] = {
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstd": _zstd,
    "deflate": _deflate,
}
