"""What the page draws: a bar for each reason, and the traffic of both domains over time, as SVG without styles.

Sizes are attributes and colours classes, because the page's policy allows no inline style.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from forensics.review.web.book import Book, Pair, Row, day

WIDTH = 200
"""Units of a bar's full width; half of it lies on each side of nought."""
BUCKETS = 60


def bar(weight: float, largest: float) -> Markup:
    """A weight as a bar to the right of nought (for a slip) or to the left (against it)."""
    half = WIDTH / 2
    length = round(abs(weight) / largest * half, 1) if largest else 0
    start, kind = (half, "plus") if weight >= 0 else (half - length, "minus")
    return Markup(
        f'<svg class="bar" viewBox="0 0 {WIDTH} 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="{kind}" x="{start}" y="1" width="{length}" height="8"/>'
        f'<rect class="axis" x="{half - 0.5}" y="0" width="1" height="10"/></svg>'
    )


def share(value: float) -> Markup:
    """A probability as a bar from the left."""
    width = round(max(0.0, min(1.0, value)) * WIDTH, 1)
    return Markup(
        f'<svg class="bar" viewBox="0 0 {WIDTH} 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="rest" x="0" y="1" width="{WIDTH}" height="8"/>'
        f'<rect class="plus" x="0" y="1" width="{width}" height="8"/></svg>'
    )


def largest(reasons: Sequence[Mapping[str, Any]]) -> float:
    return max((abs(reason["weight"]) for reason in reasons), default=0.0)


def timeline(book: Book, pair: Pair) -> tuple[dict[str, Any], ...]:
    """For each of the two domains its name, numbers, first and last day, and a drawing of BUCKETS at most over the days
    of the case: mail sent to it upwards, received from it downwards."""
    first, last = book.days
    width = max(1, -(-(last - first + 1) // BUCKETS))
    both = [_buckets(book.traffic.get(name, {}), first, width) for name in pair.pair]
    top = max((n for one in both for pair_ in one.values() for n in pair_), default=1) or 1
    out = []
    for name, buckets in zip(pair.pair, both, strict=True):
        days = sorted(book.traffic.get(name, {}))
        totals = [sum(one[side] for one in book.traffic.get(name, {}).values()) for side in (0, 1)]
        out.append(
            {
                "domain": name,
                "sent": totals[0],
                "received": totals[1],
                "first": day(days[0]) if days else "",
                "last": day(days[-1]) if days else "",
                "drawing": _columns(buckets, (last - first) // width + 1, top),
            }
        )
    return tuple(out)


def span(book: Book) -> tuple[str, str, int]:
    """First and last day of the case, and how many days one column stands for."""
    first, last = book.days
    return day(first), day(last), max(1, -(-(last - first + 1) // BUCKETS))


def _buckets(traffic: Mapping[int, tuple[int, int]], first: int, width: int) -> dict[int, tuple[int, int]]:
    out: dict[int, tuple[int, int]] = {}
    for at, (sent, received) in traffic.items():
        before = out.get((at - first) // width, (0, 0))
        out[(at - first) // width] = (before[0] + sent, before[1] + received)
    return out


def _columns(buckets: Mapping[int, tuple[int, int]], count: int, top: int) -> Markup:
    parts = []
    for at, (sent, received) in sorted(buckets.items()):
        for kind, n in (("sent", sent), ("received", received)):
            if n:
                height = round(max(1.5, 24 * n / top), 1)
                y = 25 - height if kind == "sent" else 26
                parts.append(f'<rect class="{kind}" x="{at * 10 + 1}" y="{y}" width="8" height="{height}"/>')
    return Markup(
        f'<svg class="time" viewBox="0 0 {count * 10} 51" preserveAspectRatio="none" aria-hidden="true" '
        f'focusable="false"><rect class="axis" x="0" y="25" width="{count * 10}" height="1"/>{"".join(parts)}</svg>'
    )


def strongest_first(reasons: Sequence[Row]) -> list[Row]:
    return sorted(reasons, key=lambda reason: -abs(reason["weight"]))
