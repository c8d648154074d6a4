"""The parts a laid-out report is made of, whatever the format.

`document.compose` says the report once, as a sequence of these blocks; PDF, Word and Markdown only set them.
Text in a block is as it is in the evidence: each format escapes it for itself (`visible`, then its own rules).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

SPANS = ("text", "strong", "em", "code", "mark", "exposed", "missing", "soft", "ref")
"""How a run of text is set. `code`: a value from the evidence (address, host, digest), letters told apart; `mark`:
letters of such a value where two spellings differ. `exposed`: the one use of the warning colour. `missing`: an answer
nobody has given yet. `ref`: the name of a finding or an incident (`I1`), a link where the format has links."""


@dataclass(frozen=True)
class Span:
    kind: str
    text: str

    def __post_init__(self) -> None:
        if self.kind not in SPANS:
            raise ValueError(f"unknown kind of span: {self.kind}")


Spans = tuple[Span, ...]


def text(*parts: str | Span | Spans) -> Spans:
    """Spans from plain strings, spans and sequences of spans."""
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            if part:
                spans.append(Span("text", part))
        elif isinstance(part, Span):
            spans.append(part)
        else:
            spans.extend(part)
    return tuple(spans)


def code(value: str) -> Span:
    return Span("code", value)


@dataclass(frozen=True)
class Heading:
    level: int
    text: str
    anchor: str = ""
    """Name that links lead to: a section's key, `I1`, `F1`."""


@dataclass(frozen=True)
class Para:
    spans: Spans
    style: str = "body"
    """`lead` for the position in one paragraph, `note` for what qualifies a table, `under` for a line that belongs to
    the heading above and the block below it, else `body`."""


@dataclass(frozen=True)
class Items:
    items: tuple[Spans, ...]
    small: bool = False


@dataclass(frozen=True)
class Terms:
    """Names and their values, a line each."""

    items: tuple[tuple[str, Spans], ...]


@dataclass(frozen=True)
class Figure:
    """One headline number."""

    value: str
    label: str
    exposed: bool = False
    kind: str = "count"
    """`count`, `day`, or `missing` for an answer nobody has given yet."""


@dataclass(frozen=True)
class Figures:
    items: tuple[Figure, ...]


@dataclass(frozen=True)
class Point:
    """One point of the one-page report: a section in short."""

    number: int
    title: str
    spans: Spans
    anchor: str
    """Of the section's heading."""


@dataclass(frozen=True)
class Points:
    items: tuple[Point, ...]


@dataclass(frozen=True)
class Letters:
    """Part of a domain; `mark` where the two spellings differ."""

    text: str
    mark: bool


@dataclass(frozen=True)
class SlipLine:
    """The slip letter by letter: what was meant, what was typed, what happened in words."""

    meant: tuple[Letters, ...]
    typed: tuple[Letters, ...]
    meant_label: str
    typed_label: str


@dataclass(frozen=True)
class Column:
    title: str
    align: str = "left"
    width: int = 0
    """Share of the line's free width; 0 = as wide as its content."""


@dataclass(frozen=True)
class Table:
    columns: tuple[Column, ...]
    rows: tuple[tuple[Spans, ...], ...]
    caption: str = ""
    small: bool = False
    """Annex size."""


@dataclass(frozen=True)
class Chart:
    svg: bytes
    alt: str
    caption: str = ""
    share: float = 1.0
    """Of the line's width that it fills."""
    wide: bool = False
    """May be wider than the text where the page has room."""


@dataclass(frozen=True)
class Listing:
    """Commands for a shell, a line each."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class NewPage:
    pass


Laid = Heading | Para | Items | Terms | Figures | Points | SlipLine | Table | Chart | NewPage
Block = Laid | Listing


@dataclass(frozen=True)
class Document:
    """A report, ready to be set."""

    title: str
    kicker: str
    subtitle: str
    author: str
    handling: str
    head_left: str
    """Case, edition and status: repeated at the head of every page."""
    head_right: str
    digest: str
    foot_left: str
    """n of N required items answered: repeated at the foot of every page."""
    verify: str
    page: str
    """Word before the page number."""
    of: str
    language: str
    paper: str = "a4"
    """`a4` or `us-letter`."""
    first: tuple[Block, ...] = field(default=())
    """The one page that says it all in short; the format keeps it on one page."""
    blocks: tuple[Block, ...] = field(default=())
    """What stands behind that page."""


def cells(values: Iterable[str | Span | Spans]) -> tuple[Spans, ...]:
    """One table row from strings, spans or sequences of spans."""
    return tuple(text(value) for value in values)


def plain(spans: Sequence[Span]) -> str:
    """The spans' text without how it is set."""
    return "".join(span.text for span in spans)


def unlisted(blocks: Iterable[Block]) -> Iterator[Laid]:
    """The blocks with every command a paragraph of its own, for formats that know no listing."""
    for block in blocks:
        if isinstance(block, Listing):
            yield from (Para((code(line),), "note") for line in block.lines)
        else:
            yield block
