"""Postfix events → hops and legs."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from forensics import schema
from forensics.columns import coded, reaches
from forensics.loaders.base import HOPS, PADDING, RECORD_INDEX, Assembled
from forensics.loaders.postfix import instances, missing, sessions
from forensics.loaders.postfix.events import Events, column
from forensics.loaders.postfix.read import fragments
from forensics.loaders.subjects import decoded
from forensics.native import codes
from forensics.native.postfix import grouping as g
from forensics.native.postfix import words as w
from forensics.native.postfix.order import in_protocol_order
from forensics.native.postfix.refusals import AT_RCPT
from forensics.native.postfix.rows import ports

Rows = NDArray[np.int32]
_NONE = np.int32(-1)
_OF_MESSAGE = [g.H_CLIENT, g.H_PICKUP, g.H_MSGID, g.H_QUEUED, g.H_SUBJECT, g.H_FROM, g.H_SESSION]
"""What a hop says of its message; nothing where it may be another's."""
_PIPE, _LOCAL, _VIRTUAL = (w.PROGRAMS.index(name) + 1 for name in ("pipe", "local", "virtual"))


def assemble(events: Events, *, final: bool) -> Assembled:
    """Hops and legs of the events; unless `final`, groups that may go on elsewhere come back as fragments.

    A hop is complete when its birth and its removal are here and none of its events is at an edge.
    """
    kept_ends, everything = sessions.linked(events), events
    if not final and _goes_on(events):
        return Assembled(*_nothing(), fragments(events, np.flatnonzero((events.kinds != w.ENDED) | kept_ends)))
    events = instances.parted(events)
    hops, legs, event_hop, event_leg = g.group(events.buffer, events.ints, events.longs, events.edge)
    disordered = np.flatnonzero(hops[:, g.H_FLAGS] & g.DISORDERED)
    order = np.arange(len(events.ints))
    if len(disordered):
        keys = events.longs[hops[disordered, g.H_FIRST], w.KEY]
        order = in_protocol_order(events.ints, events.longs, keys)
        events = events.take(order)
        hops, legs, event_hop, event_leg = g.group(events.buffer, events.ints, events.longs, events.edge)
    flags = hops[:, g.H_FLAGS]
    if final:
        complete = np.ones(len(hops), np.bool_)
    else:
        complete = (flags & (codes.BORN | codes.CLOSED | g.EDGE) == codes.BORN | codes.CLOSED) & (
            flags & (codes.GREYLISTED | g.SHARED) == 0
        )
    rest = None
    if not final:
        waits = np.empty(len(order), np.bool_)
        waits[order] = ~np.append(complete, True)[event_hop]  # -1, of no hop, is the last
        rest = fragments(everything, np.flatnonzero(waits | kept_ends))  # which stands as it was read
    leg_rows = np.flatnonzero(
        (legs[:, g.L_OUTCOME] >= 0) & complete[legs[:, g.L_HOP]] & (flags[legs[:, g.L_HOP]] & g.PROBED == 0)
    )
    used = np.zeros(len(hops), np.bool_)
    used[legs[leg_rows, g.L_HOP]] = True
    kept = used | (hops[:, g.H_PICKUP] >= 0) | (hops[:, g.H_CLIENT] >= 0)
    hop_rows = np.flatnonzero(complete & kept)
    hop_at = np.full(len(hops), -1, np.int32)
    hop_at[hop_rows] = np.arange(len(hop_rows), dtype=np.int32)
    leg_at = np.full(len(legs) + 1, -1, np.int32)
    leg_at[leg_rows] = np.arange(len(leg_rows), dtype=np.int32)
    message_level = np.where(event_leg < 0, event_hop, np.int32(-1)).astype(np.int32)
    told = hops[hop_rows]
    shared = np.flatnonzero(told[:, g.H_FLAGS] & g.SHARED)
    told[shared[:, None], _OF_MESSAGE] = _NONE
    told[shared, g.H_FLAGS] &= ~g.LOGIN
    return Assembled(
        hops=_hops(events, told, _records(events, message_level, hop_at, len(hop_rows))),
        legs=_legs(events, hop_at, legs[leg_rows], _records(events, event_leg, leg_at, len(leg_rows))),
        fragments=rest,
        losses=missing.losses(events, hops, legs, event_hop, complete, final=final) if len(hops) else None,
        strays=_strays(events, hops[~kept]) if final else None,
    )


def _goes_on(events: Events) -> bool:
    """Whether all groups may go on elsewhere, as those of a short file do: `group` then finds each at an edge."""
    if not events.edge.all():
        return False
    known = (events.longs[:, w.KEY] != 0) | (events.ints[:, w.FLAGS] & w.OPEN != 0) | (events.kinds == w.ENDED)
    return bool(known.all())


