"""The sentences behind a weight: one per signal that speaks, as an expert would say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forensics.detector import slips

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0

Row = Mapping[str, Any]
"""One row of `signals.measure`, with the row of `pairs.measure` that it belongs to as `pair_…`, as Python values."""

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


NO_INBOUND = (
    "The evidence holds no mail from outside to the organisation: that the domain never wrote says nothing, "
    "and counts nothing."
)


def of(row: Row, parts: Mapping[str, float], names: Sequence[str]) -> list[Reason]:
    """Reasons for one candidate, strongest first; parts that say nothing (below 0.005) are added to the slip's, so that
    the sum holds."""
    shown = {name: round(float(parts[name]), 4) for name in names}
    quiet = [name for name in names[1:] if abs(shown[name]) < 0.005]
    shown["slip"] = round(shown["slip"] + sum(shown.pop(name) for name in quiet), 4)
    rows = [reason(name, weight, sentence(name, row), source(name, row)) for name, weight in shown.items()]
    return sorted(rows, key=lambda r: (-abs(r["weight"]), r["name"]))


def sentence(name: str, row: Row) -> str:
    """What one signal says about this row, as a sentence."""
    return _SENTENCES[name](row)


def _writer(row: Row) -> str:
    return row["writer_local"] if not row["via"] else f"the list {row['writer_local']}@{row['writer_domain']}"


def _wrong(row: Row) -> str:
    return f"{row['recipient_local']}@{row['recipient_domain']}"


def _right(row: Row) -> str:
    return f"{row['recipient_local']}@{row['meant']}"


def _slip(row: Row) -> str:
    typed, meant = row["recipient_domain"], row["meant"]
    slip = slips.classify_far(typed, meant, row["recipient_local"])
    if slip is None:
        return f"{typed} resembles {meant}."
    many = slip.kind in ("two-edits", "several-edits")
    return f"{typed} is {meant} with {'several slips' if many else 'one slip'}: {slip.words}."


def _habit(row: Row) -> str:
    never = (
        f"never to {_right(row)} in this log"
        if not row["times_right"]
        else f"to {_right(row)} {_times(row['times_right'])}"
    )
    return f"{_upper(_writer(row))} has written to {_wrong(row)} {_times(row['messages'])}, {never}."


def _wrote_before(row: Row) -> str:
    if row["times_before"]:
        times = _times(row["times_before"])
        return f"{_upper(_writer(row))} had written to {_right(row)} {times} before first using {_wrong(row)}."
    return f"{_of_addresses(row, 'before')} had been written to at {row['meant']} before by the same writer."


def _wrote_after(row: Row) -> str:
    if row["wrote_after"]:
        gap = span(row["gap_after"])
        return f"{_upper(_writer(row))} wrote to {_right(row)} {gap} after a message to {_wrong(row)}."
    return (
        f"{_of_addresses(row, 'after', ' was', ' were')} written to at {row['meant']} within 7 days afterwards by the "
        "same writer."
    )


def _resent(row: Row) -> str:
    if row["gap_same_subject"] is not None:
        same, gap = "with the same subject", row["gap_same_subject"]
    elif row["gap_same_size"] is not None and row["gap_same_size"] <= _DAY:
        same, gap = "of much the same size", row["gap_same_size"]
    else:
        return f"A message to {_of_addresses(row, 'resent').lower()} was sent again to {row['meant']}."
    return f"{_upper(_writer(row))} sent a message {same} to {_right(row)} {span(gap)} later."


def _address_known(row: Row) -> str:
    if row["address_known"]:
        return f"{_right(row)} exists in the organisation's mail{_known(row)}."
    return f"{_of_addresses(row, 'known', ' exists', ' exist')} at {row['meant']}."


def _beside_same(row: Row) -> str:
    if row["beside_same"]:
        return f"{_right(row)} is a recipient of {_same(row['beside_same'], row['messages'])}."
    return f"{_of_addresses(row, 'beside_same')} went into one message with the same address at {row['meant']}."


def _beside_domain(row: Row) -> str:
    if row["beside_domain"]:
        return f"Other addresses at {row['meant']} are recipients of {_same(row['beside_domain'], row['messages'])}."
    return f"{_of_addresses(row, 'beside_domain')} went into one message with other addresses at {row['meant']}."


def _answered(row: Row) -> str:
    if row["answered_anyone"]:
        return f"{_wrong(row)} itself has written to the organisation {_times(row['answered_anyone'])}."
    count = row["pair_answered"]
    there = f"{_many(count, 'address', 'addresses')} at {row['recipient_domain']}"
    return f"{there} that mail went to wrote to the organisation."


def _silent(row: Row) -> str:
    return (
        f"{row['recipient_domain']} sent no mail to the organisation in this log; of the domains used as much about "
        f"{row['pair_heard']:.0%} did."
    )


def _moved(row: Row) -> str:
    count = _many(row["pair_moved"], "address", "addresses")
    both = f"{row['recipient_domain']} and {row['meant']}"
    return f"{count} fell silent at one of {both} before first appearing at the other."


def _strangers(row: Row) -> str:
    count, known = int(row["pair_addresses"]), round(row["pair_addresses"] * row["pair_known"])
    there = f"{known or 'none'} {'appears' if known <= 1 else 'appear'}"
    used = f"Of {_many(count, 'address', 'addresses')} used at {row['recipient_domain']}"
    return f"{used} {there} at {row['meant']} in this log."


def _turned_away(row: Row) -> str:
    part = row["pair_failed"] - row["pair_no_domain"] - row["pair_no_mail"]
    return f"{_deliveries(part)} to {row['recipient_domain']} were refused or never accepted."


def _deliveries(share: float) -> str:
    return "All deliveries" if share >= 0.999 else f"{share:.0%} of the deliveries"


def _direction(row: Row) -> str:
    return (
        f"{row['meant']} may itself be a slip: one of {row['recipient_domain']} and {row['meant']}, or a third name, "
        "is meant, "
        "and this log alone does not tell which. Ask who owns them."
    )


def _other_level(row: Row) -> str:
    return (
        f"Somebody may own {row['recipient_domain']}: what this writer did is weighed for that case too."
        if row["value"] >= 0
        else f"{row['recipient_domain']} may be somebody's own, or a second name of {row['meant']}."
    )


_SENTENCES = {
    "slip": _slip,
    "usage": lambda r: (
        f"{r['meant']} takes part in {_pairs(r['meant_use'])}, {r['recipient_domain']} in {int(r['typed_use']):,}."
    ),
    "usage-owner": lambda r: (
        f"{r['recipient_domain']} and {r['meant']} are names that one owner may hold: there use tells "
        f"{'more' if r['meant_use'] > r['typed_use'] else 'less'}."
    ),
    "habit": _habit,
    "wrote-before": _wrote_before,
    "wrote-after": _wrote_after,
    "resent": _resent,
    "address-known": _address_known,
    "beside-same": _beside_same,
    "beside-domain": _beside_domain,
    "answered": _answered,
    "silent": _silent,
    "own-mail": lambda r: (
        f"{r['recipient_domain']} has sent mail to the organisation "
        f"({_many(r['pair_typed_in'], 'delivery', 'deliveries')})."
    ),
    "returned": lambda r: (
        f"{_many(r['pair_returned'], 'address was', 'addresses were')} used at {r['meant']} both before "
        f"and after {r['recipient_domain']} was."
    ),
    "moved": _moved,
    "strangers": _strangers,
    "no-such-domain": lambda r: (
        f"{_deliveries(r['pair_no_domain'])} to {r['recipient_domain']} failed: there was no such domain, the log says."
    ),
    "no-mail": lambda r: (
        f"{_deliveries(r['pair_no_mail'])} to {r['recipient_domain']} failed: it takes no mail, the log says."
    ),
    "turned-away": _turned_away,
    "one-server": lambda r: (
        f"One server that serves few domains accepted mail for {r['recipient_domain']} and {r['meant']}."
    ),
    "established": lambda r: (
        f"{r['recipient_domain']} takes part in {_pairs(r['pair_typed_pairs'])}, and has addresses that do not appear "
        f"at {r['meant']} in this log."
    ),
    "writers": lambda r: (
        f"{_who(r['pair_typed_writers'] - r['pair_typed_lists'], r['pair_typed_lists'])} came to use "
        f"{r['recipient_domain']} more than 30 days apart, or at addresses of their own."
    ),
    "shared-use": lambda r: (
        f"{_many(r['address_users'] - 1, 'other writer uses', 'other writers use')} {_wrong(r)} too."
    ),
    "kin": lambda r: f"Other domains below the registered domain of {r['recipient_domain']} are in use.",
    "newcomer": lambda r: f"{r['meant']} was in use before {r['recipient_domain']} first appeared in this log.",
    "unseen": lambda r: f"{r['meant']} does not appear in this log.",
    "asked-gone": lambda r: (
        f"{r['recipient_domain']} did not exist when an investigator asked; see the annex for the day."
    ),
    "asked-no-mail": lambda r: f"{r['recipient_domain']} took no mail, or was for sale, when an investigator asked.",
    "homograph": lambda r: (
        f"{r['recipient_domain']} is written in letters of another script that look like those of {r['meant']}: "
        "such are hardly typed by chance."
    ),
    "listed": lambda r: f"{r['meant']} is known to be in wide use: it stands on the list that ships with Missent.",
    "free-mail": lambda r: f"{r['recipient_domain']} is a public mail provider, where anybody may have an address.",
    "provider": lambda r: f"{r['meant']} is a public mail provider, and {r['recipient_domain']} none that is known.",
    "far": lambda r: (
        f"{r['recipient_domain']} and {r['meant']} lie far apart as names: only their addresses are alike."
    ),
    "rivals": lambda r: f"{' or '.join(r['rivals'])} may have been meant instead.",
    "direction": _direction,
    "writers-own-use": _other_level,
    "domain": _other_level,
}


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


def _of_addresses(row: Row, what: str, one: str = "", many: str = "") -> str:
    """How many of the typed domain's addresses, and the verb that agrees."""
    count, some = int(row["pair_addresses"]), max(round(row["pair_addresses"] * row[f"pair_{what}"]), 1)
    verb = one if some == 1 else many
    return f"{some:,} of {_many(count, 'address', 'addresses')} used at {row['recipient_domain']}{verb}"


def _pairs(count: float) -> str:
    return _many(count, "pair of sender and address", "pairs of sender and address")


def _who(senders: float, lists: float) -> str:
    """Senders and lists that chose an address, in words."""
    parts = [_many(senders, "sender", "senders")] if senders or not lists else []
    return " and ".join([*parts, *([_many(lists, "list", "lists")] if lists else [])])


def _times(count: float) -> str:
    return "never" if count == 0 else "once" if count == 1 else "twice" if count == 2 else f"{int(count):,} times"


def _many(count: float, one: str, many: str) -> str:
    return f"{int(count):,} {one if count == 1 else many}"


def _same(count: int, total: int) -> str:
    """The same message; of several, how many."""
    return "the same message" if total <= 1 else f"{int(count):,} of the same {int(total):,} messages"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("the ") else text
