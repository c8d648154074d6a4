"""The first pass over an evidence: encoding, headers and where they hold, records, first and last time, date order."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.loaders.base import Block, Settings, Survey
from forensics.loaders.exchange import blocks, encodings, online, tracking
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.dates import Dates
from forensics.loaders.exchange.sniff import HEAD, form, guess, header_names
from forensics.native.exchange import codes
from forensics.native.exchange.moments import NO_TIME, span
from forensics.native.exchange.slots import TIME


@dataclass(frozen=True)
class ScanPlan:
    """What `scan` must know about the whole file.

    `order`: date order of a local date format; `zone`: of stamps that name none (None: UTC); see `dates.Dates`.
    """

    layouts: tuple[blocks.Layout, ...] = ()
    order: str | None = None
    zone: str | None = None
    json: bool = False
    """The evidence begins as JSON: a block that does not was cut out of a document that is too long to be read."""


class Surveyor:
    """Feeds on the blocks of one evidence in order; `result` gives the survey, its plan a `ScanPlan`."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._layouts: list[blocks.Layout] = []
        self._numbers: dict[int, int] = {}
        self._records = 0
        self._json = False
        self._first: int | None = None
        self._last: int | None = None
        self._notes: dict[str, Any] = {}
        self._beside = ThreadPoolExecutor(1)
        self._waiting: Future[tuple[int, int]] | None = None
        self._dates = Dates(name, settings.date_order(name), settings.for_source(name)[1])

    def feed(self, block: Block) -> None:
        coding, json = form(bytes(block.data[:HEAD]))
        if coding != encodings.UTF8:
            self._notes["encoding"] = coding
        self._numbers[block.offset] = self._records + 1
        self._json |= json and block.offset == 0
        if json:
            texts, walls, count = online.json_times(block.data, coding)
            self._records += count
            self._dates.add(texts)
            self._dates.add(walls, wall=bool(walls))
            return
        records = blocks.read(block.data, block.offset, coding, fields=False)
        self._records += len(records)
        self._headers(records)
        for low, high, layout in blocks.segments(records, tuple(self._layouts)):
            if layout is None:
                continue
            data = low + np.flatnonzero(records.kinds[low:high] == codes.DATA)
            column = int(f.positions(layout.names)[TIME])
            if layout.kind == "tracking" and column == 0:
                self._times_of(records, data)
                continue
            if not len(records.stops):
                records = blocks.read(block.data, block.offset, coding)
            if layout.kind == "tracking":
                begin, end = tracking.slot_fields(records, low, high, layout)
                data -= low
                self._times(*span(records.text, begin[:, TIME].copy(), end[:, TIME].copy(), data, whole=False))
            else:
                self._dates.add(online.times(records, data, layout), wall=layout.kind == "export")

    def _headers(self, records: blocks.Records) -> None:
        """Finds `#Fields` lines and header rows; guesses a layout where data comes before any header."""
        marked = {int(r) for r in np.flatnonzero(records.kinds == codes.COMMENT)}
        data = np.flatnonzero(records.kinds == codes.DATA)
        if len(data):
            marked |= {int(r) for r in data[_letters(records.text, records.starts[data])]}
            marked.add(int(data[0]))
        for r in sorted(marked):
            names = header_names(records.raw(r))
            if names:
                last = self._layouts[-1] if self._layouts else None
                # The same header again matters only where it is a row that must not be read as data.
                if last is None or last.names != names or last.offset < 0 or records.kinds[r] == codes.DATA:
                    self._layouts.append(blocks.Layout(int(records.offsets[r]), names))
            elif not self._layouts and records.kinds[r] == codes.DATA:
                names = guess(records.cells(r))
                if names:
                    self._layouts.append(blocks.Layout(-1, names))
                    count = len(names)
                    self._notes["columns"] = f"no header before the first record: {count} columns, {f.VERSIONS[count]}"

    def _times_of(self, records: blocks.Records, data: np.ndarray) -> None:
        """Times of records that begin with them, looked for while the next block is read and cut."""
        self._wait()
        self._waiting = self._beside.submit(span, records.text, records.starts, records.ends, data, whole=True)

    def _wait(self) -> None:
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._times(*waiting.result())

    def _times(self, low: int, high: int) -> None:
        if low != NO_TIME:
            self._first = low if self._first is None else min(self._first, low)
            self._last = high if self._last is None else max(self._last, high)

    def result(self) -> Survey:
        """Raises AmbiguousTime when dates have a local format whose order the file leaves open."""
        self._wait()
        self._beside.shutdown()
        order, zone, span, notes = self._dates.decide()
        if span:
            self._first = span[0] if self._first is None else min(self._first, span[0])
            self._last = span[1] if self._last is None else max(self._last, span[1])
        versions = sorted({_label(layout) for layout in self._layouts if layout.kind != "unknown"})
        found: Mapping[str, Any] = {**({"layout": versions} if versions else {}), **self._notes, **notes}
        return Survey(
            records=self._records,
            first=self._first,
            last=self._last,
            blocks=dict(self._numbers),
            plan=ScanPlan(tuple(self._layouts), order, zone, self._json),
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
