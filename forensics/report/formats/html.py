"""The report as one self-contained HTML file.

Nothing is loaded from anywhere and nothing foreign runs: every value is escaped by Jinja2 (autoescape, strict
undefined), hidden characters are written out (`visible`), and the content security policy allows no source at
all beside inline styles, data images and the one inline script, named by its hash. Without the script the page
is complete; with it, tables sort and filter.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from markupsafe import Markup, escape

from forensics import domains
from forensics.errors import UsageError
from forensics.report.facts import STATES, Facts, Finding
from forensics.report.formats import templating
from forensics.report.text import (
    annexed,
    beside,
    byhand,
    document,
    grids,
    kept,
    onepage,
    passages,
    pieces,
    prose,
    sums,
)
from forensics.report.text.blocks import Spans
from forensics.report.text.context import Context, media_type
from forensics.report.text.visible import cut, visible
from forensics.report.text.wording import TEMPLATES, Words

LONGEST = 600
"""Characters of one value on the page; the CSV annex has it whole."""

DETAILED = 400
"""Findings whose reasons the page sets out; beyond that it points to the other formats."""

_TAGS = {
    "strong": ("<strong>", "</strong>"),
    "em": ("<em>", "</em>"),
    "code": ("<code>", "</code>"),
    "mark": ('<code class="mark">', "</code>"),
    "exposed": ('<strong class="x">', "</strong>"),
    "missing": ('<span class="missing">', "</span>"),
    "soft": ('<span class="soft">', "</span>"),
}


def shown(value: Any) -> Any:
    """What is printed for a value: hidden characters written out, very long ones cut with a note."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return visible(cut(value, LONGEST))


def spans(parts: Spans) -> Markup:
    """Runs of text as HTML."""
    out = []
    for part in parts:
        before, after = _TAGS.get(part.kind, ("", ""))
        if part.kind == "ref":
            before, after = f'<a href="#{escape(part.text)}">', "</a>"
        out.append(f"{before}{escape(shown(part.text))}{after}")
    return Markup("".join(out))


