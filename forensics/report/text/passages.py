"""The passages of each section, in the report's order: facts and words in, paragraphs of runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

from forensics.report.facts import Facts, Gateway, Incident, Number, Place, Statement, Story, tallies
from forensics.report.facts.searched import ASSUMED
from forensics.report.text.blocks import Spans, code
from forensics.report.text.prose import (
    duration,
    joined,
    none_accepted,
    noun,
    say,
    sentences,
    separated,
    span,
    unread,
    when,
)
from forensics.report.text.wording import Words

_OVER = ("passed", "notified-late", "notified-in-time")
"""States of a clock that has stopped: a deadline that was."""


def clock(facts: Facts, words: Words) -> tuple[Spans, ...]:
    """Section 2: aware, deadline, remaining or reasons."""
    clock_facts, zone = facts.clock, facts.header.timezone
    out: list[Spans] = []
    if clock_facts.aware_at is None or clock_facts.deadline is None:
        out.append(say(words, "clock.not_answered"))
    else:
        parts = [
            say(
                words,
                "clock.due_was" if clock_facts.state in _OVER else "clock.deadline",
                aware=when(words, clock_facts.aware_at, zone),
                deadline=when(words, clock_facts.deadline, zone),
            )
        ]
        if clock_facts.state == "disordered":
            parts.append(disorder(facts, words))
        elif clock_facts.notified_at is not None:
            early = clock_facts.state == "notified-in-time"
            margin = duration(words, int((clock_facts.deadline - clock_facts.notified_at).total_seconds()))
            key = "clock.notified_in_time" if early else "clock.notified_late"
            parts.append(say(words, key, notified=when(words, clock_facts.notified_at, zone), remaining=margin))
        elif clock_facts.remaining_seconds is not None and clock_facts.as_of is not None:
            margin = duration(words, clock_facts.remaining_seconds)
            key = "clock.running" if clock_facts.state == "running" else "clock.passed"
            parts.append(say(words, key, as_of=when(words, clock_facts.as_of, zone), remaining=margin))
        out.append(sentences(*parts))
    if clock_facts.disorder and clock_facts.state != "disordered":
        out[0] = sentences(out[0], disorder(facts, words))
    if clock_facts.state in ("passed", "notified-late"):
        out.append(
            say(words, "clock.delay", reasons=clock_facts.delay_reasons)
            if clock_facts.delay_reasons
            else say(words, "clock.delay_missing")
        )
    if clock_facts.discovered_at is not None:
        found = say(words, "clock.discovered", discovered=when(words, clock_facts.discovered_at, zone))
        out.append(
            sentences(
                found, say(words, "clock.how", how=clock_facts.discovered_how) if clock_facts.discovered_how else ()
            )
        )
    return tuple(out)


def disorder(facts: Facts, words: Words) -> Spans:
    """That times as stated stand in an order that cannot be."""
    listed = [words(f"clock.disorder.{key}") for key in facts.clock.disorder]
    return say(words, "clock.disorder.lead", parts=words.join(listed))


def numbers(facts: Facts, words: Words) -> tuple[Spans, ...]:
    """Section 3, below the table."""
    groups = facts.groups
    parts = [say(words, "numbers.shown"), say(words, "accepted.means"), say(words, "numbers.units")]
    if facts.header.found and not groups.automated.deliveries.value:
        parts.append(say(words, "numbers.automated_none"))
    parts.append(outside(facts, words))
    parts.append(say(words, "numbers.traced"))
    return (sentences(*parts),)


def outside(facts: Facts, words: Words) -> Spans:
    """What is in none of the numbers, or nothing."""
    groups = facts.groups
    return _apart(words, "numbers.outside", groups.review.deliveries.value, groups.dismissed.deliveries.value)


def _apart(words: Words, key: str, review: int, dismissed: int) -> Spans:
    parts = [words(f"numbers.{name}", n=n) for name, n in (("review", review), ("dismissed", dismissed)) if n]
    return say(words, key, parts=words.join(parts)) if parts else ()


def story_title(story: Story, words: Words) -> Spans:
    """`.mil → .ml`, or the pair."""
    if story.suffixes:
        meant, typed = ("." + suffix for suffix in story.suffixes)
    else:
        meant, typed = words.join(story.intended), words.join(story.observed)
    return (code(meant), *say(words, "mark.to"), code(typed))


def how(facts: Facts, words: Words) -> tuple[Spans, ...]:
    """Section 4: origins, repeat senders, lists, follow-ups."""
    head = facts.groups.headline
    if not head.deliveries.value:
        return ()
    parts = [words(f"origin_count.{origin}", n=count.value) for origin, count in head.origins]
    total = noun(words, "deliveries", head.deliveries.value)
    out = [say(words, "how.origins", total=total, parts=words.join(parts))]
    out.extend(repeats(facts, words)[:1])
    for name, count in _lists(facts):
        out.append(say(words, "how.list", n=count, list=code(name)))
    out.extend(repeats(facts, words)[1:])
    for key in ("also", "resent"):
        n = sum(_TO_MEANT[key](incident).value for incident in facts.incidents)
        if n:
            out.append(say(words, f"how.{key}", n=n))
    return tuple(out)


def repeats(facts: Facts, words: Words) -> tuple[Spans, ...]:
    """Senders of several deliveries, and later messages to the same wrong address; nothing where there is but one."""
    if facts.groups.headline.deliveries.value < 2:
        return ()
    repeat = len(facts.repeat_senders)
    followups = sum(incident.followups.value for incident in facts.incidents)
    return (
        say(words, "how.repeat", n=repeat) if repeat else say(words, "how.repeat_none"),
        say(words, "how.followups", n=followups) if followups else say(words, "how.followups_none"),
    )


_TO_MEANT: dict[str, Callable[[Incident], Number]] = {"also": lambda i: i.also_to_meant, "resent": lambda i: i.resent}


def _lists(facts: Facts) -> list[tuple[str, int]]:
    """Lists that carried misdirected mail, most first."""
    through: dict[str, int] = {}
    for incident in facts.incidents:
        for name, count in incident.lists:
            through[name] = through.get(name, 0) + count.value
    return sorted(through.items(), key=lambda item: (-item[1], item[0]))


def incident(words: Words, one: Incident) -> tuple[Spans, ...]:
    """What is said of one incident, beside its numbers."""
    out = [say(words, "how.list", n=count.value, list=code(name)) for name, count in one.lists]
    if one.followups.value:
        out.append(say(words, "how.followups", n=one.followups.value))
    out.extend(say(words, f"how.{key}", n=get(one).value) for key, get in _TO_MEANT.items() if get(one).value)
    key = "numbers.outside" if one.tally.deliveries.value else "numbers.apart"
    if apart := _apart(words, key, one.review.value, one.dismissed.value):
        out.append(apart)
    return tuple(out)


def where(facts: Facts, words: Words) -> tuple[Spans, ...]:
    """Section 5: real suffixes, invented ones, jurisdictions of concern, operators, TLS."""
    if not facts.places:
        return ()
    real = sum(place.deliveries.value for place in facts.places if place.exists)
    invented = sum(place.deliveries.value for place in facts.places if not place.exists)
    out = []
    if real:
        out.append(say(words, "place.real", n=real))
    if invented:
        out.append(sentences(say(words, "place.invented", n=invented), *_invented(facts, words)))
    concern = [place.country_name or place.suffix for place in facts.places if place.of_concern]
    if concern:
        out.append(say(words, "place.concern", places=words.join(concern)))
    head = facts.groups.headline
    if head.exposed.value or head.content_sent.value:
        out.append(say(words, "place.holder_note"))
    if head.exposed.value:
        out.append(tls(facts, words))
    out.extend(_of_all(place, words) for place in facts.places if place.exists and place.suffix in _slipped(facts))
    out.extend(line for place in facts.places if (line := operator(facts, place, words)))
    out.extend(holders(facts, words))
    return tuple(out)


def _invented(facts: Facts, words: Words) -> Iterator[Spans]:
    """What became of mail to suffixes that no registry has."""
    places = [place for place in facts.places if not place.exists]
    ids = {i for place in places for i in place.deliveries.deliveries or ()}
    own = [finding for finding in facts.findings if finding.delivery_id in ids]
    taken = sum(place.accepted.value for place in places)
    yield say(words, "place.invented_accepted", n=taken) if taken else say(words, "place.invented_none")
    for key, which in (("sent", tallies.was_sent), ("unknown", tallies.may_have_been)):
        n = sum(map(which, own))
        if n:
            yield say(words, f"place.invented_{key}", n=n)


def holders(facts: Facts, words: Words) -> tuple[Spans, ...]:
    """Who held the lookalike domains, then and now, and of which that is not answered."""
    out: list[Spans] = []
    missing = say(words, "mark.missing")
    for one in facts.holders:
        if one.then or one.now:
            names = {"then": (one.then or "").rstrip(".") or missing, "now": (one.now or "").rstrip(".") or missing}
            out.append(say(words, "place.holder", domain=code(one.domain), **names))
    unknown = [one.domain for one in facts.holders if not (one.then or one.now)]
    if unknown:
        named: list[str | Spans] = [(code(domain),) for domain in unknown[:_FEW]]
        if len(unknown) > _FEW:
            named.append(words("html.others", n=len(unknown) - _FEW))
        out.append(say(words, "place.holder_missing", n=len(unknown), domains=joined(words, named)))
    return tuple(out)


def operator(facts: Facts, place: Place, words: Words, shorten: Callable[[str], str] = str) -> Spans:
    """Who ran a suffix then, who runs it now; nothing where that does not matter.

    It matters where the slip was one of suffixes: whoever runs .ml can take all of its mail.
    """
    if not (place.suffix in _slipped(facts) and place.exists and place.country):
        return ()
    if not (place.accepted.value or place.content_sent.value):
        return ()
    if not (place.operator_then or place.operator_now):
        return say(words, "place.operator_missing", suffix=place.suffix)
    then, now = (
        shorten(name).rstrip(".") if name else say(words, "mark.missing")
        for name in (place.operator_then, place.operator_now)
    )
    return say(words, "place.operator", suffix=place.suffix, then=then, now=now)


def tls(facts: Facts, words: Words) -> Spans:
    """How much of what was accepted went over TLS."""
    head = facts.groups.headline
    shares = (
        ("yes", "all", head.encrypted),
        ("no", "none", head.unencrypted),
        ("open", "unknown", head.encryption_unknown),
    )
    for _, whole, number in shares:
        if number is not None and number.value == head.exposed.value:
            return say(words, f"place.tls_{whole}", n=number.value)
    parts = [words(f"place.tls_{part}", n=number.value) for part, _, number in shares if number and number.value]
    return say(words, "place.tls", parts=words.join(parts))


def _slipped(facts: Facts) -> set[str]:
    """Suffixes that mail went to by a slip of suffixes."""
    changed = (story.suffixes for story in facts.stories if story.suffixes and story.tally.deliveries.value)
    return {suffixes[1].rpartition(".")[2] for suffixes in changed}


def _of_all(place: Place, words: Words) -> Spans:
    """How much of the mail to a suffix was misdirected: genuine correspondents there are no finding."""
    if place.messages.value == place.all_messages.value:
        return say(words, "place.of_all_every", n=place.all_messages.value, suffix=place.suffix)
    return say(words, "place.of_all", n=place.all_messages.value, suffix=place.suffix, found=place.messages.value)


def containment(facts: Facts, words: Words, *, short: bool = False) -> tuple[Spans, ...]:
    """Section 8: whether the block holds, from the logs. `short`: without the unread records, where the same page tells
    of them."""
    block, zone = facts.containment, facts.header.timezone
    parts: list[Spans] = []
    blocked = when(words, block.blocked_at, zone) if block.blocked_at else ""
    end = when(words, block.logs_end, zone) if block.logs_end else words("unit.none")
    if block.state == "not-answered":
        parts.append(say(words, "containment.not_answered"))
    elif block.state == "broken":
        parts.append(say(words, "containment.broken", n=block.accepted_after.value, blocked=blocked))
        if block.suspected_after.value:
            parts.append(say(words, "containment.broken_more", n=block.suspected_after.value))
    elif block.state == "unreviewed":
        parts.append(say(words, "containment.unreviewed", n=block.suspected_after.value, blocked=blocked))
    elif block.state == "not-covered":
        parts.append(say(words, "containment.not_covered", end=end, blocked=blocked))
    else:
        parts.append(say(words, "containment.holds", blocked=blocked, end=end))
        holes = uncovered_days(facts, block.blocked_at)
        if holes:
            parts.append(say(words, "containment.uncovered", n=holes))
        if facts.coverage.unread and not short:
            parts.append(say(words, "containment.unread", n=facts.coverage.unread))
        if block.review_after.value:
            parts.append(say(words, "containment.review", n=block.review_after.value))
        if block.refused_after.value:
            parts.append(say(words, "containment.holds_refused", n=block.refused_after.value))
        if block.unknown_after.value:
            parts.append(say(words, "containment.holds_unknown", n=block.unknown_after.value))
        if block.legitimate_after.value:
            parts.append(say(words, "containment.holds_alive", n=block.legitimate_after.value))
        else:
            parts.append(say(words, "containment.holds_quiet"))
    if facts.header.found:
        if block.last_accepted is None:
            parts.append(none_accepted(facts, words))
        elif block.state != "not-covered":
            last = when(words, block.last_accepted, zone)
            told = block.state == "holds"  # how far the logs run
            parts.append(say(words, "containment.last_alone" if told else "containment.last", last=last, end=end))
    return (sentences(*parts),)


def no_statement(facts: Facts, words: Words) -> Spans:
    """Section 9 when the case records none."""
    asked = facts.questionnaire["notification.public_statements"]
    return say(words, "statement.none" if asked.answered else "statement.unanswered")


_NOUNS = {
    "messages-at-most": "messages",
    "deliveries-at-most": "deliveries",
    "senders-at-most": "senders",
    "accepted-at-most": "accepted",
}


def statement(facts: Facts, one: Statement, words: Words) -> Spans:
    """What the evidence says about one claim, and what that rests on."""
    if one.result == "not-tested":
        return say(words, "statement.untested")
    values: dict[str, object] = {
        name: when(words, datetime.fromisoformat(value)) if name == "limit" and isinstance(value, str) else value
        for name, value in one.values
    }
    if one.check in _NOUNS and "count" in values:
        values["counted"] = noun(words, _NOUNS[one.check], int(str(values["count"])))
    parts = [say(words, f"statement.{one.basis}", **values)]
    if one.limit_chosen and "limit" in values:
        parts.append(say(words, "statement.chosen", limit=values["limit"]))
    if one.claim == one.statement:
        parts.append(say(words, "statement.whole"))
    parts.append(_rests_on(facts, one, words))
    return sentences(*parts)


def _rests_on(facts: Facts, one: Statement, words: Words) -> Spans:
    period = span(words, *one.tested) if one.tested else ()
    if one.result == "supported":
        on = words.day(one.vouched_on) if one.vouched_on else ""
        return say(words, "statement.supported", by=one.vouched_by or "", on=on, period=period)
    if one.result != "not-contradicted":
        return ()
    lacks = words.join([words(f"statement.lacks.{key}", n=one.silent) for key in one.lacks])
    if not period:
        return say(words, "statement.not_contradicted_no_period", lacks=lacks)
    gateways: list[str | Spans] = [(code(g.name or "–"),) for g in facts.coverage.gateways[:_FEW]]
    if len(facts.coverage.gateways) > _FEW:
        gateways.append(words("html.others", n=len(facts.coverage.gateways) - _FEW))
    return say(words, "statement.not_contradicted", gateways=joined(words, gateways), period=period, lacks=lacks)


_FEW = 3
"""Runs of days without a log that section 10 names."""


def _gateway(words: Words, one: Gateway) -> Spans:
    return (code(one.name or "–"), *say(words, "mark.aside", aside=span(words, one.first, one.last)))


def uncovered_days(facts: Facts, after: datetime | None = None) -> int:
    """Days within the period that no log covers; with `after`, those behind that moment."""
    begin = date.min if after is None else after.date()
    return sum((last - max(first, begin)).days + 1 for first, last in facts.coverage.uncovered if last >= begin)


def _zones(facts: Facts, words: Words) -> Iterator[Spans]:
    """That a time zone was assumed, of which files."""
    refs = [e.ref for e in facts.evidence if ASSUMED in e.time_basis]
    shown = [*refs[:_FEW], words("html.others", n=len(refs) - _FEW)] if len(refs) > _FEW + 1 else refs
    if refs:
        yield say(words, "unseen.zone_assumed", n=len(refs), files=words.join(shown))


def unseen(facts: Facts, words: Words) -> tuple[Spans, ...]:
    """Section 10: what could not be seen."""
    seen = facts.coverage
    out: list[Spans] = [say(words, "unseen.content"), say(words, "unseen.mistaken"), say(words, "unseen.unknown_name")]
    for key, zones in (("unaccused", seen.unaccused), ("any_relay", seen.any_relay)):
        if zones:
            out.append(say(words, f"unseen.{key}", zones=joined(words, [(code(zone),) for zone in zones])))
    if seen.first is not None and seen.last is not None:
        gateways: list[str | Spans] = [_gateway(words, g) for g in seen.gateways]
        first, last = words.day(seen.first), words.day(seen.last)
        out.append(say(words, "unseen.period", first=first, last=last, gateways=joined(words, gateways)))
    out.append(supplied(facts, words))
    holes = uncovered_days(facts)
    if holes:
        spans_ = [
            say(words, "unseen.span", first=words.day(first), last=words.day(last))
            if first != last
            else words.day(first)
            for first, last in seen.uncovered[:_FEW]
        ]
        if len(seen.uncovered) > _FEW:
            spans_.append(words("html.others", n=len(seen.uncovered) - _FEW))
        out.append(say(words, "unseen.uncovered", n=holes, spans=joined(words, spans_)))
    silent = sum(len(g.silent_days) for g in seen.gateways)
    if silent:
        spans: list[str | Spans] = [
            (code(g.name or "–"), *say(words, "mark.aside", aside=noun(words, "days", len(g.silent_days))))
            for g in seen.gateways
            if g.silent_days
        ]
        out.append(say(words, "unseen.silent", days=joined(words, spans)))
    if seen.unread:
        named = [f"{reason}: {words.number(n)}" for reason, n in seen.unread_reasons[:_FEW]]
        if len(seen.unread_reasons) > _FEW:
            named.append(words("html.others", n=len(seen.unread_reasons) - _FEW))
        out.append(say(words, "unseen.unread", **unread(facts, words), reasons=words.join(named)))
        if seen.unread_files:
            files = words.join(seen.unread_files)
            out.append(say(words, "unseen.files_unread", n=len(seen.unread_files), files=files))
    elif seen.records:
        records = noun(words, "records", seen.records)
        key = "unseen.unread_none_part" if any(e.damage for e in facts.evidence) else "unseen.unread_none"
        out.append(say(words, key, records=records, used=seen.used, ignored=seen.ignored))
    total = seen.outbound.value
    if total and seen.without_subject.value:
        if seen.without_subject.value == total:
            out.append(say(words, "unseen.subject_all"))
        else:
            out.append(say(words, "unseen.subject_some", n=seen.without_subject.value, total=total))
    counted = (
        ("unknown", seen.unknown_outcome.value),
        ("deferred", seen.deferred.value),
        ("tls_all" if seen.tls_unknown.value == total else "tls_some", seen.tls_unknown.value),
        ("duplicates", seen.possible_duplicates.value),
    )
    out.extend(say(words, f"unseen.{key}", n=n, total=total) for key, n in counted if n)
    damaged = [e.ref for e in facts.evidence if e.damage]
    if damaged:
        out.append(say(words, "unseen.damage", files=words.join(damaged)))
    if seen.skipped:
        out.append(say(words, "unseen.skipped", n=len(seen.skipped)))
    out.extend((say(words, "unseen.clock"), *_zones(facts, words), say(words, "unseen.method")))
    if seen.losses:
        kinds = [
            words("unseen.loss", kind=loss_kind(words, one.kind), n=one.records)
            if one.count is None
            else words("unseen.loss_count", kind=loss_kind(words, one.kind), n=one.records, count=one.count)
            for one in seen.losses
        ]
        out.append(say(words, "unseen.losses", span=losses_span(facts, words), kinds=words.join(kinds)))
    return tuple(out)


def supplied(facts: Facts, words: Words) -> Spans:
    """What the investigator states about the gateways: whether the evidence is all there is."""
    told = facts.questionnaire["supplied.all_gateways"]
    if not told.answered:
        return say(words, "supplied.missing")
    if told.answer != "yes":
        return say(words, "supplied.not_complete" if told.answer == "no" else "supplied.unknown")
    items = [facts.questionnaire[f"supplied.{name}"] for name in ("stated_by", "stated_on", "since", "until")]
    by = items[0].answer if items[0].answer or not items[0].answered else words("answer.withheld")
    missing = say(words, "mark.missing")
    days = [date.fromisoformat(item.answer) if item.answer else None for item in items[1:]]
    parts: list[str | Spans] = [by or missing, words.day(days[0]) if days[0] else missing]
    parts.append(span(words, days[1], days[2]) if days[1] and days[2] else missing)
    return say(words, "supplied.complete", details=separated(parts))


def loss_kind(words: Words, kind: str) -> str:
    """What is missing, by the loader's word for it."""
    return words.get(f"loss.{kind}", kind)


def losses_span(facts: Facts, words: Words) -> Spans:
    """`, 4 March 2024 to 5 March 2024` where signs of missing records have a time."""
    first, last = facts.coverage.losses_first, facts.coverage.losses_last
    return say(words, "unseen.losses_span", span=span(words, first, last)) if first and last else ()


def decision(facts: Facts, words: Words) -> tuple[Spans, ...]:
    """Section 11: the recorded decision and its reasons. Never one of ours."""
    made = facts.questionnaire["notification.decision"]
    why = facts.questionnaire["notification.decision_reasons"]
    parts = [say(words, f"decision.{made.answer}" if made.answered else "decision.unanswered")]
    if why.answered:
        reasons = why.answer if why.answer is not None else words("answer.withheld")
        parts.append(say(words, "decision.reasons", reasons=reasons))
    else:
        parts.append(say(words, "decision.reasons_missing"))
    return sentences(*parts), say(words, "decision.note")


def norms(words: Words) -> tuple[str, ...]:
    """What the norms ask, one line each."""
    return tuple(words(key) for key in sorted(k for k in words.entries if k.startswith("norm.")))
