"""Columns of the Exchange formats: their slots, the layouts by version, and how a header is recognised.

A `#Fields` header (or the first row of an export) maps names to slots (`native.exchange.slots`). Source of the names:
Microsoft Learn, "Message tracking" (Exchange 2016/2019), TechNet bb124375 (2010), cc539064 (2007); for the Exchange
Online reports "Message trace in the modern EAC".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from forensics.native.exchange.slots import SLOTS

_BASE: Final = (
    "date-time", "client-ip", "client-hostname", "server-ip", "server-hostname", "source-context", "connector-id",
    "source", "event-id", "internal-message-id", "message-id", "recipient-address", "recipient-status", "total-bytes",
    "recipient-count", "related-recipient-address", "reference", "message-subject", "sender-address", "return-path",
    "message-info",
)  # fmt: skip
_2010: Final = (*_BASE, "directionality", "tenant-id", "original-client-ip", "original-server-ip", "custom-data")
_2013: Final = (*_2010[:11], "network-message-id", *_2010[11:])
_2016: Final = (*_2013, "transport-traffic-type", "log-id", "schema-version")

LAYOUTS: Final = {len(names): names for names in (_BASE, _2010, _2013, _2016)}
"""Number of columns → names, for logs without a `#Fields` header."""

VERSIONS: Final = {21: "Exchange 2007", 26: "Exchange 2010", 27: "Exchange 2013", 30: "Exchange 2016, 2019, SE"}

_ALIASES: Final = {"date-time-utc": "date-time", "origin-timestamp": "origin-timestamp-utc"}


def normal(name: str) -> str:
    """A column name as this module spells it: lower-case, hyphens.

    >>> normal(" Date_Time_UTC")
    'date-time'
    """
    text = name.strip().strip("\ufeff").lower().replace("_", "-").replace(" ", "-")
    return _ALIASES.get(text, text)


def positions(names: Sequence[str]) -> np.ndarray:
    """For each slot the column that holds it, -1 when there is none (int32)."""
    found = {normal(name): at for at, name in reversed(list(enumerate(names)))}
    return np.array([found.get(slot, -1) for slot in SLOTS], np.int32)


_EXPORTED: Final = {
    "timestamp": "date-time",
    "recipients": "recipient-address",
    "sender": "sender-address",
    "eventdata": "custom-data",
    **{slot.replace("-", ""): slot for slot in SLOTS},
}
"""Names that Get-MessageTrackingLog gives the columns, squeezed. Source: Microsoft Learn, Get-MessageTrackingLog."""


def export_slot(name: str) -> str | None:
    """The column of the log that a property of Get-MessageTrackingLog is; None when it is none that is read.

    >>> export_slot("Recipients"), export_slot("ClientIp"), export_slot("RunspaceId")
    ('recipient-address', 'client-ip', None)
    """
    return _EXPORTED.get(name.strip().strip("\ufeff").lower())


def is_export(names: Iterable[str]) -> bool:
    """True for the properties of Get-MessageTrackingLog."""
    given = {name.strip().strip("\ufeff").lower() for name in names}
    return {"timestamp", "eventid", "source", "recipients"} <= given


def is_tracking(names: Sequence[str]) -> bool:
    """True for a tracking log's or an extended report's header."""
    known = {normal(name) for name in names}
    return {"date-time", "event-id", "source", "recipient-address"} <= known


def kind(names: Sequence[str]) -> str:
    """What a header announces: `tracking` (also extended reports), `export`, `summary`, `trace` or `unknown`."""
    if is_tracking(names):
        return "tracking"
    if is_export(names):
        return "export"
    known = {normal(name) for name in names}
    if "origin-timestamp-utc" in known and "recipient-status" in known:
        return "summary"
    squeezed = {name.replace("-", "") for name in known}
    if {"recipientaddress", "status"} <= squeezed and squeezed & {"received", "receiveddatetime"}:
        return "trace"
    return "unknown"
