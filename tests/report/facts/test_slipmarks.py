"""The slip letter by letter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.report.facts import places, slipmarks
from forensics.report.text import prose
from forensics.report.text.wording import load

WORDS = load()
NAME = st.text("abcdefgh.-", max_size=14)


@given(NAME, NAME)
def test_the_pieces_spell_both_names(typed: str, meant: str) -> None:
    pieces = slipmarks.segments(typed, meant)
    if pieces:
        assert "".join(p.typed for p in pieces) == typed
        assert "".join(p.meant for p in pieces) == meant
        assert all((p.kind == "same") == (p.typed == p.meant) for p in pieces)


@pytest.mark.parametrize(
    ("typed", "meant", "words"),
    [
        ("navy.ml", "navy.mil", "the letter “i” left out of .mil"),
        ("nvay.mil", "navy.mil", "“a” and “v” exchanged in navy.mil"),
        ("contoso-marine.co", "contoso-marine.co.uk", "“.uk” left out of .co.uk"),
        ("usaf.mil", "us.af.mil", "a dot left out of us.af.mil"),
        ("northwindaero.com", "northwind-aero.com", "the hyphen left out of northwind-aero.com"),
        ("albion-defense.uk", "albion-defence.uk", "“s” instead of “c” in albion-defence.uk"),
        ("navyy.mil", "navy.mil", "a letter “y” too many in navy.mil"),
        ("navy.mli", "navy.mil", "“i” and “l” exchanged in .mil"),
        ("something.else", "navy.mil", "another spelling"),
    ],
)
def test_slips_in_words(typed: str, meant: str, words: str) -> None:
    assert prose.slip(WORDS, slipmarks.slip("none-such", typed, meant)) == words


@pytest.mark.parametrize(
    ("typed", "meant", "inside"),
    [
        ("navy.ml", "navy.mil", True),
        ("a.co", "a.co.uk", True),
        ("nvay.mil", "navy.mil", False),
        ("navy.mli", "navy.mil", True),
    ],
)
def test_what_lies_in_the_suffix(typed: str, meant: str, inside: bool) -> None:
    assert slipmarks.in_suffix(slipmarks.slip("x", typed, meant)) == inside


def test_countries_by_suffix() -> None:
    assert places.name(places.country("ml")) == "Mali"
    assert places.name(places.country("uk")) == "United Kingdom"
    assert places.name(places.country("eu")) == "European Union"
    assert places.country("xn--p1ai") == "RU"
    assert places.country("zz") is None
    assert places.country("mli") is None
