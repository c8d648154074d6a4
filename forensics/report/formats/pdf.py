"""The report as a tagged PDF with bookmarks, set by typst.

The whole report goes to typst as one JSON string, so that no value is ever read as markup. Fonts are those that
the typst wheel carries; system fonts are not used, so that the bytes are the same everywhere. A character that
none of these fonts can draw is written `\\u{hex}`.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from forensics.errors import UsageError
from forensics.report.facts import Facts
from forensics.report.formats.glyphs import drawable
from forensics.report.text import blocks as b
from forensics.report.text.context import Context
from forensics.report.text.visible import cut, visible

LONGEST = 600
"""Characters of one value that the PDF shows; the CSV annex has it whole."""

TEMPLATE = "incident.typ"
LARGEST_LOGO = 4 << 20
"""Bytes of a logo; each report holds all of them."""


@cache
def fonts() -> Any:
    """The fonts of the typst wheel, none of the system."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)


def shown(value: str) -> str:
    """A value as the PDF prints it."""
    return visible(cut(value, LONGEST), drawable())


def drawn(svg: bytes) -> str:
    """An SVG whose labels hold nothing that the fonts cannot draw: it would leave no trace on the page."""
    text = svg.decode("utf-8")
    return "".join(c if c <= "~" or ord(c) in drawable() else f"\\u{{{ord(c):x}}}" for c in text)


_LONG_WORD = re.compile(r"\S{21,}")
_LONG_IN_TABLES = re.compile(r"\S{15,}")
"""In a table of small type, whose columns hold no more."""
_BREAK = re.compile(r"[@.\-_/=+:,;&?](?=.)|[^@.\-_/=+:,;&?]{16}(?=.)")
"""Behind a sign at which addresses have their parts, else within a part that is too long."""


def breakable(value: str, long: re.Pattern[str] = _LONG_WORD) -> str:
    """`value` with places where a long word may break (zero-width spaces; the template prints nothing for them)."""
    return long.sub(lambda word: _BREAK.sub(lambda m: m[0] + "\u200b", word[0]), value)


def _spans(spans: b.Spans, long: re.Pattern[str] = _LONG_WORD) -> list[dict[str, str]]:
    return [{"k": span.kind, "t": breakable(shown(span.text), long)} for span in spans]


def _letters(letters: tuple[b.Letters, ...]) -> list[dict[str, Any]]:
    return [{"t": shown(part.text), "mark": part.mark} for part in letters]


def _block(block: b.Block) -> dict[str, Any]:
    match block:
        case b.Heading(level, text, anchor):
            return {"k": "heading", "level": level, "text": breakable(shown(text)), "anchor": anchor}
        case b.Para(spans, style):
            return {"k": "para", "style": style, "spans": _spans(spans)}
        case b.Items(items, small):
            return {"k": "items", "items": [_spans(item) for item in items], "small": small}
        case b.Terms(items):
            return {"k": "terms", "items": [[shown(name), _spans(value)] for name, value in items]}
        case b.Figures(items):
            return {
                "k": "figures",
                "items": [
                    {"value": f.value, "label": shown(f.label), "exposed": f.exposed, "kind": f.kind} for f in items
                ],
            }
        case b.Points(items):
            return {
                "k": "points",
                "items": [
                    {"number": p.number, "title": shown(p.title), "spans": _spans(p.spans), "anchor": p.anchor}
                    for p in items
                ],
            }
        case b.SlipLine(meant, typed, meant_label, typed_label):
            return {
                "k": "slip",
                "meant": _letters(meant),
                "typed": _letters(typed),
                "meant_label": shown(meant_label),
                "typed_label": shown(typed_label),
            }
        case b.Table(columns, rows, caption, small):
            return {
                "k": "table",
                "caption": shown(caption),
                "small": small,
                "columns": [{"title": shown(c.title), "align": c.align, "width": c.width} for c in columns],
                "rows": [[_spans(cell, _LONG_IN_TABLES if small else _LONG_WORD) for cell in row] for row in rows],
            }
        case b.Chart(svg, alt, caption, share):
            return {"k": "chart", "svg": drawn(svg), "alt": shown(alt), "caption": shown(caption), "share": share * 100}
        case b.Listing(lines):
            return {"k": "listing", "lines": [breakable(shown(line)) for line in lines]}
        case b.NewPage():
            return {"k": "page"}


def layout(document: b.Document, template: Path, logo: tuple[str, bytes] | None = None) -> bytes:
    """`document` set by the typst file `template`. `logo`: (what it shows, bytes of an SVG, PNG or JPEG file).

    Raises UsageError when a template of the user's own does not compile.
    """
    import typst

    report = {
        "title": shown(document.title),
        "kicker": shown(document.kicker),
        "subtitle": shown(document.subtitle),
        "author": shown(document.author),
        "handling": shown(document.handling),
        "head_left": shown(document.head_left),
        "head_right": shown(document.head_right),
        "digest": document.digest,
        "foot_left": shown(document.foot_left),
        "verify": shown(document.verify),
        "page": document.page,
        "of": document.of,
        "lang": document.language.split("-")[0],
        "region": document.language.split("-")[1] if "-" in document.language else None,
        "logo": shown(logo[0]) if logo else "",
        "logo_bytes": list(logo[1]) if logo else [],
        "paper": document.paper,
        "anchors": [block.anchor for block in document.blocks if isinstance(block, b.Heading) and block.anchor],
        "first": [_block(block) for block in document.first],
        "blocks": [_block(block) for block in document.blocks],
    }
    compiler = typst.Compiler(
        template.read_bytes(),
        root=str(template.parent),
        font_paths=fonts(),
        sys_inputs={"report": json.dumps(report)},
        # No folder at all: a template is whole in itself, and nothing is fetched.
        package_path=os.devnull,
        package_cache_path=os.devnull,
    )
    try:
        # The time stamp 0 only keeps the clock out: the document's date is set to none in the template.
        compiled, warnings = compiler.compile_with_warnings(format="pdf", timestamp=0)
    except typst.TypstError as error:
        raise UsageError(
            f"{template.name} cannot be set: {error.message}",
            expected="a typst file that lays out the report's JSON",
            remedy="compare it with the template that Missent ships",
        ) from None
    if warnings and any("font" in str(warning.message) for warning in warnings):
        raise RuntimeError(f"typst: {warnings[0].message}")
    assert isinstance(compiled, bytes)
    return compiled


def check_logo(picture: bytes) -> None:
    """Raises UsageError for a picture that cannot be drawn, or that is too large for the head of a page."""
    import typst

    if len(picture) > LARGEST_LOGO:
        raise UsageError("the logo is too large", expected=f"a picture of at most {LARGEST_LOGO:,} bytes")
    compiler = typst.Compiler(
        b"#set page(width: 30mm, height: auto, margin: 0pt)\n#image(bytes(json(bytes(sys.inputs.logo))), width: 100%)",
        font_paths=fonts(),
        sys_inputs={"logo": json.dumps(list(picture))},
        package_path=os.devnull,
        package_cache_path=os.devnull,
    )
    try:
        compiler.compile(format="pdf")
    except typst.TypstError as error:
        raise UsageError(f"the logo cannot be drawn: {error.message}", expected="a PNG, JPEG or SVG picture") from None


def render(facts: Facts, context: Context) -> bytes:
    """The report of `facts`, laid out by the context's `incident.typ`."""
    from forensics.report.text.document import compose

    return layout(compose(facts, context), context.template(TEMPLATE), context.logo)
