"""The whole report as a sequence of blocks: the first page and sections 1 to 11, then what `annexed` adds.

Nothing is computed here: numbers come from facts, sentences from `prose` and `passages`, labels from
`document.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from forensics.report import annexed, passages, prose
from forensics.report import blocks as b
from forensics.report import facts as f
from forensics.report.context import Context
from forensics.report.pieces import (
    SHORT,
    answers,
    columns,
    count,
    cut_note,
    missing,
    on,
    pairs_table,
    people,
    slip_line,
)
from forensics.report.wording import Words

STORIES = 4
"""Stories told in section 4, worst first; the table below them has every pair."""

LETTERED = 3
"""Incidents of each story whose slip is set letter by letter in section 4; the table has them all."""


def compose(facts: f.Facts, context: Context) -> b.Document:
    """The report of `facts` in the words of `context`."""
    words = context.words
    blocks = [block for part in _parts(facts, context) for block in part]
    header, q = facts.header, facts.questionnaire
    reference = header.reference or words("doc.reference_missing")
    status = words(f"status.{header.status or 'unanswered'}")
    return b.Document(
        title=prose.title(facts, words),
        kicker=words("doc.kicker" if header.found else "doc.kicker_nothing"),
        subtitle=_subtitle(facts, words),
        author=header.author or "",
        handling=header.handling or words("doc.handling_missing"),
        head_left=f"{reference} · {words(f'edition.{header.edition}')} · {status}",
        head_right=words("doc.case_state"),
        digest=header.case_state[:16],
        foot_left=words("answer.count", answered=q.answered, required=q.required),
        verify=header.verify,
        page=words("doc.page"),
        of=words("doc.of"),
        language=words.language,
        blocks=tuple(blocks),
    )


def _parts(facts: f.Facts, context: Context) -> Iterator[Iterator[b.Block]]:
    yield _position(facts, context)
    yield _clock(facts, context)
    if facts.header.found:
        yield _numbers(facts, context)
        yield _how(facts, context)
        yield _where(facts, context)
    else:
        yield _searched(facts, context)
        yield _would_find(facts, context)
    yield _answers(facts, context, "exposed", ("exposed",))
    yield _answers(facts, context, "risk", ("consequences", "recipients"))
    yield _containment(facts, context)
    yield _statements(facts, context)
    yield _unseen(facts, context)
    yield _decisions(facts, context)
    yield annexed.parts(facts, context)


def _subtitle(facts: f.Facts, words: Words) -> str:
    seen = facts.coverage
    organisation = prose.organisation(facts, words)
    if seen.first is None or seen.last is None:
        return words("doc.period_none", organisation=organisation)
    return words("doc.period", organisation=organisation, first=words.day(seen.first), last=words.day(seen.last))


SECTIONS = (
    "position",
    "clock",
    "numbers",
    "how",
    "where",
    "exposed",
    "risk",
    "containment",
    "statements",
    "unseen",
    "decisions",
)


NOTHING = (*SECTIONS[:2], "searched", "would", *SECTIONS[5:])
"""The sections of a search that found nothing."""


def section(facts: f.Facts, words: Words, key: str) -> b.Heading:
    """The numbered heading of a section."""
    number = (SECTIONS if facts.header.found else NOTHING).index(key) + 1
    return b.Heading(1, words("doc.numbered", n=number, title=words(f"html.section.{key}")))


def _position(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield section(facts, words, "position")
    yield b.Para(prose.position(facts, words), "lead")
    yield b.Figures(tuple(_figures(facts, words)))
    if facts.header.edition == "redacted":
        yield b.Para(b.text(words("redaction.note")), "note")


def _figures(facts: f.Facts, words: Words) -> Iterator[b.Figure]:
    head, seen = facts.groups.headline, facts.coverage
    if not facts.header.found:
        yield b.Figure(words.number(seen.outbound.value), words("figure.searched"))
        yield b.Figure(words.number(seen.external_domains.value), words("figure.domains"))
        yield b.Figure(words.number(head.messages.value), words("figure.found"))
        return
    yield b.Figure(words.number(head.messages.value), words("figure.messages"))
    yield b.Figure(words.number(head.accepted.value), words("figure.accepted"), exposed=bool(head.accepted.value))
    yield b.Figure(words.number(head.not_exposed.value), words("figure.refused"))
    if head.unsettled.value:
        yield b.Figure(words.number(head.unsettled.value), words("figure.unsettled"))


def _clock(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words, told = context.words, facts.clock
    yield section(facts, words, "clock")
    for said in passages.clock(facts, words):
        yield b.Para(said)
    zone = facts.header.timezone

    def at(moment: datetime | None) -> b.Spans:
        return b.text(prose.when(words, moment, zone)) if moment else (missing(words),)

    rows = [("discovered", at(told.discovered_at)), ("aware", at(told.aware_at))]
    if told.deadline is not None:
        rows.append(("deadline", at(told.deadline)))
    if told.notified_at is not None:
        rows.append(("notified", at(told.notified_at)))
    terms = [(words(f"event.{key}"), value) for key, value in rows]
    yield b.Terms((*terms, (words("html.now"), _now(facts, words))))


def _now(facts: f.Facts, words: Words) -> b.Spans:
    """What is still open: next steps and questions."""
    q = facts.questionnaire
    steps = sum(not action.done for action in q.actions)
    said = words("html.open_actions", n=steps) if steps else words("html.open_actions_none")
    return b.text(said, "; ", words("answer.count", answered=q.answered, required=q.required))


MEASURES = ("messages", "deliveries", "senders", "recipients", "exposed", "handed_on", "not_exposed", "unsettled")
GROUPS = ("headline", "confirmed", "suspected", "people", "automated")


def _numbers(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield section(facts, words, "numbers")
    groups = [b.Column(words(f"html.th.{'all' if g == 'headline' else g}"), "right") for g in GROUPS]
    rows = tuple(
        b.cells(
            [
                words(f"html.th.{measure}"),
                *(
                    count(
                        words,
                        getattr(getattr(facts.groups, group), measure),
                        exposed=measure in ("exposed", "handed_on") and group == "headline",
                    )
                    for group in GROUPS
                ),
            ]
        )
        for measure in MEASURES
    )
    yield b.Table((b.Column("", "left", 1), *groups), rows, words("html.caption.numbers"))
    for said in passages.numbers(facts, words):
        yield b.Para(said, "note")
    yield from context.charts("timeline")
    yield from context.charts("outcomes")


def _how(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    incidents = {incident.ref: incident for incident in facts.incidents}
    yield section(facts, words, "how")
    told = [story for story in facts.stories if story.tally.deliveries.value]
    # Stories of suffixes first, under their own headings; single slips follow under one.
    named = sorted(told[:STORIES], key=lambda story: story.suffixes is None)
    for n, story in enumerate(named):
        if story.suffixes:
            yield b.Heading(2, b.plain(passages.story_title(story, words)))
        elif n and named[n - 1].suffixes:
            yield b.Heading(2, words("doc.other_slips"))
        own = [incidents[ref] for ref in story.incidents if incidents[ref].tally.deliveries.value]
        # Redacted pairs of one story may look alike: each look once.
        yield from dict.fromkeys(slip_line(words, incident.slip) for incident in own[:LETTERED])
    pairs = [incident for incident in facts.incidents if incident.tally.deliveries.value]
    yield pairs_table(words, pairs[:SHORT])
    yield from cut_note(words, SHORT, len(pairs), "incidents.csv")
    yield b.Items(passages.how(facts, words))
    yield answers(facts, context, ("account",))
    if facts.repeat_senders:
        yield people(words, facts.repeat_senders[:SHORT], words("html.caption.repeat"))
        yield from cut_note(words, SHORT, len(facts.repeat_senders), "senders.csv")
    yield from context.charts("flows")


def _where(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield section(facts, words, "where")
    yield b.Table(
        columns(words, "suffix country:1 misdirected> accepted> of_all>"),
        tuple(
            b.cells(
                [
                    b.code("." + place.suffix),
                    place.country_name or words("place.generic" if place.exists else "place.nowhere"),
                    count(words, place.deliveries),
                    count(words, place.accepted, exposed=True),
                    count(words, place.all_deliveries),
                ]
            )
            for place in facts.places
        ),
        words("html.caption.places"),
    )
    yield b.Items(passages.where(facts, words))
    relays = [(place, relay) for place in facts.places for relay in place.relays]
    if relays:
        yield b.Table(
            columns(words, "suffix server:3 address:2 accepted> refused> tls>"),
            tuple(
                b.cells(
                    [
                        b.code("." + place.suffix),
                        b.code(relay.name or words("doc.none")),
                        b.code(relay.address or words("doc.none")),
                        count(words, relay.accepted, exposed=True),
                        count(words, relay.refused),
                        count(words, relay.encrypted),
                    ]
                )
                for place, relay in relays[:SHORT]
            ),
            words("html.caption.relays"),
        )
        yield from cut_note(words, SHORT, len(relays), "relays.csv")
    yield from context.charts("places")


def _searched(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words, seen = context.words, facts.coverage
    yield section(facts, words, "searched")
    names = ("outbound", "messages", "external_domains", "inbound", "internal", "relayed", "machine")
    yield b.Table(
        columns(words, "_:1 count>"),
        tuple(b.cells([words(f"doc.searched.{name}"), count(words, getattr(seen, name))]) for name in names),
    )
    yield from annexed.gateways(facts, context)
    yield from context.charts("timeline")


def _would_find(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield section(facts, words, "would")
    yield b.Para(b.text(words("doc.nothing")))
    yield from annexed.rates(facts, context)


def _answers(facts: f.Facts, context: Context, heading: str, sections: tuple[str, ...]) -> Iterator[b.Block]:
    """What the investigator says, or that nobody has said it yet."""
    words = context.words
    yield section(facts, words, heading)
    yield answers(facts, context, sections)


def _containment(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield section(facts, words, "containment")
    for said in passages.containment(facts, words):
        yield b.Para(said)
    yield answers(facts, context, ("measures",))


def _statements(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield section(facts, words, "statements")
    if not facts.statements:
        asked = facts.questionnaire["notification.public_statements"]
        yield b.Para(prose.say(words, "statement.none" if asked.answered else "statement.unanswered"))
        return
    yield b.Table(
        columns(words, "claim:4 result:2 evidence:5"),
        tuple(
            b.cells(
                [
                    (
                        *b.text(f"“{s.claim}”"),
                        *_claimed(words, s),
                    ),
                    b.Span("strong", words(f"statement.result.{s.result}")),
                    passages.statement(s, words),
                ]
            )
            for s in facts.statements
        ),
        words("html.caption.statements"),
    )


def _claimed(words: Words, one: f.Statement) -> b.Spans:
    said = ", ".join(part for part in (one.made_by, on(one.made_on, words)) if part)
    return (b.Span("soft", words("doc.claimed", by=said)),) if said else ()


def _unseen(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield section(facts, words, "unseen")
    yield b.Items(passages.unseen(facts, words))


def _decisions(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    words = context.words
    yield section(facts, words, "decisions")
    for said in passages.decision(facts, words):
        yield b.Para(said)
    yield answers(facts, context, ("notification",))
    actions = facts.questionnaire.actions
    if actions:
        yield b.Table(
            columns(words, "step:4 owner:2 due:2 done"),
            tuple(
                b.cells([a.what, a.owner or missing(words), on(a.due, words) or missing(words), _yes(words, a.done)])
                for a in actions
            ),
            words("html.caption.actions"),
        )
    else:
        yield b.Para(prose.say(words, "decision.no_actions"))
    yield b.Heading(2, words("doc.norms"))
    yield b.Items(tuple(b.text(norm) for norm in passages.norms(words)))


def _yes(words: Words, value: bool) -> str:
    return words("doc.yes" if value else "doc.no")
