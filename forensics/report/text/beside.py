"""The section beside the findings: what a person should look at, and no number counts."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text import pieces, prose
from forensics.report.text.context import Context
from forensics.report.text.pieces import columns, cut_note
from forensics.report.text.wording import Words

ROWS = 100
"""Rows of one table that are printed; incident.json has all."""
KEY = "beside"
_CONTESTED = (
    "beside.th.typed:3 beside.th.meant:3 beside.th.sent> beside.th.wrote> beside.th.without> score> beside.th.verdict:2"
)
_IMPERSONATIONS = "beside.th.writes:3 beside.th.partner:3 beside.th.people> beside.th.messages> beside.th.second>"


def section(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """The heading, then each of the three parts that has something to tell; nothing where none has."""
    words, beside = context.words, facts.beside
    parts = (*_contested(beside, words), *_impersonations(beside, words), *_undeliverable(beside, words))
    if parts:
        yield b.Heading(1, words("html.section.beside"), KEY)
        yield b.Para(b.text(words("beside.note")), "note")
        yield from parts


def _contested(beside: f.Beside, words: Words) -> Iterator[b.Block]:
    rows = beside.contested
    if not rows:
        return
    yield b.Heading(2, words("beside.contested.title"))
    yield b.Para(prose.say(words, "beside.contested.text", n=len(rows)))
    yield from cut_note(words, ROWS, len(rows), "incident.json")
    yield b.Table(
        columns(
            words,
            _CONTESTED,
        ),
        tuple(
            b.cells(
                [
                    b.code(one.typed),
                    b.code(one.meant),
                    words.number(one.deliveries.value),
                    words.number(one.wrote),
                    pieces.score(words, one.without_theirs),
                    pieces.score(words, one.score),
                    words(f"beside.verdict.{one.verdict or 'none'}"),
                ]
            )
            for one in rows[:ROWS]
        ),
        words("beside.contested.caption"),
        small=True,
    )


def _impersonations(beside: f.Beside, words: Words) -> Iterator[b.Block]:
    rows = beside.impersonations
    if not rows:
        return
    yield b.Heading(2, words("beside.impersonation.title"))
    yield b.Para(prose.say(words, "beside.impersonation.text", n=len(rows)))
    yield from cut_note(words, ROWS, len(rows), "incident.json")
    yield b.Table(
        columns(words, _IMPERSONATIONS),
        tuple(
            b.cells(
                [
                    b.code(one.domain),
                    b.code(one.partner),
                    words.number(one.local_parts),
                    words.number(one.messages),
                    pieces.score(words, one.second),
                ]
            )
            for one in rows[:ROWS]
        ),
        words("beside.impersonation.caption"),
        small=True,
    )


def _undeliverable(beside: f.Beside, words: Words) -> Iterator[b.Block]:
    rows = beside.undeliverable
    if not rows:
        return
    yield b.Heading(2, words("beside.undeliverable.title"))
    failed = prose.noun(words, "deliveries", sum(one.deliveries for one in rows))
    yield b.Para(prose.say(words, "beside.undeliverable.text", n=len(rows), deliveries=failed))
    yield from cut_note(words, ROWS, len(rows), "incident.json")
    yield b.Table(
        columns(words, "beside.th.domain:3 beside.th.sent> beside.th.writers> first last"),
        tuple(
            b.cells(
                [
                    b.code(one.domain),
                    words.number(one.deliveries),
                    words.number(one.writers),
                    pieces.stamp(one.first),
                    pieces.stamp(one.last),
                ]
            )
            for one in rows[:ROWS]
        ),
        words("beside.undeliverable.caption"),
        small=True,
    )
