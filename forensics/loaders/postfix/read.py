"""Blocks and fragments of a Postfix log into events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.loaders import base, losses, shapes, years
from forensics.loaders.postfix import hosts, sessions
from forensics.loaders.postfix.events import Events, text
from forensics.loaders.postfix.survey import prepared
from forensics.loaders.sequence import Order
from forensics.native.postfix import words as w
from forensics.native.postfix.rows import addresses, running_max, triplets
from forensics.native.postfix.scanner import scan_block
from forensics.native.postfix.stamps import ZONES
from forensics.native.text import hash_of

GUARD = 5_000_000
"""Lines this close (microseconds) to a block's limits may belong to a group that goes on beyond it: stamps and the
order of
records differ by a second or two."""
NEAR = 64
"""So may this many events at either end, whatever their stamps say."""
FRAGMENTS = pa.schema(
    [
        ("key", pa.uint64()),
        ("evidence", pa.int32()),
        ("number", pa.int64()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("time", pa.int64()),
        ("block", pa.int64()),
        ("place", pa.int64()),
        ("host", pa.string()),
        ("raw", pa.binary()),
    ]
)
_ENDS_IN = {w.CLIENT: w.C, w.SESSION: w.C, w.MSGID: w.A, w.NOTIFY: w.G, w.PICKUP: w.G}
"""Fields that nothing closes at the end of their record: a user, a Message-ID without its bracket, queue ids."""
_NONE = np.zeros(0, np.bool_)
_ZONE_NAMES = frozenset(name.encode() for name, minutes in ZONES.items() if minutes)
_REPEATED = re.compile(rb": message repeated (\d+) times: \[")
_ZONE = re.compile(rb"(?<=[A-Z][a-z]{2} )[ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d(?:[.,]\d+)? ([A-Z]{1,5}) (?=[^\s:\[]+ )")


def scan(block: base.Block, context: base.ScanContext) -> base.Scan:
    """See `forensics.loaders.base.Loader.scan`."""
    ready = prepared(block)
    buf, n = ready.buffer, ready.size
    skip = _NONE if context.skip is None else np.ascontiguousarray(context.skip)
    ints, longs, lines, other, names, known = scan_block(buf, n, skip, blanks=not hasattr(block, "starts"))
    ignored = _ignored(buf, other, names, known)
    if len(skip):
        duplicates = int(np.count_nonzero(skip[:lines]))
        if duplicates:
            ignored["duplicate"] = duplicates
    count = len(ints)
    numbers, offsets, lengths, times = (np.empty(count, np.int64) for _ in range(4))
    stamps, kinds, flags = (np.empty(count, np.int32) for _ in range(3))
    addresses(ints, longs, context.number, block.offset, numbers, offsets, lengths, stamps, times, kinds, flags)
    if len(kinds) and _breaks_off(block, ints[-1], lines):
        kinds[-1], ints[-1, w.KIND], ints[-1, w.N0] = w.UNREAD, w.UNREAD, w.R_BREAKS
    is_event = kinds >= w.EVENT
    times, good = _resolved(stamps, times, numbers, context.plan.clock)
    longs[:, w.TIME] = times
    event = is_event & good
    if hasattr(block, "starts"):
        begins = ints[:, w.OFFSET].astype(np.int64)
        offsets, lengths = base.places(block, begins, begins + ints[:, w.LENGTH])
    rows = _Rows(buf, ints, times, good, numbers, offsets, lengths)
    blank = (kinds == w.UNREAD) & (ints[:, w.N0] == w.R_EMPTY) & (lengths == 0)
    if blank.any():
        ignored["blank line"] = ignored.get("blank line", 0) + int(np.count_nonzero(blank))
    ended = kinds == w.ENDED  # of a session: known and irrelevant, but for what it says of others
    if ended.any():
        smtpd = f"postfix {_program(w.P_SMTPD)}"
        ignored[smtpd] = ignored.get(smtpd, 0) + int(np.count_nonzero(ended))
    unread_table = _unread(block, rows, np.flatnonzero((kinds == w.UNREAD) & ~blank | (is_event & ~ended & ~good)))
    others = shapes.examples(_others(rows, np.flatnonzero(kinds == w.STRANGE)))
    for one in others:
        kind = f"other lines of {one.program}" if one.program else "other lines without a program"
        ignored[kind] = ignored.get(kind, 0) + one.count
    said = list(_notices(rows, np.flatnonzero(kinds == w.NOTICE), context.evidence, ignored))
    said += _repeated(rows, np.flatnonzero(event & (flags & w.REPEATED != 0)), context.evidence)
    said += _running_on(rows, np.flatnonzero(event & (flags & w.RUNS_ON != 0)), context.evidence)
    noted = _zone_names(buf, ints, stamps)
    if not event.all():
        taken = np.flatnonzero(event)
        ints, longs, times = ints[taken], longs[taken], times[taken]
        numbers, offsets, lengths = numbers[taken], offsets[taken], lengths[taken]
    order: Order = context.plan.order
    blocks, places = order.places(numbers)
    events = Events(
        buffer=buf,
        ints=ints,
        longs=longs,
        evidence=np.full(len(ints), context.evidence, np.int32),
        number=numbers,
        offset=offsets,
        length=lengths,
        edge=_edges(times, context.shared) | (not order.plain),
        block=blocks,
        place=places,
    )
    if context.hosts:
        events = hosts.renamed(events, context.hosts)
    keyed(events)
    return base.Scan(
        records=lines, used=int(np.count_nonzero(event & ~ended)), ignored=ignored, unread=unread_table, events=events,
        examples=others,
        losses=losses.rows(said) if said else None, noted=noted,
        span=(int(times.min()), int(times.max())) if len(times) else None,
    )  # fmt: skip


def _breaks_off(block: base.Block, last: Any, lines: int) -> bool:
    """Whether the row `last` is of the content's last record, that has no line end, and ends in a name or an id, of
    which a part may be missing, or is in no known form."""
    if last[w.LINE] != lines - 1 or not base.is_open_ended(block):
        return False
    kind, end = last[w.KIND], last[w.OFFSET] + last[w.LENGTH]
    column = _ENDS_IN.get(int(kind))
    return bool(kind == w.STRANGE or (column is not None and last[column + 1] == end))


def _resolved(stamps: Any, times: Any, numbers: Any, clock: years.Clock) -> tuple[Any, Any]:
    """(microseconds UTC, readable?): stamps that name UTC are of no other zone, whatever their file's is."""
    named = stamps == w.NO_YEAR_UTC
    if not named.any():
        return years.resolve(stamps, times, numbers, clock)
    kinds = np.where(named, np.int32(w.NO_YEAR), stamps)
    out, good = years.resolve(kinds, times, numbers, clock)
    in_utc, _ = years.resolve(kinds, times, numbers, replace(clock, zone=None))
    return np.where(named, in_utc, out), good


