"""Hidden characters are shown, nothing is lost."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report.text.visible import cut, original, visible

ANY = st.text(st.characters(), max_size=200)


@given(ANY)
def test_nothing_is_lost(text: str) -> None:
    assert original(visible(text)) == text


@given(ANY)
def test_nothing_stays_hidden(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]
    assert shown.encode("utf-8").decode("utf-8") == shown


@given(ANY)
def test_escapes_in_the_value_itself_come_back(text: str) -> None:
    literal = visible(text)
    assert original(visible(literal)) == literal


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain #{}$`<b>", "plain #{}$`<b>"),
        ("a\x00b\tc\r\nd", r"a\u{0}b\u{9}c\u{d}\u{a}d"),
        ("\u202egpj.exe", r"\u{202e}gpj.exe"),
        ("half \ud800 pair", r"half \u{d800} pair"),
        ("no\u00a0break\u3164", r"no\u{a0}break\u{3164}"),
        ("DOMAIN\\user", "DOMAIN\\user"),
        ("\\u{41}", r"\u{5c}u{41}"),
        ("Zoë 中", "Zoë 中"),
    ],
)
def test_known_values(raw: str, shown: str) -> None:
    assert visible(raw) == shown


def test_what_a_font_lacks_is_escaped() -> None:
    assert visible("é中", {ord("é")}) == r"é\u{4e2d}"
    assert visible("\u212a", {0x212A}) == r"\u{212a}"


def test_a_cut_says_so() -> None:
    assert cut("x" * 65536, 300) == "x" * 300 + "… [first 300 of 65,536 characters]"
    assert cut("short", 300) == "short"
