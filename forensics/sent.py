"""How far a delivery had come that no server accepted: what was refused may have been read all the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from forensics import loaders

_KEPT = frozenset({"rejected", "discarded", "held"})
"""What the organisation's own servers did with it: no other server was sent anything."""


def content_sent(outcome: str, response: str | None, attempts: int, read_by: Collection[str]) -> bool | None:
    """Whether the message, or part of it, had been sent to a server that did not accept it; true of what was delivered.

    None where that is not known: the log does not tell it, records of several systems make up the delivery, so that the
    words of one may be the other's text, or the last of several attempts sent nothing. The tables keep the reply to the
    last one alone, and an earlier one may have failed after the whole message had been sent.

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
    return None if sent is False and attempts > 1 else sent


def of(delivery: Mapping[str, Any], read_by: Mapping[str, str]) -> bool | None:
    """The same of a row of deliveries; None of one that the case does not hold. `read_by`: the loader of each evidence,
    by its id."""
    if delivery["outcome"] is None:
        return None
    cited = {record["evidence"] for record in delivery["records"]}
    named = {read_by[one] for one in cited if one in read_by}
    return content_sent(delivery["outcome"], delivery["response"], delivery["attempts"], named)
