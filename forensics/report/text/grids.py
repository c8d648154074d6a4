"""The tables within the sections, laid out once: every format has the same columns in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from forensics import domains
from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text import passages, pieces, prose
from forensics.report.text.pieces import SHORT, columns, count, country, cut_note, missing, on, stamp
from forensics.report.text.wording import Words

MEASURES = ("messages", "deliveries", "senders", "recipients", "exposed", "handed_on", "not_exposed", "unsettled")
STAGES = ("content_sent", "stage_unknown")
"""Of what was not accepted: in the table where there is any."""
GROUPS = ("headline", "confirmed", "suspected", "people", "automated")

_DOMAINS = 8
"""Domains of one suffix that the table of places names."""


def numbers(facts: f.Facts, words: Words) -> b.Table:
    """Section 3: every measure of every group."""
    measures = (*MEASURES, *(one for one in STAGES if getattr(facts.groups.headline, one).value))
    groups = [b.Column(words(f"html.th.{'all' if g == 'headline' else g}"), "right") for g in GROUPS]
    rows = tuple(
        b.cells(
            [
                words(f"html.th.{measure}"),
                *(
                    count(
                        words,
                        getattr(getattr(facts.groups, group), measure),
                        exposed=measure == "exposed" and group == "headline",
                    )
                    for group in GROUPS
                ),
            ]
        )
        for measure in measures
    )
    return b.Table((b.Column("", "left", 1), *groups), rows, words("html.caption.numbers"))


def pairs(facts: f.Facts, words: Words) -> Iterator[b.Block]:
    """Section 4: what was meant, where it went, one row a pair."""
    counted = [incident for incident in facts.incidents if incident.tally.deliveries.value]
    rows = tuple(
        b.cells(
            [
                b.Span("ref", i.ref),
                name(i.slip.meant),
                name(i.slip.typed),
                prose.slip(words, i.slip),
                count(words, i.tally.messages),
                count(words, i.tally.deliveries),
                count(words, i.tally.exposed, exposed=True),
                words(f"state.{i.state}"),
            ]
        )
        for i in counted[:SHORT]
    )
    layout = columns(words, "ref meant:4 sent_to:4 slip:5 messages> deliveries> accepted> state")
    yield b.Table(layout, rows, words("html.caption.stories"))
    yield from cut_note(words, SHORT, len(counted), "incidents.csv")


def name(domain: str) -> b.Spans:
    """A domain as people read it and, where that differs, as it was sent."""
    read = domains.u_label(domain)
    return b.text(b.code(read)) if read == domain else b.text(b.code(read), b.Span("soft", " "), b.code(f"({domain})"))


def people(words: Words, persons: Sequence[f.Person], caption: str) -> Iterator[b.Block]:
    """Senders, most deliveries first."""
    rows = tuple(
        b.cells(
            [
                b.code(person.address or words("html.finding.null_sender")),
                count(words, person.deliveries),
                count(words, person.exposed, exposed=True),
                stamp(person.first),
                stamp(person.last),
            ]
        )
        for person in persons[:SHORT]
    )
    yield b.Table(columns(words, "sender:1 deliveries> accepted> first last"), rows, caption)
    yield from cut_note(words, SHORT, len(persons), "senders.csv")


def places(facts: f.Facts, words: Words) -> b.Table:
    """Section 5: suffixes that misdirected mail went to."""
    rows = []
    for place in facts.places:
        named: list[b.Spans] = [name(domain) for domain in place.domains[:_DOMAINS]]
        if len(place.domains) > _DOMAINS:
            named.append(b.text(words("html.others", n=len(place.domains) - _DOMAINS)))
        rows.append(
            b.cells(
                [
                    b.code("." + place.suffix),
                    country(words, place),
                    count(words, place.deliveries),
                    count(words, place.accepted, exposed=True),
                    count(words, place.all_deliveries),
                    listed(named),
                ]
            )
        )
    layout = columns(words, "suffix country:2 misdirected> accepted> of_all> sent_to:3")
    return b.Table(layout, tuple(rows), words("html.caption.places"))


def listed(parts: Sequence[b.Spans]) -> b.Spans:
    """Parts with commas between."""
    return b.text(*(b.text(", " if number else "", part) for number, part in enumerate(parts)))


def relays(facts: f.Facts, words: Words) -> Iterator[b.Block]:
    """Section 5: servers that were offered misdirected mail."""
    known = [(place, relay) for place in facts.places for relay in place.relays]
    if not known:
        return
    rows = tuple(
        b.cells(
            [
                b.code("." + place.suffix),
                b.code(relay.name or words("doc.none")),
                b.code(relay.address or words("doc.none")),
                count(words, relay.accepted, exposed=True),
                count(words, relay.refused),
                over_tls(words, relay),
            ]
        )
        for place, relay in known[:SHORT]
    )
    layout = columns(words, "suffix server:3 address:2 accepted> refused> tls>")
    yield b.Table(layout, rows, words("html.caption.relays"))
    yield from cut_note(words, SHORT, len(known), "relays.csv")


def over_tls(words: Words, relay: f.Relay) -> b.Spans:
    """How many of the accepted deliveries went over TLS, as far as the logs tell."""
    if not relay.accepted.value:
        return b.text(words("doc.none"))
    if relay.encrypted is None:
        return (b.Span("soft", words("tls.unknown")),)
    encrypted = words.number(relay.encrypted.value)
    unknown = relay.encryption_unknown.value
    return b.text(encrypted, b.Span("soft", words("tls.open", n=unknown))) if unknown else b.text(encrypted)


def statements(facts: f.Facts, words: Words) -> b.Table:
    """Section 9: what was claimed in public, claim by claim, and what the evidence says."""
    rows = []
    told = 0
    for one in facts.statements:
        claim = b.text(_quoted(words, one), _claimed(words, one) if one.number != told else ())
        if one.claim != one.statement and one.number != told and one.statement != words("answer.text_withheld"):
            claim = (*claim, b.Span("soft", " " + words("statement.of", statement=one.statement)))
        told = one.number
        result = b.Span("strong", words(f"statement.result.{one.result}"))
        rows.append(b.cells([claim, result, passages.statement(facts, one, words)]))
    return b.Table(columns(words, "claim:4 result:2 evidence:5"), tuple(rows), words("html.caption.statements"))


def _quoted(words: Words, one: f.Statement) -> str:
    """The claim's words; where the edition withholds them, what kind of claim it is."""
    if one.claim != words("answer.text_withheld"):
        return f"“{one.claim}”"
    return words("statement.kind.withheld", kind=words(f"statement.kind.{one.check}", limit=one.threshold or ""))


