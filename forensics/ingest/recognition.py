"""Which loader an evidence is for, and what is around its records: told by its beginning, or where that does not tell,
by any later part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from forensics import loaders, wraps
from forensics.loaders import marks
from forensics.loaders.base import Surveyor, whole_lines
from forensics.loaders.settings import Settings

NO_FORMAT: Final = "no known log format"
_HEADING: Final = re.compile(rb"(?m)^(?:#[^\n]*\n)*?(#Fields:[^\n]*)")
"""Comments with the columns of the log that follows (W3C Extended Log File Format)."""
_HEADINGS: Final = 100
"""Different ones in one block that may begin another log."""


class Reading:
    """The first reading of one evidence, block by block. `wrap`, `loader`, `surveyor` and `notes` are what it came to;
    `name`: the evidence's display name; `known`: the loader, where an earlier reading told it."""

    def __init__(self, name: str, settings: Settings, known: str | None) -> None:
        self.name = name
        self.settings = settings
        self.wrap = wraps.Wrap()
        self.notes = wraps.Notes(self.wrap)
        self.loader = known
        self.surveyor: Surveyor | None = None
        self._confidence = 1.0 if known else 0.0
        self._missed = False
        self._head = self._inside = b""
        self._quotes = marks.Quotes(b"")

    @property
    def hopeless(self) -> bool:
        """Nothing that follows can be read, either."""
        return marks.is_binary(self._head)

    def begin(self, head: bytes) -> None:
        """`forensics.custody.evidence.blocks` calls it."""
        self._head = head
        self.wrap = wraps.recognise(head)
        if self.settings.for_source(self.name)[1]:
            self.wrap = replace(self.wrap, offset=None)  # what people say of the zone wins
        if carriers := self.settings.carriers(self.name):
            self.wrap = replace(self.wrap, carriers=carriers)
        self.notes = wraps.Notes(self.wrap)
        self._inside = wraps.inside(head, self.wrap)
        self._quotes = marks.Quotes(self._inside)
        if self.loader is None and not self.hopeless:
            self.loader, self._confidence = loaders.surest(self._inside)

    def split(self, data: Any, last: bool) -> int:
        """`forensics.custody.evidence.Split`."""
        split = loaders.load(self.loader).split if self.loader else whole_lines
        return wraps.split(data, last, self.wrap, split)

    def feed(self, block: wraps.Block) -> str | None:
        """The name of another loader that is surer of this block, if blocks were cut for another, or went by."""
        inner = wraps.unwrap(block, self.wrap)
        if self._confidence < loaders.SURE:
            name, confidence = _surest(self._quotes.without(inner.data.tobytes()))
            if confidence > self._confidence:
                changed = name != self.loader
                self.loader, self._confidence = name, confidence
                if self._missed or (changed and (self.surveyor or self.wrap.form == wraps.PLAIN)):
                    return name
        if self.loader is None:
            self._missed = True
            return None
        if self.surveyor is None:
            self.surveyor = loaders.load(self.loader).surveyor(self.name, self.settings)
        self.surveyor.feed(inner)
        self.notes.feed(inner)
        return None

    def refusal(self, otherwise: str) -> str:
        """Why it is not read: as a format that is known by its name, or in these words."""
        return wraps.refusal(self._head) or loaders.refusal(self._head) or loaders.refusal(self._inside) or otherwise


def _surest(data: bytes) -> tuple[str | None, float]:
    """The loader that is surest of any piece of these lines, with its confidence."""
    best: tuple[str | None, float] = None, 0.0
    for piece in _pieces(data):
        if b"@" not in piece:  # no mail
            continue
        found = loaders.surest(piece)
        if found[1] > best[1]:
            best = found
        if best[1] >= loaders.SURE:
            break
    return best


def _pieces(data: bytes) -> Iterator[bytes]:
    """Pieces of whole lines: what stands in the middle of a line may be an outsider's, and is the beginning of none.
    One begins at every new heading."""
    seen: dict[bytes, int] = {}
    for found in _HEADING.finditer(data) if b"#Fields:" in data else ():
        seen.setdefault(found[1], found.start())
        if len(seen) == _HEADINGS:
            break
    starts = sorted({0, *seen.values()})
    for start, stop in zip(starts, [*starts[1:], len(data)], strict=True):
        while start < stop:
            end = data.find(b"\n", start + wraps.HEAD, stop) + 1 or stop
            yield data[start:end]
            start = end