class _Rows(NamedTuple):
    """Rows of the scanner with where their records are."""

    buffer: Any
    ints: Any
    times: Any
    good: Any
    numbers: Any
    offsets: Any
    lengths: Any

    def span(self, row: int, column: int) -> str:
        start, end = self.ints[row, column : column + 2].tolist()
        return text(bytes(self.buffer[start:end])) if start >= 0 else ""

    def line(self, row: int) -> bytes:
        start, length = self.ints[row, w.OFFSET], self.ints[row, w.LENGTH]
        return bytes(self.buffer[start : start + min(length, 4096)])

    def at(self, row: int) -> int | None:
        return int(self.times[row]) if self.good[row] else None


def _others(rows: _Rows, which: Any) -> Iterator[tuple[str, str, int, int, int]]:
    """(program, text, number, offset, length) of lines of unknown shape."""
    for r in which.tolist():
        program = _program(int(rows.ints[r, w.PROGRAM])) or rows.span(r, w.B)
        yield program, rows.span(r, w.A), int(rows.numbers[r]), int(rows.offsets[r]), int(rows.lengths[r])


def _notices(rows: _Rows, which: Any, evidence: int, ignored: dict[str, int]) -> Iterator[tuple[Any, ...]]:
    """Rows of `LOSSES` for what the logging daemon says of missing records; all its lines are counted in `ignored`."""
    for r in which.tolist():
        program = rows.span(r, w.A)[:64]
        line = text(rows.line(r))
        mark = "marks between records" if line.startswith("--") else "notices of the logger"
        kind = f"program {program}" if program else mark
        ignored[kind] = ignored.get(kind, 0) + 1
        if found := losses.said(line):
            host = rows.span(r, w.HOST) or None
            yield (found[0], evidence, host, rows.at(r), found[1], int(rows.numbers[r]), int(rows.offsets[r]), line)