@cache
def _nothing() -> tuple[pa.Table, pa.Table]:
    """Hops and legs of no events."""
    none, ints = np.zeros(0, np.int64), np.zeros((0, w.INTS), np.int32)
    events = Events(
        buffer=np.zeros(PADDING, np.uint8), ints=ints, longs=np.zeros((0, w.LONGS), np.int64), evidence=ints[:, 0],
        number=none, offset=none, length=none, edge=none.astype(np.bool_), block=none, place=none,
    )  # fmt: skip
    made = assemble(events, final=True)
    return made.hops, made.legs


def _strays(events: Events, hops: Any) -> pa.Table:
    hops = hops[events.ints[hops[:, g.H_FIRST], w.QID] >= 0]
    none = pa.nulls(len(hops), HOPS.field("records").type)
    return _hops(events, hops, none)


def _records(events: Events, groups: NDArray[np.int32], position: NDArray[np.int32], count: int) -> pa.Array:
    offsets, rows = g.by_group(groups, position, count)
    fields = list(RECORD_INDEX)
    values = pa.StructArray.from_arrays(
        [
            pa.array(events.evidence[rows]),
            pa.array(events.number[rows]),
            pa.array(events.offset[rows]),
            pa.array(events.length[rows]),
        ],
        fields=fields,
    )
    kind = HOPS.field("records").type
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=kind)


def _times(events: Events, rows: Any) -> pa.Array:
    return pa.array(_cells(events.longs, rows, w.TIME)).cast(pa.timestamp("us")).cast(schema.TIME)


def _code(values: pa.Array) -> pa.Array:
    return values.dictionary_encode().cast(schema.CODE)


