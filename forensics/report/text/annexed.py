"""What stands behind section 11: timeline, every incident with its reasons, annexes A to F."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics.report import facts as f
from forensics.report.facts import measured
from forensics.report.text import beside, byhand, detailed, grids, kept, levels, onepage, pieces, prose
from forensics.report.text import blocks as b
from forensics.report.text import timeline as events
from forensics.report.text.context import Context
from forensics.report.text.pieces import answer, columns, cut_note, question, stamp
from forensics.report.text.wording import Words

EXAMPLE = 200
"""Characters of a record that is an example of its kind."""
ROWS = 1_000
"""Rows of an annex that PDF and Word print; beyond that they point to the CSV file and say so."""


def parts(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """Everything behind the numbered sections, in order."""
    yield from timeline(facts, context)
    yield from detailed.incidents(facts, context)
    yield from detailed.orphaned(facts, context.words)
    yield from beside.section(facts, context)
    yield from deliveries(facts, context)
    yield from evidence(facts, context)
    yield from method(facts, context)
    yield from questions(facts, context)
    yield from glossary(context)
    yield from byhand.page(facts, context)


def timeline(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """What happened when, in UTC and in the organisation's own time."""
    words, zone = context.words, facts.header.timezone
    yield b.Heading(1, words("html.section.timeline"), "timeline")
    known = events.events(facts, words)
    home = any(stamp(at) != stamp(at, zone) for at, _, _ in known)
    layout = columns(words, "when what:1 source")
    if home:
        layout = (layout[0], b.Column(words("doc.home", zone=zone)), *layout[1:])
    rows = tuple(
        b.cells([stamp(at), *([stamp(at, zone)] if home else []), what, b.Span("soft", words(f"source.{source}"))])
        for at, source, what in known
    )
    yield b.Table(layout, rows, words("html.caption.timeline"))


