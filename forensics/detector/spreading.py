"""How one wrong address spreads: reply-all from writer to writer, the address book from message to message.

A later message *carries on* an earlier one to the same wrong address when it went to much the same people, or its
subject is the same but for `Re:`, within `WITHIN`. The first writer of such a chain made the slip; the others only
answered to all. Found from recipients, subjects and times alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WITHIN = timedelta(days=30)
_OVERLAP = 0.5
"""Share of the smaller recipient set that two messages of one conversation have in common."""
_LOOK_BACK = 400
"""Earlier messages to the same wrong address that are compared."""
_PREFIX = re.compile(r"^\s*((re|fwd?|aw|wg|tr|sv|antw)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)


@dataclass(frozen=True)
class Sent:
    """One message to one wrong address."""

    delivery_id: str
    writer: str
    """Who chose the address: the sender, or the list that expanded to it."""
    sender: str
    at: datetime
    message: str
    subject: str | None
    co_recipients: frozenset[str]
    """The message's other recipients."""


def topic(subject: str | None) -> str:
    """The subject without reply marks, folded.

    >>> topic("Re: AW: Visit"), topic(None)
    ('visit', '')
    """
    return _PREFIX.sub("", subject or "").strip().casefold()


def carried_on(messages: Sequence[Sent]) -> dict[str, str]:
    """delivery_id → that of the message by *another* writer that it carries on. `messages`: one wrong address."""
    ordered = sorted(messages, key=lambda m: (m.at, m.delivery_id))
    found: dict[str, str] = {}
    for i, later in enumerate(ordered):
        for earlier in reversed(ordered[max(0, i - _LOOK_BACK) : i]):
            if later.at - earlier.at > WITHIN:
                break
            if (
                earlier.writer != later.writer
                and earlier.message != later.message
                and _one_conversation(earlier, later)
            ):
                found[later.delivery_id] = earlier.delivery_id
                break
    return found


def clusters(messages: Sequence[Sent], links: dict[str, str]) -> list[set[str]]:
    """Writers joined by carried-on messages, each set of two or more."""
    writer = {m.delivery_id: m.writer for m in messages}
    sets: list[set[str]] = []
    for later, earlier in sorted(links.items()):
        pair = {writer[later], writer[earlier]}
        joined = [s for s in sets if s & pair]
        sets = [s for s in sets if not s & pair] + [pair.union(*joined)]
    return sets


def _one_conversation(earlier: Sent, later: Sent) -> bool:
    same_topic = bool(topic(earlier.subject)) and topic(earlier.subject) == topic(later.subject)
    if earlier.sender in later.co_recipients:
        return (
            same_topic or not topic(later.subject) or _overlap(earlier.co_recipients, later.co_recipients) >= _OVERLAP
        )
    return (same_topic and bool(earlier.co_recipients & later.co_recipients)) or _overlap(
        earlier.co_recipients, later.co_recipients
    ) >= _OVERLAP


def _overlap(a: Collection[str], b: Collection[str]) -> float:
    common = len(set(a) & set(b))
    return common / min(len(a), len(b)) if common >= 2 else 0.0
