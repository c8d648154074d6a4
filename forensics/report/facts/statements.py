"""Public statements against the evidence, claim by claim.

A statement is split by the investigator into its claims (`parts`), each with a check of its own; words that no check
covers are a row of their own and not tested. Nothing is read out of words, except whether they name the limit that
they are held to.

Each check is asked three times: of confirmed findings (they contradict), with suspected ones (open until reviewed: an
unreviewed finding contradicts nothing), with those held for review (open likewise); of checks that look at accepted
deliveries, what was handed on leaves them open, too, and so does what a server refused only after it had been sent.
What no finding goes against is `not-contradicted` by the logs supplied, and `supported` only where the logs can know:
somebody is named who stated when that all outbound gateways of the claim's period are supplied, none of them is silent
on a day of it, no sign of missing or unread records lies in it, and of what was not accepted it is known that nothing
had been sent, where the check looks at that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from forensics import domains
from forensics.errors import CaseError
from forensics.report.facts import Coverage, Finding, Number, Statement, content, places, tallies
from forensics.report.facts.questionnaire import Claim, Part, Supplied, moment

Values = tuple[tuple[str, str | int], ...]
Period = tuple[date, date]


@dataclass(frozen=True)
class Grounds:
    """What claims are tested against beside the findings."""

    coverage: Coverage
    running: Mapping[str, Set[date]]
    """Days on which logging is shown to have run, by server (`silence.running`)."""
    supplied: Supplied
    """What the investigator states about the gateways."""


def check(
    claims: Sequence[Claim], findings: Sequence[Finding], grounds: Grounds, home: ZoneInfo
) -> tuple[Statement, ...]:
    """Every claim with its result, in order; the untested words of a statement come behind its claims.

    Raises CaseError when a check has no value that it can use, or a part's words are not the statement's.
    """
    return tuple(
        one for number, claim in enumerate(claims, 1) for one in _statement(number, claim, findings, grounds, home)
    )


def _statement(
    number: int, claim: Claim, findings: Sequence[Finding], grounds: Grounds, home: ZoneInfo
) -> Iterator[Statement]:
    if not claim.parts:
        part = Part(words=claim.claim, check=claim.check, value=claim.value, since=claim.since, until=claim.until)
        yield _tested(number, claim, part, findings, grounds, home)
        return
    if claim.check != "none" or claim.value is not None:
        raise CaseError(
            "case.toml: questionnaire.statements: a statement has parts, and a check beside them",
            remedy="put the check into the part whose words it tests",
        )
    for part in claim.parts:
        period = {"since": part.since or claim.since, "until": part.until or claim.until}
        yield _tested(number, claim, part.model_copy(update=period), findings, grounds, home)
    rest = untested(claim.claim, [part.words for part in claim.parts])
    if rest:
        yield _row(number, claim, Part(words=rest), "not-tested", "none", (), tallies.number(()))


_WORD = re.compile(r"\w+")
_ELLIPSIS = " … "


def untested(claim: str, parts: Sequence[str]) -> str:
    """The words of a statement that are in none of its parts, gaps marked.

    >>> untested("We assess fewer than 20 emails were sent to a wrong domain.", ["fewer than 20 emails"])
    'We assess … were sent to a wrong domain'

    Raises CaseError when a part's words are not the statement's.
    """
    covered = [False] * len(claim)
    for words in parts:
        at = claim.find(words)
        if at < 0 or not words.strip():
            raise CaseError(
                f"case.toml: questionnaire.statements: the words {words!r} are not in the statement {claim!r}",
                remedy="write the words of each part as they stand in the statement",
            )
        covered[at : at + len(words)] = [True] * len(words)
    left = "".join("\0" if hidden else letter for letter, hidden in zip(claim, covered, strict=True))
    pieces = (piece.strip(" ,;:.–-") for piece in left.split("\0"))
    return _ELLIPSIS.join(piece for piece in pieces if _WORD.search(piece))


def _tested(
    number: int, claim: Claim, part: Part, findings: Sequence[Finding], grounds: Grounds, home: ZoneInfo
) -> Statement:
    if part.check == "none":
        return _row(number, claim, part, "not-tested", "none", (), tallies.number(()))
    within = [f for f in findings if _in_period(f, part)]
    result, basis, values, evidence = _outcome(part, within, grounds, home)
    if result == "not-contradicted" and grounds.coverage.search != "read":
        result, basis, values = "not-determinable", "not-read", ()
    row = _row(number, claim, part, result, basis, values, evidence)
    if result != "not-contradicted":
        return row
    unknown = part.check in _ACCEPTED and any(map(tallies.may_have_been, tallies.headline(within)))
    return _graded(row, part, grounds, unknown)


def _row(number: int, claim: Claim, part: Part, result: str, basis: str, values: Values, evidence: Number) -> Statement:
    return Statement(
        number=number,
        claim=part.words,
        statement=claim.claim,
        made_by=claim.by,
        made_on=claim.on,
        check=part.check,
        threshold=_shown(part.value),
        since=part.since,
        until=part.until,
        result=result,
        basis=basis,
        values=values,
        evidence=evidence,
        limit_chosen=isinstance(part.value, int) and not _names(part.words, part.value),
    )


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, tuple):
        return ", ".join(value)
    return value.isoformat() if isinstance(value, date) else str(value)


_IN_WORDS = """
no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty
"""
_NUMBERS = {
    **{name: n for n, name in enumerate(_IN_WORDS.split())},
    **{"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100},
    **{"none": 0, "nobody": 0, "single": 1, "once": 1, "dozen": 12},
}


def _names(words: str, limit: int) -> bool:
    """Whether the words name that limit, in figures or in words: `at most 15`, `fewer than twenty` for 19."""
    said = {int(figure.replace(",", "")) for figure in re.findall(r"\d[\d,]*", words) if figure.strip(",")}
    said |= {_NUMBERS[word] for word in re.findall(r"[a-z]+", words.lower()) if word in _NUMBERS}
    return bool(said & {limit, limit + 1})


def _in_period(finding: Finding, part: Part) -> bool:
    day = finding.submitted_at.date()
    return not ((part.since and day < part.since) or (part.until and day > part.until))


Outcome = tuple[str, str, Values, Number]
"""(result, basis, values, evidence)."""

Taken = Callable[[Finding], bool]
"""Which findings count for a check that looks at accepted ones."""


def _accepted(finding: Finding) -> bool:
    return finding.exposure in tallies.ACCEPTED


def _handed_on(finding: Finding) -> bool:
    return finding.exposure in tallies.LEFT


def _sent(finding: Finding) -> bool:
    return _handed_on(finding) or tallies.was_sent(finding)


_STATES: tuple[tuple[str, tuple[str, ...], Taken], ...] = (
    ("contradicted", ("confirmed",), _accepted),
    ("unreviewed", ("confirmed", "suspected"), _accepted),
    ("handed-on-open", ("confirmed", "suspected"), _handed_on),
    ("content-sent-open", ("confirmed", "suspected"), _sent),
    ("review-open", ("confirmed", "suspected", "review"), _sent),
)
"""What it means that findings of these states, and taken so where a check looks at accepted ones, go against a claim;
in this order."""


def _outcome(part: Part, findings: Sequence[Finding], grounds: Grounds, home: ZoneInfo) -> Outcome:
    head = tallies.headline(findings)
    for meaning, states, taken in _STATES:
        asked = [f for f in findings if f.state in states]
        outside = _against(part, home, taken)(asked)
        if not outside:
            continue
        values = _values(part, head, home)
        basis = _BROKEN.get(part.check, part.check)
        if meaning == "contradicted":
            return "contradicted", basis, _counting(part, values, outside), tallies.number(outside)
        if meaning == "unreviewed":
            return "not-determinable", f"{basis}-unreviewed", _counting(part, values, outside), tallies.number(outside)
        if part.check in _COUNTED:
            more = len(_keys(part, outside)) - len(_keys(part, _counted(part, head)))
            return "not-determinable", meaning, (*values, ("n", more)), tallies.number(outside)
        return "not-determinable", f"{meaning}-any", _counting(part, values, outside), tallies.number(outside)
    return _within(part, head, grounds.coverage, home)


def _within(part: Part, head: Sequence[Finding], seen: Coverage, home: ZoneInfo) -> Outcome:
    """Nothing goes against the claim: whether the logs could have shown it."""
    counted = _counted(part, head)
    values, evidence = _values(part, head, home), tallies.number(counted)
    if part.check in _ENDS:
        limit = _limit(part, home)
        early = part.check == "not-before"
        covered = (seen.first is not None and seen.first < limit) if early else (seen.last or limit) > limit
        if not covered:
            return "not-determinable", "not-covered", values, evidence
        return "not-contradicted", f"{part.check}-none", values, evidence
    if part.check == "only-encrypted":
        unknown = [f for f in counted if f.tls is None]
        if unknown:
            return "not-determinable", "tls-not-logged", (("n", len(unknown)),), tallies.number(unknown)
    if part.check == "no-marking-above":
        unseen = [f for f in head if f.subject is None or None in _ranks(f, _marking(part))]
        if unseen:
            return "not-determinable", "marking-open", (*values[1:], ("n", len(unseen))), tallies.number(unseen)
    return "not-contradicted", _KEPT.get(part.check, part.check), values, evidence


_ENDS = ("not-before", "not-after")
_COUNTED: dict[str, Callable[[Finding], object]] = {
    "messages-at-most": lambda f: f.message,
    "deliveries-at-most": lambda f: f.delivery_id,
    "senders-at-most": lambda f: domains.key(f.sender),
    "accepted-at-most": lambda f: f.delivery_id,
}
"""check → what is counted."""
_ACCEPTED = ("accepted-at-most", "none-accepted", "only-encrypted")
"""Checks that look at accepted deliveries only."""
_BROKEN = {"only-domains": "other-domains", "only-countries": "other-countries", "only-encrypted": "unencrypted",
           "none-accepted": "some-accepted", "no-marking-above": "marking-above"}  # fmt: skip
_KEPT = {"only-encrypted": "encrypted"}
"""Names of sentences where they are not the check's own."""


