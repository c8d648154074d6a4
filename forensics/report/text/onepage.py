"""The one page that comes first: every section in a sentence or two, so that it can be filed, read and signed alone.

All formats lay out the same points. Words stand in `onepage.toml`; answers and values that people or strangers wrote
are cut short here, and stand in full in the section behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from forensics import domains
from forensics.report import facts as f
from forensics.report.facts import measured
from forensics.report.facts.searched import NOTHING_SEARCHED
from forensics.report.text import blocks as b
from forensics.report.text import changes, clocks, content, passages, pieces, prose
from forensics.report.text.prose import joined, noun, say, sentences
from forensics.report.text.wording import Words

SECTIONS = (
    "position",
    "clock",
    "numbers",
    "how",
    "where",
    "exposed",
    "risk",
    "containment",
    "statements",
    "unseen",
    "decisions",
)

_NAMED = 3
"""Stories, pairs of one story and servers that the page names; the section has the others."""

_ANSWER = 150
"""Characters of an answer in somebody's own words."""

_VALUE = 48
"""Characters of a domain or a server's name."""


def sections(facts: f.Facts) -> tuple[str, ...]:
    """The report's sections in order; a search that found nothing has others, and leaves out what nobody stated."""
    if facts.header.found:
        return (*SECTIONS, "changes") if facts.changes else SECTIONS
    answered = bool(facts.clock.aware_at or facts.clock.discovered_at or facts.regimes)
    would = "" if facts.coverage.search in NOTHING_SEARCHED else "would"
    wanted = ("position", "clock" if answered else "", "searched", would, "statements" if facts.statements else "")
    more = ("changes",) if facts.changes else ()
    return (*(key for key in wanted if key), "unseen", "decisions", *more)


def points(facts: f.Facts, words: Words) -> tuple[b.Point, ...]:
    """Every section but the first, which the page says in full."""
    return tuple(
        b.Point(number, words(f"html.section.{key}"), _POINTS[key](facts, words), key)
        for number, key in enumerate(sections(facts), 1)
        if key != "position"
    )


def figures(facts: f.Facts, words: Words) -> tuple[b.Figure, ...]:
    """The headline: how many, how bad, since when, until when."""
    head, seen, clock_facts = facts.groups.headline, facts.coverage, facts.clock
    if not facts.header.found:
        unread = [b.Figure(words.number(seen.unread), words("figure.unread", n=seen.unread))] if seen.unread else []
        searched = b.Figure(words.number(seen.weighed.value), words("figure.searched", n=seen.weighed.value))
        if seen.search in NOTHING_SEARCHED:
            return (searched, b.Figure(words.number(seen.used), words("figure.read", n=seen.used)), *unread)
        return (
            b.Figure(words.number(head.messages.value), words("figure.found")),
            searched,
            b.Figure(words.number(seen.weighed_domains.value), words("figure.domains", n=seen.weighed_domains.value)),
            *(unread if seen.search == "partly" else ()),
        )
    out = [
        b.Figure(words.number(head.messages.value), words("figure.messages", n=head.messages.value)),
        b.Figure(
            words.number(head.exposed.value),
            words("figure.accepted", n=head.exposed.value),
            exposed=bool(head.exposed.value),
        ),
        b.Figure(words.number(head.not_exposed.value), words("figure.refused")),
    ]
    if head.handed_on.value:
        out.append(b.Figure(words.number(head.handed_on.value), words("figure.handed_on")))
    if head.unsettled.value:
        out.append(b.Figure(words.number(head.unsettled.value), words("figure.unsettled")))
    if head.first is not None:
        out.append(b.Figure(words.short_day(head.first), words("figure.since"), kind="day"))
    if clock_facts.deadline is None:
        out.append(b.Figure(words("answer.missing"), words("figure.deadline"), kind="missing"))
    else:
        due = words("figure.deadline_at", time=f"{clock_facts.deadline:%H:%M}")
        out.append(b.Figure(words.short_day(clock_facts.deadline), due, kind="day"))
    return tuple(out)


