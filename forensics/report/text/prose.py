"""Sentences that every format says: facts and words in, runs of text out.

Wording stands in `prose.toml` of the language's folder. There `**…**` is strong, `` `…` `` a value from the
evidence, `!!…!!` exposure and `++…++` a missing answer; `{name}` is filled afterwards, so that no value can
become markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from forensics import accounts, domains
from forensics.report.facts import Facts, Segment, Slip, Story, places, slipmarks, tallies
from forensics.report.facts.searched import NOTHING_SEARCHED
from forensics.report.text.blocks import Span, Spans, code, text
from forensics.report.text.wording import Words

_MARK = re.compile(r"\*\*(?P<strong>.+?)\*\*|`(?P<code>.+?)`|!!(?P<exposed>.+?)!!|\+\+(?P<missing>.+?)\+\+")
_FIELD = re.compile(r"\{(\w+)\}")

_FEW = 3
"""Domains by which an organisation without a name is called."""

_TELLING = 0.5
"""A story of suffixes is named in title and first paragraph where more than this share of the headline is its own."""


def say(words: Words, key: str, /, **values: Any) -> Spans:
    """The sentence under `key`. Values: numbers, strings, Span or Spans; `n` chooses the plural form."""
    pattern = words.pattern(key, values.get("n"))
    out: list[Span] = []
    at = 0
    for match in _MARK.finditer(pattern):
        out.extend(_filled(words, pattern[at : match.start()], "text", values))
        kind = str(match.lastgroup)
        out.extend(_filled(words, match[kind], kind, values))
        at = match.end()
    out.extend(_filled(words, pattern[at:], "text", values))
    return tuple(out)


def _filled(words: Words, pattern: str, kind: str, values: Mapping[str, Any]) -> list[Span]:
    out: list[Span] = []
    at = 0
    for match in _FIELD.finditer(pattern):
        if match.start() > at:
            out.append(Span(kind, pattern[at : match.start()]))
        value = values[match[1]]
        if isinstance(value, Span):
            out.append(value)
        elif isinstance(value, tuple):
            out.extend(value)
        elif isinstance(value, int):
            out.append(Span(kind, words.number(value)))
        else:
            out.append(Span(kind, str(value)))
        at = match.end()
    if at < len(pattern):
        out.append(Span(kind, pattern[at:]))
    return out


def sentences(*parts: Spans) -> Spans:
    """Sentences one after another, a space between; empty ones left out."""
    out: list[Span] = []
    for part in parts:
        if part:
            if out:
                out.append(Span("text", " "))
            out.extend(part)
    return tuple(out)


def joined(words: Words, parts: Sequence[str | Spans]) -> Spans:
    """`a, b and c` of runs of text, after the language's rule."""
    if not parts:
        return ()
    marks = [f"\ue000{n}\ue001" for n in range(len(parts))]
    out: list[Span] = []
    for piece in re.split("(\ue000\\d+\ue001)", words.join(marks)):
        if piece.startswith("\ue000"):
            out.extend(text(parts[int(piece[1:-1])]))
        elif piece:
            out.append(Span("text", piece))
    return tuple(out)


def separated(parts: Sequence[str | Spans]) -> Spans:
    """Runs of text with commas between."""
    out: list[Span] = []
    for n, part in enumerate(parts):
        out.extend(text(", " if n else "", part))
    return tuple(out)


def noun(words: Words, key: str, n: int) -> str:
    """`1 message`, `12 messages`."""
    return words(f"noun.{key}", n=n)


def when(words: Words, moment: datetime, zone: str = "UTC") -> str:
    """`4 January 2024, 09:15 UTC`, with the organisation's own time behind it where that differs."""
    stamp = f"{words.day(moment)}, {moment:%H:%M} UTC"
    home = moment.astimezone(ZoneInfo(zone))
    if home.utcoffset():
        local = f"{home:%H:%M}" if home.date() == moment.date() else f"{words.day(home)}, {home:%H:%M}"
        stamp += f" ({local} {zone})"
    return stamp


def duration(words: Words, seconds: int) -> str:
    """`40 hours and 30 minutes`; from a hundred hours on with days: `4 days, 7 hours and 12 minutes`. Nothing is cut
    off but seconds."""
    minutes = abs(seconds) // 60
    hours, days = minutes // 60, 0
    if hours >= _MANY_HOURS:
        days, hours = divmod(hours, 24)
    parts = [("days", days), ("hours", hours), ("minutes", minutes % 60)]
    named = [noun(words, key, n) for key, n in parts if n]
    return words.join(named) if named else words("noun.no_minute")


_MANY_HOURS = 100


