"""Exchange events → hops and legs: one hop for each message over all servers, one leg for each final recipient.

Rows are ordered by time, then by evidence and record: every Exchange row has a full UTC time, and files may have been
split, shuffled and joined. What each effect does to a recipient is in `settling.settle`; the effects are those of
`loaders.exchange.event_ids`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics import domains, schema
from forensics.loaders.base import Assembled
from forensics.loaders.exchange import event_ids as ids
from forensics.loaders.exchange.emit import STORE
from forensics.stitch import statuses
from forensics.stitch.settling import (
    BOUNCED,
    DEFERRED,
    DELIVERED,
    DISCARDED,
    DUPLICATE,
    EXPIRED,
    HELD,
    INSIDE,
    NOTHING,
    OUTCOMES,
    REJECTED,
    SENT,
    settle,
)

Array = np.ndarray


def assemble(events: pa.Table, *, final: bool) -> Assembled:
    """Hops and legs of all messages in `events`; without `final` nothing is complete: any server may tell more."""
    if not final or not events.num_rows:
        none = Assembled(schema.HOPS.empty_table(), schema.LEGS.empty_table(), None if final else events)
        return none
    rows = _Rows(events)
    legs = _Legs(rows)
    return Assembled(_hops(rows, legs), legs.table(), None)


class _Rows:
    """Events in order, with codes instead of strings where they are compared."""

    def __init__(self, events: pa.Table) -> None:
        group = pc.dictionary_encode(events["group"].combine_chunks())
        group = group.combine_chunks() if isinstance(group, pa.ChunkedArray) else group
        code = group.indices.to_numpy(zero_copy_only=False)
        plain = {
            n: events[n].to_numpy() for n in ("at", "evidence", "number", "offset", "length", "part", "effect", "flags")
        }
        order = np.lexsort((plain["part"], plain["number"], plain["evidence"], plain["at"], code))
        self.events = events.take(pa.array(order)).combine_chunks()
        self.group = _dense(code[order])
        """Message of each row: 0… in the order of the groups' codes."""
        self.plain = {n: v[order] for n, v in plain.items()}
        self.online = self.events["online"].to_numpy(zero_copy_only=False)
        self.messages = int(self.group[-1]) + 1
        self.first = np.flatnonzero(np.r_[True, self.group[1:] != self.group[:-1]])
        """First row of each message."""

    def column(self, name: str) -> pa.Array:
        column = self.events[name]
        return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

    def carried(self, name: str) -> Array:
        """Row of each message that has a value in this column, the earliest; -1 where none has."""
        rows = np.flatnonzero(self.column(name).is_valid().to_numpy(zero_copy_only=False))
        out = np.full(self.messages, -1, np.int64)
        groups, at = np.unique(self.group[rows], return_index=True)
        out[groups] = rows[at]
        return out

    def taken(self, name: str) -> pa.Array:
        return _take(self.column(name), self.carried(name))


def _dense(code: Array) -> Array:
    return np.cumsum(np.r_[False, code[1:] != code[:-1]]).astype(np.int64)


def _take(column: pa.Array, rows: Array) -> pa.Array:
    return column.take(pa.array(np.where(rows < 0, 0, rows), mask=rows < 0))


def _codes(column: pa.Array, fold: object) -> tuple[Array, pa.Array]:
    """(code of each row, -1 for null; first spelling of each code) with spellings compared by `fold`."""
    encoded = column.dictionary_encode()
    spelled = encoded.dictionary.to_pylist()
    seen: dict[str, int] = {}
    renumber = np.array([seen.setdefault(fold(s), len(seen)) for s in spelled], np.int64)  # type: ignore[operator]
    indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    codes = np.where(indices < 0, -1, renumber[indices] if len(renumber) else -1)
    return codes, pa.array(list(seen), pa.string())


def _host_key(name: str) -> str:
    return name.strip().casefold().partition(".")[0]


