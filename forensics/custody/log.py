"""The custody log, `CASE/custody.jsonl`: who did what to the case, when; append-only and chained (`chain`)."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Mapping
from typing import Any

from forensics.case import Case
from forensics.custody import chain
from forensics.custody.chain import Chain, Clock, Head, now
from forensics.errors import VerificationFailed


def append(case: Case, action: str, details: Mapping[str, Any] | None = None, *, clock: Clock = now) -> Head:
    """Record an action (`ingest`, `detect`, `report`, `verdict`, …) with host and user; returns the new head."""
    content = {"action": action, "details": dict(details or {}), "host": host(), "user": user()}
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


__all__ = ["Chain", "Clock", "Head", "append", "check", "head", "host", "now", "read", "user"]
