"""Every format a report can be written in, and what they share.

A format is a module with `render(facts, context)` that gives bytes, or {file name: bytes} for a folder of files.
It lays out what the facts hold and computes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.report import answers, docx, markdown, pdf, tables, veris, xlsx
from forensics.report import blocks as b
from forensics.report.facts import Facts
from forensics.report.wording import TEMPLATES, Words

if TYPE_CHECKING:
    from forensics.report.charts import Chart


@dataclass(frozen=True)
class Context:
    """What a format needs beside the facts."""

    words: Words
    pictures: Mapping[str, Chart] = field(default_factory=dict)
    """Charts by name, drawn from the same facts."""
    folder: Path | None = None
    """The user's own templates; what it lacks is taken from ours."""
    logo: tuple[str, bytes] | None = None
    """(what it shows, bytes of a PNG or JPEG file)."""

    def template(self, name: str) -> Path:
        """The user's own template of that name, or ours."""
        if self.folder is not None and (self.folder / name).is_file():
            return self.folder / name
        return TEMPLATES / self.words.language / name

    def charts(self, name: str) -> Iterator[b.Chart]:
        """The chart of that name as a block; nothing when the facts gave no such chart."""
        chart = self.pictures.get(name)
        if chart is not None:
            yield b.Chart(chart.svg.encode("utf-8"), chart.alt, chart.caption)


Render = Callable[[Facts, Context], bytes | dict[str, bytes]]

FORMATS: dict[str, tuple[str, Render]] = {
    "pdf": ("incident.pdf", pdf.render),
    "docx": ("incident.docx", docx.render),
    "xlsx": ("incident.xlsx", xlsx.render),
    "md": ("incident.md", markdown.render),
    "veris": ("incident.veris.json", veris.render),
    "csv": ("csv", tables.render),
    "answers": ("answers", answers.render),
}
"""Format → (file or folder name, render)."""
