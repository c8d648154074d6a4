"""From arguments to sources: folders, patterns, files, archives, objects of a store and standard input. What cannot be
one is a Problem."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from forensics import accounts
from forensics import case as cases
from forensics.custody import archives, containers, objects, packings, staging, streams, workbooks
from forensics.custody.names import display
from forensics.custody.objects import Object
from forensics.custody.sources import Source, opened, reason
from forensics.errors import UsageError, naming
from forensics.progress import Meter, Progress

DEEPEST = 3
"""Compressions around one content."""
ASKED = 16
"""Objects that are asked for at once: each answer takes as long as the way to the store."""


@dataclass(frozen=True)
class Problem:
    """An input that is not, or not wholly, evidence."""

    path: str
    """For display."""
    reason: str


@dataclass(frozen=True)
class Discovery:
    """What the arguments came to, both sorted by name."""

    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]
    links: tuple[tuple[str, str], ...] = ()
    """(link, where it leads), for display, of those that were followed out of a folder because it was asked for."""


def discover(
    paths: Sequence[str | Path | Object],
    streams: Path | None = None,
    *,
    follow_links: bool = False,
    making: Path | None = None,
    progress: Progress | None = None,
) -> Discovery:
    """Every source under `paths`, whatever their order: folders with all below them, files, archives, patterns, objects
    (`objects.Object`, or their addresses as text), `-`.

    A pattern is expanded when no file has that very name. An address that ends in "/", or that no object has, names all
    objects below it. One file reached by several paths counts once, under the first in sorted order. A symbolic link in
    a folder that leads out of it is a Problem that says where it leads, unless `follow_links`; what is named itself, or
    fits a pattern, is read. `making`: the folder of the case that is being made; where it lies among the evidence, what
    the command itself keeps there is passed over. `-` is copied to `streams`/<SHA-256> and read from there. Raises
    UsageError when nothing is given, `-` has no place to be kept, or an address is none; every other trouble is a
    Problem and the rest goes on.
    """
    if not paths:
        raise UsageError("no evidence was named", remedy="give log files, folders, archives or `-`")
    problems: list[Problem] = []
    sources: list[Source] = []
    seen: set[tuple[int, int]] = set()
    addresses = {objects.parse(str(one)) if objects.is_address(one) else one for one in paths}
    asked = {one for one in addresses if isinstance(one, Object)}
    given = sorted({os.fspath(path) for path in addresses if not isinstance(path, Object)})
    if "-" in given:
        given.remove("-")
        if copied := _copy_input(streams, problems):
            sources += _sources(copied, problems)
    links: list[tuple[str, str]] = []
    found = _files(given, follow_links, links, problems, making)
    meter = Meter(progress, "discover", len(found))
    for path in found:
        meter.add(1, path)
        try:
            status = Path(path).stat()
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                sources += _file(path, status, problems)
        except OSError as error:
            problems.append(Problem(display(path), reason(error)))
    if asked:
        sources += _objects(asked, problems, progress)
    sources.sort(key=lambda one: (os.fsencode(one.path), one.index or 0))
    told = tuple(sorted(set(problems), key=lambda one: (one.path, one.reason)))
    return Discovery(tuple(sources), told, tuple(sorted(set(links))))


def _objects(asked: set[Object], problems: list[Problem], progress: Progress | None) -> list[Source]:
    """The objects that are named, or lie below what is named."""
    found: set[Object] = set()
    sources: list[Source] = []
    pool = ThreadPoolExecutor(ASKED, "missent-objects")
    try:
        for here, told in pool.map(_named_or_below, sorted(asked, key=str)):
            found.update(here)
            problems += told
        meter = Meter(progress, "discover", len(found))
        ordered = sorted(found, key=lambda one: os.fsencode(str(one)))
        for one, (more, told) in zip(ordered, pool.map(_object, ordered), strict=True):
            meter.add(1, display(str(one)))
            sources += more
            problems += told
    finally:  # whoever interrupts it does not wait for what was not begun
        pool.shutdown(cancel_futures=True)
    return sources


def _named_or_below(one: Object) -> tuple[list[Object], list[Problem]]:
    try:
        if one.key and not one.key.endswith("/"):
            try:
                streams.opened(one).close()
                return [one], []
            except FileNotFoundError:
                pass  # it may be what others lie below
        here, faults = objects.below(one)
    except FileNotFoundError:
        return [], [Problem(display(str(one)), "there is no such object, and none below it; no pattern is tried")]
    except OSError as error:
        return [], [Problem(display(str(one)), reason(error))]
    return here, [Problem(display(str(each)), fault) for each, fault in faults]


def _object(one: Object) -> tuple[list[Source], list[Problem]]:
    problems: list[Problem] = []
    try:
        with contextlib.closing(objects.Opened(one)) as stored:
            size, found = stored.size, replace(one, tag=stored.tag)
        if not size:
            return [], [Problem(display(str(one)), _EMPTY)]
        return _sources(Source(str(one), stored=found, size=size), problems), problems
    except OSError as error:
        return [], [*problems, Problem(display(str(one)), reason(error))]


_EMPTY = "it is empty (0 bytes)"


def _files(
    given: list[str], follow_links: bool, links: list[tuple[str, str]], problems: list[Problem], making: Path | None
) -> list[str]:
    found: list[str] = []
    own = None
    if making is not None and making.is_dir():
        status = making.stat()
        own = status.st_dev, status.st_ino
    for path in given:
        if "\0" in path:
            problems.append(Problem(display(path), "a path cannot hold a NUL character"))
        elif os.path.lexists(path):
            found += _below(path, follow_links, links, problems, own)
        elif glob.has_magic(path) and (matches := _matches(path)):
            for match in matches:
                found += _below(match, follow_links, links, problems, own)
        else:
            what = "no file fits this pattern" if glob.has_magic(path) else "there is no such file or folder"
            problems.append(Problem(display(path), what))
    return sorted(set(found), key=os.fsencode)


def _matches(pattern: str) -> list[str]:
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)


def _below(
    root: str,
    follow_links: bool,
    links: list[tuple[str, str]],
    problems: list[Problem],
    own: tuple[int, int] | None,
) -> Iterator[str]:
    """The files that a path is or has below it, however deep. `own`: device and inode of the case being made."""
    inside = os.path.realpath(root)
    waiting: list[tuple[str, tuple[tuple[int, int], ...]]] = [(root, ())]
    while waiting:
        path, above = waiting.pop()
        try:
            if above and (target := _outside(path, inside)):
                if not follow_links:
                    problems.append(Problem(display(path), f"it is a link out of the folder, to {target}: {_FOLLOW}"))
                    continue
                links.append((display(path), target))
            status = Path(path).stat()
            if not stat.S_ISDIR(status.st_mode):
                yield path
                continue
            here = (status.st_dev, status.st_ino)
            if here in above:
                problems.append(Problem(display(path), "it is a link back to a folder that contains it"))
                continue
            entries = sorted(Path(path).iterdir(), key=os.fsencode)
        except OSError as error:
            problems.append(Problem(display(path), reason(error)))
            continue
        if not entries and not above:
            problems.append(Problem(display(path), "the folder is empty"))
        if cases.is_one([entry.name for entry in entries]):
            problems.append(Problem(display(path), _CASE))
            entries = [entry for entry in entries if entry.name not in _MADE]
        elif here == own:
            entries = [entry for entry in entries if entry.name not in _BEGUN]
        waiting.extend((str(entry), (*above, here)) for entry in reversed(entries))


_MADE = {*staging.OWN} - {"streams"}
"""What a case folder has of its own beside evidence that came by standard input."""
_BEGUN = {name for name in _MADE if "." in name}
"""Of these, what lies in a case that is not made yet; folders of the same names may be people's own."""
_CASE = (
    "it is the folder of a Missent case, which holds what was made of evidence and none itself, but for copies of "
    "standard input; name the evidence: `missent sql --case FOLDER 'select * from evidence'` says where it lay"
)
_FOLLOW = "not followed; name what it leads to, or give --follow-links"


