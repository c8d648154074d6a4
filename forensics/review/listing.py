"""Review by command: the pairs and how they stand, one of them with all its findings, a ruling on what is named.

For scripts and for machines without a browser; who rules on many findings does it at the desk (`web`) or in a
spreadsheet (`sheets`). Lines are as the values are: whoever prints them writes out what has no ink.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from forensics import domains, shortened
from forensics.case import Case, argument
from forensics.errors import UsageError
from forensics.report.text import pieces, prose, wording
from forensics.review.sheets import incidents
from forensics.review.verdicts import NewVerdict, read
from forensics.rulings import Verdict, held, on

Incident = Mapping[str, Any]


def listed(case: Case) -> Iterator[str]:
    """One line for each pair, most exposed first, and how to go on. Raises CaseError before detection."""
    verdicts = held(read(case))
    found = list(incidents(case))
    if not found:
        yield "There is nothing to review: no incident was found."
        return
    names = [_pair(one) for one in found]
    width = max(len(name) for name in names)
    for one, name in zip(found, names, strict=True):
        ruled = [on(verdicts, _key(one), row["delivery_id"]) for row in one["findings"]]
        states = sorted({verdict.verdict if verdict else "open" for verdict in ruled})
        count = len(one["findings"])
        yield (
            f"{name:<{width}}  {count:>6,} {'finding ' if count == 1 else 'findings'}  {one['exposed']:>6,} accepted  "
            f"{_score(one['score']):>7}  {', '.join(states)}"
        )
    yield f"`missent review --case {argument(case.folder)} --web` opens the desk; `--show DOMAIN` sets one pair out"


def shown(case: Case, name: str) -> Iterator[str]:
    """A pair with its numbers, its strongest finding's reasons and every finding; or one finding.

    Raises UsageError for a name that is none or stands for several pairs.
    """
    verdicts = held(read(case))
    incident, deliveries = _named(list(incidents(case)), name)
    rows = [row for row in incident["findings"] if not deliveries or row["delivery_id"] in deliveries]
    best = max(rows, key=lambda row: row["score"])
    words = wording.load()
    kind = words.get(f"slip.kind.{incident['slip']}", incident["slip"] or "")
    yield f"{_pair(incident)}: {kind}"
    yield (
        f"  {', '.join(prose.noun(words, name, incident[name]) for name in ('messages', 'senders', 'recipients'))}; "
        f"{incident['exposed']:,} accepted there, "
        + (f"{incident['handed_on']:,} handed on (final acceptance unknown), " if incident["handed_on"] else "")
        + f"{incident['not_exposed']:,} not accepted"
        + (
            f" ({incident['content_sent']:,} of these sent to the server all the same)"
            if incident["content_sent"]
            else ""
        )
    )
    yield f"  a slip with probability {_score(best['score'])} ({best['level']}), because:"
    yield from (f"    {why}" for why in best["reasons"])
    for other in best.get("alternatives") or ():
        yield f"  also considered: {other['domain']}, {_score(other['score'])}"
    yield f"  {len(rows):,} {'finding' if len(rows) == 1 else 'findings'}:"
    for row in rows:
        ruled = on(verdicts, _key(incident), row["delivery_id"])
        exposure = pieces.said(words, row["exposure"] or "", row["content_sent"])
        sent = f"{row['submitted_at']}  {row['sender'] or ''} → {row['recipient'] or ''}"
        yield f"    {row['delivery_id']}  {sent}  {exposure}  {_score(row['score'])}  {_ruled(ruled)}"


def rulings(case: Case, names: Sequence[str], verdict: str, reason: str) -> tuple[NewVerdict, ...]:
    """A ruling on each pair and each finding named, findings of one pair together.

    Raises UsageError for a name that is none or stands for several pairs.
    """
    found = list(incidents(case))
    whole: dict[tuple[str, str], None] = {}
    single: dict[tuple[str, str], list[str]] = {}
    for name in names:
        incident, deliveries = _named(found, name)
        if deliveries:
            single.setdefault(_key(incident), []).extend(deliveries)
        else:
            whole[_key(incident)] = None
    return (
        *(NewVerdict(*pair, verdict, reason) for pair in whole),
        *(NewVerdict(*pair, verdict, reason, tuple(some)) for pair, some in single.items()),
    )


def _named(found: Sequence[Incident], name: str) -> tuple[Incident, tuple[str, ...]]:
    """The pair that a name stands for, and its finding where it is one's.

    A name is the typed domain, both domains as OBSERVED:INTENDED, or a delivery id or its beginning (`shortened`).
    """
    observed, _, intended = name.partition(":")
    if "." in observed:
        typed, meant = domains.a_label(observed), domains.a_label(intended) if intended else ""
        pairs = [one for one in found if typed == one["observed_domain"] and meant in ("", one["intended_domain"])]
        if len(pairs) > 1:
            raise UsageError(f"{name}: several pairs", expected=", ".join(f"{':'.join(_key(one))}" for one in pairs))
        if pairs:
            return pairs[0], ()
    of = {row["delivery_id"]: one for one in found for row in one["findings"]}
    delivery = shortened.whole(name, of)
    if delivery is not None:
        return of[delivery], (delivery,)
    raise UsageError(
        f"{name}: no finding has this domain or delivery",
        expected=f"a typed domain, {shortened.EXPECTED}",
        remedy="`missent review` lists the pairs, `--show DOMAIN` the findings of one",
    )


def _key(incident: Incident) -> tuple[str, str]:
    return incident["observed_domain"], incident["intended_domain"]


def _pair(incident: Incident) -> str:
    return " → ".join(map(domains.u_label, _key(incident)))


def _score(value: float) -> str:
    return pieces.score(wording.load(), value)


def _ruled(verdict: Verdict | None) -> str:
    if verdict is None:
        return "open"
    asked = f", to be asked by {verdict.ask}" if verdict.ask else ""
    return f"{verdict.verdict}{asked} by {verdict.reviewer} on {verdict.at:%Y-%m-%d}: {verdict.reason}"
