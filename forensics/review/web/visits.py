"""What a reviewer's last visit to a case saw: kept for each user outside the case, which a visit must not change.

`$XDG_STATE_HOME/missent/visits/CASE.json` (else below `~/.local/state`), CASE being the beginning of the custody log's
first digest: {reviewer: {"verdicts": highest sequence, "findings": [delivery ids]}}.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.custody import canonical, log, remembered


@dataclass(frozen=True)
class Visit:
    """What was there at the last visit."""

    verdicts: int
    findings: frozenset[str]


def known_as(case: Case) -> str:
    """What a case is called, wherever its folder lies: 12 digits."""
    entries = log.read(case)
    return str(entries[0]["digest"])[:12] if entries else canonical.digest(str(case.folder.absolute()))[:12]


def place(case: Case) -> Path | None:
    kept = folder()
    return kept / f"{known_as(case)}.json" if kept else None


def folder() -> Path | None:
    """Where this user's visits are kept; None where nothing of this user can be."""
    kept = remembered.folder()
    return kept / "visits" if kept else None


def before(case: Case, reviewer: str) -> Visit | None:
    """The reviewer's last visit; None when there was none, or nothing was kept of it."""
    path = place(case)
    one = _kept(path).get(reviewer) if path else None
    try:
        return Visit(int(one["verdicts"]), frozenset(map(str, one["findings"]))) if one else None
    except (KeyError, TypeError, ValueError):
        return None


def keep(case: Case, reviewer: str, verdicts: int, findings: Iterable[str]) -> str:
    """Keep what this visit saw. Says why when that cannot be; a desk works without."""
    path = place(case)
    if path is None:
        return "this visit is not remembered: this user has no home folder"
    kept = _kept(path) | {reviewer: {"verdicts": verdicts, "findings": sorted(findings)}}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        canonical.put(path, canonical.page(kept))
    except OSError as error:
        return f"this visit is not remembered: {error}"
    return ""


def _kept(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
