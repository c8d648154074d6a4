"""What logs show of content: sizes, and what subjects say of markings, special categories and risks.

A log shows what a message was called, never what it held. Subjects are compared in Unicode's compatibility form,
without characters that show nothing; the words stand in `templates/content.toml`, more in case.toml.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from forensics.report.facts import tallies
from forensics.report.facts.base import Number
from forensics.report.facts.found import Finding
from forensics.report.facts.questionnaire import Questionnaire
from forensics.report.facts.shown import Content, Contrast, Held, Mention

TEMPLATES = Path(__file__).parent.parent / "templates"

WORKSHEET = "worksheet"
"""Action of the custody log that keeps the rows of a worksheet."""
GROUPS = ("marking", "special", "risk")

_LONGEST = 4096
"""Characters of a subject that are searched; no marking stands behind them."""
_BETWEEN = r"[\s\-\u2010-\u2015_/]*"
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def gather(findings: Sequence[Finding], answers: Questionnaire, worksheet: Mapping[str, Mapping[str, Any]]) -> Content:
    """`worksheet`: delivery id → the row that a person filled in."""
    head = tallies.headline(findings)
    named = [finding for finding in head if finding.subject]
    sizes = [finding.size_bytes for finding in head if finding.size_bytes is not None]
    mentions = tuple(_mentions(named, answers))
    held = tuple(
        _held(finding, worksheet[finding.delivery_id]) for finding in findings if finding.delivery_id in worksheet
    )
    opened = {one.finding for one in held if one.opened == "yes"}
    return Content(
        with_subject=tallies.number(named),
        without_subject=tallies.number(finding for finding in head if not finding.subject),
        sized=tallies.number(finding for finding in head if finding.size_bytes is not None),
        bytes_total=sum(sizes) if sizes else None,
        bytes_largest=max(sizes, default=None),
        mentions=mentions,
        contrasts=tuple(_contrasts(head, answers, mentions, held)),
        reviewed=tallies.number(finding for finding in head if finding.ref in opened),
        held=held,
    )


def plain(subject: str) -> str:
    """A subject as it is compared: compatibility form, without marks, controls and characters that show nothing."""
    folded = unicodedata.normalize("NFKD", subject[:_LONGEST])
    return "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cc", "Mn") or c in "\t\n ")


def markings(subject: str, own: Sequence[str] = ()) -> tuple[str, ...]:
    """Markings that a subject bears, as the list writes them; of overlapping ones the longest.

    >>> markings("RE: OFFICIAL-SENSITIVE: berthing plan"), markings("official visit"), markings("Nato Secret annex")
    (('OFFICIAL SENSITIVE',), (), ('NATO SECRET',))
    """
    return tuple(dict.fromkeys(_named(match, own) for match in _marking_pattern(tuple(own)).finditer(plain(subject))))


def _named(match: re.Match[str], own: Sequence[str]) -> str:
    return (*standard_markings(), *own)[int((match.lastgroup or "m0")[1:])]


@cache
def _lists() -> Mapping[str, Any]:
    return tomllib.loads((TEMPLATES / "content.toml").read_text("utf-8"))


@cache
def standard_markings() -> tuple[str, ...]:
    """Every marking of the list, whosever it is."""
    return tuple(dict.fromkeys(word for words in _lists()["markings"].values() for word in words))


@cache
def _marking_pattern(own: tuple[str, ...]) -> re.Pattern[str]:
    capitals = frozenset(_lists()["capitals"])
    known = list(enumerate((*standard_markings(), *own)))
    known.sort(key=lambda one: -len(one[1]))
    parts = []
    for number, word in known:
        spelt = _BETWEEN.join(re.escape(part) for part in plain(word).split())
        parts.append(f"(?P<m{number}>{spelt if word in capitals else f'(?i:{spelt})'})")
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)")


@cache
def _words(group: str) -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """(kind, word, pattern) of the words of a group."""
    return tuple((kind, word, _word(word)) for kind, words in _lists()[group].items() for word in words)


@cache
def _word(word: str) -> re.Pattern[str]:
    spelt = _BETWEEN.join(re.escape(part) for part in plain(word).split())
    return re.compile(rf"(?<!\w){spelt}(?!\w)", re.IGNORECASE)


def _mentions(named: Sequence[Finding], answers: Questionnaire) -> Iterator[Mention]:
    own = answers.content
    shown = {finding.ref: plain(finding.subject or "") for finding in named}
    by: dict[str, list[Finding]] = {}
    for finding in named:
        for marking in markings(finding.subject or "", own.markings):
            by.setdefault(marking, []).append(finding)
    for marking in (*standard_markings(), *own.markings):
        if marking in by:
            systems = tuple(name for name, words in _lists()["markings"].items() if marking in words)
            yield _mention("marking", marking, systems, (), by[marking])
    for group, extra in (("special", own.special), ("risk", own.risk)):
        found: dict[str, dict[str, list[Finding]]] = {}
        for kind, word, pattern in _words(group):
            hits = [finding for finding in named if pattern.search(shown[finding.ref])]
            if hits:
                found.setdefault(kind, {})[word] = hits
        for kind, hit in found.items():
            refs = {finding.ref for hits in hit.values() for finding in hits}
            yield _mention(group, kind, (), tuple(hit), [finding for finding in named if finding.ref in refs])
        for word in extra:
            hits = [finding for finding in named if _word(word).search(shown[finding.ref])]
            if hits:
                yield _mention(group, "own", (), (), hits, word)


def _mention(
    group: str,
    kind: str,
    systems: tuple[str, ...],
    words: tuple[str, ...],
    found: Sequence[Finding],
    own: str | None = None,
) -> Mention:
    if group == "marking" and not systems:
        kind, own = "own", kind
    accepted = tallies.number(finding for finding in found if finding.exposure in tallies.ACCEPTED)
    return Mention(group, kind, systems, words, own, tallies.number(found), accepted)


def _held(finding: Finding, row: Mapping[str, Any]) -> Held:
    return Held(
        finding=finding.ref,
        opened=row["opened"],
        personal_data=row["personal_data"],
        special=row["special"],
        passwords=row["passwords"],
        protected=row["protected"],
        records=row["records"],
        people=row["people"],
        held=row["held"],
        marking=row["marking"],
        reviewer=row["reviewer"],
    )


_NONE = re.compile(r"(?i)\W*(?:none|no(?:ne)?|nil|unmarked|no markings?|not marked|nothing)\W*")


def _contrasts(
    head: Sequence[Finding], answers: Questionnaire, mentions: Sequence[Mention], held: Sequence[Held]
) -> Iterator[Contrast]:
    said = answers.exposed
    marked = [one for one in mentions if one.group == "marking"]
    ids = {i for one in marked for i in one.deliveries.deliveries or ()}
    if said.marking is not None and ids:
        yield from _marking_contrast(said.marking, marked, tallies.number(x for x in head if x.delivery_id in ids))
    for answer, item, group, kind in (
        (said.special_categories, "exposed.special_categories", "special", None),
        (said.credentials, "exposed.credentials", "risk", "passwords"),
    ):
        hits = {
            i
            for one in mentions
            if one.group == group and one.kind in (kind, one.kind if kind is None else "")
            for i in one.deliveries.deliveries or ()
        }
        if answer == "no" and hits:
            evidence = tallies.number(x for x in head if x.delivery_id in hits)
            yield Contrast(item, "words", (("n", evidence.value),), evidence)
    yield from _sheet_contrasts(head, answers, held)
    if said.what_was_exposed is None or not _NONE.fullmatch(said.what_was_exposed):
        return
    for basis, found in (
        ("accepted", [x for x in head if x.exposure in tallies.ACCEPTED]),
        ("content_sent", [x for x in head if tallies.was_sent(x)]),
    ):
        if found:
            yield Contrast("exposed.what_was_exposed", basis, (("n", len(found)),), tallies.number(found))


def _marking_contrast(answer: str, marked: Sequence[Mention], evidence: Number) -> Iterator[Contrast]:
    """Markings seen against the answer: none said, a lower one, or fewer messages."""
    labels = ", ".join(one.own or one.kind for one in marked)
    values = (("n", evidence.value), ("markings", labels))
    if _NONE.fullmatch(answer):
        yield Contrast("exposed.marking", "marking-none", values, evidence)
        return
    named = markings(answer.upper())
    higher = [one for one in marked if one.systems and _above(one, named)]
    if higher:
        labels = ", ".join(one.kind for one in higher)
        yield Contrast("exposed.marking", "marking-higher", (("n", evidence.value), ("markings", labels)), evidence)
    number = _counted(answer)
    if number is not None and number < evidence.value:
        yield Contrast("exposed.marking", "marking-count", (*values, ("said", number)), evidence)


def _above(seen: Mention, named: Sequence[str]) -> bool:
    """Whether a marking ranks above all that the answer names, in every system that has it."""
    lists = _lists()["markings"]
    ranked = [[lists[name].index(one) for one in named if one in lists[name]] for name in seen.systems]
    places = [lists[name].index(seen.kind) for name in seen.systems]
    return any(own and place > max(own) for own, place in zip(ranked, places, strict=True)) or not any(ranked)


def compared(seen: str, limit: str) -> int | None:
    """How many places a marking ranks above another one (below: negative), by the system in which it ranks highest
    above it; None where no system has both.

    >>> compared("SECRET", "OFFICIAL SENSITIVE"), compared("OFFICIAL", "SECRET"), compared("NATO SECRET", "OFFICIAL")
    (2, -5, None)
    """
    ranked = [
        words.index(seen) - words.index(limit) for words in _lists()["markings"].values() if {seen, limit} <= {*words}
    ]
    return max(ranked, default=None)


def _counted(answer: str) -> int | None:
    """How many messages an answer speaks of: `one marked message`, `2 e-mails`."""
    found = re.search(
        rf"(?i)\b(\d{{1,6}}|{'|'.join(_NUMBERS)})\b(?:\W+[\w-]+){{0,3}}?\W+(?:messages?|e-?mails?|mails?)\b", answer
    )
    if not found:
        return None
    word = found[1].lower()
    return int(word) if word.isdigit() else _NUMBERS.index(word)


def _sheet_contrasts(head: Sequence[Finding], answers: Questionnaire, held: Sequence[Held]) -> Iterator[Contrast]:
    """Answers against what the worksheet says of single messages."""
    said, refs = answers.exposed, {finding.ref for finding in head}
    own = [one for one in held if one.finding in refs]
    by = {finding.ref: finding for finding in head}
    opened = {one.finding for one in own if one.opened == "yes"}
    if said.content_reviewed == "all" and own and len(opened) < len(head):
        left = tallies.number(finding for finding in head if finding.ref not in opened)
        yield Contrast("exposed.content_reviewed", "not-opened", (("n", left.value),), left)
    for answer, item, field in (
        (said.special_categories, "exposed.special_categories", "special"),
        (said.credentials, "exposed.credentials", "passwords"),
    ):
        against = [by[one.finding] for one in own if getattr(one, field) == "yes"]
        if answer == "no" and against:
            yield Contrast(item, "worksheet", (("n", len(against)),), tallies.number(against))
    for total, item, field in (
        (said.records, "exposed.records", "records"),
        (said.subjects, "exposed.subjects", "people"),
    ):
        counted = [(by[one.finding], getattr(one, field)) for one in own if getattr(one, field)]
        largest = max((n for _, n in counted), default=0)
        if total is not None and largest > total:
            evidence = tallies.number(finding for finding, n in counted if n > total)
            yield Contrast(item, "fewer", (("n", largest), ("said", total)), evidence)
