"""Bytes of evidence: opened for reading only, unpacked and digested while they pass.

Files are opened O_RDONLY, with O_NOATIME where the system permits it (so that not even the access time
changes), and read with `pread`: nothing in this package can write to evidence.
"""

from __future__ import annotations

import hashlib
import os
import queue
import stat
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from forensics.custody.containers import Note, decode

PIECE = 256 << 10
"""Stored bytes read at a time where something is unpacked. Fixed, so that damage always ends content at one byte."""
BOMB_SIZE = 4 << 30
BOMB_RATIO = 1000
"""Content beyond BOMB_SIZE that is BOMB_RATIO times its stored bytes is no log: reading stops there, with a note."""
IDLE_CURSORS = 4

Tap = Callable[[memoryview | bytes], None]
Readable = bytes | memoryview


def open_readonly(path: str | Path) -> int:
    """File descriptor of a regular file. Raises OSError as `open` does, and for anything that is no regular file."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    try:
        fd = os.open(path, flags | getattr(os, "O_NOATIME", 0))
    except PermissionError:
        fd = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(0, "it is not a regular file")
    return fd


class Raw:
    """The stored bytes of a window of one file. What the file gained since its size was taken is not read."""

    def __init__(self, fd: int, start: int, size: int, note: Note, tap: Tap | None = None) -> None:
        self._fd = fd
        self._at = start
        self._end = start + size
        self._note = note
        self._tap = tap

    def readinto(self, view: memoryview) -> int:
        """Fill `view`; short only at the end."""
        filled = 0
        wanted = min(len(view), self._end - self._at)
        while filled < wanted:
            got = os.preadv(self._fd, [view[filled:wanted]], self._at)
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


class Cursor:
    """A forward-only place in a compressed archive, kept between members so that it is not unpacked once a member."""

    def __init__(self, path: str | Path, layers: tuple[str, ...], size: int) -> None:
        self.fd = open_readonly(path)
        self.position = 0
        self.damage: str | None = None
        self._rest = memoryview(b"")
        self._pieces = unpacked(layers, Raw(self.fd, 0, size, self._note).pieces(), size, self._note)

    def _note(self, why: str) -> None:
        self.damage = self.damage or why

    def close(self) -> None:
        os.close(self.fd)

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


def take_cursor(path: str | Path, layers: tuple[str, ...], size: int, offset: int) -> tuple[object, Cursor]:
    """A cursor of that archive at or before `offset` (of its decompressed content): an idle one, or a new one."""
    status = Path(path).stat()
    key = (os.fspath(path), status.st_dev, status.st_ino, status.st_mtime_ns, size, layers)
    with _lock:
        fit = [entry for entry in _idle if entry[0] == key and entry[1].position <= offset]
        if fit:
            best = max(fit, key=lambda entry: entry[1].position)
            _idle.remove(best)
            return best
    return key, Cursor(path, layers, size)


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
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(maxsize=8)
        self._thread: threading.Thread | None = None

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            item()

    def _do(self, item: Callable[[], None]) -> None:
        if self._thread is None and sum(self.sizes) > ALONE:
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
