"""Blocks of an Exim log into events: the lines that say what became of a message or of a recipient.

An event is kept as it was logged (`rest`: the text behind message id and flag); `assembling` takes it apart. Nothing is
complete inside a block, so every event waits for the others of its message.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from forensics import domains
from forensics.loaders import base, years
from forensics.loaders.base import line_fingerprints as fingerprints
from forensics.loaders.exim import fields, lines

__all__ = ["EVENTS", "event", "fingerprints", "resume", "scan"]

EVENTS = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),  # equal for all events of one message (or refused recipient)
        pa.field("at", pa.int64(), nullable=False),  # microseconds UTC
        pa.field("evidence", pa.int32(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("host", pa.string(), nullable=False),
        pa.field("id", pa.string()),
        pa.field("flag", pa.string(), nullable=False),  # of the line; else the words below
        pa.field("rest", pa.string(), nullable=False),
    ]
)
LONGEST = 32 << 10
"""Bytes of a line; Exim cuts its own at 8 KiB (LOG_BUFFER_SIZE)."""
ADVICE = b" Suggested action: "
"""The second line of a warning."""
_FLAG = re.compile(rb"(<=|\(=|=>|->|>>|\*>|\*\*|==) (.*)", re.S)
_STATE = (
    (re.compile(rb"Completed(?: QT=\S+)?$"), "Completed"),
    (re.compile(rb"(?:\*\*\* )?[Ff]rozen\b"), "frozen"),
    (re.compile(rb"[Uu]nfrozen by "), "unfrozen"),
    (re.compile(rb"(?:removed by|cancelled by|delivery cancelled by) "), "removed"),
)
"""Events of a message as a whole (exim(8): -Mf, -Mt, -Mrm, -Mg; options auto_thaw, timeout_frozen_after)."""
_OTHER = (
    (re.compile(rb"(?:Start|End|Abandon) (?:'.*' )?queue run"), "queue run"),
    (
        re.compile(rb"(?:SMTP|TLS|no MAIL in SMTP|unexpected disconnection|.*connection)\b"),
        "connection",
    ),
    (re.compile(rb"exim \S+ daemon"), "daemon started"),
    (re.compile(rb"cwd="), "arguments"),
    (re.compile(ADVICE), "advice"),
    (re.compile(rb".*\brejected\b"), "rejected without a recipient"),
)
"""What is known and irrelevant; all else with a stamp is `other` or, with a message id, `other of a message`."""


def event(line: lines.Line) -> tuple[str, bytes] | None:
    """(flag, rest) of a line that says what became of something; None for all others."""
    if line.id is not None:
        found = _FLAG.match(line.rest)
        if found:
            flag = found[1].decode()
            return ("<=" if flag == "(=" else flag), found[2]
        for pattern, name in _STATE:
            if pattern.match(line.rest):
                return name, line.rest
    if b"rejected RCPT " in line.rest:
        return "rejected", line.rest
    return None


def _ignored(line: lines.Line) -> str:
    if line.program is not None and not line.program.startswith(b"exim"):
        return f"program {line.program.decode('utf-8', 'backslashreplace')}"
    if line.id:
        return "other of a message"
    return next((name for pattern, name in _OTHER if pattern.match(line.rest)), "other")


def scan(block: base.Block, context: base.ScanContext) -> base.Scan:
    """See `forensics.loaders.base.Loader.scan`."""
    ignored: Counter[str] = Counter()
    unread: list[tuple[int, int, int, str, bytes]] = []
    found: list[tuple[Any, ...]] = []
    stamps: list[tuple[int, int]] = []
    count = 0
    for count, (offset, raw) in enumerate(base.lines(block), 1):
        number = context.number + count - 1
        if context.skip is not None and context.skip[count - 1]:
            ignored["duplicate"] += 1
            continue
        line = lines.read(raw.removesuffix(b"\r"))
        made, reason = _taken(line) if len(raw) <= LONGEST else (None, "longer than any line of Exim")
        if reason:
            unread.append((number, offset, len(raw), "empty line" if not raw else reason, raw))
        elif made is None:
            ignored[_ignored(line)] += 1
        else:
            flag, rest = made
            text = rest.decode("utf-8", "backslashreplace")
            host = (line.host or b"").decode("utf-8", "backslashreplace") or context.plan.host or ""
            identity = line.id.decode() if line.id else None
            key = _key(flag, host, identity, text, line, (context.id, number))
            found.append((key, context.evidence, number, offset, len(raw), host or context.id, identity, flag, text))
            stamps.append((line.kind, line.time))
    kinds, times = np.array([k for k, _ in stamps], np.int32), np.array([t for _, t in stamps], np.int64)
    numbers = np.array([row[2] for row in found], np.int64)
    at, good = years.resolve(kinds, times, numbers, context.plan.clock)
    for row in np.flatnonzero(~good).tolist():
        _, _, number, offset, length, *_ = found[row]
        start = offset - block.offset
        raw = block.data[start : start + length].tobytes()
        unread.append((number, offset, length, "no readable time stamp", raw))
    columns = list(zip(*found, strict=True)) or [()] * 9
    arrays = [pa.array(c, f.type) for c, f in zip([columns[0], at, *columns[1:]], EVENTS, strict=True)]
    events = pa.Table.from_arrays(arrays, schema=EVENTS).filter(pa.array(good))
    return base.Scan(count, len(events), ignored, base.unread_rows(sorted(unread)), events)


def _taken(line: lines.Line) -> tuple[tuple[str, bytes] | None, str]:
    """(event or None, why it cannot be read or nothing)."""
    if line.program is not None and not line.program.startswith(b"exim"):
        return None, ""
    if line.rest.startswith(ADVICE):
        return None, ""
    if line.kind == years.NO_TIME:
        return None, "no readable time stamp"
    if line.piece and (line.piece[0] > 1 or line.piece[1] == b"\\"):
        return None, "a further piece of a line that syslog split"
    made = event(line)
    if made is None:
        return None, ""
    flag, rest = made
    text = rest.decode("utf-8", "backslashreplace")
    if flag == "rejected" and fields.rejection(text) is None:
        return None, "malformed rejection line"
    if flag == "<=" and not fields.has_sender(text):
        return None, "malformed arrival line"
    if flag in fields.DELIVERIES and not fields.has_address(text):
        return None, "malformed delivery line"
    if flag == "<=" and line.piece:  # the list of recipients may be cut within an address
        return (flag, rest.rpartition(b" for ")[0] or rest), ""
    return made, ""


def _key(flag: str, host: str, identity: str | None, text: str, line: lines.Line, record: tuple[str, int]) -> int:
    """Equal for what belongs together: the events of a message id on a host (in files that name none: on any, as ids
    are made of time, process and fraction of a second); what a client repeats until it is let in; else one record.
    Syslog may have a rejection twice, as it stands in two of Exim's logs."""
    if flag != "rejected":
        return base.key_of(host, identity)
    refused = fields.rejection(text)
    if refused and refused.temporary:
        sender = None if refused.sender is None else domains.key(refused.sender)
        return base.key_of(host, refused.client_address, sender, domains.key(refused.recipient))
    return base.key_of(host, line.time, text) if line.program else base.key_of(*record)


def resume(fragments: pa.Table) -> pa.Table:
    """Fragments are events as they are."""
    return fragments.select(EVENTS.names).cast(EVENTS)
