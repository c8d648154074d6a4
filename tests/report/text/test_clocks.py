"""The table of clocks as it reads."""

from __future__ import annotations

from typing import Any

from forensics.report.text import blocks as b
from forensics.report.text import clocks, onepage
from forensics.report.text.wording import load
from tests.report import made

WORDS = load()
REGIMES: list[dict[str, Any]] = [
    {"regime": "uk-gdpr", "authority": "Information Commission"},
    {"regime": "nis2", "events": {"aware": "2023-04-05T08:00:00+00:00"}},
    {"regime": "us-dod"},
]


def facts(regimes: list[dict[str, Any]]) -> Any:
    return made.facts(case=made.casefile(questionnaire={**made.QUESTIONNAIRE, "regimes": regimes}))


def rows(regimes: list[dict[str, Any]]) -> list[list[str]]:
    (table,) = [block for block in clocks.table(facts(regimes), WORDS) if isinstance(block, b.Table)]
    return [[b.plain(cell) for cell in row] for row in table.rows]


def test_one_row_for_each_step_of_each_regime() -> None:
    found = rows(REGIMES)
    assert len(found) == 3 + 4 + 2
    assert found[0][0].startswith("Notify the Commissioner. UK GDPR, Art. 33(1). Where feasible")
    assert "72 hours from “controller became aware of the breach”: 3 April 2023, 14:30 UTC" in found[0][1]
    assert found[0][2] == "6 April 2023, 14:30 UTC (15:30 Europe/London)"
    assert found[0][3].startswith("open; 26 hours and 30 minutes left")
    assert "not dated in the case" in found[1][1]
    assert "; by another reading later: 6 April 2023, 09:00 UTC" in found[3][2]
    assert found[7][2] == "no limit in hours or days"


def test_what_was_not_checked_says_so() -> None:
    (notes,) = [block for block in clocks.table(facts(REGIMES), WORDS) if isinstance(block, b.Items)]
    uk, nis2, dod = (b.plain(item) for item in notes.items[:3])
    assert "The deadline printed is that of strict elapsed hours" in b.plain(notes.items[-1])
    assert "To: Information Commission." in uk
    assert "To be checked against it before anybody relies on it." in uk
    assert "To be checked" in dod
    assert "Source: Directive (EU) 2022/2555, Art. 23(4), checked 30 November 2026." in nis2


def test_a_case_that_names_no_regime_says_so() -> None:
    (note,) = clocks.table(made.facts(), WORDS)
    assert isinstance(note, b.Para)
    assert "NOT YET ANSWERED" in b.plain(note.spans)
    assert clocks.brief(made.facts(), WORDS) == ()


def test_the_one_page_names_the_next_deadline() -> None:
    said = b.plain(clocks.brief(facts(REGIMES), WORDS))
    assert said.startswith(
        "3 regimes with 9 clocks: 5 are open; next: Early warning (NIS2), by 6 April 2023, 08:00 UTC"
    )
    (point,) = [point for point in onepage.points(facts(REGIMES), WORDS) if point.anchor == "clock"]
    assert said in b.plain(point.spans)


def test_dates_in_the_wrong_order_are_said() -> None:
    regime = {"regime": "uk-gdpr", "events": {"notified": "2023-04-01T08:00:00+00:00"}}
    assert "before it began" in rows([regime])[0][3]
