"""What lies in a tar or zip archive: names and places, found without unpacking anything to disk.

tar is parsed here rather than by `tarfile` because that one reads a header's extension to the length which the
header claims, in memory; zip's directory is read by `zipfile`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from forensics.custody.containers import Note, is_tar_header

LONGEST_NAME = 1 << 20
"""Longest extended tar header that is read; a longer one ends the listing with a note."""
MOST_MEMBERS = 200_000
METHODS = {0: (), 8: ("deflate",), 12: ("bzip2",), 93: ("zstd",)}
"""zip compression methods that are read (APPNOTE 4.4.5)."""


@dataclass(frozen=True)
class Member:
    """One file in an archive. `offset` and `size`: its stored bytes within the (decompressed) archive."""

    name: str
    index: int
    offset: int
    size: int
    layers: tuple[str, ...] = ()
    """Compression that belongs to the archive format itself (zip)."""
    crc: int | None = None
    problem: str | None = None
    """Why it cannot be read, in words."""
    encrypted: bool = False


Read = Callable[[int], bytes]
"""Up to so many bytes, short only at the end."""
Skip = Callable[[int], int]
"""Move ahead; how far it could."""


def tar_members(read: Read, skip: Skip, note: Note) -> Iterator[Member]:
    """The regular files of a tar, in order. Links, devices and folders are not evidence and are left out."""
    position = index = 0
    name: str | None = None
    size: int | None = None
    while True:
        block = read(512)
        if not block or block == bytes(512):
            return
        if not is_tar_header(block):
            what = "is cut off" if len(block) < 512 else "has no valid header"
            note(f"the tar archive {what} at byte {position:,}")
            return
        position += 512
        stored = _number(block[124:136])
        type_ = block[156:157]
        if stored is None or stored < 0:
            note(f"the tar archive gives no valid size at byte {position - 512:,}")
            return
        if type_ in b"LKxgX" and type_ != b"\0":
            if stored > LONGEST_NAME:
                where = f"at byte {position - 512:,}"
                note(f"the tar archive has a header of {stored:,} bytes {where}; at most {LONGEST_NAME:,} are read")
                return
            padded = -(-stored // 512) * 512
            extension = read(padded)
            position += padded
            if len(extension) < padded:
                note(f"the tar archive is cut off at byte {position - padded + len(extension):,}")
                return
            if type_ == b"L":
                name = _text(extension[:stored])
            elif type_ in b"xX":
                keys = _pax(extension[:stored])
                name = _text(keys[b"path"]) if b"path" in keys else name
                size = int(keys[b"size"]) if keys.get(b"size", b"").isdigit() else size
            continue
        length = stored if size is None else size
        if type_ in b"0\x007S":
            if index >= MOST_MEMBERS:
                note(f"the tar archive holds more than {MOST_MEMBERS:,} files; the rest is not read")
                return
            sparse = "it is stored as a sparse file, which is not read" if type_ == b"S" else None
            yield Member(name or _name(block), index, position, length, problem=sparse)
            index += 1
        elif type_ in b"123456":
            length = 0
        name = size = None
        padded = -(-length // 512) * 512
        moved = skip(padded)
        position += moved
        if moved < length:
            note(f"the tar archive is cut off at byte {position:,}")
            return


def _name(block: bytes) -> str:
    prefix = block[345:500].split(b"\0", 1)[0] if block[257:263] == b"ustar\0" else b""
    base = _text(block[:100])
    return f"{_text(prefix)}/{base}" if prefix else base


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int | None:
    """Octal, or GNU base-256 when the first bit is set."""
    if field[0] & 0x80:
        return int.from_bytes(field, "big") - (0x80 << (8 * (len(field) - 1)))
    digits = field.strip(b"\0 ")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        return None


def _pax(data: bytes) -> dict[bytes, bytes]:
    """`length key=value newline` records; a malformed one ends the list."""
    keys: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        digits, space, _ = data[at : at + 12].partition(b" ")
        if not space or not digits.isdigit() or int(digits) <= len(digits) + 1:
            break
        record = data[at + len(digits) + 1 : at + int(digits)]
        key, equals, value = record.rstrip(b"\n").partition(b"=")
        if equals:
            keys[key] = value
        at += int(digits)
    return keys


def zip_members(file: BinaryIO, size: int, note: Note) -> Iterator[Member]:
    """The files of a zip, in directory order. A zip without its directory (cut off) gives none, and a note."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, OSError) as error:
        note(f"the zip archive's directory, at its end, cannot be read: it is cut off or damaged ({error})")
        return
    index = 0
    for info in archive.infolist():
        if info.is_dir():
            continue
        if index >= MOST_MEMBERS:
            note(f"the zip archive holds more than {MOST_MEMBERS:,} files; the rest is not read")
            return
        yield _zip_member(file, size, info, index)
        index += 1


def _zip_member(file: BinaryIO, size: int, info: zipfile.ZipInfo, index: int) -> Member:
    file.seek(info.header_offset if 0 <= info.header_offset < size else size)
    local = file.read(30)
    problem = None
    offset = 0
    if len(local) < 30 or local[:4] != b"PK\x03\x04":
        problem = "the zip archive's directory points to a place where no file begins"
    else:
        names = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
        offset = info.header_offset + 30 + names
    encrypted = bool(info.flag_bits & 0x1)
    if encrypted:
        problem = "encrypted file in a zip archive: unpack it with `7z x FILE`, which asks for its password"
    elif info.compress_type not in METHODS:
        problem = f"it is compressed by zip method {info.compress_type}, which is not read"
    layers = METHODS.get(info.compress_type, ())
    name = info.orig_filename.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    return Member(name, index, offset, info.compress_size, layers, info.CRC, problem, encrypted)
