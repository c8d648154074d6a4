"""Hops and legs of all systems → journeys → deliveries.

`HopLegKeys` holds what joining needs of one batch of hops and legs as numbers (hashes, times, flags: about 130 bytes a
row), so that the strings can stay on disk. `link` joins; `rows` makes the deliveries of some legs.

The columns of hops and legs, and those that a batch may have beside, are in `forensics.loaders.base`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from forensics import loaders
from forensics.columns import domain_hashes, hashes, keys, label_hashes, reaches, whole
from forensics.native.stitch import linking
from forensics.stitch import marks

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
    alike: Hashes
    """Hops of one such number may be one message; 0 for none (`loaders.base.HOPS`)."""
    peer: Hashes
    sender: Hashes
    client: Hashes
    client_address: Hashes
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
    relay_address: Hashes
    target: Hashes
    """Who took it: the logging host, the relay's name or address, and its port."""
    domain: Hashes


def hop_leg_keys(hops: pa.Table, legs: pa.Table) -> HopLegKeys:
    """The numbers of one batch."""
    client_address, sender, host = hashes(hops["client_address"]), keys(hops["sender"]), hashes(hops["host"])
    peer = np.where(
        (client_address != 0) & (sender != 0), client_address ^ (sender * np.uint64(3)) ^ host, np.uint64(0)
    )
    name, address = (
        pc.coalesce(marks.text(hops, f"peer_{what}"), whole(hops[f"client_{what}"])) for what in ("name", "address")
    )
    hop = marks.flat_numbers(legs["hop"])
    relay, loops = reaches(legs["relay_address"])
    relay_address = hashes(legs["relay_address"])
    return HopLegKeys(
        id=hashes(hops["queue_id"]),
        host=host,
        msgid=hashes(hops["message_id"]),
        previous=hashes(marks.optional(hops, "previous_id", pa.string())),
        first=marks.micros(hops["first_at"]),
        flags=marks.hop_flags(hops, name, address),
        system=_systems(hops),
        alike=marks.flat_numbers(pc.fill_null(marks.optional(hops, "alike", pa.int64()), 0)).view(np.uint64),
        peer=peer,
        sender=np.where(marks.truth(pc.equal(hops["sender"], "")), np.uint64(1), sender),
        client=label_hashes(name),
        client_address=hashes(address),
        name=label_hashes(hops["host"]),
        hop=hop,
        next=hashes(legs["next_id"]),
        key=keys(legs["recipient"]),
        original=keys(legs["original_recipient"]),
        alias=keys(
            marks.optional(legs, "alias", pa.string()) if "alias" in legs.column_names else legs["original_recipient"]
        ),
        at=marks.micros(legs["at"]),
        outcome=marks.settled(legs, relay),
        relay=relay,
        leg_flags=marks.leg_flags(legs, relay, loops),
        relay_host=label_hashes(legs["relay_name"]),
        relay_address=relay_address,
        target=marks.targets(legs, host[hop], relay_address),
        domain=domain_hashes(legs["recipient"]),
    )


def _systems(hops: pa.Table) -> Longs:
    generation = marks.flat_numbers(pc.fill_null(marks.optional(hops, "generation", pa.int8()), 0))
    system: Longs = marks.places(hops["system"], loaders.systems()) * GENERATIONS + generation.astype(np.int64)
    return system


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
    child: Longs
    """The hop that continues each leg, or -1."""
    doubt: Longs
    """A hop that may continue each leg, but nothing shows that an outsider did not make it look so; or -1."""


Given = Callable[[HopLegKeys], Longs]
"""Rules of other kinds: for each leg the hop that continues it, or -1."""


def link(
    p: HopLegKeys,
    given: Sequence[Given] = (),
    next_hop: NDArray[np.bool_] | None = None,
    usual: Hashes | None = None,
) -> Links:
    """Join hops into journeys.

    A leg that ends in `queued as X` is continued by a hop X that the evidence contains, that began at a plausible
    time, whose Message-ID does not contradict and of which no outsider could have made the reply
    (`native.stitch.linking.continues`). `given` adds rules of other kinds; the first that answers wins. `next_hop`,
    `usual`: `routes.next_hops`.
    """
    known = np.full(len(p.hop), -1, np.int64)
    for rule in given:
        known = np.where(known >= 0, known, rule(p))
    out = linking.link(
        p.id, p.host, p.msgid, p.previous, p.first, p.flags, p.system // GENERATIONS, p.peer, p.name, p.client_address,
        p.hop, p.next, p.key, p.original, p.alias, p.at, p.outcome, p.relay, p.leg_flags, p.relay_host, p.relay_address,
        np.zeros(len(p.hop), np.bool_) if next_hop is None else next_hop,
        np.zeros(0, np.uint64) if usual is None else usual, known,
    )  # fmt: skip
    return Links(*out)
