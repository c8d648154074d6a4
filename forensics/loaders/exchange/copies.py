"""Traces without network-message-ids that show one message: what of it is one, and what may be.

Such rows are known by Message-ID, sender and second (`codes.ALONE`). A file whose seconds a spreadsheet cut off
(`codes.TO_MINUTE`) shows the same message in its first second. It is the one that another file shows within that
minute, with the sender and a recipient of it: of several the earliest, since one row stands for one message. What two
files show otherwise within an hour may be one message or two (a file in another form has another time, EmailEvents that
of its own recording): both stay, and are `alike`.

Alike, too, is what has one network-message-id and several Message-IDs. No header that comes from outside the
organisation sets that id (X-MS-Exchange-Organization- headers are taken off there), but one from another tenant of
Exchange Online may, or from whoever a connector trusts; and a program that fills columns in may give many messages the
same. So it joins nothing. An agent that wrote a message a new Message-ID is the other reason, and there both are one.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics import domains
from forensics.loaders.exchange import spans
from forensics.native.exchange.codes import ALONE, TO_MINUTE
from forensics.native.exchange.layout import COLUMNS, TEXTS
from forensics.native.exchange.rows import unpack

Array = np.ndarray[Any, np.dtype[Any]]
_MINUTE, _HOUR = 60_000_000, 3_600_000_000
_SENDER = TEXTS.index("return_path")


@dataclass(eq=False)
class _Sending:
    """A message as the rows of one Message-ID and sender show it."""

    code: int
    at: int
    to_minute: bool
    evidence: set[int]
    recipients: set[str]
    part_of: _Sending | None = None
    """The message that it is."""
    like: _Sending | None = None
    """An earlier one that it may be."""


def joined(code: Array, own: Array, plain: dict[str, Array], data: Array, starts: Array) -> tuple[Array, Array, Array]:
    """(the message of each record: 0…; its time; what it is alike to: equal numbers, 0 for nothing).

    `code`: the message by its ids; `own`: a hash of its Message-ID; `starts`: where its text begins in `data`. A record
    without seconds has the time of the message that it shows.
    """
    alike = np.zeros(len(code), np.uint64)
    rows = _shared(code, own, plain)
    if not len(rows):
        return code, plain["at"], alike
    code, at = code.copy(), plain["at"].copy()
    of_code: dict[int, list[int]] = {}
    for n, one in zip(rows.tolist(), code[rows].tolist(), strict=True):
        of_code.setdefault(one, []).append(n)
    for sendings in _sendings(rows, code, own, plain, data, starts).values():
        _join(sendings)
        whole = [one for one in sendings if one.part_of is None]
        _compare(whole)
        for one in whole:
            if one.like is not None:
                first = _root(one)
                number = own[of_code[one.code][0]] ^ np.uint64(first.at) | np.uint64(1)
                alike[of_code[one.code]] = alike[of_code[first.code]] = number
        for one in sendings:
            if one.part_of is not None:
                records, other = of_code[one.code], of_code[one.part_of.code][0]
                code[records], at[records], alike[records] = one.part_of.code, one.part_of.at, alike[other]
    numbered: Array = np.unique(code, return_inverse=True)[1].reshape(-1)
    return numbered, at, alike


def _shared(code: Array, own: Array, plain: dict[str, Array]) -> Array:
    """Records of traces without network-message-ids whose Message-ID stands in several of them at several times."""
    rows = np.flatnonzero((plain["flags"] & ALONE != 0) & (own != 0))
    if len(np.unique(plain["evidence"][rows])) < 2:
        return rows[:0]
    ids, of = np.unique(own[rows], return_inverse=True)
    several = np.ones(len(ids), np.bool_)
    for column in (code[rows], plain["evidence"][rows].astype(np.int64)):
        pairs = np.unique(np.stack((of.astype(np.int64), column)), axis=1)[0]
        several &= np.bincount(pairs, minlength=len(ids)) > 1
    found: Array = rows[several[of]]
    return found


def _sendings(
    rows: Array, code: Array, own: Array, plain: dict[str, Array], data: Array, starts: Array
) -> dict[tuple[int, str], list[_Sending]]:
    """(Message-ID, sender) → its messages in order of time."""
    parts = plain["parts"]
    begin, end = (np.empty((COLUMNS, len(rows)), np.int32) for _ in range(2))
    count = int(parts[rows].sum())
    rec, part, effect = (np.empty(count, np.int64) for _ in range(3))
    own_spans = [np.empty(count, np.int32) for _ in range(4)]
    unpack(data, starts, parts, rows.astype(np.int64), begin, end, rec, part, effect, *own_spans)
    senders = _texts(data, begin[_SENDER], end[_SENDER])
    named: list[set[str]] = [set() for _ in rows]
    for r, address in zip(rec.tolist(), _texts(data, own_spans[0], own_spans[1]), strict=True):
        named[r].add(domains.key(address))
    found: dict[int, tuple[tuple[int, str], _Sending]] = {}
    for i, r in enumerate(rows.tolist()):
        key = int(own[r]), domains.key(senders[i].strip(" <>"))
        at, evidence = int(plain["at"][r]), int(plain["evidence"][r])
        cut = bool(plain["flags"][r] & TO_MINUTE)
        one = found.setdefault(int(code[r]), (key, _Sending(int(code[r]), at, cut, set(), set())))[1]
        one.at, one.to_minute = min(one.at, at), one.to_minute and cut
        one.evidence.add(evidence)
        one.recipients |= named[i]
    out: dict[tuple[int, str], list[_Sending]] = {}
    for key, one in found.values():
        out.setdefault(key, []).append(one)
    return {key: sorted(group, key=lambda one: (one.at, one.code)) for key, group in out.items()}


def _texts(data: Array, begin: Array, end: Array) -> list[str]:
    return [one or "" for one in spans.text(data, (begin, end)).to_pylist()]


def _join(sendings: list[_Sending]) -> None:
    """Makes of a message whose seconds were lost the one that another file shows in that minute."""
    exact = [one for one in sendings if not one.to_minute]
    times = [one.at for one in exact]
    for one in sendings:
        if not one.to_minute:
            continue
        for other in exact[bisect_left(times, one.at) :]:
            if other.at >= one.at + _MINUTE:
                break
            if not other.evidence & one.evidence and other.recipients & one.recipients:
                one.part_of = other
                other.evidence |= one.evidence
                other.recipients |= one.recipients
                break


def _compare(sendings: list[_Sending]) -> None:
    """Finds for each message an earlier one of other files that it may be."""
    last: dict[str, dict[int, _Sending]] = {}
    for one in sendings:
        for recipient in one.recipients:
            known = last.setdefault(recipient, {})
            for other in known.values():
                if one.at - other.at <= _HOUR and not one.evidence & other.evidence:
                    one.like = other
            for evidence in one.evidence:
                known[evidence] = one


def _root(one: _Sending) -> _Sending:
    while one.like is not None:
        one = one.like
    return one
