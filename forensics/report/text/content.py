"""Section 6 as far as logs and worksheet go, in the words of `content.toml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from forensics.report import facts as f
from forensics.report.facts.content import GROUPS
from forensics.report.text import blocks as b
from forensics.report.text import pieces
from forensics.report.text.prose import joined, say, sentences
from forensics.report.text.wording import Words

_REFS = 12
"""Findings that a row names; incident.json names all."""
_ROWS = 200
"""Rows of the worksheet that are printed."""


def section(facts: f.Facts, words: Words) -> Iterator[b.Block]:
    """What the logs show, which answers they put in question, what people found in the messages."""
    shown = facts.content
    yield b.Heading(2, words("content.heading"))
    yield b.Para(sentences(*_counts(facts, words)))
    if shown.mentions:
        yield _table(facts, words)
    elif shown.with_subject.value:
        yield b.Para(say(words, "content.nothing"))
    yield b.Para(say(words, "content.limits"), "note")
    if shown.contrasts:
        yield b.Heading(2, words("content.against"))
        yield b.Items(tuple(_contrast(facts, one, words) for one in shown.contrasts))
    if shown.held:
        yield b.Heading(2, words("content.held"))
        total = facts.groups.headline.deliveries.value
        yield b.Para(say(words, "content.reviewed", opened=shown.reviewed.value, n=total))
        yield from pieces.cut_note(words, _ROWS, len(shown.held), "incident.json")
        yield _held(facts, words)


def brief(facts: f.Facts, words: Words) -> b.Spans:
    """The same in a sentence or two, for the one page."""
    shown = facts.content
    if not shown.with_subject.value:
        return ()
    total = facts.groups.headline.deliveries.value
    if not shown.mentions:
        return say(words, "content.brief_none", **{"with": shown.with_subject.value}, n=total)
    parts = []
    for group in GROUPS:
        ids = {i for one in shown.mentions if one.group == group for i in one.deliveries.deliveries or ()}
        if ids:
            parts.append(words("content.brief_part", kind=words(f"content.short.{group}"), n=len(ids)))
    out = [say(words, "content.brief", parts=words.join(parts))]
    return sentences(*out)


def label(one: f.Mention, words: Words) -> b.Spans:
    """`Marking: OFFICIAL SENSITIVE (UK)`, `Special categories (Art. 9, 10), health: medical, patient`."""
    group = words(f"content.group.{one.group}")
    if one.kind == "own":
        word = (b.code(one.own),) if one.own else b.text(words("content.kind.own"))
        return say(words, "content.own_word", kind=group, word=word)
    if one.group == "marking":
        systems = f" ({', '.join(one.systems)})"
        return b.text(f"{group}: ", b.code(one.kind), systems)
    kind = f"{group}, {words(f'content.kind.{one.kind}')}"
    return say(words, "content.words", kind=kind, words=", ".join(one.words))


def refs(facts: f.Facts, number: f.Number, words: Words) -> b.Spans:
    """The findings behind a number, the first of them by name."""
    by: Mapping[str, str] = {finding.delivery_id: finding.ref for finding in facts.findings}
    named: list[str | b.Spans] = [(b.Span("ref", by[i]),) for i in (number.deliveries or ())[:_REFS]]
    if number.value > _REFS:
        named.append(words("content.more", n=number.value - _REFS))
        return b.text(*(part for one in named[:-1] for part in (one, " ")), named[-1])
    return joined(words, named)


def _counts(facts: f.Facts, words: Words) -> Iterator[b.Spans]:
    shown = facts.content
    total = facts.groups.headline.deliveries.value
    if shown.with_subject.value:
        yield say(words, "content.subjects", **{"with": shown.with_subject.value}, n=total)
    else:
        yield say(words, "content.subjects_none")
    if not shown.sized.value:
        yield say(words, "content.sizes_none")
    elif shown.bytes_total is None or shown.bytes_largest is None:
        yield say(words, "content.sizes_withheld", n=shown.sized.value)
    else:
        sizes = {"total": shown.bytes_total, "largest": shown.bytes_largest}
        yield say(words, "content.sizes", n=shown.sized.value, **sizes)


def _table(facts: f.Facts, words: Words) -> b.Table:
    rows = tuple(
        b.cells(
            [
                label(one, words),
                words.number(one.deliveries.value),
                pieces.count(words, one.accepted, exposed=True),
                refs(facts, one.deliveries, words),
            ]
        )
        for one in facts.content.mentions
    )
    columns = (
        b.Column(words("content.bears"), width=5),
        b.Column(words("content.deliveries"), "right"),
        b.Column(words("content.accepted"), "right"),
        b.Column(words("content.found"), width=4),
    )
    return b.Table(columns, rows, words("content.caption"), small=True)


def _contrast(facts: f.Facts, one: f.Contrast, words: Words) -> b.Spans:
    item = facts.questionnaire[one.item]
    return say(
        words,
        "content.contrast",
        question=pieces.question(words, item),
        answer=pieces.answer(words, item, facts.header.timezone),
        basis=say(words, f"content.basis.{one.basis}", **dict(one.values)),
        findings=refs(facts, one.evidence, words),
    )


def _held(facts: f.Facts, words: Words) -> b.Table:
    keys = (
        "finding",
        "opened",
        "held",
        "marking",
        "personal",
        "special",
        "passwords",
        "protected",
        "records",
        "people",
    )
    rows = []
    for one in facts.content.held[:_ROWS]:
        values = (one.opened, one.held, one.marking, one.personal_data, one.special, one.passwords, one.protected)
        numbers = tuple("" if n is None else words.number(n) for n in (one.records, one.people))
        rows.append(b.cells([b.Span("ref", one.finding), *values, *numbers]))
    wide = {"held": 4, "marking": 2}
    right = ("records", "people")
    columns = tuple(
        b.Column(words(f"content.th.{key}"), "right" if key in right else "left", wide.get(key, 0)) for key in keys
    )
    return b.Table(columns, tuple(rows), small=True)
