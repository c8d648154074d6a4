"""Syslog lines inside other records: journald (json, export), Docker's json-file, logstash and filebeat JSON lines.

Each record becomes the line it stands for, which the scanner then reads; its address stays the record's. A line in a
file of JSON lines that is no JSON is read as it stands.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

CURSOR = b"__CURSOR="
_STAMPED = re.compile(
    r"(?:<\d{1,3}>)?(?:1 )?(?:(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)"
    r"|(?P<bsd>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) )"
)
_TIME = ("@timestamp", "timestamp", "time", "ts", "timereported", "timegenerated")
_TEXT = ("message", "msg", "log", "MESSAGE", "event.original")
_HOST = ("hostname", "host.hostname", "host.name", "host", "logsource", "syslog_hostname", "fromhost", "_HOSTNAME")
_PROGRAM = (
    "syslogtag", "program", "programname", "ident", "appname", "app-name", "syslog_program", "process.name", "tag",
)  # fmt: skip
_PID = ("pid", "procid", "process.pid", "syslog_pid")


@dataclass(frozen=True)
class Lines:
    """The lines that records stand for, with the addresses of the records in the block."""

    data: bytes
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]


def is_wrapped(head: bytes) -> bool:
    """True when a block that begins like this holds records to unwrap."""
    return head.startswith(CURSOR) or head.lstrip()[:1] == b"{"


def split(data: bytes, last: bool) -> int:
    """Whole entries of a journald export: up to the last entry's start."""
    if last:
        return len(data)
    return data.rfind(b"\n\n" + CURSOR) + 2 if b"\n\n" + CURSOR in data else 0


def records(data: bytes) -> list[tuple[int, int]]:
    """(offset, length) of each record in the block."""
    out = []
    if data.startswith(CURSOR):
        start = 0
        while start < len(data):
            end = data.find(b"\n\n" + CURSOR, start)
            end = len(data) if end < 0 else end
            out.append((start, len(data[start:end].rstrip(b"\n"))))
            start = end + 2
        return out
    start = 0
    for piece in data.split(b"\n"):
        if start < len(data):
            out.append((start, len(piece) - piece.endswith(b"\r")))
        start += len(piece) + 1
    return out


def unwrap(data: bytes) -> Lines:
    """Every record of the block as a line; an empty one where a record holds none."""
    found = records(data)
    export = data.startswith(CURSOR)
    lines = []
    for offset, length in found:
        raw = data[offset : offset + length]
        text = _line(_export(raw)) if export else _json(raw)
        lines.append(text.replace(b"\n", b"?"))
    whole = b"\n".join(lines) + (b"\n" if lines else b"")
    return Lines(whole, np.array([o for o, _ in found], np.int64), np.array([n for _, n in found], np.int64))


def _json(raw: bytes) -> bytes:
    if not raw.lstrip().startswith(b"{"):
        return raw
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return b""
    return _line(record) if isinstance(record, dict) else b""


def _export(raw: bytes) -> dict[str, Any]:
    """Fields of one entry: `KEY=text` lines, or `KEY` line, 8 bytes of little-endian length, bytes (systemd.io,
    journal export)."""
    fields: dict[str, Any] = {}
    at = 0
    while at < len(raw):
        end = raw.find(b"\n", at)
        end = len(raw) if end < 0 else end
        name, equals, value = raw[at:end].partition(b"=")
        if equals:
            at = end + 1
        else:
            size = int.from_bytes(raw[end + 1 : end + 9], "little")
            value = raw[end + 9 : end + 9 + size]
            at = end + 10 + size
        fields.setdefault(name.decode("ascii", "replace"), value)
    return fields


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, list) and value and all(isinstance(v, int) and 0 <= v < 256 for v in value):
        return bytes(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value).encode()
    return None


def _get(record: dict[str, Any], names: tuple[str, ...]) -> bytes | None:
    """The first of these fields that holds text; `a.b` also looks into objects."""
    for name in names:
        value: Any = record.get(name)
        if value is None and "." in name:
            outer, _, inner = name.partition(".")
            nested = record.get(outer)
            value = nested.get(inner) if isinstance(nested, dict) else None
        found = _bytes(value)
        if found:
            return found
    return None


def _line(record: dict[str, Any]) -> bytes:
    if "MESSAGE" in record and ("__REALTIME_TIMESTAMP" in record or "_SOURCE_REALTIME_TIMESTAMP" in record):
        return _journal(record)
    text = _get(record, _TEXT)
    if text is None:
        return b""
    text = text.rstrip(b"\r\n")
    stamp = _get(record, _TIME)
    own = _STAMPED.match(text[:80].decode("latin-1"))
    if own and (own["iso"] or stamp is None or not _agree(own["bsd"], stamp)):
        return text
    if own:
        return (stamp or b"") + b" " + text
    host, program, pid = _get(record, _HOST), _get(record, _PROGRAM), _get(record, _PID)
    if stamp is None:
        return b""
    if program is None:
        return stamp + b" " + text if host is None else stamp + b" " + host + b" " + text
    tag = program.rstrip(b": ")
    if pid and not tag.endswith(b"]"):
        tag += b"[" + pid + b"]"
    return b" ".join(part for part in (stamp, host, tag + b":", text) if part)


def _journal(record: dict[str, Any]) -> bytes:
    stamp = _get(record, ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"))
    text, program = _bytes(record["MESSAGE"]), _get(record, ("SYSLOG_IDENTIFIER", "_COMM"))
    if stamp is None or not stamp.isdigit() or text is None or program is None:
        return b""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(stamp))
    except OverflowError:
        return b""
    pid = _get(record, ("SYSLOG_PID", "_PID"))
    tag = program + (b"[" + pid + b"]" if pid else b"")
    host = _get(record, ("_HOSTNAME",)) or b"localhost"
    return moment.isoformat(timespec="microseconds").encode() + b" " + host + b" " + tag + b": " + text


def _agree(bsd: str, stamp: bytes) -> bool:
    """True when a stamp without a year may be the local time of this one: then it is the event's, not the shipper's."""
    try:
        outer = datetime.fromisoformat(stamp.decode("ascii", "replace").replace("Z", "+00:00"))
        if outer.tzinfo is None:
            return False
        outer = outer.astimezone(UTC)
        inner = datetime.strptime(f"{outer.year} {bsd}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    seconds = abs((inner - outer).total_seconds())
    off = seconds % 900
    return seconds <= 15 * 3600 and min(off, 900 - off) <= 120
