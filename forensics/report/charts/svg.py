"""Drawing by hand: SVG elements as text, the same bytes each time.

Every shape carries its colour twice: as attributes, for PDF and Word, and as a class (`c-…` fill, `l-…` stroke), by
which the web page restyles it for dark screens. Values are escaped here and nowhere else.
"""

from __future__ import annotations

from html import escape
from xml.sax.saxutils import quoteattr

from forensics.report.text.visible import cut, inked, visible

COLOURS = {
    "ink": "#1a1a1a",
    "soft": "#565b63",
    "line": "#c8ccd2",
    "hair": "#e3e5e9",
    "grey": "#c8ccd2",
    "paper": "#ffffff",
    "accent": "#1f4e79",
    "warn": "#a3201d",
}
LABEL = 44
"""Characters of a label; longer ones are cut, the tables have them whole."""


def label(value: str, limit: int = LABEL) -> str:
    """A value as a chart label."""
    shown = visible(cut(value, 400))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def rect(x: float, y: float, width: float, height: float, fill: str, *, stroke: str = "", title: str = "") -> str:
    """A bar. With `stroke` an outline, filled with paper where `fill` is `none`."""
    paint = f'fill="{COLOURS[fill]}" class="c-{fill}"' if fill != "none" else 'fill="none"'
    if stroke:
        inside = "paper" if fill == "none" else fill
        paint = f'fill="{COLOURS[inside]}" stroke="{COLOURS[stroke]}" stroke-width="1" class="c-{inside} l-{stroke}"'
    box = f'x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" height="{_number(height)}"'
    if title:
        return f"<rect {box} {paint}><title>{escape(inked(title))}</title></rect>"
    return f"<rect {box} {paint}/>"


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, *, width: float = 1, dash: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    ends = f'x1="{_number(x1)}" y1="{_number(y1)}" x2="{_number(x2)}" y2="{_number(y2)}"'
    return f'<line {ends} stroke="{COLOURS[stroke]}" stroke-width="{_number(width)}"{dashed} class="l-{stroke}"/>'


def text(
    x: float, y: float, value: str, *, fill: str = "ink", size: float = 12, anchor: str = "start", bold: bool = False,
    mono: bool = False, halo: bool = False,
) -> str:  # fmt: skip
    """A line of text; `value` is escaped, hidden characters are written out. `halo`: legible on bands."""
    family = "monospace" if mono else "sans-serif"
    weight = ' font-weight="600"' if bold else ""
    around = (
        f' stroke="{COLOURS["paper"]}" stroke-width="3" stroke-linejoin="round" paint-order="stroke"' if halo else ""
    )
    names = f"c-{fill}{' m' if mono else ''}{' l-paper' if halo else ''}"
    return (
        f'<text x="{_number(x)}" y="{_number(y)}" font-size="{_number(size)}" font-family="{family}"{weight}{around} '
        f'text-anchor="{anchor}" fill="{COLOURS[fill]}" class="{names}">{escape(inked(value))}</text>'
    )


def ribbon(x1: float, top1: float, x2: float, top2: float, height: float, fill: str, opacity: float) -> str:
    """A band that keeps its height between two columns."""
    middle = (x1 + x2) / 2
    a, b, c, d = (_number(v) for v in (top1, top2, top2 + height, top1 + height))
    left, right, mid = _number(x1), _number(x2), _number(middle)
    path = f"M{left} {a}C{mid} {a} {mid} {b} {right} {b}V{c}C{mid} {c} {mid} {d} {left} {d}Z"
    return f'<path d="{path}" fill="{COLOURS[fill]}" fill-opacity="{_number(opacity)}" class="c-{fill}"/>'


def circle(x: float, y: float, radius: float, fill: str) -> str:
    centre = f'cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}"'
    return f'<circle {centre} fill="{COLOURS[fill]}" class="c-{fill}"/>'


def document(name: str, width: float, height: float, alt: str, parts: list[str]) -> bytes:
    """The whole picture, with its description for those who do not see it."""
    size = f'viewBox="0 0 {_number(width)} {_number(height)}" width="{_number(width)}" height="{_number(height)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby={quoteattr(name + "-alt")}>'
    described = f'<title id="{name}-alt">{escape(inked(alt))}</title>'
    return (head + described + "".join(parts) + "</svg>").encode("utf-8", "replace")
