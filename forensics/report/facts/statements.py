"""Public claims against the evidence: supported, contradicted, or not determinable from logs.

A claim is checked only by the check the investigator names for it; nothing is read out of its words. Suspected
findings alone contradict nothing: where confirmed ones stay within a limit that confirmed and suspected together
exceed, the result is open until the suspected ones are reviewed. A claim about an end is supported only as far as
the logs run past it, and none where much was not read or weighed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from forensics import domains
from forensics.errors import CaseError
from forensics.report.facts import Finding, Number, Statement, tallies
from forensics.report.facts.questionnaire import Claim, moment

Outcome = tuple[str, str, tuple[tuple[str, str | int], ...], Number]
"""(result, basis, values, evidence)."""


def check(
    claims: Sequence[Claim],
    findings: Sequence[Finding],
    first: datetime | None,
    last: datetime | None,
    home: ZoneInfo,
    *,
    read: bool = True,
) -> tuple[Statement, ...]:
    """Every claim with its result. `first`, `last`: what the logs cover; `read`: whether all but a little of what they
    hold was read and weighed, without which nothing is supported."""
    out = []
    for claim in claims:
        result, basis, values, evidence = _one(claim, findings, first, last, home)
        if result == "supported" and not read:
            result, basis, values = "not-determinable", "not-read", ()
        out.append(
            Statement(
                claim=claim.claim,
                made_by=claim.by,
                made_on=claim.on,
                check=claim.check,
                threshold=_shown(claim.value),
                result=result,
                basis=basis,
                values=values,
                evidence=evidence,
            )
        )
    return tuple(out)


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, tuple):
        return ", ".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _one(
    claim: Claim, findings: Sequence[Finding], first: datetime | None, last: datetime | None, home: ZoneInfo
) -> Outcome:
    head = tallies.headline(findings)
    if claim.check == "none":
        return "not-determinable", "content", (), tallies.number(head)
    if claim.check in _COUNTED:
        return _at_most(claim, head, [f for f in findings if f.state == "review"])
    if claim.check in ("not-before", "not-after"):
        return _bounded(claim, head, first, last, home)
    if claim.check == "only-domains":
        allowed = set(domains.clean(_domains(claim)))
        rest = [f for f in head if not domains.within(f.slip.typed, allowed)]
        return _none_of(rest, "only-domains", "other-domains")
    accepted = [f for f in head if f.exposure in tallies.ACCEPTED]
    plain = [f for f in accepted if f.tls is False]
    if plain:
        return _none_of(plain, "encrypted", "unencrypted")
    unknown = [f for f in accepted if f.tls is None]
    if unknown:
        return "not-determinable", "tls-not-logged", (("count", len(unknown)),), tallies.number(unknown)
    return "supported", "encrypted", (("count", len(accepted)),), tallies.number(accepted)


_COUNTED: dict[str, tuple[Callable[[Finding], object], bool]] = {
    "messages-at-most": (lambda f: f.message, False),
    "deliveries-at-most": (lambda f: f.delivery_id, False),
    "senders-at-most": (lambda f: domains.key(f.sender), False),
    "accepted-at-most": (lambda f: f.delivery_id, True),
}
"""check → (what is counted, accepted deliveries only)."""


def _at_most(claim: Claim, head: Sequence[Finding], review: Sequence[Finding]) -> Outcome:
    if not isinstance(claim.value, int):
        raise CaseError(f"case.toml: questionnaire.statements: {claim.check} needs a whole number as value")
    key, accepted_only = _COUNTED[claim.check]
    counted = [f for f in head if not accepted_only or f.exposure in tallies.ACCEPTED]
    total = len({key(f) for f in counted})
    confirmed = len({key(f) for f in counted if f.state == "confirmed"})
    values = (("limit", claim.value), ("count", total), ("confirmed", confirmed))
    evidence = tallies.number(counted)
    open_ones = [f for f in review if not accepted_only or f.exposure in tallies.ACCEPTED]
    passed_on = [f for f in head if accepted_only and f.exposure == "handed-on"]
    if total <= claim.value < total + len(passed_on):
        values = (("limit", claim.value), ("count", total), ("n", len(passed_on)))
        return "not-determinable", "handed-on-open", values, tallies.number((*counted, *passed_on))
    more = len({key(f) for f in (*counted, *open_ones)}) - total
    if total <= claim.value < total + more:
        values = (("limit", claim.value), ("count", total), ("n", more))
        return "not-determinable", "review-open", values, tallies.number((*counted, *open_ones))
    if total <= claim.value:
        return "supported", claim.check, values, evidence
    if confirmed > claim.value:
        return "contradicted", claim.check, values, evidence
    return "not-determinable", f"{claim.check}-unreviewed", values, evidence


def _bounded(
    claim: Claim,
    head: Sequence[Finding],
    first: datetime | None,
    last: datetime | None,
    home: ZoneInfo,
) -> Outcome:
    limit = _moment(claim, home)
    early = claim.check == "not-before"
    outside = [f for f in head if (f.submitted_at < limit if early else f.submitted_at > limit)]
    values: tuple[tuple[str, str | int], ...] = (("limit", limit.isoformat()), ("count", len(outside)))
    evidence = tallies.number(outside or head)
    if outside:
        known = any(f.state == "confirmed" for f in outside)
        basis = claim.check if known else f"{claim.check}-unreviewed"
        return ("contradicted" if known else "not-determinable"), basis, values, evidence
    covered = (first is not None and first < limit) if early else (last is not None and last > limit)
    if not covered:
        return "not-determinable", "not-covered", values, evidence
    return "supported", claim.check, values, evidence


def _moment(claim: Claim, home: ZoneInfo) -> datetime:
    value = claim.value
    if isinstance(value, datetime):
        return moment(value, home)  # type: ignore[return-value]
    if isinstance(value, date):
        start = datetime.combine(value, time(), tzinfo=home)
        if claim.check == "not-after":
            start += timedelta(days=1)
        return start.astimezone(UTC)
    raise CaseError(f"case.toml: questionnaire.statements: {claim.check} needs a date or time as value")


def _domains(claim: Claim) -> tuple[str, ...]:
    if isinstance(claim.value, tuple):
        return claim.value
    raise CaseError('case.toml: questionnaire.statements: only-domains needs a list such as ["navy.ml"] as value')


def _none_of(rest: Sequence[Finding], supported: str, contradicted: str) -> Outcome:
    values = (("count", len(rest)),)
    if not rest:
        return "supported", supported, values, tallies.number(rest)
    if any(f.state == "confirmed" for f in rest):
        return "contradicted", contradicted, values, tallies.number(rest)
    return "not-determinable", f"{contradicted}-unreviewed", values, tallies.number(rest)
