"""Text as UTF-8 lines that end in line feeds, with every position traceable to the bytes of the file.

Exchange Online and Windows PowerShell write UTF-16, with or without a byte order mark. A crash, or a log that is cut
while its writer goes on behind the end, leaves a run of NUL bytes: what stands before it and what stands behind it are
two records. `grep --color=always` and a terminal's log hold escape sequences, which no mail server writes. Where files
were joined into one, the mark that each began with stands before a record.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UTF8 = "utf-8"
UTF16LE = "utf-16-le"
UTF16BE = "utf-16-be"
MARK = b"\xef\xbb\xbf"
_WASTE = re.compile(rb"\0+|\x1b\[[0-9;:]*[mK]|\x1b\(B|(?<![^\r\n])\xef\xbb\xbf")
"""NUL bytes; ECMA-48 SGR (colours) and EL, which grep writes behind each; the reset of terminfo's `sgr0`; the mark that
begins a line. (Within one it is a space of no width, as an outsider may write it.)"""
CRASH = 16
"""NUL bytes that end a record; fewer inside of one are its own text, which an outsider may have chosen."""
_CHUNK = 256 << 10
Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


def encoding(head: bytes) -> str:
    """Encoding of text that begins with ASCII punctuation, digits or letters, or with a byte order mark."""
    if head[:2] == b"\xff\xfe":
        return UTF16LE
    if head[:2] == b"\xfe\xff":
        return UTF16BE
    sample = head[:64]
    if len(sample) >= 2:
        if sample[0] and not sample[1] and sum(1 for b in sample[1::2] if not b) * 4 > len(sample):
            return UTF16LE
        if not sample[0] and sample[1] and sum(1 for b in sample[0::2] if not b) * 4 > len(sample):
            return UTF16BE
    return UTF8


def is_wasted(data: Bytes) -> bool:
    """Whether the bytes hold NULs, escapes or marks; looked at in pieces that stay in the processor's cache."""
    marked = False
    for start in range(0, len(data), _CHUNK):
        piece = data[start : start + _CHUNK]
        if not piece.min() or (piece == 27).any():
            return True
        marked = marked or bool((piece == MARK[0]).any())
    return marked and MARK in data.tobytes()


@dataclass(frozen=True)
class Text:
    """A block's text. `kept`, `origin`: where runs of bytes that were kept begin, in `data` and in the recoded block;
    None where all was kept."""

    data: bytes
    coding: str
    size: int
    """Bytes of the block."""
    recoded: bytes | None = None
    """The whole block in UTF-8, where it is UTF-16."""
    kept: Places | None = None
    origin: Places | None = None
    wasted: int = 0
    """Places where something was taken away."""

    def positions(self, places: Places, *, ends: bool = False) -> Places:
        """Where ascending positions in `data` lie in the block's own bytes; `ends`: those behind a last byte."""
        shift = 1 if ends else 0
        at = np.maximum(places.astype(np.int64) - shift, 0)
        if self.kept is not None and self.origin is not None:
            run = np.searchsorted(self.kept, at, side="right") - 1
            at = self.origin[run] + (at - self.kept[run])
        at = np.where(places > 0, at + shift, at) if ends else at
        if self.recoded is not None:
            at = _byte_positions(self.recoded, at)
        return np.minimum(at, self.size)


def text(data: Bytes, coding: str, bare_cr: bool, *, first: bool, binary: bool = False) -> Text:
    """The text of a block; `first`: it begins the content, perhaps with a mark; `binary`: NULs belong to it."""
    raw = data.tobytes()
    recoded = _to_utf8(raw, coding) if coding != UTF8 else None
    found = raw if recoded is None else recoded
    if bare_cr:
        found = found.replace(b"\r", b"\n")
    pieces: list[bytes] = []
    kept: list[int] = []
    origin: list[int] = []
    at = size = wasted = 0

    def keep(stop: int, more: bytes = b"") -> None:
        nonlocal size
        piece = found[at:stop] + more
        if piece:
            kept.append(size)
            origin.append(at)
            pieces.append(piece)
            size += len(piece)

    if first and found.startswith(MARK):
        at = len(MARK)
    if at or MARK in found or (not binary and (b"\0" in found or b"\x1b" in found)):
        for match in _WASTE.finditer(found, at):
            start, stop = match.span()
            if binary and found[start] != MARK[0]:
                continue
            before = found[start - 1 : start] if start > at else pieces[-1][-1:] if pieces else b"\n"
            inside = found[start] == 0 and before != b"\n"
            if inside and stop - start < CRASH:
                continue
            wasted += 1
            if inside:
                keep(start, b"\n")  # stands for the first NUL of the run
            else:
                keep(start)
            at = stop
        keep(len(found))
        where = (np.array(kept or [0], np.int64), np.array(origin or [at], np.int64))
        return Text(b"".join(pieces), coding, len(raw), recoded, *where, wasted)
    return Text(found, coding, len(raw), recoded)


def without_escapes(line: bytes) -> bytes:
    """A line that an export escaped: colours taken away, and a question mark for NULs, which no mail server logs."""
    return _WASTE.sub(lambda match: b"?" if match[0][0] == 0 else b"", line)


def _to_utf8(raw: bytes, coding: str) -> bytes:
    """The block as UTF-8; what is no valid UTF-16 becomes U+FFFD, unit for unit."""
    return raw.decode(coding, "replace").encode("utf-8")


def _byte_positions(recoded: bytes, positions: Places) -> Places:
    """Byte offsets in the UTF-16 block of ascending offsets in its UTF-8 text."""
    from forensics.native.exchange.csvscan import utf16_units

    out = np.empty(len(positions), np.int64)
    utf16_units(np.frombuffer(recoded or b"\0", np.uint8), np.ascontiguousarray(positions, np.int64), out)
    return out * 2
