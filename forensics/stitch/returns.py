"""What filters give back, and what they are: a message that a filter took and returned is one journey.

A filter that answers without `queued as ID` (Proxmox Mail Gateway, DSPAM, SMTP proxies, a pipe that calls `sendmail`)
is known by what comes back: the same Message-ID, sender and recipient from where the message went, within the time
that this filter takes. What a filter took and never gave back is not delivered: `unknown`, unless its reply says that
it destroyed or keeps it (`journeys.settled`).

A local store takes mail in the same way and is none: it never returns any, and takes only recipients of domains that
the host serves, those that it keeps in mailboxes or takes from strangers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forensics.native import codes
from forensics.native.stitch.returning import give_back
from forensics.native.text import FACTOR
from forensics.stitch.journeys import HopLegKeys, Longs
from forensics.stitch.selection import Handed, Routes, handed, pairs, place

SLOWER, LEAST, SAMPLE = 10, 60_000_000, 3
"""A filter may take so many times as long as it usually does, and at least so many microseconds; what is usual, so many
messages tell."""


@dataclass(frozen=True)
class Returned:
    """For each leg the hop that a filter made of it, or -1; and a hop that it may have made, or -1."""

    child: Longs
    doubt: Longs


def given_back(p: HopLegKeys) -> Returned:
    """Legs whose next server named no id, and the hops that agree with them in all that an outsider cannot choose."""
    own = pairs(p.msgid[p.hop], p.key)
    rows = np.flatnonzero(
        (p.outcome == codes.DELIVERED) & (p.next == 0) & (own != 0) & (p.target != 0)
        & (p.leg_flags & (codes.MAILBOX | codes.FORWARDED) == 0)
    )  # fmt: skip
    outside = p.relay[rows] == codes.PUBLIC  # what came back from a filter of our own nobody else has made
    rows = rows[np.lexsort((rows, p.at[rows], p.first[p.hop[rows]], outside))]
    direct, aliased = np.flatnonzero(p.leg_flags & codes.DIRECT != 0), np.flatnonzero(p.alias != 0)
    legs = np.concatenate([direct, aliased])
    values = np.concatenate([own[direct], pairs(p.msgid[p.hop[aliased]], p.alias[aliased])])
    order = np.argsort(values, kind="stable")
    legs, values = legs[order], values[order]
    rows = rows[_elsewhere(own[rows], p.target[rows], values, p.target[legs])]
    longest = np.full(len(p.hop), codes.RETURN, np.int64)
    first, ways = _matched(p, rows, own, values, legs, longest)
    sure = np.flatnonzero((first.child >= 0) & (ways == 1))
    for target, lags in _lags(p, sure, first.child):
        usual = max(LEAST, SLOWER * int(np.median(lags)))
        longest[p.target == target] = min(usual, codes.RETURN)
    return _matched(p, rows, own, values, legs, longest)[0] if len(sure) else first


def _elsewhere(
    own: NDArray[np.uint64], target: NDArray[np.uint64], values: NDArray[np.uint64], targets: NDArray[np.uint64]
) -> NDArray[np.bool_]:
    """Of legs those whose Message-ID and recipient (`own`) some leg has that went to another target: what came back
    went there. `values`, ascending: the same of all legs that count, with their `targets`.

    A mailbox may be sent a hundred thousand messages of one Message-ID: to compare each with all is only worth it where
    one can be what became of another.
    """
    if not len(values):
        return np.zeros(len(own), np.bool_)
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])
    least, most = np.minimum.reduceat(targets, starts), np.maximum.reduceat(targets, starts)
    at = np.searchsorted(values[starts], own).clip(max=len(starts) - 1)
    found: NDArray[np.bool_] = (values[starts][at] == own) & ((least[at] != target) | (most[at] != target))
    return found


def _matched(
    p: HopLegKeys, rows: Longs, own: NDArray[np.uint64], values: NDArray[np.uint64], legs: Longs, longest: Longs
) -> tuple[Returned, Longs]:
    child, doubt, ways = np.full(len(p.hop), -1), np.full(len(p.hop), -1), np.zeros(len(p.hop), np.int64)
    if len(rows):
        give_back(
            rows, own, values, legs, p.hop, longest, p.host, p.sender, p.system, p.name, p.client, p.client_address,
            p.first, p.flags, p.at, p.relay, p.leg_flags, p.relay_host, p.relay_address, p.target,
            np.full(len(p.id), -1), child, doubt, ways,
        )  # fmt: skip
    return Returned(child, doubt), ways


def _lags(p: HopLegKeys, legs: Longs, child: Longs) -> list[tuple[np.uint64, Longs]]:
    """(target, how long after the hand-over its messages came back) of targets with enough of them."""
    lag = np.maximum(p.first[child[legs]] - p.at[legs], 0)
    targets, which = np.unique(p.target[legs], return_inverse=True)
    return [(t, lag[which == n]) for n, t in enumerate(targets) if np.count_nonzero(which == n) >= SAMPLE]


def filters(p: HopLegKeys, child: Longs, rest: Handed, routes: Routes) -> NDArray[np.uint64]:
    """Targets that are filters, sorted: one of their messages came back, or they take recipients of domains that their
    host does not serve."""
    mine = handed(p)
    back = p.target[mine & (child >= 0)]
    targets = np.concatenate([p.target[mine], rest.target])
    domains = np.concatenate([place(p.host[p.hop[mine]], p.domain[mine]), rest.domain])
    foreign = targets[~np.isin(domains, routes.served)]
    return np.unique(np.concatenate([back, foreign]))


def next_hops(p: HopLegKeys, routes: Routes) -> tuple[NDArray[np.bool_], NDArray[np.uint64]]:
    """(legs whose relay takes mail for unrelated domains, (relay, client) of what comes from such relays as
    `native.stitch.linking.link` reads them).

    Such a relay takes at least two domains and half of all that its sending host writes to: the servers of one
    recipient, or of one owner of lookalikes, do not. Its messages come from the same few clients.
    """
    host, relay = routes.relayed[:, 0], routes.relayed[:, 1]
    ways = np.unique(place(host, relay), return_inverse=True, return_counts=True)
    hosts, of_host = np.unique(host, return_inverse=True)
    written = np.array([len(np.unique(routes.relayed[of_host == n, 2])) for n in range(len(hosts))], np.int64)
    names, which, domains = ways
    wide = np.zeros(len(names), np.bool_)
    wide[which[(domains[which] >= 2) & (2 * domains[which] >= written[of_host])]] = True
    legs = np.isin(place(p.host[p.hop], p.relay_address), names[wide]) & (p.relay == codes.PUBLIC)
    order = np.argsort(p.id, kind="stable")
    at = np.searchsorted(p.id[order], p.next).clip(max=max(len(order) - 1, 0))
    named = np.flatnonzero(legs & (p.next != 0) & (p.outcome == codes.DELIVERED)) if len(order) else np.zeros(0, int)
    named = named[p.id[order[at[named]]] == p.next[named]]
    continued = order[at[named]]
    same = (p.msgid[continued] == p.msgid[p.hop[named]]) & (p.msgid[continued] != 0)
    named, continued = named[same], continued[same]
    with np.errstate(over="ignore"):
        seen = p.relay_address[named] ^ p.client_address[continued] * FACTOR
    usual, times = np.unique(seen, return_counts=True)
    relays, of = np.unique(p.relay_address[named], return_inverse=True)
    first = np.searchsorted(usual, seen)
    of_pair = np.zeros(len(usual), np.int64)
    of_pair[first] = np.bincount(of, minlength=len(relays))[of] if len(of) else 0
    return legs, usual[10 * times >= of_pair]
