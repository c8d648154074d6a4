"""The browser and the pages that its tests open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from forensics.report.facts import Facts
from forensics.report.formats import html
from tests.browser import chromium
from tests.report import made


@pytest.fixture(scope="session")
def browser() -> Iterator[chromium.Page]:
    if chromium.found() is None:
        pytest.skip("NOT RUN: no Chromium is installed (or set CHROMIUM to one): the page was not tried in a browser")
    with chromium.page() as page:
        yield page


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages by name: `whole`, `none` (nothing found), `hostile`, `large` (10,000 findings)."""
    folder = tmp_path_factory.mktemp("pages")
    cases: dict[str, Facts] = {
        "whole": made.facts(40, verdicts=[made.CONFIRM]),
        "none": made.facts(0),
        "hostile": hostile(),
        "large": made.facts(10_000),
    }
    out = {}
    for name, facts in cases.items():
        out[name] = folder / f"{name}.html"
        out[name].write_bytes(html.render(facts, made.context(facts)))
    return out


CANARIES = (
    "<img src=x onerror=\"window.pwned=1;document.title='pwned'\">",
    '"><svg onload="window.pwned=1"><image href=//203.0.113.9/x>',
    "</style><script>window.pwned=1</script>",
    "</title></script><script>window.pwned=1</script><!--",
    '\'"><iframe srcdoc="<script>parent.pwned=1</script>">',
    "<meta http-equiv=refresh content='0;url=http://203.0.113.9/'>",
    "<base href=http://203.0.113.9/><link rel=stylesheet href=x.css>",
    "\\22 ;} body{display:none} @import url(http://203.0.113.9/x.css); /*",
)
"""Values that would set `window.pwned`, change the title or ask for something from outside."""


def hostile() -> Facts:
    """Canaries in every string a stranger or an investigator can fill."""
    facts = made.facts(40 + len(made.HOSTILE), (*CANARIES, *made.HOSTILE), verdicts=[made.CONFIRM])
    canaries = iter(CANARIES * 40)
    change = {
        value: next(canaries)
        for value in (
            facts.header.organisation, facts.header.reference, facts.header.handling, facts.header.author,
            facts.clock.discovered_how, facts.statements[0].claim, facts.questionnaire.actions[0].what,
            facts.evidence[0].names[0], facts.method.libraries[0][0], facts.method.evaluated_on, facts.method.command,
            facts.coverage.gateways[0].name, "R. Examiner", "Sender asked: meant the navy.",
            "ops-desk@albion-logistics.example", "Typing slips.", "The route was blocked.",
            "a private company under contract", "no stamp",
        )
        if value
    }  # fmt: skip
    changed: Facts = made.swapped(facts, change)
    return changed
