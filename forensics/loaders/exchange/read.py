"""Blocks of an Exchange evidence: where they may be cut, what their records are, what events they give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from forensics.loaders.base import Block, Places, Scan, ScanContext, line_fingerprints, line_places, unread_rows
from forensics.loaders.exchange import addresses, blocks, dates, exports, limits, online, torn, tracking
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.events import EVENTS
from forensics.loaders.exchange.sniff import HEAD, is_json, is_separator_line, separator_of
from forensics.loaders.exchange.survey import ScanPlan
from forensics.native.exchange import codes
from forensics.native.exchange.messages import fingerprint

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
FAR = (
    "in a file of columns separated by {} that is longer than can be read as a whole: export fewer days at a time, or "
    "separated by commas"
)


def split(data: Bytes, last: bool) -> int:
    """Complete records at the start of `data`: CSV by its quotes."""
    return len(data) if last else blocks.complete(data, last, separator_of(bytes(data[:HEAD])))


def fingerprints(block: Block) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """One hash for each record."""
    if is_json(block):
        return line_fingerprints(block)
    records = blocks.read(block, separator_of(bytes(block.data[:HEAD])), fields=False)
    out = np.empty(len(records), np.uint64)
    fingerprint(records.text, records.starts, records.ends, out)
    return out


def places(block: Block) -> tuple[Places, Places]:
    """See `forensics.loaders.base.Loader.places`."""
    if is_json(block):
        return line_places(block)
    records = blocks.read(block, separator_of(bytes(block.data[:HEAD])), fields=False)
    return records.offsets, records.lengths


def scan(block: Block, context: ScanContext) -> Scan:
    """Events (`events.EVENTS`) of a block, and an account of its records."""
    plan: ScanPlan = context.plan
    if is_json(block):
        return online.scan_json(block, context)
    separator = separator_of(bytes(block.data[:HEAD]))
    records = blocks.read(block, separator)
    kinds = records.kinds.copy()
    account = tracking.Account()
    if block.offset == 0 and len(records) and is_separator_line(records.raw(0)):
        kinds[0] = codes.COMMENT
    headers = {layout.offset for layout in plan.layouts}
    for r in np.flatnonzero(np.isin(records.offsets, np.array(sorted(headers), np.int64))):
        if kinds[r] == codes.DATA:
            kinds[r] = codes.COMMENT
    if context.skip is not None:
        taken = np.asarray(context.skip, bool) & (kinds == codes.DATA)
        account.ignore("duplicate", int(taken.sum()))
        kinds[taken] = codes.BLANK
        account.ignore("blank", -int(taken.sum()))
    for r in np.flatnonzero(torn.within(plan.inside, records.offsets) & np.isin(kinds, (codes.DATA, codes.COMMENT))):
        account.unread.append((int(r), torn.INSIDE))
        kinds[r] = codes.BROKEN
    for r in np.flatnonzero((kinds == codes.COMMENT) & (records.kinds == codes.COMMENT)):
        if not _is_heading(records, int(r), plan):
            first = records.raw(int(r)).partition(separator.encode())[0].decode("utf-8", "replace").strip(' "')
            lost = len(first) > 1 and not first.strip("#")  # a column of times that was too narrow
            why = dates.unreadable(first) if lost else "a line that begins with `#` and is no heading of a log"
            account.unread.append((int(r), why))
            kinds[r] = codes.BROKEN
    account.ignore("header", int(np.count_nonzero(kinds == codes.COMMENT)))
    account.ignore("blank", int(np.count_nonzero(kinds == codes.BLANK)))
    if not account.ignored.get("blank"):
        account.ignored.pop("blank", None)
    for r in np.flatnonzero(records.kinds == codes.BROKEN):
        account.unread.append((int(r), "quoting broken: text behind a closing quote, or a quote never closed"))
    parts = []
    for low, high, layout in blocks.segments(records, plan.layouts):
        if layout is not None:
            if layout.has_twice:
                for n in (low + np.flatnonzero(kinds[low:high] == codes.DATA)).tolist():
                    name = f.contradicted(zip(layout.names, records.cells(n), strict=False))
                    if name is not None:
                        account.unread.append((n, f.TWICE.format(name)))
                        kinds[n] = codes.BROKEN
            for n in _changed(records, low, high, layout, kinds):
                account.unread.append((n, addresses.CHANGED))
                kinds[n] = codes.BROKEN
            for n in limits.cut(records, low, high, layout, kinds):
                account.unread.append((n, limits.CUT))
                kinds[n] = codes.BROKEN
            if block.last and high == len(records) and kinds[-1] == codes.DATA and limits.unended(records, layout):
                account.unread.append((high - 1, limits.UNENDED))
                kinds[-1] = codes.BROKEN
        if layout is None or separator != plan.separator:
            for r in low + np.flatnonzero(kinds[low:high] == codes.DATA):
                why = f"no header, and {records.columns(int(r))} columns fit no known layout"
                why = FAR.format(repr(plan.separator)) if separator != plan.separator else why
                account.unread.append((int(r), why))
        elif layout.kind == "tracking":
            again: list[int] = []
            zoned = plan.zone is not None and not f.is_utc(layout.names)
            reading = tracking.Reading(context.evidence, context.number, layout.old, zoned=zoned, again=again)
            parts.append(tracking.scan_segment(records, low, high, layout, kinds, reading, account))
            if again:
                parts.append(exports.scan_segment(records, low, high, layout, np.array(again), context, account))
        elif layout.kind == "export":
            wanted = low + np.flatnonzero(kinds[low:high] == codes.DATA)
            parts.append(exports.scan_segment(records, low, high, layout, wanted, context, account))
        else:
            parts.append(online.scan_segment(records, low, high, layout, kinds, context, account))
    account.unread.sort()
    rows = [
        (context.number + r, int(records.offsets[r]), int(records.lengths[r]), reason) for r, reason in account.unread
    ]
    return Scan(
        records=len(records),
        used=account.used,
        ignored=dict(sorted(account.ignored.items())),
        unread=unread_rows(block, rows),
        events=pa.concat_tables(parts) if parts else EVENTS.empty_table(),
        noted=tuple(sorted(account.noted)),
    )


def _changed(records: blocks.Records, low: int, high: int, layout: blocks.Layout, kinds: np.ndarray) -> list[int]:
    """Data records with an address or id that a copy has changed; other columns, as subjects, may hold such text."""
    begin, end = (int(records.starts[low]), int(records.ends[high - 1])) if low < high else (0, 0)
    text = records.text[begin:end]
    # a rare byte is found in `bytes` in a tenth of the time; pieces fit the processor's cache
    ampersands = any(b"&" in text[start : start + _PIECE].tobytes() for start in range(0, len(text), _PIECE))
    at = [np.zeros(0, np.int64)]
    if ampersands:
        found = np.flatnonzero(text[:-1] == _AMPERSAND)
        at.append(found[np.isin(text[found + 1], _BEGINS)])
    if blocks.breaks_in(text) >= high - low:  # more than end records
        at.append(np.flatnonzero(text == _BREAK))
    places = begin + np.concatenate(at)
    rows = np.searchsorted(records.starts[low:high], places, side="right") - 1 + low
    rows = np.unique(rows[places < records.ends[rows]])
    lists = f.addresses(layout.kind)
    names = [f.squeezed(name) for name in layout.names]
    out = []
    for r in rows[kinds[rows] == codes.DATA].tolist():
        cells = list(zip(names, records.cells(r), strict=False))
        if any(name in lists and addresses.changed(cell) for name, cell in cells) or any(
            (name in f.WORDS and "\n" in cell) or (name in f.TRACE["message_id"] and addresses.is_escaped(cell))
            for name, cell in cells
        ):
            out.append(r)
    return out


_AMPERSAND, _BREAK = ord("&"), ord("\n")
_PIECE = 256 << 10
_BEGINS = np.frombuffer(b"lgaqnc#LGAQNC", np.uint8)


def _is_heading(records: blocks.Records, r: int, plan: ScanPlan) -> bool:
    """Is a line that begins with `#` one of a log's own, or `#TYPE` before a header? In an export it may be a record
    whose first column an outsider chose."""
    word = records.raw(r)[:12].lower()
    offset = int(records.offsets[r])
    before = [layout for layout in plan.layouts if layout.offset < offset]
    if not before or before[-1].kind == "tracking":
        return word.startswith((b"#type", b"#software", b"#version", b"#log-type", b"#date", b"#fields"))
    end = offset + int(records.lengths[r])
    return word.startswith(b"#type ") and any(end < layout.offset <= end + 4 for layout in plan.layouts)
