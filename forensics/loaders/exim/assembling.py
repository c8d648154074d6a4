"""Exim events → hops and legs: one hop for each message on each host, one leg for each recipient it was delivered to.

The last word counts, but what was delivered once stays delivered. A recipient that only aliases were made of is no leg.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import pyarrow as pa

from forensics import addresses, domains
from forensics.loaders import base, losses
from forensics.loaders.base import Assembled
from forensics.loaders.exim import fields
from forensics.loaders.subjects import decode

HOPS = (
    base.HOPS.append(pa.field("greylisted", pa.bool_()))
    .append(pa.field("submission", pa.string()))
    .append(pa.field("repeated", pa.bool_()))
)
LEGS = base.LEGS.append(pa.field("alias", pa.string())).append(pa.field("mailbox", pa.bool_()))
_EXPIRED = re.compile(r"retry timeout exceeded|have been failing for a long time")
_UNTRIED = re.compile(r"retry time not reached|retry timeout exceeded")
"""Why nothing was tried: too early (log_selector retry_defer), or no more."""
_STAGES = {"<=": 0, "==": 1, "removed": 3, "Completed": 4}
Event = dict[str, Any]


def assemble(events: pa.Table, *, final: bool) -> Assembled:
    """Hops and legs of all messages in `events`; without `final` nothing is complete: any file may tell more."""
    if not final:
        return Assembled(HOPS.empty_table(), LEGS.empty_table(), events)
    hops: list[dict[str, Any]] = []
    legs: list[dict[str, Any]] = []
    outside: list[tuple[Any, ...]] = []
    for group in _groups(events):
        refused = group[0]["flag"] == "rejected"
        made = _refused(group) if refused else _message(group)
        hops.append({**made.hop, "hop": len(hops)})
        legs += [{**leg, "hop": hops[-1]["hop"]} for leg in made.legs]
        if not (refused or made.hop["born"]):
            outside.append(_outside("begins outside", group[0]))
        if not (refused or made.hop["closed"]):
            outside.append(_outside("ends outside", group[-1]))
    return Assembled(_table(hops, HOPS), _table(legs, LEGS), None, losses.rows(outside) if outside else None)


def _outside(kind: str, event: Event) -> tuple[Any, ...]:
    """A row of `base.LOSSES` for a message whose first or last record this is."""
    host, place = event["host"], (event["number"], event["offset"])
    return kind, event["evidence"], host, event["at"], 1, *place, event["id"] or ""


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=schema)


def _groups(events: pa.Table) -> Iterator[list[Event]]:
    """The events of each key as they happened: record order inside a block of a file, stamps between them; and of one
    second in the order that Exim does things in, an id being given once only."""
    names = ("key", "evidence", "block", "place")
    rows = events.sort_by([(name, "ascending") for name in names]).to_pylist()
    for _, same in groupby(rows, lambda e: e["key"]):
        group = list(same)
        times: list[int] = []
        for n, one in enumerate(group):
            follows = n and all(group[n - 1][name] == one[name] for name in ("evidence", "block"))
            times.append(max(times[-1], one["at"]) if follows else one["at"])
        order = sorted(
            range(len(group)), key=lambda n: (times[n], *_stage(group[n]), group[n]["evidence"], group[n]["place"])
        )
        yield [group[n] for n in order]


def _stage(event: Event) -> tuple[int, str]:
    """What comes before what: the arrival, deferrals, all else, removal, the end; of attempts that are alike the text
    decides."""
    flag = event["flag"]
    stage = _STAGES.get(flag, 2)
    return stage, event["rest"] if flag in fields.DELIVERIES else ""


@dataclass
class _Made:
    hop: dict[str, Any]
    legs: list[dict[str, Any]] = field(default_factory=list)


def _record(event: Event) -> dict[str, int]:
    return {name: event[name] for name in ("evidence", "number", "offset", "length")}


def _hop(group: list[Event], **values: Any) -> dict[str, Any]:
    first = group[0]
    return {
        "system": "exim",
        "host": first["host"],
        "queue_id": first["id"],
        "first_at": first["at"],
        "last_at": group[-1]["at"],
        "greylisted": False,
        "submission": "not-seen",
        "repeated": False,
        "records": [],
        **values,
    }


def _leg(recipient: str, at: int, **values: Any) -> dict[str, Any]:
    return {
        "recipient": recipient, "recipient_role": "unknown", "outcome": "deferred", "at": at, "attempts": 0,
        "records": [], "mailbox": False, **values,
    }  # fmt: skip


def _refused(group: list[Event]) -> _Made:
    """A recipient refused in the dialogue: for good, or for now (as often as the client came back)."""
    rejection = fields.rejection(group[-1]["rest"])
    if rejection is None:
        raise AssertionError("a rejection does not read as the event it was")
    times = 1 if not rejection.temporary else len(group)
    hop = _hop(
        group, queue_id=None, sender=rejection.sender, client_name=rejection.client_name,
        client_address=rejection.client_address, born=True, closed=not rejection.temporary,
        greylisted=rejection.temporary, submission=addresses.submission(rejection.login, rejection.client_address),
    )  # fmt: skip
    leg = _leg(
        rejection.recipient, group[-1]["at"], outcome="deferred" if rejection.temporary else "rejected", attempts=times,
        status_code=rejection.status_code, response=rejection.response, records=[_record(e) for e in group],
    )  # fmt: skip
    return _Made(hop, [leg])


class _Message:
    """One message on one host while its events are read."""

    def __init__(self) -> None:
        self.arrival: fields.Arrival | None = None
        self.sender: str | None = None
        self.legs: dict[str, dict[str, Any]] = {}
        self.made_of: dict[str, set[str]] = {}
        """Keys of addresses that others were made of, and those others'."""
        self.records: list[dict[str, int]] = []
        self.frozen = self.removed = self.completed = False

    def read(self, event: Event) -> None:
        flag, rest = event["flag"], event["rest"]
        if flag in fields.DELIVERIES:
            delivery = fields.delivery(rest)
            if delivery is None:
                raise AssertionError("a delivery does not read as the event it was")
            self._delivery(event, flag, delivery)
            return
        self.records.append(_record(event))
        if flag == "<=":
            self.arrival = fields.arrival(rest)
        elif flag == "removed":
            self.removed = True
            self._open("discarded", event["at"])
        elif flag == "Completed":
            self.completed = True
        else:
            self.frozen = flag == "frozen"

    def _delivery(self, event: Event, flag: str, delivery: fields.Delivery) -> None:
        self.sender = self.sender if delivery.sender is None else delivery.sender
        discarded = delivery.address in ("discarded", ":blackhole:")
        recipient = (
            delivery.original if delivery.original and (discarded or "@" not in delivery.address) else delivery.address
        )
        if delivery.address[0] in "|/" and delivery.original:
            recipient = delivery.original
        if delivery.address[0] == ">" or (discarded and not delivery.original):
            self.records.append(_record(event))  # a reply that a filter made, which is a message of its own; or all
            if discarded:
                self._open("discarded", event["at"])
            return
        key = domains.key(recipient)
        leg = self.legs.setdefault(key, _leg(recipient, event["at"]))
        leg["records"].append(_record(event))
        leg["attempts"] += 0 if _UNTRIED.match(delivery.response or "") else 1
        if delivery.original and domains.key(delivery.original) != key:
            leg["alias"] = delivery.original
            self.made_of.setdefault(domains.key(delivery.original), set()).add(key)
        if leg["outcome"] == "delivered" or (flag == "==" and leg["outcome"] != "deferred"):
            return
        delivered = flag in ("=>", "->", ">>") and not discarded
        leg |= {
            "outcome": _outcome(flag, discarded, delivery.response or ""),
            "at": event["at"],
            "status_code": delivery.status_code,
            "response": delivery.response,
            "relay_name": delivery.relay_name,
            "relay_address": delivery.relay_address,
            "tls": delivery.tls,
            "next_id": delivery.next_id if delivered else None,
            "mailbox": delivered and delivery.mailbox,
        }

    def _open(self, outcome: str, at: int) -> None:
        """What becomes of recipients that are not settled, those too of which only the arrival tells."""
        for recipient in self.arrival.recipients if self.arrival else ():
            key = domains.key(recipient)
            if key not in self.made_of:
                self.legs.setdefault(key, _leg(recipient, at))
        for leg in self.legs.values():
            if leg["outcome"] == "deferred":
                leg |= {"outcome": outcome, "at": at}

    def finish(self, at: int) -> list[dict[str, Any]]:
        if not self.completed:
            self._open("held" if self.frozen else "deferred", at)
        else:
            for leg in self.legs.values():
                if leg["outcome"] == "deferred":  # done with, and its last line is not here
                    leg["outcome"] = "unknown"
        direct = {domains.key(one) for one in self.arrival.recipients} if self.arrival else set()
        kept = []
        for key, leg in self.legs.items():
            if leg["outcome"] in ("deferred", "unknown") and key in self.made_of:
                self.records += leg["records"]  # others were made of it in the end
                continue
            leg["original_recipient"] = None if key in direct else leg.get("alias")
            kept.append(leg)
        return kept


