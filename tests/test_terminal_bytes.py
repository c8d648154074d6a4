"""What strangers wrote cannot move the cursor, whatever is printed at a terminal."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from forensics import results, terminal, workbench
from forensics.report.charts import svg
from forensics.report.formats import veris
from forensics.report.text.visible import inked, visible
from tests.report import made

HOSTILE = "a\x1b[2J\x9b31m\u202eb\x7f\u200b\x00\u2066c"
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("form", ["table", "csv", "json", "record"])
def test_rows_at_a_terminal(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    terminal.table(workbench.Answer((HOSTILE,), ((HOSTILE,), ("=1+1",), (None,))), form)
    assert not RAW.search(screen.getvalue().replace("\x7f", "" if form == "json" else "\x7f"))


def test_rows_for_a_program_are_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for form in ("csv", "json"):
        file = io.StringIO()
        monkeypatch.setattr("sys.stdout", file)
        terminal.table(workbench.Answer(("a",), ((HOSTILE,),)), form)
        text = file.getvalue()
        assert (json.loads(text)[0]["a"] if form == "json" else text.split("\n", 1)[1].rstrip("\n")) == HOSTILE


def test_json_stays_json_where_the_output_has_another_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    for encoding in ("ascii", "latin-1", "utf-8", "cp1252"):
        file = io.BytesIO()
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(file, encoding, errors="namereplace", write_through=True))
        terminal.table(workbench.Answer(("a",), (("→ \xfc",),)), "json")
        terminal.fault({"error": "→ \xfc"})
        rows, fault = json.JSONDecoder().raw_decode(text := file.getvalue().decode(encoding)), text.rsplit("\n{", 1)[1]
        assert rows[0] == [{"a": "→ \xfc"}] and json.loads("{" + fault) == {"error": "→ \xfc"}


def test_charts_and_veris_hold_no_raw_control_character() -> None:
    drawn = svg.document("x", 1, 1, HOSTILE, [svg.rect(0, 0, 1, 1, "ink", title=HOSTILE), svg.text(0, 0, HOSTILE)])
    assert not RAW.search(drawn.decode())
    facts = made.facts(4, [HOSTILE, *made.HOSTILE])
    shown = veris.render(facts, made.context(facts)).decode()
    assert not RAW.search(shown)
    for chart in made.context(facts).drawn.values():
        assert not RAW.search(chart.svg.decode())


def test_a_folder_of_any_name_is_told_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It would write lines of its own, such as a verdict."""
    folder = Path(f"c\nVERDICT    nothing was found{HOSTILE}".replace("\x00", ""))
    terminal.created(folder / "case.toml")
    terminal.reported(results.Reported(folder, (folder / "reports" / "incident.html",), 1, 2, (), 0))
    said = capsys.readouterr().out
    assert [line[:9].strip() for line in said.splitlines()] == ["Case", "Answers", "Report"] and not RAW.search(said)


def test_shown_twice_is_shown_once() -> None:
    assert inked(visible(HOSTILE + "\\u{41}")) == visible(HOSTILE + "\\u{41}")
    assert visible(HOSTILE) == inked(HOSTILE)
