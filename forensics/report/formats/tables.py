"""The annexes as typed tables.

`annexes` is the one place where facts become rows; the workbook and the CSV files lay out these. Codes (`exposed`,
`typed`, …) stand as codes, so that programs can rely on them; their meaning is in the glossary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, datetime

from forensics.report import facts as f
from forensics.report.formats.data import ranges

Value = str | int | float | bool | datetime | date | None


@dataclass(frozen=True)
class Column:
    """`kind` is text, int, float, time, day or flag; times are UTC. The title is `column.<key>` of the wording."""

    key: str
    kind: str = "text"


@dataclass(frozen=True)
class Annex:
    """`name` names the CSV file and, by way of `sheet.<name>` of the wording, the sheet."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]


def _columns(text: str) -> tuple[Column, ...]:
    """Columns from `key key:int key:time`."""
    parts = (word.partition(":") for word in text.split())
    return tuple(Column(key, kind or "text") for key, _, kind in parts)


def _annex(name: str, columns: str, rows: Iterable[Iterable[Value]]) -> Annex:
    described = _columns(columns)
    table = tuple(tuple(row) for row in rows)
    for row in table:
        if len(row) != len(described):
            raise ValueError(f"annex {name}: {len(row)} values for {len(described)} columns")
    return Annex(name, described, table)


GROUPS = tuple(field.name for field in fields(f.Groups))
MEASURES = (
    "deliveries",
    "messages",
    "senders",
    "recipients",
    "exposed",
    "handed_on",
    "not_exposed",
    "unsettled",
    "content_sent",
    "stage_unknown",
    "encrypted",
    "unencrypted",
    "encryption_unknown",
)
COVERAGE = (
    "weighed",
    "weighed_messages",
    "weighed_domains",
    "deliveries",
    "outbound",
    "inbound",
    "internal",
    "relayed",
    "machine",
    "messages",
    "external_domains",
    "unknown_outcome",
    "deferred",
    "without_subject",
    "tls_unknown",
    "possible_duplicates",
)
RECORDS = ("records", "used", "ignored", "unread", "duplicates", "bearing")


def annexes(facts: f.Facts) -> tuple[Annex, ...]:
    """Every annex, in the order in which a reader wants them; empty ones too, so that nothing is missing silently."""
    return (
        _numbers(facts),
        _incidents(facts),
        _findings(facts),
        _reasons(facts),
        _senders(facts),
        _suffixes(facts),
        _relays(facts),
        _days(facts),
        _flows(facts),
        _statements(facts),
        _questionnaire(facts),
        _actions(facts),
        _coverage(facts),
        _gateways(facts),
        _evidence(facts),
        _skipped(facts),
        _losses(facts),
        _method(facts),
        _rates(facts),
        _orphaned(facts),
    )


def _ids(number: f.Number, places: dict[str, int]) -> str:
    """The findings behind a count: `F1-F3 F7`."""
    return " ".join(ranges(sorted(places[delivery] for delivery in number.deliveries or ())))


def _places(facts: f.Facts) -> dict[str, int]:
    """Delivery id → number of its finding."""
    return {finding.delivery_id: number for number, finding in enumerate(facts.findings, 1)}


def _numbers(facts: f.Facts) -> Annex:
    refs = _places(facts)
    rows: list[tuple[Value, ...]] = []
    for group in GROUPS:
        tally = getattr(facts.groups, group)
        for measure in MEASURES:
            number = getattr(tally, measure)
            if number is None:  # The logs do not tell: an empty cell, not nought.
                rows.append((group, measure, None, None, None))
            else:
                rows.append((group, measure, number.value, _ids(number, refs), number.query or None))
    return _annex("numbers", "group measure value:int findings query", rows)


def _incidents(facts: f.Facts) -> Annex:
    return _annex(
        "incidents",
        "incident state typed_domain meant_domain slip story observed_country intended_country score:float "
        "deliveries:int messages:int senders:int recipients:int exposed:int handed_on:int not_exposed:int "
        "unsettled:int content_sent:int stage_unknown:int review:int dismissed:int "
        "followups:int also_to_meant:int resent:int first:time "
        "last:time lists incident_id",
        (
            (
                i.ref,
                i.state,
                i.slip.typed,
                i.slip.meant,
                i.slip.kind,
                i.story,
                i.observed_country,
                i.intended_country,
                i.score,
                i.tally.deliveries.value,
                i.tally.messages.value,
                i.tally.senders.value,
                i.tally.recipients.value,
                i.tally.exposed.value,
                i.tally.handed_on.value,
                i.tally.not_exposed.value,
                i.tally.unsettled.value,
                i.tally.content_sent.value,
                i.tally.stage_unknown.value,
                i.review.value,
                i.dismissed.value,
                i.followups.value,
                i.also_to_meant.value,
                i.resent.value,
                i.tally.first,
                i.tally.last,
                "; ".join(f"{name} ({number.value})" for name, number in i.lists) or None,
                i.incident_id,
            )
            for i in facts.incidents
        ),
    )


