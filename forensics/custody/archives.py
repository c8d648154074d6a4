"""What lies in a tar or zip archive: names and places, found without unpacking anything to disk.

tar is parsed here rather than by `tarfile` because that one reads a header's extension to the length which the
header claims, in memory; zip's directory is read by `zipfile`.
"""

from __future__ import annotations

import errno
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from forensics.custody.containers import Note, is_tar_header

LONGEST_NAME = 1 << 20
"""Longest extended tar header that is read; a longer one ends the listing with a note."""
MOST_MEMBERS = 50_000
"""Files of one archive that are read, each looked at for a millisecond; an archive with more is unpacked by hand."""
MOST_HEADERS = 1_000_000
"""Headers of a tar that are read: files, folders, links and long names."""
LARGEST_DIRECTORY = 64 << 20
"""Bytes of a zip's directory, which is held in memory."""
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
    position = index = headers = 0
    name: str | None = None
    size: int | None = None
    while True:
        block = read(512)
        if block == bytes(512):
            return
        if not block:
            note(f"the tar archive ends at byte {position:,} without its end mark: it is cut off")
            return
        if not is_tar_header(block):
            what = "is cut off" if len(block) < 512 else "has no valid header"
            note(f"the tar archive {what} at byte {position:,}")
            return
        headers += 1
        if headers > MOST_HEADERS:
            note(f"the tar archive has more than {MOST_HEADERS:,} headers")
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
                note(f"the tar archive holds more than {MOST_MEMBERS:,} files: unpack it and give the folder")
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
    if (directory := _directory_size(file, size)) > LARGEST_DIRECTORY:
        note(f"the zip archive has a directory of {directory:,} bytes; at most {LARGEST_DIRECTORY:,} are read")
        return
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # the disk or the store, not the archive
            raise
        note(f"the zip archive's directory, at its end, cannot be read: it is cut off or damaged ({error})")
        return
    index = 0
    members: list[Member] = []
    for info in archive.infolist():
        if info.is_dir():
            continue
        if index >= MOST_MEMBERS:
            note(f"the zip archive holds more than {MOST_MEMBERS:,} files: unpack it and give the folder")
            break
        members.append(_zip_member(file, size, info, index))
        index += 1
    shared = _overlapping(members)
    for one in members:
        yield replace(one, problem=one.problem or OVERLAPS) if one.index in shared else one


OVERLAPS = "its bytes are those of another file in the zip archive as well, as no program writes it"


def _overlapping(members: Sequence[Member]) -> frozenset[int]:
    """Which members begin before the one in front of them has ended: a few bytes that are unpacked a thousand times."""
    found = set()
    end = 0
    for one in sorted((one for one in members if one.size), key=lambda one: (one.offset, one.index)):
        if one.offset < end:
            found.add(one.index)
        end = max(end, one.offset + one.size)
    return frozenset(found)


def _directory_size(file: BinaryIO, size: int) -> int:
    """Bytes of the directory, as the record at the archive's end claims (APPNOTE 4.3.16, 4.3.14); 0 without one."""
    start = max(size - (64 << 10) - 22, 0)
    file.seek(start)
    tail = file.read(size - start)
    at = tail.rfind(b"PK\x05\x06")
    told = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    if told < 0xFFFFFFFF:
        return told
    wide = tail.rfind(b"PK\x06\x06", 0, at)
    return int.from_bytes(tail[wide + 40 : wide + 48], "little") if wide >= 0 else told


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
