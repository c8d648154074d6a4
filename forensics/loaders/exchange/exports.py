"""Tracking records that are not as a server writes them → events.

They are written anew as records of a log and read as one, so that an event means the same in all:

- exports of Get-MessageTrackingLog by Export-Csv or ConvertTo-Json (Microsoft Learn, Get-MessageTrackingLog: the
  columns of the log without hyphens, but Timestamp, Recipients, Sender and EventData). Timestamp is a local time of the
  machine that ran the command, unless it says its offset. Lists are joined by `;`, or by what a script chose
  (`addresses`). What Export-Csv writes for a list that nobody joined (`System.String[]`) has lost it: where no other
  column holds it (`$_.Recipients`), such records are unread, and the reason says how to export.
- records of logs and extended reports whose times or lists were changed on the way: by Excel, by a script.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from forensics.loaders.base import ScanContext
from forensics.loaders.exchange import addresses, blocks, dates, tracking
from forensics.loaders.exchange import fields as f
from forensics.native.exchange.slots import SLOTS

LAYOUT: Final = blocks.Layout(-1, SLOTS)
"""Of the records that are written anew."""
HOW: Final = (
    "export again with ConvertTo-Json -Depth 3, or join the lists: Select-Object "
    "@{n='Recipients';e={$_.Recipients -join ';'}}, @{n='RecipientStatus';e={$_.RecipientStatus -join ';'}}, * "
    "-ExcludeProperty Recipients, RecipientStatus"
)


def text(value: Any) -> str:
    """A value of a JSON record as the log would hold it: lists joined by `;`, dates as they are written inside."""
    if isinstance(value, dict):
        for key in ("value", "DateTime"):  # how Windows PowerShell writes some lists and dates
            if key in value:
                return text(value[key])
        if "Key" in value:
            return f"{text(value['Key'])}={text(value.get('Value'))}"
        return ""
    if isinstance(value, list):
        return ";".join(text(one) for one in value)
    return "" if value is None else whole(str(value))


def whole(value: str) -> str:
    """Text of a JSON record without halves of characters: U+FFFD stands for them and for bytes that were no UTF-8, as
    in CSV."""
    try:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _chosen(values: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Slot → value; of several columns for one slot the first that holds more than the name of a type."""
    out: dict[str, str] = {}
    for slot, value in values:
        new = text(value)
        old = out.get(slot, "")
        if slot not in out or not old.strip() or (addresses.is_type_name(old) and new.strip()):
            out[slot] = new
    return out


def row(values: Iterable[tuple[str, Any]], order: str | None, zone: str | None) -> list[str] | str:
    """Fields of a log's record in the order of `slots.SLOTS`, or the reason why there is none.

    `values`: (slot, value), as `fields.slot_of` names them.
    """
    fields = _chosen(values)
    event = fields.get("event-id", "").strip().upper()
    recipients = fields.get("recipient-address", "").strip()
    if addresses.is_type_name(recipients):
        return f"Recipients were lost in the export ({recipients}): {HOW}"
    if addresses.is_cut_short(recipients):
        return f"of the recipients only the beginning was exported ({recipients[-64:]}): {HOW}"
    for slot in ("recipient-address", "recipient-status", "reference", "related-recipient-address"):
        fields[slot] = addresses.unbraced(fields.get(slot, ""))
    recipients = fields["recipient-address"]
    if addresses.is_type_name(fields.get("recipient-status", "")):
        if event == "FAIL":
            return f"RecipientStatus was lost in the export, and with it why this failed: {HOW}"
        fields["recipient-status"] = ""
    for slot in ("reference", "related-recipient-address", "custom-data"):
        if addresses.is_type_name(fields.get(slot, "")):
            fields[slot] = ""
    named, joiner = addresses.cut(recipients)
    if any("@" in one for one in named) and not addresses.are_whole([one for one in named if not one.startswith("/")]):
        return f"Recipients are no list of addresses joined by one sign: {HOW}"
    fields["recipient-address"] = ";".join(named)
    fields["recipient-status"] = addresses.statuses(fields.get("recipient-status", ""), joiner, len(named))
    at = dates.read(fields.get("date-time", ""), order, zone)
    if at is None:
        return dates.unreadable(fields.get("date-time", ""))
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    fields["date-time"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return [fields.get(slot, "") for slot in SLOTS]


def events(
    rows: Sequence[list[str] | None],
    places: tuple[np.ndarray, np.ndarray],
    context: ScanContext,
    number: int,
    account: tracking.Account,
    *,
    online: bool,
    old: bool | None,
) -> pa.Table:
    """Events of rows that stand for consecutive records from `number` on (None: none is to be read).

    `places`: offset and length of each record in the content. `account` counts records from 0. `online`,
    `old`: as in `tracking.Reading`.
    """
    text = b"".join(b"\n" if one is None else _line(one) for one in rows)
    made = blocks.read_text(np.frombuffer(text + bytes(64), np.uint8)[: len(text)])
    if len(made) != len(rows):
        raise AssertionError(f"{len(rows)} records became {len(made)}")
    records = blocks.Records(
        made.text, made.starts, made.ends, made.kinds, made.firsts, made.stops, places[0], places[1]
    )
    reading = tracking.Reading(context.evidence, number, online=online, old=old)
    return tracking.scan_segment(records, 0, len(rows), LAYOUT, made.kinds, reading, account)


def _line(row: Sequence[str]) -> bytes:
    return (",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n").encode("utf-8", "replace")


def scan_segment(
    records: blocks.Records,
    low: int,
    high: int,
    layout: blocks.Layout,
    wanted: np.ndarray,
    context: ScanContext,
    account: tracking.Account,
) -> pa.Table:
    """Events of those of the records low..high that are `wanted` (by number in the block)."""
    slots = [f.slot_of(name) for name in layout.names]
    rows: list[list[str] | None] = [None] * (high - low)
    for r in wanted:
        cells = records.cells(int(r))
        if len(cells) != len(slots):
            account.unread.append((int(r), f"{len(cells)} columns, the header names {len(slots)}"))
            continue
        values = ((slot, cell) for slot, cell in zip(slots, cells, strict=True) if slot)
        made = row(values, context.plan.order, None if f.is_utc(layout.names) else context.plan.zone)
        if isinstance(made, str):
            account.unread.append((int(r), made))
        else:
            rows[int(r) - low] = made
    own = tracking.Account()
    places = records.offsets[low:high], records.lengths[low:high]
    table = events(rows, places, context, context.number + low, own, online=layout.online, old=layout.old)
    account.add(own, low)
    return table
