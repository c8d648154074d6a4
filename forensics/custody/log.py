"""The custody log, `CASE/custody.jsonl`: who did what to the case, when; append-only and chained (`chain`)."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forensics.case import Case
from forensics.custody import chain
from forensics.custody.chain import Chain, Clock, Head, now
from forensics.errors import VerificationFailed


@dataclass(frozen=True)
class By:
    """Who says that they did it, and what they note: words of people, kept beside host and login name."""

    examiner: str = ""
    note: str = ""

    def said(self) -> dict[str, str]:
        """What was given, by name."""
        given = {"examiner": self.examiner.strip(), "note": self.note.strip()}
        return {name: text for name, text in given.items() if text}


NOBODY = By()


def append(
    case: Case, action: str, details: Mapping[str, Any] | None = None, *, by: By = NOBODY, clock: Clock = now
) -> Head:
    """Record an action (`ingest`, `detect`, `report`, `verdict`, …) with host and user; returns the new head."""
    content = {"action": action, "details": dict(details or {}), "host": host(), "user": user(), **by.said()}
    entry = chain.append(case.custody_log, content, clock)
    return Head(entry["sequence"], entry["digest"])


def check(case: Case, expected: Head | None = None) -> Chain:
    """The log and its faults. `expected`: the head that the manifest recorded."""
    return chain.check(case.custody_log, expected)


def read(case: Case) -> tuple[Mapping[str, Any], ...]:
    """All entries. Raises VerificationFailed when the chain is broken."""
    found = check(case)
    if found.faults:
        raise VerificationFailed(found.faults[0], remedy="see all faults with `missent verify`")
    return found.entries


def details(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an entry tells of its action; empty where somebody wrote something else there."""
    told = entry.get("details")
    return told if isinstance(told, Mapping) else {}


def who(entry: Mapping[str, Any]) -> str:
    """By whom an entry was made, in words: as they called themselves, and as the system knew them."""
    examiner = entry.get("examiner") or "no examiner named"
    return f"{examiner} (user {entry.get('user')} on {entry.get('host')})"


def head(case: Case) -> Head:
    """The last entry's sequence and digest; (0, zeros) for an empty log."""
    return check(case).head


def host() -> str:
    return socket.gethostname()


def user() -> str:
    """Login name; the numeric id where the system knows no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        import os

        return str(os.getuid())


__all__ = [
    "NOBODY",
    "By",
    "Chain",
    "Clock",
    "Head",
    "append",
    "check",
    "details",
    "head",
    "host",
    "now",
    "read",
    "user",
    "who",
]
