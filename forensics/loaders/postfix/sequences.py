"""Records that number themselves, and the numbers that are not in the file.

RFC 5424 7.3.1 (`meta sequenceId`, as syslog-ng writes it: counted by each host) and journald (`__SEQNUM`, since systemd
254: counted by each journal). A file that holds a selection of the records leaves numbers out too; where most
numbers do not follow on one another, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.loaders.losses import rows

HEAD = 256 << 10
"""Bytes of a block in which some record has a number, if its records have numbers at all."""
MOST = 10_000
"""Gaps of one sequence that are told one by one; further ones are counted with the last."""
_SYSLOG = re.compile(
    rb'^(?:<\d{1,3}>)?1 (?P<at>\S+) (?P<key>\S+) \S+ \S+ \S+ \[[^\n]*?\bsequenceId="(?P<number>\d{1,10})"[^\n]*', re.M
)
_JSON = re.compile(rb'^[^\n]*"__SEQNUM"\s*:\s*"(?P<number>\d{1,18})"[^\n]*', re.M)
_EXPORT = re.compile(rb"^__SEQNUM=(?P<number>\d{1,18})\n", re.M)
_ENTRY = b"\n\n__CURSOR="
_JOURNAL = re.compile(rb'__SEQNUM_ID(?:"\s*:\s*"|=)([0-9a-f]+)')
_HOST = re.compile(rb'_HOSTNAME(?:"\s*:\s*"|=)([^"\n]+)')
_REALTIME = re.compile(rb'__REALTIME_TIMESTAMP(?:"\s*:\s*"|=)(\d{1,17})')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Seen(NamedTuple):
    key: bytes
    number: int
    start: int
    record: bytes


class Sequences:
    """Fed with all blocks of an evidence in order."""

    def __init__(self) -> None:
        self._last: dict[bytes, int] = {}
        self._steps: dict[bytes, int] = {}
        self._gaps: dict[bytes, list[tuple[int, bytes, int, int]]] = {}
        """(numbers left out, the record behind them, its number, its offset)."""
        self._count: dict[bytes, int] = {}

    def feed(self, block: NDArray[np.uint8], offset: int, first: int) -> None:
        """A block that begins at `offset` with the record of number `first`."""
        head = block[:HEAD].tobytes()
        if b"sequenceId=" not in head and b"__SEQNUM" not in head:
            return
        data = block.tobytes()
        separator = _ENTRY if data.startswith(b"__CURSOR=") else b"\n"
        beyond = len(separator.lstrip(b"\n"))
        at, passed = 0, 0
        for seen in _numbered(data):
            last = self._last.get(seen.key)
            self._last[seen.key] = seen.number
            if last is None or seen.number <= last:  # counted anew, or out of order
                continue
            if seen.number == last + 1:
                self._steps[seen.key] = self._steps.get(seen.key, 0) + 1
                continue
            passed += data.count(separator, at, seen.start + beyond)
            at = seen.start
            self._gap(seen, seen.number - last - 1, first + passed, offset + seen.start)

    def _gap(self, seen: _Seen, missing: int, number: int, offset: int) -> None:
        gaps = self._gaps.setdefault(seen.key, [])
        self._count[seen.key] = self._count.get(seen.key, 0) + 1
        if len(gaps) < MOST:
            gaps.append((missing, seen.record[:4096], number, offset))
        else:
            gaps[-1] = gaps[-1][0] + missing, *gaps[-1][1:]

    def losses(self) -> pa.Table | None:
        """Rows of `base.LOSSES`; None where no number is left out."""
        found = [
            ("sequence gap", 0, _host(key, record), _time(record), missing, number, offset, _text(record))
            for key, gaps in sorted(self._gaps.items())
            if self._count[key] <= self._steps.get(key, 0)
            for missing, record, number, offset in gaps
        ]
        return rows(found) if found else None


def _numbered(data: bytes) -> Iterator[_Seen]:
    if data.startswith(b"__CURSOR="):
        for found in _EXPORT.finditer(data):
            start = data.rfind(_ENTRY, 0, found.start())
            start = 0 if start < 0 else start + 2
            end = data.find(_ENTRY, found.end())
            record = data[start : end if end >= 0 else len(data)]
            yield _Seen(_journal(record), int(found["number"]), start, record)
        return
    for found in _JSON.finditer(data) if b'"__SEQNUM"' in data else ():
        yield _Seen(_journal(found[0]), int(found["number"]), found.start(), found[0])
    for found in _SYSLOG.finditer(data) if b"sequenceId=" in data else ():
        yield _Seen(b"syslog " + found["key"], int(found["number"]), found.start(), found[0])


def _journal(record: bytes) -> bytes:
    found = _JOURNAL.search(record)
    return found[1] if found else b""


def _host(key: bytes, record: bytes) -> str | None:
    if key.startswith(b"syslog "):
        return _text(key[7:])
    found = _HOST.search(record)
    return _text(found[1]) if found else None


def _time(record: bytes) -> int | None:
    if found := _REALTIME.search(record):
        return int(found[1])
    syslog = _SYSLOG.match(record)
    try:
        moment = datetime.fromisoformat(syslog["at"].decode()) if syslog else None
    except ValueError:
        return None
    return None if moment is None or moment.tzinfo is None else (moment - _EPOCH) // timedelta(microseconds=1)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