def _claimed(words: Words, one: f.Statement) -> b.Spans:
    source = ", ".join(part for part in (one.made_by, on(one.made_on, words)) if part)
    return (b.Span("soft", words("doc.claimed", by=source)),) if source else ()


def actions(facts: f.Facts, words: Words) -> b.Table:
    """Section 11: next steps."""
    rows = tuple(
        b.cells(
            [
                a.what,
                a.owner or missing(words),
                on(a.due, words) or missing(words),
                words("doc.yes" if a.done else "doc.no"),
            ]
        )
        for a in facts.questionnaire.actions
    )
    return b.Table(columns(words, "step:4 owner:2 due:2 done"), rows, words("html.caption.actions"))


def searched(facts: f.Facts, words: Words) -> Iterator[b.Block]:
    """What was searched, when nothing was found; in Annex B otherwise."""
    seen = facts.coverage
    names = ("outbound", "messages", "external_domains", "inbound", "internal", "relayed", "machine")
    yield b.Table(
        columns(words, "_:1 count>"),
        tuple(b.cells([words(f"doc.searched.{key}"), count(words, getattr(seen, key))]) for key in names),
        words("html.caption.searched"),
    )
    yield b.Table(
        columns(words, "outcome:1 deliveries>"),
        tuple(b.cells([words(f"outcome.{key}"), count(words, number)]) for key, number in seen.outcomes),
        words("html.caption.outcomes"),
    )
    if seen.gateways:
        yield gateways(facts, words)


LOSSES = 100
"""Records that say that something is missing which the report sets out; losses.csv has them all."""


def losses(facts: f.Facts, words: Words) -> Iterator[b.Block]:
    """What the logs themselves say that they do not hold, in order of time."""
    found = sorted(
        ((loss.at is not None, loss.at, e.ref, loss) for e in facts.evidence for loss in e.losses),
        key=lambda one: (one[0], one[1] or datetime.min.replace(tzinfo=UTC), one[2], one[3].record or 0),
    )
    if not found:
        return
    total = sum(one.records for one in facts.coverage.losses)
    if total > len(found):
        yield b.Para(b.text(words("doc.losses_listed", n=total)), "note")
    yield from cut_note(words, LOSSES, len(found), "losses.csv")
    yield b.Table(
        columns(words, "when gateway:2 doc.missing:3 count> evidence doc.record>"),
        tuple(
            b.cells(
                [
                    stamp(loss.at) or words("doc.none"),
                    b.code(loss.host or words("doc.none")),
                    passages.loss_kind(words, loss.kind),
                    words("doc.none") if loss.count is None else words.number(loss.count),
                    ref,
                    words("doc.none") if loss.record is None else words.number(loss.record),
                ]
            )
            for _, _, ref, loss in found[:LOSSES]
        ),
        words("html.caption.losses"),
        small=True,
    )


def gateways(facts: f.Facts, words: Words) -> b.Table:
    """Which hosts logged, from when to when."""
    return b.Table(
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


def incident(one: f.Incident, words: Words) -> b.Table:
    """The headline numbers of one incident that has any."""
    tally = one.tally
    row = b.cells(
        [
            words(f"state.{one.state}"),
            count(words, tally.messages),
            count(words, tally.deliveries),
            count(words, tally.senders),
            count(words, tally.recipients),
            count(words, tally.exposed, exposed=True),
            count(words, tally.not_exposed),
            count(words, tally.unsettled),
            pieces.score(words, one.score),
        ]
    )
    layout = "state:1 messages> deliveries> senders> doc.addresses> accepted> refused> doc.unsettled> score>"
    return b.Table(columns(words, layout), (row,))