def brief(value: str, limit: int = _ANSWER) -> str:
    """At most `limit` characters, cut between sentences or words where it can be; an ellipsis where more follows."""
    if len(value) <= limit:
        return value
    sentence = value[:limit].rpartition(". ")[0]
    if len(sentence) > limit // 2:
        return sentence + ". …"
    whole = value[:limit].rpartition(" ")[0]
    return (whole if len(whole) > limit // 2 else value[:limit]).rstrip(" ,;:.") + " …"


def _brief_answer(facts: f.Facts, words: Words, pattern: str, key: str) -> b.Spans:
    """An answer in short, as one sentence."""
    answer = pieces.answer(words, facts.questionnaire[key], facts.header.timezone)
    sentence = say(words, pattern, answer=tuple(b.Span(span.kind, brief(span.text)) for span in answer))
    return sentence if sentence[-1].text.endswith((".", "!", "?", "…")) else (*sentence, b.Span("text", "."))


def _clock(facts: f.Facts, words: Words) -> b.Spans:
    whole = passages.clock(facts, words)
    if facts.clock.state in ("passed", "notified-late"):
        why = facts.clock.delay_reasons
        reasons = say(words, "clock.delay", reasons=brief(why)) if why else whole[1]
        return sentences(whole[0], reasons, clocks.brief(facts, words))
    return sentences(whole[0], clocks.brief(facts, words))


def _numbers(facts: f.Facts, words: Words) -> b.Spans:
    groups, head = facts.groups, facts.groups.headline
    counts = say(
        words,
        "point.numbers",
        messages=noun(words, "messages", head.messages.value),
        deliveries=noun(words, "deliveries", head.deliveries.value),
        senders=noun(words, "senders", head.senders.value),
        recipients=noun(words, "recipients", head.recipients.value),
        accepted=pieces.count(words, head.exposed, exposed=True),
        refused=head.not_exposed.value,
        handed_on=head.handed_on.value,
        unsettled=head.unsettled.value,
        confirmed=groups.confirmed.deliveries.value,
        suspected=groups.suspected.deliveries.value,
        people=groups.people.deliveries.value,
        automated=groups.automated.deliveries.value,
    )
    return sentences(counts, prose.content_sent(facts, words), passages.outside(facts, words))


def _how(facts: f.Facts, words: Words) -> b.Spans:
    stories = [story for story in facts.stories if story.tally.deliveries.value]
    by = {incident.ref: incident for incident in facts.incidents}
    out = []
    more = 0
    for number, story in enumerate(stories):
        own = [by[ref] for ref in story.incidents if by[ref].tally.deliveries.value]
        if number < _NAMED:
            out.append(_story(words, story, own))
        else:
            more += len(own)
    if more:
        out.append(say(words, "point.more_pairs", n=more))
    return sentences(*out, *passages.repeats(facts, words))


def _story(words: Words, story: f.Story, own: list[f.Incident]) -> b.Spans:
    kinds = list(dict.fromkeys(prose.slip(words, incident.slip) for incident in own))
    # Redacted pairs of one story may look alike: each look once.
    pairs = list(dict.fromkeys(pair(words, incident.slip) for incident in own))
    if story.suffixes is None and len(pairs) == 1:
        return say(words, "point.pair", pair=pairs[0], slip=kinds[0])
    parts: list[str | b.Spans] = [*pairs[:_NAMED]]
    if len(own) > _NAMED and len(pairs) > 1:
        parts.append(words("point.more_names", n=len(own) - _NAMED))
    key = "point.story" if len(kinds) == 1 else "point.story_mixed"
    return say(words, key, story=passages.story_title(story, words), slip=kinds[0], pairs=joined(words, parts))


def pair(words: Words, slip: f.Slip) -> b.Spans:
    """`navy.mil → navy.ml` in a line of text, the letters that differ marked."""

    def side(which: str) -> b.Spans:
        if not slip.segments or len(getattr(slip, which)) > _VALUE:
            return (b.code(brief(domains.u_label(getattr(slip, which)), _VALUE)),)
        parts = [(getattr(piece, which), piece.kind != "same") for piece in slip.segments]
        return tuple(b.Span("mark" if marked else "code", text) for text, marked in parts if text)

    return (*side("meant"), *say(words, "mark.to"), *side("typed"))


def _where(facts: f.Facts, words: Words) -> b.Spans:
    out: list[b.Spans] = []
    for place in facts.places[:2]:
        out.append(
            say(
                words,
                "point.place",
                suffix=b.code("." + place.suffix),
                where=pieces.country(words, place),
                deliveries=noun(words, "deliveries", place.deliveries.value),
                accepted=pieces.count(words, place.accepted, exposed=True),
            )
        )
        servers = list(dict.fromkeys(relay.name or relay.address or "" for relay in place.relays))
        if servers:
            named: list[str | b.Spans] = [(b.code(brief(name, _VALUE)),) for name in servers[:_NAMED]]
            if len(servers) > _NAMED:
                named.append(words("point.more_names", n=len(servers) - _NAMED))
            out.append(say(words, "point.place_servers", n=len(servers), servers=joined(words, named)))
        out.append(passages.operator(facts, place, words, shorten=brief))
    if len(facts.places) > 2:
        out.append(say(words, "point.more_places", n=len(facts.places) - 2))
    return sentences(*out)


def _exposed(facts: f.Facts, words: Words) -> b.Spans:
    summary = _brief_answer(facts, words, "point.exposed", "exposed.what_was_exposed")
    return sentences(_answered(facts, words, ("exposed",)), summary, content.brief(facts, words))


def _risk(facts: f.Facts, words: Words) -> b.Spans:
    asked = ("high_risk", "likely", "operations")
    return sentences(*(_brief_answer(facts, words, f"point.{key}", f"consequences.{key}") for key in asked))


def _answered(facts: f.Facts, words: Words, wanted: Iterable[str]) -> b.Spans:
    own = [item for item in facts.questionnaire.items if item.section in wanted and item.required]
    counts = {"answered": sum(item.answered for item in own), "n": len(own)}
    unknown = sum(item.unknown for item in own)
    return say(words, "point.answered_unknown" if unknown else "point.answered", **counts, unknown=unknown)


def _containment(facts: f.Facts, words: Words) -> b.Spans:
    summary = passages.containment(facts, words, short=True)[0]
    return sentences(summary, _brief_answer(facts, words, "point.taken", "measures.taken"))


_RESULTS = ("contradicted", "not-contradicted", "supported", "not-determinable")


def _statements(facts: f.Facts, words: Words) -> b.Spans:
    if not facts.statements:
        return passages.no_statement(facts, words)
    results = [one.result for one in facts.statements if one.result != "not-tested"]
    untested = len({one.number for one in facts.statements if one.result == "not-tested"})
    parts = [
        words("point.statements_part", n=results.count(key), result=words(f"statement.result.{key}"))
        for key in _RESULTS
        if key in results
    ]
    out = [say(words, "point.statements", n=len(results), parts=words.join(parts))] if results else []
    if untested:
        out.append(say(words, "point.untested", n=untested))
    against = [one.claim for one in facts.statements if one.result == "contradicted"]
    out.extend(say(words, "point.contradicted", claim=brief(claim).rstrip(".")) for claim in against[:1])
    return sentences(*out)


def _unseen(facts: f.Facts, words: Words) -> b.Spans:
    seen = facts.coverage
    out = [say(words, "point.unseen_content")]
    if seen.first is not None and seen.last is not None:
        gateways: list[str | b.Spans] = [(b.code(brief(g.name or "–", _VALUE)),) for g in seen.gateways[:_NAMED]]
        if len(seen.gateways) > _NAMED:
            gateways.append(words("point.more_names", n=len(seen.gateways) - _NAMED))
        period = {"first": words.day(seen.first), "last": words.day(seen.last)}
        out.append(say(words, "point.unseen_period", **period, gateways=joined(words, gateways)))
    counted = (
        ("uncovered", passages.uncovered_days(facts)),
        ("silent", sum(len(gateway.silent_days) for gateway in seen.gateways)),
        ("unknown", seen.unknown_outcome.value),
        ("cut", sum(one.cut for one in seen.skipped)),
        ("skipped", sum(not one.cut for one in seen.skipped)),
    )
    if seen.unaccused:
        named = [(b.code(brief(zone, _VALUE)),) for zone in seen.unaccused[:_NAMED]]
        rest = [words("point.more_names", n=len(seen.unaccused) - _NAMED)] if len(seen.unaccused) > _NAMED else []
        out.append(say(words, "point.unseen_unaccused", zones=joined(words, [*named, *rest])))
    if seen.unread:
        out.append(say(words, "point.unseen_unread", **prose.unread(facts, words)))
    if seen.losses_touching:
        span = passages.losses_span(facts, words)
        out.append(say(words, "point.unseen_losses", n=seen.losses_touching, span=span))
    out.extend(say(words, f"point.unseen_{key}", n=n) for key, n in counted if n)
    for key, number in (("subjects", seen.without_subject), ("tls", seen.tls_unknown)):
        if number.value and number.value == seen.outbound.value:
            out.append(say(words, f"point.unseen_{key}"))
    return sentences(*out)


def _decisions(facts: f.Facts, words: Words) -> b.Spans:
    made = facts.questionnaire["notification.decision"]
    out = [say(words, f"decision.{made.answer}" if made.answered else "decision.unanswered")]
    steps = [action for action in facts.questionnaire.actions if not action.done]
    if not facts.questionnaire.actions:
        out.append(say(words, "decision.no_actions"))
    for step in steps[:2]:
        owner = step.owner or say(words, "mark.missing")
        due = words.day(step.due) if step.due else say(words, "mark.missing")
        out.append(say(words, "point.step", what=brief(step.what).rstrip("."), owner=owner, due=due))
    if len(steps) > 2:
        out.append(say(words, "point.more_steps", n=len(steps) - 2))
    return sentences(*out)


def _searched(facts: f.Facts, words: Words) -> b.Spans:
    seen = facts.coverage
    damaged = sum(bool(e.damage) for e in facts.evidence)
    return say(
        words,
        "point.searched_part" if damaged else "point.searched",
        n=damaged,
        outbound=noun(words, "deliveries", seen.weighed.value),
        messages=noun(words, "messages", seen.weighed_messages.value),
        domains=noun(words, "domains", seen.weighed_domains.value),
        records=noun(words, "records", seen.used + seen.ignored),
        total=seen.records,
        files=noun(words, "files", len(facts.evidence)),
    )


def _recall(facts: f.Facts, words: Words) -> b.Spans:
    found = {rate.name: rate for rate in facts.method.rates if rate.measure == "recall" and rate.low is not None}
    # What was never fitted on says most about a case that was never seen.
    name = next((name for name in ("frozen", *measured.SETS, *found) if name in found), None)
    if name is None:
        return say(words, "html.annex.not_measured")
    rate = found[name]
    numbers = {
        name: words.number(100 * share, 1)
        for name, share in (("value", rate.value), ("low", rate.low or 0.0), ("high", rate.high or 0.0))
    }
    return say(words, "point.would", **numbers, n=rate.count or 0, where=prose.rate_name(words, name))


_POINTS: dict[str, Callable[[f.Facts, Words], b.Spans]] = {
    "changes": changes.brief,
    "clock": _clock,
    "numbers": _numbers,
    "how": _how,
    "where": _where,
    "exposed": _exposed,
    "risk": _risk,
    "containment": _containment,
    "statements": _statements,
    "unseen": _unseen,
    "decisions": _decisions,
    "searched": _searched,
    "would": _recall,
}
