"""Where misdirected mail went: suffixes, their countries, the servers there, and all other mail to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forensics import domains
from forensics.report.facts import Finding, Holder, Place, Relay, places, slipmarks, tallies
from forensics.report.facts.coverage import MESSAGE, total
from forensics.report.facts.questionnaire import Operator


def where(
    connection: Any,
    findings: Sequence[Finding],
    concern: Sequence[str],
    operators: Mapping[str, tuple[str | None, str | None]],
    language: str,
) -> tuple[Place, ...]:
    """Headline findings by observed suffix, most accepted first.

    `concern`: ISO codes on the case's own list. `operators`: suffix → (operator then, operator now).
    """
    by: dict[str, list[Finding]] = {}
    for finding in tallies.headline(findings):
        by.setdefault(places.suffix(finding.slip.typed), []).append(finding)
    out = []
    for suffix, own in by.items():
        code = places.country(suffix)
        then, now = operators.get(suffix, (None, None))
        quoted = suffix.replace("'", "''")
        # A name of one label (`ann@navy`) is itself what stands here as a suffix.
        there = f"direction = 'outbound' AND ends_with('.' || recipient_domain, '.{quoted}')"
        out.append(
            Place(
                suffix=suffix,
                exists=any(places.exists(f.slip.typed) for f in own),
                country=code,
                country_name=places.name(code, language),
                of_concern=code is not None and code in {c.upper() for c in concern},
                deliveries=tallies.number(own),
                accepted=tallies.number(f for f in own if f.exposure in tallies.ACCEPTED),
                content_sent=tallies.number(filter(tallies.was_sent, own)),
                messages=tallies.distinct(own, lambda f: f.message),
                all_deliveries=total(connection, where=there),
                all_messages=total(connection, f"count({MESSAGE})", there),
                domains=tuple(sorted({f.slip.typed for f in own})),
                relays=_relays(own),
                operator_then=then,
                operator_now=now,
            )
        )
    return tuple(sorted(out, key=lambda p: (-p.accepted.value, -p.deliveries.value, p.suffix)))


def holders(findings: Sequence[Finding], operators: Sequence[Operator]) -> tuple[Holder, ...]:
    """Domains of the headline that the case names a holder of, or whose own server accepted mail, or was sent it,
    though the slip is not one of suffixes (whose operator is asked for instead); most of it first."""
    named = {domains.a_label(o.domain.strip(".")): (o.then, o.now) for o in operators if o.domain}
    received_by: dict[str, int] = {}
    for finding in tallies.headline(findings):
        typed = finding.slip.typed
        received = finding.exposure in tallies.ACCEPTED or tallies.was_sent(finding)
        asked = received and not slipmarks.in_suffix(finding.slip)
        if asked or typed in named:
            received_by[typed] = received_by.get(typed, 0) + asked
    ordered = sorted(received_by, key=lambda name: (-received_by[name], name))
    return tuple(Holder(name, *named.get(name, (None, None))) for name in ordered)


def _relays(findings: Sequence[Finding]) -> tuple[Relay, ...]:
    by: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if finding.relay_name or finding.relay_address:
            by.setdefault((finding.relay_name or "", finding.relay_address or ""), []).append(finding)
    out = []
    for (name, address), own in by.items():
        accepted = [f for f in own if f.exposure in tallies.ACCEPTED]
        out.append(
            Relay(
                name=name or None,
                address=address or None,
                accepted=tallies.number(accepted),
                refused=tallies.number(f for f in own if f.exposure == "not-exposed"),
                encrypted=tallies.over_tls(accepted, True),
                encryption_unknown=tallies.number(f for f in accepted if f.tls is None),
            )
        )
    return tuple(sorted(out, key=lambda r: (-r.accepted.value, r.name or "", r.address or "")))
