"""The table of what the PDF's fonts can draw is true of the installed typst."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
import typst

from forensics.report.formats.glyphs import FAMILIES, drawable
from forensics.report.formats.pdf import drawn, fonts


def set_all(families: tuple[str, ...], characters: list[int]) -> Any:
    """Has typst set each character; PDF/UA-1 refuses a page with a missing glyph."""
    source = (
        f'#set document(title: "glyphs")\n#set text(font: {json.dumps(families)[1:-1].join("()")}, fallback: false, '
        'lang: "en")\n#json(bytes(sys.inputs.lines)).join(linebreak())'
    )
    lines = json.dumps(["x" + chr(c) for c in characters])
    compiler = typst.Compiler(source.encode(), font_paths=fonts(), sys_inputs={"lines": lines})
    return compiler.compile(format="pdf", timestamp=0, pdf_standards=["ua-1"])


@pytest.mark.parametrize("families", [FAMILIES, (FAMILIES[1], FAMILIES[0], FAMILIES[2])])
def test_every_listed_character_is_drawn(families: tuple[str, ...]) -> None:
    assert len(drawable()) > 4_500
    assert set_all(families, sorted(drawable())).startswith(b"%PDF")


def test_the_check_can_fail() -> None:
    with pytest.raises(typst.TypstError):
        set_all(FAMILIES, [ord("中")])


def test_scripts_of_ordinary_reports_are_there() -> None:
    for text in ("Zoë Łódź Ñandú", "Ελλάδα", "Москва", "“quotes” – €"):
        assert {ord(c) for c in text} <= drawable()
    assert not [c for c in drawable() if unicodedata.category(chr(c)) in ("Cc", "Cf", "Cs", "Co", "Cn")]


def test_labels_of_charts_lose_nothing() -> None:
    assert drawn("<text>a中é</text>".encode()) == "<text>a\\u{4e2d}é</text>"
