"""Deliveries from joined legs: message-level values of the first hop, settling values of the last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forensics import domains, schema
from forensics.stitch import linking
from forensics.stitch.columns import domain_column, flat
from forensics.stitch.journeys import Links, Longs, Parts
from forensics.stitch.naming import digests

Batch = tuple[pa.Table, pa.Table]


@dataclass(frozen=True)
class Shelf:
    """Where the strings of hops and legs are: `load(batch)` gives (hops, legs) of one batch."""

    load: Callable[[int], Batch]
    hop_starts: Longs
    leg_starts: Longs
    hops: Longs | None = None
    legs: Longs | None = None
    """Global numbers of the hops and legs that are asked for, when they are numbered otherwise."""

    def pick(self, numbers: Longs, legs: bool, columns: Sequence[str]) -> pa.Table:
        """Rows of hops or legs by global number, in that order."""
        starts = self.leg_starts if legs else self.hop_starts
        names = self.legs if legs else self.hops
        if names is not None:
            numbers = names[numbers]
        if not len(numbers):
            return self.load(0)[1 if legs else 0].select(list(columns)).slice(0, 0)
        order = np.argsort(numbers, kind="stable")
        ordered = numbers[order]
        cuts = np.searchsorted(ordered, starts)
        tables = [
            self.load(b)[1 if legs else 0].select(list(columns)).take(pa.array(ordered[low:high] - starts[b]))
            for b, (low, high) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))
            if high > low
        ]
        whole = pa.concat_tables(tables, promote_options="default") if len(tables) > 1 else tables[0]
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return whole.take(pa.array(back)).combine_chunks()


_HEAD = (
    "system", "host", "queue_id", "message_id", "network_message_id", "first_at", "sender",
    "authenticated_user", "client_name",
    "client_address", "size_bytes", "recipient_count", "subject",
)  # fmt: skip
_OWN = ("message_id", "network_message_id", "sender", "size_bytes", "recipient_count", "subject")
_LEG = (
    "recipient",
    "recipient_role",
    "at",
    "status_code",
    "response",
    "relay_name",
    "relay_address",
    "tls",
    "attempts",
)
_SETTLED = [o not in ("deferred", "held", "unknown") for o in schema.OUTCOMES]


def deliveries(
    legs: Longs, parts: Parts, links: Links, shelf: Shelf, evidence: Sequence[str], twins: Longs | None = None
) -> pa.Table:
    """Rows of `schema.DELIVERIES` for these final legs.

    `twins`: for each leg of all batches the final leg whose delivery it may repeat, or -1 (`systems`).
    """
    table = _deliveries(legs, parts, links, shelf, evidence)
    return table if twins is None else _with_twins(table, twins[legs], parts, links, shelf, evidence)


def ordered(table: pa.Table) -> pa.Table:
    """Sorted by (submitted_at, delivery_id)."""
    keys = table.select(["submitted_at", "delivery_id"])
    order = pc.sort_indices(keys, sort_keys=[("submitted_at", "ascending"), ("delivery_id", "ascending")])
    return table.take(order).combine_chunks()


def _with_twins(
    table: pa.Table, twins: Longs, parts: Parts, links: Links, shelf: Shelf, evidence: Sequence[str]
) -> pa.Table:
    rows = np.flatnonzero(twins >= 0)
    if not len(rows):
        return table
    others, where = np.unique(twins[rows], return_inverse=True)
    names = _deliveries(others, parts, links, shelf, evidence)["delivery_id"].to_pylist()
    column: list[str | None] = [None] * len(table)
    for row, other in zip(rows.tolist(), where.tolist(), strict=True):
        column[row] = names[other]
    at = table.schema.get_field_index("possible_duplicate_of")
    return table.set_column(at, table.schema.field(at), pa.array(column, pa.string()))


def _deliveries(legs: Longs, parts: Parts, links: Links, shelf: Shelf, evidence: Sequence[str]) -> pa.Table:
    """The rows in the order of `legs`."""
    head = shelf.pick(links.head[legs], False, _HEAD)
    own = shelf.pick(parts.hop[legs], False, _OWN) if links.depth[legs].any() else head
    leg = shelf.pick(legs, True, _LEG)
    recipient = flat(leg["recipient"])
    original = _originals(legs, links, shelf)
    columns: dict[str, Any] = {name: head[name] for name in _HEAD if name != "first_at"}
    for name in _OWN:
        columns[name] = pc.coalesce(head[name], own[name])
    columns |= {name: leg[name] for name in _LEG if name != "at"}
    outcome = links.outcome[legs]
    settled = np.array(_SETTLED)[outcome]
    columns["submitted_at"] = head["first_at"]
    columns["resolved_at"] = pc.if_else(pa.array(settled), leg["at"].combine_chunks(), pa.scalar(None, schema.TIME))
    columns["outcome"] = pa.DictionaryArray.from_arrays(
        pa.array(outcome.astype(np.int32)), pa.array(list(schema.OUTCOMES))
    )
    columns["original_recipient"] = original
    columns["sender_domain"] = domain_column(columns["sender"])
    columns["recipient_domain"] = domain_column(recipient)
    columns["hops"] = pa.array(links.depth[legs])
    columns["possible_duplicate_of"] = pa.nulls(len(legs), pa.string())
    columns["attempts"] = _attempts(legs, leg["attempts"], parts, links, shelf)
    columns["records"], first = _records(legs, parts, links, shelf, evidence)
    columns["delivery_id"] = _ids(columns, recipient, original, first)
    return pa.table([_cast(columns[f.name], f.type) for f in schema.DELIVERIES], schema=schema.DELIVERIES)


def _cast(column: Any, kind: pa.DataType) -> pa.Array:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_dictionary(kind):
        array = flat(array).dictionary_encode()
    return array if array.type == kind else array.cast(kind)


def _originals(legs: Longs, links: Links, shelf: Shelf) -> pa.Array:
    which = links.which[legs]
    rows = np.flatnonzero(which != linking.NO_ORIGINAL)
    out: list[str | None] = [None] * len(legs)
    if len(rows):
        picked = shelf.pick(links.source[legs[rows]], True, ("recipient", "original_recipient"))
        as_original, as_recipient = picked["original_recipient"].to_pylist(), picked["recipient"].to_pylist()
        for k, r in enumerate(rows.tolist()):
            out[r] = as_original[k] if which[r] == linking.OWN_ORIGINAL else as_recipient[k]
    return pa.array(out, pa.string())


def _attempts(legs: Longs, attempts: Any, parts: Parts, links: Links, shelf: Shelf) -> pa.Array:
    """Attempts of the leg itself, of the refused triplets that it ended and of what it was before a requeue."""
    values = attempts.to_numpy().astype(np.int32)
    added = [(links.ended[links.root[legs]], np.arange(len(legs)))]
    before, rows = links.up[legs], np.arange(len(legs))
    for _ in range(linking.DEEPEST):
        rows = rows[before >= 0]
        before = before[before >= 0]
        if not len(before):
            break
        waited = parts.outcome[before] != linking.DELIVERED
        added.append((before[waited], rows[waited]))
        before = links.up[before]
    for others, targets in added:
        known = others >= 0
        if known.any():
            values = values.copy()
            more = shelf.pick(others[known], True, ("attempts",))["attempts"].to_numpy()
            np.add.at(values, targets[known], more.astype(np.int32))
    return pa.array(values)


def _record_values(table: pa.Table) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    column = table["records"].combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0)
    values = column.flatten()
    offsets = column.offsets.to_numpy() - (column.offsets[0].as_py() if len(column.offsets) else 0)
    out = np.empty((len(values), 4), np.int64)
    for c, name in enumerate(("evidence", "number", "offset", "length")):
        out[:, c] = values.field(name).to_numpy(zero_copy_only=False)
    return offsets.astype(np.int32), out


def _records(
    legs: Longs, parts: Parts, links: Links, shelf: Shelf, evidence: Sequence[str]
) -> tuple[pa.Array, tuple[Longs, Longs]]:
    """The `records` column, and (evidence, number) of each row's first record."""
    offsets, is_leg, numbers = linking.chains(legs, parts.hop, links.up, links.parent, links.ended)
    hops_used, hop_position = np.unique(numbers[~is_leg], return_inverse=True)
    legs_used, leg_position = np.unique(numbers[is_leg], return_inverse=True)
    position = np.empty(len(numbers), np.int64)
    position[~is_leg], position[is_leg] = hop_position, leg_position
    hop_at, hop_values = _record_values(shelf.pick(hops_used, False, ("records",)))
    leg_at, leg_values = _record_values(shelf.pick(legs_used, True, ("records",)))
    at, values = linking.merge_records(offsets, is_leg, position, hop_at, hop_values, leg_at, leg_values)
    code = pa.DictionaryArray.from_arrays(pa.array(values[:, 0].astype(np.int32)), pa.array(list(evidence), pa.string()))
    struct = pa.StructArray.from_arrays(
        [code, *(pa.array(np.ascontiguousarray(values[:, c])) for c in (1, 2, 3))], fields=list(schema.RECORD)
    )
    column = pa.ListArray.from_arrays(pa.array(at), struct, type=schema.DELIVERIES.field("records").type)
    has = at[1:] > at[:-1]
    first = np.where(has, at[:-1], 0)
    none = np.zeros(len(legs), np.int64)
    return column, (np.where(has, values[first, 0], 0), np.where(has, values[first, 1], 0)) if values.size else (
        none,
        none,
    )