def _repeated(rows: _Rows, which: Any, evidence: int) -> Iterator[tuple[Any, ...]]:
    """Rows of `LOSSES` for events that rsyslog logged once for several that were alike ("message repeated 3 times")."""
    for r in which.tolist():
        line = rows.line(r)
        found = _REPEATED.search(line)
        more = int(found[1]) - 1 if found and len(found[1]) < 19 else None
        if more != 0:
            host = rows.span(r, w.HOST) or None
            place = int(rows.numbers[r]), int(rows.offsets[r])
            yield ("repeated", evidence, host, rows.at(r), more, *place, text(line))


def _running_on(rows: _Rows, which: Any, evidence: int) -> Iterator[tuple[Any, ...]]:
    """Rows of `LOSSES` for events whose reply or subject holds what looks like a further record. Who wrote that text
    may have quoted one or made one up, so it is never read as such."""
    for r in which.tolist():
        place = int(rows.numbers[r]), int(rows.offsets[r])
        yield ("runs on", evidence, rows.span(r, w.HOST) or None, rows.at(r), 1, *place, text(rows.line(r)))


def _zone_names(buf: Any, ints: Any, stamps: Any) -> tuple[str, ...]:
    """A sentence on the zone that the block's first stamp without a year names, where that is not UTC."""
    rows = np.flatnonzero(stamps == w.NO_YEAR)
    if not len(rows):
        return ()
    start = int(ints[rows[0], w.OFFSET])
    found = _ZONE.search(bytes(buf[start : start + 120]))
    if not found or found[1] not in _ZONE_NAMES:
        return ()
    return (
        f"stamps without a year name the time zone {found[1].decode()}; they are read in the file's zone, which "
        "--timezone gives",
    )


def _program(number: int) -> str:
    """The program of this number; empty for none."""
    return "postfix" if number == w.BARE else w.PROGRAMS[number - 1] if number > 0 else ""


def _ignored(buf: Any, other: Any, names: Any, known: Any) -> dict[str, int]:
    ignored: dict[str, int] = {}
    for slot in np.flatnonzero(other):
        name = bytes(buf[names[slot, 0] : names[slot, 1]]).decode("utf-8", "backslashreplace")[:64]
        kind = f"program {name}"
        ignored[kind] = ignored.get(kind, 0) + int(other[slot])
    if known[w.NAMELESS]:
        ignored["program (others)"] = int(known[w.NAMELESS])
    if known[w.BLANK]:
        ignored["blank line"] = int(known[w.BLANK])
    for number in np.flatnonzero(known[: w.BLANK]).tolist():
        kind = f"postfix {_program(number)}"
        ignored[kind] = ignored.get(kind, 0) + int(known[number])
    if known[w.BARE]:
        ignored["postfix (program not named)"] = int(known[w.BARE])
    return ignored


def _unread(block: base.Block, rows: _Rows, which: Any) -> pa.Table:
    out = []
    for r in which.tolist():
        reason = w.REASONS[int(rows.ints[r, w.N0])] if rows.ints[r, w.KIND] == w.UNREAD else w.REASONS[w.R_STAMP]
        out.append((int(rows.numbers[r]), int(rows.offsets[r]), int(rows.lengths[r]), reason))
    return base.unread_rows(block, out)


