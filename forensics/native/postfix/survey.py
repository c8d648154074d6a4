"""The first pass over a Postfix log: lines, hosts, and the order of their stamps."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from forensics.native.compiler import entry
from forensics.native.postfix import words as w
from forensics.native.postfix.heads import head
from forensics.native.postfix.stamps import SIZE
from forensics.native.postfix.tags import fill_programs
from forensics.native.sequence import follow
from forensics.native.text import find_byte, hashed, lower_hash, mix


@entry(
    "const uint8[:], int64, int64, int64[:], uint64[:], int64[:,:], int64[:], int64[:,:], int64[:,:], int64[:,:], "
    "int64[:], int32[:]"
)
def survey_block(buf, n, lines, state, hosts, lasts, ranges, backs, marks, days, memo, programs, result):
    """Follow the stamps of the lines of buf[:n] (`native.sequence`); `lines`: how many there were before; `programs`:
    SLOTS zeros. Returns how many there are now."""
    memo[SIZE] = 0
    fill_programs(programs)
    i = 0
    while i < n:
        e = find_byte(buf, i, n, 10)
        lines += 1
        if e == i:
            i = e + 1
            continue
        _, kind, t, k, h, _, _, _, _, _ = head(buf, i, e, memo, programs)
        if kind == w.NO_YEAR_UTC:
            kind = w.NO_YEAR
        if kind != w.NO_TIME:
            host = mix(lower_hash(buf, k, h)[0])
            follow(kind, t, host, lines, state, hosts, lasts, ranges, backs, marks, days)
        i = e + 1
    result[0] = lines


@entry("const uint8[:], int64, uint64, uint64[:]")
def line_hashes(buf, n, seed, out, result):
    """One hash for each line of buf[:n], without its line end."""
    i = 0
    r = 0
    while i < n:
        e = find_byte(buf, i, n, 10)
        out[r] = mix(hashed(buf, i, e, seed))
        r += 1
        i = e + 1