def _folded(addresses: pa.StringArray) -> pa.StringArray:
    """`domains.key` of every address."""
    lower = pc.utf8_rtrim(pc.ascii_lower(addresses), ".")
    odd = pc.indices_nonzero(pc.fill_null(pc.invert(pc.string_is_ascii(addresses)), False))
    bare = pc.indices_nonzero(pc.fill_null(pc.invert(pc.match_substring(addresses, "@")), False))
    if not len(odd) and not len(bare):
        return lower
    values = lower.to_pylist()
    for i in {*odd.to_pylist(), *bare.to_pylist()}:
        values[i] = domains.key(addresses[i].as_py())
    return pa.array(values, pa.string())


def _ids(
    columns: dict[str, Any], recipient: pa.StringArray, original: pa.Array, first: tuple[Longs, Longs]
) -> pa.Array:
    """delivery_id: the first 32 hex digits of BLAKE2b over system, host, first queue id, its first stamp
    (microseconds UTC),
    recipient key and original recipient key, joined by NUL. Rows that agree in all of it are told apart by their
    order in
    the evidence: `#1`, `#2`, … is appended before hashing."""
    joined = pc.binary_join_element_wise(
        flat(columns["system"]),
        flat(columns["host"]),
        flat(columns["queue_id"]),
        flat(_cast(columns["submitted_at"], schema.TIME).cast(pa.int64()).cast(pa.string())),
        _folded(recipient),
        _folded(flat(original)),
        "\0",
        null_handling="replace",
        null_replacement="",
    )
    column = digests(joined)
    if pc.count_distinct(column).as_py() < len(column):
        names, ids = joined.cast(pa.binary()).to_pylist(), column.to_pylist()
        blake = hashlib.blake2b
        seen: dict[str, int] = {}
        for r in np.lexsort((first[1], first[0])).tolist():
            count = seen.get(ids[r], 0)
            seen[ids[r]] = count + 1
            if count:
                ids[r] = blake(names[r] + f"#{count}".encode(), digest_size=16).hexdigest()
        return pa.array(ids, pa.string())
    return column
