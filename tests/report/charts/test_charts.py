"""Charts: well-formed, escaped, described, and they add up."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from forensics.report import charts
from forensics.report.charts import timechart
from forensics.report.facts import Day
from forensics.report.formats import docx
from forensics.report.text.wording import load
from tests.report import made

FACTS = made.facts(60, made.HOSTILE)
WORDS = load()
DRAWN = charts.draw(FACTS, WORDS)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", ["timeline", "outcomes", "flows", "places", "calibration"])
def test_a_chart_is_well_formed_described_and_inert(name: str) -> None:
    chart = DRAWN[name]
    root = ElementTree.fromstring(chart.svg)
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title") is not None
    assert root.find(f"{SVG}title").text == chart.alt  # type: ignore[union-attr]
    assert len(chart.alt) > 30
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "title", "rect", "line", "text", "path", "circle"}
    assert not [a for element in root.iter() for a in element.attrib if a.startswith("on") or "href" in a]


@pytest.mark.parametrize("name", list(DRAWN))
def test_nothing_is_drawn_outside_the_picture(name: str) -> None:
    root = ElementTree.fromstring(DRAWN[name].svg)
    _, _, width, height = (float(v) for v in str(root.get("viewBox")).split())
    for rect in root.iter(f"{SVG}rect"):
        x, y, w, h = (float(str(rect.get(k))) for k in ("x", "y", "width", "height"))
        assert x >= -0.01
        assert x + w <= width + 0.51
        assert y >= -0.01
        assert y + h <= height + 0.51


def test_charts_say_the_same_numbers_as_the_facts() -> None:
    head = FACTS.groups.headline
    assert str(head.deliveries.value) in DRAWN["outcomes"].alt
    assert f"{head.exposed.value} of that accepted" in DRAWN["timeline"].alt


def test_a_part_does_not_bear_the_name_of_the_whole() -> None:
    """Tables count 11 as “refused or not delivered”: a bar of that name may not say 7 because 4 others stand apart."""
    rest = replace(FACTS.findings[0], state="suspected")
    cases = [("exposed", True), ("not-exposed", None), ("not-exposed", False), ("unsettled", False)]
    found = tuple(replace(rest, exposure=exposure, content_sent=sent) for exposure, sent in cases)
    told = charts.draw(replace(FACTS, findings=found), WORDS)["outcomes"].alt
    assert "refused or not delivered; nothing had been sent 1" in told
    assert "not settled; nothing had been sent 1" in told
    plain = tuple(one for one in found if one.content_sent is not None)
    told = charts.draw(replace(FACTS, findings=plain), WORDS)["outcomes"].alt
    assert "refused or not delivered 1" in told
    assert "not settled 1" in told


def test_a_bar_of_one_other_is_not_put_in_the_plural() -> None:
    assert "1 others" not in WORDS("chart.bar", day="1 Jun 23", accepted=2, refused=1)


def test_a_case_without_findings_draws_only_what_there_is() -> None:
    drawn = charts.draw(made.facts(0), WORDS)
    assert set(drawn) == {"timeline", "calibration"}
    assert drawn["timeline"].caption == "Outbound deliveries a day"
    assert "200 deliveries; nothing of it is held to be misdirected" in drawn["timeline"].alt
    assert b"Misdirected" not in drawn["timeline"].svg


def days(*numbers: int) -> tuple[Day, ...]:
    return tuple(Day(date(2023, 1, 1) + timedelta(days=n), 5, 1, 0) for n in numbers)


def test_a_long_silence_is_folded_and_no_day_is_lost() -> None:
    step, runs = timechart._runs(days(0, 1, 5, 200, 201))
    assert step == "day"
    assert [sum(bar.legitimate for bar in run) for run in runs] == [15, 10]
    assert [len(run) for run in runs] == [6, 2]


@pytest.mark.parametrize(("count", "step"), [(100, "day"), (500, "week"), (3000, "month")])
def test_long_periods_are_added_up(count: int, step: str) -> None:
    found, runs = timechart._runs(days(*range(count)))
    assert found == step
    assert sum(bar.accepted for run in runs for bar in run) == count
    assert sum(len(run) for run in runs) <= 135


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 9000), min_size=1, max_size=160, unique=True))
@example([20 * n for n in range(20)])
@example([0, *range(8800, 9000)])
def test_bars_of_the_timeline_stand_side_by_side_whatever_days_are_silent(numbers: list[int]) -> None:
    """Also where there are more gaps than bars. What a gap says of itself lies between its bars."""
    drawn = charts.draw(replace(FACTS, days=days(*sorted(numbers))), WORDS)["timeline"]
    root = ElementTree.fromstring(drawn.svg)
    bars = [
        (float(str(one.get("x"))), float(str(one.get("width"))))
        for one in root.iter(f"{SVG}rect")
        if one.get("class") == "c-grey"
    ]
    assert bars
    for (x, width), (following, _) in pairwise(bars):
        assert 0 < width <= following - x + 0.01
    said = [one for one in root.iter(f"{SVG}text") if one.text == WORDS("chart.gap_what")]
    for middle in (float(str(one.get("x"))) for one in said):
        assert not any(x < middle + 30 and x + width > middle - 30 for x, width in bars)


def test_no_label_of_the_flows_is_cut_at_the_edge_of_the_picture() -> None:
    """A number that lost its last digit is another number. Drawn as in Word and PDF, which show nothing beyond it."""
    long = tuple(
        replace(
            flow,
            sender=f"{flow.sender.partition('@')[0]}.margaret-wilhelmina@westminster-maritime.example",
            intended="westminster-maritime.mil",
            observed="westmimster-mmaritime.ml",
        )
        for flow in FACTS.flows
    )
    drawn = imread(io.BytesIO(docx.png(charts.draw(replace(FACTS, flows=long), WORDS)["flows"].svg)))
    assert drawn.min() < 0.5
    assert drawn[:, :2].min() == drawn[:, -2:].min() == 1