def _counted(part: Part, findings: Sequence[Finding], taken: Taken = _accepted) -> list[Finding]:
    return [f for f in findings if part.check not in _ACCEPTED or taken(f)]


def _keys(part: Part, findings: Sequence[Finding]) -> set[object]:
    key = _COUNTED.get(part.check, _COUNTED["deliveries-at-most"])
    return {key(f) for f in findings}


def _against(part: Part, home: ZoneInfo, taken: Taken) -> Callable[[Sequence[Finding]], list[Finding]]:
    """A function that picks the findings which go against the claim. Raises CaseError when its value is none."""
    if part.check in _COUNTED:
        limit = _number(part)
        return lambda found: own if len(_keys(part, own := _counted(part, found, taken))) > limit else []
    if part.check in _ENDS:
        at, early = _limit(part, home), part.check == "not-before"
        return lambda found: [f for f in found if (f.submitted_at < at if early else f.submitted_at > at)]
    if part.check == "only-domains":
        allowed = set(domains.clean(_listed(part, '["navy.ml"]')))
        return lambda found: [f for f in found if not domains.within(f.slip.typed, allowed)]
    if part.check == "only-countries":
        codes = {code.upper() for code in _listed(part, '["ML"]')}
        return lambda found: [f for f in found if places.exists(f.slip.typed) and _country(f) not in codes]
    if part.check == "only-encrypted":
        # A server that hands mail on does not tell how it was sent from there.
        return lambda found: [
            f
            for f in _counted(part, found, taken)
            if f.tls is False or (f.tls is None and tallies.was_sent(f)) or f.exposure == "handed-on"
        ]
    if part.check == "no-marking-above":
        limit_marking = _marking(part)
        return lambda found: [f for f in found if any(rank and rank > 0 for rank in _ranks(f, limit_marking))]
    return lambda found: _counted(part, found, taken)


