"""Titles, first paragraphs and page one where something, or everything, could not be read or searched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from forensics.report.facts import Evidence, Facts, Loss, LossTotal, Number, Skipped, UnreadKind, coverage
from forensics.report.facts.searched import ASSUMED, NOTHING_SEARCHED, SEARCHES
from forensics.report.redaction import redact
from forensics.report.text import blocks as b
from forensics.report.text import document, onepage, passages, prose
from forensics.report.text.wording import Words, load
from tests.report import made

START = made.START
NONE = Number(0)


@cache
def words() -> Words:
    return load()


@cache
def nothing() -> Facts:
    """A report without findings, over logs that were read to the last record."""
    return seen(made.facts(0), unread=0, unread_reasons=(), unread_touches=False, search="read")


@cache
def found() -> Facts:
    return seen(made.facts(12), unread=0, unread_reasons=(), unread_touches=False, search="read")


def seen(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, coverage=replace(facts.coverage, **changes))


def lead(facts: Facts) -> str:
    return b.plain(prose.position(facts, words()))


def unseen_point(facts: Facts) -> str:
    (point,) = (one for one in onepage.points(facts, words()) if one.anchor == "unseen")
    return b.plain(point.spans)


LACKING: dict[str, Any] = {
    "unread": 5,
    "bearing": 400,
    "unread_first": START,
    "unread_last": START + timedelta(days=2),
    "unread_reasons": (("no readable time stamp", 5),),
}


@pytest.mark.parametrize("search", SEARCHES)
def test_each_search_has_its_own_title(search: str) -> None:
    titles = {one: prose.title(seen(nothing(), search=one), words()) for one in SEARCHES}
    assert len(set(titles.values())) == len(SEARCHES)
    if search != "read":
        assert titles[search] != "No misdirected mail found"
    if search in NOTHING_SEARCHED:
        assert not titles[search].startswith("No misdirected mail")


@pytest.mark.parametrize("search", NOTHING_SEARCHED)
def test_nothing_searched_is_no_answer(search: str) -> None:
    facts = seen(nothing(), search=search, **LACKING)
    assert (
        "does not say that no mail was misdirected" in lead(facts)
        and "no misdirected mail was" not in lead(facts).lower()
    )
    assert not {"would", "numbers"} & set(onepage.sections(facts))
    figures = [figure.label for figure in onepage.figures(facts, words())]
    assert "misdirected" not in figures and "records that could not be read" in figures


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing read": ({"search": "unread", "bearing": 5}, "All 5 records that may bear on deliveries"),
    "one record": ({"search": "unread", "bearing": 1}, "The one record that may bear on a delivery"),
    "no delivery": ({"deliveries": NONE}, "show no delivery"),
    "another period": ({"since": datetime(2030, 1, 1, tzinfo=UTC)}, "from 1 January 2030 on"),
    "another domain": ({"outbound": NONE, "inbound": NONE, "internal": NONE}, "that of no sender or recipient"),
    "only inbound": ({"outbound": NONE, "inbound": Number(7), "internal": NONE}, "7 came in"),
}


@pytest.mark.parametrize("name", CASES)
def test_why_nothing_could_be_searched(name: str) -> None:
    changes, says = CASES[name]
    assert says in lead(seen(nothing(), **{"search": "unweighed", **changes}))


def test_domains_without_mail_are_named_and_tokens_in_the_redacted_edition() -> None:
    facts = seen(
        nothing(), search="unweighed", outbound=NONE, inbound=NONE, internal=NONE, unseen_domains=("typo.example",)
    )
    assert "typo.example" in lead(facts) and "albion-logistics.example" in lead(facts)
    assert "example" not in lead(prose.unnamed(facts)), "forms do not name the organisation"
    assert "typo" not in lead(redact(facts, b"k" * 32)) and "albion" not in lead(redact(facts, b"k" * 32))


def test_the_first_paragraph_tells_of_a_share_or_of_a_period_that_is_touched() -> None:
    for facts in (nothing(), found()):
        said = [
            "5 of 400 records" in lead(seen(facts, **{**LACKING, **changes}))
            for changes in (
                {"search": "read", "unread_touches": False},
                {"search": "read", "unread_touches": True},
                {"search": "partly", "unread_touches": False},
            )
        ]
        assert said == [False, True, True]
        assert "5 records of 400" in unseen_point(seen(facts, **LACKING)), "page one tells of it in any case"


def test_share_and_period_stand_on_page_one() -> None:
    told = unseen_point(seen(nothing(), **LACKING))
    assert "1.2 %" in told and "20 March 2023 to 22 March 2023" in told
    told = unseen_point(seen(nothing(), **{**LACKING, "unread_first": None}))
    assert "without a time that could be read" in told
    (section,) = (one for one in map(b.plain, passages.unseen(seen(nothing(), **LACKING), words())) if "1.2 %" in one)
    assert "no readable time stamp: 5" in section


def test_only_the_commonest_reasons_stand_in_the_section() -> None:
    many = tuple((f"reason {n}", 9 - n) for n in range(8))
    told = " ".join(map(b.plain, passages.unseen(seen(nothing(), **{**LACKING, "unread_reasons": many}), words())))
    assert "reason 2" in told and "reason 3" not in told and "5 others" in told


@pytest.mark.parametrize("facts", [nothing, found])
def test_losses_stand_on_page_one_where_they_touch(facts: Callable[[], Facts]) -> None:
    losses = (
        Loss("rate limit", "mx1", START, 245, 5, "imuxsock lost 245 messages of bob@navy.mil"),
        Loss("rotated", "mx1", None, None, None, ""),
    )
    totals = (LossTotal("rate limit", 1, 245, START, START), LossTotal("rotated", 1, None, None, None))
    made_facts = seen(facts(), losses=totals, losses_first=START, losses_last=START, losses_touching=1)
    made_facts = replace(made_facts, evidence=(replace(made_facts.evidence[0], losses=losses),))
    assert "to be missing: 1 sign of it, 20 March 2023" in unseen_point(made_facts)
    assert "missing" not in unseen_point(seen(made_facts, losses_touching=0))
    # That nothing was found is not said without it.
    assert ("records of this time are missing (1 sign of it)" in lead(made_facts)) == (facts is nothing)
    assert "missing" not in lead(seen(made_facts, losses_touching=0))
    blocks = dict(document.sections(made_facts, made.context(made_facts)))["unseen"]
    said = " ".join(b.plain(item) for block in blocks if isinstance(block, b.Items) for item in block.items)
    assert "rate limit (245, by 1 sign of it) and rotated (1 sign of it)" in said
    (table,) = (block for block in blocks if isinstance(block, b.Table))
    rows = [[b.plain(cell) for cell in row] for row in table.rows]
    assert rows == [
        ["–", "mx1", "rotated", "–", "E1", "–"],
        ["2023-03-20 08:15", "mx1", "rate limit", "245", "E1", "5"],
    ]


def test_files_that_were_not_read_are_counted_and_listed() -> None:
    facts = seen(nothing(), skipped=(Skipped("ann.txt", "no known log format"),))
    assert "1 file that was handed in and not read" in unseen_point(facts)
    annex = [block for block in document.compose(facts, made.context(facts)).blocks if isinstance(block, b.Table)]
    assert any("ann.txt" in b.plain(row[0]) for table in annex for row in table.rows)


def test_an_example_is_withheld_in_the_redacted_edition() -> None:
    facts = seen(nothing(), **LACKING, unread_examples=(UnreadKind("no time", 5, "E1", 3, 99, "to=<bob@navy.mil>"),))

    def printed(one: Facts) -> str:
        tables = (block for block in document.compose(one, made.context(one)).blocks if isinstance(block, b.Table))
        return " ".join(b.plain(cell) for table in tables for row in table.rows for cell in row)

    assert "bob@navy.mil" in printed(facts)
    assert "bob" not in printed(redact(facts, b"k" * 32)) and "no time" in printed(redact(facts, b"k" * 32))


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("span", "found_in", "asked", "touches"),
    [
        ((START, START), (START + DAY, START + 2 * DAY), (None, None), False),
        ((START, START + DAY), (START + DAY, START + 2 * DAY), (None, None), True),
        ((START + 3 * DAY, None), (START + DAY, START + 2 * DAY), (None, None), False),
        ((None, None), (START, START), (None, None), True),
        ((START, START), None, (None, None), True),
        ((START, START), None, (START + DAY, None), False),
        ((START, START), None, (None, START - DAY), False),
        ((START, START), None, (START - DAY, START + DAY), True),
    ],
)
def test_what_touches_the_period_that_matters(span: Any, found_in: Any, asked: Any, touches: bool) -> None:
    assert coverage._touches(*span, found_in, asked) is touches


@pytest.mark.parametrize(
    ("counts", "weighed", "search"),
    [
        ([(100, 0)], 5, "read"),
        ([(1_000, 1)], 5, "read"),
        ([(99, 1)], 5, "partly"),
        ([(10_000, 0), (0, 1)], 5, "partly"),
        ([(100, 0)], 0, "unweighed"),
        ([(0, 0)], 0, "unweighed"),
        ([(0, 9), (0, 1)], 0, "unread"),
        ([], 0, "unweighed"),
    ],
)
def test_what_a_search_comes_to(counts: list[tuple[int, int]], weighed: int, search: str) -> None:
    (one,) = made.evidence()
    evidence: list[Evidence] = [replace(one, used=used, unread=unread, duplicates=0) for used, unread in counts]
    assert coverage._search(evidence, weighed) == search


def test_a_damaged_file_is_a_part_that_was_not_read() -> None:
    (one,) = made.evidence()
    facts = made.facts(0, evidence=(replace(one, unread=0, damage="it ends early"),))
    assert facts.coverage.search == "partly"
    assert "Only a part of evidence file E1 could be read" in lead(facts)
    assert prose.title(facts, words()).endswith("that could be read")
    # The numbers of page one and of section 4 must not read as if the file had been read to its end.
    page = " ".join(b.plain(point.spans) for point in onepage.points(facts, words()))
    assert "read in 1 evidence file, 1 of which could be read only in part" in page
    told = " ".join(b.plain(line) for line in passages.unseen(facts, words()))
    assert "in that part of the evidence which could be read is accounted for" in told
    assert "Every one of 20,000 records was read" not in told


def test_a_file_of_which_nothing_was_read_covers_no_day() -> None:
    (one,) = made.evidence()
    late = replace(one, ref="E2", used=0, duplicates=0, unread=5, first=START + 100 * DAY, last=START + 101 * DAY)
    facts = made.facts(5, evidence=(one, late))
    assert facts.coverage.last == one.last and facts.coverage.unread_files == ("E2",)
    assert "Nothing was read of evidence file E2." in lead(facts)


def test_slips_for_names_that_nothing_shows_are_among_what_could_not_be_seen() -> None:
    """Recall is of slips that could be seen; a report that prints it must say which could not."""
    for facts in (nothing(), found()):
        told = " ".join(b.plain(line) for line in passages.unseen(facts, words()))
        assert "A slip for a domain that these logs show nowhere else" in told


def test_a_time_zone_that_was_assumed_is_among_what_could_not_be_seen() -> None:
    """Stamps without a zone are read as UTC where nobody says better: every time rests on that."""
    (one,) = made.evidence()
    for basis, assumed in (
        ("time zone UTC (setting)", False),
        (f"year 2023 (date in the file's name); time zone UTC ({ASSUMED})", True),
    ):
        facts = made.facts(12, evidence=(replace(one, time_basis=basis),))
        told = " ".join(b.plain(line) for line in passages.unseen(facts, words()))
        assert ("The time zone of 1 evidence file (E1)" in told) == assumed
        assert ("UTC was assumed" in told) == assumed
