"""successors.jsonl: deliveries that have another name since evidence from before them arrived, append-only and chained.

An earlier rotation may show how a message that was known from its middle on began: its delivery then has another
submission, and so another id. An entry is `{old, new, sequence, at, previous, digest}` (`custody.chain`). A ruling on
the old one follows to the new one, which holds all its records.
"""

from __future__ import annotations

from collections.abc import Mapping
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
        steps = {str(entry["old"]): str(entry["new"]) for entry in checked.entries}
    except KeyError as error:
        raise VerificationFailed(f"{case.successors}: an entry names no delivery ({error})") from None
    return {old: _end(steps, old) for old in steps}


def _end(steps: Mapping[str, str], old: str) -> str:
    seen = {old}
    new = steps[old]
    while new in steps and new not in seen:
        seen.add(new)
        new = steps[new]
    return new


def record(case: Case, found: Mapping[str, str], clock: Clock = now) -> dict[str, Any]:
    """Append these, and give what the custody log is to say of it."""
    made = [chain.append(case.successors, {"old": old, "new": new}, clock) for old, new in sorted(found.items())]
    if not made:
        return {}
    return {"successors": [made[0]["sequence"], made[-1]["sequence"]], "successors_head": made[-1]["digest"]}


def faults(case: Case, recorded: Mapping[str, Any] | None) -> tuple[int, list[str]]:
    """(entries, what is not as the custody log recorded it last)."""
    head = Head(recorded["successors"][1], recorded["successors_head"]) if recorded else None
    found = chain.check(case.successors, head)
    said = list(found.faults)
    if len(found.entries) > (head.sequence if head else 0):
        said.append(f"{case.successors.name} holds entries that the custody log did not record")
    return len(found.entries), said
