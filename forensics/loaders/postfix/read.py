"""Blocks and fragments of a Postfix log into events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics.loaders import base, years
from forensics.loaders.postfix.events import Events
from forensics.loaders.postfix.survey import prepared
from forensics.native.postfix import words as w
from forensics.native.postfix.rows import addresses, running_max, triplets
from forensics.native.postfix.scanner import scan_block
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
        ("raw", pa.binary()),
    ]
)
_NONE = np.zeros(0, np.bool_)


def scan(block: base.Block, context: base.ScanContext) -> base.Scan:
    """See `forensics.loaders.base.Loader.scan`."""
    ready = prepared(block)
    buf, n = ready.buffer, ready.size
    skip = _NONE if context.skip is None else np.ascontiguousarray(context.skip)
    ints, longs, lines, other, names, known = scan_block(buf, n, skip)
    ignored = _ignored(buf, other, names, known)
    if len(skip):
        duplicates = int(np.count_nonzero(skip[:lines]))
        if duplicates:
            ignored["duplicate"] = duplicates
    count = len(ints)
    numbers, offsets, lengths, times = (np.empty(count, np.int64) for _ in range(4))
    stamps, is_event = np.empty(count, np.int32), np.empty(count, np.bool_)
    addresses(ints, longs, context.number, block.offset, numbers, offsets, lengths, stamps, times, is_event)
    times, good = years.resolve(stamps, times, numbers, context.plan)
    longs[:, w.TIME] = times
    event = is_event & good
    unread = np.flatnonzero(~event)
    if ready.offsets is not None:
        offsets, lengths = ready.offsets[ints[:, w.LINE]] + block.offset, ready.lengths[ints[:, w.LINE]]
    unread_table = _unread(block, ints, numbers, offsets, lengths, unread)
    if len(unread):
        rows = np.flatnonzero(event)
        ints, longs, numbers, offsets, lengths = ints[rows], longs[rows], numbers[rows], offsets[rows], lengths[rows]
        times = times[rows]
    events = Events(
        buffer=buf,
        ints=ints,
        longs=longs,
        evidence=np.full(len(ints), context.evidence, np.int32),
        number=numbers,
        offset=offsets,
        length=lengths,
        edge=_edges(times, context.shared),
    )
    keyed(events)
    return base.Scan(records=lines, used=len(ints), ignored=ignored, unread=unread_table, events=events)


def _ignored(buf: Any, other: Any, names: Any, known: Any) -> dict[str, int]:
    ignored: dict[str, int] = {}
    for slot in np.flatnonzero(other):
        name = bytes(buf[names[slot, 0] : names[slot, 1]]).decode("utf-8", "backslashreplace")[:64]
        kind = f"program {name}"
        ignored[kind] = ignored.get(kind, 0) + int(other[slot])
    if known[127]:
        ignored["program (others)"] = int(known[127])
    for number in np.flatnonzero(known[:127]):
        kind = f"postfix {w.PROGRAMS[number - 1]}"
        ignored[kind] = ignored.get(kind, 0) + int(known[number])
    return ignored


def _unread(block: base.Block, ints: Any, numbers: Any, offsets: Any, lengths: Any, rows: Any) -> pa.Table:
    out = []
    for r in rows.tolist():
        reason = w.REASONS[int(ints[r, w.N0])] if ints[r, w.KIND] == w.UNREAD else w.REASONS[w.R_STAMP]
        start, length = int(offsets[r]) - block.offset, int(lengths[r])
        raw = block.data[start : start + min(length, 4096)].tobytes()
        out.append((int(numbers[r]), int(offsets[r]), length, reason, raw))
    return base.unread_rows(out)


def _edges(times: NDArray[np.int64], shared: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    edge = np.zeros(len(times), np.bool_)
    if len(times):
        edge |= times <= times[:NEAR].max() + GUARD
        edge |= times >= times[-NEAR:].min() - GUARD
        edge[:NEAR] = True
        edge[-NEAR:] = True
        for first, last in shared:
            edge |= (times >= first - GUARD) & (times <= last + GUARD)
    return edge


def keyed(events: Events) -> None:
    """Finish the keys: temporary refusals, and recipients that are not plain (their key is `domains.key`'s)."""
    seen = triplets(events.buffer, events.ints, events.longs)
    for flag, span, key in ((w.ODD_TO, w.A, w.RKEY), (w.ODD_ORIG, w.B, w.OKEY)):
        for r in np.flatnonzero(events.ints[:, w.FLAGS] & flag).tolist() if seen & flag else ():
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
        pa.array(events.longs[rows, w.KEY].astype(np.uint64)),
        pa.array(events.evidence[rows]),
        pa.array(events.number[rows]),
        pa.array(events.offset[rows]),
        pa.array(events.length[rows]),
        pa.array(events.longs[rows, w.TIME]),
        raw,
    ]
    return pa.Table.from_arrays(columns, schema=FRAGMENTS)


def resume(table: pa.Table) -> Events:
    """Fragments of one or many blocks as events, ordered as they happened: record order inside a file, stamps between
    files."""
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
    )
    keyed(events)
    return events


def _order(table: pa.Table) -> NDArray[np.int64]:
    key, evidence = table["key"].to_numpy(), table["evidence"].to_numpy().astype(np.int32)
    number, time = table["number"].to_numpy(), table["time"].to_numpy()
    order = np.lexsort((number, evidence, key))
    if not len(order):
        return order
    k, e, t = key[order], evidence[order], time[order].copy()
    running_max(k, e, t)
    return order[np.lexsort((number[order], e, t, k))]
