"""Exchange events in order, with their text where it lies: unpacked positions, codes where text is compared.

The order is one of what records say: time, then, among those of one time, what a message goes through first (`RANKS`),
then a hash of what they say. Where they stand, in which row or file, decides only between records that say the same.

See `native.exchange.layout` for what is read here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics import domains
from forensics.columns import one_chunk
from forensics.loaders.exchange import copies, inside, spans
from forensics.loaders.exchange import fields as f
from forensics.loaders.exchange import resent as forks
from forensics.loaders.exchange.spans import Array, Span
from forensics.native.exchange import codes
from forensics.native.exchange.codes import BY_ID
from forensics.native.exchange.layout import COLUMNS, HOST, TEXTS
from forensics.native.exchange.rows import carried, groups, tie_keys, unpack
from forensics.native.exchange.spans import distinct

RECIPIENT, STATUS = "recipient", "status"
_STEPS: Final = (
    (codes.ENTER, codes.REPORT),
    (codes.REPLACE,),
    (codes.INFO, codes.OTHER),
    (codes.HOLD,),
    (codes.RELEASE,),
    (codes.SEND,),
    (codes.DEFER,),
    (codes.FAIL, codes.DISCARD, codes.REFUSE, codes.EXPIRE),
    (codes.SEND_OUT,),
    (codes.DUPLICATE,),
    (codes.DELIVER,),
)
RANKS: Final = np.full(codes.EFFECTS, len(_STEPS), np.int8)
"""For each effect its place among records of one time; statuses of traces come last."""
for _rank, _effects in enumerate(_STEPS):
    RANKS[list(_effects)] = _rank
_COLUMN: Final = {name: c for c, name in enumerate(TEXTS)}


class Rows:
    """Rows in order of message, time, evidence and record: one for each part of each record."""

    def __init__(self, table: pa.Table) -> None:
        halves = np.frombuffer(one_chunk(table["group"]).buffers()[1], "<u8").reshape(-1, 2)
        offset = one_chunk(table["group"]).offset
        halves = halves[offset : offset + len(table)]
        plain = {n: table[n].to_numpy() for n in ("at", "evidence", "number", "offset", "length", "flags", "parts")}
        own_ids = table["own"].to_numpy()
        code, shared = _messages(halves, own_ids)
        packed = one_chunk(table["texts"])
        _, offsets, data = packed.buffers()
        starts = np.frombuffer(offsets, np.int32)[packed.offset : packed.offset + len(table)]
        self.data = np.frombuffer(data, np.uint8)
        code, plain["at"], alike = copies.joined(code, own_ids, plain, self.data, starts)
        plain["alike"] = np.where(shared != 0, shared, alike)
        order = _ordered(code, plain, self.data, starts)
        count = int(plain["parts"].sum())
        self.begin, self.end = (np.empty((COLUMNS, len(table)), np.int32) for _ in range(2))
        self.rec, self.part, self.effect = (np.empty(count, t) for t in (np.int64, np.int64, np.int64))
        own = [np.empty(count, np.int32) for _ in range(4)]
        unpack(self.data, starts, plain["parts"], order, self.begin, self.end, self.rec, self.part, self.effect, *own)
        self._spans = {RECIPIENT: (own[0], own[1]), STATUS: (own[2], own[3])}
        where = order[self.rec]
        self.plain = {n: plain[n][where] for n in ("at", "evidence", "number", "offset", "length", "flags", "alike")}
        self.group = code[where]
        """Message of each row: 0… in order."""
        self._forks()
        self.messages = int(self.group[-1]) + 1
        self.first = np.flatnonzero(np.r_[True, self.group[1:] != self.group[:-1]])
        """First row of each message."""
        self._carried = np.empty((COLUMNS - HOST, self.messages), np.int64)
        carried(
            self.data, self.group, self.rec, self.part, self.plain["at"], self.begin, self.end, self._carried
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.rec)

    def _forks(self) -> None:
        """Tells resent messages apart where rows are known by Message-ID alone."""
        concerned = self.plain["flags"] & BY_ID != 0
        if not concerned.any():
            return
        host, peer, client = self.codes("host", "peer", "client_host", fold=host_key)
        (internal,) = self.codes("internal_id", fold=str)
        (named,) = self.codes("recipient", fold=domains.key, ascii_lower=True)
        returned, purported = self.codes("return_path", "purported", fold=_envelope)
        every = np.arange(len(self))
        texts = self.take("internal_id", every)
        internal[pc.match_substring_regex(texts, f.ROUNDED).fill_null(False).to_numpy(zero_copy_only=False)] = -1
        group = forks.split(
            self.group, concerned,
            forks.Told(
                self.rec, host, peer, client, internal, self.effect, self.plain["at"], named, returned, purported,
                self.plain["flags"] & codes.STORE != 0, inside.strangers(self), self.take("context", every), texts,
            ),
        )  # fmt: skip
        order = np.argsort(group, kind="stable")
        self.rec, self.part, self.effect = self.rec[order], self.part[order], self.effect[order]
        self._spans = {n: (s[order], e[order]) for n, (s, e) in self._spans.items()}
        self.plain = {n: v[order] for n, v in self.plain.items()}
        group = group[order]
        self.group = np.cumsum(np.r_[False, group[1:] != group[:-1]]).astype(np.int64)

    def span(self, name: str, rows: Array | None = None) -> Span:
        """A column's text in these rows (default all): null where the row is negative."""
        if rows is None:
            if name in self._spans:
                return self._spans[name]
            c = _COLUMN[name]
            return self.begin[c][self.rec], self.end[c][self.rec]
        if name in self._spans:
            begin, end = self._spans[name]
            begin, end = begin[rows], end[rows]
        else:
            c, records = _COLUMN[name], self.rec[rows]
            begin, end = self.begin[c][records], self.end[c][records]
        return np.where(rows < 0, np.int32(-1), begin), end

    def codes(self, *names: str, fold: Callable[[str], str], ascii_lower: bool = False) -> list[Array]:
        """For each column the code of each row, -1 for null; spellings that `fold` makes equal have one code.

        `ascii_lower`: of visible ASCII that does not end with a dot or `@`, `fold` only makes letters small.
        """
        records = all(name in _COLUMN for name in names)
        if records:  # one code for each record is enough
            columns = [_COLUMN[n] for n in names]
            begin = np.concatenate([self.begin[c] for c in columns])
            end = np.concatenate([self.end[c] for c in columns])
        else:
            found = [self.span(n) for n in names]
            begin, end = np.concatenate([s for s, _ in found]), np.concatenate([e for _, e in found])
        codes = np.empty(len(begin), np.int64)
        first, odd = np.empty(len(begin), np.int64), np.empty(len(begin), np.bool_)
        count = distinct(self.data, begin, end, ascii_lower, codes, first, odd, _table(len(begin)))
        if not ascii_lower or odd[:count].any():
            texts = spans.text(self.data, (begin[first[:count]], end[first[:count]])).to_pylist()
            seen: dict[str, int] = {}
            again = np.array([seen.setdefault(fold(t), len(seen)) for t in texts] or [-1], np.int64)
            codes = np.where(codes < 0, -1, again[codes])
        each = len(begin) // len(names)
        out = [codes[i * each : (i + 1) * each] for i in range(len(names))]
        return [c[self.rec] for c in out] if records else out

    def take(self, name: str, rows: Array) -> pa.Array:
        """Values of a column in these rows; null where the row is negative."""
        return spans.text(self.data, self.span(name, rows))

    def carried(self, name: str) -> Array:
        """Row of each message that has a value in this column, the earliest; -1 where none has."""
        found: Array = self._carried[_COLUMN[name] - HOST]
        return found

    def earliest(self, name: str) -> Span:
        """For each message the earliest value of a column."""
        return self.span(name, self.carried(name))

    def taken(self, name: str) -> pa.Array:
        """The same as a column."""
        return spans.text(self.data, self.earliest(name))


