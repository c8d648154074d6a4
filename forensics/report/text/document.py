"""The whole report as a sequence of blocks: the one page first, then sections 2 to 11, then what `annexed` adds.

Nothing is computed here: numbers come from facts, sentences from `prose` and `passages`, the one page from `onepage`,
tables from `grids`, labels from `document.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from forensics.report import facts as f
from forensics.report.text import annexed, asked, changes, clocks, content, grids, onepage, passages, pieces, prose
from forensics.report.text import blocks as b
from forensics.report.text.context import Context
from forensics.report.text.pieces import answers, slip_line
from forensics.report.text.wording import Words

STORIES = 4
"""Stories told in section 4, worst first; the table below them has every pair."""

LETTERED = 3
"""Incidents of each story whose slip is set letter by letter in section 4; the table has them all."""


def compose(facts: f.Facts, context: Context) -> b.Document:
    """The report of `facts` in the words of `context`."""
    words = context.words
    blocks = [block for _, part in sections(facts, context) for block in part]
    header, q = facts.header, facts.questionnaire
    reference = header.reference or words("doc.reference_missing")
    status = words(f"status.{header.status or 'unanswered'}")
    return b.Document(
        title=prose.title(facts, words),
        kicker=prose.kicker(facts, words),
        subtitle=_subtitle(facts, words),
        author=header.author or "",
        handling=header.handling or words("doc.handling_missing"),
        head_left=f"{reference} · {words(f'edition.{header.edition}')} · {status}",
        head_right=words("doc.case_state"),
        digest=header.case_state[:16],
        foot_left=pieces.answered(words, q),
        verify=header.verify,
        page=words("doc.page"),
        of=words("doc.of"),
        language=words.language,
        paper=words("doc.paper"),
        first=tuple(_first(facts, context)),
        blocks=(*blocks, *annexed.parts(facts, context)),
    )


def sections(facts: f.Facts, context: Context) -> Iterator[tuple[str, tuple[b.Block, ...]]]:
    """(key, its blocks, the heading first) of every numbered section behind the one page.

    The position is not among them: the one page says it in full.
    """
    for key in onepage.sections(facts):
        if key != "position":
            yield key, (section(facts, context.words, key), *_SECTIONS[key](facts, context))


def _subtitle(facts: f.Facts, words: Words) -> str:
    seen = facts.coverage
    organisation = prose.organisation(facts, words)
    if seen.first is None or seen.last is None:
        return words("doc.period_none", organisation=organisation)
    return words("doc.period", organisation=organisation, first=words.day(seen.first), last=words.day(seen.last))


def section(facts: f.Facts, words: Words, key: str) -> b.Heading:
    """The numbered heading of a section."""
    number = onepage.sections(facts).index(key) + 1
    return b.Heading(1, words("doc.numbered", n=number, title=words(f"html.section.{key}")), key)


def _first(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield section(facts, words, "position")
    yield b.Para(prose.position(facts, words), "lead")
    yield b.Figures(onepage.figures(facts, words))
    yield b.Points(onepage.points(facts, words))
    if facts.header.edition == "redacted":
        yield b.Para(b.text(words("redaction.note")), "note")


def _clock(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    for spans in passages.clock(facts, words):
        yield b.Para(spans)
    answered = answers(facts, context, ("discovery",))
    yield b.Terms((*answered.items, (words("html.now"), _now(facts, words))))
    yield from clocks.table(facts, words)


def _now(facts: f.Facts, words: Words) -> b.Spans:
    """What is still open: next steps and questions."""
    q = facts.questionnaire
    steps = sum(not action.done for action in q.actions)
    open_actions = words("html.open_actions", n=steps) if steps else words("html.open_actions_none")
    return b.text(open_actions, "; ", pieces.answered(words, q))


def _numbers(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield grids.numbers(facts, words)
    for spans in passages.numbers(facts, words):
        yield b.Para(spans, "note")
    yield from context.charts("timeline")
    yield from context.charts("outcomes")


def _how(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    incidents = {incident.ref: incident for incident in facts.incidents}
    stories = [story for story in facts.stories if story.tally.deliveries.value]
    # Stories of suffixes first, under their own headings; single slips follow under one.
    named = sorted(stories[:STORIES], key=lambda story: story.suffixes is None)
    for n, story in enumerate(named):
        if story.suffixes:
            yield b.Heading(2, b.plain(passages.story_title(story, words)))
        elif n and named[n - 1].suffixes:
            yield b.Heading(2, words("doc.other_slips"))
        own = [incidents[ref] for ref in story.incidents if incidents[ref].tally.deliveries.value]
        # Redacted pairs of one story may look alike: each look once.
        yield from dict.fromkeys(slip_line(words, incident.slip) for incident in own[:LETTERED])
    yield from grids.pairs(facts, words)
    yield b.Items(passages.how(facts, words))
    yield answers(facts, context, ("account",))
    if facts.repeat_senders:
        yield from grids.people(words, facts.repeat_senders, words("html.caption.repeat"))
    yield from context.charts("flows")


def _where(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield grids.places(facts, words)
    yield b.Items(passages.where(facts, words))
    yield from grids.relays(facts, words)
    yield from asked.grid(facts, words)
    yield from context.charts("places")


def _searched(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    yield from grids.searched(facts, context.words)
    yield from context.charts("timeline")


def _would_find(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield b.Para(b.text(words("doc.nothing")))
    yield from annexed.rates(facts, context)


def _exposed(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    yield answers(facts, context, ("exposed",))
    yield from content.section(facts, context.words)


def _risk(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    yield answers(facts, context, ("consequences", "recipients"))


def _containment(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    for spans in passages.containment(facts, words):
        yield b.Para(spans)
    yield answers(facts, context, ("measures",))


def _statements(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    if facts.statements:
        yield grids.statements(facts, words)
        yield b.Para(prose.say(words, "statement.intro"), "note")
    else:
        yield b.Para(passages.no_statement(facts, words))


def _unseen(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield b.Items(passages.unseen(facts, words))
    yield from grids.losses(facts, words)


def _changes(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    yield from changes.section(facts, context.words)


def _decisions(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    for spans in passages.decision(facts, words):
        yield b.Para(spans)
    yield answers(facts, context, ("notification",))
    if facts.questionnaire.actions:
        yield grids.actions(facts, words)
    else:
        yield b.Para(prose.say(words, "decision.no_actions"))
    yield b.Heading(2, words("doc.norms"))
    yield b.Items(tuple(b.text(norm) for norm in passages.norms(words)))


_SECTIONS: dict[str, Callable[[f.Facts, Context], Iterator[b.Block]]] = {
    "changes": _changes,
    "clock": _clock,
    "numbers": _numbers,
    "how": _how,
    "where": _where,
    "searched": _searched,
    "would": _would_find,
    "exposed": _exposed,
    "risk": _risk,
    "containment": _containment,
    "statements": _statements,
    "unseen": _unseen,
    "decisions": _decisions,
}
