"""The review desk in a real browser, from evidence to a filed report, by keyboard alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from forensics import pipeline, workbench
from forensics.case import Case
from forensics.review import NewVerdict, read, record
from tests.browser.chromium import Page
from tests.browser.test_page import axe
from tests.conftest import ROOT
from tests.review.made import detect, two_incidents
from tests.test_docs import evidence


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    link: str

    @property
    def address(self) -> str:
        return self.link.split("?")[0]


@contextmanager
def served(case: Path, *options: str, state: Path) -> Iterator[Served]:
    """`missent review --web` as a person starts it; the link is what it prints first."""
    command = [sys.executable, "-c", "from forensics.cli import start; start()", "review", "--web", "--no-browser"]
    environment = {**os.environ, "XDG_STATE_HOME": str(state), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*command, "--case", str(case), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout
    try:
        yield Served(process, process.stdout.readline().strip())
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def reached(page: Page, condition: str) -> None:
    """Wait until a JavaScript condition holds."""
    code = f"(() => {{ try {{ return Boolean({condition}) }} catch (error) {{ return false }} }})()"
    for _ in range(200):
        if page.run(code):
            return
        time.sleep(0.05)
    said = page.run(
        "[...document.querySelectorAll('#beside, body')].map(one => one.innerText.slice(0, 1500)).join(' | ')"
    )
    raise AssertionError(f"not reached: {condition}; the page says: {said}")


def key(page: Page, name: str) -> None:
    page.press(name, {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40}.get(name) or ord(name.upper()))


def test_from_evidence_to_a_filed_report_by_keyboard(browser: Page, tmp_path: Path) -> None:
    logs = evidence(tmp_path) / "evidence"
    case = tmp_path / "case"
    pipeline.run([logs], case, org=["example.org"], watch=["*.mil"], formats=("json",))
    with served(case, state=tmp_path / "state") as desk:
        browser.size(1300, 900)
        browser.visit(desk.link)
        assert browser.run("location.href") == desk.address, "the token leaves the address"
        assert browser.run("document.cookie") == "", "no script reads the cookie"
        reached(browser, "document.activeElement.name == 'reviewer'")
        browser.type("R. Examiner")
        key(browser, "Enter")
        reached(browser, "document.querySelector('.slip')")
        assert "navy.ml" in browser.run("document.querySelector('h1').textContent")
        for name, condition in (
            ("r", "[...document.querySelectorAll('pre')].some(one => one.textContent.includes('clerk0@navy.ml'))"),
            ("J", "document.querySelector('tr[aria-current]')"),
            ("Escape", "!document.querySelector('tr[aria-current]')"),
            ("?", "document.querySelector('#help').open"),
            ("Escape", "!document.querySelector('#help').open"),
            ("/", "document.activeElement.name == 'pair'"),
            ("Escape", "document.activeElement.id == 'detail'"),
            (
                "c",
                "document.activeElement.name == 'reason' && document.querySelector('.on .lines').textContent.startsWith('1. ')",
            ),
        ):
            key(browser, name)
            reached(browser, condition)
        key(browser, "Escape")
        reached(browser, "!document.querySelector('#rule').open")
        for name, condition in (
            ("p", "document.querySelector('#beside .points')"),
            ("l", "document.querySelector('#beside pre').textContent.includes('DRAFT')"),
            ("b", "document.querySelector('#beside .left').textContent.includes('navy.ml')"),
            ("b", "document.querySelector('#beside').hidden"),
            ("p", "document.querySelector('#beside .lead').textContent.includes('No person has ruled')"),
            ("c", "document.activeElement.name == 'reason' && document.querySelector('.on .lines')"),
        ):
            key(browser, name)
            reached(browser, condition)
        browser.type("The clerk uses the other domain daily.")
        key(browser, "Enter")
        reached(browser, "document.querySelector('.rulings')")
        assert "The clerk uses the other domain daily." in browser.run("document.querySelector('.rulings').textContent")
        reached(browser, "!document.querySelector('#beside .lead').textContent.includes('No person has ruled')")
        key(browser, "z")
        reached(browser, "document.querySelector('#undo').open")
        key(browser, "Enter")
        reached(browser, "document.querySelector('.queue .state').textContent == 'open'")
        key(browser, "a")
        reached(browser, "document.querySelector('#rule').open && document.querySelector('[name=ask]').value")
        key(browser, "Enter")
        reached(browser, "document.querySelector('.queue .state').textContent == 'ask the sender'")
        key(browser, "c")
        reached(browser, "document.activeElement.name == 'reason'")
        key(browser, "Enter")
        reached(browser, "document.querySelector('.queue .state').textContent == 'confirmed'")
        assert [url for url in browser.requests if not url.startswith((desk.address, "data:"))] == []
        assert browser.errors == []
        assert browser.dialogs == []
    assert desk.process.returncode == 0
    ruled = [(one.verdict, one.reviewer, bool(one.ask), one.undoes) for one in read(Case(case))]
    assert ruled == [
        ("confirmed", "R. Examiner", False, 0), ("undecided", "R. Examiner", False, 1),
        ("undecided", "R. Examiner", True, 0), ("confirmed", "R. Examiner", False, 0),
    ]  # fmt: skip
    pipeline.report(case, formats=("json",))
    filed = json.loads((case / "reports" / "incident.json").read_text())
    assert "R. Examiner" in json.dumps(filed)
    assert workbench.verify(case).ok


def test_a_conflict_keeps_what_was_written(browser: Page, tmp_path: Path) -> None:
    built = two_incidents(tmp_path)
    with served(built.case.folder, "--reviewer", "A. Reviewer", state=tmp_path / "state") as desk:
        browser.size(1300, 900)
        browser.visit(desk.link)
        reached(browser, "document.querySelector('.slip')")
        key(browser, "d")
        reached(browser, "document.activeElement.name == 'reason'")
        browser.type("A partner of ours.")
        record(built.case, NewVerdict("navy.ml", "navy.mil", "confirmed", "other"), "B. Reviewer")
        key(browser, "Enter")
        reached(browser, "document.querySelector('[role=alert]')")
        reached(browser, "document.querySelector('#rule').open && document.activeElement.value == 'A partner of ours.'")
        assert browser.run("location.pathname") == "/"
        key(browser, "Enter")
        reached(browser, "document.querySelector('.queue .state.dismissed')")
    assert [(one.verdict, one.reviewer) for one in read(built.case)] == [
        ("confirmed", "B. Reviewer"), ("dismissed", "A. Reviewer"),
    ]  # fmt: skip


def test_a_list_over_several_pairs_is_ruled_on_by_keyboard(browser: Page, tmp_path: Path) -> None:
    built = two_incidents(tmp_path)
    with served(built.case.folder, "--reviewer", "A. Reviewer", state=tmp_path / "state") as desk:
        browser.size(1300, 900)
        browser.visit(desk.link)
        reached(browser, "document.querySelector('.slip')")
        key(browser, "d")
        reached(browser, "document.activeElement.name == 'reason'")
        browser.type("One office.")
        browser.run("document.querySelector('[value=queue]').focus()")
        reached(browser, "document.activeElement.value == 'queue'")
        key(browser, " ")
        reached(browser, "document.querySelector('[name=queue]') && document.querySelectorAll('.on .of').length == 2")
        assert browser.run("document.querySelector('#h-rule').innerText") == "Dismiss"
        browser.run("document.querySelector('[name=reason]').focus()")
        reached(browser, "document.activeElement.name == 'reason'")
        key(browser, "Enter")
        reached(browser, "document.querySelectorAll('.queue .state.dismissed').length == 2")
        key(browser, "z")
        reached(browser, "document.querySelectorAll('#undo .undone li').length == 2")
        key(browser, "Enter")
        reached(browser, "document.querySelectorAll('.queue .state.open').length == 2")
    assert [(one.verdict, one.undoes) for one in read(built.case)] == [
        ("dismissed", 0), ("dismissed", 0), ("undecided", 1), ("undecided", 2),
    ]  # fmt: skip


LATE = """(() => {
    const text = Response.prototype.text;
    Response.prototype.text = async function () {
        const said = await text.call(this);
        if (this.url.includes(%s)) {
            window.late = true;
            await new Promise(done => setTimeout(done, 400));
        }
        return said;
    };
})()"""
"""Every answer whose address holds a text arrives late."""


def test_the_list_shown_is_of_the_extent_chosen_last(browser: Page, tmp_path: Path) -> None:
    """The pair's list, asked for first, arrives after the queue's."""
    built = two_incidents(tmp_path)
    with served(built.case.folder, "--reviewer", "A. Reviewer", state=tmp_path / "state") as desk:
        browser.visit(desk.link)
        reached(browser, "document.querySelector('.slip')")
        browser.run(LATE % "'scope=incident'")
        key(browser, "d")
        reached(browser, "window.late")
        browser.run("document.querySelector('[value=queue]').click()")
        reached(browser, "document.querySelectorAll('.on .of').length == 2")
        browser.run("new Promise(done => setTimeout(done, 600))")
        assert browser.run("document.querySelectorAll('.on .of').length") == 2
        assert browser.run("document.querySelector('.on [name=queue]') !== null")


def test_a_key_pressed_on_the_way_to_a_pair_is_meant_for_that_pair(browser: Page, tmp_path: Path) -> None:
    built = two_incidents(tmp_path)
    with served(built.case.folder, "--reviewer", "A. Reviewer", state=tmp_path / "state") as desk:
        browser.visit(desk.link)
        reached(browser, "document.querySelector('.slip')")
        before = browser.run("document.querySelector('[name=incident]').value")
        browser.run(LATE % "'at='")
        key(browser, "j")
        key(browser, "c")
        key(browser, "z")
        reached(browser, "document.querySelector('#rule').open")
        assert browser.run("document.querySelector('[name=incident]').value") != before
        assert browser.run("document.querySelectorAll('dialog[open]').length") == 1
        key(browser, "Escape")
        reached(browser, "!document.querySelector('#rule').open")
        key(browser, "k")
        key(browser, "j")
        reached(browser, f"document.querySelector('[name=incident]').value != {json.dumps(before)}")
        browser.run("new Promise(done => setTimeout(done, 1500))")
        assert browser.run("document.querySelector('[name=incident]').value") != before


def test_another_page_reaches_nothing(browser: Page, tmp_path: Path) -> None:
    """A page of another origin in the same browser, with the reviewer's cookie in it."""
    built = two_incidents(tmp_path)
    hostile = tmp_path / "hostile.html"
    with served(built.case.folder, "--reviewer", "A. Reviewer", state=tmp_path / "state") as desk:
        browser.visit(desk.link)
        reached(browser, "document.querySelector('.slip')")
        state = browser.run("document.querySelector('[name=state]').value")
        fields = {"state": state, "incident": "i1", "scope": "incident", "verdict": "confirmed", "reason": "x"}
        inputs = "".join(f'<input name="{name}" value="{value}">' for name, value in fields.items())
        hostile.write_text(
            f'<form action="{desk.address}rule" method="post">{inputs}</form><iframe src="{desk.address}"></iframe>'
        )
        browser.open(hostile)
        refused = f"fetch('{desk.address}', {{credentials: 'include'}}).then(() => 'read', () => 'refused')"
        assert browser.run(refused) == "refused"
        sent = f"fetch('{desk.address}rule', {{method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams(new FormData(document.forms[0]))}}).then(() => 1, () => 0)"
        browser.run(sent)
        assert browser.run("frames[0].length") == 0
        browser.run("setTimeout(() => document.forms[0].submit(), 0)")
        reached(browser, "document.body.innerText.includes('another page')")
    assert read(built.case) == ()


