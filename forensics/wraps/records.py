"""One record of an export as the line of the log that it stands for.

A message that begins with a time stamp is that line already; else the line is put together from the export's time, host
and program. An export's program wins over what a message says of itself: a program that logs what outsiders wrote must
not be taken for another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from forensics.jsonread import DECODER, made_of, names_twice
from forensics.native.postfix.words import CARRIERS
from forensics.wraps import columns, moments
from forensics.wraps.wrap import NO_STAMP, Wrap

NO_JSON: Final = "no valid JSON"
NO_MESSAGE: Final = "a record of an export without a message"
TWICE: Final = "a record of an export in which a key stands twice with different values: "
NO_TIME: Final = "a record of an export that tells no time which could be read"
LEFT_OUT: Final = "journald left its text out, being long: export again with journalctl --all"
DEEPEST: Final = 4
"""Exports inside exports: a container's JSON in Filebeat's in a search of Elastic."""
_INSIDE: Final = ("_source", "result", "fields", "message", "properties", "document", "event")
"""Fields that hold the record itself, where what is outside has no message."""
_DIRECTIVE: Final = re.compile(rb"#(?:Version|Fields|Software|Log-type|Start-Date|End-Date|Date|Remark): ?", re.I)
"""W3C Extended Log File Format: headers that logs like Exchange's have between their records."""
_BEHIND: Final = re.compile(
    r"(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?(?: [A-Z]{2,5}(?= \S+ ))? (?P<host>[^\s,]{1,255})(?: [^\s:,]{1,64}){0,2}? "
    r"(?P<tag>[^\s:\[\],]{1,255})(?:\[[^\]\s]{0,20}\])?: "
)
"""What follows a stamp in a line of syslog, up to the text."""
_RFC5424: Final = re.compile(rb"(?:<\d{1,3}>)?1 \d{4}-")
_TAGGED: Final = re.compile(rb"(?P<tag>[^\s:\[\]]{1,255})\[\d{1,10}\]: ")
_LOOSE: Final = ("tag", "labels.app", "fields.app", "stream.app")
"""Columns that name a program only sometimes."""
_CARRIER: Final = re.compile(rf"(?:{'|'.join(CARRIERS)})|[0-9a-f]{{12,}}$")


class Line(NamedTuple):
    """`data`: the line without its end; `reason`: why it is none that could be read; `stamp`: `Unwrapped.stamps`;
    `taken`: (export, message column, time column); `zone`: seconds from UTC that the export's stamp names; `clocks`:
    its own clock and the export's in seconds, where both can be compared."""

    data: bytes
    reason: str = ""
    stamp: int = NO_STAMP
    taken: tuple[str, str, str] = ("", "", "")
    zone: int | None = None
    clocks: tuple[int, int] | None = None


def loaded(raw: bytes) -> Any:
    """The value of a JSON text; bytes that are no UTF-8 are carried through. Raises ValueError, RecursionError."""
    text = raw.decode("utf-8", "surrogateescape").strip()
    value, end = DECODER.raw_decode(text)
    if end != len(text):
        raise ValueError("text behind it")
    return value


def flat(raw: bytes) -> bytes:
    """Several lines as one: line ends of JSON stand between its tokens."""
    return raw.replace(b"\r", b" ").replace(b"\n", b" ").replace(b"\0", b" ")


def lines(record: Mapping[str, Any], raw: bytes, offset: int | None, *, as_logged: bool = False) -> list[Line]:
    """The lines that a record stands for: one, or several where a log system took lines of syslog together.

    `raw`: the record itself, which stands for itself where it wraps nothing. `offset`: `Wrap.offset`. `as_logged`: a
    message's own stamp is left as it is, so that equal lines of two exports are equal.
    """
    return _lines(record, raw, offset, as_logged, 0)