def _outside(path: str, inside: str) -> str | None:
    """Where a link leads, for display, if that is not below `inside`; None for all else. Raises OSError."""
    if not stat.S_ISLNK(os.lstat(path).st_mode):
        return None
    target = os.path.realpath(path)
    return None if os.path.commonpath([target, inside]) == inside else display(target)


def _file(path: str, status: os.stat_result, problems: list[Problem]) -> list[Source]:
    mode = status.st_mode
    what = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
    if not stat.S_ISREG(mode):
        words = what.get(stat.S_IFMT(mode), "no regular file")
        problems.append(Problem(display(path), f"it is {words}; give its content on standard input, as `-`"))
        return []
    if not status.st_size:
        problems.append(Problem(display(path), _EMPTY))
        return []
    if not status.st_blocks and streams.hollow(path):
        problems.append(Problem(display(path), f"{_HOLLOW} (all of its {status.st_size:,} bytes are zeros)"))
        return []
    return _sources(Source(path, size=status.st_size), problems)


_HOLLOW = "nothing was ever written into it: a copy that broke off, or room that was only reserved"


def _sources(bare: Source, problems: list[Problem]) -> list[Source]:
    """The source itself, or the members of the archive that it is."""
    source, what = _peel(bare)
    if what == "tar":
        return _members(source, what, problems)
    if what == "zip" and not source.outer:
        found = _sheets(source, problems)
        return _members(source, what, problems) if found is None else found
    if what is None:
        return [source]
    if what == "zip":
        what = "it is a zip archive that was compressed again; unpack it first"
    problems.append(Problem(bare.name, what))
    return []


