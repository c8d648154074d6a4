"""`EmailEvents` of Microsoft Defender XDR and Sentinel, as advanced hunting and Log Analytics export it.

One row is one message to one recipient, in any direction. It names no server: what left went somewhere unsaid. Here are
its columns and what its words tell; `online` reads the rows as those of a message trace, with whose they share the
network message id.

Sources: Microsoft Learn, "EmailEvents table in the advanced hunting schema"
(https://learn.microsoft.com/defender-xdr/advanced-hunting-emailevents-table) and "Azure Monitor Logs reference -
EmailEvents" (https://learn.microsoft.com/azure/azure-monitor/reference/tables/emailevents). Words as they are written
there and, where results differ from the page, as they come (`Junk folder`, `Forwarded`). `EmailSize` is a column of
results that neither page describes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from forensics.jsonread import made_of

TIMES: Final = ("timestamp", "timestamputc", "timegenerated", "timegeneratedutc")
"""`Timestamp`: when the event was recorded; `TimeGenerated`: when Log Analytics wrote the row. The first that is there
counts. Log Analytics adds the zone that it shows times in; only UTC is one."""
COLUMNS: Final = {
    "senderaddress": ("sendermailfromaddress",),
    "recipientaddress": ("recipientemailaddress",),
    "messagetraceid": ("networkmessageid",),
    "messageid": ("internetmessageid",),
    "subject": ("subject",),
    "size": ("emailsize",),
    "fromip": ("senderipv4", "senderipv6"),
}
"""Column of a message trace → columns that hold the same here, names squeezed. The envelope sender is
SenderMailFromAddress; SenderFromAddress is what stands in the header."""

_TOLD: Final = ("deliveryaction", "deliverylocation", "latestdeliveryaction", "latestdeliverylocation")
READ: Final = frozenset((*TIMES, *_TOLD, *(name for own in COLUMNS.values() for name in own)))
"""Columns that are read, names squeezed."""
_REACHED: Final = "delivered"
UNSAID: Final = "unknown"
_LOCATIONS: Final = {
    "inboxfolder": _REACHED,
    "onpremisesexternal": _REACHED,
    "onpremexternal": _REACHED,
    "junk": _REACHED,
    "junkfolder": _REACHED,
    "deleteditems": _REACHED,
    "quarantine": "quarantined",
    "failed": "failed",
    "dropped": "dropped",
}
"""DeliveryLocation, LatestDeliveryLocation → status of a trace."""
_ACTIONS: Final = {"delivered": True, "junked": True, "replaced": True, "blocked": False}
"""DeliveryAction → whether the message went on. What was blocked is in quarantine, failed or dropped."""
_SHOWN: Final = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d)((?:\.\d{1,7})?) ([AP])M")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_IN_JSON: Final = tuple(
    re.compile(rb'"(?:' + names + rb')"')
    for names in (b"RecipientEmailAddress", b"SenderMailFromAddress", b"NetworkMessageId|InternetMessageId")
)


def squeeze(name: str) -> str:
    """A name of a column, or a word, as it is compared.

    >>> squeeze("TimeGenerated [UTC]"), squeeze("Inbox/Folder")
    ('timegeneratedutc', 'inboxfolder')
    """
    return "".join(c for c in name.lower() if c.isalnum())


def fits(names: Iterable[str]) -> bool:
    """Whether a header, or the keys of a record, are those of EmailEvents with all that a delivery needs: who sent
    which message to whom, when, and what came of it."""
    known = {squeeze(name) for name in names}
    return (
        {"sendermailfromaddress", "recipientemailaddress"} <= known
        and bool(known & {"networkmessageid", "internetmessageid"})
        and bool(known & set(TIMES))
        and bool(known & set(_TOLD))
    )


def in_json(head: bytes) -> bool:
    """Whether JSON that begins so names the columns of EmailEvents: as keys, or in the schema before its rows."""
    return all(pattern.search(head) for pattern in _IN_JSON)


def time_column(names: Sequence[str]) -> tuple[int, ...]:
    """Where the column of the rows' times is."""
    known = [squeeze(name) for name in names]
    return tuple([known.index(name) for name in TIMES if name in known][:1])


def inner(value: Any) -> Any:
    """What Defender's streaming wraps in `properties`; anything else as it is."""
    row = value.get("properties") if isinstance(value, dict) else None
    return made_of(row, value) if isinstance(row, dict) and fits(map(str, row)) else value


def trace(pairs: Iterable[tuple[str, str]]) -> dict[str, str] | str:
    """A row of EmailEvents, as (name of a column, value), as one of a message trace, by squeezed names; or why it is
    none: a `union` has rows of several tables."""
    given: dict[str, str] = {}
    for name, value in pairs:
        given[squeeze(name)] = given.get(squeeze(name)) or value
    table = given.get("type", "").strip()
    if table and squeeze(table) not in ("emailevents", "emailevent"):
        return f"a row of the table {table[:64]!r}, not of EmailEvents"
    row = {name: next((given[n] for n in own if given.get(n)), "") for name, own in COLUMNS.items()}
    time = next((name for name in TIMES if given.get(name)), TIMES[0])
    row["receivedutc" if time.endswith("utc") else "received"] = stamp(given.get(time, ""))
    action, location, *latest = (given.get(name, "") for name in _TOLD)
    said = status(action, location, *latest)
    row["status"] = said if said != UNSAID else ", ".join(word for word in (action, location) if word)
    return row


def status(action: str, location: str, latest_action: str = "", latest_location: str = "") -> str:
    """What became of a message, as a status of a message trace (`dropped` besides).

    What once reached a mailbox or went to another server did so, whatever was done with it later; what was held back
    at first and reached its recipient in the end, too. Of other words the later one counts. Words that contradict each
    other, or are not known, say nothing.

    >>> status("Delivered", "On-premises/external"), status("Blocked", "Quarantine"), status("Blocked", "Inbox/folder")
    ('delivered', 'quarantined', 'unknown')
    >>> status("Blocked", "Quarantine", "Quarantine release", "Inbox/folder")
    'delivered'
    """
    first, last = _one(action, location), _one(latest_action, latest_location)
    if _REACHED in (first, last):
        return _REACHED
    return first if last == UNSAID else last


def _one(action: str, location: str) -> str:
    word, went_on = _LOCATIONS.get(squeeze(location)), _ACTIONS.get(squeeze(action))
    if word is None:
        return _REACHED if went_on else UNSAID
    return word if went_on is None or went_on == (word == _REACHED) else UNSAID


def stamp(text: str) -> str:
    """A time as the portal shows it in ISO 8601, zone as little said as before; any other text as it is.

    >>> stamp("Mar 13, 2024 8:00:05 PM")
    '2024-03-13T20:00:05'
    """
    found = _SHOWN.fullmatch(text.strip())
    if not found or found[1] not in _MONTHS or not 1 <= int(found[4]) <= 12:
        return text
    hour = int(found[4]) % 12 + (12 if found[8] == "P" else 0)
    month = _MONTHS.index(found[1]) + 1
    return f"{found[3]}-{month:02}-{int(found[2]):02}T{hour:02}:{found[5]}:{found[6]}{found[7]}"
