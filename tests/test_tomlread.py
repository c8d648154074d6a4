"""What people's editors and slips make of case.toml is told in their words, never as a traceback."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import casefile, tomlread
from forensics.case import Case
from forensics.custody import statement
from forensics.errors import CaseError


@pytest.fixture
def case(tmp_path: Path) -> Case:
    made = Case(tmp_path / "case")
    casefile.create(made, ["albion.example"])
    return made


SAVED = {
    "UTF-8 with a mark": (lambda raw: b"\xef\xbb\xbf" + raw, "byte order mark"),
    "UTF-16": (lambda raw: raw.decode().encode("utf-16"), "it is UTF-16"),
    "Windows-1252": (lambda raw: raw.replace(b'name = ""', b'name = "M\xfcller"'), "byte 0xfc in line 7 is no UTF-8"),
    "carriage returns": (lambda raw: raw.replace(b"\n", b"\r"), "carriage return alone"),
    "typographic quotes": (
        lambda raw: raw.replace(b'name = ""', "name = “Albion”".encode()),
        "(at line 7, column 8): text stands in quotes",
    ),
}


@pytest.mark.parametrize("saved", SAVED)
def test_how_it_was_saved_is_told(saved: str, case: Case) -> None:
    change, says = SAVED[saved]
    case.toml.write_bytes(change(case.toml.read_bytes()))
    with pytest.raises(CaseError) as found:
        casefile.read(case)
    assert says in found.value.what
    assert found.value.remedy


def test_line_ends_of_windows_are_read(case: Case) -> None:
    before = casefile.read(case)
    case.toml.write_bytes(case.toml.read_bytes().replace(b"\n", b"\r\n"))
    assert casefile.read(case) == before


SAID = {
    'domain = ["a.example"]': "organisation.domain: there is no such key; `domains` is meant?",
    "domains = 'a.example'": 'organisation.domains: a list is expected, such as ["one", "two"]',
    "name = 5": "organisation.name: text in quotes is expected",
    'timezone = "BST"': "organisation.timezone: 'BST' is no zone: an IANA name is expected, such as Europe/London",
    'timezone = "localtime"': "organisation.timezone: 'localtime' is no zone",
    'timezone = ""': "organisation.timezone: '' is no zone",
    'timezone = "../x"': "organisation.timezone: '../x' is no zone",
}


@pytest.mark.parametrize("line", SAID)
def test_what_it_says_wrong_is_told(line: str, case: Case) -> None:
    case.toml.write_text(f"[organisation]\n{line}\n")
    with pytest.raises(CaseError) as found:
        casefile.read(case)
    assert SAID[line] in found.value.what
    assert "Input should" not in found.value.what and "Value error" not in found.value.what


OTHER = {
    "[organization]\n": "organization: there is no such key; `organisation` is meant?",
    '[sources]\nfile = "x"\n': "sources: is written [[…]], with two brackets",
    '[[sources]]\nfile = "x"\nyear = "soon"\n': "sources.0.year: a whole number is expected",
    '[[sources]]\nfile = "x"\nyear = 24\n': "sources.0.year",
    '[[sources]]\nfile = "x"\ntimezone = "CEST"\n': "sources.0.timezone: 'CEST' is no zone",
    "[[sources]]\nyear = 2024\n": "sources.0.file: is not said",
    '[domains]\njurisdictions_of_concern = ["Mali"]\n': "'Mali' is no code of ISO 3166",
    "organisation = 5\n": "organisation: is a table",
}


@pytest.mark.parametrize("text", OTHER)
def test_what_other_tables_say_wrong_is_told(text: str, case: Case) -> None:
    case.toml.write_text(text)
    with pytest.raises(CaseError) as found:
        casefile.read(case)
    assert OTHER[text] in found.value.what


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_read_as_the_standard_library_does_or_refused_in_words(raw: bytes) -> None:
    try:
        found = tomlread.parsed(raw)
    except tomlread.Unreadable as error:
        assert str(error) and error.remedy
    else:
        assert found == tomllib.loads(raw.decode("utf-8"))
        assert statement._keys(raw).keys() == {key for key, _ in statement._flat(found)}
