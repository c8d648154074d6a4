"""Pieces that several sections of the report share: table columns, counts, stamps, slips, answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from forensics.report import facts as f
from forensics.report.facts import tallies
from forensics.report.text import blocks as b
from forensics.report.text import prose
from forensics.report.text.context import Context
from forensics.report.text.wording import Words

_LINE_END = re.compile(r" *\r?\n *")

SHORT = 25
"""Rows of a table within a section."""


def cut_note(words: Words, shown: int, total: int, file: str) -> Iterator[b.Block]:
    """That a table was cut, and where the rest stands."""
    if total > shown:
        yield b.Para(b.text(words("doc.rows_in", shown=shown, n=total, file=file)), "note")


def answered(words: Words, q: f.Questionnaire) -> str:
    """`10 of 10 required items answered, of which 3 “unknown”`."""
    key = "answer.count_unknown" if q.unknown else "answer.count"
    return words(key, answered=q.answered, required=q.required, n=q.unknown)


def missing(words: Words) -> b.Span:
    return b.Span("missing", words("answer.missing"))


def count(words: Words, number: f.Number, *, exposed: bool = False) -> b.Spans:
    """A number in a table; in the warning colour when it counts exposure and is not nought."""
    figure = words.number(number.value)
    return (b.Span("exposed" if exposed and number.value else "text", figure),)


def stamp(moment: datetime | None, zone: str = "UTC") -> str:
    """`2023-03-20 08:15`, in `zone`."""
    return "" if moment is None else f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def reason(words: Words, one: f.Reason, meanings: Mapping[str, str] | None = None) -> str:
    """A reason in words: its own, else what its kind weighs; never a code word."""
    return one.text or words.get(f"reason.{one.name}", (meanings or {}).get(one.name) or words("reason.other"))


def score(words: Words, value: float) -> str:
    """`0.987`; never `1.000` or `0.000`, which no score is."""
    if value >= 0.9995:
        return words("score.above")
    return words("score.below") if value < 0.0005 else words.number(value, 3)


def became(words: Words, finding: f.Finding, group: str = "exposure") -> str:
    """What became of a delivery, in the words of `group`."""
    return said(words, finding.exposure, finding.content_sent, group)


def said(words: Words, exposure: str, content_sent: bool | None, group: str = "exposure") -> str:
    """The same of its exposure, and of what `forensics.sent` tells of it."""
    told = words.get(f"{group}.{exposure}", exposure)
    if exposure in tallies.LEFT or content_sent is False:
        return told
    return words(f"{group}.{'content_sent' if content_sent else 'stage_unknown'}", said=told)


def in_short(words: Words, finding: f.Finding) -> str:
    """What became of a delivery, for a narrow column."""
    if tallies.was_sent(finding):
        return words("chart.content_sent")
    return words("chart.stage_unknown" if tallies.may_have_been(finding) else f"exposure.{finding.exposure}")


def sent(words: Words, finding: f.Finding) -> str:
    """How far a delivery had come that was not accepted; nothing where it is known that nothing had been sent."""
    if tallies.was_sent(finding):
        return words("html.finding.sent_yes")
    if not tallies.may_have_been(finding):
        return ""
    return words(
        "html.finding.sent_unknown_last" if finding.attempts > 1 else "html.finding.sent_unknown", n=finding.attempts
    )


def records(finding: f.Finding) -> str:
    """`E1: 34–37, 42`: where the delivery stands in the evidence."""
    by: dict[str, list[int]] = {}
    for record in finding.records:
        by.setdefault(record.evidence, []).append(record.number)
    return "; ".join(f"{evidence}: {_ranges(sorted(numbers))}" for evidence, numbers in by.items())


def _ranges(numbers: list[int]) -> str:
    out: list[list[int]] = []
    for number in numbers:
        if out and number == out[-1][1] + 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in out)


def on(day: date | None, words: Words) -> str:
    return "" if day is None else words.day(day)


def columns(words: Words, layout: str) -> tuple[b.Column, ...]:
    """Columns from `key:width` and `key>` (numbers, right-aligned), titled by `th.<key>`; `_` has no title."""
    out = []
    for part in layout.split():
        right = part.endswith(">")
        key, _, width = part.rstrip(">").partition(":")
        title = "" if key == "_" else words(key if "." in key else f"html.th.{key}")
        out.append(b.Column(title, "right" if right else "left", int(width or 0)))
    return tuple(out)


def answers(facts: f.Facts, context: Context, sections: Iterable[str]) -> b.Terms:
    """What the investigator says in these sections, or that nobody has said it yet."""
    words = context.words
    rows = []
    for item in facts.questionnaire.items:
        if item.section in sections and (item.answered or item.required):
            rows.append((question(words, item), answer(words, item, facts.header.timezone)))
    return b.Terms(tuple(rows))


def question(words: Words, item: f.Item) -> str:
    return words(f"item.{item.key}.question")


def answer(words: Words, item: f.Item, zone: str) -> b.Spans:
    if not item.answered:
        return (missing(words),)
    if item.answer is None:
        return (b.Span("soft", words("answer.withheld")),)
    if item.kind == "moment":
        return b.text(prose.when(words, datetime.fromisoformat(item.answer).astimezone(UTC), zone))
    if item.kind == "day":
        return b.text(words.day(date.fromisoformat(item.answer)))
    if item.kind == "count":
        return b.text(words.number(int(item.answer)))
    if item.kind == "choice":
        return b.text(words.get(f"choice.{item.answer}", item.answer))
    # An answer of several lines is set as one paragraph; incident.json has it as written.
    return b.text(_LINE_END.sub(" ", item.answer))


def country(words: Words, place: f.Place) -> str:
    """The country of a suffix, or that it has none, or that no registry has it."""
    return place.country_name or words("place.generic" if place.exists else "place.nowhere")


def slip_line(words: Words, slip: f.Slip) -> b.SlipLine:
    """Both spellings with the difference marked; without segments the two names as they are."""
    label = words("doc.typed_label", slip=prose.slip(words, slip))
    if not slip.segments:
        whole = (b.Letters(slip.meant, False),), (b.Letters(slip.typed, False),)
        return b.SlipLine(*whole, words("html.meant"), label)
    meant = tuple(b.Letters(s.meant, s.kind != "same") for s in slip.segments if s.meant)
    typed = tuple(b.Letters(s.typed, s.kind != "same") for s in slip.segments if s.typed)
    return b.SlipLine(meant, typed, words("html.meant"), label)
