"""A block of CSV as records and fields, with the layout in force at each record.

Shared by the survey and by the scan: `read` finds records; `Layout` says from which offset of the content which
header holds.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forensics.loaders import base
from forensics.loaders.base import PADDING
from forensics.loaders.exchange import fields as f
from forensics.native.exchange import csvscan

Array = np.ndarray


@dataclass(frozen=True)
class Layout:
    """Column names that hold behind content offset `offset` (the header's own record; -1: assumed from the start)."""

    offset: int
    names: tuple[str, ...]

    @functools.cached_property
    def kind(self) -> str:
        """As `fields.kind`."""
        return f.kind(self.names)

    @functools.cached_property
    def online(self) -> bool:
        """Written by Exchange Online: its reports have underscores in the names of columns."""
        return self.kind not in ("tracking", "export") or any("_" in name.replace("$_", "") for name in self.names)

    @functools.cached_property
    def old(self) -> bool | None:
        """Written by a server before Exchange 2013; None where that cannot be told (`fields.is_old`)."""
        return not self.online and f.is_old(self.names)

    @functools.cached_property
    def has_twice(self) -> bool:
        """Several columns have one name."""
        names = [f.squeezed(name) for name in self.names if f.is_read(name)]
        return len(set(names)) < len(names)

    def columns(self, *names: str) -> tuple[int, ...]:
        """Where columns of these names are, as `fields.squeezed` spells them."""
        return tuple(i for i, name in enumerate(self.names) if f.squeezed(name) in names)


@dataclass(frozen=True)
class Records:
    """All records of one block. Positions count in `text`; `offsets`, `lengths` in the evidence.

    `firsts` and `stops` (fields) are empty where only records were asked for.
    """

    text: Array
    starts: Array
    ends: Array
    kinds: Array
    firsts: Array
    stops: Array
    offsets: Array
    lengths: Array
    separator: str = ","

    def __len__(self) -> int:
        return len(self.starts)

    def raw(self, r: int) -> bytes:
        return bytes(self.text[self.starts[r] : self.ends[r]])

    def cells(self, r: int) -> list[str]:
        """All fields of a data record as text."""
        if not len(self.stops):
            line = self.raw(r) + b"\r\n"  # a CR at its end is its own
            text = np.frombuffer(line + bytes(PADDING), np.uint8)[: len(line)]
            return read_text(text, self.separator).cells(0)
        out = []
        s = int(self.starts[r])
        for stop in self.stops[self.firsts[r] : self.firsts[r + 1]].tolist():
            raw = bytes(self.text[s:stop])
            if len(raw) >= 2 and raw[:1] == b'"':
                raw = raw[1:-1].replace(b'""', b'"')
            out.append(raw.decode("utf-8", "replace"))
            s = stop + 1
        return out

    def columns(self, r: int) -> int:
        return int(self.firsts[r + 1] - self.firsts[r])


def read(block: base.Block, separator: str = ",", *, fields: bool = True) -> Records:
    """Records of a block that holds whole records.

    Without `fields` only where records are, which takes a tenth of the time.
    """
    text = block.data
    found = (None if fields else _kept(text)) or _records(text, separator, last=True, fields=fields)[0]
    offsets, lengths = base.places(block, found[0], found[1])
    return Records(text, found[0], found[1], found[2], found[3], found[4], offsets, lengths, separator)


def read_text(text: Array, separator: str = ",") -> Records:
    """The same of a text that is no block: addresses count in it."""
    found = _records(text, separator, last=True, fields=True)[0]
    offsets, lengths = found[0].astype(np.int64), (found[1] - found[0]).astype(np.int64)
    return Records(text, found[0], found[1], found[2], found[3], found[4], offsets, lengths, separator)


def fielded(records: Records) -> Records:
    """Records that were read without their fields, with them."""
    starts, ends, kinds, firsts, stops = _records(records.text, records.separator, last=True, fields=True)[0]
    return Records(
        records.text, starts, ends, kinds, firsts, stops, records.offsets, records.lengths, records.separator
    )


def _records(text: Array, separator: str, *, last: bool, fields: bool) -> tuple[tuple[Array, ...], int]:
    n, mark = len(text), ord(separator)
    got = _into(text, mark, n // 100 + 64, n // 12 + 64, last=last, fields=fields)
    if got is None:  # shorter records, or more fields, than logs have: count them
        lines, marks = int(np.count_nonzero(text == 10)), int(np.count_nonzero(text == mark))
        got = _into(text, mark, lines + 2, lines + marks + 16, last=last, fields=fields)
    if got is None:
        raise AssertionError(f"{lines} lines and {marks} separators leave no room for their records")
    return got


def _into(
    text: Array, mark: int, most: int, stops_most: int, *, last: bool, fields: bool
) -> tuple[tuple[Array, ...], int] | None:
    """`_records` with room for so many records and fields; None when there are more."""
    found = np.empty(3, np.int64)
    starts = np.empty(most, np.int32)
    ends = np.empty(most, np.int32)
    kinds = np.empty(most, np.int8)
    firsts = np.empty(most + 1, np.int32)
    stops = np.empty(stops_most if fields else 0, np.int32)
    csvscan.records(text, starts, ends, kinds, firsts, stops, mark, csvscan.LIMIT, last, fields, found)
    r, k, taken = (int(count) for count in found)
    if r < 0:
        return None
    return (starts[:r], ends[:r], kinds[:r], firsts[: r + 1], stops[:k]), taken


_last = threading.local()
"""What `complete` found in the buffer that it cut last in this thread: the block that follows is its beginning."""


def _kept(data: Array) -> tuple[Array, ...] | None:
    """Records of a block that `complete` just cut from the same memory, which the reference kept from being reused."""
    cut = getattr(_last, "cut", None)
    _last.cut = None
    if cut is None or cut[0].ctypes.data != data.ctypes.data or cut[1] != len(data):
        return None
    found: tuple[Array, ...] = cut[2]
    return found


def complete(data: Array, last: bool, separator: str = ",") -> int:
    """Bytes at the start of `data` that are complete records; 0 to ask for the whole file, where its later blocks would
    not show what separates its columns (`sniff.separator`)."""
    if last:
        return len(data)
    if separator != ",":
        return 0
    found, taken = _records(data, separator, last=False, fields=False)
    _last.cut = (data, taken, found)
    return taken if len(found[0]) else 0  # a byte order mark alone is no record


def breaks_in(text: Array) -> int:
    """How many line feeds; counted in pieces that fit the processor's cache."""
    return sum(int(np.count_nonzero(text[at : at + _PIECE] == _BREAK)) for at in range(0, len(text), _PIECE))


_BREAK = ord("\n")
_PIECE = 256 << 10


def segments(records: Records, layouts: tuple[Layout, ...]) -> Iterator[tuple[int, int, Layout | None]]:
    """(low, high, layout) over all records of the block; the layout is None before the first header."""
    marks = np.array([layout.offset for layout in layouts], np.int64)
    at = np.searchsorted(marks, records.offsets, side="right")
    low = 0
    while low < len(records):
        high = int(np.searchsorted(at, at[low], side="right"))
        yield low, high, layouts[int(at[low]) - 1] if at[low] else None
        low = high