def _findings(facts: f.Facts) -> Annex:
    return _annex(
        "findings",
        "finding state level score:float exposure submitted_at:time sender recipient intended_address typed_domain "
        "meant_domain slip origin automated:flag original_recipient outcome status_code response relay_name "
        "relay_address attempts:int content_sent:flag tls:flag size_bytes:int subject resolved_at:time "
        "also_to_meant:flag "
        "resent_at:time incident story message weight:float prior:float alternatives verdict verdict_at:time reviewer "
        "verdict_reason records places host queue_id message_id delivery_id",
        (_finding(x) for x in facts.findings),
    )


def _finding(x: f.Finding) -> tuple[Value, ...]:
    ruling = x.ruling
    return (
        x.ref,
        x.state,
        x.level,
        x.score,
        x.exposure,
        x.submitted_at,
        x.sender,
        x.recipient,
        x.intended_address,
        x.slip.typed,
        x.slip.meant,
        x.slip.kind,
        x.origin,
        x.automated,
        x.original_recipient,
        x.outcome,
        x.status_code,
        x.response,
        x.relay_name,
        x.relay_address,
        x.attempts,
        x.content_sent,
        x.tls,
        x.size_bytes,
        x.subject,
        x.resolved_at,
        x.also_to_meant,
        x.resent_at,
        x.incident,
        x.story,
        x.message,
        x.weight,
        x.prior,
        "; ".join(f"{domain} ({score:.4f})" for domain, score in x.alternatives) or None,
        ruling.verdict if ruling else None,
        ruling.at if ruling else None,
        ruling.reviewer if ruling else None,
        ruling.reason if ruling else None,
        " ".join(f"{record.evidence}:{record.number}" for record in x.records),
        " ".join(f"{record.evidence}:{record.offset}+{record.length}" for record in x.records),
        x.host,
        x.queue_id,
        x.message_id,
        x.delivery_id,
    )


def _reasons(facts: f.Facts) -> Annex:
    return _annex(
        "reasons",
        "finding reason weight:float text",
        ((x.ref, r.name, r.weight, r.text) for x in facts.findings for r in x.reasons),
    )


def _senders(facts: f.Facts) -> Annex:
    return _annex(
        "senders",
        "incident sender deliveries:int exposed:int first:time last:time",
        (
            (i.ref, person.address, person.deliveries.value, person.exposed.value, person.first, person.last)
            for i in facts.incidents
            for person in i.senders
        ),
    )


def _suffixes(facts: f.Facts) -> Annex:
    return _annex(
        "places",
        "suffix exists:flag country country_name of_concern:flag deliveries:int accepted:int content_sent:int "
        "messages:int "
        "all_deliveries:int all_messages:int domains operator_then "
        "operator_now",
        (
            (
                p.suffix,
                p.exists,
                p.country,
                p.country_name,
                p.of_concern,
                p.deliveries.value,
                p.accepted.value,
                p.content_sent.value,
                p.messages.value,
                p.all_deliveries.value,
                p.all_messages.value,
                "; ".join(p.domains),
                p.operator_then,
                p.operator_now,
            )
            for p in facts.places
        ),
    )


def _relays(facts: f.Facts) -> Annex:
    return _annex(
        "relays",
        "suffix relay_name relay_address accepted:int refused:int encrypted:int encryption_unknown:int",
        (
            (
                p.suffix,
                r.name,
                r.address,
                r.accepted.value,
                r.refused.value,
                r.encrypted.value if r.encrypted else None,
                r.encryption_unknown.value,
            )
            for p in facts.places
            for r in p.relays
        ),
    )


def _days(facts: f.Facts) -> Annex:
    return _annex(
        "days",
        "day:day legitimate:int accepted:int not_accepted:int",
        ((d.day, d.legitimate, d.exposed, d.not_exposed) for d in facts.days),
    )


