"""What stands behind section 11: timeline, every incident with its reasons, annexes A to E."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.report import blocks as b
from forensics.report import events, passages, prose
from forensics.report import facts as f
from forensics.report.context import Context
from forensics.report.pieces import (
    answer,
    columns,
    count,
    cut_note,
    people,
    question,
    slip_line,
    stamp,
)
from forensics.report.wording import Words

ROWS = 1_000
"""Rows of an annex that PDF and Word print; beyond that they point to the CSV file and say so."""

INCIDENTS = 100
"""Incidents with a part of their own, worst first."""

DETAILED = 200
"""Findings whose reasons are printed one by one."""

LONG = 90
"""Characters of an address in a heading; the annex tables have more, the CSV files all."""

SHORT = 25
"""Rows of a table within a section."""


def parts(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """Everything behind the numbered sections, in order."""
    yield from timeline(facts, context)
    yield from incidents(facts, context)
    yield from deliveries(facts, context)
    yield from evidence(facts, context)
    yield from method(facts, context)
    yield from questions(facts, context)
    yield from glossary(context)


def timeline(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """What happened when, in UTC and in the organisation's own time."""
    words, zone = context.words, facts.header.timezone
    yield b.Heading(1, words("html.section.timeline"))
    known = events.events(facts, words)
    home = any(stamp(at) != stamp(at, zone) for at, _, _ in known)
    layout = columns(words, "when what:1")
    if home:
        layout = (layout[0], b.Column(words("doc.home", zone=zone)), layout[1])
    rows = tuple(b.cells([stamp(at), *([stamp(at, zone)] if home else []), what]) for at, _, what in known)
    yield b.Table(layout, rows, words("html.caption.timeline"))


def incidents(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """Each incident: the slip, its numbers, who sent, and every finding with its reasons."""
    words = context.words
    if not facts.incidents:
        return
    yield b.NewPage()
    yield b.Heading(1, words("html.section.incidents"))
    by: dict[str, list[f.Finding]] = {}
    for finding in facts.findings:
        by.setdefault(finding.incident, []).append(finding)
    if len(facts.findings) > DETAILED:
        yield b.Para(b.text(words("doc.reasons_in", shown=DETAILED, n=len(facts.findings))), "note")
    yield from cut_note(words, INCIDENTS, len(facts.incidents), "incidents.csv")
    left = DETAILED
    for incident in facts.incidents[:INCIDENTS]:
        own = by.get(incident.ref, [])
        yield from _incident(words, incident)
        for finding in own[: max(left, 0)]:
            yield from _finding(words, finding)
        left -= len(own)


def _incident(words: Words, incident: f.Incident) -> Iterator[b.Block]:
    tally = incident.tally
    yield b.Heading(2, f"{incident.ref}  {incident.slip.meant} → {incident.slip.typed}")
    yield slip_line(words, incident.slip)
    yield b.Table(
        columns(words, "state:1 messages> deliveries> senders> doc.addresses> accepted> refused> doc.unsettled>"),
        (
            b.cells(
                [
                    words(f"state.{incident.state}"),
                    count(words, tally.messages),
                    count(words, tally.deliveries),
                    count(words, tally.senders),
                    count(words, tally.recipients),
                    count(words, tally.accepted, exposed=True),
                    count(words, tally.not_exposed),
                    count(words, tally.unsettled),
                ]
            ),
        ),
    )
    told = passages.incident(words, incident)
    if told:
        yield b.Items(told)
    if incident.senders:
        yield people(words, incident.senders[:SHORT], words("html.caption.senders"))
        yield from cut_note(words, SHORT, len(incident.senders), "senders.csv")


def _finding(words: Words, x: f.Finding) -> Iterator[b.Block]:
    """One finding: who to whom, what became of it, and why it is believed."""
    accepted = x.exposure in ("exposed", "handed-on")
    line = words("doc.finding_line", at=stamp(x.submitted_at), exposure="\0", score=words.number(x.score, 3)).partition(
        "\0"
    )
    exposure = b.Span("exposed" if accepted else "text", words(f"exposure.{x.exposure}"))
    yield b.Heading(3, f"{x.ref}  {x.sender or words('finding.null_sender')} → {x.recipient}")
    yield b.Para(b.text(line[0], exposure, f"{line[2]} · {words(f'state.{x.state}')}"), "note")
    terms: list[tuple[str, b.Spans]] = []
    if x.intended_address:
        terms.append((words("doc.meant"), b.text(b.code(x.intended_address))))
    if x.original_recipient:
        terms.append((words("doc.through"), b.text(b.code(x.original_recipient))))
    if x.subject is not None:
        terms.append((words("html.finding.subject"), b.text(b.code(x.subject))))
    server = " ".join(part for part in (x.relay_name, x.relay_address and f"[{x.relay_address}]") if part)
    if server:
        tls = words(f"html.finding.tls_{'unknown' if x.tls is None else 'yes' if x.tls else 'no'}")
        terms.append((words("html.finding.server"), b.text(b.code(server), b.Span("soft", f", {tls}"))))
    reply = x.response or x.status_code
    if reply:
        terms.append((words("html.finding.reply"), b.text(b.code(reply))))
    if x.resent_at:
        terms.append((words("html.finding.resent"), b.text(stamp(x.resent_at))))
    if x.alternatives:
        said = "; ".join(f"{domain} ({words.number(score, 3)})" for domain, score in x.alternatives)
        terms.append((words("html.finding.alternatives"), b.text(b.code(said))))
    if x.ruling:
        said = words(
            "html.finding.ruled", verdict=words.get(f"state.{x.ruling.verdict}", x.ruling.verdict), reviewer="\0"
        )
        before, _, after = said.partition("\0")
        terms.append((words("html.finding.ruling"), b.text(before, x.ruling.reviewer, after, ". ", x.ruling.reason)))
    records = " ".join(f"{record.evidence}:{record.number}" for record in x.records)
    terms.append((words("html.finding.records"), b.text(b.code(records))))
    yield b.Terms(tuple(terms))
    reasons = [b.text(b.Span("strong", f"{r.weight:+.2f}"), "  ", r.text or r.name) for r in x.reasons]
    total = words("doc.prior_line", prior=f"{x.prior:+.2f}", total=f"{x.weight:+.2f}")
    yield b.Items((*reasons, b.text(b.Span("soft", total))))


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
                x.ref,
                stamp(x.submitted_at),
                b.code(x.sender or words("html.finding.null_sender")),
                b.code(x.recipient),
                words(f"state.{x.state}"),
                b.Span(
                    "exposed" if x.exposure in ("exposed", "handed-on") else "text", words(f"exposure.{x.exposure}")
                ),
                words.number(x.score, 3),
                b.code(" ".join(f"{record.evidence}:{record.number}" for record in x.records[:3])),
            ]
        )
        for x in facts.findings[:ROWS]
    )
    yield from cut_note(words, ROWS, len(facts.findings), "findings.csv")
    layout = columns(words, "ref sent sender:3 recipient:3 state outcome:2 score> records:2")
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
    if facts.coverage.unread_reasons:
        yield b.Table(
            columns(words, "doc.reason:1 count>"),
            tuple(b.cells([b.code(reason), words.number(n)]) for reason, n in facts.coverage.unread_reasons),
            words("doc.unread"),
        )
    yield from gateways(facts, context)


