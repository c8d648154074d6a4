"""How far a delivery had come that no server accepted: what was refused may have been read all the same."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from forensics import loaders

_KEPT = frozenset({"rejected", "discarded", "held"})
"""What the organisation's own servers did with it: no other server was sent anything."""


def content_sent(outcome: str, response: str | None, read_by: Collection[str]) -> bool | None:
    """Whether the message, or part of it, had been sent to the server that settled it. None where the log does not
    tell, or where records of several systems make up the delivery, so that the words of one may be the other's text.

    `read_by`: the loaders of its records.
    """
    if outcome == "delivered":
        return True
    if outcome in _KEPT:
        return False
    if not response or len(read_by) != 1:
        return None
    loader: Any = loaders.load(next(iter(read_by)))
    if not hasattr(loader, "content_sent"):
        return None
    sent: bool | None = loader.content_sent(response)
    return sent
