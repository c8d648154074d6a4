"""Which hops and legs can be part of a journey of several hops: only these are joined, so that memory stays small.

A leg without an id that any hop of the evidence has, of a hop that no leg names, whose Message-ID and recipient no
other hop has, is a journey by itself: most of a log. What must be known of every hop and leg meanwhile is little
(`JoinIndex`: 33 bytes a row); the rest is loaded again where needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forensics.native import codes
from forensics.stitch.journeys import HopLegKeys, Longs


@dataclass(frozen=True)
class JoinIndex:
    """Of every hop its id and first time; of every leg its hop (within the batch), outcome and next id."""

    id: NDArray[np.uint64]
    first: Longs
    systems: Longs
    """Those that its hops are of, each once (`HopLegKeys.system`): rules between systems concern a case of several."""
    hop: NDArray[np.int32]
    outcome: NDArray[np.int8]
    next: NDArray[np.uint64]
    pair: NDArray[np.uint32]
    """Message-ID and recipient of each leg, shortened; 0 where one is missing."""
    alias_pairs: NDArray[np.uint32]
    """The same with the recipients that others were made of, each once a hop: few."""
    previous: NDArray[np.uint64]
    """Ids before a requeue: few."""
    peers: NDArray[np.uint64]
    """Clients and senders refused for now: few."""
    names: NDArray[np.uint64]
    """Of the logging hosts, each once."""
    handed: bool
    """Something was handed to a program or a listener of the host itself."""


def join_index(p: HopLegKeys) -> JoinIndex:
    aliased = np.flatnonzero(p.alias != 0)
    hop_of_alias = p.hop[aliased]
    alias_pairs = short(pairs(p.msgid[hop_of_alias], p.alias[aliased]))
    once = np.unique(np.stack([hop_of_alias, alias_pairs.astype(np.int64)]), axis=1)[1].astype(np.uint32)
    return JoinIndex(
        pair=short(pairs(p.msgid[p.hop], p.key)),
        alias_pairs=once[once != 0],
        names=np.unique(p.name),
        handed=bool(handed(p).any()),
        id=p.id,
        first=p.first,
        systems=np.unique(p.system),
        hop=p.hop.astype(np.int32),
        outcome=p.outcome.astype(np.int8),
        next=np.where(p.outcome == codes.DELIVERED, p.next, np.uint64(0)),
        previous=p.previous[p.previous != 0],
        peers=np.unique(p.peer[p.flags & codes.GREYLISTED != 0]),
    )


def handed(p: HopLegKeys) -> NDArray[np.bool_]:
    """Legs that a program or a listener of the host itself took without naming an id, and not into a mailbox."""
    here = (p.relay == codes.OWN) | (p.leg_flags & codes.PROGRAM != 0)
    shown = (p.leg_flags & codes.SHOWN != 0) & (p.leg_flags & (codes.MAILBOX | codes.FORWARDED) == 0)
    found: NDArray[np.bool_] = here & shown & (p.next == 0) & (p.target != 0) & (p.outcome == codes.DELIVERED)
    return found


def pairs(msgid: NDArray[np.uint64], key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One number for (Message-ID, recipient); zero where either is missing."""
    with np.errstate(over="ignore"):
        mixed = msgid * np.uint64(0x9E3779B97F4A7C15) ^ (key * np.uint64(0xC2B2AE3D27D4EB4F) + np.uint64(0x165667B1))
    return np.where((msgid != 0) & (key != 0), mixed | np.uint64(1), np.uint64(0))


