"""Records whose columns of addresses, ids or times were cut: by the end of a file, by the longest cell of a program.

What is left of a cut address is another address (`.co` of `.com`), of a cut id another message. Nothing of such a
record is believed.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from forensics.loaders.exchange import addresses
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange.blocks import Layout, Records
from forensics.native.exchange import codes

LONGEST: Final = (255, 256, 4000, 8000, 32767)
"""Characters of a cell at most: of text drivers and old spreadsheets, of columns of databases, of Excel
(support.microsoft.com, "Excel specifications and limits")."""
CUT: Final = (
    "its list of addresses is exactly as long as the longest cell of some program, and no count of recipients says "
    "that it is whole: hand in the file as it was exported"
)
UNENDED: Final = (
    "the file ends in this record's last column, without a line end: what stands there may be cut; hand in a whole copy"
)
_WHOLE: Final = re.compile(r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?|<.*>|.*Z", re.I | re.S)
"""What shows by itself that it is whole: a GUID, a Message-ID, a time in UTC."""


def cut(records: Records, low: int, high: int, layout: Layout, kinds: np.ndarray) -> list[int]:
    """Data records of a segment with a column of addresses that a program cut at its longest."""
    rows = low + np.flatnonzero(kinds[low:high] == codes.DATA)
    have = records.firsts[rows + 1] - records.firsts[rows]
    rows = rows[have == len(layout.names)]
    names = f.addresses(layout.kind)
    found = np.zeros(len(rows), np.bool_)
    columns = [c for c, name in enumerate(layout.names) if f.squeezed(name) in names]
    for c in columns:
        stop = records.stops[records.firsts[rows] + c]
        begin = records.starts[rows] if c == 0 else records.stops[records.firsts[rows] + c - 1] + 1
        found |= np.isin(stop - begin, _SIZES)
    counts = layout.columns("recipientcount")
    return [r for r in rows[found].tolist() if _is_cut(records.cells(r), columns, counts)]


_SIZES: Final = np.array([size + quotes for size in LONGEST for quotes in (0, 2)])


def _is_cut(cells: list[str], columns: list[int], counts: tuple[int, ...]) -> bool:
    for c in columns:
        if len(cells[c]) in LONGEST:
            named = len(addresses.cut(cells[c])[0])
            said = [int(cells[n]) for n in counts if cells[n].isascii() and cells[n].isdigit()]
            if named not in said:
                return True
    return False


def unended(records: Records, layout: Layout) -> bool:
    """Does the last of these records, of the last block, end with the file in a column of addresses, ids or times?"""
    r = len(records) - 1
    if r < 0 or records.kinds[r] != codes.DATA or int(records.ends[r]) < len(records.text):
        return False
    name = f.squeezed(layout.names[-1])
    if name not in f.addresses(layout.kind) | set(f.WORDS) | _TIMES or records.columns(r) != len(layout.names):
        return False
    return not records.raw(r).endswith(b'"') and not _WHOLE.fullmatch(records.cells(r)[-1].strip())


_TIMES: Final = {*f.TRACE["time"], "datetime", "datetimeutc"}
