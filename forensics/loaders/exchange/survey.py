"""The first pass over an evidence: encoding, headers and where they hold, records, first and last time, date order."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.errors import EvidenceError
from forensics.loaders.base import Block, Survey
from forensics.loaders.exchange import blocks, online, torn, tracking
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.dates import Dates
from forensics.loaders.exchange.sniff import (
    BARE,
    HEAD,
    guess,
    header_names,
    is_json,
    is_separator_line,
    nearly,
    separator_of,
)  # fmt: skip
from forensics.loaders.settings import Settings
from forensics.native.exchange import codes
from forensics.native.exchange.moments import NO_TIME, span
from forensics.native.exchange.slots import TIME

SILENT = (
    "no column Status says what became of the messages: every outcome is unknown; export it again: "
    + f.COMMANDS["trace"]
)


@dataclass(frozen=True)
class ScanPlan:
    """What `scan` must know about the whole file.

    `order`: date order of a local date format; `zone`: of stamps that name none (None: UTC); see `dates.Dates`.
    `inside`: records that may be text of others (`torn`).
    """

    layouts: tuple[blocks.Layout, ...] = ()
    order: str | None = None
    zone: str | None = None
    separator: str = ","
    inside: tuple[torn.Span, ...] = ()
    to_minute: bool = False
    """All times of an export end with a whole minute."""


class Surveyor:
    """Feeds on the blocks of one evidence in order; `result` gives the survey, its plan a `ScanPlan`."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._layouts: list[blocks.Layout] = []
        self._numbers: dict[int, int] = {}
        self._records = 0
        self._first: int | None = None
        self._last: int | None = None
        self._notes: dict[str, Any] = {}
        self._name = name
        self._separator = ","
        self._torn = torn.Torn(b",")
        self._end = 0
        self._nearly: str | None = None
        self._silent = False
        self._beside = ThreadPoolExecutor(1)
        self._waiting: tuple[Future[tuple[int, int, bool, bool]], blocks.Records, np.ndarray, blocks.Layout] | None = (
            None
        )
        self._dates = Dates(name, settings.date_order(name), settings.for_source(name)[1])

    def feed(self, block: Block) -> None:
        self._numbers[block.offset] = self._records + 1
        head = bytes(block.data[:HEAD])
        json, separator = is_json(block), separator_of(head)
        if block.offset == 0:
            self._separator, self._nearly = separator, None if json else nearly(head)
            self._torn = torn.Torn(separator.encode())
        if json:
            self._json_times(block)
            return
        records = blocks.read(block, separator, fields=False)
        self._records += len(records)
        if separator != self._separator:
            return
        self._headers(records)
        self._torn.feed(records, self._layouts)
        self._end = int(records.offsets[-1] + records.lengths[-1]) if len(records) else self._end
        self._without_torn()
        for low, high, layout in blocks.segments(records, tuple(self._layouts)):
            if layout is None:
                continue
            data = low + np.flatnonzero(records.kinds[low:high] == codes.DATA)
            data = data[~np.isin(records.offsets[data], [one.offset for one in self._layouts])]
            data = data[~torn.within(self._torn.spans, records.offsets[data])]
            if layout.kind != "tracking":
                if not len(records.stops):
                    records = blocks.read(block, separator)
                seen = online.times(records, data, layout)
                self._dates.add(seen.times, wall=layout.kind == "export", utc=seen.utc)
                self._dates.add(seen.bounds, bounds=True)
                self._silent |= seen.silent
            elif int(f.positions(layout.names)[TIME]) == 0 and separator == ",":
                self._times_of(records, data, layout)
            else:
                self._times(records, data, layout, self._span(records, data, layout))

    def _json_times(self, block: Block) -> None:
        found, walls, count = online.json_times(block)
        self._records += count
        for seen in found:
            self._dates.add(seen.times, utc=seen.utc)
            self._dates.add(seen.bounds, bounds=True)
            self._silent |= seen.silent
        self._dates.add(walls, wall=True)

    def _headers(self, records: blocks.Records) -> None:
        """Finds `#Fields` lines and header rows; guesses a layout where data comes before any header."""
        marked = {int(r) for r in np.flatnonzero(records.kinds == codes.COMMENT)}
        data = np.flatnonzero(records.kinds == codes.DATA)
        if len(data):
            marked |= {int(r) for r in data[_letters(records.text, records.starts[data])]}
            marked.add(int(data[0]))
        for r in sorted(marked):
            raw = records.raw(r)
            names = header_names(raw, self._separator)
            if names:
                last = self._layouts[-1] if self._layouts else None
                # The same header again matters only where it is a row that must not be read as data.
                if last is None or last.names != names or last.offset < 0 or records.kinds[r] == codes.DATA:
                    self._layouts.append(blocks.Layout(int(records.offsets[r]), names))
            elif not self._layouts and records.kinds[r] == codes.DATA and not is_separator_line(raw):
                self._guess(records, r)
        if not self._layouts:
            # among lines of other programs
            for found in itertools.islice(BARE.finditer(records.text.tobytes()), 64):
                r = int(np.searchsorted(records.starts, found.start()))
                if r < len(records) and records.kinds[r] == codes.DATA and self._guess(records, r):
                    break

    def _without_torn(self) -> None:
        """Leaves out headings that may be text of others."""
        at = np.array([layout.offset for layout in self._layouts], np.int64)
        inside = torn.within(self._torn.spans, at)
        self._layouts = [layout for layout, one in zip(self._layouts, inside, strict=True) if not one]

    def _guess(self, records: blocks.Records, r: int) -> bool:
        names = guess(records.cells(r))
        if names:
            self._layouts.append(blocks.Layout(-1, names))
            count = len(names)
            self._notes["columns"] = f"no header before the first record: {count} columns, {f.VERSIONS[count]}"
        return names is not None

    def _times_of(self, records: blocks.Records, data: np.ndarray, layout: blocks.Layout) -> None:
        """Times of records that begin with them, looked for while the next block is read and cut."""
        self._wait()
        future = self._beside.submit(span, records.text, records.starts, records.ends, data, whole=True)
        self._waiting = future, records, data, layout

    def _wait(self) -> None:
        if self._waiting is not None:
            (future, records, data, layout), self._waiting = self._waiting, None
            self._times(records, data, layout, future.result())

    @staticmethod
    def _span(records: blocks.Records, data: np.ndarray, layout: blocks.Layout) -> tuple[int, int, bool, bool]:
        low, high = (int(data[0]), int(data[-1]) + 1) if len(data) else (0, 0)
        whole = records if len(records.stops) else blocks.fielded(records)
        begin, end = tracking.slot_fields(whole, low, high, layout)
        return span(whole.text, begin[:, TIME].copy(), end[:, TIME].copy(), data - low, whole=False)

    def _times(
        self, records: blocks.Records, data: np.ndarray, layout: blocks.Layout, found: tuple[int, int, bool, bool]
    ) -> None:
        """Takes what was found of times; where some are not as servers write them, all texts decide what they are."""
        low, high, zoneless, unreadable = found
        if zoneless or unreadable:
            column = int(f.positions(layout.names)[TIME])
            rows = (records.cells(int(r)) for r in data)
            texts = [cells[column] for cells in rows if len(cells) == len(layout.names)]
            self._dates.add(texts, utc=f.is_utc(layout.names))
        elif low != NO_TIME:
            self._first = low if self._first is None else min(self._first, low)
            self._last = high if self._last is None else max(self._last, high)

    def result(self) -> Survey:
        """Raises AmbiguousTime when dates have a local format whose order the file leaves open, EvidenceError for an
        export that lacks what tells messages, recipients or times apart."""
        self._wait()
        self._beside.shutdown()
        self._torn.finish(self._end)
        self._without_torn()
        if self._nearly and not self._layouts:
            raise EvidenceError(self._nearly)
        order, zone, span, notes = self._dates.decide()
        if span:
            self._first = span[0] if self._first is None else min(self._first, span[0])
            self._last = span[1] if self._last is None else max(self._last, span[1])
        versions = sorted({_label(layout) for layout in self._layouts if layout.kind != "unknown"})
        noted = [*notes.pop("noted", []), *([SILENT] if self._silent else [])]
        found: Mapping[str, Any] = {
            **({"layout": versions} if versions else {}), **self._notes, **notes, **({"noted": noted} if noted else {}),
        }  # fmt: skip
        return Survey(
            records=self._records,
            first=self._first,
            last=self._last,
            blocks=dict(self._numbers),
            plan=ScanPlan(
                tuple(self._layouts), order, zone, self._separator, tuple(self._torn.spans), self._dates.to_minute
            ),
            notes=dict(found),
        )


def _label(layout: blocks.Layout) -> str:
    count = len(layout.names)
    if layout.kind == "summary":
        return "Exchange Online summary report"
    if layout.kind == "export":
        return "Get-MessageTrackingLog export"
    if layout.kind == "trace":
        return "Exchange Online message trace"
    if layout.kind == "events":
        return "Defender EmailEvents"
    if layout.online:
        return "Exchange Online extended report"
    return f.VERSIONS.get(count, f"tracking log of {count} columns")


def _letters(text: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Records that begin with a letter, perhaps in quotes: only such can be header rows."""
    first = text[starts]
    second = text[np.minimum(starts + 1, len(text) - 1)]
    c = np.where(first == 34, second, first) | 32
    letters: np.ndarray = (c >= 97) & (c <= 122)
    return letters