def _peel(source: Source) -> tuple[Source, str | None]:
    """The source with its layers of compression named, and what it is then: None (content), an archive, or why not."""
    for depth in range(DEEPEST + 1):
        start, damage = _start(source)
        if not start and damage:
            return source, f"nothing in it can be read: {damage}"
        if not start:
            return source, "there is nothing in it once it is unpacked" if depth else _EMPTY
        if words := packings.unsupported(start):
            return source, words
        kind = containers.kind(start)
        if kind is None or kind in containers.ARCHIVES:
            return source, kind
        if source.archive:
            source = replace(source, inner=(*source.inner, kind))
        else:
            source = replace(source, outer=(*source.outer, kind))
    return source, f"it is compressed more than {DEEPEST} times over; unpack it first"


def _start(source: Source) -> tuple[bytes, str | None]:
    """The first 512 bytes of content, and what is wrong when there are fewer."""
    notes: list[str] = []
    with opened(source, notes, None) as reader:
        buffer = bytearray(512)
        start = bytes(buffer[: reader.readinto(memoryview(buffer))])
    return start, notes[0] if notes else None


def _members(source: Source, archive: str, problems: list[Problem]) -> list[Source]:
    notes: list[str] = []
    found: list[Source] = []
    members = list(_listed(source, archive, notes))
    if whole := _refused(archive, members):
        problems.append(Problem(source.name, whole))
        return []
    for member in members:
        one = replace(
            source, archive=archive, member=member.name, index=member.index, offset=member.offset,
            length=member.size, own=member.layers, crc=member.crc,
        )  # fmt: skip
        if member.problem:
            problems.append(Problem(one.name, member.problem))
        elif not member.size:
            problems.append(Problem(one.name, _EMPTY))
        else:
            one, what = _peel(one)
            if what in containers.ARCHIVES:
                what = "it is an archive inside an archive; unpack the outer one first"
            if what is None:
                found.append(one)
            else:
                problems.append(Problem(one.name, what))
    if notes:
        problems.append(Problem(source.name, f"{notes[0]}; {accounts.CUT}, but {len(found):,} of its files may be"))
    elif not members:
        problems.append(Problem(source.name, f"the {archive} archive holds no files"))
    return found


def _sheets(source: Source, problems: list[Problem]) -> list[Source] | None:
    """The worksheets of an Excel workbook; None where the zip archive is no such, or holds anything else as well."""
    found = packings.document({member.name for member in _listed(source, "zip", [])})
    if found is None or found.mark != workbooks.WORKBOOK:
        return None
    notes: list[str] = []
    names = workbooks.sheets(source.file, notes.append)
    problems += [Problem(source.name, one) for one in notes]
    return [replace(source, archive="xlsx", member=name, index=index) for index, name in enumerate(names)]


def _refused(archive: str, members: Sequence[archives.Member]) -> str | None:
    """Why an archive is refused as a whole, rather than each of its members."""
    if archive != "zip" or not members:
        return None
    if all(member.encrypted for member in members):
        return packings.ENCRYPTED.words
    found = packings.document({member.name for member in members})
    return found.words if found else None


def _listed(source: Source, archive: str, notes: list[str]) -> Iterator[archives.Member]:
    if archive == "zip":
        with streams.as_file(source.file) as file:
            yield from archives.zip_members(file, source.size, notes.append)
        return
    if source.outer:
        cursor = streams.Cursor(streams.opened(source.file), source.outer, source.size)
        try:
            yield from archives.tar_members(cursor.read, cursor.skip, notes.append)
            if cursor.damage:
                notes.insert(0, cursor.damage)
        finally:
            cursor.close()
        return
    with streams.as_file(source.file) as file:

        def skip(count: int) -> int:
            at = file.tell()
            file.seek(min(at + count, source.size))
            return file.tell() - at

        yield from archives.tar_members(file.read, skip, notes.append)


def _copy_input(folder: Path | None, problems: list[Problem]) -> Source | None:
    if folder is None:
        raise UsageError("standard input can only be read into a case", remedy="name the case with --case DIR")
    if sys.stdin is None or sys.stdin.isatty():
        problems.append(Problem("standard input", "nothing is piped into it"))
        return None
    return keep_stream(sys.stdin.buffer, folder, problems)


def keep_stream(stream: BinaryIO, folder: Path, problems: list[Problem]) -> Source | None:
    """Copy a stream to `folder`/<SHA-256 of its bytes>, written under a temporary name first, read-only afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    size = 0
    fd, temporary = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    try:
        with naming(folder), os.fdopen(fd, "wb") as copy:
            while piece := stream.read(1 << 20):
                digest.update(piece)
                size += len(piece)
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())
        if not size:
            problems.append(Problem("standard input", _EMPTY))
            return None
        Path(temporary).chmod(0o444)
        kept = folder / digest.hexdigest()
        Path(temporary).replace(kept)
        return Source("-", stored=kept, size=size)
    finally:
        Path(temporary).unlink(missing_ok=True)


__all__ = ["DEEPEST", "Discovery", "Problem", "discover", "keep_stream"]
