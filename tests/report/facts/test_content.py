"""What logs show of content, and which answers it puts in question."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report import redaction
from forensics.report.facts import Facts, content
from forensics.report.text import blocks as b
from forensics.report.text import content as text
from forensics.report.text.wording import load
from tests.report import made

WORDS = load()


def facts(subjects: tuple[str, ...] = (), /, **questionnaire: Any) -> Facts:
    return made.facts(8, subjects, case=made.casefile(questionnaire={**made.QUESTIONNAIRE, **questionnaire}))


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("OFFICIAL-SENSITIVE: berthing plan", ("OFFICIAL SENSITIVE",)),
        ("Re: Official – Sensitive", ("OFFICIAL SENSITIVE",)),
        ("[OFFICIAL] minutes", ("OFFICIAL",)),
        ("official visit of the mayor", ()),
        ("Our secret santa", ()),
        ("top secret annex", ("TOP SECRET",)),
        ("NATO SECRET//REL", ("NATO SECRET",)),
        ("nato restricted", ("NATO RESTRICTED",)),
        ("UNCLASSIFIED//FOR OFFICIAL USE ONLY", ("UNCLASSIFIED", "FOR OFFICIAL USE ONLY")),
        ("CUI: fuel plan", ("CUI",)),
        ("très secret UE", ("TRES SECRET UE",)),
        ("RESTREINT UE/EU RESTRICTED", ("RESTREINT UE", "EU RESTRICTED")),
        ("UNOFFICIAL note, SECRETARY", ()),
        # Characters that show nothing hide no marking.
        ("SEC\u200bRET plan", ("SECRET",)),
        ("ＳＥＣＲＥＴ plan", ("SECRET",)),
        ("", ()),
    ],
)
def test_markings(subject: str, found: tuple[str, ...]) -> None:
    assert content.markings(subject) == found


@given(st.text(max_size=80), st.sampled_from(content.standard_markings()), st.text(max_size=80))
def test_a_marking_that_stands_alone_is_always_found(before: str, marking: str, after: str) -> None:
    found = content.markings(f"{before} | {marking} | {after}")
    assert any(marking in one or one in marking for one in found)


def test_a_long_subject_takes_no_time_and_is_searched_from_its_beginning() -> None:
    assert content.markings("SECRET " + "TOP " * 60_000) == ("SECRET",)


def test_counts_name_their_deliveries() -> None:
    made_facts = facts(("OFFICIAL-SENSITIVE: payroll", "OFFICIAL-SENSITIVE: sick leave", "plain", "SECRET"))
    by = {(one.group, one.kind): one for one in made_facts.content.mentions}
    assert by["marking", "OFFICIAL SENSITIVE"].deliveries.deliveries == ("d000000", "d000001")
    assert by["special", "health"].words == ("sick leave",)
    assert by["risk", "pay"].deliveries.value == 1
    refused = [finding for finding in made_facts.findings if finding.subject == "SECRET"]
    assert by["marking", "SECRET"].accepted.value == sum(finding.exposure == "exposed" for finding in refused)
    assert made_facts.content.with_subject.value + made_facts.content.without_subject.value == 8


def test_words_of_the_cases_own() -> None:
    own = {"markings": ["ALBION PRIVATE"], "special": ["clinic"], "risk": ["keel"]}
    made_facts = facts(("Albion-Private: keel", "the clinic"), content=own)
    found = {(one.group, one.own) for one in made_facts.content.mentions if one.own}
    assert found == {("marking", "ALBION PRIVATE"), ("special", "clinic"), ("risk", "keel")}
    redacted = redaction.redact(made_facts, b"k" * 32)
    shown = " ".join(b.plain(text.label(one, WORDS)) for one in redacted.content.mentions)
    assert "ALBION" not in shown
    assert "keel" not in shown
    assert redacted.content.bytes_total is None


@pytest.mark.parametrize(
    ("exposed", "basis"),
    [
        ({"marking": "none"}, ["marking-none"]),
        ({"marking": "No marking."}, ["marking-none"]),
        ({"marking": "One OFFICIAL-SENSITIVE message"}, ["marking-count"]),
        ({"marking": "OFFICIAL"}, ["marking-higher"]),
        ({"marking": "OFFICIAL-SENSITIVE, three messages"}, []),
        ({"marking": "SECRET"}, []),
        ({"special_categories": "no"}, ["words"]),
        ({"special_categories": "yes"}, []),
        ({"credentials": "no"}, []),
        ({"what_was_exposed": "Nothing."}, ["accepted"]),
    ],
)
def test_answers_that_the_logs_put_in_question(exposed: dict[str, str], basis: list[str]) -> None:
    subjects = ("OFFICIAL-SENSITIVE: a", "OFFICIAL-SENSITIVE: sick leave", "OFFICIAL-SENSITIVE: c")
    made_facts = facts(subjects, exposed=exposed)
    assert [one.basis for one in made_facts.content.contrasts] == basis


def test_what_is_printed_says_which_findings() -> None:
    made_facts = facts(("OFFICIAL-SENSITIVE: a",), exposed={"marking": "none"})
    printed = [
        b.plain(item) for block in text.section(made_facts, WORDS) if isinstance(block, b.Items) for item in block.items
    ]
    assert printed == [
        "“Classification or protective marking” is answered “none”. The logs show 1 delivery whose subject bears "
        "OFFICIAL SENSITIVE. See F1."
    ]


def test_without_subjects_nothing_is_said_to_be_absent() -> None:
    made_facts = made.facts(0)
    assert text.brief(made_facts, WORDS) == ()
