"""The questionnaire: typed, worded, written into case.toml and asked for in the terminal."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import casefile as cases
from forensics.case import Case
from forensics.casefile import CaseFile
from forensics.errors import CaseError
from forensics.report import asking
from forensics.report.facts import questionnaire
from forensics.report.text.wording import load

WORDS = load()
ENTRIES = list(questionnaire.entries())


def casefile(text: str) -> CaseFile:
    return CaseFile.model_validate(tomllib.loads(text))


def test_every_item_has_its_words_and_required_ones_name_who_demands_them() -> None:
    for entry in ENTRIES:
        assert WORDS(f"item.{entry.key}.question")
        assert f"item.{entry.key}.help" in WORDS.entries
        assert entry.ask.by or not entry.ask.required, entry.key
        for choice in entry.choices:
            assert WORDS(f"choice.{choice}")


def test_an_empty_case_toml_answers_nothing() -> None:
    fresh = casefile(asking.template())
    assert questionnaire.missing(fresh) == tuple(e.key for e in ENTRIES if e.ask.required)
    held = questionnaire.items(questionnaire.read(fresh), questionnaire.zone(fresh))
    assert not any(item.answered for item in held)
    assert fresh.questionnaire["discovery"]["aware_at"] == ""


def test_the_template_explains_every_item() -> None:
    text = asking.template()
    for entry in ENTRIES:
        assert f"\n{entry.name} = " in text
    for norm in ("GDPR Art 33(1)", "DD 2959", "ISO/IEC 27042"):
        assert norm in text
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[questionnaire.report]\nstatus = "later"', "report.status"),
        ('[questionnaire.discovery]\naware_at = "yesterday"', "discovery.aware_at"),
        ("[questionnaire.exposed]\nrecords = -1", "exposed.records"),
        ('[questionnaire.report]\nrefrence = "x"', "report.refrence"),
    ],
)
def test_a_wrong_entry_is_named(text: str, where: str) -> None:
    with pytest.raises(CaseError, match=where):
        questionnaire.read(casefile(text))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = Case(tmp_path / "case")
    cases.create(made, ["example.org"], questionnaire=asking.template())
    return made


def answering(*lines: str):  # type: ignore[no-untyped-def]
    left = list(lines)

    def read(prompt: str) -> str:
        if not left:
            raise EOFError
        return left.pop(0)

    return read


def test_ask_saves_each_answer_and_leaves_the_rest(case: Case) -> None:
    before = case.toml.read_text("utf-8")
    said: list[str] = []
    asked = asking.ask(case, read=answering('No. "7"\\', "wrong", "initial", "", "."), tell=said.append)
    assert asked.saved == ("report.reference", "report.status")
    assert (asked.answered, asked.required) == (2, len([e for e in ENTRIES if e.ask.required]))
    held = questionnaire.read(cases.read(case))
    assert held.report.reference == 'No. "7"\\'
    assert held.report.status == "initial"
    assert any("will not do" in line for line in said)
    changed = [line for line in case.toml.read_text("utf-8").splitlines() if line not in before.splitlines()]
    assert len(changed) == 2, "only the two answers were touched"


def test_ask_sets_question_and_help_apart(case: Case) -> None:
    said: list[str] = []
    prompts: list[str] = []

    def read(prompt: str) -> str:
        prompts.append(prompt)
        return "." if len(prompts) == 2 else ""

    asking.ask(case, read=read, tell=said.append)
    assert (
        said[0] == "41 questions are open. Enter leaves one for later; a full stop ends. Each answer is saved at once."
    )
    assert said[1] == "\nThis report\n───────────"
    assert said[2:6] == [
        "",
        "1/41  Case reference",
        "     Your own file number.",
        "     required; demanded by ISO/IEC 27042, ICO form, DD 2959",
    ]
    assert "     one of: initial, follow-up, final" in said
    assert prompts == ["   > ", "   > "]


def test_ask_reads_times_counts_and_lists(case: Case) -> None:
    by = {
        "discovery.aware_at": "2024-01-04T09:15:00Z",
        "exposed.records": "1,200",
        "exposed.subject_categories": "employees; contractors",
        "report.title": "A title",
    }
    lines = iter([by.get(e.key, "") for e in ENTRIES])
    asking.ask(case, everything=True, read=lambda _: next(lines), tell=lambda _: None)
    held = questionnaire.read(cases.read(case))
    assert held.discovery.aware_at is not None
    assert held.exposed.records == 1200
    assert held.exposed.subject_categories == ("employees", "contractors")
    assert held.report.title == "A title"


def test_ask_refuses_to_touch_what_it_does_not_understand(case: Case) -> None:
    case.toml.write_text('[questionnaire]\nreport = { title = "x" }\n', "utf-8")
    before = case.toml.read_bytes()
    with pytest.raises(CaseError, match=r"report\.reference"):
        asking.ask(case, read=answering("A-1"), tell=lambda _: None)
    assert case.toml.read_bytes() == before


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_text_can_be_an_answer(value: str) -> None:
    text = asking.put(asking.template(), "questionnaire.measures", "taken", asking.quoted(value))
    assert tomllib.loads(text)["questionnaire"]["measures"]["taken"] == value