def _first(*columns: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.coalesce(*columns)


def _cells(table: Any, rows: Any, column: int) -> Any:
    """One column of these rows, of row 0 where a row is negative. NumPy takes a pair of indices apart several times as
    slowly."""
    return table.reshape(-1).take(np.maximum(rows, 0) * np.int64(table.shape[1]) + column)


def _kind_rows(events: Events, rows: Rows, *kinds: int) -> Rows:
    """The rows whose event is of one of these kinds, else -1."""
    wanted = np.zeros(w.KINDS, np.bool_)
    wanted[list(kinds)] = True
    return np.where((rows >= 0) & wanted[_cells(events.ints, rows, w.KIND)], rows, _NONE)


def _hops(events: Events, hops: Any, records: pa.Array) -> pa.Table:
    import pyarrow.compute as pc

    count = len(hops)
    of = np.ascontiguousarray(hops.T)
    first, client, queued, sender = of[g.H_FIRST], of[g.H_CLIENT], of[g.H_QUEUED], of[g.H_FROM]
    session = of[g.H_SESSION]
    from_a = _kind_rows(events, sender, w.QUEUED, w.PICKUP, w.EXPIRED)
    from_b = _kind_rows(events, sender, w.REJECT, w.CHECK)
    refused = _kind_rows(events, sender, w.REJECT)
    flags = of[g.H_FLAGS]
    user = _first(column(events, session, w.C), column(events, client, w.C))
    before_filter = _first(column(events, session, w.F), column(events, session, w.B))
    client_address = _first(
        before_filter, column(events, client, w.F), column(events, client, w.B), column(events, refused, w.D)
    )
    told = (session >= 0) | _starts(events, client, w.E) | _starts(events, client, w.F)
    peer = np.where(told, client, _NONE)
    logged_in = user.is_valid().to_numpy(zero_copy_only=False) | (flags & g.LOGIN != 0)
    local = _kind_rows(events, of[g.H_PICKUP], w.PICKUP) >= 0
    seen = (client >= 0) | (refused >= 0) | (session >= 0)
    columns = {
        "hop": pa.array(np.arange(count, dtype=np.int64)),
        "system": coded(np.zeros(count, np.int32), ["postfix"]),
        "host": _code(column(events, first, w.HOST)),
        # a refusal for now stands for itself, also in a session that had a message accepted
        "queue_id": column(events, np.where(flags & codes.GREYLISTED != 0, _NONE, first), w.QID),
        "message_id": column(events, of[g.H_MSGID], w.A),
        "network_message_id": pa.nulls(count, pa.string()),
        "first_at": _times(events, first),
        "last_at": _times(events, of[g.H_LAST]),
        "sender": _first(column(events, from_a, w.A), column(events, from_b, w.B)),
        "authenticated_user": user,
        "client_name": pc.if_else(
            before_filter.is_valid(),
            _first(column(events, session, w.E), column(events, session, w.A)),
            _first(column(events, client, w.E), column(events, client, w.A), column(events, refused, w.C)),
        ),
        "client_address": client_address,
        "size_bytes": _sizes(events, queued),
        "recipient_count": _counts(events, queued),
        "subject": decoded(column(events, of[g.H_SUBJECT], w.C)),
        "born": pa.array(flags & codes.BORN != 0),
        "closed": pa.array(flags & codes.CLOSED != 0),
        "records": records,
        "previous_id": column(events, of[g.H_PICKUP], w.G),
        "greylisted": pa.array(flags & codes.GREYLISTED != 0),
        "submission": _submission(logged_in, client_address, seen, local),
        "peer_name": column(events, peer, w.A),
        "peer_address": column(events, peer, w.B),
        "repeated": pa.array(flags & g.REPEATED != 0),
    }
    return pa.table(columns)


def _starts(events: Events, rows: Rows, at: int) -> NDArray[np.bool_]:
    """Which rows have the span column `at`."""
    found: NDArray[np.bool_] = (rows >= 0) & (_cells(events.ints, rows, at) >= 0)
    return found


def _submission(logged_in: Any, address: pa.Array, seen: Any, local: Any) -> pa.Array:
    """How each message came in (`schema.SUBMISSIONS`)."""
    internal, outside, not_seen = (schema.SUBMISSIONS.index(word) for word in ("internal", "outside", "not-seen"))
    by_address = np.where(reaches(address)[0] == codes.PUBLIC, outside, internal)
    how = np.select([logged_in, local, seen], [0, 1, by_address], not_seen).astype(np.int32)
    return coded(how, schema.SUBMISSIONS)


def _sizes(events: Events, queued: Rows) -> pa.Array:
    values = _cells(events.ints, queued, w.N0).astype(np.int64)
    for k in np.flatnonzero((queued >= 0) & (_cells(events.ints, queued, w.B) >= 0)).tolist():
        start, end = events.ints[queued[k], w.B : w.B + 2]
        values[k] = min(int(bytes(events.buffer[start:end])), 2**63 - 1)
    return pa.array(values, mask=queued < 0)


def _counts(events: Events, queued: Rows) -> pa.Array:
    values = _cells(events.ints, queued, w.N1)
    return pa.array(values, mask=(queued < 0) | (values < 0))


def _legs(events: Events, hop_at: Any, legs: Any, records: pa.Array) -> pa.Table:
    of = np.ascontiguousarray(legs.T)
    settle, first, outcome = of[g.L_SETTLE], of[g.L_FIRST], of[g.L_OUTCOME]
    original = np.where(of[g.L_DIRECT] == 0, of[g.L_ORIG], _NONE)
    delivery = _kind_rows(events, settle, w.DELIVERY)
    sent = np.where(outcome == codes.DELIVERED, delivery, _NONE)
    columns = {
        "hop": pa.array(hop_at[of[g.L_HOP]].astype(np.int64)),
        "recipient": column(events, first, w.A),
        "original_recipient": column(events, original, w.B),
        "recipient_role": coded((of[g.L_ROLE] == 1).astype(np.int32), ["unknown", "bcc"]),
        "outcome": coded(outcome, schema.OUTCOMES),
        "at": _times(events, of[g.L_AT]),
        "status_code": column(events, settle, w.E),
        "response": column(events, settle, w.F),
        "relay_name": column(events, delivery, w.C),
        "relay_address": column(events, delivery, w.D),
        "tls": _tls(events, delivery),
        "attempts": pa.array(of[g.L_ATTEMPTS]),
        "next_id": column(events, sent, w.G),
        "records": records,
        "forwarded": pa.array(_forwarded(events, sent)),
        "alias": column(events, of[g.L_ORIG], w.B),
        "mailbox": pa.array(_programs(events, sent, _LOCAL, _VIRTUAL) & ~_forwarded(events, sent)),
        "program": pa.array(_programs(events, delivery, _PIPE)),
        "port": _ports(events, delivery),
        "refused": pa.array((outcome == codes.REJECTED) | _at_rcpt(events, settle)),
    }
    return pa.table(columns)


def _at_rcpt(events: Events, settle: Rows) -> NDArray[np.bool_]:
    """Which legs were settled by a restriction of smtpd(8): to refuse, discard or hold, while the client asked."""
    rows = _kind_rows(events, settle, w.REJECT)
    found: NDArray[np.bool_] = (rows >= 0) & (_cells(events.ints, rows, w.N1) == AT_RCPT)
    return found


def _programs(events: Events, rows: Rows, *programs: int) -> NDArray[np.bool_]:
    """Which rows are lines of one of these programs."""
    found: NDArray[np.bool_] = (rows >= 0) & np.isin(_cells(events.ints, rows, w.PROGRAM), programs)
    return found


def _ports(events: Events, rows: Rows) -> pa.Array:
    """The port behind the relay's address: `[192.0.2.1]:25`; 0 of a UNIX-domain socket."""
    found = np.empty(len(rows), np.int32)
    ports(events.buffer, events.ints, np.ascontiguousarray(rows, np.int32), found)
    return pa.array(found, mask=found < 0)


def _tls(events: Events, rows: Rows) -> pa.Array:
    flags = np.where(rows >= 0, _cells(events.ints, rows, w.FLAGS), 0)
    return pa.array(flags & w.WITH_TLS != 0, mask=flags & (w.WITH_TLS | w.WITHOUT_TLS) == 0)


def _forwarded(events: Events, rows: Rows) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (rows >= 0) & (_cells(events.ints, rows, w.N1) == w.FORWARDED_AS)
    return found
