"""What tracking records are: their time, their effect, their flags."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from typing import Final

import numpy as np

from forensics.native.compiler import entry, kernel
from forensics.native.exchange.codes import (
    BAD_TIME,
    DATA,
    HOLD,
    INFO,
    INTRA,
    NO_EVENT,
    OTHER,
    SEND,
    STORE,
    USED,
    ZONELESS,
)
from forensics.native.exchange.csvscan import field
from forensics.native.exchange.moments import NO_TIME, is_zoned, moment_after
from forensics.native.exchange.slots import CONNECTOR, CUSTOM, EVENT, SOURCE, TIME
from forensics.native.text import FACTOR, SEED, between, find_byte, lit

PLACES: Final = 256
"""Places of the hash table of event ids: several times as many as there are ids."""
_STOREDRIVER: Final = lit("storedriver")
_IMPLICIT: Final = lit("intra-organization smtp send connector")
"""The implicit connector between transport services (Microsoft Learn, "Send connectors", Implicit Send connectors)."""
_QUARANTINE: Final = lit("action=quarantine")
_MODE: Final = lit("mode=")
_ENFORCE: Final = lit("enforce")
_FILE: Final = lit("file=")
_JUST: Final = lit("just=")
"""Keys of what others wrote: the name of an attachment, a sender's reason to override a rule."""
JUDGES: Final = ("tra", "sfa")
"""Agents that quarantine messages: of transport rules, of spam."""
OWN: Final = (*JUDGES, "ama", "compcost", "deliverypriority")
"""Entries of custom-data that hold no text of others, but for a file's name behind `file=` (`ama`: of malware)."""
_JUDGES, _JUDGES_ENDS = lit("".join(JUDGES)), np.cumsum([len(word) for word in JUDGES], dtype=np.int32)
_OWN, _OWN_ENDS = lit("".join(OWN)), np.cumsum([len(word) for word in OWN], dtype=np.int32)


@kernel
def small(c):
    """A byte, made small when it is an ASCII capital."""
    return np.uint8(c | 32) if between(c, 65, 90) else np.uint8(c)


@kernel
def is_word(buf, s, e, word, t, u):
    """Is [s, e) the small-letter word[t:u], in any case of its ASCII letters?"""
    if e - s != u - t:
        return False
    for k in range(e - s):  # noqa: SIM110
        if small(buf[s + k]) != word[t + k]:
            return False
    return True


@kernel
def _place(buf, s, e):
    """Where the hash table has a word, or what is in its place."""
    h = SEED
    for i in range(s, e):
        h = (h ^ np.uint64(small(buf[i]))) * FACTOR
    return np.int64(h >> np.uint64(32) & np.uint64(PLACES - 1))


@kernel
def _fill(words, ends, table):
    """Hash table of words that lie behind each other: their numbers, -1 in free places."""
    for place in range(PLACES):
        table[place] = -1
    begin = np.int64(0)
    for n in range(ends.size):
        place = _place(words, begin, ends[n])
        while table[place] >= 0:
            place = (place + 1) % PLACES
        table[place] = n
        begin = np.int64(ends[n])


@kernel
def _number(buf, s, e, words, ends, table):
    """Number of the word [s, e), in any case of its letters; -1 when it is none of them."""
    place = _place(buf, s, e)
    while table[place] >= 0:
        n = table[place]
        if is_word(buf, s, e, words, np.int64(ends[n - 1]) if n else np.int64(0), np.int64(ends[n])):
            return np.int64(n)
        place = (place + 1) % PLACES
    return np.int64(-1)


@kernel
def _begins(buf, s, e, word):
    """Does [s, e) begin with this small-letter word, in any case, and go on behind it?"""
    return e - s > word.size and is_word(buf, s, s + word.size, word, 0, word.size)


@kernel
def _is_one(buf, s, e, words, ends):
    """Is [s, e) one of the small-letter words that lie behind each other?"""
    begin = np.int64(0)
    for n in range(ends.size):
        if is_word(buf, s, e, words, begin, np.int64(ends[n])):
            return True
        begin = np.int64(ends[n])
    return False


@kernel
def _judges(buf, s, e):
    """(does the entry [s, e) of an agent hold the message?, does no text of others stand in it?)."""
    holds = False
    enforced = True
    while s < e:
        end = find_byte(buf, s, e, 124)
        if is_word(buf, s, end, _QUARANTINE, 0, _QUARANTINE.size):
            holds = True
        elif _begins(buf, s, end, _MODE):
            enforced = is_word(buf, s + _MODE.size, end, _ENFORCE, 0, _ENFORCE.size)
        elif _begins(buf, s, end, _FILE) or _begins(buf, s, end, _JUST):
            return holds and enforced, False
        s = end + 1
    return holds and enforced, True


@kernel
def _quarantined(buf, s, e):
    """True when the agent of transport rules or that of spam says that it quarantined the message, and enforces it.

    Entries are `S:AGENT=TEXT|key=value|…`, joined by `;`. Those of agents that are not known (`OWN`), and what stands
    behind a file's name or a sender's own words, count for nothing, nor does anything behind them: there others may
    have written what looks like an entry.
    """
    while s < e:
        end = find_byte(buf, s, e, 59)
        while s < end and buf[s] == 32:
            s += 1
        if end - s > 2 and small(buf[s]) == 115 and buf[s + 1] == 58:
            s += 2
        behind = find_byte(buf, s, end, 61)
        if not _is_one(buf, s, behind, _OWN, _OWN_ENDS):
            return False
        holds, plain = _judges(buf, behind + 1, end)
        if holds and _is_one(buf, s, behind, _JUDGES, _JUDGES_ENDS):
            return True
        if not plain:
            return False
        s = end + 1
    return False


@entry(
    "const uint8[:], const int8[:], const int32[:,:], const int32[:,:], const uint8[:], const int32[:], "
    "const int8[:], boolean, int64[:], int8[:], int8[:], int8[:], int16[:], uint64[:]"
)
def classify(buf, kinds, begin, end, words, ends, effects, zoned, at, effect, flags, state, table, memo, result):
    """Time (`at`), effect and flags of each data record; `state` says what cannot be used (`codes`).

    `words`: small-letter event ids behind each other, which end at `ends` and have these `effects`; another event is
    `OTHER`. With `zoned` a time without a zone is not UTC: such records are `ZONELESS`. Work space:
    `table` of `PLACES`; `memo`, as of `moment_after`.
    """
    _fill(words, ends, table)
    for r in range(kinds.size):
        state[r] = USED
        if kinds[r] != DATA:
            continue
        s, e = field(begin, end, r, TIME)
        at[r] = moment_after(buf, s, e, memo)
        if at[r] == NO_TIME:
            state[r] = BAD_TIME
            continue
        if zoned and not is_zoned(buf, s, e):
            state[r] = ZONELESS
            continue
        s, e = field(begin, end, r, EVENT)
        if s == e:
            state[r] = NO_EVENT
            continue
        event = _number(buf, s, e, words, ends, table)
        effect[r] = effects[event] if event >= 0 else OTHER
        flags[r] = 0
        s, e = field(begin, end, r, SOURCE)
        if is_word(buf, s, e, _STOREDRIVER, 0, _STOREDRIVER.size):
            flags[r] |= STORE
        if effect[r] == SEND:
            s, e = field(begin, end, r, CONNECTOR)
            if is_word(buf, s, e, _IMPLICIT, 0, _IMPLICIT.size):
                flags[r] |= INTRA
        if effect[r] == INFO:
            s, e = field(begin, end, r, CUSTOM)
            if _quarantined(buf, s, e):
                effect[r] = HOLD
