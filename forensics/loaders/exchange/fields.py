"""Columns of the Exchange formats: what they mean, the layouts by version, and how a header is recognised.

Names are compared by their letters and digits alone, in any case, so that `recipient-address`, `recipient_address`,
`RecipientAddress` and `$_.RecipientAddress` are one. Sources: Microsoft Learn, "Message tracking" (Exchange 2016/2019),
TechNet bb124375 (2010), cc539064 (2007), Get-MessageTrackingLog, "Message trace in the modern Exchange admin center"
(its heading `origin_timestamp` is `origin_timestamp_utc` in the files), Get-MessageTrace, Get-MessageTraceV2, Reporting
web service `MessageTrace` (jj984335), Graph `exchangeMessageTrace`. `ReceivedUtc` and `$_.Recipients` are what common
scripts make of them.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Sequence, Set
from typing import Final

import numpy as np

from forensics.loaders.exchange import addresses as lists
from forensics.loaders.exchange import emailevents
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

_RENAMED: Final = {
    "datetimeutc": "date-time",
    "timestamp": "date-time",
    "recipients": "recipient-address",
    "sender": "sender-address",
    "eventdata": "custom-data",
}
"""Names of slots that are not the log's own: of extended reports, and of Get-MessageTrackingLog."""

TRACE: Final = {
    "time": ("origintimestamputc", "receivedutc", "receiveddatetime", "origintimestamp", "received", "timestamp"),
    "sender": ("senderaddress", "sender"),
    "recipient": ("recipientaddress", "recipient", "recipients"),
    "status": ("status", "recipientstatus"),
    "subject": ("messagesubject", "subject"),
    "size": ("totalbytes", "size"),
    "message_id": ("messageid", "internetmessageid"),
    "network_id": ("networkmessageid", "messagetraceid", "id"),
    "client_ip": ("originalclientip", "fromip"),
    "to_ip": ("toip",),
}
"""Columns of summaries and traces: meaning → names, the best first."""
TRACE_TIMES: Final = TRACE["time"][:-1]
"""Names that only such an export has for a message's time."""
BOUNDS: Final = ("startdate", "enddate")
"""Bounds of the query, which stand in every record of some traces."""
UTC_NAMES: Final = ("datetimeutc", "origintimestamputc", "receivedutc", "receiveddatetime")
"""Columns that name UTC, or are documented as UTC with its sign: no setting makes another zone of them."""

_ADDRESSES: Final = {
    *TRACE["sender"], *TRACE["recipient"], "returnpath", "relatedrecipientaddress",
    *emailevents.COLUMNS["senderaddress"], *emailevents.COLUMNS["recipientaddress"],
}  # fmt: skip
_SUMMARY_ADDRESSES: Final = {*_ADDRESSES, "recipientstatus"}

WORDS: Final = {
    *TRACE["sender"], *TRACE["message_id"], *TRACE["network_id"], "returnpath", "eventid", "datetime", "datetimeutc",
    "internalmessageid", *emailevents.COLUMNS["senderaddress"],
}  # fmt: skip
"""Columns that hold one word, in no line but one."""

ROUNDED: Final = r"^\d(?:[.,]\d+)?E\+\d+$"
"""How a spreadsheet writes an internal id, a number of many digits: the ids of many messages become one."""

COMMANDS: Final = {
    "trace": "Get-MessageTraceV2 -StartDate … -EndDate … -ResultSize 5000 | Select-Object "
    "@{n='Received';e={$_.Received.ToString('o')}}, SenderAddress, RecipientAddress, Subject, Status, ToIP, FromIP, "
    "Size, MessageId, MessageTraceId | Export-Csv FILE -NoTypeInformation -Encoding UTF8",
    "summary": "Start-HistoricalSearch -ReportType MessageTrace …, unchanged",
    "export": "Get-MessageTrackingLog -ResultSize Unlimited … | ConvertTo-Json -Depth 3; better give the logs "
    "themselves (MSGTRK*.LOG)",
    "tracking": "the logs themselves (MSGTRK*.LOG), or Start-HistoricalSearch -ReportType MessageTraceDetail …, "
    "unchanged",
}
"""What exports each kind whole."""


@functools.lru_cache(4096)
def squeezed(name: str) -> str:
    """A column's name as it is compared.

    >>> squeezed("{$_.Recipients}"), squeezed(" Date_Time-UTC")
    ('recipients', 'datetimeutc')
    """
    return "".join(c for c in name.rpartition("$_.")[2].casefold() if c.isalnum())


_SLOT: Final = {**{squeezed(slot): slot for slot in SLOTS}, **_RENAMED}


_WHOLE: Final = {_SLOT.get(squeezed(name), squeezed(name)) for name in _BASE}


def is_old(names: Iterable[str]) -> bool | None:
    """Did a server before Exchange 2013 write records of these columns, which has no network-message-id and says SEND
    of what leaves as well? None where others of the columns that every version has are left out too: such an export
    cannot tell.

    >>> is_old(LAYOUTS[26]), is_old(LAYOUTS[27]), is_old(["Timestamp", "EventId", "Recipients"])
    (True, False, None)
    """
    known = {slot_of(name) or squeezed(name) for name in names}
    return False if "network-message-id" in known else True if known >= _WHOLE else None


