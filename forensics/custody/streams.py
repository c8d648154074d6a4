"""Bytes of evidence: opened for reading only, unpacked and digested while they pass.

Files are opened O_RDONLY, with O_NOATIME where the system permits it (so that not even the access time
changes), and read with `pread`; objects of a store are only asked for (`objects`): nothing in this package can write to
evidence.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import queue
import stat
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from forensics.custody import objects
from forensics.custody.containers import Note, decode
from forensics.custody.objects import Object

PIECE = 256 << 10
"""Stored bytes read at a time where something is unpacked. Fixed, so that damage always ends content at one byte."""
BOMB_SIZE = 4 << 30
BOMB_RATIO = 1000
"""Content beyond BOMB_SIZE that is BOMB_RATIO times its stored bytes is no log: reading stops there, with a note."""
IDLE_CURSORS = 4

Tap = Callable[[memoryview | bytes], None]
Readable = bytes | memoryview
Place = Path | Object
"""Where stored bytes lie."""
Mark = tuple[int | str, ...]


class NoFile(OSError):
    """What lies there is no regular file."""


def open_readonly(path: str | Path) -> int:
    """File descriptor of a regular file. Raises OSError as `open` does, NoFile for anything that is no regular file."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    try:
        fd = os.open(path, flags | getattr(os, "O_NOATIME", 0))
    except PermissionError:
        fd = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NoFile(0, "it is not a regular file")
    return fd


def hollow(path: str | Path) -> bool:
    """Whether a file is a hole from end to end, as its file system says: its bytes are zeros that lie nowhere, and need
    not be read, however many they are. False where the file system keeps no such account."""
    try:
        fd = open_readonly(path)
    except OSError:  # whoever reads it says why
        return False
    try:
        os.lseek(fd, 0, os.SEEK_DATA)
    except OSError as error:
        return error.errno == errno.ENXIO and not any(os.pread(fd, 1 << 16, 0))
    finally:
        os.close(fd)
    return False


class Stored(Protocol):
    """Stored bytes that were opened for reading. `mark`: by what a change of them shows."""

    @property
    def size(self) -> int: ...
    @property
    def mark(self) -> Mark: ...
    def readinto(self, view: memoryview, at: int) -> int:
        """Fill `view`, or a part of it, from byte `at` on; nothing at the end."""

    def close(self) -> None: ...


class File:
    """A regular file. `mark`: device, inode, size, times of the last change of content and of state, which no program
    sets."""

    def __init__(self, path: Path) -> None:
        self._fd = open_readonly(path)
        status = os.fstat(self._fd)
        self.size = status.st_size
        self.mark: Mark = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def readinto(self, view: memoryview, at: int) -> int:
        return os.preadv(self._fd, [view], at)

    def close(self) -> None:
        os.close(self._fd)


def opened(place: Place) -> Stored:
    """Raises OSError."""
    return objects.Opened(place) if isinstance(place, Object) else File(place)


def as_file(place: Place) -> BinaryIO:
    """The same for libraries that read from a file, which has to be closed. Raises OSError."""
    if isinstance(place, Object):
        return io.BufferedReader(_Seekable(opened(place)))
    return os.fdopen(open_readonly(place), "rb")


class _Seekable(io.RawIOBase):
    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._stored.size}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))  # as files do
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        got = self._stored.readinto(memoryview(buffer).cast("B"), self._at)
        self._at += got
        return got

    def close(self) -> None:
        if not self.closed:
            self._stored.close()
        super().close()


class Raw:
    """A window of stored bytes. What they gained since their size was taken is not read."""

    def __init__(self, stored: Stored, start: int, size: int, note: Note, tap: Tap | None = None) -> None:
        self._stored = stored
        self._at = start
        self._end = start + size
        self._note = note
        self._tap = tap

    def readinto(self, view: memoryview) -> int:
        """Fill `view`; short only at the end."""
        filled = 0
        wanted = min(len(view), self._end - self._at)
        while filled < wanted:
            got = self._stored.readinto(view[filled:wanted], self._at)
            if not got:
                early = self._end - self._at
                self._note(f"the file ends at byte {self._at:,}, {early:,} bytes early: it was shortened meanwhile")
                self._end = self._at
                break
            filled += got
            self._at += got
        if self._tap and filled:
            self._tap(view[:filled])
        return filled

    def pieces(self) -> Iterator[bytes]:
        while True:
            piece = bytearray(min(PIECE, max(self._end - self._at, 0)))
            got = self.readinto(memoryview(piece))
            if not got:
                return
            yield bytes(piece[:got])