def _outcome(flag: str, discarded: bool, reason: str) -> str:
    if flag == "**":
        return "expired" if _EXPIRED.search(reason) else "bounced"
    if flag == "==":
        return "deferred"
    return "discarded" if discarded or flag == "*>" else "delivered"


def _message(group: list[Event]) -> _Made:
    message = _Message()
    for event in group:
        message.read(event)
    legs = message.finish(group[-1]["at"])
    came = message.arrival
    values: dict[str, Any] = {"sender": message.sender}
    if came:
        values = {
            "sender": came.sender,
            "authenticated_user": came.user if came.sender else None,  # Exim itself sends reports
            "client_name": came.client_name,
            "client_address": came.client_address,
            "size_bytes": came.size,
            "message_id": came.message_id,
            "subject": None if came.subject is None else decode(came.subject),
            "recipient_count": len(came.recipients) or None,
            "submission": addresses.submission(
                bool(came.user) and not came.local, came.client_address, local=came.local
            ),
        }
    records = sorted(message.records, key=lambda r: (r["evidence"], r["number"]))
    arrivals = [(event["at"], event["rest"]) for event in group if event["flag"] == "<="]
    hop = _hop(
        group, born=came is not None, closed=message.completed or message.removed, records=records,
        repeated=len(set(arrivals)) < len(arrivals), **values,
    )  # fmt: skip
    return _Made(hop, legs)