class _Legs:
    """Recipients of all messages and what became of them."""

    def __init__(self, rows: _Rows) -> None:
        self.rows = rows
        recipient = rows.column("recipient")
        related = rows.column("related")
        both = pa.concat_arrays([recipient, related])
        codes, _ = _codes(both, domains.key)
        n = len(recipient)
        named, replaces = codes[:n], codes[n:]
        host, _ = _codes(pa.concat_arrays([rows.column("host"), rows.column("peer")]), _host_key)
        effect = self._effects()
        self.kinds = effect
        wide = np.int64(codes.max(initial=0) + 2)
        pair = np.where(named >= 0, rows.group * wide + named, -1)
        parent_pair = np.where(replaces >= 0, rows.group * wide + replaces, -1)
        found, first = np.unique(pair, return_index=True)
        keep = found >= 0
        found, first = found[keep], first[keep]
        order = np.argsort(first, kind="stable")  # legs in the order of their first row
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        self.first = first[order]
        self.leg = (
            np.where(pair >= 0, rank[np.searchsorted(found, pair).clip(max=max(len(found) - 1, 0))], -1)
            if len(found)
            else np.full(n, -1)
        )
        at = np.searchsorted(found, parent_pair).clip(max=max(len(found) - 1, 0)) if len(found) else np.zeros(n, int)
        known = (parent_pair >= 0) & (found[at] == parent_pair if len(found) else False)
        parent_leg = np.where(known, rank[at] if len(found) else 0, -1)
        self.message = rows.group[self.first]
        self.count = len(self.first)
        state = settle(
            self.count, self.leg, effect, rows.plain["at"], rows.plain["flags"], host[:n], host[n:],
            parent_leg, replaces >= 0,
        )  # fmt: skip
        (self.state, self.settled, self.last, self.attempts, self.parent_row, self.replaced, self.children) = state
        self.parent_leg = parent_leg
        self._roles()

    def _effects(self) -> Array:
        """Effects with a FAIL told apart by its status."""
        effect: Array = self.rows.plain["effect"].astype(np.int64)
        fails = np.flatnonzero(effect == ids.FAIL)
        if len(fails):
            kind = statuses.failures(self.rows.column("status").take(pa.array(fails)))
            effect[fails] = np.select(
                [kind == "expired", kind == "discarded", kind == "held"], [ids.EXPIRE, ids.DISCARD, ids.HOLD], ids.FAIL
            )
        return effect

    def _roles(self) -> None:
        status = self.rows.column("status").dictionary_encode()
        role = np.array([statuses.role(s) for s in status.dictionary.to_pylist()] + ["unknown"], object)
        indices = status.indices.fill_null(len(role) - 1).to_numpy(zero_copy_only=False)
        per_row = role[indices]
        telling = np.flatnonzero((per_row != "unknown") & (self.leg >= 0) & (self.kinds == ids.ENTER))
        self.role = np.full(self.count, "unknown", object)
        legs, at = np.unique(self.leg[telling], return_index=True)
        self.role[legs] = per_row[telling[at]]

    @property
    def final(self) -> Array:
        """Legs that are final recipients: not replaced by others, or settled all the same."""
        settled = np.isin(self.state, (DELIVERED, BOUNCED, EXPIRED, REJECTED, DISCARDED, HELD, SENT, DUPLICATE))
        final: Array = np.flatnonzero(~self.replaced | settled | ~self.children)
        return final

    def _original(self) -> pa.Array:
        """The outermost address that a recipient came from; its own role when it has none passes down as well."""
        related = self.rows.column("related")
        row = self.parent_row.copy()
        for _ in range(32):
            upper = np.where(row >= 0, self.parent_leg[row], -1)
            further = np.where(upper >= 0, self.parent_row[upper], -1)
            step = (further >= 0) & (further != row) & (upper != np.arange(self.count))
            if not step.any():
                break
            row = np.where(step, further, row)
        self._root = np.where(row >= 0, self.parent_leg[row], -1)
        original = _take(related, row)
        spelled = np.array(original.to_pylist(), object)
        own = np.array(self.rows.column("recipient").take(pa.array(self.first)).to_pylist(), object)
        same = np.array(
            [o is not None and domains.key(o) == domains.key(r) for o, r in zip(spelled, own, strict=True)], bool
        )
        return pc.if_else(pa.array(same), pa.scalar(None, pa.string()), original) if len(own) else original

    def table(self) -> pa.Table:
        rows = self.rows
        original = self._original()
        inherited = np.where((self.role == "unknown") & (self._root >= 0), self.role[self._root], self.role)
        role = inherited if self.count else self.role
        keep = self.final
        settled = np.where(self.settled >= 0, self.settled, self.last)[keep]
        said = statuses.answers(
            rows.column("status").take(pa.array(settled)),
            _take(
                rows.column("context"), np.where(np.isin(self.kinds[settled], (ids.SEND, ids.SEND_OUT)), settled, -1)
            ),
        )
        told = np.isin(self.kinds[settled], (ids.SEND, ids.SEND_OUT, ids.DELIVER, ids.SAID_DELIVERED))
        peer = _take(rows.column("peer"), np.where(told, settled, -1))
        address = _take(rows.column("peer_address"), np.where(told, settled, -1))
        at = rows.plain["at"][settled]
        rank = np.full(self.count, -1, np.int64)
        rank[keep] = np.arange(len(keep))
        mine = np.where(self.leg >= 0, rank[self.leg], -1)
        return pa.table(
            [
                pa.array(self.message[keep]),
                rows.column("recipient").take(pa.array(self.first[keep])),
                original.take(pa.array(keep)),
                pa.array(role[keep], pa.string()).cast(schema.CODE),
                pa.array(OUTCOMES[self.state[keep]], pa.string()).cast(schema.CODE),
                pa.array(at, pa.int64()).cast(schema.TIME),
                said.code,
                said.response,
                pc.coalesce(said.relay_name, peer),
                statuses.unscoped(pc.coalesce(said.relay_address, address)),
                pa.nulls(len(keep), pa.bool_()),
                pa.array(self.attempts[keep].astype(np.int32)),
                said.next_id,
                _records(rows, mine, len(keep)),
            ],
            schema=schema.LEGS,
        )


