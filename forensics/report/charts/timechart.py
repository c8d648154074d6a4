"""The timeline: misdirected mail above, all other outbound mail below, on one axis of time.

Days are added up to weeks or months where a bar a day would be too thin. Stretches without any outbound mail are
folded to a narrow gap that says how long they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from forensics.report.charts import svg
from forensics.report.charts.svg import line, rect, text
from forensics.report.facts import Day, Facts
from forensics.report.text.blocks import Chart
from forensics.report.text.prose import noun
from forensics.report.text.wording import Words

WIDTH = 760
_LEFT, _RIGHT = 44, 8
_UPPER, _LOWER, _BETWEEN, _TOP = 118, 62, 34, 26
_FOLD = 14
"""Days without outbound mail from which a gap is folded."""
_GAP = 64
"""Room for what a gap says of itself."""
_LABEL = {"day": 62, "week": 118, "month": 54}
"""Pixels that a label on the axis takes."""
_BARS = 130
_OF_A_GAP = math.ceil(_GAP * _BARS / (WIDTH - _LEFT - _RIGHT))
"""Bars whose room a gap takes, where as many stand as may."""


@dataclass(frozen=True)
class _Bar:
    start: date
    days: int
    legitimate: int
    accepted: int
    refused: int


def timeline(facts: Facts, words: Words) -> Chart | None:
    """Misdirected and other outbound deliveries by day, week or month."""
    if not facts.days:
        return None
    step, runs = _runs(facts.days)
    gaps = len(runs) - 1
    count = sum(len(run) for run in runs)
    width = (WIDTH - _LEFT - _RIGHT - gaps * _GAP) / count
    top_scale = _scale(max((b.accepted + b.refused for run in runs for b in run), default=0), _UPPER)
    low_scale = _scale(max((b.legitimate for run in runs for b in run), default=0), _LOWER)
    found = bool(facts.groups.headline.deliveries.value)
    # Without findings there is one panel: all outbound mail.
    base = float(_TOP + _UPPER if found else 14 - _BETWEEN)
    floor = base + _BETWEEN + _LOWER
    parts = [*(_upper_axes(words, top_scale, base) if found else []), *_axes(words, low_scale, floor)]
    x = float(_LEFT)
    before: _Bar | None = None
    labelled = -100.0
    for run in runs:
        if before is not None:
            missing = (run[0].start - before.start).days - before.days
            parts += _fold(words, x, missing, _TOP if found else 16, base if found else floor, floor)
            x += _GAP
        labelled = max(labelled, x - _LABEL[step] + 2) if before is not None else labelled
        for bar in run:
            parts += _bar(words, step, bar, x, width, base, floor, top_scale[1], low_scale[1])
            if x - labelled >= _LABEL[step] and x + _LABEL[step] - 12 < WIDTH:
                labelled = x
                parts.append(line(x, floor, x, floor + 5, "soft"))
                parts.append(text(x, floor + 18, _short(words, step, bar.start), size=11, fill="soft"))
            x += width
        before = run[-1]
    head = facts.groups.headline
    alt = words(
        "chart.timeline_alt" if found else "chart.outbound_alt",
        misdirected=noun(words, "deliveries", head.deliveries.value),
        accepted=head.exposed.value,
        first=words.day(facts.days[0].day),
        last=words.day(facts.days[-1].day),
        others=noun(words, "deliveries", sum(day.legitimate for day in facts.days)),
    )
    caption = words(f"chart.timeline_{step}" if found else f"chart.outbound_{step}")
    return Chart(svg.document("timeline", WIDTH, floor + 26, alt, parts), alt, caption, wide=True)


def _scale(most: int, height: float) -> tuple[int, float]:
    """(round top of the axis, pixels a delivery)."""
    top = 1
    while top < most:
        for factor in (1, 2, 5):
            if top * factor >= most:
                return top * factor, height / (top * factor)
        top *= 10
    return top, height / top


def _upper_axes(words: Words, top: tuple[int, float], base: float) -> list[str]:
    right = WIDTH - _RIGHT
    return [
        text(0, 10, words("chart.misdirected"), size=12, bold=True),
        line(_LEFT, _TOP, right, _TOP, "hair"),
        line(_LEFT, base, right, base, "ink"),
        text(_LEFT - 6, _TOP + 4, words.number(top[0]), size=11, anchor="end", fill="soft"),
        text(_LEFT - 6, base + 4, "0", size=11, anchor="end", fill="soft"),
        text(0, base + _BETWEEN - 6, words("chart.other"), size=12, bold=True),
    ]


def _axes(words: Words, low: tuple[int, float], floor: float) -> list[str]:
    right = WIDTH - _RIGHT
    return [
        line(_LEFT, floor, right, floor, "soft"),
        text(_LEFT - 6, floor - _LOWER + 8, words.number(low[0]), size=11, anchor="end", fill="soft"),
        text(_LEFT - 6, floor + 4, "0", size=11, anchor="end", fill="soft"),
    ]


def _bar(
    words: Words, step: str, bar: _Bar, x: float, width: float, base: float, floor: float, upper: float, lower: float
) -> list[str]:
    out = []
    inner = max(0.8, width - max(1.0, width * 0.16))
    accepted, refused = bar.accepted * upper, bar.refused * upper
    label = words("chart.bar", day=_short(words, step, bar.start), accepted=bar.accepted, refused=bar.refused)
    if accepted:
        out.append(rect(x, base - accepted, inner, accepted, "warn", title=label))
    if refused:
        top, high = base - accepted - refused + 0.5, max(0.5, refused - 1)
        out.append(rect(x + 0.5, top, max(0.5, inner - 1), high, "none", stroke="ink", title=label))
    if bar.legitimate:
        height = bar.legitimate * lower
        out.append(rect(x, floor - height, inner, height, "grey"))
    return out


def _fold(words: Words, x: float, missing: int, top: float, base: float, floor: float) -> list[str]:
    middle = x + _GAP / 2 - 2
    out = [line(middle, top, middle, floor, "line", dash="2 3")]
    out.append(text(middle, base - 40, words("chart.gap", n=missing), size=10.5, anchor="middle", fill="soft"))
    out.append(text(middle, base - 27, words("chart.gap_what"), size=10.5, anchor="middle", fill="soft"))
    return out


def _short(words: Words, step: str, day: date) -> str:
    """`4 Jan 23`, `week of 2 Jan 23`, `Jan 23`."""
    if step == "month":
        return f"{words.month(day)} {day:%y}"
    named = f"{day.day} {words.month(day)} {day:%y}"
    return words("chart.week", day=named) if step == "week" else named


def _runs(days: Sequence[Day]) -> tuple[str, list[list[_Bar]]]:
    """(`day`, `week` or `month`, unbroken runs of bars)."""
    first, last = days[0].day, days[-1].day
    span = (last - first).days + 1
    step = "day" if _folded(days) <= _BARS else "week" if span <= 7 * _BARS else "month"
    fold = _FOLD if step == "day" else span + 1
    by: dict[date, list[int]] = {}
    for day in days:
        sums = by.setdefault(_start(day.day, step), [0, 0, 0])
        sums[0] += day.legitimate
        sums[1] += day.exposed
        sums[2] += day.not_exposed
    runs: list[list[_Bar]] = []
    at = _start(first, step)
    quiet = fold + 1
    run: list[_Bar] = []
    while at <= last:
        following = _next(at, step)
        sums = by.get(at, [0, 0, 0])
        bar = _Bar(at, (following - at).days, *sums)
        quiet = 0 if at in by else quiet + 1
        if quiet == 0 and (not runs or not run):
            run = [bar]
            runs.append(run)
        elif run:
            run.append(bar)
            if quiet >= fold:
                del run[-quiet:]
                run = []
        at = following
    return step, runs


def _folded(days: Sequence[Day]) -> int:
    """Bars that take the room of all days when long gaps are folded."""
    total = 1
    for a, b in pairwise(days):
        gap = (b.day - a.day).days
        total += gap if gap < _FOLD else 1 + _OF_A_GAP
    return total


def _start(day: date, step: str) -> date:
    if step == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == "month" else day


def _next(day: date, step: str) -> date:
    if step == "month":
        return (day + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if step == "week" else 1)