def deliveries(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """Annex A: every finding in one line."""
    words = context.words
    yield b.NewPage()
    yield b.Heading(1, words("html.section.annex_a"))
    yield b.Para(prose.say(words, "html.annex.records_note"), "note")
    if not facts.findings:
        yield b.Para(b.text(words("unit.none")))
        return
    rows = tuple(
        b.cells(
            [
                b.Span("ref", x.ref),
                stamp(x.submitted_at),
                b.code(x.sender or words("html.finding.null_sender")),
                b.code(x.recipient),
                words(f"state.{x.state}"),
                b.Span("exposed" if x.exposure == "exposed" else "text", pieces.became(words, x)),
                pieces.score(words, x.score),
                b.code(pieces.records(x)),
            ]
        )
        for x in facts.findings[:ROWS]
    )
    yield from cut_note(words, ROWS, len(facts.findings), "findings.csv")
    layout = columns(words, "ref sent sender:5 recipient:5 state outcome:4 score> records:5")
    yield b.Table(layout, rows, words("html.caption.deliveries"), small=True)


def evidence(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """Annex B: files, digests, what was read of them, logging hosts."""
    words = context.words
    yield b.NewPage()
    yield b.Heading(1, words("html.section.annex_b"))
    shown = facts.evidence[:ROWS]
    yield from cut_note(words, ROWS, len(facts.evidence), "evidence.csv")
    yield b.Table(
        columns(words, "ref file:3 loader first last records> used> ignored> unread> duplicates>"),
        tuple(
            b.cells(
                [
                    e.ref,
                    b.code("; ".join(e.names)),
                    words.get(f"system.{e.loader}", e.loader),
                    stamp(e.first),
                    stamp(e.last),
                    *(words.number(n) for n in (e.records, e.used, e.ignored, e.unread, e.duplicates)),
                ]
            )
            for e in shown
        ),
        words("html.caption.evidence"),
        small=True,
    )
    yield b.Table(
        columns(words, "ref doc.file_digest:3 doc.content_digest:3 time_basis:2"),
        tuple(b.cells([e.ref, b.code(e.file_sha256), b.code(e.content_sha256), e.time_basis]) for e in shown),
        words("doc.digests"),
        small=True,
    )
    yield b.Para(prose.say(words, "html.annex.digest_note"), "note")
    damaged = [b.text(f"{e.ref}: ", e.damage) for e in facts.evidence if e.damage]
    if damaged:
        yield b.Items(tuple(damaged))
    yield from kept.custody(facts, context)
    yield from not_used(facts, context)
    yield from grids.searched(facts, words) if facts.header.found else ()


def not_used(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """What was handed in and is in no number: unread records, files that are no evidence, lines that bear on no
    delivery; and what was noted of the evidence."""
    words, seen = context.words, facts.coverage
    if seen.unread_reasons:
        yield from cut_note(words, ROWS, len(seen.unread_reasons), "coverage.csv")
        yield b.Table(
            columns(words, "doc.reason:1 count>"),
            tuple(b.cells([b.code(reason), words.number(n)]) for reason, n in seen.unread_reasons[:ROWS]),
            words("doc.unread"),
        )
    if seen.unread_examples:
        reasons = [one.reason for one in seen.unread_examples]
        firsts = [(one.evidence, one.record, one.offset, one.text) for one in seen.unread_examples]
        yield _examples(words, "doc.reason:2", reasons, firsts, "doc.unread_examples")
    if seen.skipped:
        yield from cut_note(words, ROWS, len(seen.skipped), "skipped.csv")
        yield b.Table(
            columns(words, "file:2 doc.reason:3"),
            tuple(b.cells([b.code(one.name), one.reason]) for one in seen.skipped[:ROWS]),
            words("doc.skipped"),
            small=True,
        )
    told: dict[str, list[str]] = {}
    for e in facts.evidence:
        for sentence in e.noted:
            told.setdefault(sentence, []).append(e.ref)
    if told and facts.header.edition == "full":
        yield b.Heading(2, words("doc.noted"))
        yield b.Items(tuple(b.text(f"{', '.join(refs)}: {sentence}") for sentence, refs in told.items()), small=True)
    others = [(e.ref, one) for e in facts.evidence for one in e.other_lines][:ROWS]
    if others:
        names = [words("doc.other_lines_of", program=one.program, n=one.count) for _, one in others]
        lines = [(ref, one.record, one.offset, one.text) for ref, one in others]
        yield _examples(words, "doc.other_lines:2", names, lines, "doc.other_lines_caption")


def _examples(
    words: Words,
    what: str,
    names: Sequence[str],
    rows: Sequence[tuple[str, int | None, int | None, str]],
    caption: str,
) -> b.Table:
    """Kinds of records with one of them each: evidence, number, byte, and what it says where the edition has that."""
    return b.Table(
        columns(words, f"{what} evidence doc.record> doc.byte> doc.example:4"),
        tuple(
            b.cells(
                [
                    name,
                    ref,
                    *(words("doc.none") if n is None else words.number(n) for n in (record, offset)),
                    b.code(onepage.brief(text, EXAMPLE)),
                ]
            )
            for name, (ref, record, offset, text) in zip(names, rows, strict=True)
        ),
        words(caption),
        small=True,
    )


def method(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """Annex C: how findings are made, how well that works, and what makes these tables again."""
    words, m = context.words, facts.method
    yield b.NewPage()
    yield b.Heading(1, words("html.section.annex_c"))
    yield b.Para(prose.say(words, "html.annex.method"))
    yield b.Para(prose.say(words, "html.annex.score_note"), "note")
    yield from rates(facts, context)
    yield from context.charts("calibration")
    digests = (
        ("html.annex.tables_digest", facts.header.tables_digest),
        ("html.state_digest", facts.header.case_state),
        ("doc.settings", m.settings_digest),
        ("doc.suffixes", m.suffix_list_digest),
        ("doc.version", m.version),
    )
    terms = [(words(key), b.text(b.code(value))) for key, value in digests if value]
    if facts.header.domains:
        own = prose.joined(words, [(b.code(domain),) for domain in facts.header.domains])
        terms.insert(0, (words("html.own"), own))
    yield b.Terms(tuple(terms))
    yield from again(facts, context)
    for key, pairs in (("parameters", m.parameters), ("versions", m.libraries)):
        if pairs:
            rows = tuple(b.cells([b.code(name), b.code(value)]) for name, value in pairs)
            yield b.Table(columns(words, "name:1 value:1"), rows, words(f"html.caption.{key}"), small=True)


def again(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """The commands that make the tables again, where the edition has them."""
    words, command = context.words, facts.method.command
    if command:
        yield b.Heading(2, words("html.annex.command"))
        yield b.Para(b.text(words("html.annex.command_note")), "note")
        yield b.Listing(tuple(command.split("\n")))


def rates(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """The measured error rates, or that there are none."""
    words, m = context.words, facts.method
    if not m.rates:
        yield b.Para(prose.say(words, "html.annex.not_measured"))
        return
    yield b.Para(prose.say(words, "html.annex.measured", where=m.evaluated_on), "note")
    yield b.Para(prose.say(words, "measure.means"), "note")
    yield from levels.told(facts, words)
    yield _by_set(facts, words)
    kinds = [rate for rate in m.rates if rate.name not in measured.SETS]
    if kinds:
        rows = (b.cells([prose.rate_name(words, rate.name), _rate(words, rate)]) for rate in kinds)
        layout = columns(words, "doc.kind_of_slip:3 doc.recall:2")
        yield b.Table(layout, tuple(rows), words("html.caption.recall"), small=True)


def _by_set(facts: f.Facts, words: Words) -> b.Table:
    """One row for each set that was measured on, one column a measure."""
    found = [rate for rate in facts.method.rates if rate.name in measured.SETS]
    by = {(rate.name, rate.measure): rate for rate in found}
    measures = list(dict.fromkeys(rate.measure for rate in found))
    rows = tuple(
        b.cells(
            [
                prose.rate_name(words, name),
                *(_rate(words, by[name, key]) if (name, key) in by else words("doc.none") for key in measures),
            ]
        )
        for name in dict.fromkeys(rate.name for rate in found)
    )
    head = (*columns(words, "measured_on:3"), *(b.Column(prose.measure_name(words, key), width=2) for key in measures))
    return b.Table(head, rows, words("html.caption.rates"), small=True)


def _rate(words: Words, rate: f.Rate) -> b.Spans:
    """`0.950 (0.914–0.974; 240)`."""
    interval = "" if rate.low is None or rate.high is None else f"{rate.low:.3f}–{rate.high:.3f}"
    cases = "" if rate.count is None else words.number(rate.count)
    behind = "; ".join(part for part in (interval, cases) if part)
    return b.text(f"{rate.value:.3f}", b.Span("soft", f" ({behind})")) if behind else b.text(f"{rate.value:.3f}")


def questions(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """Annex D: every item of the questionnaire, who asks for it, and its answer."""
    words, q = context.words, facts.questionnaire
    yield b.NewPage()
    yield b.Heading(1, words("html.section.annex_d"))
    yield b.Para(b.text(pieces.answered(words, q)))
    rows = tuple(
        b.cells([question(words, item), answer(words, item, facts.header.timezone), "; ".join(item.demanded_by)])
        for item in q.items
        if item.required or item.answered
    )
    yield b.Table(columns(words, "item:3 answer:4 demanded:3"), rows, small=True)


def glossary(context: Context) -> Iterator[b.Block]:
    """Annex E: what the words mean."""
    words = context.words
    yield b.NewPage()
    yield b.Heading(1, words("html.section.annex_e"))
    yield b.Terms(tuple((term, b.text(meaning)) for term, meaning in prose.glossary(words)))
