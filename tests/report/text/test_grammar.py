"""Every sentence of a report, once with nothing, one and two of everything: number and verb agree, no date twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from forensics.report.facts import Facts, incidents, tallies
from forensics.report.redaction import redact
from forensics.report.text import blocks as b
from forensics.report.text import document
from forensics.report.text.wording import load
from tests.report import made

WORDS = load()
NOUNS = (
    "attempts|claims|days|deliveries|domains|files|findings|hours|items|lines|messages|minutes|pairs|questions|records|"
    "recipients|rows|senders|servers|signs|statements|steps|suffixes|verdicts|weeks"
)
ONE = "|".join(sorted({noun.removesuffix("s").replace("ie", "y") if noun.endswith("ies") else noun.removesuffix("s")
                       for noun in NOUNS.split("|")} - {"suffixe"} | {"suffix"}))  # fmt: skip
WRONG = {
    "one of many": re.compile(
        rf"(?<![\d.,/–E] )(?<![\w.,–-])1 (?:(?!of\b|to\b|and\b|in\b)[a-z-]+ ){{0,3}}(?:{NOUNS})\b(?!’)"
    ),
    "many of one": re.compile(
        rf"(?<![\w.,–-])(?:0|[2-9]|\d{{2,}}) (?:(?!of\b|in\b|and\b)[a-z-]+ ){{0,2}}(?:{ONE})\b(?!-| of the| address)"
    ),
    "one are": re.compile(r"(?<![\w.,–-])1 (?:[a-z]+ )?(?:are|were|have|await)\b"),
    "a before a vowel": re.compile(r"\ba [aeio][a-z]+|\ba “[aeio]”(?! too)"),
    "the same day twice": re.compile(r"(\d{1,2} [A-Z][a-z]+ \d{4}) (?:and|to) \1"),
    "a share without percent": re.compile(r"\b0\.\d+ of the\b"),
    "a code word": re.compile(r"\bcases-met\b|\bnot-exposed\b|\bhanded-on\b|\{\w+\}"),
    "two blanks": re.compile(r"[a-z]  [a-z]|\.\.(?!\.)| \.(?:\s|$)"),
}


def strings(blocks: tuple[b.Block, ...]) -> Iterator[str]:
    """Everything said in sentences or labels; values of tables stand alone and are left out."""
    for block in blocks:
        match block:
            case b.Para(spans, _):
                yield b.plain(spans)
            case b.Items(items, _):
                yield from map(b.plain, items)
            case b.Terms(items):
                yield from (b.plain(value) for _, value in items)
            case b.Points(items):
                yield from (b.plain(point.spans) for point in items)
            case b.Figures(items):
                yield from (f"{x.value} {x.label}" for x in items)
            case b.Table():
                yield block.caption
                yield from (b.plain(cell) for row in block.rows for cell in row if len(cell) > 2)
            case b.Chart():
                yield from (block.alt, block.caption)
            case b.Heading():
                yield block.text


def case(count: int, **change: Any) -> Facts:
    """A case with so many findings, each changed alike."""
    facts = made.facts(max(count, 1) if change else count, verdicts=change.pop("verdicts", ()))
    if not change:
        return facts
    found = tuple(replace(x, **change) for x in facts.findings[:count])
    pairs = tuple(
        replace(i, tally=tallies.tally([x for x in tallies.headline(found) if x.incident == i.ref]))
        for i in facts.incidents
    )
    header = replace(facts.header, found=bool(tallies.headline(found)))
    return replace(
        facts,
        header=header,
        findings=found,
        groups=tallies.groups(found),
        incidents=pairs,
        stories=incidents.stories(found, pairs),
    )


def variants() -> Iterator[tuple[str, Facts]]:
    for n in (0, 1, 2):
        yield f"{n}", case(n)
        yield f"{n} redacted", redact(case(n), b"k" * 32)
    for n in (1, 2):
        for exposure in ("exposed", "handed-on", "not-exposed", "unsettled"):
            for state in ("confirmed", "suspected", "review", "dismissed"):
                yield f"{n} {exposure} {state}", case(n, exposure=exposure, state=state)
        for sent in (True, False, None):
            for exposure in ("not-exposed", "unsettled"):
                yield f"{n} {exposure} sent {sent}", case(n, exposure=exposure, content_sent=sent)
        for origin in ("typed", "list", "address-book", "reply-all", "automated"):
            yield f"{n} {origin}", case(n, origin=origin, automated=origin == "automated")
        for tls in (True, False, None):
            yield f"{n} tls {tls}", case(n, tls=tls)
    for n in (1, 2):
        facts = case(n + 1)
        seen = facts.coverage
        hole = tuple((day.day, day.day) for day in facts.days[:n])
        one = replace(
            seen, unread=n, used=n, unread_files=("E1", "E2")[:n], uncovered=hole, losses_touching=n, skipped=(),
            unknown_outcome=replace(seen.unknown_outcome, value=n), deferred=replace(seen.deferred, value=n),
            possible_duplicates=replace(seen.possible_duplicates, value=n), search="partly",
        )  # fmt: skip
        yield f"{n} of what is missing", replace(facts, coverage=one)
        first = facts.findings[0]
        mixed = (replace(first, state="confirmed"), *(replace(x, state="suspected") for x in facts.findings[1 : n + 1]))
        yield f"1 confirmed, {n} suspected", replace(facts, findings=mixed, groups=tallies.groups(mixed))


VARIANTS = dict(variants())


@pytest.mark.parametrize("name", list(VARIANTS))
def test_number_and_verb_agree(name: str) -> None:
    facts = VARIANTS[name]
    told = document.compose(facts, made.context(facts))
    for said in strings((*told.first, *told.blocks)):
        for fault, pattern in WRONG.items():
            found = pattern.search(said)
            assert not found, f"{fault}: …{said[max(0, found.start() - 60) : found.end() + 40]}…"


def test_every_plural_has_a_sentence_that_agrees() -> None:
    """The forms themselves: `one` where {n} is 1 says no plural behind it, `other` no singular."""
    for key, entry in WORDS.entries.items():
        if not isinstance(entry, dict):
            continue
        for n in (1, 2):
            fields = set(re.findall(r"\{(\w+)\}", " ".join(entry.values())))
            said = WORDS(key, **{name: n if name == "n" else "x" for name in fields | {"n"}})
            for fault in ("one of many", "one are"):
                assert not (n == 1 and WRONG[fault].search(said)), f"{key}: {said}"


def test_months_have_names_of_one_length() -> None:
    from datetime import date

    assert {len(WORDS.month(date(2023, month, 1))) for month in range(1, 13)} == {3}
    assert WORDS.short_day(date(2023, 9, 4)) == "4 Sep 2023"
