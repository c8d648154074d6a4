"""The first pass over a Postfix log: lines, hosts, times, and where the clock turned back."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

import numpy as np

from forensics.native.compiler import entry
from forensics.native.postfix import words as w
from forensics.native.postfix.heads import fill_programs, head
from forensics.native.postfix.stamps import SIZE
from forensics.native.text import SEED, find_byte, hashed, mix

MONTH_UNIT, YEAR_UNIT = w.MONTH_UNIT, w.YEAR_UNIT
TURN = 600_000_000
"""Steps back of a clock (microseconds) that are noted: ten minutes."""

(LINES, YEAR, LAST_NO_YEAR, LAST_LOCAL, FIRST_ABSOLUTE, END_ABSOLUTE, FIRST_LOCAL, END_LOCAL, FIRST_PACKED, END_PACKED,
 TURNS_FOUND, HOSTS_FOUND) = range(12)  # fmt: skip
"""Columns of `state`: lines; year counted from the first record's; the last time of a kind; least and greatest time of
a kind; how many rows of `turns` and of `hosts` are filled."""
STATE = 12


@entry("const uint8[:], int64, int64[:], int64[:,:], uint64[:], int64[:], int32[:]")
def survey_block(buf, n, state, turns, hosts, memo, programs, result):
    """Carry `state` over the lines of buf[:n]; `turns`: (record, before, after, relative year, change of year).
    `programs`: SLOTS zeros."""
    last_host = np.uint64(0)
    memo[SIZE] = 0
    fill_programs(programs)
    i = 0
    while i < n:
        e = find_byte(buf, i, n, 10)
        state[LINES] += 1
        if e == i:
            i = e + 1
            continue
        _, kind, t, k, h, _, _, _, _, _ = head(buf, i, e, memo, programs)
        if kind == w.NO_YEAR_UTC:
            kind = w.NO_YEAR
        if kind == w.ABSOLUTE:
            state[FIRST_ABSOLUTE] = min(state[FIRST_ABSOLUTE], t)
            state[END_ABSOLUTE] = max(state[END_ABSOLUTE], t)
        elif kind == w.LOCAL:
            if state[LAST_LOCAL] >= 0 and state[LAST_LOCAL] - t >= TURN and state[TURNS_FOUND] < turns.shape[0]:
                turns[state[TURNS_FOUND], 0] = state[LINES]
                turns[state[TURNS_FOUND], 1] = state[LAST_LOCAL]
                turns[state[TURNS_FOUND], 2] = t
                state[TURNS_FOUND] += 1
            state[LAST_LOCAL] = t
            state[FIRST_LOCAL] = min(state[FIRST_LOCAL], t)
            state[END_LOCAL] = max(state[END_LOCAL], t)
        elif kind == w.NO_YEAR:
            last = state[LAST_NO_YEAR]
            change = 0
            if last >= 0:
                if last - t > MONTH_UNIT:
                    change = 1
                elif t - last > 10 * MONTH_UNIT and state[YEAR] > 0:
                    change = -1
                if change == 0 and last - t < TURN:
                    pass
                elif state[TURNS_FOUND] < turns.shape[0]:
                    turns[state[TURNS_FOUND], 0] = state[LINES]
                    turns[state[TURNS_FOUND], 1] = last
                    turns[state[TURNS_FOUND], 2] = t
                    turns[state[TURNS_FOUND], 3] = state[YEAR]
                    turns[state[TURNS_FOUND], 4] = change
                    state[TURNS_FOUND] += 1
                else:
                    change = 0
            state[YEAR] += change
            state[LAST_NO_YEAR] = t
            p = state[YEAR] * YEAR_UNIT + t
            state[FIRST_PACKED] = min(state[FIRST_PACKED], p)
            state[END_PACKED] = max(state[END_PACKED], p)
        if kind != w.NO_TIME:
            host = mix(hashed(buf, k, h, SEED))
            if host != last_host:
                last_host = host
                found = False
                for s in range(state[HOSTS_FOUND]):
                    if hosts[s] == host:
                        found = True
                        break
                if not found and state[HOSTS_FOUND] < hosts.size:
                    hosts[state[HOSTS_FOUND]] = host
                    state[HOSTS_FOUND] += 1
        i = e + 1


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
