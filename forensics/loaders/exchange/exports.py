"""Tracking logs as `Get-MessageTrackingLog` gives them, exported by Export-Csv or ConvertTo-Json → events.

The columns are those of the log without hyphens, but Timestamp, Recipients, Sender and EventData (Microsoft Learn,
Get-MessageTrackingLog). A record is written anew as a record of the log and read as one, so that an event means the
same in both. Lists are joined by `;`, as in the log. What Export-Csv writes for a list that nobody joined
(`System.String[]`) has lost it: such records are unread, and the reason says how to export.

Timestamp is a local time of the machine that ran the command, unless it says its offset.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from forensics.loaders.base import ScanContext
from forensics.loaders.exchange import blocks, dates, encodings, tracking
from forensics.loaders.exchange import fields as f
from forensics.native.exchange import codes
from forensics.native.exchange.slots import SLOTS

LAYOUT: Final = blocks.Layout(-1, SLOTS)
"""Of the records that are written anew."""
LOST: Final = ("System.String[]", "System.Object[]")
HOW: Final = (
    "export again with ConvertTo-Json -Depth 3, or join the lists: Select-Object "
    "@{n='Recipients';e={$_.Recipients -join ';'}}, @{n='RecipientStatus';e={$_.RecipientStatus -join ';'}}, * "
    "-ExcludeProperty Recipients, RecipientStatus"
)


def _text(value: Any) -> str:
    """A value of a record as the log would hold it: lists joined by `;`."""
    if isinstance(value, dict):
        if isinstance(value.get("value"), list):  # how Windows PowerShell writes some lists
            return _text(value["value"])
        if "Key" in value:
            return f"{_text(value['Key'])}={_text(value.get('Value'))}"
        return ""
    if isinstance(value, list):
        return ";".join(_text(one) for one in value)
    return "" if value is None else str(value).encode("utf-8", "replace").decode()


def row(values: Mapping[str, Any], order: str | None, zone: str | None) -> list[str] | str:
    """Fields of a log's record in the order of `slots.SLOTS`, or the reason why there is none.

    `values`: by `fields.export_slot`.
    """
    fields = {name: _text(value) for name, value in values.items()}
    if fields["recipient-address"].strip() in LOST:
        return f"Recipients were lost in the export ({fields['recipient-address'].strip()}): {HOW}"
    if fields.get("recipient-status", "").strip() in LOST:
        if fields["event-id"].strip().upper() == "FAIL":
            return f"RecipientStatus was lost in the export, and with it why this failed: {HOW}"
        fields["recipient-status"] = ""
    if fields.get("reference", "").strip() in LOST:
        fields["reference"] = ""
    for address in fields["recipient-address"].split(";"):
        if '"' not in address and address.count("@") > 1 and any(c in address for c in ", \t\r\n"):
            return f"Recipients are not joined by `;`: {HOW}"
    at = dates.read(fields["date-time"], order, zone)
    if at is None:
        return f"no time that could be read in {fields['date-time'][:64]!r}"
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    fields["date-time"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return [fields.get(slot, "") for slot in SLOTS]


def events(
    rows: Sequence[list[str] | None],
    places: tuple[np.ndarray, np.ndarray],
    context: ScanContext,
    number: int,
    account: tracking.Account,
) -> pa.Table:
    """Events of rows that stand for consecutive records from `number` on (None: none is to be read).

    `places`: offset and length of each record in the content. `account` counts records from 0.
    """
    text = b"".join(b"\n" if one is None else _line(one) for one in rows)
    made = blocks.read(np.frombuffer(text + bytes(64), np.uint8)[: len(text)], 0, encodings.UTF8)
    if len(made) != len(rows):
        raise AssertionError(f"{len(rows)} records became {len(made)}")
    records = blocks.Records(
        made.text, made.starts, made.ends, made.kinds, made.firsts, made.stops, places[0], places[1]
    )
    return tracking.scan_segment(records, 0, len(rows), LAYOUT, made.kinds, context.evidence, number, account)


def _line(row: Sequence[str]) -> bytes:
    return (",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n").encode("utf-8", "replace")


def scan_segment(
    records: blocks.Records,
    low: int,
    high: int,
    layout: blocks.Layout,
    kinds: np.ndarray,
    context: ScanContext,
    account: tracking.Account,
) -> pa.Table:
    """Events of the data records low..high of an Export-Csv."""
    slots = [f.export_slot(name) for name in layout.names]
    rows: list[list[str] | None] = []
    for r in range(low, high):
        rows.append(None)
        if kinds[r] != codes.DATA:
            continue
        cells = records.cells(r)
        if len(cells) != len(slots):
            account.unread.append((r, f"{len(cells)} columns, the header names {len(slots)}"))
            continue
        values = {slot: cell for slot, cell in zip(reversed(slots), reversed(cells), strict=True) if slot}
        made = row(values, context.plan.order, context.plan.zone)
        if isinstance(made, str):
            account.unread.append((r, made))
        else:
            rows[-1] = made
    own = tracking.Account()
    places = records.offsets[low:high], records.lengths[low:high]
    table = events(rows, places, context, context.number + low, own)
    account.add(own, low)
    return table
