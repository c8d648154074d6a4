"""The report's charts, drawn as SVG from facts alone.

They read in grey: accepted mail is a filled bar, mail that was not accepted an outline (grey inside where it had been
sent to the server all the same), and every bar has its number. One colour warns, and only where mail was accepted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

from forensics.report.charts import flowchart, svg, timechart
from forensics.report.charts.svg import line, rect, text
from forensics.report.facts import Facts, Place, tallies
from forensics.report.text.blocks import Chart
from forensics.report.text.wording import Words

WIDTH = 760
_ROW = 30


def draw(facts: Facts, words: Words) -> dict[str, Chart]:
    """Every chart that has something to show, by name: timeline, outcomes, flows, places, calibration."""
    makers: dict[str, Callable[[Facts, Words], Chart | None]] = {
        "timeline": timechart.timeline,
        "outcomes": outcomes,
        "flows": flowchart.flows,
        "places": places,
        "calibration": calibration,
    }
    drawn = {name: make(facts, words) for name, make in makers.items()}
    return {name: chart for name, chart in drawn.items() if chart is not None}


def outcomes(facts: Facts, words: Words) -> Chart | None:
    """Shares of the headline deliveries by what became of them, as one divided bar; none where all are of one kind."""
    head = facts.groups.headline
    total = head.deliveries.value
    if not total:
        return None
    found = tallies.headline(facts.findings)
    sent, unknown = (sum(map(which, found)) for which in (tallies.was_sent, tallies.may_have_been))
    by = Counter(x.exposure for x in found if not (tallies.was_sent(x) or tallies.may_have_been(x)))
    # A part must not bear the name under which tables count the whole.
    refused, unsettled = (words(f"exposure.{x}") for x in ("not-exposed", "unsettled"))
    if sent or unknown:
        refused, unsettled = (words("chart.nothing_sent", said=said) for said in (refused, unsettled))
    shares = [
        (name, number, fill, stroke)
        for name, number, fill, stroke in (
            (words("exposure.exposed"), by["exposed"], "warn", ""),
            (words("exposure.handed-on"), by["handed-on"], "soft", ""),
            (words("chart.content_sent"), sent, "grey", "ink"),
            (words("chart.stage_unknown"), unknown, "hair", "ink"),
            (refused, by["not-exposed"], "none", "ink"),
            (unsettled, by["unsettled"], "none", "soft"),
        )
        if number
    ]
    if len(shares) < 2:
        return None
    parts: list[str] = []
    at = 0.0
    for name, value, fill, stroke in shares:
        width = WIDTH * value / total
        parts.append(rect(at + 0.5, 0.5, max(1, width - 2), 19, fill, stroke=stroke, title=f"{name}: {value}"))
        at += width
    labels = [
        words("chart.share", name=name, n=value, percent=words.number(100 * value / total, 0))
        for name, value, _, _ in shares
    ]
    rows = _rows(labels, [value for _, value, _, _ in shares], total)
    for (_, _, fill, _), label, (x, row) in zip(shares, labels, rows, strict=True):
        colour = "warn" if fill == "warn" else "ink"
        parts.append(text(x, 38 + 18 * row, label, fill=colour, size=13, bold=True))
    listed = words.join([f"{name} {words.number(value)}" for name, value, _, _ in shares])
    alt = words("chart.outcomes_alt", n=total, parts=listed)
    height = 44 + 18 * max(row for _, row in rows)
    return Chart(svg.document("outcomes", WIDTH, height, alt, parts), alt, words("chart.outcomes"))


_LETTER = 7.6
"""Width of a bold letter of size 13, as broad as fonts have it on average."""


def _rows(labels: list[str], values: list[int], total: int) -> list[tuple[float, int]]:
    """(x, row) of each label: below the beginning of its part, moved left where it would leave the picture, and in the
    first row in which it runs into no other."""
    ends: list[list[tuple[float, float]]] = []
    out = []
    at = 0.0
    for label, value in zip(labels, values, strict=True):
        width = _LETTER * len(label)
        x = max(0.0, min(at, WIDTH - width))
        free = (n for n, row in enumerate(ends) if all(x > right + 12 or x + width + 12 < left for left, right in row))
        row = next(free, len(ends))
        if row == len(ends):
            ends.append([])
        ends[row].append((x, x + width))
        out.append((x, row))
        at += WIDTH * value / total
    return out


def places(facts: Facts, words: Words) -> Chart | None:
    """Deliveries by country or suffix, accepted and refused."""
    if not facts.places:
        return None
    shown = facts.places[:12]
    most = max(place.deliveries.value for place in shown)
    left, right = 190, 140
    scale = (WIDTH - left - right) / most
    parts = []
    for n, place in enumerate(shown):
        y = n * _ROW
        name = place.country_name or words("chart.no_country" if place.exists else "chart.no_registry")
        parts.append(text(left - 12, y + 19, svg.label(name, 22), size=13, anchor="end", fill="ink"))
        parts.append(text(0, y + 19, "." + svg.label(place.suffix, 10), size=12, mono=True, fill="soft"))
        accepted = place.accepted.value * scale
        rest = (place.deliveries.value - place.accepted.value) * scale
        if accepted:
            parts.append(rect(left, y + 5, accepted, 19, "warn"))
        if rest:
            parts.append(rect(left + accepted + 0.5, y + 5.5, max(1, rest - 1), 18, "none", stroke="ink"))
        parts.append(text(left + accepted + rest + 8, y + 19, _of(place, words), size=12, fill="soft"))
    height = len(shown) * _ROW + 4
    parts.append(line(left, 0, left, height, "ink"))
    listed = words.join([f"{p.country_name or '.' + p.suffix} {_of(p, words)}" for p in shown])
    alt = words("chart.places_alt", parts=listed)
    return Chart(svg.document("places", WIDTH, height, alt, parts), alt, words("chart.places"))


def _of(place: Place, words: Words) -> str:
    return words("chart.place", accepted=place.accepted.value, n=place.deliveries.value)


def calibration(facts: Facts, words: Words) -> Chart | None:
    """Scores given against the share that were slips, on the measured cases."""
    bins = facts.method.reliability
    if not bins:
        return None
    size, left, top = 300, 56, 12
    parts = [
        rect(left, top, size, size, "none", stroke="line"),
        line(left, top + size, left + size, top, "soft", dash="4 4"),
    ]
    for tenth in (0, 25, 50, 75, 100):
        at = size * tenth / 100
        parts.append(text(left + at, top + size + 18, f"{tenth} %", size=11, anchor="middle", fill="soft"))
        parts.append(text(left - 8, top + size - at + 4, f"{tenth} %", size=11, anchor="end", fill="soft"))
    points = [(left + size * b.predicted, top + size * (1 - b.observed), b.count) for b in bins]
    for (x1, y1, _), (x2, y2, _) in pairwise(points):
        parts.append(line(x1, y1, x2, y2, "accent", width=1.5))
    parts.extend(svg.circle(x, y, min(9, 2.5 + count**0.5 / 4), "accent") for x, y, count in points)
    parts.append(text(left + size / 2, top + size + 38, words("chart.predicted"), size=12, anchor="middle"))
    parts.append(text(left + size + 16, top + 16, words("chart.observed"), size=12))
    cases = sum(b.count for b in bins)
    alt = words("chart.calibration_alt", n=cases, bins=len(bins))
    drawn = svg.document("calibration", WIDTH - 200, top + size + 48, alt, parts)
    return Chart(drawn, alt, words("chart.calibration"), share=0.7)
