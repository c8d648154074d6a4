"""The sentences behind a weight: one per signal that speaks, as an expert would say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forensics.detector import slips
from forensics.detector.weighing import NAMES

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0

Row = Mapping[str, Any]
"""One row of `signals.measure` as Python values."""

Reason = dict[str, Any]
"""name, weight (log10), text, source: as in schema.REASON."""

THEIRS = frozenset({"answered", "own-mail"})
"""Signals that mail from the typed domain makes: whoever holds that domain can send it."""


def reason(name: str, weight: float, text: str, source: str = "ours") -> Reason:
    """One reason. `source`: schema.SOURCES."""
    return {"name": name, "weight": weight, "text": text, "source": source}


def source(name: str, row: Row) -> str:
    """Whose doing a signal is: `theirs` where inbound mail alone made it, which an outsider can send at will.

    >>> source("own-mail", {}), source("slip", {})
    ('theirs', 'ours')
    """
    if name == "address-known":
        heard_only = row["address_in"] and not row["address_writers"] and not row["address_lists"]
        return "theirs" if heard_only else "ours"
    return "theirs" if name in THEIRS else "ours"


def of(row: Row, parts: Mapping[str, float]) -> list[Reason]:
    """Reasons for one candidate, strongest first; parts that say nothing (below 0.005) are added to the slip's, so that
    the sum holds."""
    shown = {name: round(float(parts[name]), 4) for name in NAMES}
    quiet = [name for name in NAMES[1:] if abs(shown[name]) < 0.005]
    shown["slip"] = round(shown["slip"] + sum(shown.pop(name) for name in quiet), 4)
    rows = [reason(name, weight, sentence(name, row), source(name, row)) for name, weight in shown.items()]
    return sorted(rows, key=lambda r: (-abs(r["weight"]), r["name"]))


def sentence(name: str, row: Row) -> str:
    """What one signal says about this row, as a sentence."""
    writer = row["writer_local"] if not row["via"] else f"the list {row['writer_local']}@{row['writer_domain']}"
    typed, meant = row["recipient_domain"], row["meant"]
    right, wrong = f"{row['recipient_local']}@{meant}", f"{row['recipient_local']}@{typed}"
    if name == "slip":
        slip = slips.classify(typed, meant)
        if slip is None:
            return f"{typed} resembles {meant}."
        return f"{typed} is {meant} with {'two slips' if slip.kind == 'two-edits' else 'one slip'}: {slip.words}."
    if name == "usage":
        return f"{meant} takes part in {_pairs(row['meant_pairs'])}, {typed} in {int(row['typed_pairs']):,}."
    if name == "habit":
        never = f"never to {right}" if not row["times_right"] else f"to {right} {_times(row['times_right'])}"
        return f"{_upper(writer)} has written to {wrong} {_times(row['messages'])}, {never}."
    if name == "wrote-before":
        return f"{_upper(writer)} had written to {right} {_times(row['times_before'])} before first using {wrong}."
    if name == "wrote-after":
        return f"{_upper(writer)} wrote to {right} {span(row['gap_after'])} after a message to {wrong}."
    if name == "resent":
        if row["gap_same_subject"] is not None:
            same, gap = "with the same subject", row["gap_same_subject"]
        else:
            same, gap = "of much the same size", row["gap_same_size"]
        return f"{_upper(writer)} sent a message {same} to {right} {span(gap)} later."
    fixed = {
        "address-known": f"{right} exists in the organisation's mail{_known(row)}.",
        "beside-same": f"{right} is a recipient of {_same(row['beside_same'], row['messages'])}.",
        "beside-domain": f"Other addresses at {meant} are recipients "
        f"of {_same(row['beside_domain'], row['messages'])}.",
        "answered": f"{wrong} itself has written to the organisation {_times(row['answered_anyone'])}.",
        "silent": f"{typed} has never sent mail to the organisation.",
        "own-mail": f"{typed} has sent mail to the organisation ({_many(row['typed_in'], 'delivery', 'deliveries')}).",
        "fellows": _shared_addresses(row),
        "strangers": f"Of {_many(row['typed_addresses'], 'address', 'addresses')} used at {typed} "
        f"{int(row['typed_shared']) or 'none'} {'exists' if row['typed_shared'] <= 1 else 'exist'} at {meant}.",
        "repeated": f"{_upper(writer)} used {wrong} in {_many(row['messages'], 'message', 'messages')}.",
        "no-such-domain": f"Delivery failed because {typed} does not exist.",
        "turned-away": f"{_share(row)} to {wrong} {'was' if row['n'] == 1 else 'were'} refused or never accepted.",
        "established": f"{typed} takes part in {_pairs(row['typed_pairs'])} and has people whom {meant} does not have.",
        "consensus": f"The other addresses used at {typed} {'look' if row.get('consensus', 0) > 0 else 'do not look'} "
        f"like slips for {meant}.",
        "writers": f"{_who(row['typed_writers'] - row['typed_lists'], row['typed_lists'])} came to use {typed} "
        "independently of each other.",
        "newcomer": f"{meant} was in use before {typed} first appeared.",
        "unseen": f"{meant} does not appear in this log; only the watched zone suggests it.",
        "free-mail": f"{typed} is a public mail provider, where anybody may have an address.",
    }
    return fixed[name]


def span(seconds: float) -> str:
    """A gap in words.

    >>> span(200), span(3 * 86400), span(0.4)
    ('3 minutes', '3 days', 'less than a minute')
    """
    for unit, one, many in ((_DAY, "day", "days"), (_HOUR, "hour", "hours"), (_MINUTE, "minute", "minutes")):
        if seconds >= unit:
            return _many(int(seconds // unit), one, many)
    return "less than a minute"


def _known(row: Row) -> str:
    clauses = []
    if row["address_writers"] or row["address_lists"]:
        who = _who(row["address_writers"], row["address_lists"])
        clauses.append(f"{who} {'has' if row['address_writers'] + row['address_lists'] == 1 else 'have'} written to it")
    if row["address_in"]:
        clauses.append(f"it has written {_times(row['address_in'])}")
    return ": " + " and ".join(clauses) if clauses else ""


def _pairs(count: float) -> str:
    return _many(count, "pair of sender and address", "pairs of sender and address")


def _who(senders: float, lists: float) -> str:
    """Senders and lists that chose an address, in words."""
    parts = [_many(senders, "sender", "senders")] if senders or not lists else []
    return " and ".join([*parts, *([_many(lists, "list", "lists")] if lists else [])])


def _shared_addresses(row: Row) -> str:
    count = row["typed_shared"] - bool(row["address_known"])
    return (
        f"{_many(count, 'other address', 'other addresses')} at {row['recipient_domain']} "
        f"{'exists' if count == 1 else 'exist'} at {row['meant']} as well."
    )


def _times(count: float) -> str:
    return "never" if count == 0 else "once" if count == 1 else "twice" if count == 2 else f"{int(count):,} times"


def _many(count: float, one: str, many: str) -> str:
    return f"{int(count):,} {one if count == 1 else many}"


def _share(row: Row) -> str:
    """Which of the deliveries failed."""
    part = row["failed"] - row["no_domain"]
    if row["n"] == 1:
        return "The delivery"
    return "All deliveries" if part >= 0.999 else f"{part:.0%} of the deliveries"


def _same(count: int, total: int) -> str:
    """The same message; of several, how many."""
    return "the same message" if total <= 1 else f"{int(count):,} of the same {int(total):,} messages"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("the ") else text
