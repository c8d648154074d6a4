"""The custody part of Annex B: statements on acquisition and clocks, hand-overs, stamps and signatures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text import prose
from forensics.report.text.context import Context
from forensics.report.text.pieces import columns
from forensics.report.text.wording import Words

ROWS = 200


def custody(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """What people state of the evidence, then what ties this report to the custody log."""
    words, kept = context.words, facts.custody
    yield b.Heading(2, words("custody.title"))
    yield b.Terms(
        (
            (words("custody.acquisition"), _said(words, kept.acquisition)),
            (words("custody.clock"), _said(words, kept.clock)),
        )
    )
    if kept.handed_over:
        rows = (
            b.cells([one.at, one.what, one.given_by, one.taken_by, "; ".join(p for p in (one.place, one.why) if p)])
            for one in kept.handed_over[:ROWS]
        )
        layout = "custody.at custody.what:3 custody.from:2 custody.to:2 custody.place:3"
        yield b.Table(columns(words, layout), tuple(rows), words("custody.handed_over"), small=True)
        if len(kept.handed_over) > ROWS:
            yield b.Para(b.text(words("custody.more", shown=ROWS, n=len(kept.handed_over))), "note")
    if kept.attested:
        yield b.Items(tuple(prose.say(words, f"custody.{one.kind}", **_attested(one)) for one in kept.attested))
    yield b.Para(prose.say(words, "html.annex.custody"), "note")


def _said(words: Words, said: f.Said | None) -> b.Spans:
    if said is None:
        return (b.Span("missing", words("custody.not_stated")),)
    who = words("custody.by", by=said.by) if said.by else words("custody.by_nobody")
    return b.text(said.statement, " ", b.Span("soft", f"({who}{f', {said.on}' if said.on else ''})"))


def _attested(one: f.Attested) -> dict[str, b.Span | str]:
    return {
        "entry": str(one.entry),
        "digest": b.code(one.digest),
        "at": _moment(one.at or ""),
        "by": one.by,
        "key": b.code(one.key),
    }


def _moment(at: str) -> str:
    """As a person reads it; as it stands where the log holds something else than a time, which `verify` names."""
    try:
        return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return at
