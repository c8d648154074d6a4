"""Known content found in other files than before: by the digest of the file, else by that of what is in it.

A log that is rotated goes on under another name (`mail.log`, `mail.log.1`), may have grown until then, and may be
compressed later. A digest of its beginning, as long as what was recorded, shows that as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from forensics.custody.entries import EvidenceEntry
from forensics.custody.evidence import file_digest, plain
from forensics.custody.sources import Source, opened
from forensics.errors import EvidenceError

PIECE = 1 << 20


def search(sources: Sequence[Source], wanted: Mapping[str, EvidenceEntry]) -> dict[str, Source]:
    """Evidence id → where among `sources` that content lies, as far as it was recorded; of what lies there twice, the
    first. What cannot be read is passed over. Not more is unpacked than was recorded of the largest."""
    found: dict[str, Source] = {}
    by_file: dict[tuple[str, int | None], list[EvidenceEntry]] = {}
    for one in wanted.values():
        for place in one.locations[:1]:
            by_file.setdefault((one.file_sha256, place.index), []).append(one)
    sizes = {one.file_size for one in wanted.values()}
    for source in sources:
        if source.size in sizes:
            for one in by_file.get((_file_digest(source), source.index), ()):
                found.setdefault(one.id, recorded(source, one))
    for source in sources:
        left = {id: one for id, one in wanted.items() if id not in found}
        if not left:
            break
        begins, whole = _beginnings(source, [one.content_size for one in left.values()])
        for id, one in left.items():
            if begins.get(one.content_size) == id:
                found[id] = source if one.content_size == whole else recorded(source, one)
    return found


def recorded(source: Source, evidence: EvidenceEntry) -> Source:
    """Of a content that begins with an evidence, that part: what a log has grown by since is another evidence."""
    size = evidence.content_size
    return replace(source, size=min(source.size, size)) if plain(source) else replace(source, most=size)


def _file_digest(source: Source) -> str:
    try:
        return file_digest(source.file)[0]
    except OSError:
        return ""


def _beginnings(source: Source, sizes: Iterable[int]) -> tuple[dict[int, str], int | None]:
    """SHA-256 of the first so many bytes of a content, where it has them; its size, if it does not go on beyond."""
    hashing = hashlib.sha256()
    done = 0
    out: dict[int, str] = {}
    buffer = memoryview(bytearray(PIECE))
    try:
        with opened(source, [], None) as reader:
            for size in sorted({*sizes}):
                while done < size and (got := reader.readinto(buffer[: min(size - done, PIECE)])):
                    hashing.update(buffer[:got])
                    done += got
                if done < size:
                    return out, done
                out[size] = hashing.hexdigest()
            return out, None if reader.readinto(buffer[:1]) else done
    except (OSError, EvidenceError):
        return {}, None