def title(facts: Facts, words: Words) -> str:
    """The investigator's title, or one that says what the logs show."""
    if facts.header.title:
        return facts.header.title
    if not facts.header.found:
        search = facts.coverage.search
        apart = tallies.set_apart(facts.findings) and search not in NOTHING_SEARCHED
        return words("title.none_apart" if apart else f"title.{_NONE[search]}")
    # What nobody has ruled on is held to be so by the evidence; the title is what is quoted without the rest.
    held = "_suspected" if facts.groups.suspected.deliveries.value else ""
    lead = _lead(facts)
    if lead is None or lead.suffixes is None:
        return words(f"title.pairs{held}")
    meant, typed = ("." + suffix for suffix in lead.suffixes)
    whole = lead.tally.deliveries.value == facts.groups.headline.deliveries.value
    return words(f"title.suffix{'' if whole else '_more'}{held}", meant=meant, typed=typed)


def kicker(facts: Facts, words: Words) -> str:
    """What stands above the title: a report on what is suspected says so before all else."""
    if not facts.header.found:
        return words("doc.kicker_nothing")
    groups = facts.groups
    if not groups.confirmed.deliveries.value:
        return words("doc.kicker_suspected")
    return words("doc.kicker_part" if groups.suspected.deliveries.value else "doc.kicker")


def _lead(facts: Facts) -> Story | None:
    """The story of suffixes that most of the headline is of, or none."""
    total = facts.groups.headline.deliveries.value
    own = (story for story in facts.stories if story.suffixes and story.tally.deliveries.value > _TELLING * total)
    return next(own, None)


_NONE = {"read": "none", "partly": "none_partly", "unweighed": "unweighed", "unread": "unread"}
"""Which title a report without findings bears, by what was searched."""


def organisation(facts: Facts, words: Words) -> str:
    """The organisation by name, else by its domains, else, and in the redacted edition, `the organisation`."""
    header = facts.header
    if header.edition == "redacted":
        return words("noun.the_organisation")
    named = words.join([domains.u_label(domain) for domain in header.domains]) if len(header.domains) <= _FEW else ""
    return header.organisation or named or words("noun.the_organisation")


def position(facts: Facts, words: Words) -> Spans:
    """The position in one paragraph: what went where instead of where, how many, accepted or refused, since when."""
    if not facts.header.found:
        return _nothing(facts, words)
    head = facts.groups.headline
    assert head.first is not None and head.last is not None
    same_day = head.first.date() == head.last.date()
    # What nobody has ruled on is said to be a finding of the evidence, in the first sentence already.
    key = "position.suspected" if facts.groups.suspected.deliveries.value else "position.found"
    opening = say(
        words,
        key + "_one_day" if same_day else key,
        first=words.day(head.first),
        last=words.day(head.last),
        messages=noun(words, "messages", head.messages.value),
        senders=noun(words, "senders", head.senders.value),
        organisation=organisation(facts, words),
        where=words("position.where", n=len({one.slip.typed for one in tallies.headline(facts.findings)})),
        who=words("position.who", n=head.senders.value),
    )
    said = (opening, _stories(facts, words), _acceptance(facts, words), _states(facts, words))
    return sentences(*said, *_not_read(facts, words))


def _stories(facts: Facts, words: Words) -> Spans:
    """What went where: the story that most of it is of, all other pairs counted in one clause."""
    stories = [story for story in facts.stories if story.tally.deliveries.value]
    lead = _lead(facts)
    named = [lead] if lead else []
    rest = [story for story in stories if story not in named]
    if len(stories) == 1:
        return _sentence(_story(words, stories[0], "position.story_all"))
    parts: list[Spans] = [_story(words, story) for story in named]
    others = sum(story.tally.deliveries.value for story in rest)
    if others:
        refs = {ref for story in rest for ref in story.incidents}
        pairs = sum(bool(one.tally.deliveries.value) for one in facts.incidents if one.ref in refs)
        key = "position.others" if parts else "position.only_others"
        parts.append(say(words, key, n=others, pairs=noun(words, "pairs", pairs)))
    return _sentence(joined(words, parts))


def _sentence(spans: Spans) -> Spans:
    """With a capital letter and a full stop."""
    first = spans[0].text
    return (Span(spans[0].kind, first[:1].upper() + first[1:]), *spans[1:], Span("text", "."))


def _story(words: Words, story: Story, key: str = "position.story") -> Spans:
    if story.suffixes:
        meant, typed = ("." + suffix for suffix in story.suffixes)
        country = places.name(places.country(places.suffix(story.suffixes[1])), words.language)
    else:
        meant, typed, country = words.join(story.intended), words.join(story.observed), None
    place = words("position.place", country=country) if country else ""
    return say(words, key, n=story.tally.deliveries.value, meant=code(meant), typed=code(typed), place=place)


