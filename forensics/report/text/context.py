"""What every format is handed beside the facts: words, charts, templates, logo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import UsageError
from forensics.report.text.blocks import Chart
from forensics.report.text.wording import TEMPLATES, Words

_LOGOS = (".png", ".jpg", ".jpeg", ".svg")


@dataclass(frozen=True)
class Quoted:
    """A record in its evidence: its first byte, its bytes, and the same as text in the evidence's own encoding."""

    offset: int
    content: bytes
    text: str


@dataclass(frozen=True)
class Context:
    words: Words
    drawn: Mapping[str, Chart] = field(default_factory=dict)
    folder: Path | None = None
    """The user's own templates and words; they come before ours."""
    logo: tuple[str, bytes] | None = None
    """(what it shows, bytes of a PNG, JPEG or SVG file)."""
    quotes: dict[tuple[str, int], Quoted] | None = None
    """(`ref` of the evidence, number of the record) → the record as it stands there, where a format quotes it."""
    tokens: Mapping[tuple[str, str], str] | None = None
    """The case's own tokens (`redaction.names`), where a format names files by them."""

    def charts(self, name: str) -> Iterator[Chart]:
        """The chart of this name, or none."""
        if name in self.drawn:
            yield self.drawn[name]

    def template(self, name: str) -> Path:
        """A template file: the user's own, the language's, or the common one."""
        places = [TEMPLATES / self.words.language, TEMPLATES]
        if self.folder is not None:
            places.insert(0, self.folder)
        for place in places:
            if (place / name).is_file():
                return place / name
        raise FileNotFoundError(name)


def logo(path: Path | None, shows: str) -> tuple[str, bytes] | None:
    """A logo from a file. Raises UsageError when it is no picture that reports can hold."""
    if path is None:
        return None
    if path.suffix.lower() not in _LOGOS or not path.is_file():
        raise UsageError(f"{path}: is no logo", expected="a PNG, JPEG or SVG file")
    return shows, path.read_bytes()


def media_type(picture: bytes) -> str:
    """PNG and JPEG by their signature, else SVG."""
    if picture.startswith(b"\x89PNG"):
        return "image/png"
    return "image/jpeg" if picture.startswith(b"\xff\xd8") else "image/svg+xml"