def _edges(times: NDArray[np.int64], shared: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    edge = np.zeros(len(times), np.bool_)
    if len(times):
        edge |= times <= times[:NEAR].max() + GUARD
        edge |= times >= times[-NEAR:].min() - GUARD
        edge[:NEAR] = True
        edge[-NEAR:] = True
        if shared:
            begins, ends = np.array(shared, np.int64).T
            at = np.searchsorted(begins - GUARD, times, side="right") - 1
            edge |= (at >= 0) & (times <= ends[at] + GUARD)
    return edge


def keyed(events: Events) -> None:
    """Finish the keys: temporary refusals, and recipients that are not plain (their key is `domains.key`'s)."""
    triplets(events.buffer, events.ints, events.longs, np.flatnonzero(events.kinds == w.REJECT))
    flags = events.ints[:, w.FLAGS]
    odd = np.flatnonzero(flags & (w.ODD_TO | w.ODD_ORIG))
    for flag, span, key in ((w.ODD_TO, w.A, w.RKEY), (w.ODD_ORIG, w.B, w.OKEY)):
        for r in odd[flags[odd] & flag != 0].tolist():
            raw = bytes(events.buffer[events.ints[r, span] : events.ints[r, span + 1]])
            events.longs[r, key] = address_hash(raw)


def address_hash(raw: bytes) -> int:
    """The key of an address as a signed 64-bit number: `domains.key`, then the scanner's hash."""
    from forensics import domains
    from forensics.loaders.postfix.events import text

    return int(hash_of(domains.key(text(raw)).encode()).astype(np.int64))


def fragments(events: Events, rows: NDArray[np.int64]) -> pa.Table:
    """These events as a table that `resume` reads: their raw lines, addresses and times."""
    from forensics.loaders.postfix.events import gather

    whole = np.empty((len(rows), 2), np.int32)
    whole[:, 0] = events.ints[rows, w.OFFSET]
    whole[:, 1] = whole[:, 0] + events.ints[rows, w.LENGTH]
    offsets, data, _, _ = gather(events.buffer, whole, np.arange(len(rows), dtype=np.int32), 0)
    raw = pa.BinaryArray.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    columns = [
        pa.array(sessions.keys(events, rows)),
        pa.array(events.evidence[rows]),
        pa.array(events.number[rows]),
        pa.array(events.offset[rows]),
        pa.array(events.length[rows]),
        pa.array(events.longs[rows, w.TIME]),
        pa.array(events.block[rows]),
        pa.array(events.place[rows]),
        hosts.other_names(events, rows),
        raw,
    ]
    return pa.Table.from_arrays(columns, schema=FRAGMENTS)


def resume(table: pa.Table) -> Events:
    """Fragments of one or many blocks as events, ordered as they happened: record order inside a block of a file,
    stamps between blocks and files."""
    order = _order(table)
    table = table.take(pa.array(order)).combine_chunks()
    raw = table["raw"].combine_chunks()
    if isinstance(raw, pa.ChunkedArray):
        raw = raw.chunk(0) if raw.num_chunks else pa.array([], pa.binary())
    lines = b"\n".join(raw.to_pylist())
    end = b"\n" if len(table) else b""
    buf = np.frombuffer(lines + end + bytes(base.PADDING), np.uint8)
    ints, longs, count, _, _, _ = scan_block(buf, len(lines) + len(end), _NONE)
    if count != len(table) or len(ints) != count:
        raise AssertionError("fragments do not read as the events they were")
    longs[:, w.TIME] = table["time"].to_numpy()
    events = Events(
        buffer=buf,
        ints=ints,
        longs=longs,
        evidence=table["evidence"].to_numpy().astype(np.int32),
        number=table["number"].to_numpy(),
        offset=table["offset"].to_numpy(),
        length=table["length"].to_numpy(),
        edge=np.zeros(len(ints), np.bool_),
        block=table["block"].to_numpy(),
        place=table["place"].to_numpy(),
    )
    events = hosts.given(events, table["host"].combine_chunks())
    keyed(events)
    return events


def _order(table: pa.Table) -> NDArray[np.int64]:
    key, evidence = table["key"].to_numpy(), table["evidence"].to_numpy().astype(np.int32)
    block, place, time = (table[name].to_numpy() for name in ("block", "place", "time"))
    order = np.lexsort((place, block, evidence, key))
    if not len(order):
        return order
    k, t = key[order], time[order].copy()
    running_max(k, evidence[order], block[order], t)
    return order[np.lexsort((place[order], evidence[order], t, k))]
