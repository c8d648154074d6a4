"""Every incident with a part of its own: the slip, its numbers, who sent, each finding and its reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text import grids, passages, pieces, prose, sums
from forensics.report.text.context import Context
from forensics.report.text.pieces import cut_note, slip_line, stamp
from forensics.report.text.visible import cut
from forensics.report.text.wording import Words

INCIDENTS = 100
"""Incidents with a part of their own, worst first."""

DETAILED = 200
"""Findings whose reasons are printed one by one."""

LONG = 90
"""Characters of an address in a heading; the annex tables have more, the CSV files all."""


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
    meanings = {signal.name: signal.meaning for signal in facts.method.signals}
    for incident in facts.incidents[:INCIDENTS]:
        own = by.get(incident.ref, [])
        yield from _incident(words, incident)
        first: dict[tuple[f.Reason, ...], str] = {}
        for finding in own[: max(left, 0)]:
            same = first.setdefault(finding.reasons, finding.ref)
            yield from _finding(words, finding, "" if same == finding.ref else same, meanings)
        left -= len(own)


def orphaned(facts: f.Facts, words: Words) -> Iterator[b.Block]:
    """Rulings that no finding bears any more: they are shown, and count nowhere."""
    if not facts.orphaned:
        return
    yield b.Heading(1, words("doc.orphaned"))
    yield b.Para(b.text(words("html.annex.ignored_note", n=len(facts.orphaned))))
    yield b.Items(tuple(b.text(*_ruling(words, one)) for one in facts.orphaned))


def _ruling(words: Words, one: f.Ruling) -> tuple[str | b.Spans, ...]:
    """Who ruled what, when, and why."""
    who = {"verdict": words(f"verdict.{one.verdict}"), "reviewer": one.reviewer or words("html.finding.ruled_nobody")}
    said = prose.say(words, "html.finding.ruled_at" if one.at else "html.finding.ruled", at=stamp(one.at), **who)
    return (said, ": ", one.reason) if one.reason else (said,)


def _incident(words: Words, incident: f.Incident) -> Iterator[b.Block]:
    yield b.Heading(2, f"{incident.ref}  {incident.slip.meant} → {incident.slip.typed}", incident.ref)
    yield slip_line(words, incident.slip)
    if incident.tally.deliveries.value:
        yield grids.incident(incident, words)
    lines = passages.incident(words, incident)
    if lines:
        yield b.Items(lines)
    if incident.senders:
        yield from grids.people(words, incident.senders, words("html.caption.senders"))


def _finding(words: Words, x: f.Finding, same: str, meanings: Mapping[str, str]) -> Iterator[b.Block]:
    """One finding: who to whom, what became of it, and why it is believed (`same`: as another finding)."""
    accepted = x.exposure == "exposed"
    sender = x.sender or words("html.finding.null_sender")
    yield b.Heading(3, f"{x.ref}  {cut(sender, LONG)} → {cut(x.recipient, LONG)}", x.ref)
    head = prose.say(
        words,
        "doc.finding_line",
        at=stamp(x.submitted_at),
        exposure=b.Span("exposed" if accepted else "text", pieces.became(words, x)),
        score=pieces.score(words, x.score),
        state=words(f"state.{x.state}"),
    )
    yield b.Para(head, "under")
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
    if sent := pieces.sent(words, x):
        terms.append((words("html.finding.sent"), b.text(sent)))
    if x.also_to_meant:
        terms.append((words("html.finding.also"), b.text(words("doc.yes"))))
    if x.resent_at:
        terms.append((words("html.finding.resent"), b.text(stamp(x.resent_at))))
    if x.ruling:
        terms.append((words("html.finding.ruling"), b.text(*_ruling(words, x.ruling))))
    terms.append((words("html.finding.records"), b.text(b.code(pieces.records(x)))))
    yield b.Terms(tuple(terms))
    lines = [sums.line(words, x)]
    if others := sums.answers(words, x):
        lines.append(others)
    if same:
        yield b.Items((b.text(words("sum.same", ref=same)), *lines), small=True)
        return
    weights = sums.of(x).parts
    reasons = [
        b.text(b.Span("strong", sums.signed(weight)), "  ", pieces.reason(words, reason, meanings))
        for weight, reason in zip(weights, x.reasons, strict=True)
    ]
    yield b.Items((*reasons, *lines), small=True)
