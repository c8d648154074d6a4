"""Which host an event is of, and what it says whichever name the host has."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.postfix import words as w
from forensics.native.text import SEED, hashed, mix, within

SPANS = np.array([w.A, w.B, w.C, w.D, w.E, w.F, w.G], np.int64)


@kernel
def host_hash(buf, ints, r):
    """A hash of the host of event r."""
    return mix(hashed(buf, ints[r, w.HOST], ints[r, w.HOST + 1], SEED))


@entry("const uint8[:], const int32[:,:], uint64[:]")
def host_hashes(buf, ints, out, result):
    """A hash of each event's host."""
    for r in range(out.size):
        out[r] = host_hash(buf, ints, r)


@entry("const uint8[:], const int32[:,:], uint64[:], uint64[:]")
def statements(buf, ints, ids, says, result):
    """For each event a hash of its queue id (0: none), and one of all that it says but its host and time: kind, program
    and fields."""
    for r in range(ids.size):
        ids[r] = np.uint64(0)
        if ints[r, w.QID] >= 0:
            ids[r] = mix(hashed(buf, ints[r, w.QID], ints[r, w.QID + 1], SEED))
        h = SEED
        for c in (w.KIND, w.PROGRAM, w.N0, w.N1):
            h = within(h ^ np.uint64(ints[r, c] + 1))
        for s in range(SPANS.size):
            a = ints[r, SPANS[s]]
            h = within(h)
            if a >= 0:
                h = hashed(buf, a, ints[r, SPANS[s] + 1], h)
        says[r] = mix(h)


@entry("const uint8[:], int32[:,:], int64[:,:], const int64[:], const int32[:], const int32[:]")
def move(buf, ints, longs, rows, starts, ends, result):
    """Give these events the host that stands at [start, end) of the buffer, and the keys that go with it
    (`scanner.line`)."""
    for k in range(rows.size):
        r = rows[k]
        ints[r, w.HOST] = starts[k]
        ints[r, w.HOST + 1] = ends[k]
        host = within(hashed(buf, starts[k], ends[k], SEED))
        if ints[r, w.QID] >= 0:
            longs[r, w.KEY] = np.int64(mix(hashed(buf, ints[r, w.QID], ints[r, w.QID + 1], host)))
        if ints[r, w.KIND] == w.NOTIFY and ints[r, w.G] >= 0:
            longs[r, w.OKEY] = np.int64(mix(hashed(buf, ints[r, w.G], ints[r, w.G + 1], host)))
