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
"""name, weight (log10), text: as in schema.REASON."""


def of(row: Row, parts: Mapping[str, float]) -> list[Reason]:
    """Reasons for one candidate, strongest first; parts that say nothing (below 0.005) are added to the slip's, so that
    the sum holds."""
    shown = {name: round(float(parts[name]), 4) for name in NAMES}
    quiet = [name for name in NAMES[1:] if abs(shown[name]) < 0.005]
    shown["slip"] = round(shown["slip"] + sum(shown.pop(name) for name in quiet), 4)
    rows = [{"name": name, "weight": weight, "text": sentence(name, row)} for name, weight in shown.items()]
    return sorted(rows, key=lambda r: (-abs(r["weight"]), r["name"]))


def sentence(name: str, row: Row) -> str:
    """What one signal says about this row, as a sentence."""
    writer = row["wl"] if not row["via"] else f"the list {row['wl']}@{row['wd']}"
    typed, meant = row["rd"], row["meant"]
    right, wrong = f"{row['rl']}@{meant}", f"{row['rl']}@{typed}"
    if name == "slip":
        slip = slips.classify(typed, meant)
        return f"{typed} is {meant} with one slip: {slip.words}." if slip else f"{typed} resembles {meant}."
    if name == "usage":
        return (
            f"Pairs of sender and address: {int(row['meant_pairs']):,} use {meant}, "
            f"{int(row['typed_pairs']):,} {'uses' if row['typed_pairs'] == 1 else 'use'} {typed}."
        )
    if name == "wrote-before":
        return f"{_upper(writer)} had written to {right} {_times(row['times_before'])} before first using {wrong}."
    if name == "wrote-after":
        return f"{_upper(writer)} wrote to {right} {span(row['gap_after'])} after a message to {wrong}."
    if name == "resent":
        if row["gap_same_subject"] is not None:
            return f"{_upper(writer)} sent the same subject to {right} {span(row['gap_same_subject'])} later."
        return f"{_upper(writer)} sent a message of the same size to {right} {span(row['gap_same_size'])} later."
    fixed = {
        "address-known": f"{right} exists in the organisation's mail{_known(row)}.",
        "beside-same": f"{right} is a recipient of the same message{_times_in(row['beside_same'], row['messages'])}.",
        "beside-domain": f"Other addresses at {meant} are recipients of the same message"
        f"{_times_in(row['beside_domain'], row['messages'])}.",
        "answered": f"{wrong} itself has written to the organisation {_times(row['answered_anyone'])}.",
        "silent": f"{typed} has never sent mail to the organisation.",
        "own-mail": f"{typed} has sent mail to the organisation {_times(row['typed_in'])}.",
        "fellows": f"{_many(row['typed_shared'] - bool(row['address_known']), 'other address', 'other addresses')} "
        f"at {typed} exist at {meant} as well.",
        "strangers": f"{_many(row['typed_addresses'], 'address', 'addresses')} at {typed} in use, of which "
        f"{row['typed_shared']} exist at {meant}.",
        "repeated": f"{_upper(writer)} used {wrong} in {_many(row['messages'], 'message', 'messages')}.",
        "no-such-domain": f"Delivery failed because {typed} does not exist.",
        "turned-away": f"{_share(row['failed'] - row['no_domain'])} of the deliveries to {wrong} were refused "
        "or never accepted.",
        "established": f"{_many(row['typed_pairs'], 'pair', 'pairs')} of sender and address use {typed}, with people "
        f"whom {meant} does not have.",
        "consensus": f"The other mail to {typed} {'speaks' if row.get('consensus', 0) > 0 else 'does not speak'} "
        f"of slips for {meant}.",
        "habit": f"{_upper(writer)} used {right} in {_many(row['times_right'], 'message', 'messages')} "
        f"and {wrong} in {int(row['messages']):,}.",
        "writers": f"{_many(row['typed_writers'], 'sender', 'senders')} came to use {typed} "
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
    said = []
    if row["address_writers"]:
        said.append(f"{_many(row['address_writers'], 'sender has', 'senders have')} written to it")
    if row["address_in"]:
        said.append(f"it has written {_times(row['address_in'])}")
    return ": " + " and ".join(said) if said else ""


def _times(count: float) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{int(count):,} times"


def _many(count: float, one: str, many: str) -> str:
    return f"{int(count):,} {one if count == 1 else many}"


def _share(part: float) -> str:
    return "All" if part >= 0.999 else f"{part:.0%}"


def _times_in(count: int, total: int) -> str:
    return "" if total <= 1 else f" in {int(count):,} of {int(total):,}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("the ") else text
