"""What stands around the records of a log, and is taken away before any loader looks: encodings, exports, prefixes.

`recognise` says from the first bytes of a content what its `Wrap` is. `split` cuts a block behind whole records of the
evidence, and `unwrap` makes of it a block of plain lines, each with the address of the record that it stands for; a
block of a plain file comes back as it is, uncopied. A record that wraps nothing stands for itself, and its loader says
that it cannot be read; `Unwrapped.reasons` says why. Brackets of JSON and headers of CSV are no records.

`columns` is the table of exports; `encodings`, `prefixes`, `journal`, `jsons` and `tables` know one kind of wrapping
each; `records` makes a line of a record, with its time by `moments`; `noted` says what was done.
"""

from __future__ import annotations

from forensics.wraps.columns import FORMATS
from forensics.wraps.journal import refusal
from forensics.wraps.noted import Notes
from forensics.wraps.unwrapping import Block, inside, lines_of, recognise, split, unwrap
from forensics.wraps.wrap import HEAD, PLAIN, Unwrapped, Wrap, outer_of

__all__ = [
    "FORMATS", "HEAD", "PLAIN", "Block", "Notes", "Unwrapped", "Wrap", "inside", "lines_of", "outer_of", "recognise",
    "refusal", "split", "unwrap",
]  # fmt: skip