def _messages(halves: Array, own: Array) -> tuple[Array, Array]:
    """(the message of each record: records of one id, but for those of several Message-IDs, which no id joins; of these
    a number for the id, else 0)."""
    count = len(halves)
    code, several = np.empty(count, np.int64), np.empty(count, np.bool_)
    found = groups(halves, own, code, several, _table(count), np.empty(count, np.int64))
    if not several[:found].any():
        return code, np.zeros(count, np.uint64)
    ids = np.where(several[code], halves[:, 0] ^ halves[:, 1] << np.uint64(1) | np.uint64(1), np.uint64(0))
    shared = np.flatnonzero(several[code])
    pairs = np.stack((code[shared].astype(np.uint64), own[shared]), 1)
    code[shared] = found + np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1)
    numbered: Array = np.unique(code, return_inverse=True)[1].reshape(-1)
    return numbered, ids


def _ordered(code: Array, plain: dict[str, Array], data: Array, starts: Array) -> Array:
    """Records in order of message and time, and as the module says among those of one time."""
    order: Array = np.lexsort((plain["at"], code))
    by, at = code[order], plain["at"][order]
    same = (by[1:] == by[:-1]) & (at[1:] == at[:-1])
    tied = np.flatnonzero(np.r_[same, False] | np.r_[False, same])
    if not len(tied):
        return order
    wanted = order[tied]
    rank, content = np.empty(len(wanted), np.int8), np.empty(len(wanted), np.uint64)
    tie_keys(data, starts, plain["parts"], plain["flags"], wanted, RANKS, rank, content)
    keys = (plain["number"], plain["evidence"])
    again = np.lexsort((*(key[wanted] for key in keys), content, rank, at[tied], by[tied]))
    order[tied] = wanted[again]
    return order


def _table(count: int) -> Array:
    """A hash table for so many keys."""
    return np.empty(1 << (2 * count + 2).bit_length(), np.int32)


def host_key(name: str) -> str:
    """A server's name as rows of one organisation are compared: its first label, any case."""
    return name.strip().casefold().partition(".")[0]


def _envelope(address: str) -> str:
    """A sender as rows are compared: in any spelling of one address."""
    return domains.key(address.strip(" <>"))
