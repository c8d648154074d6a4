"""What outsiders and examiners attest of the custody log: time stamps and signatures over one entry of it.

Each covers the bytes of one line of custody.jsonl, its newline included, and so, by the chain, all lines before it:
`sed -n 7p custody.jsonl` is what a stamp or signature of entry 7 was made of. The files lie in `CASE/attested`; the
log's entries `stamp-query`, `stamp` and `sign` name the line, its digest and their files with their SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.case import Case
from forensics.custody import canonical, log
from forensics.errors import UsageError

FOLDER = "attested"
QUERY, STAMP, SIGN = "stamp-query", "stamp", "sign"


@dataclass(frozen=True)
class Attestation:
    """One entry of the log that tells of a query, a stamp or a signature."""

    entry: int
    """Where the log tells of it."""
    action: str
    covers: int
    """The entry that it covers, and that entry's digest."""
    digest: str
    files: Mapping[str, str]
    """Name in `CASE/attested` → SHA-256."""
    told: Mapping[str, str]
    """`at`, `authority` and `ca` of a stamp; `key` and `examiner` of a signature."""


def read(entries: Iterable[Mapping[str, Any]]) -> tuple[Attestation, ...]:
    """In order of the log."""
    return tuple(_read(entries))


def _read(entries: Iterable[Mapping[str, Any]]) -> Iterator[Attestation]:
    for entry in entries:
        if entry.get("action") not in (QUERY, STAMP, SIGN):
            continue
        details = log.details(entry)
        covers, files = details.get("covers"), details.get("attested")
        if not isinstance(covers, int) or not isinstance(files, Mapping):
            continue
        told = {name: str(details[name]) for name in ("at", "authority", "ca", "key") if name in details}
        told["examiner"] = str(entry.get("examiner", ""))
        names = {str(name): str(digest) for name, digest in files.items()}
        yield Attestation(int(entry["sequence"]), entry["action"], covers, str(details.get("digest")), names, told)


def line(entry: Mapping[str, Any]) -> bytes:
    """The entry's line as it stands in custody.jsonl."""
    return (canonical.line(entry) + "\n").encode()


def last(entries: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The entry that is to be covered: the last one. Raises UsageError when there is none."""
    found = list(entries)
    if not found:
        raise UsageError("the custody log is empty: there is nothing to attest", remedy="run `missent ingest` first")
    return found[-1]


def strange(case: Case, known: Iterable[Attestation]) -> list[str]:
    """Files of the folder that the log does not name, or that are not as it recorded them."""
    recorded: dict[str, str] = {}
    for one in known:
        recorded |= one.files
    folder = case.folder / FOLDER
    there = {one.name: one for one in folder.iterdir()} if folder.is_dir() else {}
    out = [f"{FOLDER}/{name} is not in the custody log" for name in sorted(there.keys() - recorded.keys())]
    for name, digest in sorted(recorded.items()):
        place = there.get(name)
        if place is None or not place.is_file() or place.is_symlink():
            out.append(f"{FOLDER}/{name} is missing")
        elif hashlib.sha256(place.read_bytes()).hexdigest() != digest:
            out.append(f"{FOLDER}/{name} was changed since the custody log recorded it")
    return out


def put(case: Case, files: Mapping[str, bytes]) -> dict[str, str]:
    """Write files into the case's folder of attestations; returns their digests. Raises OSError."""
    folder = case.folder / FOLDER
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


__all__ = ["FOLDER", "QUERY", "SIGN", "STAMP", "Attestation", "last", "line", "put", "read", "strange"]