_READ: Final = {*_SLOT, *emailevents.READ, *(name for names in TRACE.values() for name in names), *BOUNDS}
TWICE: Final = "two columns or keys of one name ({}) that say different things"


def is_read(name: str) -> bool:
    """Is it the name of a column of which anything is read?"""
    return squeezed(name) in _READ


def contradicted(pairs: Iterable[tuple[str, str]]) -> str | None:
    """A name of which a record, as (name of a column, value), says two things; None where it says no more than one.

    What is empty, or lost in an export, says nothing.

    >>> contradicted([("Status", "Failed"), ("status", "Delivered")])
    'status'
    >>> contradicted([("Recipients", "System.String[]"), ("$_.Recipients", "x@a.com"), ("RECIPIENTS", "{x@a.com}")])
    """
    said: dict[str, list[str]] = {}
    for name, value in pairs:
        key = squeezed(name)
        if key in _READ and value.strip() and not lists.is_type_name(value) and not lists.is_cut_short(value):
            told = lists.cut(lists.unbraced(value))[0]
            if said.setdefault(key, told) != told:
                return name
    return None


def slot_of(name: str) -> str | None:
    """The column of the log that a column of a log, an extended report or Get-MessageTrackingLog is; None when it is
    none that is read.

    >>> slot_of("Recipients"), slot_of("client_ip"), slot_of("RunspaceId")
    ('recipient-address', 'client-ip', None)
    """
    return _SLOT.get(squeezed(name))


def addresses(kind: str) -> Set[str]:
    """The columns of such an export (`kind`) that hold addresses, a summary's with what became of them."""
    return _SUMMARY_ADDRESSES if kind == "summary" else _ADDRESSES


def is_utc(names: Iterable[str]) -> bool:
    """Does a column of times say that it is UTC?"""
    return any(squeezed(name) in UTC_NAMES for name in names)


def positions(names: Sequence[str]) -> np.ndarray:
    """For each slot the first column that holds it, -1 when there is none (int32)."""
    found = {slot_of(name): at for at, name in reversed(list(enumerate(names)))}
    return np.array([found.get(slot, -1) for slot in SLOTS], np.int32)


def kind(names: Iterable[str]) -> str:
    """What a header, or the names in a JSON object, announce: `tracking` (also extended reports), `export`
    (Get-MessageTrackingLog), `summary`, `trace`, `events` (of Defender) or `unknown`."""
    names = list(names)
    if emailevents.fits(names):
        return "events"
    known = {squeezed(name) for name in names}
    if {"eventid", "recipientaddress"} <= known and known & {"datetime", "datetimeutc"}:
        return "tracking"
    if {"eventid", "recipients", "timestamp"} <= known:
        return "export"
    if "recipientstatus" in known and known & {"origintimestamp", "origintimestamputc"}:
        return "summary"
    if "recipientaddress" in known and known & set(TRACE_TIMES) and known & _BESIDE:
        return "trace"
    return "unknown"


_BESIDE: Final = {"senderaddress", "status", "messageid", "messagetraceid", "subject", "messagesubject"}


def missing(names: Collection[str]) -> str | None:
    """Of a header that is nearly a trace, summary or tracking log: what it lacks, and the command that exports it; None
    for others."""
    known = {squeezed(name) for name in names}
    for form, words, needed, least in _NEARLY:
        have = [any(name in known for name in one) for _, one in needed]
        if sum(have) >= least and not all(have) and known & words and not known & {"event", "detail"}:
            lacks = ", ".join(title for (title, _), has in zip(needed, have, strict=True) if not has)
            return f"{_TITLES[form]} without {lacks}; export it again: {COMMANDS[form]}"
    return None


_TITLES: Final = {
    "trace": "a message trace",
    "export": "an export of Get-MessageTrackingLog",
    "tracking": "a tracking log or extended report",
}
_NEARLY: Final = (
    (
        "tracking",
        {"recipientaddress", "networkmessageid", "returnpath"},
        (
            ("date-time", ("datetime", "datetimeutc")),
            ("event-id", ("eventid",)),
            ("recipient-address", ("recipientaddress",)),
        ),
        2,
    ),
    (
        "export",
        {"clienthostname", "sourcecontext", "connectorid", "recipientstatus", "messagesubject", "eventdata"},
        (("Timestamp", ("timestamp",)), ("EventId", ("eventid",)), ("Recipients", ("recipients",))),
        2,
    ),
    (
        "trace",
        {"messagetraceid", "toip", "fromip"},
        (
            ("Received", TRACE_TIMES),
            ("SenderAddress", ("senderaddress",)),
            ("RecipientAddress", ("recipientaddress",)),
            ("MessageTraceId", ("messagetraceid",)),
        ),
        2,
    ),
)
"""(kind, columns one of which only it has, (what is needed, its names), how many of these at least)."""
