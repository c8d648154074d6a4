"""Exchange events → hops and legs: one hop for each message over all servers, one leg for each final recipient.

Rows are ordered by time, then by what they say (`rows`): every Exchange row has a full UTC time, and files may have
been split, shuffled and joined. What each effect does to a recipient is in `native.exchange.settling`; which event has
which effect is in `event_ids`.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics import domains, schema
from forensics.columns import coded
from forensics.loaders import base
from forensics.loaders.base import RECORD_INDEX, Assembled
from forensics.loaders.exchange import inside, spans, statuses
from forensics.loaders.exchange.rows import Rows, host_key
from forensics.loaders.exchange.spans import Array
from forensics.native.exchange import codes
from forensics.native.exchange.settling import settle

OUTCOMES = np.full(codes.HAD_ALREADY + 1, schema.OUTCOMES.index("unknown"), np.int32)
"""The outcome of a leg in each state, as its place in `schema.OUTCOMES`. Handed to another server is delivered as far
as this one can say."""
for _state, _outcome in {
    codes.DELIVERED: "delivered",
    codes.BOUNCED: "bounced",
    codes.EXPIRED: "expired",
    codes.DEFERRED: "deferred",
    codes.REJECTED: "rejected",
    codes.DISCARDED: "discarded",
    codes.HELD: "held",
    codes.SENT: "delivered",
    codes.HAD_ALREADY: "delivered",
}.items():
    OUTCOMES[_state] = schema.OUTCOMES.index(_outcome)
_UNKNOWN = schema.ROLES.index("unknown")
_SETTLED = (
    codes.DELIVERED, codes.BOUNCED, codes.EXPIRED, codes.REJECTED, codes.DISCARDED, codes.HELD, codes.SENT,
    codes.HAD_ALREADY,
)  # fmt: skip
_TRYING = (
    codes.SEND, codes.SEND_OUT, codes.DELIVER, codes.DEFER, codes.FAIL, codes.TRACE_DELIVERED, codes.TRACE_FAILED,
    codes.TRACE_PENDING,
)  # fmt: skip
_PENDING = (codes.NOTHING, codes.DEFERRED, codes.INSIDE)

ONLINE_SERVERS = (".outlook.com", ".outlook.cn", ".mx.microsoft", ".office365.us")
"""Ends of the names of Exchange Online's servers (Microsoft Learn, "Office 365 URLs and IP address ranges")."""

LEGS = base.LEGS.append(pa.field("mailbox", pa.bool_()))
"""Legs with what only Exchange tells: that the leg ended in a mailbox, so that nothing can continue it."""
HOPS = base.HOPS.append(pa.field("generation", pa.int8())).append(pa.field("alike", pa.int64()))
"""Hops with what only Exchange tells: 0 without and 1 with an id of the message's own (since Exchange 2013, and of
traces that hold it); what may be the same message (`copies`)."""


def assemble(events: pa.Table, *, final: bool) -> Assembled:
    """Hops and legs of all messages in `events`; without `final` nothing is complete: any server may tell more."""
    if not final or not events.num_rows:
        none = Assembled(HOPS.empty_table(), LEGS.empty_table(), None if final else events)
        return none
    rows = Rows(events)
    legs = _Legs(rows)
    return Assembled(_hops(rows, legs), legs.table(), None)


