"""Recognising Exchange's files by their first bytes, without any compiled code."""

from __future__ import annotations

import csv
import json
import re

from forensics.loaders.exchange import encodings, event_ids
from forensics.loaders.exchange import fields as f

_JSON_KEYS = re.compile(rb'"(?:MessageTraceId|messageId|MessageId|receivedDateTime|Received)"')
_JSON_RECIPIENT = re.compile(rb'"[rR]ecipientAddress"|"Recipients".*"EventId"|"EventId".*"Recipients"', re.S)
HEAD = 64 << 10
"""Bytes of a block that `form` looks at."""
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")


def detect(head: bytes) -> float:
    """Confidence that this is a tracking log or an Exchange Online export, from its header or its first record."""
    coding = encodings.encoding(head)
    if coding != encodings.UTF8:
        head = head[: len(head) // 2 * 2].decode(coding, "ignore").encode()
    head = head.removeprefix(b"\xef\xbb\xbf")
    if _json(head):
        return 0.95 if _JSON_KEYS.search(head) else 0.0
    if b"#Log-type: Message Tracking Log" in head[:4096]:
        return 1.0
    lines = head[:32768].splitlines()
    if any(header_names(line) for line in lines[:64]):
        return 0.98
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    return 0.9 if guess(cells(first)) else 0.0


def form(head: bytes) -> tuple[str, bool]:
    """(encoding, is it JSON?) of a block, from its first bytes alone: every step that reads the block decides alike."""
    coding = encodings.encoding(head)
    if coding != encodings.UTF8:
        head = head[: len(head) // 2 * 2].decode(coding, "ignore").encode()
    return coding, _json(head.removeprefix(b"\xef\xbb\xbf"))


def _json(head: bytes) -> bool:
    """True for a message trace in JSON: an object or array with recipients, or lines one of which is an object."""
    if not _JSON_RECIPIENT.search(head):
        return False
    if head.lstrip()[:1] in (b"{", b"["):
        return True
    return any(line.startswith(b"{") and _is_object(line) for line in head.split(b"\n", 6)[1:5])


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def cells(line: bytes) -> list[str]:
    """The fields of one line; a quoted field that goes on in the next line ends here."""
    text = line.decode("utf-8", "replace").replace("\r", " ").replace("\n", " ").replace("\0", " ")
    return next(iter(csv.reader([text])), [])


def header_names(raw: bytes) -> tuple[str, ...] | None:
    """Names in a header record: a `#Fields:` line or the first row of an export; None when it is neither."""
    if raw.startswith(b"#"):
        label, _, rest = raw.partition(b":")
        if label.strip().lower() != b"#fields":
            return None
        raw = rest
    elif raw.count(b",") < 4 or len(raw) > 4096:
        return None
    names = tuple(name.strip() for name in cells(raw))
    return names if f.kind(names) != "unknown" else None


def guess(values: list[str]) -> tuple[str, ...] | None:
    """The layout of a log without header: by the number of columns, if time and event id are where they belong."""
    names = f.LAYOUTS.get(len(values))
    if names is None or not _STAMP.match(values[0]):
        return None
    event, source = values[names.index("event-id")], values[names.index("source")]
    return names if event_ids.lookup(event, source) else None
