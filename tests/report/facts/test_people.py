"""Names in free text: found by the addresses that the case knows; roles are none; what is left is listed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from forensics.report import redaction
from forensics.report.facts import Facts, people
from forensics.report.formats import answers
from forensics.report.text import blocks as b
from forensics.report.text import document, grids, personal
from forensics.report.text.wording import load
from tests.report import made

WORDS = load()
SAID = (
    "Omar Boyd and Kit Ellis typed the addresses; Boyd, O., told the Press office. Boyd's team and J. Taylor knew. "
    "Zelda Quux was told by the Head of service in May."
)


def facts(**more: Any) -> Facts:
    """Senders omar.boyd and kit.ellis, recipient jtaylor7, and text that names them."""
    questionnaire = {
        **made.QUESTIONNAIRE,
        "account": {"what_happened": SAID, "cause": "Typing slips of Mr Ellis."},
        "release": ["account.what_happened", "account.cause", "statements", "actions"],
    } | more
    told = made.facts(30, case=made.casefile(questionnaire=questionnaire))
    senders = ("omar.boyd@albion-logistics.example", "kit_ellis@albion-logistics.example",
               "press.office@albion-logistics.example")  # fmt: skip
    found = tuple(replace(x, sender=senders[n % 3]) for n, x in enumerate(told.findings))
    return replace(told, findings=found)


def test_names_that_addresses_tell_are_replaced_in_released_texts() -> None:
    redacted = redaction.redact(facts(), b"k" * 32)
    told = redacted.questionnaire["account.what_happened"].answer or ""
    for name in ("Omar", "Boyd", "Kit", "Ellis", "Taylor"):
        assert name not in told
    assert "Ellis" not in (redacted.questionnaire["account.cause"].answer or "")
    assert "Press office" in told and "Head of service" in told and "in May" in told
    tokens = set(re.findall(r"person-[0-9a-f]+", told))
    assert len(tokens) == 3, "the same person has the same token"


def test_names_that_nobody_can_know_are_listed_to_be_cleared() -> None:
    redacted = redaction.redact(facts(), b"k" * 32)
    listed = redaction.to_clear(redacted)
    assert listed["account.what_happened"] == ("Zelda", "Quux")
    assert not any("Boyd" in words for words in listed.values())


def test_sheets_without_personal_data_name_nobody_that_addresses_tell() -> None:
    for form in ("ico", "art33"):
        sheet = answers.sheet(form, facts(), WORDS)
        for name in ("Omar", "Boyd", "Ellis", "Taylor"):
            assert name not in sheet
        assert "Press office" in sheet
        assert "Zelda, Quux" in sheet.rpartition("Clear each before you send")[2]


def test_roles_stay_and_names_go() -> None:
    redacted = redaction.redact(facts(), b"k" * 32)
    assert redacted.questionnaire.actions[0].owner == "Head of service"
    assert redacted.statements[0].made_by == "Press office"
    assert redacted.header.author is not None and redacted.header.author.startswith("name-")


@pytest.mark.parametrize("text", ["Ministry of Defence", "Omar Boyd, press office", "Albion office"])
def test_who_can_be_told_is_no_role(text: str) -> None:
    assert not people.is_role(text)


def test_an_organisation_that_is_called_like_an_office_stays_hidden() -> None:
    made_facts = made.renamed(facts(), organisation="Treasury")
    told = redaction.redact(replace(made_facts, statements=tuple(
        replace(one, made_by="Treasury press office") for one in made_facts.statements
    )), b"k" * 32)  # fmt: skip
    assert told.header.organisation.startswith("name-")
    assert all(one.made_by and one.made_by.startswith("name-") for one in told.statements)


def test_an_office_is_nobody() -> None:
    for local in ("press.office", "hr", "ops-desk", "info2"):
        assert not people.parts(local) and not list(people.forms(local)) and not list(people.single(local))


def test_ordinary_words_stay_though_somebody_bears_them() -> None:
    remove = people.remover(dict.fromkeys(people.single("may.grant"), "X"), {})
    assert remove("In May they may grant it; Grant did.") == "In May they may grant it; X did."


def test_what_is_withheld_keeps_its_meaning() -> None:
    """Statements say what kind of claim they are, reasons what their kind weighs."""
    redacted = redaction.redact(facts(release=[]), b"k" * 32)
    said = " ".join(b.plain(cell) for row in grids.statements(redacted, WORDS).rows for cell in row)
    assert "[withheld: a claim that no more than 5 messages were misdirected]" in said
    assert "not tested" in said
    told = document.compose(redacted, made.context(redacted))
    assert any(isinstance(block, b.Table) for block in told.blocks)


def test_the_remover_of_sheets_keeps_offices() -> None:
    remove = personal.remover(facts(), "[gone]")
    assert remove("omar boyd, Boyd and O. Boyd; the press office") == "[gone], [gone] and [gone]; the press office"