def _lines(record: Mapping[str, Any], raw: bytes, offset: int | None, as_logged: bool, depth: int) -> list[Line]:
    export = columns.export_of(record)
    if export is None:
        for name in _INSIDE:
            inside = columns.field(record, name)
            if isinstance(inside, dict) and depth < DEEPEST:
                merged = made_of({**{k: v for k, v in record.items() if k != name}, **inside}, record)
                if columns.export_of(merged) or any(isinstance(inside.get(one), dict) for one in _INSIDE):
                    return _lines(merged, raw, offset, as_logged, depth + 1)
        return [Line(flat(raw), LEFT_OUT if record.get("MESSAGE", "") is None else NO_MESSAGE)]
    twice = sorted(names_twice(record) & {*columns.read_by(export), *_INSIDE})
    if twice:
        return [Line(flat(raw), TWICE + ", ".join(twice))]
    message, name = _message(record, export)
    when, column = _moment(record, export)
    if message[:1] == b"{" and depth < DEEPEST:
        inner = _object(message)
        if inner is not None and not _others(inner, record, export):
            return _nested(inner, record, message, export, offset, as_logged, depth)
    taken = (export.name, name, column)
    stamp = when.micros if when else NO_STAMP
    zone = when.offset if when else None
    pieces = [message]
    if b"\n" in message:
        parts = [part.rstrip(b"\r") for part in message.split(b"\n")]
        pieces = parts if all(_own(part) for part in parts) else [b"?".join(parts)]
    out = []
    for piece in pieces:
        data, reason, clocks = _line(piece, record, export, when, offset, as_logged)
        out.append(Line(data, reason, stamp, taken, zone, clocks))
    return out


def _message(record: Mapping[str, Any], export: columns.Export) -> tuple[bytes, str]:
    """(text, column): the first that begins with a stamp of its own, else the first that there is."""
    found = [(text, name) for name in export.message if (text := columns.text(columns.field(record, name))) is not None]
    found = [(text.rstrip(b"\r\n"), name) for text, name in found]
    return next((one for one in found if _own(one[0])), found[0])


def _own(text: bytes) -> re.Match[str] | None:
    """The stamp that a message begins with."""
    head = text[:64].decode("latin-1")
    return moments.BSD.match(head) or moments.ISO.match(head)


def _moment(record: Mapping[str, Any], export: columns.Export) -> tuple[moments.Moment | None, str]:
    """(moment, column) of the first time that can be read."""
    date, time = record.get("Date"), record.get("Time")
    if isinstance(date, str) and isinstance(time, str) and (found := moments.moment(f"{date} {time}")):
        return found, "Date and Time"
    seen = ""
    for name in export.time:
        text = columns.text(columns.field(record, name))
        if text:
            seen = seen or name
            found = moments.moment(text.decode("ascii", "replace"))
            if found:
                return found, name
    return None, seen


def _object(message: bytes) -> dict[str, Any] | None:
    try:
        value = loaded(message)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _others(inner: Mapping[str, Any], record: Mapping[str, Any], export: columns.Export) -> bool:
    """Whether a message that is an object names another program than the record around it, whose program hands on no
    records of others: then an outsider may have written it."""
    outer = columns.first(record, export.program)
    within = columns.export_of(inner)
    if outer is None or outer[1] in _LOOSE or within is None:
        return False
    named = columns.first(inner, columns.whole(within).program)
    if named is None or _CARRIER.match(_bare(outer[0])):
        return False
    return not _same(outer[0], _bare(named[0]))


def _nested(
    inner: dict[str, Any],
    record: Mapping[str, Any],
    message: bytes,
    export: columns.Export,
    offset: int | None,
    as_logged: bool,
    depth: int,
) -> list[Line]:
    """A message that is an object itself: what it does not say of time, host and program, the record around it does."""
    within = columns.export_of(inner)
    if within is None:
        return _lines(inner, message, offset, as_logged, depth + 1)
    outside = made_of(dict(inner), inner)
    within = columns.whole(within)
    for kind in ("time", "host", "program", "pid"):
        if columns.first(inner, getattr(within, kind)) is None:
            found = columns.first(record, getattr(export, kind))
            wanted = getattr(within, kind)
            if found and wanted:
                outside.setdefault(wanted[0], found[0].decode("utf-8", "surrogateescape"))
    return _lines(outside, message, offset, as_logged, depth + 1)


