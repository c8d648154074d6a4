"""What may be joined is what two batches really share."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from forensics.stitch.selection import _shared

NEAR = st.integers(0, 40) | st.integers(0, 40).map(lambda n: n << 58) | st.integers(0, 2**64 - 1)
BATCHES = st.lists(st.lists(NEAR, max_size=30), max_size=4)


@given(BATCHES, BATCHES)
def test_shared_hashes(some: list[list[int]], others: list[list[int]]) -> None:
    """Hashes that only look alike by their highest or lowest bits are told apart."""
    given_some, given_others = ([np.array(v, np.uint64) for v in side] for side in (some, others))
    wanted = set().union(*some) & set().union(*others) - {0}
    assert _shared(given_some, given_others).tolist() == sorted(wanted)
