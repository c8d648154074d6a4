"""Answer sheets hold what the form asks, no personal data, and never more than its fields take."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report.facts import Facts, regimes
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
    assert answer(text, "How many data subjects could be affected?") == "12"


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
    assert set(made_sheets) == {f"{form}.txt" for form in answers.UNNAMED}
    assert "No misdirected mail was found." in made_sheets["ico.txt"]


REGIMES: list[dict[str, object]] = [
    {"regime": "uk-gdpr"},
    {"regime": "us-dod", "events": {"us_cert": "2023-04-03T10:00:00+00:00"}},
]


def of_regimes(chosen: list[dict[str, object]]) -> dict[str, str]:
    return sheets(made.facts(10, case=made.casefile(questionnaire={**made.QUESTIONNAIRE, "regimes": chosen})))


def test_one_sheet_for_each_regime_that_applies() -> None:
    found = of_regimes(REGIMES)
    assert list(found) == ["uk-gdpr.txt", "us-dod.txt"]
    assert "- Notify the Commissioner (Art. 33(1)): 6 April 2023, 14:30 UTC" in found["uk-gdpr.txt"]
    assert answer(found["us-dod.txt"], "1.c Date reported to US-CERT").startswith("3 April 2023, 10:00 UTC")
    heading = "Had the staff member involved received data protection training in the last two years?"
    assert answer(found["uk-gdpr.txt"], heading) == "NOT YET ANSWERED"


def test_every_regime_has_a_sheet() -> None:
    names = list(regimes.load())
    found = of_regimes([{"regime": name} for name in names])
    assert list(found) == [f"{name}.txt" for name in names]
    for name, regime in regimes.load().items():
        assert answers.fields(regime.sheet, made.context(made.facts(1)).words), name


@pytest.mark.parametrize("form", answers.FORMS)
def test_no_question_is_repeated_inside_an_answer(form: str) -> None:
    facts = made.facts(10)
    words = made.context(facts).words
    text = answers.sheet(form, facts, words)
    questions = [words(f"item.{item.key}.question") for item in facts.questionnaire.items]
    for key in answers.fields(form, words):
        said = answer(text, words(f"answers.{form}.{key}"))
        assert not [question for question in questions if question in said and len(question) > 12], key


def test_what_the_form_lists_is_a_list() -> None:
    text = of_regimes([{"regime": "gdpr"}])["gdpr.txt"]
    assert answer(text, "Categories of data subjects (Art. 33(3)(a))") == "- employees\n- contractors"
