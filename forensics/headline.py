"""Which levels of findings count in verdicts, titles and sums: as the detection recorded it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from forensics.case import Case

COUNTING = ("high", "medium")
"""Levels that say more for a slip than against it."""


def told(detection: Mapping[str, Any]) -> tuple[str, ...]:
    """The levels that count by what detection.json says; COUNTING where it says nothing.

    >>> told({"headline": ["high"]}), told({})
    (('high',), ('high', 'medium'))
    """
    return tuple(name for name in detection.get("headline", COUNTING) if name in COUNTING)


def read(case: Case) -> Mapping[str, Any]:
    """detection.json; empty before a detection."""
    return dict(json.loads(case.detection.read_text("utf-8"))) if case.detection.exists() else {}


def levels(case: Case) -> tuple[str, ...]:
    """The levels that count in this case."""
    return told(read(case))


def sql(levels: tuple[str, ...]) -> str:
    """The levels as a list of SQL, never empty.

    >>> sql(("high",)), sql(())
    ("('high')", "('')")
    """
    return "(" + ", ".join(f"'{name}'" for name in levels or ("",)) + ")"