def _line(
    text: bytes,
    record: Mapping[str, Any],
    export: columns.Export,
    when: moments.Moment | None,
    offset: int | None,
    as_logged: bool,
) -> tuple[bytes, str, tuple[int, int] | None]:
    """(line, reason, clocks) of a message without line ends."""
    if _DIRECTIVE.match(text):
        return text, "", None
    program = columns.first(record, export.program)
    own = _own(text)
    if own is None:
        return (*_put_together(text, record, export, when, program), None)
    behind = _BEHIND.match(text[own.end() : own.end() + 600].decode("latin-1"))
    strict = program is not None and program[1] not in _LOOSE
    bare = behind is None and text[own.end() : own.end() + 1] not in (b",", b".") and not _RFC5424.match(text)
    if when and program and strict and (bare or (behind and not _same(program[0], behind["tag"]))):
        return (*_put_together(text, record, export, when, program), None)
    if own.re is not moments.BSD or when is None:
        return text, "", None
    clock = moments.local(own, when)
    clocks = None if clock is None or when.offset is None else (clock, when.micros // 1_000_000)
    told = None if as_logged else moments.told(own, when, offset)
    if told is None:
        return text, "", clocks
    return text[: own.end("front")] + told.encode() + text[own.end("stamp") :], "", clocks


def _bare(program: bytes) -> str:
    """The name of a program without the number of its process."""
    return program.decode("latin-1").split("[")[0].rstrip(": ")


def _same(program: bytes, tag: str) -> bool:
    """Whether an export's program is the one that a line names: `smtpd` and `postfix` are both `postfix/smtpd`."""
    one, other = _bare(program).casefold(), tag.casefold()
    return one == other or one in other.split("/") or other in one.split("/") or one.endswith(f"/{other}")


def _put_together(
    text: bytes,
    record: Mapping[str, Any],
    export: columns.Export,
    when: moments.Moment | None,
    program: tuple[bytes, str] | None,
) -> tuple[bytes, str]:
    """(line, reason) from the export's time, host and program, and the message."""
    if when is None:
        return text, NO_TIME
    host = columns.first(record, export.host)
    text = text.lstrip(b" ")
    tagged = _TAGGED.match(text)
    parts = [when.iso().encode()]
    if host:
        parts.append(_word(host[0]))
    if program and not (tagged and (program[1] in _LOOSE or _same(program[0], tagged["tag"].decode("latin-1")))):
        tag = _word(program[0].rstrip(b": "))
        pid = columns.first(record, export.pid)
        if pid and pid[0].isdigit() and not tag.endswith(b"]"):
            tag += b"[" + pid[0] + b"]"
        parts.append(tag + b":")
    return b" ".join([*parts, text]), ""


def _word(value: bytes) -> bytes:
    """A name as one word: what stands behind a blank in it is no part of a line's head."""
    return b"_".join(value.split()) or b"-"


_BEFORE: Final = columns.Export("", ("line",), ("time",), ("host", "labels.host", "labels.hostname"), ("labels.app",))
"""What a prefix tells of the line behind it."""


def behind(text: bytes, before: Mapping[str, Any], wrap: Wrap, as_logged: bool) -> list[Line]:
    """The line behind a prefix that tells a time."""
    when, column = _moment(before, _BEFORE)
    data, reason, clocks = _line(text, before, _BEFORE, when, wrap.offset, as_logged)
    stamp = when.micros if when else NO_STAMP
    return [Line(data, reason, stamp, (wrap.prefix, "", column), when.offset if when else None, clocks)]
