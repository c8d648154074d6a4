"""Stamps as the scanner reads them, one after another."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.loaders.base import PADDING
from forensics.native.postfix import scanner, stamps

PIECES = st.sampled_from(
    [
        "Mar  1 00:00:01 ", "Mar  1 00:00:02 ", "Mar  1 00:00:01 2024 ", "2024-03-01T00:00:01.5+01:00 ", "<22>",
        "1 2024-03-01T00:00:01Z ", "2024-03-01T00:00:01Z stdout F ", "2024-03-01T00:00:01Z stderr P ", "mail  | ",
        "mx1 ", "sx1 ", "MX1 ", "10.0.0.1 ", "std", "postfix/qmgr[1]: A: removed", "é", " ",
    ]
)  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.lists(PIECES, max_size=5).map("".join), max_size=8))
def test_a_stamp_is_the_same_behind_any_other(lines: list[str]) -> None:
    buf = np.frombuffer("\n".join(lines).encode() + bytes(PADDING), np.uint8)
    memo = np.zeros(stamps.MEMO, np.int64)
    i = 0
    for line in lines:
        end = i + len(line.encode())
        if end > i:
            assert stamps.stamp_after(buf, i, end, memo) == stamps.stamp(buf, i, end)
        i = end + 1


def test_short_lines_find_room() -> None:
    text = b"x\n" * 20_000 + b"Mar  1 00:00:01 mx1 postfix/qmgr[1]: 4B1C2D3E4F: removed\n"
    buffer = np.frombuffer(text + bytes(PADDING), np.uint8)
    ints, _, lines, _, _, _ = scanner.scan_block(buffer, len(text), np.zeros(0, np.bool_))
    assert lines == len(ints) == 20_001