def _marking(part: Part) -> str:
    """The marking as the list writes it. Raises CaseError when it is none that the list ranks."""
    named = _listed(part, '["OFFICIAL SENSITIVE"]')
    known = content.markings(named[0].upper()) if len(named) == 1 else ()
    if len(known) != 1:
        raise CaseError(
            f"case.toml: questionnaire.statements: no-marking-above needs one marking, not {', '.join(named)}",
            expected="one of " + ", ".join(content.standard_markings()),
        )
    return known[0]


def _ranks(finding: Finding, limit: str) -> list[int | None]:
    """How each marking in the subject ranks against the limit."""
    return [content.compared(seen, limit) for seen in content.markings(finding.subject or "")]


def _country(finding: Finding) -> str | None:
    return places.country(places.suffix(finding.slip.typed))


def _values(part: Part, head: Sequence[Finding], home: ZoneInfo) -> Values:
    counted = _counted(part, head)
    if part.check in _COUNTED:
        confirmed = [f for f in counted if f.state == "confirmed"]
        return (
            ("limit", _number(part)),
            ("count", len(_keys(part, counted))),
            ("confirmed", len(_keys(part, confirmed))),
        )
    if part.check in _ENDS:
        return (("limit", _limit(part, home).isoformat()),)
    if part.check == "no-marking-above":
        return (("n", len(counted)), ("marking", _marking(part)))
    return (("n", len(counted)),)


