"""Answer sheets hold what the form asks, no personal data, and never more than its fields take."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report.facts import Facts
from forensics.report.formats import answers
from forensics.report.formats.answers import WORD_CAP, capped
from forensics.report.text import personal
from tests.report import made


def sheets(facts: Facts) -> dict[str, str]:
    return {name: text.decode() for name, text in answers.render(facts, made.context(facts)).items()}


def answer(text: str, heading: str) -> str:
    """What stands below a heading: the answer, and the note about its words."""
    after = text.split(heading + "\n" + "-" * len(heading) + "\n")[1]
    return after.split("\n\n\n")[0]


def test_unanswered_items_say_so() -> None:
    text = sheets(made.facts(10))["ico.txt"]
    assert answer(text, "Measures in place before the breach") == "NOT YET ANSWERED"
    assert answer(text, "How many data subjects could be affected?") == "Data subjects: 12."


def test_no_personal_data() -> None:
    facts = made.facts(60, verdicts=[made.CONFIRM])
    told = [x.sender for x in facts.findings] + [x.recipient for x in facts.findings]
    told += ["R. Examiner", "dpo@albion-logistics.example", "+44 20 7946 0000", "h.grant", "Head of service"]
    for name, text in sheets(facts).items():
        for value in told:
            assert value.lower() not in text.lower(), (name, value)
        assert "@" not in text, name


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Ask h.grant@x.example.", "Ask T."),
        ("server 192.0.2.7 said so", "server T said so"),
        ("call +44 20 7946 0018 now", "call T now"),
        ("on 2023-04-05 at 10:00, 36 of 1,000", "on 2023-04-05 at 10:00, 36 of 1,000"),
        ("seen by R. EXAMINER himself", "seen by T himself"),
    ],
)
def test_what_names_a_person_is_taken_out(text: str, left: str) -> None:
    assert personal.remover(made.facts(1), "T")(text) == left


@given(st.lists(st.text(st.characters(whitelist_categories=["Ll"]), min_size=1, max_size=8), max_size=400))
def test_the_cap_holds(parts: list[str]) -> None:
    text = " ".join(part + ("." if n % 17 == 0 else "") for n, part in enumerate(parts))
    kept, n, total = capped(text)
    assert n == len(kept.split()) <= WORD_CAP
    assert total == len(text.split())
    assert text.startswith(kept)


def test_dd2959_fields_hold_150_words() -> None:
    long = "The mail gateway accepted what senders typed. " * 60
    questionnaire = {**made.QUESTIONNAIRE, "account": {"what_happened": long, "cause": "Slips."}}
    questionnaire["measures"] = {"taken": long, "planned": long}
    text = sheets(made.facts(10, case=made.casefile(questionnaire=questionnaire)))["dd2959.txt"]
    for item in ("2.a Description of breach (up to 150 words)", "2.b Actions taken in response"):
        heading = next(line for line in text.split("\n") if line.startswith(item))
        said, note = answer(text, heading).rsplit("\n\n", 1)
        assert 100 < len(said.split()) <= WORD_CAP
        assert said.endswith(".")
        assert re.fullmatch(r"\(\d+ of at most 150 words; shortened from \d+: .+\)", note.strip())


def test_every_form_is_made_also_when_nothing_was_found() -> None:
    made_sheets = sheets(made.facts(0))
    assert set(made_sheets) == {f"{form}.txt" for form in answers.FORMS}
    assert "No misdirected mail was found." in made_sheets["ico.txt"]
