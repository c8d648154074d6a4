"""Hops and legs of all systems → journeys → deliveries.

`HopLegKeys` holds what joining needs of one batch of hops and legs as numbers (hashes, times, flags: about 100 bytes a
row), so
that the strings can stay on disk. `link` joins; `rows` makes the deliveries of some legs.

The columns of hops and legs, and those that a batch may have beside, are in `forensics.loaders.base`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forensics import loaders, schema
from forensics.columns import flat, hashes, keys, label_hashes, one_chunk
from forensics.native import codes
from forensics.native.stitch import linking

Longs = NDArray[np.int64]
Hashes = NDArray[np.uint64]
GENERATIONS = 8
"""More than any system has (`loaders.base.HOPS`)."""


@dataclass(frozen=True)
class HopLegKeys:
    """Some hops and legs as numbers. `hop` counts among these hops."""

    id: Hashes
    host: Hashes
    msgid: Hashes
    previous: Hashes
    first: Longs
    flags: NDArray[np.int64]
    system: NDArray[np.int64]
    """Its number among `loaders.systems()`, times GENERATIONS, and its generation."""
    peer: Hashes
    sender: Hashes
    client: Hashes
    name: Hashes
    hop: Longs
    next: Hashes
    key: Hashes
    original: Hashes
    alias: Hashes
    at: Longs
    outcome: NDArray[np.int64]
    relay: NDArray[np.int64]
    leg_flags: NDArray[np.int64]
    relay_host: Hashes


def _optional(table: pa.Table, name: str, kind: pa.DataType) -> Any:
    return table[name] if name in table.column_names else pa.nulls(len(table), kind)


def _codes(column: Any, names: Sequence[str]) -> NDArray[np.int64]:
    coded = one_chunk(column)
    if not len(coded):
        return np.zeros(0, np.int64)
    coded = coded if pa.types.is_dictionary(coded.type) else coded.dictionary_encode()
    table: Longs = np.array([names.index(v) for v in coded.dictionary.to_pylist()] or [0], np.int64)
    indices: Longs = coded.indices.to_numpy(zero_copy_only=False)
    return table[indices]


def _micros(column: Any) -> Longs:
    micros: Longs = flat_numbers(column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()))
    return micros


def flat_numbers(column: Any) -> Any:
    """A number column without nulls as numpy."""
    return column.to_numpy() if isinstance(column, pa.ChunkedArray) else column.to_numpy(zero_copy_only=False)


def _truth(column: Any) -> NDArray[np.bool_]:
    filled = pc.fill_null(column, False)
    out: NDArray[np.bool_] = (
        filled.to_numpy() if isinstance(filled, pa.ChunkedArray) else filled.to_numpy(zero_copy_only=False)
    )
    return out.astype(np.bool_)


def hop_leg_keys(hops: pa.Table, legs: pa.Table) -> HopLegKeys:
    """The numbers of one batch."""
    greylisted = _truth(_optional(hops, "greylisted", pa.bool_()))
    flags = (
        greylisted * codes.GREYLISTED + _truth(hops["born"]) * codes.BORN + _truth(hops["closed"]) * codes.CLOSED
    ).astype(np.int64)
    client, sender = hashes(hops["client_address"]), keys(hops["sender"])
    peer = np.where(
        (client != 0) & (sender != 0), client ^ (sender * np.uint64(3)) ^ hashes(hops["host"]), np.uint64(0)
    )
    return HopLegKeys(
        id=hashes(hops["queue_id"]),
        host=hashes(hops["host"]),
        msgid=hashes(hops["message_id"]),
        previous=hashes(_optional(hops, "previous_id", pa.string())),
        first=_micros(hops["first_at"]),
        flags=flags,
        system=_systems(hops),
        peer=peer,
        sender=np.where(_truth(pc.equal(hops["sender"], "")), np.uint64(1), sender),
        client=label_hashes(hops["client_name"]),
        name=label_hashes(hops["host"]),
        hop=flat_numbers(legs["hop"]),
        next=hashes(legs["next_id"]),
        key=keys(legs["recipient"]),
        original=keys(legs["original_recipient"]),
        alias=keys(
            _optional(legs, "alias", pa.string()) if "alias" in legs.column_names else legs["original_recipient"]
        ),
        at=_micros(legs["at"]),
        outcome=_codes(legs["outcome"], schema.OUTCOMES),
        relay=_relays(legs),
        leg_flags=(
            _truth(_optional(legs, "forwarded", pa.bool_())) * codes.FORWARDED
            + _truth(_optional(legs, "mailbox", pa.bool_())) * codes.MAILBOX
        ).astype(np.int64),
        relay_host=label_hashes(legs["relay_name"]),
    )


def _systems(hops: pa.Table) -> NDArray[np.int64]:
    generation: Longs = flat_numbers(pc.fill_null(_optional(hops, "generation", pa.int8()), 0)).astype(np.int64)
    return _codes(hops["system"], loaders.systems()) * GENERATIONS + generation


def _relays(legs: pa.Table) -> NDArray[np.int64]:
    """Class of each relay address: loopback, private (RFC 1918, RFC 4193, link-local, unix socket) or public."""
    column = flat(legs["relay_address"]).dictionary_encode()
    classes = np.array([relay_class(a) for a in column.dictionary.to_pylist()] or [codes.PUBLIC], np.int64)
    indices = pc.fill_null(column.indices, -1).to_numpy(zero_copy_only=False)
    return np.where(indices >= 0, classes[np.maximum(indices, 0)], codes.PUBLIC)


def relay_class(address: str) -> int:
    """Where an address is: `codes.LOOPBACK`, `PRIVATE` or `PUBLIC`."""
    import ipaddress

    if "/" in address:
        return codes.PRIVATE
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return codes.PUBLIC
    if ip.is_loopback:
        return codes.LOOPBACK
    documentation = isinstance(ip, ipaddress.IPv4Address) and any(ip in net for net in _DOCUMENTATION)
    return codes.PRIVATE if ip.is_private and not documentation else codes.PUBLIC


def _documentation() -> list[Any]:
    import ipaddress

    return [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


_DOCUMENTATION = _documentation()


@dataclass(frozen=True)
class Links:
    """For each leg (of all batches) what it means for its journey; see `linking.link`."""

    final: NDArray[np.bool_]
    head: Longs
    root: Longs
    depth: NDArray[np.int16]
    source: Longs
    which: NDArray[np.int8]
    outcome: NDArray[np.int64]
    ended: Longs
    up: Longs
    parent: Longs
    """For each hop the hop before."""


Given = Callable[[HopLegKeys], Longs]
"""Rules between systems: for each leg the hop that continues it, or -1."""


def link(p: HopLegKeys, given: Sequence[Given] = ()) -> Links:
    """Join hops into journeys.

    A leg that ends in `queued as X` is continued by a hop X that the evidence contains, that began at a plausible
    time and whose
    Message-ID does not contradict (for a public relay: is the same). `given` adds rules between systems; the first that
    answers wins.
    """
    known = np.full(len(p.hop), -1, np.int64)
    for rule in given:
        known = np.where(known >= 0, known, rule(p))
    out = linking.link(
        p.id, p.host, p.msgid, p.previous, p.first, p.flags, p.system // GENERATIONS, p.peer,
        p.hop, p.next, p.key, p.original, p.alias, p.at, p.outcome, p.relay, p.leg_flags, known,
    )  # fmt: skip
    return Links(*out)
