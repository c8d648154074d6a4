"""One compiled entry compared with its expected result: a compiler that does not fit this processor is found out."""

from __future__ import annotations

from forensics.native.text import hash_of

TEXT = b"From: <someone@navy.ml>"
EXPECTED = 0x4D5C001B3B95D9D4
"""`hash_of` TEXT, computed in whole numbers from the formulas in `text`."""


def check() -> None:
    """Raises AssertionError when compiled code computes wrongly."""
    found = int(hash_of(TEXT))
    if found != EXPECTED:
        raise AssertionError(f"compiled code computes wrongly: {found:#x} instead of {EXPECTED:#x}")