class Pieces:
    """Content that arrives in pieces, read into buffers."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readinto(self, view: memoryview) -> int:
        filled = 0
        while filled < len(view):
            if not self._rest:
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._rest = memoryview(piece)
                continue
            count = min(len(self._rest), len(view) - filled)
            view[filled : filled + count] = self._rest[:count]
            self._rest = self._rest[count:]
            filled += count
        return filled


Reader = Raw | Pieces


def unpacked(layers: tuple[str, ...], pieces: Iterator[bytes], stored: int, note: Note) -> Iterator[bytes]:
    """The content under all `layers`, outermost first; `stored` bytes are the measure of a bomb."""
    if not layers:
        yield from pieces
        return
    for layer in layers:
        pieces = decode(layer, pieces, note)
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > BOMB_SIZE and total > BOMB_RATIO * stored:
            much = f"{BOMB_RATIO:,} times its size and {BOMB_SIZE:,} bytes"
            note(f"it unpacks to more than {much}, as no log does; the rest was not read")
            return
        yield piece


def checked(pieces: Iterator[bytes], crc: int | None, note: Note) -> Iterator[bytes]:
    """The same pieces; `note` is told when their CRC-32 is not the recorded one."""
    value = 0
    for piece in pieces:
        value = zlib.crc32(piece, value)
        yield piece
    if crc is not None and value != crc:
        note(f"its CRC-32 is {value:08x} where the archive recorded {crc:08x}")


def tapped(pieces: Iterator[bytes], tap: Tap | None) -> Iterator[bytes]:
    for piece in pieces:
        if tap:
            tap(piece)
        yield piece


def limited(pieces: Iterator[bytes], most: int | None) -> Iterator[bytes]:
    """The first `most` bytes; where there are no more, what is behind them is looked at, so that damage is told."""
    left = most
    for piece in pieces:
        if left is None:
            yield piece
        elif len(piece) <= left:
            yield piece
            left -= len(piece)
        else:
            if left:
                yield piece[:left]
            return


class Cursor:
    """A forward-only place in a compressed archive, kept between members so that it is not unpacked once a member."""

    def __init__(self, stored: Stored, layers: tuple[str, ...], size: int) -> None:
        self._stored = stored
        self.position = 0
        self.damage: str | None = None
        self._rest = memoryview(b"")
        self._pieces = unpacked(layers, Raw(stored, 0, size, self._note).pieces(), size, self._note)

    def _note(self, why: str) -> None:
        self.damage = self.damage or why

    def close(self) -> None:
        self._stored.close()

    def _take(self, count: int) -> memoryview:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return memoryview(b"")
            self._rest = memoryview(piece)
        part, self._rest = self._rest[:count], self._rest[count:]
        self.position += len(part)
        return part

    def read(self, count: int) -> bytes:
        """`count` bytes, fewer only at the end."""
        parts = []
        while count and (part := self._take(count)):
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def skip(self, count: int) -> int:
        """Move ahead; returns how far it could."""
        left = count
        while left and (part := self._take(left)):
            left -= len(part)
        return count - left

    def pieces(self, count: int) -> Iterator[bytes]:
        while count and (part := self._take(count)):
            count -= len(part)
            yield bytes(part)


_idle: list[tuple[object, Cursor]] = []
_lock = threading.Lock()


def take_cursor(place: Place, layers: tuple[str, ...], size: int, offset: int) -> tuple[object, Cursor]:
    """A cursor of that archive at or before `offset` (of its decompressed content): an idle one, or a new one."""
    stored = opened(place)
    key = (place, stored.mark, size, layers)
    with _lock:
        fit = [entry for entry in _idle if entry[0] == key and entry[1].position <= offset]
        if fit:
            best = max(fit, key=lambda entry: entry[1].position)
            _idle.remove(best)
            stored.close()
            return best
    return key, Cursor(stored, layers, size)


def give_back(key: object, cursor: Cursor) -> None:
    """Keep a cursor for the next member; the longest idle one makes way."""
    with _lock:
        _idle.append((key, cursor))
        old = [_idle.pop(0) for _ in range(len(_idle) - IDLE_CURSORS)]
    for _, gone in old:
        gone.close()


ALONE = 1 << 20
"""Bytes that are digested where they are read; a thread is begun for more. An archive may hold many small files."""


class Hashing:
    """SHA-256 of several streams, of long ones computed in a thread of its own while the reader goes on.

    Buffers handed to `update` must not change before `finish` returns.
    """

    def __init__(self, streams: int) -> None:
        self._sums = [hashlib.sha256() for _ in range(streams)]
        self.sizes = [0] * streams
        self.parts: dict[int, str] = {}
        """SHA-256 of what `part` was given, by its number, once `finish` has returned."""
        self._queue: queue.Queue[Callable[[], None] | None]
        self._thread: threading.Thread | None = None

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            item()

    def _do(self, item: Callable[[], None]) -> None:
        if self._thread is None and sum(self.sizes) > ALONE:
            self._queue = queue.Queue(maxsize=8)
            self._thread = threading.Thread(target=self._work, name="missent-sha256", daemon=True)
            self._thread.start()
        if self._thread is None:
            item()
        else:
            self._queue.put(item)

    def update(self, stream: int, data: Readable) -> None:
        self.sizes[stream] += len(data)
        self._do(lambda: self._sums[stream].update(data))

    def part(self, number: int, data: Readable) -> None:
        """A digest of these bytes by themselves."""
        self._do(lambda: self.parts.update({number: hashlib.sha256(data).hexdigest()}))

    def tap(self, stream: int) -> Tap:
        return lambda data: self.update(stream, data)

    def finish(self) -> list[str]:
        """Digests of all streams; the thread ends."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
        return [one.hexdigest() for one in self._sums]
