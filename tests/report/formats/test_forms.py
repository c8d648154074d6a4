"""Forms: nothing is declared for anybody, every piece of evidence has its sheet, quotes are the records' bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from forensics.custody import quote
from forensics.errors import UsageError
from forensics.report import writing
from forensics.report.facts import Facts
from forensics.report.formats import forms
from forensics.report.text.context import Quoted
from tests.report import made


def written(facts: Facts, quotes: dict[tuple[str, int], Quoted] | None = None) -> dict[str, str]:
    context = replace(made.context(facts), quotes=quotes)
    return {name: text.decode() for name, text in forms.render(facts, context).items()}


def test_the_declaration_leaves_every_statement_to_who_signs() -> None:
    text = written(made.facts(10))["declaration.txt"]
    assert "Name: R. Examiner" in text
    statements = [line for line in text.split("\n") if "that " in line and line.startswith("[")]
    assert len(statements) == 6
    assert all(line.startswith("[ ] that ") for line in statements)
    assert "7 of 20,000 records could not be read" in text
    assert "Signature: ____" in text


def test_what_nobody_answered_is_open() -> None:
    text = written(made.facts(1, case=made.casefile(questionnaire={})))["declaration.txt"]
    assert "Name: [NOT YET ANSWERED: Author]" in text


def test_every_piece_of_evidence_has_a_sheet_to_sign() -> None:
    facts = made.facts(3)
    text = written(facts)["chain-of-custody.txt"]
    for one in facts.evidence:
        assert f"EVIDENCE {one.ref}" in text
        assert one.file_sha256 in text
    assert text.count("Given by (name, signature)") == forms.HAND_OVERS * len(facts.evidence)
    assert "How it was acquired: [NOT STATED in case.toml]" in text


def test_quotes_are_the_bytes_as_they_stand() -> None:
    facts = made.facts(3)
    raw = b"Mar 20 08:15:00 mx1 postfix: \x1b[31mto=<a@navy.ml> \xff\n"
    number = facts.findings[0].records[0].number
    text = written(facts, {("E1", number): Quoted(1234, raw, quote.text(raw))})["extract.txt"]
    assert (
        f"E1 record {number}, byte 1234 of the content, {len(raw)} bytes, SHA-256 {hashlib.sha256(raw).hexdigest()}"
        in text
    )
    assert "\\u{1b}[31mto=<a@navy.ml> \\xff" in text
    assert text.count("not quoted: the evidence was not at hand") == 2


def test_a_record_of_utf_16_is_quoted_as_it_reads_and_digested_as_it_stands() -> None:
    """Exchange Online's historical search: every second byte is NUL."""
    facts = made.facts(1)
    raw = '"2023-06-01T07:35:05Z","jtaylor7@navy.ml"\r\n'.encode("utf-16-le")
    at = ("E1", facts.findings[0].records[0].number)
    text = written(facts, {at: Quoted(40, raw, quote.text(raw, "utf-16-le"))})["extract.txt"]
    assert '    "2023-06-01T07:35:05Z","jtaylor7@navy.ml"\n' in text
    assert hashlib.sha256(raw).hexdigest() in text


def test_the_declaration_names_what_was_read_only_in_part_and_days_without_logs() -> None:
    """Who signs "0 of 170 records could not be read" must not sign for what lies behind the damage."""
    facts = made.facts(10)
    whole = written(facts)["declaration.txt"]
    assert "only a part" not in whole
    assert "days without a delivery in a server's log: " in whole
    torn = replace(facts, evidence=tuple(replace(e, damage="cut off at byte 2,028") for e in facts.evidence))
    assert "Of 1 evidence file only a part could be read: E1." in written(torn)["declaration.txt"]


def test_they_do_not_exist_in_the_redacted_edition() -> None:
    with pytest.raises(UsageError, match="does not exist in the redacted edition"):
        writing.chosen("forms", "redacted")