class _Legs:
    """Recipients of all messages and what became of them."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        named, replaces = rows.codes("recipient", "related", fold=domains.key, ascii_lower=True)
        host, peer = rows.codes("host", "peer", fold=host_key)
        peer = inside.apart(rows, host, peer)
        self.kinds = self._effects()
        wide = np.int64(max(named.max(initial=0), replaces.max(initial=0)) + 1)
        pair = np.where(named >= 0, rows.group * wide + named, -1)
        parent_pair = np.where(replaces >= 0, rows.group * wide + replaces, -1)
        found, first = np.unique(pair, return_index=True)
        keep = found >= 0
        found, first = found[keep], first[keep]
        order = np.argsort(first, kind="stable")  # legs in the order of their first row
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        self.first = first[order]
        found, rank = (found, rank) if len(found) else (np.array([-2]), np.array([0]))
        self.leg = np.where(pair >= 0, rank[np.searchsorted(found, pair).clip(max=len(found) - 1)], -1)
        at = np.searchsorted(found, parent_pair).clip(max=len(found) - 1)
        self.parent_leg = np.where((parent_pair >= 0) & (found[at] == parent_pair), rank[at], -1)
        self.message = rows.group[self.first]
        self.count = len(self.first)
        numbers = [np.empty(self.count, np.int64) for _ in range(4)]
        self.state, self.settled, self.last, self.parent_row = numbers
        self.replaced = np.empty(self.count, np.bool_)
        settle(
            self.leg, self.kinds, rows.plain["at"], rows.plain["flags"], host, peer, self._onward(), self.parent_leg,
            replaces >= 0, *numbers, self.replaced, np.empty(self.count, np.int64), np.empty(self.count, np.bool_),
            *(np.empty(self.count, np.int64) for _ in range(3)), np.empty(self.count, np.bool_),
        )  # fmt: skip
        self.attempts = self._attempts(host)
        self._same = named[self.first]
        self._replaces = replaces
        standing = np.zeros(rows.messages, bool)
        standing[self.message[~self.replaced]] = True
        settled = np.isin(self.state, _SETTLED)
        self.final = np.flatnonzero(~self.replaced | settled | ~standing[self.message])
        """Legs that are final recipients: not replaced by others, or settled all the same."""
        self._roles()

    def _attempts(self, host: Array) -> Array:
        """How often a server tried to pass on each recipient: what two forms of a log, or two copies, say of one second
        is one attempt. A trace's statuses tell of one where no server's own row does."""
        at = np.flatnonzero((self.leg >= 0) & np.isin(self.kinds, _TRYING))
        traced = self.kinds[at] >= codes.TRACE_DELIVERED
        host = np.where(traced, -1, host[at])
        rows = [self.leg[at], self.kinds[at], self.rows.plain["at"][at] // 1_000_000, host]
        rows.append(_again([*rows, self.rows.rec[at]]))  # a record of a report may tell of several
        fresh = _again(rows) == 0
        tried, told = (
            np.bincount(self.leg[at[fresh & some]], minlength=self.count).astype(np.int64) for some in (~traced, traced)
        )
        return np.where(tried > 0, tried, told)

    def _onward(self) -> Array:
        """Rows that hand a recipient to a server of Exchange Online."""
        out = np.zeros(len(self.rows), np.bool_)
        if (self.rows.plain["flags"] & codes.ONLINE).any():
            at = np.flatnonzero(np.isin(self.kinds, (codes.SEND, codes.SEND_OUT)))
            peers = self.rows.take("peer", at).to_pylist()
            out[at] = [(peer or "").strip().rstrip(".").casefold().endswith(ONLINE_SERVERS) for peer in peers]
        return out

    def _effects(self) -> Array:
        """Effects with a FAIL told apart by its status, and a hand-off that the other side refused."""
        effect: Array = self.rows.effect.copy()
        handed = np.flatnonzero(np.isin(effect, (codes.SEND, codes.SEND_OUT)))
        if len(handed):
            refused = statuses.refusals(self.rows.take("status", handed))
            effect[handed] = np.select([refused == "4", refused == "5"], [codes.DEFER, codes.FAIL], effect[handed])
        fails = np.flatnonzero(effect == codes.FAIL)
        if len(fails):
            kind = statuses.failures(self.rows.take("status", fails))
            effect[fails] = np.select(
                [kind == "expired", kind == "discarded", kind == "held"],
                [codes.EXPIRE, codes.DISCARD, codes.HOLD],
                codes.FAIL,
            )
        return effect

    def _roles(self) -> None:
        entries = np.flatnonzero((self.leg >= 0) & (self.kinds == codes.ENTER))
        logged = self.rows.take("status", entries).dictionary_encode()
        words = (*(statuses.role(s) for s in logged.dictionary.to_pylist()), "unknown")
        places = np.array([schema.ROLES.index(word) for word in words], np.int32)
        role = places[logged.indices.fill_null(len(places) - 1).to_numpy(zero_copy_only=False)]
        telling = role != _UNKNOWN
        self.role = np.full(self.count, _UNKNOWN, np.int32)
        legs, at = np.unique(self.leg[entries[telling]], return_index=True)
        self.role[legs] = role[telling][at]

    def _original(self) -> tuple[pa.Array, Array]:
        """(the outermost address that a recipient came from, the leg of that address or -1)."""
        row = self.parent_row.copy()
        for _ in range(32):
            upper = np.where(row >= 0, self.parent_leg[row], -1)
            further = np.where(upper >= 0, self.parent_row[upper], -1)
            step = (further >= 0) & (further != row) & (upper != np.arange(self.count))
            if not step.any():
                break
            row = np.where(step, further, row)
        row = np.where((row >= 0) & (self._replaces[row] != self._same), row, -1)
        return self.rows.take("related", row), np.where(row >= 0, self.parent_leg[row], -1)

    def table(self) -> pa.Table:
        rows = self.rows
        original, root = self._original()
        role = np.where((self.role == _UNKNOWN) & (root >= 0), self.role[root], self.role) if self.count else self.role
        keep = self.final
        settled = np.where(self.settled >= 0, self.settled, self.last)[keep]
        handed = np.isin(self.kinds[settled], (codes.SEND, codes.SEND_OUT))
        answered = handed | np.isin(self.kinds[settled], (codes.DELIVER, codes.TRACE_DELIVERED))
        answers = statuses.answers(
            rows.take("status", settled), rows.data, rows.span("context", np.where(handed, settled, -1))
        )
        peer = rows.take("peer", np.where(answered, settled, -1))
        address = spans.unscoped(rows.data, rows.span("peer_address", np.where(answered, settled, -1)))
        at = rows.plain["at"][settled]
        rank = np.full(self.count + 1, -1, np.int64)
        rank[keep] = np.arange(len(keep))
        mine = rank[self.leg]
        return pa.table(
            [
                pa.array(self.message[keep]),
                rows.take("recipient", self.first[keep]),
                original.take(pa.array(keep)),
                coded(role[keep], schema.ROLES),
                coded(OUTCOMES[self.state[keep]], schema.OUTCOMES),
                pa.array(at, pa.int64()).cast(schema.TIME),
                answers.code,
                answers.response,
                pc.coalesce(answers.relay_name, peer),
                pc.coalesce(answers.relay_address, spans.text(rows.data, address)),
                pa.nulls(len(keep), pa.bool_()),
                pa.array(self.attempts[keep].astype(np.int32)),
                answers.next_id,
                _records(rows, mine, len(keep)),
                pa.array(np.isin(self.kinds[settled], (codes.DELIVER, codes.DUPLICATE))),
            ],
            schema=LEGS,
        )


def _again(columns: list[Array]) -> Array:
    """For each row how many equal ones stand before it."""
    order = np.lexsort(columns[::-1])
    begins = np.ones(len(order), bool)
    begins[1:] = np.any([one[order[1:]] != one[order[:-1]] for one in columns], axis=0)
    place = np.arange(len(order))
    out = np.empty(len(order), np.int64)
    out[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
    return out


def _records(rows: Rows, owner: Array, count: int) -> pa.Array:
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
        fields=list(RECORD_INDEX),
    )
    item = base.LEGS.field("records").type
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=item)


def _hops(rows: Rows, legs: _Legs) -> pa.Table:
    count = rows.messages
    purported = rows.earliest("purported")
    sender = spans.path(rows.data, spans.coalesce(rows.earliest("return_path"), purported))
    store = rows.plain["flags"] & codes.STORE != 0
    submitted = np.zeros(count, bool)
    submitted[rows.group[store & (legs.kinds == codes.ENTER)]] = True
    last = np.r_[rows.first[1:] - 1, len(rows.group) - 1]
    entered = np.zeros(count, bool)
    entering = (codes.ENTER, codes.REPORT, *range(codes.TRACE_DELIVERED, codes.TRACE_UNSETTLED + 1))
    entered[rows.group[np.isin(legs.kinds, entering)]] = True
    pending = np.zeros(count, bool)
    final = legs.final
    pending[legs.message[final[np.isin(legs.state[final], _PENDING)]]] = True
    # Rows that name no final recipient (lists that were expanded, rows of agents) belong to the message.
    rank = np.zeros(legs.count + 1, bool)
    rank[final] = True
    of_leg = np.where(legs.leg >= 0, rank[legs.leg], False)
    mine = np.where(of_leg, -1, rows.group)
    name, address = _client(rows, submitted)
    online = rows.plain["flags"][rows.first] & codes.ONLINE != 0
    network_id = rows.taken("network_message_id")
    generation = pc.is_valid(network_id).cast(pa.int8())
    return pa.table(
        [
            pa.array(np.arange(count)),
            coded(online.astype(np.int32), ("exchange", "exchange-online")),
            rows.taken("host").cast(schema.CODE),
            rows.taken("internal_id"),
            spans.text(rows.data, spans.bare(rows.data, rows.earliest("message_id"))),
            network_id,
            pa.array(rows.plain["at"][rows.first]).cast(schema.TIME),
            pa.array(rows.plain["at"][last]).cast(schema.TIME),
            spans.text(rows.data, sender),
            spans.text(rows.data, spans.only(submitted, purported)),
            spans.text(rows.data, name),
            spans.text(rows.data, spans.unscoped(rows.data, address)),
            statuses.integers(rows.taken("size"), pa.int64()),
            statuses.integers(rows.taken("recipient_count"), pa.int32()),
            rows.taken("subject"),
            pa.array(entered),
            pa.array(~pending),
            _records(rows, mine, count),
            generation,
            pa.array(rows.plain["alike"][rows.first].view(np.int64)),
        ],
        schema=HOPS,
    )


def _client(rows: Rows, submitted: Array) -> tuple[spans.Span, spans.Span]:
    """Name and address of the submitting client.

    For a mailbox submission, and where the server's own front end passed the connection on (client-hostname is the
    server), the client is original-client-ip; else the peer that connected.
    """
    client, server = rows.codes("client_host", "server_host", fold=host_key)
    by, at = rows.carried("client_host"), rows.carried("server_host")
    own = (by >= 0) & (at >= 0) & (client[by] == server[at])
    connected, original = rows.earliest("client_ip"), rows.earliest("original_ip")
    address = spans.choose(submitted | own, spans.coalesce(original, connected), spans.coalesce(connected, original))
    return spans.only(submitted | ~own, rows.earliest("client_host")), address
