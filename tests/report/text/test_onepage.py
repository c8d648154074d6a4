"""The one page: all points in short, on one page in every laid-out format, whatever stands in them."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pypdf
import pytest

from forensics.report.facts import Facts, Record
from forensics.report.formats import docx, pdf
from forensics.report.text import blocks as b
from forensics.report.text import document, grids, onepage, pieces
from forensics.report.text.context import Context
from forensics.report.text.wording import Words
from tests.report import made

PAPERS = ("a4", "us-letter")


@cache
def facts() -> Facts:
    return made.facts(40, verdicts=[made.CONFIRM])


def on(paper: str, one: Facts) -> Context:
    plain = made.context(one)
    words = Words(plain.words.language, {**plain.words.entries, "doc.paper": paper})
    return replace(plain, words=words)


def pages(content: bytes | Path) -> list[str]:
    reader = pypdf.PdfReader(content if isinstance(content, Path) else io.BytesIO(content))
    return [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]


def talkative() -> Facts:
    """Every answer and every name as long as somebody could make it."""
    told = made.facts(400, ("x" * 300,))
    long = "An answer that goes on. " * 40
    items = tuple(
        replace(item, answer=long, answered=True) if item.kind == "text" else item for item in told.questionnaire.items
    )
    actions = tuple(replace(action, what=long) for action in told.questionnaire.actions) * 5
    claims = tuple(replace(one, claim=long, result="contradicted") for one in told.statements) * 4
    places = tuple(replace(place, operator_then=long, operator_now=long) for place in told.places)
    servers = {
        server: server + ".very-long-name" * 15
        for finding in told.findings
        for server in (finding.relay_name, finding.host)
        if server
    }
    changed: Facts = made.swapped(
        replace(
            told,
            questionnaire=replace(told.questionnaire, items=items, actions=actions),
            statements=claims,
            places=places,
        ),
        servers,
    )
    return changed


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("make", [facts, talkative, lambda: made.facts(0)], ids=["plain", "talkative", "nothing"])
def test_all_points_stand_on_the_first_page(paper: str, make: Any) -> None:
    one = make()
    context = on(paper, one)
    first, second, *_ = pages(pdf.render(one, context))
    listed = onepage.points(one, context.words)
    assert [point.number for point in listed] == list(range(2, len(onepage.sections(one)) + 1))
    for point in listed:
        assert f"{point.number} {point.title}" in first
    assert "1 The position" in first
    assert f"2 {listed[0].title}" in second
    assert context.words("html.th.when") not in first


def test_letter_is_letter() -> None:
    page = pypdf.PdfReader(io.BytesIO(pdf.render(facts(), on("us-letter", facts())))).pages[0]
    assert [round(float(side)) for side in page.mediabox[2:]] == [612, 792]


def test_each_point_leads_to_its_section() -> None:
    reader = pypdf.PdfReader(io.BytesIO(pdf.render(facts(), made.context(facts()))))
    starts = {
        mark.title: reader.get_destination_page_number(mark)
        for mark in reader.outline
        if isinstance(mark, pypdf.generic.Destination)
    }
    links = [note.get_object() for note in reader.pages[0]["/Annots"]]  # type: ignore[attr-defined]
    assert len(links) >= 20
    text = pages(pdf.render(facts(), made.context(facts())))[0]
    for title, page in starts.items():
        if title[:2].strip().isdigit() and not title.startswith("1 "):
            name = title[2:].strip()
            assert re.search(rf"{re.escape(name)} .*?\b{page + 1}\b", text), title


def test_the_numbers_of_the_page_are_the_facts() -> None:
    words = made.context(facts()).words
    said = {point.anchor: b.plain(point.spans) for point in onepage.points(facts(), words)}
    groups = facts().groups
    head = groups.headline
    assert said["numbers"].startswith(
        f"{head.messages.value} messages in {head.deliveries.value} deliveries, from {head.senders.value} senders"
    )
    for number, what in (
        (head.exposed, "accepted"),
        (head.not_exposed, "refused"),
        (head.unsettled, "not settled"),
        (groups.confirmed.deliveries, "confirmed by a person"),
        (groups.suspected.deliveries, "suspected"),
        (groups.people.deliveries, "from people"),
        (groups.automated.deliveries, "automated"),
    ):
        assert f"{number.value} {what}" in said["numbers"]
    results = [one.result for one in facts().statements]
    assert f"{results.count('contradicted')} contradicted" in said["statements"]
    assert ".ml (Mali)" in said["where"]
    assert "a private company under contract" in said["where"]
    assert "Train senders (Head of service, 1 May 2023)" in said["decisions"]


def test_tiles_say_since_when_and_until_when() -> None:
    words = made.context(facts()).words
    tiles = [(tile.value, tile.label) for tile in onepage.figures(facts(), words)]
    assert ("20 Mar 2023", "first misdirected send") in tiles
    assert ("6 Apr 2023", "72-hour deadline, 14:30 UTC") in tiles
    silent = replace(facts(), clock=replace(facts().clock, aware_at=None, deadline=None))
    assert ("NOT YET ANSWERED", "72-hour deadline") in [(t.value, t.label) for t in onepage.figures(silent, words)]


def test_what_is_cut_says_that_it_goes_on() -> None:
    assert onepage.brief("short") == "short"
    assert onepage.brief("one two three four", 12) == "one two …"
    assert onepage.brief("One sentence. Then another one.", 20) == "One sentence. …"
    assert onepage.brief("x" * 100, 10) == "x" * 10 + " …"


def test_a_search_that_found_nothing_has_its_own_sections() -> None:
    assert onepage.sections(facts()) == onepage.SECTIONS
    nothing = made.facts(0)
    keys = onepage.sections(nothing)
    assert "searched" in keys and "would" in keys and "numbers" not in keys
    asked = [key for key, _ in document.sections(nothing, made.context(nothing))]
    assert asked == list(keys[1:])


def test_unknown_is_not_nought() -> None:
    words = made.context(facts()).words
    known = facts().places[0].relays[0]
    assert known.encrypted is not None
    told = replace(known, encryption_unknown=replace(known.encryption_unknown, value=0))
    assert b.plain(grids.over_tls(words, told)) == f"{known.encrypted.value}"
    silent = replace(known, encrypted=None, encryption_unknown=known.accepted)
    assert b.plain(grids.over_tls(words, silent)) == "not logged"
    partly = replace(known, encryption_unknown=replace(known.accepted, value=2))
    assert b.plain(grids.over_tls(words, partly)) == f"{known.encrypted.value} (2 not logged)"
    refused = replace(known, accepted=replace(known.accepted, value=0))
    assert b.plain(grids.over_tls(words, refused)) == "–"


@pytest.mark.slow
@pytest.mark.parametrize("paper", PAPERS)
def test_word_keeps_it_on_one_page(paper: str, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("NOT RUN: LibreOffice (soffice) is not installed, so nothing laid out the Word file")
    found = subprocess.run(
        ["fc-match", "-f", "%{family}", "Times New Roman"], capture_output=True, text=True, check=True
    )
    if not any(name in found.stdout for name in ("Times New Roman", "Liberation Serif", "Nimbus Roman", "Tinos")):
        pytest.skip(
            f"NOT RUN: no font as wide as Times New Roman is installed (fonts-liberation); {found.stdout} is wider"
        )
    (tmp_path / "incident.docx").write_bytes(docx.render(facts(), on(paper, facts())))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), "incident.docx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    first, second, *_ = pages(tmp_path / "incident.pdf")
    assert "1 The position" in first and "11 Decisions and next steps" in first
    assert "2 The clock" in second and "When was it discovered?" in second


def test_no_score_is_certain() -> None:
    words = made.context(facts()).words
    assert [pieces.score(words, x) for x in (0.9999, 0.9995, 0.9994, 0.5, 0.0004)] == [
        "> 0.999", "> 0.999", "0.999", "0.500", "< 0.001"
    ]  # fmt: skip


def test_records_are_cited_as_ranges() -> None:
    one = replace(
        facts().findings[0],
        records=tuple(Record(e, n, 100 * n, 90) for e, n in (("E1", 7), ("E1", 5), ("E1", 6), ("E2", 1), ("E1", 9))),
    )
    assert pieces.records(one) == "E1: 5–7, 9; E2: 1"
