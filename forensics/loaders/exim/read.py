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
from forensics.loaders import base, losses, shapes, years
from forensics.loaders.base import line_fingerprints as fingerprints
from forensics.loaders.base import line_places as places
from forensics.loaders.exim import fields, lines

__all__ = ["EVENTS", "event", "fingerprints", "places", "resume", "scan", "statements"]

EVENTS = pa.schema(
    [
        pa.field("key", pa.uint64(), nullable=False),  # equal for all events of one message (or refused recipient)
        pa.field("at", pa.int64(), nullable=False),  # microseconds UTC
        pa.field("evidence", pa.int32(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("block", pa.int64(), nullable=False),  # of the file (`loaders.sequence.Order`): stamps order these …
        pa.field("place", pa.int64(), nullable=False),  # … and this the records of one
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
_OF_A_MESSAGE = re.compile(
    rb"(?:H=|U=\S+ (?!P=)|DKIM|SPF|DMARC|ARC|PRDR |TLS|SMTP |Message is frozen|no immediate delivery"
    rb"|Spool file is locked|retry time not reached|(?:\S+ )?[Ww]arning\b|recipient <.*> added by"
    rb"|sender address changed to|original recipients ignored|Delivery deferred by system filter|Error in system filter"
    rb"|error ignored|[Cc]ancelled|DSN\b|SA: |spam acl|malware acl|cutthrough|Remote host |remote host address"
    rb"|routing loop|=> blackhole \(|=> discarded \(|Message removed|[Ff]ailed to |Failed |Couldn't |failure |internal "
    rb"|Format error|Expansion of|rewrite: |signing|delivering |routed by|[Gg]reylist|acl_|ACL |Removed |SIGTERM"
    rb"|removed \(|[Ff]rozen|rejected\b|\S+ (?:rejected|authenticator)\b|.*\btransport (?:output|process)"
    rb"|.*: error ignored|mua_wrapper)"
)
"""What Exim logs of a message that is no delivery, arrival or end of it: its checks, sessions, filters and troubles."""
_OTHER = (
    (re.compile(rb"(?:Start|End|Abandon) (?:'.*' )?queue run|notify triggered queue run"), "queue run"),
    (
        re.compile(
            rb"H=|(?:SMTP|TLS|no MAIL in \S*SMTP|unexpected |no host name found|host name alias"
            rb"|(?:temporarily )?refused connection|.*connection|\S+ authenticator|ETRN |VRFY |EXPN |getpeername"
            rb"|ident connection|ignoring AUTH=|DANE|Long \S+ lookup|DNS |lost |overlong |ridiculously long"
            rb"|incomplete transaction|.*\blost while reading|timed out while reading)\b"
        ),
        "connection",
    ),
    (re.compile(rb"exim \S+ daemon"), "daemon started"),
    (
        re.compile(
            rb"(?:pid \d+: SIG|listen backlog|socket bind|daemon |Exim |exim:|[Ff]ailed to |[Cc]annot |could not "
            rb"|unable to |Warning: |(?:spool|log) directory space check|process \d+ crashed|Attempt to |[Cc]onfig)"
        ),
        "daemon",
    ),
    (re.compile(rb"cwd="), "arguments"),
    (re.compile(ADVICE), "advice"),
)
"""What is known and irrelevant."""
_REJECTED = re.compile(rb".*\brejected\b")
_TO = re.compile(
    rb"\brejected RCPT\b|\bRCPT \S+: discarded\b|(?:^| )(?:=>|->|>>|\*>|\*\*|==|<=|\(=) ?\S*@|\bCompleted$"
)
"""What only a line about a recipient, an arrival or an end holds."""
_BEARS = re.compile(rb"@|=<|\brejected\b|(?<![^ =])" + lines.ID.encode() + rb"(?![^ ])")
"""What could bear on a delivery: an address, a refusal, a message id."""
_PROGRAM = re.compile(rb"[A-Za-z(/_][\x21-\x7e]*")
_HEAD = re.compile(rb"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|\bexim[^\s\[]{0,40}\[\d+\]: ")
"""What a record begins with, as no field of an event holds it."""
_RECORD = re.compile(
    rb"(?:" + _HEAD.pattern + rb")\S*(?: [+-]\d{4})?(?: \[\d+\])? ?"
    rb"(?:" + lines.ID.encode() + rb" (?:\S{1,2} |Completed)|H=.{1,600}? rejected RCPT )",
    re.S,
)
_QUOTE = re.compile(rb'(?<!\\)"')
BREAKS_OFF = "a record that breaks off"
_BEHIND_QUOTED = frozenset(b" @>:*")


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


def _ignored(line: lines.Line) -> str | None:
    """What a line is that is no event, or nothing: then it is not understood."""
    if line.program is not None and not line.program.startswith(b"exim"):
        return _text(b"program " + line.program) if _PROGRAM.fullmatch(line.program) else None
    if _TO.search(line.rest):
        return None
    if line.id:
        return "other of a message" if _OF_A_MESSAGE.match(line.rest) else None
    if _REJECTED.match(line.rest):
        return "rejected without a recipient"
    return next((name for pattern, name in _OTHER if pattern.match(line.rest)), None)


def _unknown(line: lines.Line) -> str:
    """Why a line that is not understood is unread; empty when it holds nothing that could bear on a delivery."""
    if line.id:
        return "a line about a message that is not understood"
    return "a line that is not understood" if _BEARS.search(line.rest) or _TO.search(line.rest) else ""


def _host(line: lines.Line) -> str | None:
    return _text(line.host) if line.host else None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")


def scan(block: base.Block, context: base.ScanContext) -> base.Scan:
    """See `forensics.loaders.base.Loader.scan`."""
    ignored: Counter[str] = Counter()
    unread: list[tuple[int, int, int, str]] = []
    found: list[tuple[Any, ...]] = []
    stamps: list[tuple[int, int]] = []
    others: list[tuple[str, str, int, int, int]] = []
    said: list[_Said] = []
    open_ended = _open_ended(block)
    count = 0
    for count, (offset, length, raw) in enumerate(base.lines(block), 1):
        number = context.number + count - 1
        if context.skip is not None and context.skip[count - 1]:
            ignored["duplicate"] += 1
            continue
        if not raw.strip(b" \t\r"):
            ignored["blank line"] += 1
            continue
        line = lines.read(raw.removesuffix(b"\r"))
        made, reason = _taken(line) if len(raw) <= LONGEST else (None, "longer than any line of Exim")
        kind = None if made or reason else _ignored(line)
        if not (made or reason or kind):
            reason = _unknown(line) or (BREAKS_OFF if count == open_ended else "")
        if made and count == open_ended:
            made = made[0], _whole(*made)
        if reason:
            unread.append((number, offset, length, reason))
        elif made is None:
            ignored[kind or "other lines of exim"] += 1
            if kind is None:
                others.append(("exim", _text(line.rest), number, offset, length))
            elif line.program and line.program.startswith(losses.LOGGERS) and (loss := losses.said(_text(raw))):
                said.append((loss, line, number, offset, _text(raw)))
        else:
            flag, rest = made
            text = _text(rest)
            if _RECORD.search(rest):
                said.append((("runs on", 1), line, number, offset, _text(raw)))
            host = _text(line.host or b"") or context.plan.host or ""
            host = context.hosts.get(host, host)
            identity = line.id.decode() if line.id else None
            key = _key(flag, host, identity, text, line, (context.id, number))
            found.append((key, context.evidence, number, offset, length, host or context.id, identity, flag, text))
            stamps.append((line.kind, line.time))
    kinds, times = np.array([k for k, _ in stamps], np.int32), np.array([t for _, t in stamps], np.int64)
    numbers = np.array([row[2] for row in found], np.int64)
    at, good = years.resolve(kinds, times, numbers, context.plan.clock)
    for row in np.flatnonzero(~good).tolist():
        _, _, number, offset, length, *_ = found[row]
        unread.append((number, offset, length, "no readable time stamp"))
    columns: list[Any] = list(zip(*found, strict=True)) or [()] * 9
    columns = [columns[0], at, *columns[1:5], *context.plan.order.places(numbers), *columns[5:]]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, EVENTS, strict=True)]
    events = pa.Table.from_arrays(arrays, schema=EVENTS).filter(pa.array(good))
    return base.Scan(
        count, len(events), ignored, base.unread_rows(block, sorted(unread)), events, shapes.examples(others),
        _losses(said, context),
    )  # fmt: skip


_Said = tuple[tuple[str, int | None], lines.Line, int, int, str]
"""((kind, how many), line, number, offset, text) of what tells of records that are missing."""


def _open_ended(block: base.Block) -> int:
    """The number in its block of the content's last record where that has no line end, else 0."""
    return int(np.count_nonzero(block.data == 10)) + 1 if base.is_open_ended(block) else 0


def _whole(flag: str, rest: bytes) -> bytes:
    """What is surely whole of an event without a line end: of an arrival all but its last field, or its recipients."""
    if flag != "<=":
        return rest
    quotes = [found.start() for found in _QUOTE.finditer(rest)]
    if len(quotes) % 2:
        rest = rest[: quotes.pop()]
    closed = quotes[-1] + 1 if quotes else 0
    tail = rest[closed:]
    return rest[:closed] + (tail.rpartition(b" for ")[0] or tail.rpartition(b" ")[0]) + b" "


def _losses(told: list[_Said], context: base.ScanContext) -> pa.Table | None:
    """Rows of `base.LOSSES` for what the logging daemon says of missing records, and for events whose free text holds
    what looks like one."""
    if not told:
        return None
    numbers = np.array([number for _, _, number, _, _ in told], np.int64)
    kinds = np.array([line.kind for _, line, _, _, _ in told], np.int32)
    times = np.array([line.time for _, line, _, _, _ in told], np.int64)
    at, good = years.resolve(kinds, times, numbers, context.plan.clock)
    return losses.rows(
        (kind, context.evidence, _host(line), int(at[n]) if good[n] else None, many, number, offset, text)
        for n, ((kind, many), line, number, offset, text) in enumerate(told)
    )


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
    if _runs_on(flag, rest):
        return None, "a record that runs into another one"
    text = _text(rest)
    if flag == "rejected" and fields.rejection(text) is None:
        return None, "malformed rejection line"
    if flag == "<=" and not fields.has_sender(text):
        return None, "malformed arrival line"
    if flag in fields.DELIVERIES and not fields.has_address(text):
        return None, "malformed delivery line"
    if flag in fields.DELIVERIES and fields.breaks_off(text):
        return None, BREAKS_OFF
    if flag == "<=" and line.piece:  # the list of recipients may be cut within an address
        return (flag, rest.rpartition(b" for ")[0] or rest), ""
    return made, ""


def _runs_on(flag: str, rest: bytes) -> bool:
    """Whether another record begins inside a field of this one, as after a crash or where files without a last line
    end were joined. Text that others wrote (in quotes, its own escaped, or behind the colon of a failure or refusal)
    may hold anything."""
    head = _HEAD.search(rest)
    if not head:
        return False
    before = rest[: head.start()]
    if flag in ("**", "==", "rejected") and b": " in before:
        return False
    if len(_QUOTE.findall(before)) % 2 == 0:
        return True
    closing = _QUOTE.search(rest, head.end())
    return not closing or (closing.end() < len(rest) and rest[closing.end()] not in _BEHIND_QUOTED)


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


def statements(events: pa.Table) -> pa.Table:
    """See `forensics.loaders.base.NamesHosts`."""
    says = [
        base.key_of(*row) for row in zip(*(events[name].to_pylist() for name in ("id", "flag", "rest")), strict=True)
    ]
    ids = [0 if one is None else base.key_of(one) for one in events["id"].to_pylist()]
    columns = [
        events["number"], events["at"], pa.array(ids, pa.uint64()), pa.array(says, pa.uint64()),
        events["host"].combine_chunks().dictionary_encode(),
    ]  # fmt: skip
    return pa.table(columns, schema=base.STATEMENTS)
