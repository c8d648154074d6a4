"""Which names are one host's: those of which one has some records of a message and the other the rest.

A host was renamed, or logs by two ways; a container was made anew with the same queue. A message's id is its server's;
that of another one is the same by chance only if it is short, and then hardly of a message that lacks what the other
has, from the same sender, of the same size, or at the same time. Replies of other servers are not looked at.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from forensics.columns import hashes
from forensics.ingest.hops import OF_PART, Hops, Rows, among
from forensics.native import codes

SOON = 5_000_000
"""A message whose lines stand under two names goes on within so long (microseconds)."""
PARTS = 100_000
"""Parts that are compared; more would be a log of which every other line is missing."""
SURE = 3
"""Weight from which two names are one host's: one message whose id is of no other host in the world, or whose sender
and size both parts tell; or three of which only the time fits; or one, if the names are alike."""
_SHORT_ID = re.compile(r"[0-9A-F]+")
_CONTAINER = re.compile(r"[0-9a-f]{12,64}")


class Names:
    """Which names are one host's."""

    def __init__(self) -> None:
        self._above: dict[str, str] = {}
        self._why: dict[tuple[str, str], str] = {}

    def _top(self, name: str) -> str:
        while name in self._above:
            name = self._above[name]
        return name

    def same(self, a: str, b: str, why: str) -> None:
        a, b = self._top(a), self._top(b)
        if a != b:
            best, other = sorted((a, b), key=_rank)
            self._above[other] = best
            self._why[best, other] = why

    def chosen(self) -> dict[str, str]:
        return {name: self._top(name) for name in sorted(self._above)}

    def told(self, hosts: Mapping[str, str]) -> Iterator[tuple[list[str], str]]:
        """(names, sentence) of each host that has several."""
        for best in sorted(set(hosts.values())):
            others = [name for name, top in hosts.items() if top == best]
            why = sorted({reason for (a, b), reason in self._why.items() if self._top(a) == best and b in hosts})
            yield (
                [best, *others],
                (f"the host {best} is named {', '.join(others)}, too ({'; '.join(why)}): it is counted as one host"),
            )


def _rank(name: str) -> tuple[int, str, bool]:
    """A host's whole name before its short one, these before what a container is called, and before an address."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        kind = 2 if _CONTAINER.fullmatch(name) else 0 if "." in name.strip(".") else 1
    else:
        kind = 3
    return kind, name.lower(), name != name.lower()


def parts(hops: Hops, batch: Rows) -> list[tuple[str, str]]:
    """Names of which one has some records of a message and the other the rest."""
    if len(hops.names) < 2:
        return []
    open_ = [np.flatnonzero(~one.whole & (one.id != 0)) for one in hops.some]
    strays = [hashes(table["queue_id"]) for table in hops.strays]
    ids = np.sort(
        np.concatenate([np.zeros(0, np.uint64), *strays, *(o.id[n] for o, n in zip(hops.some, open_, strict=True))])
    )
    again = np.unique(ids[1:][ids[1:] == ids[:-1]])
    tables = [table.take(pa.array(among(of, again))) for table, of in zip(hops.strays, strays, strict=True)]
    for one, places in zip(hops.some, open_, strict=True):
        if len(rows := places[among(one.id[places], again)]):
            tables.append(batch(one.batch)[0].select(OF_PART).take(pa.array(rows)))
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in islice((row for table in tables for row in _with_numbers(table).to_pylist()), PARTS):
        groups.setdefault(row["queue_id"], []).append(row)
    found: Counter[tuple[str, str]] = Counter()
    for rows_ in groups.values():
        rows_.sort(key=lambda row: (row["first_at"], row["last_at"], row["host"] or ""))
        for first, second in pairwise(rows_):
            if weight := _one_message(first, second):
                found[min(first["host"], second["host"]), max(first["host"], second["host"])] += weight
    return sorted(pair for pair, weight in found.items() if weight >= SURE)


def _with_numbers(table: pa.Table) -> pa.Table:
    for name in ("first_at", "last_at"):
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.int64()))
    return table


def _one_message(first: Mapping[str, Any], second: Mapping[str, Any]) -> int:
    """How surely two parts under different names are of one message of one host: 0 is not."""
    if first["host"] is None or second["host"] is None or first["host"] == second["host"]:
        return 0
    if (first["born"] and second["born"]) or (first["closed"] and second["closed"]):
        return 0
    told = [(first[c], second[c]) for c in ("message_id", "sender", "size_bytes", "recipient_count")]
    if any(a is not None and b is not None and a != b for a, b in told):
        return 0
    at_once = second["first_at"] <= first["last_at"] + SOON and not (
        second["born"] and second["first_at"] > first["first_at"] + SOON
    )
    goes_on = not first["closed"] and not second["born"] and second["first_at"] <= first["last_at"] + codes.LIFETIME
    if not (at_once or goes_on):
        return 0
    queued = all(first[c] is not None and second[c] is not None for c in ("sender", "size_bytes"))
    if queued or not _SHORT_ID.fullmatch(first["queue_id"]):
        return SURE
    if not at_once:
        return 0
    return SURE if _alike(first["host"], second["host"]) else 1


def _alike(a: str, b: str) -> bool:
    """A host's short name and its whole one."""
    short, long = sorted((a.lower().rstrip("."), b.lower().rstrip(".")), key=len)
    return long == short or long.startswith(short + ".")
