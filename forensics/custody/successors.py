"""successors.jsonl: deliveries that have another name since evidence from before them arrived, append-only and chained.

An earlier rotation may show how a message that was known from its middle on began: its delivery then has another
submission, and so another id. An entry is `{old, new, sequence, at, previous, digest}` (`custody.chain`). A ruling on
the old one follows to the new one, which holds all its records. Where it no longer does with still more evidence, an
entry names the old one itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forensics.case import Case
from forensics.custody import chain
from forensics.custody.chain import Clock, Head, now
from forensics.errors import VerificationFailed


def read(case: Case) -> dict[str, str]:
    """Old id → the id that stands for it now. Raises VerificationFailed when the file was altered."""
    if not case.successors.exists():
        return {}
    checked = chain.check(case.successors)
    if checked.faults:
        raise VerificationFailed(f"successors were altered: {checked.faults[0]}")
    try:
        return _followed(checked.entries)
    except KeyError as error:
        raise VerificationFailed(f"{case.successors}: an entry names no delivery ({error})") from None


def _followed(entries: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Entry by entry: what stands for an id, and for all that it stood for itself."""
    now: dict[str, str] = {}
    behind: dict[str, set[str]] = {}
    for entry in entries:
        old, new = str(entry["old"]), str(entry["new"])
        moved = {old} if old == new else {old, *behind.pop(old, ())}
        for one in moved:
            behind.get(now.get(one, ""), set()).discard(one)
            now[one] = new
        behind.setdefault(new, set()).update(moved)
    return now


def record(case: Case, found: Mapping[str, str], clock: Clock = now) -> dict[str, Any]:
    """Append these, and give what the custody log is to say of it."""
    made = [chain.append(case.successors, {"old": old, "new": new}, clock) for old, new in sorted(found.items())]
    if not made:
        return {}
    return {"successors": [made[0]["sequence"], made[-1]["sequence"]], "successors_head": made[-1]["digest"]}


def faults(case: Case, recorded: Sequence[Head]) -> tuple[int, list[str]]:
    """(ids that another one stands for, what is not as the custody log recorded it)."""
    found = chain.check(case.successors, recorded)
    said = list(found.faults)
    if len(found.entries) > max((one.sequence for one in recorded), default=0):
        said.append(f"{case.successors.name} holds entries that the custody log did not record")
    moved = {} if said else _followed(found.entries)
    return sum(old != new for old, new in moved.items()), said