def _counting(part: Part, values: Values, outside: Sequence[Finding]) -> Values:
    """The values, with how many go against the claim where the sentence counts these."""
    if part.check in _COUNTED:
        return values
    return (*(pair for pair in values if pair[0] != "n"), ("n", len(outside)))


def _graded(row: Statement, part: Part, grounds: Grounds, sent_unknown: bool) -> Statement:
    """`supported` where nothing lacks that the logs would need to know it."""
    seen, told = grounds.coverage, grounds.supplied
    period = _period(part, seen, told)
    vouched = told.all_gateways == "yes" and told.stated_by and told.stated_on and told.since and told.until
    silent = _silent(period, grounds.running) if period else 0
    outside = period is None or told.since is None or told.until is None
    outside = outside or period[0] < told.since or period[1] > told.until  # type: ignore[index,operator]
    lacks = [
        key
        for key, lacking in (
            ("unstated", not vouched),
            ("outside", bool(vouched) and outside),
            ("silent", silent > 0),
            ("unread", seen.unread_touches),
            ("losses", seen.losses_touching > 0),
            ("stages", sent_unknown),
        )
        if lacking
    ]
    return replace(
        row,
        result="not-contradicted" if lacks else "supported",
        lacks=tuple(lacks),
        tested=period,
        silent=silent,
        vouched_by=told.stated_by if vouched else None,
        vouched_on=told.stated_on if vouched else None,
    )


def _period(part: Part, seen: Coverage, told: Supplied) -> Period | None:
    """Days that the claim is of: its own, else those of which the gateways are stated, else those of the logs."""
    first = part.since or told.since or (seen.first and seen.first.date())
    last = part.until or told.until or (seen.last and seen.last.date())
    return (first, last) if first and last and first <= last else None


def _silent(period: Period, running: Mapping[str, Set[date]]) -> int:
    """Days of the period on which a server is not shown to have logged."""
    whole = {period[0] + timedelta(days=n) for n in range((period[1] - period[0]).days + 1)}
    return len({day for days in running.values() for day in whole - days}) if running else len(whole)


def _number(part: Part) -> int:
    if not isinstance(part.value, int):
        raise CaseError(f"case.toml: questionnaire.statements: {part.check} needs a whole number as value")
    return part.value


def _limit(part: Part, home: ZoneInfo) -> datetime:
    value = part.value
    if isinstance(value, datetime):
        return moment(value, home)  # type: ignore[return-value]
    if isinstance(value, date):
        start = datetime.combine(value, time(), tzinfo=home)
        if part.check == "not-after":
            start += timedelta(days=1)
        return start.astimezone(UTC)
    raise CaseError(f"case.toml: questionnaire.statements: {part.check} needs a date or time as value")


def _listed(part: Part, example: str) -> tuple[str, ...]:
    if isinstance(part.value, tuple):
        return part.value
    raise CaseError(f"case.toml: questionnaire.statements: {part.check} needs a list such as {example} as value")