def short(values: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Half of each number; 0 stays the only 0."""
    half = (values >> np.uint64(32)).astype(np.uint32)
    return np.where(values != 0, np.maximum(half, np.uint32(1)), np.uint32(0)).astype(np.uint32)


@dataclass(frozen=True)
class Routes:
    """What relays and hosts take, of all legs, each once: (host, relay, recipient's domain) of what public relays
    accepted, (host, recipient's domain) of what a host keeps or takes from strangers."""

    relayed: NDArray[np.uint64]
    served: NDArray[np.uint64]
    """Sorted; as `place` makes them."""


@dataclass(frozen=True)
class Handed:
    """Legs among `Selection.rest` that a program or a listener of the host itself took: `at`: their positions there."""

    at: Longs
    target: NDArray[np.uint64]
    domain: NDArray[np.uint64]
    """`place` of the host and the recipient's domain."""


@dataclass(frozen=True)
class Passed:
    """Legs among `Selection.rest` that another host of the organisation took, by its address or its name, and named an
    id for: `at`: their positions there."""

    at: Longs
    way: NDArray[np.uint64]
    """`ways`."""
    when: Longs


def ways(p: HopLegKeys) -> NDArray[np.uint64]:
    """One number for (logging host, address of the relay) of each leg."""
    with np.errstate(over="ignore"):
        mixed: NDArray[np.uint64] = p.host[p.hop] ^ p.relay_address * np.uint64(3)
    return mixed


def passed(p: HopLegKeys) -> NDArray[np.bool_]:
    """Legs that another server took and named an id for."""
    found: NDArray[np.bool_] = (p.outcome == codes.DELIVERED) & (p.next != 0) & (p.relay_address != 0)
    return found


@dataclass(frozen=True)
class Selection:
    """`parts`: the rows to join, renumbered; `hops`, `legs`: their global numbers. `rest`: global numbers of all
    other legs."""

    parts: HopLegKeys
    hops: Longs
    legs: Longs
    rest: Longs
    rest_hops: Longs
    rest_outcomes: NDArray[np.int8]
    rest_first: Longs
    handed: Handed
    passed: Passed
    routes: Routes
    hop_starts: Longs
    leg_starts: Longs


def _known(values: NDArray[Any], ordered: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are among the ordered ones; 0 never is."""
    if not len(ordered):
        return np.zeros(len(values), np.bool_)
    at = np.searchsorted(ordered, values).clip(max=len(ordered) - 1)
    found: NDArray[np.bool_] = (ordered[at] == values) & (values != 0)
    return found


def _distinct(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sorted, each once. By sorting: `np.unique` hashes, which is slow when the values do not fit the cache."""
    values.sort()
    return values[np.concatenate([[True], values[1:] != values[:-1]])] if len(values) else values


def _shared(some: Sequence[NDArray[np.uint64]], others: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Hashes that both have, sorted, each once; 0 is none. Most of `some` find no mark of `others` in a table by their
    highest bits; most of `others` then find none of the rest by their lowest; and only what is left has to be sorted.
    """
    bits = _bits(8 * sum(map(len, others)))
    shift = np.uint64(64 - bits)
    marks = np.zeros(1 << bits, np.bool_)
    for v in others:
        marks[v >> shift] = True
    found = _distinct(np.concatenate([np.zeros(0, np.uint64), *(v[marks[v >> shift]] for v in some)]))
    bits = _bits(32 * len(found))
    mask = np.uint64((1 << bits) - 1)
    marks = np.zeros(1 << bits, np.bool_)
    marks[found & mask] = True
    fellows = _distinct(np.concatenate([np.zeros(0, np.uint64), *(v[marks[v & mask]] for v in others)]))
    return found[_known(found, fellows)]


def _bits(places: int) -> int:
    """Of an index of a table with about so many places, kept to 64 MiB of marks."""
    return min(max(places, 1024).bit_length(), 26)


def _repeated(indexes: Sequence[JoinIndex]) -> NDArray[np.uint32]:
    """(Message-ID, recipient) that more than one hop has, sorted; some only look alike."""
    nothing = np.zeros(0, np.uint32)
    values = np.concatenate([nothing, *(v for b in indexes for v in (b.pair, b.alias_pairs))])
    values.sort()
    again = values[1:][values[1:] == values[:-1]]
    return np.unique(again[again != 0])


def place(host: NDArray[np.uint64], domain: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One number for (host, domain)."""
    with np.errstate(over="ignore"):
        mixed: NDArray[np.uint64] = host * np.uint64(0x9E3779B97F4A7C15) ^ domain
    return mixed


def _relayed(p: HopLegKeys) -> NDArray[np.uint64]:
    """(host, relay, domain) of what public relays accepted, each once."""
    legs = np.flatnonzero((p.relay == codes.PUBLIC) & (p.outcome == codes.DELIVERED) & (p.relay_address != 0))
    rows = np.stack([p.host[p.hop[legs]], p.relay_address[legs], p.domain[legs]], axis=1)
    with np.errstate(over="ignore"):
        mixed = (rows[:, 0] * np.uint64(3) ^ rows[:, 1]) * np.uint64(0x9E3779B97F4A7C15) ^ rows[:, 2]
    return rows[np.unique(mixed, return_index=True)[1]]


_NO_STRANGER = (
    codes.KNOWN_USER | codes.FROM_SELF | codes.FROM_INSIDE | codes.FROM_LOOP | codes.FROM_PROGRAM | codes.GREYLISTED
)


def _served(p: HopLegKeys) -> NDArray[np.uint64]:
    """(host, domain) of what went into mailboxes, and of what the host itself took from clients that have no address of
    our own and did not log in: from these, a server takes what it serves."""
    stored = p.leg_flags & codes.MAILBOX != 0
    here = (p.relay == codes.OWN) | (p.leg_flags & codes.PROGRAM != 0)
    legs = np.flatnonzero((p.outcome == codes.DELIVERED) & (stored | (here & (p.flags[p.hop] & _NO_STRANGER == 0))))
    return np.unique(place(p.host[p.hop[legs]], p.domain[legs]))


def select(indexes: Sequence[JoinIndex], numbers: Iterable[HopLegKeys]) -> Selection:
    """Go through all batches once more and take what may be joined. `numbers`: those of each batch, in order."""
    hop_starts = np.cumsum([0, *(len(b.id) for b in indexes)])
    leg_starts = np.cumsum([0, *(len(b.hop) for b in indexes)])
    shared = _shared([b.next for b in indexes], [b.id for b in indexes])
    wanted = np.unique(np.concatenate([shared, *(b.previous for b in indexes)]))
    peers = np.unique(np.concatenate([*(b.peers for b in indexes), np.zeros(0, np.uint64)]))
    repeated = _repeated(indexes)
    any_handed = any(b.handed for b in indexes)
    everything = len(np.unique(np.concatenate([b.systems for b in indexes]))) > 1 if indexes else False
    small = np.uint32 if max(hop_starts[-1], leg_starts[-1]) < 2**32 else np.int64
    taken: list[dict[str, Any]] = []
    hops, legs, rest, rest_hops, rest_outcomes, rest_first = [], [], [], [], [], []
    waiting: list[tuple[Any, Any, Any]] = []
    elsewhere: list[tuple[Any, Any, Any]] = []
    names = np.unique(np.concatenate([np.zeros(0, np.uint64), *(b.names for b in indexes)]))
    relayed, served = [np.zeros((0, 3), np.uint64)], [np.zeros(0, np.uint64)]
    count = others_before = 0
    for b, p, h, g in zip(indexes, numbers, hop_starts[:-1], leg_starts[:-1], strict=True):
        mask = np.full(len(b.id), everything)
        if not everything:
            mask |= _known(p.id, wanted) | (p.previous != 0) | (p.alike != 0) | _known(p.peer, peers)
            lost = (b.next != 0) & ((p.relay == codes.OWN) | (p.leg_flags & codes.FORWARDED != 0))
            again = _known(b.pair, repeated) | _known(short(pairs(p.msgid[p.hop], p.alias)), repeated)
            mask[p.hop[_known(b.next, wanted) | lost | again]] = True
        if len(shared):
            relayed.append(_relayed(p))
        if any_handed:
            served.append(_served(p))
        of_leg = mask[p.hop]
        own_hops, own_legs = np.flatnonzero(mask), np.flatnonzero(of_leg)
        number = np.cumsum(mask) - 1 + count
        taken.append({f.name: _rows(p, f.name, own_hops, own_legs, number) for f in fields(HopLegKeys)})
        hops.append(own_hops + h)
        legs.append(own_legs + g)
        count += len(own_hops)
        others = np.flatnonzero(~of_leg)
        rest.append((others + g).astype(small))
        rest_hops.append((b.hop[others].astype(np.int64) + h).astype(small))
        rest_outcomes.append(b.outcome[others])
        rest_first.append(b.first[b.hop[others]])
        if b.handed:
            kept = np.flatnonzero(handed(p)[others])
            waiting.append((kept + others_before, p.target[others[kept]],
                            place(p.host[p.hop[others[kept]]], p.domain[others[kept]])))  # fmt: skip
        if len(shared):
            known = (p.relay == codes.PRIVATE) | _known(p.relay_host, names)
            kept = np.flatnonzero((passed(p) & known)[others])
            elsewhere.append((kept + others_before, ways(p)[others[kept]], p.at[others[kept]]))
        others_before += len(others)
    whole = {f.name: _joined([t[f.name] for t in taken], f.name) for f in fields(HopLegKeys)}
    at, target, domain = zip(*waiting, strict=True) if waiting else ((), (), ())
    passed_at, way, when = zip(*elsewhere, strict=True) if elsewhere else ((), (), ())
    return Selection(
        HopLegKeys(**whole),
        hops=_joined(hops, ""),
        legs=_joined(legs, ""),
        rest=_joined(rest, ""),
        rest_hops=_joined(rest_hops, ""),
        rest_outcomes=_joined(rest_outcomes, ""),
        rest_first=_joined(rest_first, ""),
        handed=Handed(_joined(at, ""), _joined(target, "target"), _joined(domain, "domain")),
        passed=Passed(_joined(passed_at, ""), _joined(way, "target"), _joined(when, "")),
        routes=Routes(np.unique(np.concatenate(relayed), axis=0), np.unique(np.concatenate(served))),
        hop_starts=hop_starts,
        leg_starts=leg_starts,
    )


_OF_LEG = (
    "hop", "next", "key", "original", "alias", "at", "outcome", "relay", "leg_flags", "relay_host", "relay_address",
    "target", "domain",
)  # fmt: skip


def _rows(p: HopLegKeys, name: str, hops: Longs, legs: Longs, number: Longs) -> Any:
    if name == "hop":
        return number[p.hop[legs]]
    return getattr(p, name)[legs if name in _OF_LEG else hops]


def _joined(arrays: Sequence[Any], name: str) -> Any:
    hashed = {f.name for f in fields(HopLegKeys) if "Hashes" in str(f.type)}
    return np.concatenate(arrays) if arrays else np.zeros(0, np.uint64 if name in hashed else np.int64)
