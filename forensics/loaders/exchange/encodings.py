"""UTF-16 exports read as UTF-8, with every position traceable to the bytes of the file.

Exchange Online's historical search writes UTF-16LE, sometimes without a byte order mark. A block is recoded as a whole;
positions in the UTF-8 text are mapped back by counting UTF-16 code units, so that a record's offset and length are
those in the evidence.
"""

from __future__ import annotations

import numpy as np

from forensics.loaders.base import PADDING

UTF8 = "utf-8"
UTF16LE = "utf-16-le"
UTF16BE = "utf-16-be"


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


def to_utf8(data: np.ndarray, coding: str) -> np.ndarray:
    """The block as UTF-8; what is no valid UTF-16 becomes U+FFFD, unit for unit."""
    text = data.tobytes().decode(coding, "replace").encode("utf-8")
    return np.frombuffer(text + bytes(PADDING), np.uint8)[: len(text)]


def byte_positions(text: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Byte offsets in the UTF-16 block of ascending offsets in its UTF-8 text (int64)."""
    from forensics.native.exchange.csvscan import utf16_units

    out = np.empty(len(positions), np.int64)
    utf16_units(text, positions.astype(np.int64, copy=False), out)
    return out * 2
