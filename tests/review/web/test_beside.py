"""What stands beside a pair: the report's own page one, its letters, the block rules, and who may see them."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from forensics import domains, pipeline, workbench
from forensics.blocking import of_case
from forensics.case import Case
from forensics.report.formats import letters
from forensics.report.text import onepage, prose, wording
from forensics.review import NewVerdict, record
from forensics.review.web import beside, views
from forensics.review.web.book import Pair
from tests.blocking.mails import case
from tests.browser.conftest import hostile
from tests.review.made import NASTY, clock, two_incidents
from tests.review.web.asking import Client

PAIR = ("contoso-marnie.com", "contoso-marine.com")


@pytest.fixture
def built(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Case(case(tmp_path, confirm=False))


@pytest.fixture
def client(built):
    return Client(built, "R. Examiner", rules=of_case.refusals).opened()


def at(client) -> str:
    return client.get("/").value("incident")


def text(answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def plain(spans) -> str:
    return " ".join("".join(one.text for one in spans).split())


def squeezed(value: str) -> str:
    """Without spaces: tags stand between words and signs alike."""
    return re.sub(r"\s", "", value)


def test_page_one_says_what_the_report_says(client, built, tmp_path):
    for verdict in ("", "confirmed", "dismissed"):
        if verdict:
            client.rule(client.get("/"), verdict, "asked")
        shown = squeezed(text(client.get("/beside/page")))
        facts, words = beside.facts(built), wording.load()
        for said in (prose.position(facts, words), *(one.spans for one in onepage.points(facts, words))):
            assert squeezed(plain(said)) in shown
        for figure in onepage.figures(facts, words):
            assert squeezed(figure.value + figure.label) in shown or squeezed(figure.label + figure.value) in shown
        pipeline.report(built.folder, formats=("html",), out=tmp_path / f"filed-{verdict}")
        filed = (tmp_path / f"filed-{verdict}" / "incident.html").read_text("utf-8")
        written = squeezed(unescape(re.sub(r"<[^>]*>", "", filed)))
        assert squeezed(plain(prose.position(facts, words))) in written
        assert prose.title(facts, words) in unescape(filed)


def test_letters_are_the_ones_that_would_be_filed(client, built, tmp_path):
    client.rule(client.get("/"), "confirmed", "asked")
    page = client.get(f"/beside/letters?at={at(client)}")
    shown = [unescape(one) for one in re.findall(r"<pre[^>]*>(.*?)</pre>", page.text, re.S)]
    pipeline.report(built.folder, formats=("letters",), out=tmp_path / "filed")
    filed = {path.name: path.read_text("utf-8") for path in (tmp_path / "filed" / "letters").iterdir()}
    assert sorted(shown) == sorted(one for name, one in filed.items() if name.endswith(".txt") and name != "README.txt")
    assert len(shown) == len(list(letters.drafts(beside.facts(built)))) > 2


def test_a_dismissed_pair_has_no_letter(client):
    client.rule(client.get("/"), "dismissed", "theirs")
    assert "None: no finding of this pair counts" in text(client.get(f"/beside/letters?at={at(client)}"))


def test_block_rules_are_those_of_the_command(client, built, tmp_path):
    pair = at(client)
    page = text(client.get(f"/beside/rules?at={pair}"))
    assert "No rule: rules are written of confirmed pairs alone" in page
    assert "suspected, confirmed by nobody" in page
    client.rule(client.get("/"), "confirmed", "asked")
    page = client.get(f"/beside/rules?at={pair}")
    shown = [unescape(one) for one in re.findall(r"<pre[^>]*>(.*?)</pre>", page.text, re.S)]
    done = workbench.block(built.folder, out=tmp_path / "block")
    assert sorted(shown) == sorted(path.read_text("utf-8") for path in done.files)


def test_it_follows_the_case(client, built):
    assert "No person has ruled" in text(client.get("/beside/page"))
    record(built, NewVerdict(*PAIR, "dismissed", "theirs"), "R. Examiner")
    assert "No person has ruled" not in text(client.get("/beside/page"))
    built.toml.write_text(built.toml.read_text("utf-8").replace("albion.example", "other.example"), "utf-8")
    answer = client.get("/beside/page")
    assert answer.status == 400
    assert "changed since `missent detect` read it" in text(answer)


def test_a_second_reviewer_is_not_told_by_the_way(client, built):
    record(built, NewVerdict(*PAIR, "confirmed", "seen in the letter"), "First Reviewer")
    pair = at(client)
    for kind in beside.KINDS:
        page = text(client.get(f"/beside/{kind}?at={pair}"))
        assert "Another reviewer has ruled on 2 findings" in page
        assert "confirmed" not in page
    client.rule(client.get("/"), "confirmed", "asked too")
    for kind in beside.KINDS:
        assert "Not shown yet" not in text(client.get(f"/beside/{kind}?at={pair}"))
    reader = Client(built, read_only=True, rules=of_case.refusals).opened()
    assert "Not shown yet" not in text(reader.get("/beside/page"))


def test_looking_writes_nothing(client, built):
    before = {path: path.stat().st_mtime_ns for path in built.folder.rglob("*")}
    for kind in beside.KINDS:
        assert client.get(f"/beside/{kind}?at={at(client)}").status == 200
    assert {path: path.stat().st_mtime_ns for path in built.folder.rglob("*")} == before


class Seen(HTMLParser):
    """(tag, names of its attributes) of a page."""

    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, [name for name, _ in attrs]))


def test_page_one_and_letters_hold_hostile_values_as_text(monkeypatch):
    facts = hostile()
    typed, meant = facts.findings[0].slip.typed, facts.findings[0].slip.meant
    pair = Pair("i1", domains.a_label(typed), domains.a_label(meant), {}, (), ())
    monkeypatch.setattr(beside, "facts", lambda _: facts)
    monkeypatch.setattr(beside, "_mark", lambda _: "")
    made = beside.Beside(Case("nowhere"), None)
    for kind in ("page", "letters"):
        page = views.beside(kind, made.values(kind, pair) | {"hidden": 0})
        seen = Seen()
        seen.feed(page)
        assert {name for _, names in seen.tags for name in names} <= {
            "id", "class", "aria-labelledby", "aria-label", "tabindex", "value", "open",
        }  # fmt: skip
        assert {tag for tag, _ in seen.tags} <= {
            "section", "h2", "h3", "p", "code", "dl", "dt", "dd", "div", "ol", "li", "span", "strong", "em", "details",
            "summary", "pre",
        }  # fmt: skip
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page)


def test_strangers_values_are_text_and_what_is_gone_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made = two_incidents(tmp_path)

    def rules(_):
        return lambda typed: beside.Refusals({"<b>x": f"{NASTY}\n<script>\x1b\u202e"}, ("<img src=x>",))

    client = Client(made.case, "A. Reviewer", clock=clock, rules=rules).opened()
    page = client.get("/beside/rules?at=i1").text
    assert f"{NASTY}\n<script>\\u{{1b}}\\u{{202e}}" in unescape(page)
    assert not re.search(r"<(b|script|img)\b", page)
    assert "no longer among the findings" in text(client.get("/beside/letters?at=%3Cscript%3E"))
    assert client.get("/beside/passwords").status == 404
