"""Which levels of findings count in verdicts, titles and sums: as the detection recorded it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COUNTING = ("high", "medium")
"""Levels that say more for a slip than against it."""


def told(detection: Mapping[str, Any]) -> tuple[str, ...]:
    """The levels that count by what detection.json says; COUNTING where it says nothing.

    >>> told({"headline": ["high"]}), told({})
    (('high',), ('high', 'medium'))
    """
    listed = detection.get("headline")
    return tuple(name for name in listed if name in COUNTING) if isinstance(listed, list) else COUNTING


def sql(levels: tuple[str, ...]) -> str:
    """The levels as a list of SQL, never empty.

    >>> sql(("high",)), sql(())
    ("('high')", "('')")
    """
    return "(" + ", ".join(f"'{name}'" for name in levels or ("",)) + ")"