def gateways(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """Which hosts logged, from when to when."""
    words = context.words
    if facts.coverage.gateways:
        yield b.Table(
            columns(words, "gateway:2 system first last deliveries> silent>"),
            tuple(
                b.cells(
                    [
                        b.code(g.name or words("doc.none")),
                        words.get(f"system.{g.system}", g.system),
                        stamp(g.first),
                        stamp(g.last),
                        count(words, g.deliveries),
                        words.number(len(g.silent_days)),
                    ]
                )
                for g in facts.coverage.gateways
            ),
            words("html.caption.gateways"),
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
        ("html.state_digest", facts.header.case_state),
        ("doc.settings", m.settings_digest),
        ("doc.suffixes", m.suffix_list_digest),
        ("doc.version", m.version),
        ("html.annex.command", m.command),
    )
    yield b.Terms(tuple((words(key), b.text(b.code(value))) for key, value in digests if value))
    for key, pairs in (("parameters", m.parameters), ("versions", m.libraries)):
        if pairs:
            rows = tuple(b.cells([b.code(name), b.code(value)]) for name, value in pairs)
            yield b.Table(columns(words, "name:1 value:1"), rows, words(f"html.caption.{key}"), small=True)


def rates(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """The measured error rates, or that there are none."""
    words, m = context.words, facts.method
    if not m.rates:
        yield b.Para(prose.say(words, "html.annex.not_measured"))
        return
    yield b.Para(prose.say(words, "html.annex.measured", where=m.evaluated_on))
    rows = []
    for rate in m.rates:
        interval = "" if rate.low is None or rate.high is None else f"{rate.low:.3f}–{rate.high:.3f}"
        cases = "" if rate.count is None else words.number(rate.count)
        rows.append(
            b.cells(
                [
                    prose.rate_name(words, rate.name),
                    prose.measure_name(words, rate.measure),
                    f"{rate.value:.3f}",
                    interval,
                    cases,
                ]
            )
        )
    layout = columns(words, "measured_on:2 measure:1 value> interval> cases>")
    yield b.Table(layout, tuple(rows), words("html.caption.rates"))


def questions(facts: f.Facts, context: Context) -> Iterator[b.Block]:
    """Annex D: every item of the questionnaire, who asks for it, and its answer."""
    words, q = context.words, facts.questionnaire
    yield b.NewPage()
    yield b.Heading(1, words("html.section.annex_d"))
    yield b.Para(b.text(words("answer.count", answered=q.answered, required=q.required)))
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
    keys = sorted(key.removeprefix("glossary.") for key in words.entries if key.startswith("glossary."))
    yield b.Terms(
        tuple((_term(words, key), b.text(words(f"glossary.{key}"))) for key in keys if not key.startswith("term."))
    )


def _term(words: Words, key: str) -> str:
    return words.get(f"glossary.term.{key}", key.replace("_", " ").capitalize())
