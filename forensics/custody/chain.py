"""Append-only JSON lines in which each entry carries the digest of the one before.

An entry is `{sequence, at, …, previous, digest}`: `sequence` counts from 1, `at` is UTC, `previous` the digest of
the entry before (64 zeros for the first), `digest` the SHA-256 of the canonical JSON of all the rest. Changing,
removing or inserting an entry breaks the chain from there on; removing the last ones is seen against a head kept
elsewhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forensics.custody import canonical, flock
from forensics.errors import CaseError, MachineError, naming

GENESIS = "0" * 64
Clock = Callable[[], datetime]


def now() -> datetime:
    """The wall clock, UTC: for custody log, manifest and verdicts only."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """ISO 8601, UTC, microseconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Head:
    """The last entry of a chain."""

    sequence: int = 0
    digest: str = GENESIS


@dataclass(frozen=True)
class Chain:
    """A chain as it was read. `faults` name line numbers; empty when it is whole."""

    entries: tuple[Mapping[str, Any], ...]
    head: Head
    faults: tuple[str, ...]


def append(path: Path, content: Mapping[str, Any], clock: Clock = now) -> Mapping[str, Any]:
    """Add one entry, synced to the disk; writers exclude each other. Returns it as written.

    Raises CaseError when the file does not end in a whole entry: nothing is ever appended behind damage.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path):
        return _append(path, content, clock)


def _append(path: Path, content: Mapping[str, Any], clock: Clock) -> Mapping[str, Any]:
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        flock.exclusive(fd, wait=True)
        last = _last(path, fd)
        entry: dict[str, Any] = canonical.plain(content)
        entry |= {"sequence": last.sequence + 1, "at": stamp(clock()), "previous": last.digest}
        entry["digest"] = canonical.digest(entry)
        data = (canonical.line(entry) + "\n").encode()
        before = os.fstat(fd).st_size
        if os.write(fd, data) != len(data):
            os.ftruncate(fd, before)
            raise MachineError(f"{path}: the entry could not be written whole", remedy="make room on the disk")
        os.fsync(fd)
        return entry
    finally:
        os.close(fd)


def _last(path: Path, fd: int) -> Head:
    end = os.fstat(fd).st_size
    if not end:
        return Head()
    tail = b""
    at = end
    while at and tail.count(b"\n") < 2:
        step = min(at, 64 << 10)
        at -= step
        tail = os.pread(fd, step, at) + tail
    lines = tail.split(b"\n")
    if lines[-1]:
        raise CaseError(
            f"{path}: the last line is cut off: an earlier write was interrupted, or the file was altered",
            expected="every line to end with a newline",
            remedy="keep a copy of the file for the record, then remove that last incomplete line",
        )
    try:
        entry = canonical.load(lines[-2])
        return Head(int(entry["sequence"]), str(entry["digest"]))
    except (ValueError, KeyError, TypeError, UnicodeDecodeError):
        raise CaseError(
            f"{path}: the last line is not an entry", remedy="run `missent verify` on the case to see what was altered"
        ) from None


def check(path: Path, expected: Head | Iterable[Head] | None = None) -> Chain:
    """Read a chain and name every break, by line number. `expected`: heads recorded elsewhere that it must contain. A
    later one does not vouch for an earlier: whoever chains a file anew has others add to what they made."""
    raw = path.read_bytes() if path.exists() else b""
    entries, head, faults = _walked(path.name, raw, Head(), 0)
    known = {entry["sequence"]: entry["digest"] for entry in entries}
    recorded = [expected] if isinstance(expected, Head) else expected or ()
    wanted = {one for one in recorded if one.sequence and known.get(one.sequence) != one.digest}
    for one in sorted(wanted, key=lambda one: (one.sequence, one.digest)):
        if one.sequence in known:
            faults.append(f"{path.name}: entry {one.sequence} is not the one on record")
    if missing := [one.sequence for one in wanted if one.sequence not in known]:
        faults.append(
            f"{path.name}: entries are missing at the end: "
            f"entry {max(missing)} is on record, the file ends at {head.sequence}"
        )
    return Chain(tuple(entries), head, tuple(faults))


@dataclass(frozen=True)
class Checked:
    """The beginning of a chain in which no fault was found: how many bytes, their SHA-256, lines, the last entry."""

    length: int = 0
    sha256: bytes = hashlib.sha256().digest()
    lines: int = 0
    head: Head = field(default_factory=Head)


def check_further(path: Path, known: Checked) -> tuple[Chain, bool, Checked]:
    """(what follows a beginning that was checked before, whether the chain still begins with those very bytes, and all
    of it as checked). Where it begins otherwise, the whole chain is read again."""
    raw = path.read_bytes() if path.exists() else b""
    same = len(raw) >= known.length and hashlib.sha256(raw[: known.length]).digest() == known.sha256
    begun = known if same else Checked()
    entries, head, faults = _walked(path.name, raw[begun.length :], begun.head, begun.lines)
    whole = Checked(len(raw), hashlib.sha256(raw).digest(), begun.lines + len(entries), head)
    return Chain(tuple(entries), head, tuple(faults)), same, begun if faults else whole


def _walked(name: str, raw: bytes, head: Head, lines: int) -> tuple[list[Mapping[str, Any]], Head, list[str]]:
    """(entries, the last of them, faults) of the bytes that follow an entry and its line."""
    entries: list[Mapping[str, Any]] = []
    faults: list[str] = []
    if raw and not raw.endswith(b"\n"):
        faults.append(f"{name}: the last line is cut off")
    for number, line in enumerate(raw.removesuffix(b"\n").split(b"\n") if raw else [], lines + 1):
        entry = _entry(line)
        if entry is None:
            faults.append(f"{name} line {number}: not an entry (malformed)")
            continue
        if fault := _fault(entry, head):
            faults.append(f"{name} line {number}: {fault}")
        entries.append(entry)
        head = Head(entry["sequence"], entry["digest"])
    return entries, head, faults


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = canonical.load(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or type(entry.get("sequence")) is not int:
        return None
    return entry if all(isinstance(entry.get(key), str) for key in ("at", "previous", "digest")) else None


def _fault(entry: Mapping[str, Any], before: Head) -> str | None:
    rest = {key: value for key, value in entry.items() if key != "digest"}
    if canonical.digest(rest) != entry["digest"]:
        return f"entry {entry['sequence']} was altered: its digest does not fit its content"
    if entry["sequence"] != before.sequence + 1:
        return f"entry {entry['sequence']} follows entry {before.sequence}: entries are missing or out of order"
    if entry["previous"] != before.digest:
        return f"entry {entry['sequence']} does not follow from the entry before it"
    return None
