"""Exchange: message tracking logs of all versions, and what Exchange Online exports.

One loader for both, because one message may lie in both and is then one journey: `tracking` reads logs and extended
reports, `online` summaries and traces (CSV and JSON). See `event_ids` for what each event means.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from forensics.loaders.base import Block, Context, Scan, Settings, unread_rows
from forensics.loaders.exchange import blocks, csvscan, emit, encodings, online, tracking
from forensics.loaders.exchange.events import EVENTS
from forensics.loaders.exchange.survey import Plan, Surveyor

NAME = "exchange"
FORMATS = (
    ("tracking", "message tracking logs of Exchange 2007 to SE, by their #Fields header"),
    ("historical search", "Exchange Online historical-search CSV, summary and extended"),
    ("message trace", "Get-MessageTrace and Get-MessageTraceV2 exports, CSV and JSON"),
    ("trace service", "Reporting-service and Graph message traces, JSON and NDJSON"),
)
"""(name, what) of all that this loader reads, for `missent formats`."""

__all__ = ["NAME", "detect", "fingerprints", "resume", "scan", "split", "surveyor"]

_WORDS = (b"network-message-id", b"internal-message-id", b"recipient-status", b"source-context", b"event-id")


def detect(head: bytes) -> float:
    """Confidence that this is a tracking log or an Exchange Online export, from its header or its first record."""
    coding = encodings.encoding(head)
    if coding != encodings.UTF8:
        head = head[: len(head) // 2 * 2].decode(coding, "ignore").encode()
    head = head.removeprefix(b"\xef\xbb\xbf")
    if online.is_json(head):
        return online.json_confidence(head)
    if b"#Log-type: Message Tracking Log" in head[:4096]:
        return 1.0
    for line in head[:16384].splitlines()[:64]:
        names = blocks.header_names(line)
        if names:
            return 0.98
    first = next((line for line in head.splitlines() if line and not line.startswith(b"#")), b"")
    records = blocks.read(np.frombuffer(first, np.uint8), 0, encodings.UTF8)
    layout = Surveyor.guess(records, 0) if len(records) else None
    return 0.9 if layout else 0.0


def split(data: np.ndarray[Any, np.dtype[np.uint8]], last: bool) -> int:
    """Complete records at the start of `data`: CSV by its quotes, JSON lines by line, other JSON as a whole."""
    if last:
        return len(data)
    head = bytes(data[:4096])
    coding = encodings.encoding(head)
    if online.is_json(head if coding == encodings.UTF8 else head.decode(coding, "ignore").encode()):
        return online.complete(data, coding)
    return blocks.complete(data, coding, last)


def surveyor(name: str, settings: Settings) -> Surveyor:
    """`Survey.plan` is a `Plan`: encoding, headers and where they hold, date order."""
    del settings  # Exchange writes years, and UTC: there is nothing to set
    return Surveyor(name)


def fingerprints(block: Block) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """One hash for each record."""
    head = bytes(block.data[:4096])
    coding = encodings.encoding(head)
    if online.is_json(head if coding == encodings.UTF8 else head.decode(coding, "ignore").encode()):
        return online.fingerprints(block.data, coding)
    records = blocks.read(block.data, block.offset, coding)
    out = np.empty(len(records), np.uint64)
    emit.fingerprint(records.text, records.starts, records.ends, out)
    return out


def scan(block: Block, context: Context) -> Scan:
    """Events (`events.EVENTS`) of a block, and an account of its records."""
    plan: Plan = context.plan
    if plan.json:
        return online.scan_json(block, context)
    records = blocks.read(block.data, block.offset, plan.coding)
    kinds = records.kinds.copy()
    account = tracking.Account()
    headers = {layout.offset for layout in plan.layouts}
    for r in np.flatnonzero(np.isin(records.offsets, np.array(sorted(headers), np.int64))):
        if kinds[r] == csvscan.DATA:
            kinds[r] = csvscan.COMMENT
    if context.skip is not None:
        taken = np.asarray(context.skip, bool) & (kinds == csvscan.DATA)
        account.ignore("duplicate", int(taken.sum()))
        kinds[taken] = csvscan.BLANK
        account.ignore("blank", -int(taken.sum()))
    account.ignore("header", int(np.count_nonzero(kinds == csvscan.COMMENT)))
    account.ignore("blank", int(np.count_nonzero(kinds == csvscan.BLANK)))
    if not account.ignored.get("blank"):
        account.ignored.pop("blank", None)
    for r in np.flatnonzero(kinds == csvscan.BROKEN):
        account.unread.append((int(r), "quoting broken: text behind a closing quote, or a quote never closed"))
    parts = []
    for low, high, layout in blocks.segments(records, plan.layouts):
        if layout is None:
            for r in low + np.flatnonzero(kinds[low:high] == csvscan.DATA):
                account.unread.append((int(r), f"no header, and {records.columns(int(r))} columns fit no known layout"))
        elif layout.kind == "tracking":
            parts.append(
                tracking.scan_segment(records, low, high, layout, kinds, context.evidence, context.number, account)
            )
        else:
            parts.append(online.scan_segment(records, low, high, layout, kinds, context, account))
    account.unread.sort()
    rows = [
        (context.number + r, int(records.offsets[r]), int(records.lengths[r]), reason, _raw(block, records, r))
        for r, reason in account.unread
    ]
    return Scan(
        records=len(records),
        used=account.used,
        ignored=dict(sorted(account.ignored.items())),
        unread=unread_rows(rows),
        events=pa.concat_tables(parts) if parts else EVENTS.empty_table(),
    )


def _raw(block: Block, records: blocks.Records, r: int) -> bytes:
    begin = int(records.offsets[r]) - block.offset
    return bytes(block.data[begin : begin + int(records.lengths[r])])


def resume(fragments: pa.Table) -> pa.Table:
    """Fragments are events as they are."""
    return fragments.select(EVENTS.names).cast(EVENTS)