def _acceptance(facts: Facts, words: Words) -> Spans:
    head = facts.groups.headline
    accepted = head.exposed.value
    rest = []
    if head.handed_on.value:
        rest.append(words("position.handed_on", n=head.handed_on.value))
    if head.not_exposed.value:
        rest.append(words("position.refused", n=head.not_exposed.value))
    if head.unsettled.value:
        rest.append(words("position.unsettled", n=head.unsettled.value))
    if not rest:
        spans = say(words, "position.accepted_all", n=accepted)
    elif accepted:
        spans = say(words, "position.accepted_some", n=accepted, total=head.deliveries.value, rest=words.join(rest))
    else:
        spans = say(words, "position.accepted_none", rest=words.join(rest))
    if head.first_exposed and head.last_exposed and (head.first_exposed, head.last_exposed) != (head.first, head.last):
        first, last = words.day(head.first_exposed), words.day(head.last_exposed)
        key = "position.window" if first != last else "position.window_one"
        if first != last or accepted == 1:
            spans = sentences(spans, say(words, key, first=first, last=last))
    return sentences(spans, content_sent(facts, words))


def content_sent(facts: Facts, words: Words) -> Spans:
    """That servers which accepted nothing may have kept what they were sent, and of how much it is not known whether
    anything was sent; nothing where neither is so."""
    head = facts.groups.headline
    sent, unknown = head.content_sent.value, head.stage_unknown.value
    more = "position.stage_unknown_more" if sent else "position.stage_unknown"
    return sentences(
        say(words, "position.content_sent", n=sent) if sent else (), say(words, more, n=unknown) if unknown else ()
    )


def none_accepted(facts: Facts, words: Words) -> Spans:
    """That no server accepted anything, and in the same sentence what that leaves open."""
    head = facts.groups.headline
    for key, number in (("_sent", head.content_sent), ("_unknown", head.stage_unknown)):
        if number.value:
            return say(words, f"containment.none_accepted{key}", n=number.value)
    return say(words, "containment.none_accepted")


def _states(facts: Facts, words: Words) -> Spans:
    confirmed, suspected = facts.groups.confirmed.deliveries.value, facts.groups.suspected.deliveries.value
    if confirmed and suspected:
        spans = say(words, "position.state_both", confirmed=confirmed, n=suspected)
    else:
        spans = say(words, f"position.state_{'confirmed' if confirmed else 'suspected'}", n=confirmed or suspected)
    automated = facts.groups.automated.deliveries.value
    apart = tallies.set_apart(facts.findings)
    return sentences(
        spans,
        say(words, "position.automated", n=automated) if automated else (),
        say(words, "position.more_apart", n=apart) if apart else (),
    )


def _nothing(facts: Facts, words: Words) -> Spans:
    searched = facts.coverage
    if searched.search in NOTHING_SEARCHED:
        return sentences(_nothing_searched(facts, words), say(words, "position.no_answer"))
    assert searched.weighed_first is not None and searched.weighed_last is not None
    apart = tallies.set_apart(facts.findings)
    partly = "position.none_partly" if searched.search == "partly" else "position.none"
    spans = say(
        words,
        "position.none_counted" if apart else partly,
        outbound=noun(words, "deliveries", searched.weighed.value),
        organisation=organisation(facts, words),
        span=span(words, searched.weighed_first, searched.weighed_last),
        domains=noun(words, "domains", searched.weighed_domains.value),
    )
    if apart:
        spans = sentences(spans, say(words, "position.none_apart", n=apart))
    spans = sentences(spans, *_not_read(facts, words))
    if searched.losses_touching:
        spans = sentences(spans, say(words, "position.none_lost", n=searched.losses_touching))
    for key, group in (("none_review", facts.groups.review), ("none_dismissed", facts.groups.dismissed)):
        if group.deliveries.value:
            spans = sentences(spans, say(words, f"position.{key}", n=group.deliveries.value))
    return spans


def _nothing_searched(facts: Facts, words: Words) -> Spans:
    """Why: nothing read, no delivery, other domains, or another period."""
    searched = facts.coverage
    if searched.search == "unread":
        return say(words, "position.unread", n=searched.bearing, files=noun(words, "files", len(facts.evidence)))
    if not searched.deliveries.value:
        return say(words, "position.no_deliveries", records=noun(words, "records", searched.records))
    named = organisation(facts, words)
    if searched.outbound.value > searched.machine.value:
        return say(words, "position.no_period", organisation=named, asked=asked(facts, words))
    own = searched.outbound.value + searched.inbound.value + searched.internal.value
    if own:
        counted = {"inside": searched.internal.value, "inbound": searched.inbound.value}
        return say(words, "position.no_outbound", organisation=named, **counted)
    given = [(code(domain),) for domain in dict.fromkeys((*facts.header.domains, *searched.unseen_domains))]
    if not given:
        return say(words, "position.no_domain_unnamed")
    return say(words, "position.no_domain", n=len(given), domains=joined(words, given))