def _flows(facts: f.Facts) -> Annex:
    return _annex(
        "flows",
        "sender meant_domain typed_domain deliveries:int accepted:int",
        ((x.sender, x.intended, x.observed, x.deliveries.value, x.accepted.value) for x in facts.flows),
    )


def _statements(facts: f.Facts) -> Annex:
    refs = _places(facts)
    return _annex(
        "statements",
        "claim statement made_by made_on:day check threshold result basis lacks silent_days:int findings",
        (
            (
                s.claim,
                s.statement,
                s.made_by,
                s.made_on,
                s.check,
                s.threshold,
                s.result,
                s.basis,
                "; ".join(s.lacks),
                s.silent,
                _ids(s.evidence, refs),
            )
            for s in facts.statements
        ),
    )


def _questionnaire(facts: f.Facts) -> Annex:
    return _annex(
        "questionnaire",
        "item required:flag answered:flag answer demanded_by",
        (
            (item.key, item.required, item.answered, item.answer, "; ".join(item.demanded_by))
            for item in facts.questionnaire.items
        ),
    )


def _actions(facts: f.Facts) -> Annex:
    return _annex(
        "actions",
        "action owner due:day done:flag",
        ((a.what, a.owner, a.due, a.done) for a in facts.questionnaire.actions),
    )


def _coverage(facts: f.Facts) -> Annex:
    c = facts.coverage
    rows: list[tuple[Value, ...]] = [
        (name, getattr(c, name).value, getattr(c, name).query or None) for name in COVERAGE
    ]
    rows += [(f"outcome.{name}", number.value, number.query or None) for name, number in c.outcomes]
    rows += [(name, getattr(c, name), None) for name in RECORDS]
    rows += [
        (f"uncovered.{first.isoformat()}/{last.isoformat()}", (last - first).days + 1, None)
        for first, last in c.uncovered
    ]
    rows += [(f"unread.{reason}", count, None) for reason, count in c.unread_reasons]
    rows += [(f"losses.{one.kind}", one.records, None) for one in c.losses]
    return _annex("coverage", "measure value:int query", rows)


def _gateways(facts: f.Facts) -> Annex:
    return _annex(
        "gateways",
        "host system first:time last:time deliveries:int silent_days",
        (
            (g.name, g.system, g.first, g.last, g.deliveries.value, " ".join(d.isoformat() for d in g.silent_days))
            for g in facts.coverage.gateways
        ),
    )


def _evidence(facts: f.Facts) -> Annex:
    return _annex(
        "evidence",
        "evidence files loader file_sha256 content_sha256 file_bytes:int content_bytes:int records:int used:int "
        "ignored:int unread:int duplicates:int first:time last:time time_basis damage noted",
        (
            (
                e.ref,
                "; ".join(e.names),
                e.loader,
                e.file_sha256,
                e.content_sha256,
                e.file_bytes,
                e.content_bytes,
                e.records,
                e.used,
                e.ignored,
                e.unread,
                e.duplicates,
                e.first,
                e.last,
                e.time_basis,
                e.damage,
                "; ".join(e.noted) or None,
            )
            for e in facts.evidence
        ),
    )


def _skipped(facts: f.Facts) -> Annex:
    return _annex("skipped", "file reason", ((one.name, one.reason) for one in facts.coverage.skipped))


def _losses(facts: f.Facts) -> Annex:
    return _annex(
        "losses",
        "evidence host time:time kind count:int record:int text",
        (
            (e.ref, loss.host, loss.at, loss.kind, loss.count, loss.record, loss.text)
            for e in facts.evidence
            for loss in e.losses
        ),
    )


def _method(facts: f.Facts) -> Annex:
    m = facts.method
    return _annex(
        "method",
        "parameter setting",
        [
            ("missent", m.version),
            ("case_state", facts.header.case_state),
            ("settings_digest", m.settings_digest),
            ("suffix_list_digest", m.suffix_list_digest),
            ("command", m.command),
            *m.parameters,
            *m.libraries,
        ],
    )


def _rates(facts: f.Facts) -> Annex:
    return _annex(
        "rates",
        "measured_on rate value:float low:float high:float count:int",
        ((r.name, r.measure, r.value, r.low, r.high, r.count) for r in facts.method.rates),
    )


def _orphaned(facts: f.Facts) -> Annex:
    return _annex(
        "orphaned",
        "verdict verdict_at:time reviewer verdict_reason",
        ((r.verdict, r.at, r.reviewer, r.reason) for r in facts.orphaned),
    )