@pytest.mark.parametrize(("width", "dark"), [(1300, False), (800, True), (400, False), (400, True), (1300, True)])
def test_axe_finds_nothing_serious_and_nothing_runs_off_the_side(
    browser: Page, tmp_path: Path, width: int, dark: bool
) -> None:
    source = axe()
    built = two_incidents(tmp_path)
    detect(built, {"d1": "i1", "d2": "i2", "d3": "i1"})
    record(built.case, NewVerdict("navy.ml", "navy.mil", "confirmed", "other", ("d1",)), "B. Reviewer")
    with served(built.case.folder, state=tmp_path / "state") as desk:
        browser.size(width, 900, dark=dark)
        browser.visit(desk.link)
        reached(browser, "document.activeElement.name == 'reviewer'")
        assert serious(browser, source, 5) == []
        browser.type("A. Reviewer")
        key(browser, "Enter")
        reached(browser, "document.querySelector('.slip')")
        browser.visit(desk.address + "?at=i1&finding=d3&records=1")
        reached(browser, "document.querySelector('#h-records')")
        assert browser.run("document.documentElement.scrollWidth") <= width
        assert browser.run("document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth")
        assert serious(browser, source, 20) == []
        assert browser.run("document.querySelector('#beside').getClientRects().length") == 0
        for name in "lbp":
            key(browser, name)
            reached(browser, "!document.querySelector('[aria-busy]') && document.querySelector('#beside section')")
            assert browser.run("document.documentElement.scrollWidth") <= width
            assert serious(browser, source, 20) == []
        key(browser, "c")
        reached(browser, "document.querySelector('.on .lines')")
        assert serious(browser, source, 10) == []
    assert browser.run("window.pwned") is None


def serious(page: Page, source: str, least: int) -> list[object]:
    page.run("0")
    # The page's own policy keeps eval from scripts, not from the debugger that a test speaks through.
    page.run(source + "; 0")
    run = "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify([r.passes.length, r.violations]))"
    passed, found = json.loads(page.run(run))
    assert passed > least, "axe-core did not look at the page"
    return [
        (one["id"], one["help"], one["nodes"][0]["html"][:200], one["nodes"][0].get("failureSummary", "")[:300])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