def _records(rows: _Rows, owner: Array, count: int) -> pa.Array:
    """For each owner 0…count-1 the records of its rows in order, each record once."""
    at = np.flatnonzero(owner >= 0)
    at = at[np.argsort(owner[at], kind="stable")]
    key = owner[at]
    evidence, number = rows.plain["evidence"][at], rows.plain["number"][at]
    fresh = np.ones(len(at), bool)
    fresh[1:] = (key[1:] != key[:-1]) | (evidence[1:] != evidence[:-1]) | (number[1:] != number[:-1])
    at, key = at[fresh], key[fresh]
    offsets = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(key, minlength=count), out=offsets[1:])
    values = pa.StructArray.from_arrays(
        [pa.array(rows.plain[n][at]) for n in ("evidence", "number", "offset", "length")],
        fields=list(schema.RECORD_INDEX),
    )
    item = schema.LEGS.field("records").type
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=item)


def _hops(rows: _Rows, legs: _Legs) -> pa.Table:
    count = rows.messages
    path = rows.taken("return_path")
    sender = pc.coalesce(path, rows.taken("purported"))
    sender = pc.replace_substring_regex(sender, r"^<(.*)>$", r"\1")
    store = rows.plain["flags"] & STORE != 0
    submitted = np.zeros(count, bool)
    submitted[rows.group[store & (legs.kinds == ids.ENTER)]] = True
    last = np.r_[rows.first[1:] - 1, len(rows.group) - 1]
    entered = np.zeros(count, bool)
    entering = (ids.ENTER, ids.REPORT, *range(ids.SAID_DELIVERED, ids.SAID_NOTHING + 1))
    entered[rows.group[np.isin(legs.kinds, entering)]] = True
    pending = np.zeros(count, bool)
    final = legs.final
    pending[legs.message[final[np.isin(legs.state[final], (NOTHING, DEFERRED, INSIDE))]]] = True
    # Rows that name no final recipient (lists that were expanded, rows of agents) belong to the message.
    rank = np.zeros(legs.count + 1, bool)
    rank[final] = True
    of_leg = np.where(legs.leg >= 0, rank[legs.leg], False)
    mine = np.where(of_leg, -1, rows.group)
    name, address = _client(rows, submitted)
    system = np.where(rows.online[rows.first], "exchange-online", "exchange")
    return pa.table(
        [
            pa.array(np.arange(count)),
            pa.array(system, pa.string()).cast(schema.CODE),
            _take(rows.column("host"), _first_valid(rows, "host")).cast(schema.CODE),
            rows.taken("internal_id"),
            pc.replace_substring_regex(rows.taken("message_id"), r"^\s*<?(.*?)>?\s*$", r"\1"),
            rows.taken("network_message_id"),
            pa.array(rows.plain["at"][rows.first]).cast(schema.TIME),
            pa.array(rows.plain["at"][last]).cast(schema.TIME),
            sender,
            pc.if_else(pa.array(submitted), rows.taken("purported"), pa.scalar(None, pa.string())),
            name,
            statuses.unscoped(address),
            statuses.integers(rows.taken("size"), pa.int64()),
            statuses.integers(rows.taken("recipient_count"), pa.int32()),
            rows.taken("subject"),
            pa.array(entered),
            pa.array(~pending),
            _records(rows, mine, count),
        ],
        schema=schema.HOPS,
    )


def _first_valid(rows: _Rows, name: str) -> Array:
    return rows.carried(name)


def _client(rows: _Rows, submitted: Array) -> tuple[pa.Array, pa.Array]:
    """Name and address of the submitting client.

    For a mailbox submission, and where the server's own front end passed the connection on (client-hostname is the
    server), the client is original-client-ip; else the peer that connected.
    """
    name = rows.taken("client_host").to_pylist()
    server = rows.taken("server_host").to_pylist()
    own = np.array(
        [n is not None and s is not None and _host_key(n) == _host_key(s) for n, s in zip(name, server, strict=True)],
        bool,
    )
    behind = pa.array(submitted | own)
    connected, original = rows.taken("client_ip"), rows.taken("original_ip")
    address = pc.if_else(behind, pc.coalesce(original, connected), pc.coalesce(connected, original))
    shown = pc.if_else(pa.array(own & ~submitted), pa.scalar(None, pa.string()), pa.array(name, pa.string()))
    return shown, address
