"""The report as Markdown (GitHub flavour), for tickets and for diffs. No value in it becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text.context import Context
from forensics.report.text.visible import cut, visible

LONGEST = 600
"""Characters of one value; the CSV annex has it whole."""

# Signs that could begin markup, a link, a formula or an emoji in GitHub's Markdown.
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$&@#]|^[-+=]|:(?=//|[a-z_+-][a-z0-9_+-]*:)|(?<=[Ww]{3})\.")
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_TICKS = re.compile("`+")


def escaped(text: str) -> str:
    """Text that Markdown shows as it is: every sign that could begin markup or a link gets a backslash."""
    return _NUMBERED.sub(r"\1\\\2", _SPECIAL.sub(lambda m: "\\" + m[0], visible(cut(text, LONGEST))))


def code(value: str, *, in_table: bool = False) -> str:
    """A value as a code span; what a code span or a table cell cannot hold is written `\\u{hex}`."""
    shown = visible(cut(value, LONGEST))
    if in_table and "|" in shown:
        shown = shown.replace("|", "\\u{7c}")
    if not shown.strip():
        return "".join(f"\\\\u{{{ord(c):x}}}" for c in shown) or "–"
    fence = "`" * (max((len(run) for run in _TICKS.findall(shown)), default=0) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


_BOLD = ("strong", "exposed", "missing")


def _spans(spans: b.Spans, *, in_table: bool = False) -> str:
    out = []
    # One pair of asterisks around neighbours: `**58**** of **` would show its asterisks.
    for bold, run in groupby(spans, lambda span: span.kind in _BOLD):
        if bold:
            text = "".join(escaped(span.text) for span in run)
            out.append(f"**{text}**" if text else "")
            continue
        for span in _together(run):
            if span.kind == "code":
                out.append(code(span.text, in_table=in_table))
            elif span.kind == "mark":
                out.append(f"**{code(span.text, in_table=in_table)}**")
            elif span.kind == "em":
                out.append(f"*{escaped(span.text)}*")
            else:
                out.append(escaped(span.text))
    return "".join(out)


def _together(run: Iterable[b.Span]) -> Iterator[b.Span]:
    """Neighbouring code spans as one: their backticks would read as a fence of two."""
    for kind, same in groupby(run, lambda span: span.kind):
        if kind == "code":
            yield b.Span(kind, "".join(span.text for span in same))
        else:
            yield from same


def _table(table: b.Table) -> list[str]:
    lines = [f"*{escaped(table.caption)}*", ""] if table.caption else []
    lines.append("| " + " | ".join(escaped(column.title) for column in table.columns) + " |")
    lines.append("|" + "|".join(" ---: " if c.align == "right" else " --- " for c in table.columns) + "|")
    for row in table.rows:
        lines.append("| " + " | ".join(_spans(cell, in_table=True) for cell in row) + " |")
    return lines


def _slip(line: b.SlipLine) -> list[str]:
    def drawn(parts: tuple[b.Letters, ...]) -> str:
        spans = (b.Span("mark" if p.mark else "code", p.text) for p in parts if p.text)
        return _spans(tuple(spans))

    return [
        f"> {drawn(line.meant)} → {drawn(line.typed)}  ",
        f"> {escaped(line.meant_label)} → {escaped(line.typed_label)}",
    ]


def _block(block: b.Block) -> list[str]:
    match block:
        case b.Heading(level, text, _):
            return [f"{'#' * (level + 1)} {escaped(text)}"]
        case b.Para(spans, _):
            return [_spans(spans)]
        case b.Points(items):
            return [f"- **{escaped(f'{p.number}  {p.title}')}**: {_spans(p.spans)}" for p in items]
        case b.Items(items, _):
            return [f"- {_spans(item)}" for item in items]
        case b.Terms(items):
            return [f"- {escaped(name)}{'' if name.endswith('?') else ':'} {_spans(value)}" for name, value in items]
        case b.Figures(items):
            return [f"- **{escaped(figure.value)}** {escaped(figure.label)}" for figure in items]
        case b.SlipLine():
            return _slip(block)
        case b.Table():
            return _table(block)
        case b.Chart(_, alt, caption):
            return [f"*{escaped(caption)}*", "", escaped(alt)] if caption else [escaped(alt)]
        case b.Listing(lines):
            return [f"    {visible(line)}" for line in lines]
        case b.NewPage():
            return ["---"]


def layout(document: b.Document) -> bytes:
    """`document` as UTF-8 Markdown. Charts stand as their description in words."""
    lines = [
        f"# {escaped(document.title)}",
        "",
        f"{escaped(document.kicker)} · {escaped(document.subtitle)}",
        "",
        f"**{escaped(document.handling)}** · {escaped(document.head_left)}  ",
        f"{escaped(document.head_right)} {code(document.digest)}  ",
        f"{escaped(document.foot_left)} · {code(document.verify)}",
    ]
    for block in (*document.first, *document.blocks):
        lines += ["", *_block(block)]
    return ("\n".join(lines) + "\n").encode("utf-8")


def render(facts: f.Facts, context: Context) -> bytes:
    from forensics.report.text.document import compose

    return layout(compose(facts, context))
