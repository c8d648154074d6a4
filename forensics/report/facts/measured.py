"""The detector's measured error rates, as they ship with it, in the report's shape.

`forensics/detector/evaluation.json` is written by the evaluation (`tests/bench/detector.py`); nothing here is
computed, only picked out: domains each counted once a log, with exact intervals (Clopper and Pearson 1934).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from forensics.report.facts import Bin, Rate

SETS = ("folds_real", "left_out_real", "folds_simulated", "frozen", "hard", "ministries", "ministry")
"""What was measured on, in the order of the annex; `rate.<name>` of the wording says what each is."""

_CURVE = ("folds_real", "frozen", "folds_simulated")
"""The first of these that is there gives the reliability curve; its kinds of slip the recall by kind."""


def evaluation() -> Mapping[str, Any]:
    """The shipped measurement; empty when there is none."""
    found = files("forensics.detector").joinpath("evaluation.json")
    return dict(json.loads(found.read_text("utf-8"))) if found.is_file() else {}


def rates(measured: Mapping[str, Any]) -> tuple[Rate, ...]:
    """Precision, recall, intended domain right, cases that met their target, calibration error of each set; then recall
    by kind of slip."""
    return tuple(_rates(measured))


def _rates(measured: Mapping[str, Any]) -> Iterator[Rate]:
    for name in SETS:
        if name not in measured:
            continue
        one = measured[name]
        for measure in ("precision", "recall"):
            yield from _share(name, measure, one["pairs"][measure])
        yield from _share(name, "intended-right", one["intended"])
        if "target" in one:
            yield from _share(name, "cases-met", one["target"])
        c = one["calibration"]
        yield Rate(name, "calibration-error", c["ece"], c["low"], c["high"], c["count"])
    source = next((name for name in ("frozen", "folds_simulated", "folds_real") if name in measured), None)
    if source:
        for kind, one in sorted(measured[source]["by_kind"].items()):
            yield from _share(kind, "recall", one["recall"])


def _share(name: str, measure: str, one: Mapping[str, Any]) -> Iterator[Rate]:
    if one["share"] is not None:
        yield Rate(name, measure, one["share"], one["low"], one["high"], one["of"])


def reliability(measured: Mapping[str, Any]) -> tuple[Bin, ...]:
    """Bins of equal mass: score given, share that were slips."""
    source = next((name for name in _CURVE if name in measured), None)
    if source is None:
        return ()
    curve = measured[source]["calibration"]["curve"]
    return tuple(Bin(one["predicted"], one["observed"], one["count"]) for one in curve)


def described(measured: Mapping[str, Any]) -> str:
    """The command that measured, and the threshold; empty without measurement."""
    if not measured:
        return ""
    return f"{measured.get('command', '')}; {measured.get('threshold', '')}"
