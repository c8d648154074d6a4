"""Released texts: whatever names an address, a host or a person goes, however it is written; words stay whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import domains
from forensics.report.facts import people
from forensics.report.redaction import Tokens
from forensics.report.text import personal
from forensics.report.text.scrubbing import scrubber
from tests.report import made

TOKENS = Tokens(bytes(range(32)), ["example.org"], told=["mli"])
ADDRESSES = (
    "Ann.O'Neil@Sub.Example.ORG",
    '"john doe"@navy.ml',
    "bob@xn--mnchen-3ya.ml",
    "ann@example.org",
    "ıſ@navy.ml",
)
DOMAINS = ("navy.ml", "xn--mnchen-3ya.ml", "sub.example.org", "navy.mli")
KNOWN = {one: TOKENS.address(one) for one in ADDRESSES}
KNOWN |= {domains.parts(one)[0]: TOKENS.token("person", domains.key(one)) for one in ADDRESSES}
KNOWN |= {one: TOKENS.domain(one) for one in DOMAINS} | {"münchen.ml": TOKENS.domain("xn--mnchen-3ya.ml")}
KNOWN |= {"gw1": TOKENS.other("server", "gw1"), "2001:db8::5": TOKENS.other("network-address", "2001:db8::5")}
PEOPLE = people.remover(
    {word: TOKENS.token("person", domains.key(one)) for one in ADDRESSES for word in people.single(one.split("@")[0])},
    {form: TOKENS.token("person", domains.key(one)) for one in ADDRESSES for form in people.forms(one.split("@")[0])},
)
SCRUB = scrubber(KNOWN, TOKENS.host, PEOPLE)


@pytest.mark.parametrize(
    "text",
    [
        "NAVY[.]ml", "navy (dot) ml", "navy{.}ml", "navy。ml", "navy．ml", "na\u200bvy.ml", "_navy.ml_", "x.navy.ml",
        "https://navy.ml:8443/login", "navy.ml.", "navy.mli", "(navy.ml)", "mailto:x@navy.ml", "ſub.example.org",
        "münchen.ml", "mu\u0308nchen.ml", "XN--MNCHEN-3YA.ML", "MÜNCHEN[.]ML", "ann.o'neil@SUB.example.org",
        "ann.o’neil+news@navy.ml", "Ann O’Neil", "O'Neil's", "Oneal-Neil", '"JOHN DOE"@navy.ml', '"jane neil"@unknown.org',
        "bob@other.navy", "bob (at) navy [dot] ml", "bob＠navy.ml", "a/neil=c@x.navy", "neil!x@[192.0.2.77]", "GW1",
        "192.0.2.77", "2001:DB8::5", "2001:db8::77", "::ffff:192.0.2.77", "laptop-of-neil.unknown.co.uk", "İ@navy.ml",
    ],
)  # fmt: skip
def test_what_is_known_or_has_its_form_goes(text: str) -> None:
    for around in ("{}", "told {} of it", "«{}», then", "{}\n"):
        said = SCRUB(around.format(text)).lower()
        for raw in (
            "navy",
            "nchen",
            "neil",
            "doe",
            "jane",
            "bob",
            "unknown",
            "gw1",
            "192.0.2",
            "db8",
            "laptop",
            "ub.ex",
        ):
            assert raw not in said, (around, text, said)


@pytest.mark.parametrize(
    "text",
    [
        "It was planned by an annual banner, gw12 and all.", "At 16:41:00 on 2024-01-01, 3.5 % (e.g. 12.000).",
        "See report.pdf, Annex B; .mil, .ml and co.uk were confused.", "Version 1.2.3.4.5 of it", "", "a@ b, @c, x::y",
    ],
)  # fmt: skip
def test_other_words_stay_as_they_are(text: str) -> None:
    assert SCRUB(text) == text


@pytest.mark.parametrize(
    "text",
    [
        '"jane roe"@unknown.org',
        "jane(at)roe[.]example",
        "a/jane=c@roe.org",
        "jane＠roe．org",
        "JANE@[192.0.2.7]",
        "ja\u00adne@roe.org",
    ],
)
def test_answer_sheets_lose_the_same_addresses(text: str) -> None:
    assert personal.remover(made.facts(1), "T")(f"told {text} of it") == "told T of it"


def test_one_value_is_one_token_in_every_spelling() -> None:
    token = TOKENS.domain("navy.ml")
    assert SCRUB("navy.ml NAVY.ML navy[.]ml") == " ".join([token] * 3)
    assert SCRUB("mail.navy.ml") == TOKENS.domain("mail.navy.ml"), "a host that the case does not know has its own"


@given(st.text(st.sampled_from("nay.vm l@[]()'’\"ıſ:-_+\u200b") | st.characters(max_codepoint=0x2FF), max_size=60))
def test_any_text_is_scrubbed_to_one_that_holds_none_of_it(text: str) -> None:
    said = SCRUB(text).lower()
    assert "navy.ml" not in said and "sub.example.org" not in said
    assert "navy.ml" not in SCRUB(f"{text} navy[.]ml").lower()
