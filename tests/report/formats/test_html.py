"""The page as text: self-contained, escaped, the same bytes each time."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

from forensics.report.facts import Facts
from forensics.report.formats import html
from forensics.report.text.blocks import Span
from tests.report import made

FACTS = made.facts(40, made.HOSTILE, verdicts=[made.CONFIRM])


def page(facts: Facts = FACTS) -> str:
    return html.render(facts, made.context(facts)).decode()


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def elements(facts: Facts = FACTS) -> Elements:
    parser = Elements()
    parser.feed(page(facts))
    return parser


def test_only_the_named_script_may_run() -> None:
    text = page()
    script = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    policy = next(a["content"] for tag, a in elements().found if tag == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-")
    assert f"'sha256-{digest}'" in policy


def test_the_policy_comes_before_anything_it_must_hold() -> None:
    tags = [tag for tag, _ in elements().found]
    assert tags.index("meta") < tags.index("style") < tags.index("body")
    assert tags[:4] == ["html", "head", "meta", "meta"]


def test_no_element_or_attribute_comes_from_a_value() -> None:
    friendly = {tag for tag, _ in elements(made.facts(40, verdicts=[made.CONFIRM])).found}
    hostile = elements()
    assert {tag for tag, _ in hostile.found} <= friendly
    for tag, attributes in hostile.found:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("href", "src"):
            value = attributes.get(name)
            assert value is None or value.startswith("#"), value


def test_nothing_points_outside() -> None:
    assert not re.findall(r"(?:url\(|@import|src=|href=)[\"']?(?!#)(?:https?:|//)", page(made.facts(40)))


def test_no_control_or_bidi_character_is_left() -> None:
    left = set(re.findall(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", page()))
    assert left == set()


def test_every_finding_is_listed_with_its_reasons() -> None:
    text = page()
    for finding in FACTS.findings:
        assert f'id="{finding.ref}"' in text
    assert text.count('<ul class="why">') == len(FACTS.findings)


def test_beyond_a_number_the_page_says_where_reasons_are(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(html, "DETAILED", 10)
    text = page()
    assert 0 < text.count('<ul class="why">') <= 10
    assert "incident.json and findings.csv" in text
    assert text.count("<tr><td class=r data-k=") == len(FACTS.findings)


def test_the_same_facts_give_the_same_bytes_wherever_they_are_set() -> None:
    code = (
        "from tests.report import made; from forensics.report.formats import html; import hashlib;"
        "f = made.facts(40, verdicts=[made.CONFIRM]);"
        "print(hashlib.sha256(html.render(f, made.context(f))).hexdigest())"
    )
    digests = set()
    for seed, zone, language in (("0", "UTC", "C"), ("7", "Pacific/Auckland", "de_DE.UTF-8")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        digests.add(done.stdout)
    assert len(digests) == 1


def test_css_strings_hold_anything() -> None:
    assert html.css_string('a"\\}\n') == '"a\\22 \\5c \\7d \\5c u\\7b a\\7d "'


def test_spans_escape_whatever_they_hold() -> None:
    assert html.spans((Span("exposed", "<b>&"),)) == '<strong class="x">&lt;b&gt;&amp;</strong>'


def test_nothing_found_has_no_sections_about_findings() -> None:
    text = page(made.facts(0))
    for heading in (
        "What was searched",
        "What would have been found",
        "What could not be seen",
        "Decisions and next steps",
    ):
        assert heading in text
    assert 'id="incidents"' not in text
    assert "NOT YET ANSWERED" in text


def test_what_scrolls_sideways_is_reached_by_keyboard_and_named() -> None:
    """Without the script, too, which takes tables that do not scroll out of the order of the keys."""
    for facts in (FACTS, made.facts(0), made.facts(600)):
        boxes = [found for name, found in elements(facts).found if "scroll" in str(found.get("class") or "").split()]
        assert len(boxes) == page(facts).count("<table") > 5
        for box in boxes:
            assert (box.get("tabindex"), box.get("role")) == ("0", "group")
            assert len(box.get("aria-label") or "") > 3


def test_a_finding_says_what_had_been_sent_before_it_was_refused() -> None:
    after = "host mx1.navy.mli[192.0.2.1] said: 550 5.7.1 no (in reply to end of DATA command)"
    told = {"in whole or in part, before it refused": after, "not known: the log does not tell": "554 by policy"}
    for said, response in told.items():
        assert said in page(made.facts(10, refused_with=response))
    assert "Message sent to the server" not in page(made.facts(10))
