"""What stands around the records of one evidence (`Wrap`), and a block with that taken away (`Unwrapped`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
PLAIN, LINES, JSON, CSV, EXPORT, VERBOSE = "plain", "lines", "json", "csv", "export", "verbose"
"""Forms: records as they are; a line each, perhaps with a prefix or as a JSON object; JSON objects and arrays over any
number of lines; CSV with a header; entries of `journalctl -o export` and `-o verbose`."""
HEAD = 64 << 10
"""Bytes of a content by which its wrap is recognised."""
NO_STAMP = np.iinfo(np.int64).min
"""In `Unwrapped.stamps`: the export tells no time of this record, or none that could be read."""


@dataclass(frozen=True)
class Wrap:
    """What `wraps.recognise` saw in the first bytes of a content. Plain values: it may be sent to a worker."""

    coding: str = "utf-8"
    bare_cr: bool = False
    """Lines end in carriage returns alone."""
    form: str = PLAIN
    prefix: str = ""
    """Name of the prefix before each line (`prefixes.PREFIXES`)."""
    path: tuple[str, ...] = ()
    """JSON: keys from the outermost object to the array of records; none where records are the outermost values."""
    brackets: str = ""
    """JSON: the brackets that are open when that array begins, without its own."""
    columns: tuple[str, ...] = ()
    """CSV: the header; JSON: names of the fields where a record is an array of values."""
    separator: str = ","
    """CSV."""
    export: bool = False
    """Records of the beginning hold messages: what holds none is no record of another kind."""
    offset: int | None = None
    """Seconds by which stamps inside are ahead of the export's own UTC: the zone of the server; None: not told."""

    carriers: tuple[str, ...] = ()
    """Programs that hand on records of others, as people say of this evidence (`casefile.SourceSettings`)."""

    clean: bool = False
    """A first reading found neither NUL bytes nor escape sequences of a terminal, nor marks between joined files."""

    @property
    def plain(self) -> bool:
        """Nothing has to be taken away but what a crash or a terminal left in single lines."""
        return not self.carriers and self.form == PLAIN and self.coding == "utf-8" and not self.bare_cr


@dataclass(frozen=True)
class Taken:
    """Where the parts of records were found: name of the export and columns → number of records."""

    forms: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """(export, message column, time column); a column is empty where there was none."""
    offsets: Mapping[int | None, int] = field(default_factory=dict)
    """Seconds from UTC that the export's own stamps name, None where they name no zone."""


@dataclass(frozen=True)
class Unwrapped:
    """A block of whole lines, and for each line the record of the evidence that it stands for.

    It is a `loaders.base.Block`; `offset`, `last` and `cut` are those of the block that it was made from.
    """

    data: Bytes
    padded: Bytes = field(repr=False)
    offset: int
    last: bool
    cut: bool
    outer: Bytes = field(repr=False)
    """The block's bytes in the evidence."""
    starts: NDArray[np.int64]
    """Where each line begins in `data`."""
    offsets: NDArray[np.int64]
    """Where its record begins in the evidence."""
    lengths: NDArray[np.int64]
    reasons: Mapping[int, str] = field(default_factory=dict)
    """Line (from 0) → why its record holds nothing that could be read."""
    stamps: NDArray[np.int64] | None = None
    """The export's own time of each record, microseconds UTC (or local, where it names no zone); NO_STAMP."""
    taken: Taken = Taken()
    objects: bool = False
    """What wraps nothing in it is an object of JSON, if it is a record at all."""
    damaged: int = 0
    """Places where NUL bytes, escape sequences or marks were taken away."""


def padded(data: bytes | bytearray, padding: int) -> tuple[Bytes, Bytes]:
    """(exactly these bytes, the same followed by zero bytes)."""
    whole = np.frombuffer(bytes(data) + bytes(padding), np.uint8)
    return whole[: len(data)], whole


def outer_of(block: Any) -> Bytes:
    """The bytes of a block as they stand in the evidence, unwrapped or not."""
    found: Bytes = getattr(block, "outer", block.data)
    return found
