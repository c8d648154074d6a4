"""Counting findings: every group the same way, each number with the deliveries behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence

from forensics import domains
from forensics.headline import COUNTING
from forensics.report.facts import Finding, Flow, Groups, Number, Person, Tally

ACCEPTED = ("exposed",)
"""Accepted by the mail server of the mistyped domain itself."""
LEFT = ("exposed", "handed-on")
"""Out of the organisation's hands: accepted there, or handed to a server that the logs do not follow further."""


def was_sent(finding: Finding) -> bool:
    """Not accepted, but sent to a server, in whole or in part, before it refused or the connection broke."""
    return finding.exposure not in LEFT and finding.content_sent is True


def may_have_been(finding: Finding) -> bool:
    """Not accepted, and it is not known whether anything had been sent."""
    return finding.exposure not in LEFT and finding.content_sent is None


def number(findings: Iterable[Finding]) -> Number:
    """How many deliveries these are."""
    ids = tuple(finding.delivery_id for finding in findings)
    return Number(len(ids), ids)


def distinct(findings: Sequence[Finding], key: Callable[[Finding], Hashable]) -> Number:
    """How many different values, and the deliveries that show them."""
    return Number(len({key(finding) for finding in findings}), tuple(finding.delivery_id for finding in findings))


def over_tls(accepted: Sequence[Finding], tls: bool) -> Number | None:
    """How many of the accepted went over TLS (or, with False, without); None when the logs tell of none of them."""
    if accepted and all(finding.tls is None for finding in accepted):
        return None
    return number(finding for finding in accepted if finding.tls is tls)


def tally(findings: Sequence[Finding]) -> Tally:
    """One group of findings (in order of time), counted every way."""
    by: dict[str, list[Finding]] = {}
    for finding in findings:
        by.setdefault(finding.exposure, []).append(finding)
    accepted = [finding for finding in findings if finding.exposure in ACCEPTED]
    origins = Counter(finding.origin for finding in findings)
    return Tally(
        deliveries=number(findings),
        messages=distinct(findings, lambda f: f.message),
        senders=distinct(findings, lambda f: domains.key(f.sender)),
        recipients=distinct(findings, lambda f: domains.key(f.recipient)),
        exposed=number(accepted),
        handed_on=number(by.get("handed-on", ())),
        not_exposed=number(by.get("not-exposed", ())),
        unsettled=number(by.get("unsettled", ())),
        content_sent=number(filter(was_sent, findings)),
        stage_unknown=number(filter(may_have_been, findings)),
        encrypted=over_tls(accepted, True),
        unencrypted=over_tls(accepted, False),
        encryption_unknown=number(f for f in accepted if f.tls is None),
        origins=tuple(
            (origin, number(f for f in findings if f.origin == origin))
            for origin, _ in sorted(origins.items(), key=lambda item: (-item[1], item[0]))
        ),
        first=findings[0].submitted_at if findings else None,
        last=findings[-1].submitted_at if findings else None,
        first_exposed=accepted[0].submitted_at if accepted else None,
        last_exposed=accepted[-1].submitted_at if accepted else None,
    )


def own(findings: Sequence[Finding]) -> list[Finding]:
    """Those that came through no list: who writes to a list has not written to its wrong member."""
    return [finding for finding in findings if finding.origin != "list"]


def headline(findings: Sequence[Finding]) -> list[Finding]:
    """Confirmed and suspected ones."""
    return [finding for finding in findings if finding.state in ("confirmed", "suspected")]


def set_apart(findings: Sequence[Finding]) -> int:
    """Deliveries more probably misdirected than not that no number counts, their level not being measured."""
    return sum(finding.state == "review" and finding.level in COUNTING for finding in findings)


def groups(findings: Sequence[Finding]) -> Groups:
    """All groups a report tells apart."""
    head = headline(findings)
    return Groups(
        headline=tally(head),
        confirmed=tally([f for f in head if f.state == "confirmed"]),
        suspected=tally([f for f in head if f.state == "suspected"]),
        people=tally([f for f in head if not f.automated]),
        automated=tally([f for f in head if f.automated]),
        review=tally([f for f in findings if f.state == "review"]),
        dismissed=tally([f for f in findings if f.state == "dismissed"]),
    )


def persons(findings: Sequence[Finding]) -> tuple[Person, ...]:
    """Senders of these findings, most deliveries first, then by address."""
    by: dict[str, list[Finding]] = {}
    for finding in findings:
        by.setdefault(domains.key(finding.sender), []).append(finding)
    people = [
        Person(
            address=own[0].sender,
            deliveries=number(own),
            exposed=number(f for f in own if f.exposure in ACCEPTED),
            first=own[0].submitted_at,
            last=own[-1].submitted_at,
        )
        for own in by.values()
    ]
    return tuple(sorted(people, key=lambda p: (-p.deliveries.value, p.address)))


def flows(findings: Sequence[Finding]) -> tuple[Flow, ...]:
    """Headline findings by sender, intended and observed domain, largest first."""
    by: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in headline(findings):
        by.setdefault((domains.key(finding.sender), finding.slip.meant, finding.slip.typed), []).append(finding)
    rows = [
        Flow(
            sender=own[0].sender,
            intended=own[0].slip.meant,
            observed=own[0].slip.typed,
            deliveries=number(own),
            accepted=number(f for f in own if f.exposure in ACCEPTED),
        )
        for own in by.values()
    ]
    return tuple(sorted(rows, key=lambda f: (-f.deliveries.value, f.observed, f.intended, f.sender)))
