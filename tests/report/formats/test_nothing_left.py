"""What a server refused only after it had been sent left the organisation: no output says, or lets its reader think,
that nothing did."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import openpyxl
import pytest

from forensics.report import redaction
from forensics.report.facts import Facts
from forensics.report.formats import (
    answers,
    csvs,
    docx,
    ecs,
    html,
    iris,
    letters,
    markdown,
    timesketch,
    veris,
    worksheet,
    xlsx,
)
from forensics.report.text import blocks as b
from forensics.report.text import document
from tests.report import made

AFTER = "host mx1.navy.mli[192.0.2.1] said: 550 5.7.1 no (in reply to end of DATA command)"
CLAIMS = [
    {"claim": "No mail was accepted.", "check": "none-accepted"},
    {"claim": "At most no mail was accepted.", "check": "accepted-at-most", "value": 0},
    {"claim": "All of it was encrypted.", "check": "only-encrypted"},
]


@cache
def facts(refused: bool, told: bool = True) -> Facts:
    """A case of which everything was accepted, or refused; and that after it had been sent, or so that the log does not
    tell. The case says that nothing was exposed, and that the route was blocked before."""
    asked = {
        **made.QUESTIONNAIRE,
        "statements": CLAIMS,
        "exposed": {**made.QUESTIONNAIRE["exposed"], "what_was_exposed": "nothing"},
        "measures": {"taken": "The route was blocked.", "blocked_at": "2023-03-20T00:00:00+00:00"},
    }
    case = made.casefile(questionnaire=asked)
    response = AFTER if told else "554 5.7.1 by policy"
    return made.facts(60, verdicts=[made.CONFIRM], refused=refused, refused_with=response, case=case)


DENIES = re.compile(
    r"\b(?:no|none|nothing|nobody|not|never)\b[^.;]*\b(?:accept\w*|receiv\w*|deliver\w*|left|leav\w*|exposed"
    r"|disclos\w*|reach\w*|taken|took|got|kept)\b|\brefused\b|\bturned away\b|\bNear miss\b|\bholds\b",
    re.I,
)
SAYS = re.compile(
    r"\bsent to (?:it|the server|a server|the mail server)\b|\b(?:was|were) sent (?:it|them)\b|but sent\b|\"content_sent\": \"yes|content-sent",
    re.I,
)
LEAVES_OPEN = re.compile(SAYS.pattern + r"|\bnot known\b|\bUnknown\b|\"content_sent\": \"unknown|stage.unknown", re.I)


GENERIC = re.compile(r"\( ?no country: generic suffix ?\)")


def passages(name: str, of: Facts) -> set[str]:
    context = replace(made.context(of), tokens=redaction.names(of, bytes(range(32))))
    said = (GENERIC.sub("", " ".join(one.split())) for one in OUTPUTS[name](of, context))
    return {re.sub(r"\d+", "0", one) for one in said if one}


def _files(files: dict[str, bytes]) -> Iterator[str]:
    """Paragraphs of texts that are wrapped; lines of all others."""
    for content in files.values():
        yield from re.split(r"\n\s*\n", content.decode())


def _composed(of: Facts, context: Any) -> Iterator[str]:
    """What PDF, Word and Markdown lay out."""
    told = document.compose(of, context)
    for block in (*told.first, *told.blocks):
        match block:
            case b.Para(spans, _):
                yield b.plain(spans)
            case b.Items(items, _):
                yield from map(b.plain, items)
            case b.Terms(items):
                yield from (f"{key}: {b.plain(value)}" for key, value in items)
            case b.Points(items):
                yield from (b.plain(point.spans) for point in items)
            case b.Figures(items):
                yield from (x.label for x in items)
            case b.Table():
                yield from (b.plain(cell) for row in block.rows for cell in row)
            case b.Chart():
                yield block.alt
            case b.Heading():
                yield block.text


def _page(of: Facts, context: Any) -> Iterator[str]:
    text = re.sub(r"<(?:style|script)>.*?</(?:style|script)>", "", html.render(of, context).decode(), flags=re.S)
    for part in re.split(r"</?(?:p|li|td|th|tr|h\d|title|figcaption|caption|text|summary)\b[^>]*>", text):
        yield re.sub(r"<[^>]+>", " ", part)


def _word(of: Facts, context: Any) -> Iterator[str]:
    parts = zipfile.ZipFile(io.BytesIO(docx.render(of, context)))
    for part in re.split(r"</w:tr>|</w:p>(?!</w:tc>)", parts.read("word/document.xml").decode()):
        yield re.sub(r"<[^>]+>", " ", part)


SENT = "Sent to the server in whole or in part"


def _rows(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Each row of a table with titles as what its cells say; numbers alone deny nothing."""
    titles: Sequence[object] = ()
    for row in rows:
        if not titles or row[0] == "Finding":
            titles = row
            continue
        told = [str(cell) for cell in row if isinstance(cell, str) and not re.fullmatch(r"[\d.]*", cell)]
        sent = dict(zip(map(str, titles), row, strict=False)).get(SENT)
        # By the annexes' own words an empty cell is what the evidence does not say.
        yield " ".join([*told, {"yes": "was sent it", "": "not known", None: "not known"}.get(sent, "")])  # type: ignore[call-overload]


def _cells(content: bytes) -> Iterator[str]:
    for sheet in openpyxl.load_workbook(io.BytesIO(content)):
        yield from _rows(list(sheet.iter_rows(values_only=True)))


def _csv(files: dict[str, bytes]) -> Iterator[str]:
    for name, content in files.items():
        if name.endswith(".csv"):
            yield from _rows(list(csv.reader(io.StringIO(content.decode("utf-8-sig")))))
        else:
            yield from _lines(content)


def _lines(content: bytes) -> Iterator[str]:
    yield from content.decode().splitlines()


OUTPUTS: dict[str, Callable[[Facts, Any], Iterator[str]]] = {
    "composed": _composed,
    "html": _page,
    "docx": _word,
    "markdown": lambda of, context: _lines(markdown.render(of, context)),
    "xlsx": lambda of, context: _cells(xlsx.render(of, context)),
    "csv": lambda of, context: _csv(csvs.render(of, context)),
    "answers": lambda of, context: _files(answers.render(of, context)),
    "letters": lambda of, context: _files(letters.render(of, context)),
    "veris": lambda of, context: _lines(veris.render(of, context)),
    "ecs": lambda of, context: _lines(ecs.render(of, context)),
    "iris": lambda of, context: _lines(iris.render(of, context)),
    "timesketch": lambda of, context: _lines(timesketch.render(of, context)["events.jsonl"]),
    "worksheet": lambda of, context: _cells(worksheet.render(of, context)),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_where_everything_was_sent_nothing_says_that_nothing_left(name: str) -> None:
    """What a report says of this case, and not also of one in which everything was accepted, tells of it."""
    said = passages(name, facts(True)) - passages(name, facts(False))
    assert said
    assert not {one for one in said if DENIES.search(one) and not SAYS.search(one)}


@pytest.mark.parametrize("name", OUTPUTS)
def test_where_it_is_not_known_nothing_says_that_nothing_left(name: str) -> None:
    said = passages(name, facts(True, told=False)) - passages(name, facts(False))
    assert said
    assert not {one for one in said if DENIES.search(one) and not LEAVES_OPEN.search(one)}
