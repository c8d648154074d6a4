"""Recognising Exchange's files by their first bytes, without any compiled code."""

from __future__ import annotations

import csv
import json
import re
from typing import Any, Final

from forensics.loaders.exchange import emailevents, event_ids
from forensics.loaders.exchange import fields as f

_JSON_KEYS = re.compile(
    rb'"(?:MessageTraceId|InternetMessageId|MessageId|NetworkMessageId|ReceivedDateTime|ReceivedUtc|Received|Status)"',
    re.I,
)
_JSON_RECIPIENT = re.compile(rb'"RecipientAddress"|"Recipients".*"EventId"|"EventId".*"Recipients"', re.I | re.S)
_JSON_DETAIL = re.compile(rb'"Event"\s*:.*"Detail"\s*:|"Detail"\s*:.*"Event"\s*:', re.I | re.S)
_JSON_TIME = re.compile(rb'"(?:Received\w{0,20}|Timestamp|Origin\w{0,20})"', re.I)
"""Without one of these what names events with details is Get-MessageTraceDetail, no trace."""
HEAD = 64 << 10
"""Bytes of a block that tell how it is to be read."""
SEPARATORS: Final = (",", ";", "\t")
LINES: Final = 64
"""Lines of a file among which its header is looked for."""
_NAME = re.compile(r"[^\W\d][\w $.{}\[\]-]{0,63}|[$@{][^=<>:]{0,63}|")
"""A name of a column: what a line of a log begins with is none, whatever text stands behind it."""
_MARK: Final = b"\xef\xbb\xbf"
"""Byte order mark of UTF-8."""
_FIELDS = re.compile(rb"(?mi)^#fields:[^\n]*")
BARE = re.compile(rb"(?m)^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^,\n]{0,16},[^\n]*$")
"""Lines that may be a record of a tracking log without a header, among lines of others."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_SEP = re.compile(rb"sep=([,;\t])\r?\n?", re.I)


def detect(head: bytes) -> float:
    """Confidence that this is a tracking log or an Exchange Online export, from its header or its first record."""
    text = head.removeprefix(_MARK)
    if _json(text):
        detail = _JSON_DETAIL.search(text) and not _JSON_TIME.search(text)
        return 0.95 if (_JSON_KEYS.search(text) and not detail) or emailevents.in_json(text) else 0.0
    lines = text[:32768].splitlines()
    separator = separator_of(text)
    if _begins(lines, separator):
        return 1.0
    small = text.lower()
    fields = _FIELDS.findall(text)[:8] if b"#fields" in small else []
    named = fields or b"recipient" in small  # no header is without either, and few other logs have them
    if named and any(header_names(line, separator) for line in (*lines[:LINES], *fields)):
        return 0.98
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    if any(guess(cells(line)) for line in (first, *BARE.findall(text)[:LINES])):
        return 0.9
    return 0.8 if nearly(text) else 0.0


def _begins(lines: list[bytes], separator: str) -> bool:
    """Whether a header comes before all data. Then no text in a record can make another log of it: a quoted field may
    hold whole lines."""
    for line in lines:
        if header_names(line, separator) or line.startswith(b"#Log-type: Message Tracking Log"):
            return True
        if line.strip() and not line.startswith(b"#") and not _SEP.fullmatch(line):
            return False
    return False


def is_json(block: Any) -> bool:
    """Whether a block's records are JSON objects, a line each; not all of its lines need be. Only what was taken out of
    JSON is (`objects`): no text in a file of columns can make another of it."""
    return getattr(block, "objects", False) and _has_objects(block.data[:HEAD].tobytes())


def nearly(text: bytes) -> str | None:
    """What the header of a file lacks that is nearly a trace or tracking log (`fields.missing`); None for others."""
    text = text.removeprefix(_MARK)
    lines = (line for line in text[:32768].splitlines()[:LINES] if line and not _SEP.fullmatch(line))
    first = next((line for line in lines if not line.startswith(b"#") or line.lower().startswith(b"#fields")), b"")
    if len(first) > 4096:
        return None
    raw = first.partition(b":")[2] if first.startswith(b"#") else first
    return next((why for one in SEPARATORS if (why := f.missing(cells(raw, one)))), None)


def separator_of(text: bytes) -> str:
    """What separates columns: what a first line `sep=` says, else what alone stands in a header before any record.

    Every step that reads a block decides alike, from its first bytes. Another than a comma is known by a header there,
    so that only a file's first block can have it: such a file is read as one block. A record of a file that is
    separated by commas has commas in its first line, wherever the file was cut: it cannot be taken for such a header,
    whatever an outsider wrote into it.
    """
    text = text.removeprefix(_MARK)
    said = _SEP.match(text)
    if said:
        return said[1].decode()
    for line in text[:32768].splitlines()[:LINES]:
        if not line or (line.startswith(b"#") and not line.lower().startswith(b"#fields")):
            continue
        for other in SEPARATORS[1:]:
            if b"," not in line and header_names(line, other):
                return other
        break
    return SEPARATORS[0]


def is_separator_line(raw: bytes) -> bool:
    """Is the record the line `sep=;` that Excel reads?"""
    return _SEP.fullmatch(raw) is not None


def _json(head: bytes) -> bool:
    """True for a message trace in JSON: lines one of which is an object, with recipients."""
    return _has_objects(head) and bool(_JSON_RECIPIENT.search(head) or emailevents.in_json(head))


def _has_objects(head: bytes) -> bool:
    return any(line.startswith(b"{") and _is_object(line) for line in head.split(b"\n", 6)[:5])


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def cells(line: bytes, separator: str = ",") -> list[str]:
    """The fields of one line; a quoted field that goes on in the next line ends here."""
    text = line.decode("utf-8", "replace").replace("\r", " ").replace("\n", " ").replace("\0", " ")
    return next(iter(csv.reader([text], delimiter=separator)), [])


def header_names(raw: bytes, separator: str = ",") -> tuple[str, ...] | None:
    """Names in a header record: a `#Fields:` line or the first row of an export; None when it is neither."""
    if raw.startswith(b"#"):
        label, _, rest = raw.partition(b":")
        if label.strip().lower() != b"#fields":
            return None
        raw = rest
    elif len(raw) > 4096 or b"recipient" not in raw.lower() or raw.count(separator.encode()) < 2:
        return None
    names = tuple(name.strip().strip("\ufeff") for name in cells(raw, separator))
    if names and not _NAME.fullmatch(names[0]):
        return None
    return names if f.kind(names) != "unknown" else None


def guess(values: list[str]) -> tuple[str, ...] | None:
    """The layout of a log without header: by the number of columns, if time and event id are where they belong."""
    names = f.LAYOUTS.get(len(values))
    if names is None or not _STAMP.match(values[0]):
        return None
    event, source = values[names.index("event-id")], values[names.index("source")]
    return names if event_ids.lookup(event, source) else None
