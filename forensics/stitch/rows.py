"""Deliveries from planned hops and legs: message-level values of the first hop, settling values of the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forensics import schema
from forensics.columns import coded, domain_column, flat, whole
from forensics.native.stitch import linking
from forensics.native.stitch.moving import sort_runs
from forensics.stitch import naming
from forensics.stitch.journeys import Longs
from forensics.stitch.plans import Plan
from forensics.stitch.row_source import RowSource, gathered_records

_HEAD = (
    "system", "host", "queue_id", "message_id", "network_message_id", "first_at", "sender", "authenticated_user",
    "client_name", "client_address", "size_bytes", "recipient_count", "subject",
)  # fmt: skip
_OWN = ("message_id", "network_message_id", "sender", "size_bytes", "recipient_count", "subject")
_LEG = (
    "recipient", "recipient_role", "at", "status_code", "response", "relay_name", "relay_address", "tls", "attempts",
)  # fmt: skip
SHORT = 64
"""Rows of one time that are sorted by insertion."""
_UNKNOWN = schema.ROLES.index("unknown")
_SETTLED = np.array([o not in ("deferred", "held", "unknown") for o in schema.OUTCOMES])


def deliveries(
    plan: Plan, source: RowSource, evidence: Sequence[str], possible_duplicates: Plan | None = None
) -> pa.Table:
    """Rows of `schema.DELIVERIES`, sorted by (submitted_at, delivery_id).

    `possible_duplicates`: for each row the delivery that it may repeat (leg -1: none), see `systems`.
    """
    ids, order = _names(plan, source, evidence)
    plan = plan.take(order)
    head = source.pick(plan.head, False, _HEAD)
    leg = source.pick(plan.leg, True, _LEG)
    columns: dict[str, Any] = {name: head[name] for name in _HEAD if name != "first_at"}
    columns["submission"] = _submission(plan, head["authenticated_user"], source)
    if plan.depth.any():
        own = source.pick(plan.own, False, _OWN)
        columns |= {name: pc.coalesce(head[name], own[name]) for name in _OWN}
    columns |= {name: leg[name] for name in _LEG if name != "at"}
    columns["recipient_role"] = _roles(plan, leg["recipient_role"], source)
    columns["delivery_id"] = ids
    columns["submitted_at"] = head["first_at"]
    columns["resolved_at"] = pc.if_else(pa.array(_SETTLED[plan.outcome]), leg["at"], pa.scalar(None, schema.TIME))
    columns["outcome"] = coded(plan.outcome.astype(np.int32), schema.OUTCOMES)
    columns["original_recipient"] = _originals(plan, source)
    columns["sender_domain"] = domain_column(columns["sender"])
    columns["recipient_domain"] = domain_column(columns["recipient"])
    columns["hops"] = pa.array(plan.depth)
    columns["attempts"] = _attempts(plan, leg["attempts"], source)
    columns["records"] = _records(plan, source, evidence)[0]
    columns["possible_duplicate_of"] = (
        pa.nulls(len(plan), pa.string())
        if possible_duplicates is None
        else _repeated(possible_duplicates, order, source, evidence)
    )
    return pa.table([_cast(columns[f.name], f.type) for f in schema.DELIVERIES], schema=schema.DELIVERIES)


_AUTHENTICATED, _NOT_SEEN = (schema.SUBMISSIONS.index(word) for word in ("authenticated", "not-seen"))


def _submission(plan: Plan, user: pa.Array, source: RowSource) -> pa.DictionaryArray:
    """How each message came into its first hop: as the loader tells, else by whether a user is named."""
    told = source.coded(plan.head, False, "submission", schema.SUBMISSIONS)
    named = user.is_valid().to_numpy(zero_copy_only=False)
    how = np.where(told >= 0, told, np.where(named, _AUTHENTICATED, _NOT_SEEN)).astype(np.int32)
    return coded(how, schema.SUBMISSIONS)


def _repeated(possible_duplicates: Plan, order: Longs, source: RowSource, evidence: Sequence[str]) -> pa.StringArray:
    """The names of the deliveries that rows may repeat."""
    out: list[str | None] = [None] * len(order)
    has = np.flatnonzero(possible_duplicates.leg[order] >= 0)
    if len(has):
        unique, where = np.unique(possible_duplicates.leg[order[has]], return_index=True)
        ids, at = _names(possible_duplicates.take(order[has][where]), source, evidence)
        by_leg = dict(zip(unique[at].tolist(), ids.to_pylist(), strict=True))
        for row in has.tolist():
            out[row] = by_leg[int(possible_duplicates.leg[order[row]])]
    return pa.array(out, pa.string())


def _names(plan: Plan, source: RowSource, evidence: Sequence[str]) -> tuple[pa.StringArray, Longs]:
    """(delivery ids in order of submitted_at and id, that order of the plan's entries)."""
    head = source.pick(plan.head, False, ("system", "host", "queue_id", "first_at"))
    submitted = head["first_at"].cast(pa.int64())
    recipient = source.pick(plan.leg, True, ("recipient",))["recipient"]
    columns = (head["system"], head["host"], head["queue_id"], submitted, recipient, _originals(plan, source))
    rows = pa.table(dict(zip(naming.FIELDS, columns, strict=True)))
    ids = naming.names(rows)
    times = submitted.to_numpy()
    order = _order(ids, times)
    ids = ids.take(pa.array(order))
    if pc.any(pc.equal(ids[1:], ids[:-1])).as_py():
        ids, order = _tell_apart(rows, ids, order, times, _records(plan, source, evidence)[1])
    return ids, order


def _tell_apart(
    rows: pa.Table, ids: pa.StringArray, order: Longs, times: Longs, first: tuple[Longs, Longs]
) -> tuple[pa.StringArray, Longs]:
    """Rows of one name get names of their own, in the order of their first records."""
    evidence, number = first
    by_record = np.lexsort((number, evidence))
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    names = ids.take(pa.array(back)).to_pylist()
    values = list(zip(*(rows[field].to_pylist() for field in naming.FIELDS), strict=True))
    rank = by_record.tolist()
    for n, new in naming.repeats([values[r] for r in rank], [names[r] for r in rank]):
        names[rank[n]] = new
    renamed = pa.array(names, pa.string())
    order = _order(renamed, times)
    return renamed.take(pa.array(order)), order


def _order(ids: pa.StringArray, submitted: Longs) -> Longs:
    """Rows by time and id. Times that ascend already, with few rows each, are the rule."""
    top = _first_digits(ids)
    changes = np.flatnonzero(submitted[1:] != submitted[:-1])
    longest = np.diff(changes, prepend=-1, append=len(submitted) - 1).max(initial=0)
    if longest > SHORT or (submitted[1:] < submitted[:-1]).any():
        order = np.lexsort((top, submitted))
    else:
        order = np.arange(len(submitted))
        sort_runs(submitted, top, order)
    same = (top[order[1:]] == top[order[:-1]]) & (submitted[order[1:]] == submitted[order[:-1]])
    if same.any():  # two ids that agree in 8 of their 32 digits, or altogether
        names = ids.to_pylist()
        order = np.array(sorted(range(len(names)), key=lambda r: (submitted[r], names[r])), np.int64)
    return order


def _first_digits(ids: pa.StringArray) -> NDArray[np.uint64]:
    """The first eight digits of each id as a number that sorts as they do."""
    digits = np.frombuffer(ids.buffers()[2], np.uint8)[: naming.DIGITS * len(ids)].reshape(-1, naming.DIGITS)
    return np.ascontiguousarray(digits[:, :8]).view(">u8").reshape(-1).astype(np.uint64)


def _coded(column: Any) -> pa.DictionaryArray:
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def _cast(column: Any, kind: pa.DataType) -> pa.Array:
    array = whole(column)
    if pa.types.is_dictionary(kind) and not pa.types.is_dictionary(array.type):
        array = flat(array).dictionary_encode()
    return array if array.type == kind else array.cast(kind)


def _originals(plan: Plan, source: RowSource) -> pa.StringArray:
    legs = np.where(plan.from_recipient, -1, plan.source)
    original = source.pick(legs, True, ("original_recipient",))["original_recipient"]
    if not plan.from_recipient.any():
        return original
    as_recipient = source.pick(np.where(plan.from_recipient, plan.source, -1), True, ("recipient",))["recipient"]
    return pc.coalesce(original, as_recipient)


def _roles(plan: Plan, own: Any, source: RowSource) -> Any:
    """The leg's own role; where it has none, that of a leg it came from: only where a message was submitted is it
    known."""
    if not plan.depth.any():
        return own
    owner = np.repeat(np.arange(len(plan)), np.diff(plan.chains))
    wanted = plan.chain_is_leg & (plan.depth[owner] > 0)
    before = _role_codes(source.pick(plan.chain_numbers[wanted], True, ("recipient_role",))["recipient_role"])
    roles, owner = _role_codes(own), owner[wanted]
    inherited = np.full(len(plan), _UNKNOWN, np.int32)
    inherited[owner[before != _UNKNOWN][::-1]] = before[before != _UNKNOWN][::-1]
    roles = np.where(roles == _UNKNOWN, inherited, roles).astype(np.int32)
    return coded(roles, schema.ROLES)


def _role_codes(column: Any) -> NDArray[np.int32]:
    encoded = _coded(column)
    codes = np.array([schema.ROLES.index(v) for v in encoded.dictionary.to_pylist()] or [_UNKNOWN], np.int32)
    found: NDArray[np.int32] = codes[encoded.indices.to_numpy(zero_copy_only=False)]
    return found


def _attempts(plan: Plan, attempts: pa.Array, source: RowSource) -> pa.Array:
    """Attempts of the leg itself and of those before it; what handed the message on is no attempt of its own."""
    if not len(plan.before):
        return attempts
    values = attempts.to_numpy().astype(np.int32)
    more = source.pick(plan.before, True, ("attempts",))["attempts"].to_numpy()
    np.add.at(values, plan.before_of, more.astype(np.int32) - plan.before_handed)
    return pa.array(values)


def _records(plan: Plan, source: RowSource, evidence: Sequence[str]) -> tuple[pa.Array, tuple[Longs, Longs]]:
    """The `records` column, and (evidence, number) of each row's first record."""
    starts, given = gathered_records(source, plan.chain_numbers, plan.chain_is_leg)
    at, (which, number, *rest) = linking.merge_records(plan.chains, starts, given)
    code = coded(which, evidence)
    struct = pa.StructArray.from_arrays([code, pa.array(number), *map(pa.array, rest)], fields=list(schema.RECORD))
    column = pa.ListArray.from_arrays(pa.array(at), struct, type=schema.DELIVERIES.field("records").type)
    none = np.zeros(len(plan), np.int64)
    if not len(which):
        return column, (none, none)
    has = at[1:] > at[:-1]
    first = np.where(has, at[:-1], 0)
    return column, (np.where(has, which[first], 0), np.where(has, number[first], 0))
