"""Exchange Online's summaries and traces: enhanced summary reports, Get-MessageTrace and Graph exports, CSV and JSON.

They tell one status for each recipient and one time, that of reception; no role, no original recipient, no cause of a
failure. Sources: Microsoft Learn, "Message trace in the modern Exchange admin center" (reports), Get-MessageTrace,
Get-MessageTraceV2, Reporting web service `MessageTrace` (jj984335), Graph `exchangeMessageTrace`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from forensics.loaders.base import Block, Scan, ScanContext, unread_rows
from forensics.loaders.exchange import dates, encodings, event_ids, events, exports
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.blocks import Layout, Records
from forensics.loaders.exchange.events import EVENTS
from forensics.loaders.exchange.tracking import Account, group_of, key_of
from forensics.native.exchange import codes

_NAMES = {
    "time": ("origintimestamputc", "received", "receiveddatetime", "timestamp"),
    "sender": ("senderaddress",),
    "recipient": ("recipientaddress",),
    "status": ("status", "recipientstatus"),
    "subject": ("messagesubject", "subject"),
    "size": ("totalbytes", "size"),
    "message_id": ("messageid",),
    "network_id": ("networkmessageid", "messagetraceid", "id"),
    "client_ip": ("originalclientip", "fromip"),
    "to_ip": ("toip",),
}
_BOUNDS = ("startdate", "enddate")
_PAGE = re.compile(r'"(?:value|results|d)"\s*:\s*\[')


def _squeeze(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


@dataclass(frozen=True)
class Row:
    """One record of an export, by meaning; absent values are empty."""

    values: Mapping[str, str]
    summary: bool

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def _row(pairs: Mapping[str, str], summary: bool) -> Row:
    return Row({k: next((pairs[n] for n in names if n in pairs), "") for k, names in _NAMES.items()}, summary)


def times(records: Records, data: np.ndarray, layout: Layout) -> Iterator[str]:
    """Every stamp of these records, also the bounds of the query, which help to decide a date order."""
    names = [_squeeze(n) for n in layout.names]
    wanted = [i for i, n in enumerate(names) if n in _NAMES["time"] or n in _BOUNDS]
    for r in data:
        cells = records.cells(int(r))
        if len(cells) == len(names):
            yield from (cells[i] for i in wanted)


def _effects(row: Row) -> list[tuple[str, int]] | str:
    """(address, effect) pairs of a record, or the reason why it cannot be read."""
    if not row.summary:
        effect = event_ids.TRACE_STATUS.get(row["status"].strip().lower())
        if effect is None:
            return f"status {row['status']!r} is not known"
        found = [(a.strip(), effect) for a in row["recipient"].split(";") if a.strip()]
        return found or "no recipient"
    pairs = []
    for entry in row["status"].split(";"):
        address, marks, words = entry.partition("##")
        if not entry.strip():
            continue
        if not marks or not address.strip():
            return "recipient_status is not a list of address##status"
        effects = [event_ids.SUMMARY_WORD.get(w.strip().lower()) for w in words.split(",")]
        if None in effects:
            return f"status {words!r} holds a word that is not known"
        telling = [e for e in effects if e is not None and e != codes.TRACE_UNSETTLED]
        pairs += [(address.strip(), e) for e in telling or [codes.TRACE_UNSETTLED]]
    return pairs or "no recipient"


class _Builder:
    """Event rows, column by column."""

    def __init__(self, context: ScanContext, order: str | None) -> None:
        self._context = context
        self._order = order
        self._columns: list[list[Any]] = [[] for _ in EVENTS]

    def add(self, row: Row, number: int, offset: int, length: int) -> str | None:
        """Adds one record; the reason when it cannot be read."""
        at = dates.read(row["time"], self._order)
        if at is None:
            return f"no time that could be read in {row['time'][:64]!r}"
        pairs = _effects(row)
        if isinstance(pairs, str):
            return pairs
        group = group_of(row["network_id"], row["message_id"])
        if group is None:
            return "neither a message id nor a trace id"
        values = {
            "peer_address": row["to_ip"].strip() or None,
            "message_id": row["message_id"] or None,
            "network_message_id": row["network_id"] or None,
            "return_path": row["sender"].strip() or "<>",
            "subject": row["subject"] or None,
            "size": row["size"] or None,
            "original_ip": row["client_ip"].strip() or None,
        }
        texts = events.texts(values, [(effect, address, None) for address, effect in pairs])
        added = (
            *(key_of(group), group, at, self._context.evidence, number, offset, length),
            *(codes.ONLINE, len(pairs), texts),
        )
        for column, value in zip(self._columns, added, strict=True):
            column.append(value)
        return None

    def table(self) -> pa.Table:
        return pa.table(
            [pa.array(c, field.type) for c, field in zip(self._columns, EVENTS, strict=True)], schema=EVENTS
        )


def scan_segment(
    records: Records, low: int, high: int, layout: Layout, kinds: np.ndarray, context: ScanContext, account: Account
) -> pa.Table:
    """Events of the data records low..high of a summary or trace CSV."""
    builder = _Builder(context, context.plan.order)
    names = [_squeeze(n) for n in layout.names]
    for r in low + np.flatnonzero(kinds[low:high] == codes.DATA):
        cells = records.cells(int(r))
        if len(cells) != len(names):
            account.unread.append((int(r), f"{len(cells)} columns, the header names {len(names)}"))
            continue
        row = _row(dict(zip(reversed(names), reversed(cells), strict=True)), layout.kind == "summary")
        reason = builder.add(row, context.number + int(r), int(records.offsets[r]), int(records.lengths[r]))
        if reason:
            account.unread.append((int(r), reason))
        else:
            account.used += 1
    return builder.table()


# JSON


def complete(data: np.ndarray, coding: str) -> int:
    """Bytes that are whole JSON lines; 0 when the file is no JSON-lines file: it is then read as a whole."""
    if coding != encodings.UTF8:
        return 0
    text = data.tobytes()
    for line in text.split(b"\n", 6)[:5]:
        try:
            if isinstance(json.loads(line.removeprefix(b"\xef\xbb\xbf")), dict):
                return text.rfind(b"\n") + 1
        except (ValueError, RecursionError):
            continue
    return 0


def _elements(data: np.ndarray, coding: str) -> Iterator[tuple[int, int, Any]]:
    """(offset, length, object or None) of every record; None is a line that is no JSON."""
    # Every byte must come back when positions are counted: invalid ones are carried through, and replaced in `_text`.
    errors = "surrogateescape" if coding == encodings.UTF8 else "surrogatepass"
    raw = data.tobytes()
    text = (raw if coding == encodings.UTF8 else raw[: len(raw) // 2 * 2]).decode(coding, errors)
    decoder = json.JSONDecoder()
    at = 1 if text.startswith("\ufeff") else 0
    counted = 0
    size = 0

    def place(begin: int, end: int) -> tuple[int, int]:
        nonlocal counted, size
        size += len(text[counted:begin].encode(coding, errors))
        length = len(text[begin:end].encode(coding, errors))
        counted, size_before = end, size
        size += length
        return size_before, length

    page_end = 0
    while True:
        while at < len(text) and (text[at] in " \t\r\n," or (not page_end and text[at] in "[]")):
            at += 1
        if at >= len(text):
            return
        if page_end and text[at] == "]":
            at, page_end = page_end, 0
            continue
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            yield (*place(at, end), None)
            at = end
            continue
        page = _PAGE.search(text, at, end) if not page_end and _holds_rows(value) else None
        if page:
            at, page_end = page.end(), end
            continue
        yield (*place(at, end), value)
        at = end


def _holds_rows(value: Any) -> bool:
    """True for a page of results: `{"value": […]}`, `{"d": {"results": […]}}`, `{"d": […]}`."""
    if not isinstance(value, dict):
        return False
    inner = value.get("d", value)
    if isinstance(inner, list):
        return True
    return isinstance(inner, dict) and any(isinstance(inner.get(k), list) for k in ("value", "results"))


def _json_row(value: Any) -> Row | None:
    if not isinstance(value, dict):
        return None
    pairs = {_squeeze(str(k)): _text(v) for k, v in value.items() if not isinstance(v, dict | list)}
    return _row(pairs, False) if "recipientaddress" in pairs else None


def _text(value: Any) -> str:
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def json_times(data: np.ndarray, coding: str) -> tuple[list[str], list[str], int]:
    """(every stamp of a trace, every stamp of a Get-MessageTrackingLog, number of records) of a JSON block."""
    texts: list[str] = []
    walls: list[str] = []
    count = 0
    for _, _, value in _elements(data, coding):
        count += 1
        if _is_export(value):
            walls += [_text(v) for k, v in value.items() if f.export_slot(k) == "date-time"]
            continue
        row = _json_row(value)
        if row:
            texts.append(row["time"])
            texts += [_text(v) for k, v in value.items() if _squeeze(str(k)) in _BOUNDS and v]
    return texts, walls, count


def _is_export(value: Any) -> bool:
    return isinstance(value, dict) and f.is_export(value)


def fingerprints(data: np.ndarray, coding: str) -> np.ndarray:
    """One hash for each record."""
    import hashlib

    raw = data.tobytes()
    return np.array(
        [
            int.from_bytes(hashlib.blake2b(raw[o : o + n], digest_size=8).digest(), "little")
            for o, n, _ in _elements(data, coding)
        ],
        np.uint64,
    )


def scan_json(block: Block, context: ScanContext, coding: str) -> Scan:
    """Events of a JSON block, and an account of its records."""
    builder = _Builder(context, context.plan.order)
    raw = block.data.tobytes()
    used, skipped = 0, 0
    unread: list[tuple[int, str]] = []
    places: list[tuple[int, int]] = []
    tracked: list[list[str] | None] = []
    for r, (offset, length, value) in enumerate(_elements(block.data, coding)):
        places.append((block.offset + offset, length))
        tracked.append(None)
        if context.skip is not None and context.skip[r]:
            skipped += 1
            continue
        if _is_export(value):
            slots = {slot: v for k, v in value.items() if (slot := f.export_slot(k))}
            made = exports.row(slots, context.plan.order, context.plan.zone)
            if isinstance(made, str):
                unread.append((r, made))
            else:
                tracked[-1] = made
            continue
        row = _json_row(value)
        if row is None:
            reason: str | None = "no valid JSON" if value is None else "no message trace: it has no recipient"
        else:
            reason = builder.add(row, context.number + r, *places[-1])
        if reason:
            unread.append((r, reason))
        else:
            used += 1
    account = Account()
    account.used = used
    account.ignore("duplicate", skipped)
    account.unread = unread
    tables = [builder.table()]
    if any(row is not None for row in tracked):
        offsets, lengths = np.array(places, np.int64).reshape(-1, 2).T.copy()
        tables.append(exports.events(tracked, (offsets, lengths), context, context.number, account))
    account.unread.sort()
    rows = [
        (context.number + r, offset, length, reason, raw[offset - block.offset : offset - block.offset + length])
        for r, reason in account.unread
        for offset, length in [places[r]]
    ]
    return Scan(
        records=len(places),
        used=account.used,
        ignored=dict(sorted(account.ignored.items())),
        unread=unread_rows(rows),
        events=pa.concat_tables(tables),
    )