def css_string(value: str) -> Markup:
    """A CSS string literal: every character but letters and digits as a hexadecimal escape (CSS Syntax 3, 4.3.7)."""
    return Markup('"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in shown(value)) + '"')


@cache
def _script() -> str:
    return (TEMPLATES / "report.js").read_text("utf-8")


def policy() -> str:
    """The page's content security policy."""
    digest = base64.b64encode(hashlib.sha256(_script().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


_DOCTYPE = re.compile(r"\s*<!DOCTYPE html>", re.I)
_LEADING = re.compile(r"<(?:meta|link|base)(?=[\s/>])", re.I)
"""Elements by which a page can lead to another address without being asked. Values are escaped, so that each `<` is a
template's."""
_QUIET = re.compile(
    r'<meta (?:charset="[\w-]+"|(?:name|property)="[\w:-]+" content="[^"<>]*"'
    r'|http-equiv="Content-Security-Policy" content="[^"<>]*")\s*/?>',
    re.I,
)


def held(page: str) -> str:
    """A page that a template of somebody else made, with the content security policy before anything of it.

    Raises UsageError where the page leads elsewhere by itself (a refresh, a preloaded address): no policy holds that.
    """
    for found in _LEADING.finditer(page):
        if not _QUIET.match(page, found.start()):
            raise UsageError(
                f"the page of the templates has an element that can lead to another address: "
                f"{visible(page[found.start() : found.start() + 100])}",
                expected='no <link> and <base>, and <meta> as in <meta name="author" content="…">',
                remedy="take that element out of the template",
            )
    start = _DOCTYPE.match(page)
    at = start.end() if start else 0
    # A meta element in front of the head belongs to the head (HTML, 13.2.6.4.3).
    return f'{page[:at]}<meta http-equiv="Content-Security-Policy" content="{policy()}">{page[at:]}'


def environment(words: Words, folder: Path | None = None) -> Environment:
    """Jinja2 as this report needs it; templates in `folder` come before ours."""
    ours = FileSystemLoader([TEMPLATES / words.language, TEMPLATES])
    loader = ChoiceLoader([FileSystemLoader(folder), ours]) if folder else ours
    made = templating.environment(
        loader,
        autoescape=True,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(spans=spans, css_string=css_string)
    return made


def render(facts: Facts, context: Context) -> bytes:
    """The page."""
    words = context.words
    template = environment(words, context.folder).get_template("report.html")
    findings = {finding.ref: finding for finding in facts.findings}
    meanings = {signal.name: signal.meaning for signal in facts.method.signals}
    page = template.render(
        f=facts,
        w=words,
        figures=onepage.figures(facts, words),
        points=onepage.points(facts, words),
        sections=tuple(document.sections(facts, context)),
        timeline=tuple(annexed.timeline(facts, context)),
        beside=tuple(beside.section(facts, context)),
        rates=tuple(annexed.rates(facts, context)),
        custody=tuple(kept.custody(facts, context)),
        again=tuple(annexed.again(facts, context)),
        by_hand=tuple(byhand.page(facts, context))[2:],
        not_used=tuple(annexed.not_used(facts, context)),
        calibration=tuple(context.charts("calibration")),
        kind=lambda block: type(block).__name__,
        drawing=lambda chart: Markup(chart.svg.decode()),
        answered=lambda item: pieces.answer(words, item, facts.header.timezone),
        answered_count=pieces.answered(words, facts.questionnaire),
        slip_line=lambda slip: pieces.slip_line(words, slip),
        grids=grids,
        policy=policy(),
        script=Markup(_script()),
        style=Markup((TEMPLATES / "report.css").read_text("utf-8")),
        logo=_logo(context.logo),
        findings=findings,
        detailed=_detailed(facts),
        answers={item.key: item for item in facts.questionnaire.items},
        title=prose.title(facts, words),
        prose=prose,
        passages=passages,
        stamp=stamp,
        u_label=domains.u_label,
        records=pieces.records,
        score=lambda value: pieces.score(words, value),
        signed=lambda weight: f"{'+' if weight >= 0 else '−'}{words.number(abs(weight), 1)}",
        became=lambda finding: pieces.became(words, finding),
        in_short=lambda finding: pieces.in_short(words, finding),
        sent=lambda finding: pieces.sent(words, finding),
        states={name: words(f"state.{name}") for name in STATES},
        glossary=prose.glossary(words),
        reasons=lambda finding: _reasons(words, finding, meanings),
        sum_lines=lambda finding: tuple(filter(None, (sums.line(words, finding), sums.answers(words, finding)))),
    )
    if context.folder is not None and any(context.folder.rglob("*.html")):
        page = held(page)
    return page.encode("utf-8", "replace")


def _reasons(words: Words, finding: Finding, meanings: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(weight, reason in words) of a finding."""
    weights = (sums.signed(weight) for weight in sums.of(finding).parts)
    told = (pieces.reason(words, reason, meanings) for reason in finding.reasons)
    return tuple(zip(weights, told, strict=True))


def _logo(logo: tuple[str, bytes] | None) -> tuple[str, str] | None:
    """(what it shows, data URI)."""
    if logo is None:
        return None
    return logo[0], f"data:{media_type(logo[1])};base64,{base64.b64encode(logo[1]).decode()}"


def stamp(at: datetime | date | None) -> str:
    """`2023-06-01 08:14`: for tables, in UTC."""
    if at is None:
        return "–"
    return f"{at:%Y-%m-%d %H:%M}" if isinstance(at, datetime) else f"{at:%Y-%m-%d}"


def _detailed(facts: Facts) -> frozenset[str]:
    """Refs of the findings whose reasons are set out: every incident's first ones, then the rest, up to DETAILED."""
    if len(facts.findings) <= DETAILED:
        return frozenset(finding.ref for finding in facts.findings)
    share = max(1, DETAILED // max(1, len(facts.incidents)))
    chosen = [ref for incident in facts.incidents for ref in incident.findings[:share]][:DETAILED]
    return frozenset(chosen)
