"""Text of a quoted field that stands bare because the record around it is broken.

A record that breaks off inside quotes and runs into another one costs its first line alone (`native.exchange.csvscan`),
or becomes one with it. Where one of them holds a field of several lines (a subject, an answer), its further lines then
stand there as if they were records or headings, and an outsider wrote them.

Inside quotes every quote is doubled. So what follows a record that is broken, or has too many or too few columns, is
such text as long as it holds only runs of an even number of quotes, if the next odd one

- ends a field: a separator or a line end stands behind it (so in a file without a heading, from its beginning on);
- begins a record, as one began the broken record: where all records begin with quotes, nothing before it is one;
- begins a field, or never comes, and the broken record ends inside of quotes: it was cut there, perhaps in a field of
  several lines. Of what follows only so much is taken as a message's head may have, since a single quote that a
  script wrote would otherwise cost a file without any.

Else nothing was open, and the lines count as they stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from forensics.loaders.exchange.blocks import Layout, Records, breaks_in
from forensics.native.exchange import codes
from forensics.native.exchange.csvscan import LIMIT

INSIDE = (
    "behind a broken record, inside of quotes that do not begin or end: it may be text of that one, which others wrote"
)
_BREAK, _QUOTE = ord("\n"), ord('"')
_HEAD = 64 << 10
"""Bytes of a message's head at most (Microsoft Learn, "Message size and recipient limits in Exchange Server")."""
_RUN = re.compile(rb'"+')
Span = tuple[int, int]
"""Offsets of the first and of the last of some records."""


@dataclass(frozen=True)
class _Broken:
    """A broken record: where it ends, and where the record behind it begins (None: in the next block). `quoted`: it
    begins with a quote; `unclosed`: it ends inside of quotes."""

    end: int
    behind: int | None
    quoted: bool
    unclosed: bool


@dataclass
class Torn:
    """Takes the records of one evidence, block by block; `spans` are those that may be text of others."""

    separator: bytes
    spans: list[Span] = field(default_factory=list)
    _last: _Broken | None = None
    """Behind which no odd run of quotes has stood yet."""
    _begun: bool = False

    def feed(self, records: Records, layouts: Sequence[Layout]) -> None:
        """`layouts`: of all headings until here."""
        starting = _starting(records)
        if len(records) and not self._begun and (not layouts or layouts[0].offset < 0):
            self._last = _Broken(0, 0, quoted=False, unclosed=False)  # the beginning is missing, perhaps of a field
        self._begun |= len(records) > 0
        if not len(records) or (self._last is None and not len(starting)):
            return
        quoting, may_tell = self._quotes(records)
        if self._last is not None:
            if self._last.behind is None:
                self._last = replace(self._last, behind=int(records.offsets[0]))
            self._decide(records, quoting, layouts)
            if self._last is not None:
                return
        following = np.searchsorted(quoting, starting, side="right")
        some = following == len(quoting)
        first = records.text[records.starts] == _QUOTE
        at, r = following[~some], starting[~some]
        whole = (quoting[at] == r + 1) & first[quoting[at]]
        some[~some] = may_tell[at] | (first[r] & ~whole)
        for r, behind in zip(starting[some].tolist(), following[some].tolist(), strict=True):
            if _is_broken(records, r, layouts):
                self._last = _Broken(
                    int(records.offsets[r] + records.lengths[r]),
                    int(records.offsets[r + 1]) if r + 1 < len(records) else None,
                    self._row(records.raw(r)) and records.raw(r)[:1] == b'"',
                    records.kinds[r] == codes.BROKEN and self._row(records.raw(r)) and _open(records.raw(r)),
                )
                self._decide(records, quoting[behind:], layouts)
                if self._last is not None:
                    return

    def finish(self, end: int) -> None:
        """The content ends there."""
        last = self._last
        if last is not None and last.behind is not None and last.unclosed and end - last.end <= _HEAD:
            self.spans.append((last.behind, end))

    def _decide(self, records: Records, quoting: np.ndarray, layouts: Sequence[Layout]) -> None:
        """Looks for the first odd run of quotes in records that have any; without one nothing is decided yet."""
        last = self._last
        for r in quoting.tolist() if last is not None else ():
            assert last is not None
            raw, offset = records.raw(r), int(records.offsets[r])
            odd = _odd_runs(raw)
            if odd and offset - last.end <= LIMIT:
                first = offset if last.behind is None else last.behind
                before, behind = raw[: odd[0].start()][-1:], raw[odd[0].end() : odd[0].end() + 1]
                ends = before not in (b"", self.separator)
                known = [one for one in layouts if one.offset < last.end]
                closes = (behind == self.separator and (ends or _is_broken(records, r, known))) or (not behind and ends)
                if closes or (last.quoted and before):
                    self.spans.append((first, offset))
                elif first < offset and (last.quoted or (last.unclosed and offset - last.end <= _HEAD)):
                    self.spans.append((first, offset - 1))
            if odd or offset - last.end > LIMIT:
                self._last = None
                return

    def _row(self, raw: bytes) -> bool:
        """Whether a broken record is a row that got beyond its first field, which holds no text of others."""
        return self.separator in raw

    def _quotes(self, records: Records) -> tuple[np.ndarray, np.ndarray]:
        """(records that have quotes, whether the first run of them may end a field)."""
        found = np.flatnonzero(records.text == _QUOTE)
        at = np.searchsorted(found, records.starts)
        has = at < len(found)
        has[has] = found[at[has]] < records.ends[has]
        quoting = np.flatnonzero(has)
        behind = found[at[quoting]] + 1
        after = records.text[np.minimum(behind, len(records.text) - 1)]
        closes = (behind >= records.ends[quoting]) | (after == ord(self.separator)) | (after == _QUOTE)
        return quoting, closes


def _odd_runs(raw: bytes) -> list[re.Match[bytes]]:
    return [run for run in _RUN.finditer(raw) if len(run[0]) % 2]


def _open(raw: bytes) -> bool:
    """Whether it ends inside of quotes."""
    return len(_odd_runs(raw)) % 2 == 1


def _is_broken(records: Records, r: int, layouts: Sequence[Layout]) -> bool:
    """Is it broken, or of another number of columns than the heading before it?"""
    if records.kinds[r] != codes.DATA:
        return bool(records.kinds[r] == codes.BROKEN)
    before = [layout for layout in layouts if layout.offset < records.offsets[r]]
    return bool(before) and len(records.cells(r)) != len(before[-1].names)


def _starting(records: Records) -> np.ndarray:
    """Broken lines, records of several lines, and those that end in a quote before one that begins with none."""
    found = records.kinds == codes.BROKEN
    quoted = records.text[np.maximum(records.ends - 1, 0)] == _QUOTE
    following = np.r_[records.text[records.starts[1:]] == _QUOTE, False]
    found |= quoted & ~following
    if breaks_in(records.text) > len(records):
        breaks = np.flatnonzero(records.text == _BREAK)
        rows = np.searchsorted(records.starts, breaks, side="right") - 1
        found[rows[(rows >= 0) & (breaks < records.ends[rows])]] = True
    starting: np.ndarray = np.flatnonzero(found)
    return starting


def within(spans: tuple[Span, ...] | list[Span], offsets: np.ndarray) -> np.ndarray:
    """Which records (by their offsets) lie in these spans, that are in order."""
    if not spans:
        return np.zeros(len(offsets), np.bool_)
    first, last = np.array(spans, np.int64).T
    at = np.searchsorted(first, offsets, side="right") - 1
    found: np.ndarray = (at >= 0) & (offsets <= last[at])
    return found
