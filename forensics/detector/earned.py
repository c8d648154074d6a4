"""Which levels the evaluation earned: those right at least as often as their scores say.

A level is earned on real logs, each scored by a detector that had not seen it (`left_out_real` of evaluation.json),
when of EARNED_FROM pairs or more at least that share were slips which their mean score promises. What is not earned is
not measured: it stands in the findings, for review, and in no headline.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from forensics.headline import COUNTING

EARNED_FROM = 20
"""Fewer pairs of a level do not tell whether it is earned."""


@dataclass(frozen=True)
class Earned:
    """What was measured of one level; `low` never counts, whatever was measured."""

    level: str
    hits: int
    """Pairs that were slips, of `of`."""
    of: int
    mean: float | None
    """Mean score of these pairs; None without any."""

    @property
    def earned(self) -> bool:
        return self.mean is not None and self.of >= EARNED_FROM and self.hits >= self.mean * self.of


def levels(measured: Mapping[str, Any]) -> tuple[Earned, ...]:
    """Of each level that may count what evaluation.json holds; nothing of one that it does not name."""
    told = measured.get("left_out_real", {}).get("levels", {})
    return tuple(
        Earned(name, told[name]["hits"], told[name]["of"], told[name]["mean"]) for name in COUNTING if name in told
    )


def headline(measured: Mapping[str, Any]) -> tuple[str, ...]:
    """Levels that count in a headline."""
    return tuple(one.level for one in levels(measured) if one.earned)


@cache
def shipped() -> Mapping[str, Any]:
    """The evaluation that ships with the package."""
    return dict(json.loads(files("forensics.detector").joinpath("evaluation.json").read_text("utf-8")))