def unnamed(facts: Facts) -> Facts:
    """The facts without the organisation's name and domains, for forms in which it does not stand."""
    header = replace(facts.header, organisation="", domains=())
    return replace(facts, header=header, coverage=replace(facts.coverage, unseen_domains=()))


def asked(facts: Facts, words: Words) -> str:
    """The period that detection was asked for: `from 1 January 2030`, `before 1 May 2024`, both, or nothing."""
    since, until = facts.coverage.since, facts.coverage.until
    if since and until:
        return words("period.between", since=_moment(words, since), until=_moment(words, until))
    if since:
        return words("period.since", since=_moment(words, since))
    return words("period.until", until=_moment(words, until)) if until else ""


def _moment(words: Words, at: datetime) -> str:
    return words.day(at) if at.time() == at.min.time() else when(words, at)


def span(words: Words, first: date, last: date) -> Spans:
    """`1 June 2023 to 12 June 2023`, or the one day."""
    names = words.day(first), words.day(last)
    return text(names[0]) if names[0] == names[1] else say(words, "unseen.span", first=names[0], last=names[1])


def _not_read(facts: Facts, words: Words) -> list[Spans]:
    """What the first paragraph has to say of unread records: where they are many, a whole file, or may lie in the
    period that matters."""
    searched = facts.coverage
    out: list[Spans] = []
    if searched.unread and (searched.search != "read" or searched.unread_touches):
        out.append(say(words, "position.not_read", **unread(facts, words)))
    damaged = [e.ref for e in facts.evidence if e.damage]
    for key, refs in (("files_not_read", list(searched.unread_files)), ("files_damaged", damaged)):
        if refs:
            out.append(say(words, f"position.{key}", n=len(refs), files=joined(words, refs)))
    return out


def unread(facts: Facts, words: Words) -> dict[str, Any]:
    """Fields of what is said of unread records: how many, of how many, which share, where."""
    searched = facts.coverage
    where = say(words, "unread.no_time")
    if searched.unread_first and searched.unread_last:
        where = say(words, "unread.period", span=span(words, searched.unread_first, searched.unread_last))
    share = percentage(words, searched.unread, searched.bearing)
    return {"n": searched.unread, "of": searched.bearing, "share": share, "where": where}


def percentage(words: Words, part: int, whole: int) -> str:
    """`12 %`, `less than 0.01 %`."""
    bound, value, decimals = accounts.percentage(part, whole)
    return words(f"share.{bound or 'exact'}", percent=words.number(value, decimals))


def slip(words: Words, mark: Slip) -> str:
    """The slip in words: `the letter “i” left out of .mil`."""
    changes = [piece for piece in mark.segments if piece.kind != "same"]
    if not changes or len(changes) > 2:
        return words.get(f"slip.kind.{mark.kind}", words("slip.kind.other"))
    where = domains.u_label(mark.meant)
    if slipmarks.in_suffix(mark):
        where = "." + (domains.split(mark.meant).suffix or mark.meant.rpartition(".")[2])
    return words.join([_change(words, piece, where) for piece in changes])


def _change(words: Words, piece: Segment, where: str) -> str:
    if piece.kind == "swapped":
        return words("slip.swapped", first=piece.meant[0], second=piece.meant[1], where=where)
    if piece.kind == "replaced":
        return words("slip.replaced", typed=piece.typed, letters=piece.meant, where=where)
    letters = piece.meant or piece.typed
    key = f"slip.{piece.kind}"
    if letters in (".", "-"):
        return words(key + ("_dot" if letters == "." else "_hyphen"), where=where)
    if len(letters) == 1 and letters.isalpha():
        key += "_letter"
    return words(key, letters=letters, where=where)


def rate_name(words: Words, name: str) -> str:
    """What an error rate was measured on, or the kind of slip it is of."""
    return words.get(f"rate.{name}", words.get(f"slip.kind.{name}", name))


def measure_name(words: Words, name: str) -> str:
    """`recall` and the like, in words."""
    return words.get(f"measure.{name}", name)


def glossary(words: Words) -> list[tuple[str, str]]:
    """(term, meaning) in alphabetical order of the terms."""
    keys = [key for key in words.entries if key.startswith("glossary.") and key.endswith(".term")]
    return sorted((words(key), words(key.removesuffix("term") + "meaning")) for key in keys)
