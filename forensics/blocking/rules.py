"""What may be blocked: names and addresses of confirmed pairs, and what each rule would have refused in this case.

A rule on a domain needs that the organisation itself has no genuine use of it: every outbound delivery to it is a
confirmed finding, or one that is still open. Mail that came from the domain proves no such use, since its owner can
send it. Where there is genuine use, each confirmed address gets a rule of its own, if nobody wrote to it genuinely.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forensics import domains
from forensics.report.text.visible import visible

_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""A host name as RFC 1123 (2.1) has it, lower-case A-labels: what every format can hold."""
_LOCAL = re.compile(r"[a-z0-9!$%&*/?^_`{|}~][a-z0-9!#$%&'*+/=?^_`{|}~-]*(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""A dot-string of RFC 5321 (4.1.2) that begins no comment and, in a spreadsheet, no formula: a table that is matched
exactly cannot guard a cell by a sign before it."""


@dataclass(frozen=True)
class Counted:
    """Outbound deliveries of the case that a rule would have refused."""

    confirmed: int
    open: int
    """Findings on which nobody ruled, or `undecided`."""
    genuine: int
    """No finding, or a dismissed one."""

    @property
    def all(self) -> int:
        return self.confirmed + self.open + self.genuine


@dataclass(frozen=True)
class Rule:
    """Refuse mail to `value`, a domain or an address. `below`: what it would have refused with the names below the
    domain, as some servers read a rule."""

    kind: str
    """domain or address."""
    value: str
    typed: str
    meant: tuple[str, ...]
    exact: Counted
    below: Counted


_WHY = {
    "unruled": "suspected, confirmed by nobody: `missent review` first",
    "genuine": "in genuine use by the organisation",
    "unwritable": "cannot be written as a rule: block it by hand",
}


@dataclass(frozen=True)
class Left:
    """What gets no rule, and why (`reason`: unruled, genuine, unwritable)."""

    value: str
    meant: str
    reason: str
    deliveries: int

    @property
    def said(self) -> str:
        """In words."""
        n = self.deliveries
        found = f"{n:,} {'delivery' if n == 1 else 'deliveries'}"
        return f"{visible(self.value)} (meant: {visible(self.meant)}, {found}): {_WHY[self.reason]}"


@dataclass(frozen=True)
class Block:
    """All that a case gives. `rules`: a domain's rule, or rules of its addresses; `spare`: rules of the addresses of
    each domain with a rule, for servers that would refuse names below it as well."""

    rules: tuple[Rule, ...]
    spare: Mapping[str, tuple[Rule, ...]]
    left: tuple[Left, ...]

    def of(self, typed: str) -> Block:
        """What it gives for one typed domain."""
        return Block(
            tuple(rule for rule in self.rules if rule.typed == typed),
            {name: rules for name, rules in self.spare.items() if name == typed},
            tuple(one for one in self.left if one.value.rpartition("@")[2] == typed),
        )


_USE = """
SELECT d.recipient_domain AS domain, d.recipient AS address, f.observed_domain AS typed, f.intended_domain AS meant,
       CASE WHEN f.delivery_id IS NULL OR r.verdict = 'dismissed' THEN 'genuine'
            WHEN r.verdict = 'confirmed' THEN 'confirmed' ELSE 'open' END AS state,
       f.level AS level, count(*) AS deliveries
FROM deliveries d LEFT JOIN findings f USING (delivery_id) LEFT JOIN rulings r USING (delivery_id)
WHERE d.direction = 'outbound' GROUP BY ALL ORDER BY ALL
"""


def genuine(connection: Any) -> dict[str, int]:
    """Deliveries to each domain that nobody holds to be misdirected, in order of the names."""
    wanted = "state = 'genuine' AND domain <> '' GROUP BY domain ORDER BY domain"
    counted = f"SELECT domain, sum(deliveries)::BIGINT FROM ({_USE}) WHERE {wanted}"
    return dict(connection.sql(counted).fetchall())


def made(connection: Any) -> Block:
    """The rules of a case. `connection`: DuckDB with the views of `forensics.views`."""
    use = [row for row in connection.sql(_USE).to_arrow_table().to_pylist() if row["domain"]]
    pairs: dict[str, set[str]] = {}
    for row in use:
        if row["state"] == "confirmed":
            pairs.setdefault(row["typed"], set()).add(row["meant"])
    rules: list[Rule] = []
    spare: dict[str, tuple[Rule, ...]] = {}
    left: list[Left] = []
    for typed, meant in sorted(pairs.items()):
        one, addresses, without = _of_domain(typed, tuple(sorted(meant)), use)
        rules.extend([one] if one is not None else addresses)
        if one is not None:
            spare[typed] = addresses
        left.extend(without)
    return Block(tuple(rules), spare, (*left, *_unruled(use)))


def watched(connection: Any, lookalikes: Sequence[Mapping[str, Any]]) -> Block:
    """Rules on lookalikes (`lookalike`, `domain`, as a watch list has them) to which nobody need have written.

    One that is in genuine use, or has such a name below it, gets none.
    """
    use = [row for row in connection.sql(_USE).to_arrow_table().to_pylist() if row["domain"]]
    meant: dict[str, list[str]] = {}
    for row in lookalikes:
        meant.setdefault(row["lookalike"], []).append(row["domain"])
    rules: list[Rule] = []
    left: list[Left] = []
    for typed, names in meant.items():
        there = [row for row in use if row["domain"] == typed]
        below = [row for row in use if row["domain"].endswith(f".{typed}")]
        exact, whole = _counted(there), _counted([*there, *below])
        if not _DOMAIN.fullmatch(typed):
            left.append(Left(typed, ", ".join(names), "unwritable", exact.all))
        elif whole.genuine:
            left.append(Left(typed, ", ".join(names), "genuine", whole.genuine))
        else:
            rules.append(Rule("domain", typed, typed, tuple(names), exact, whole))
    return Block(tuple(rules), {}, tuple(left))


def _of_domain(
    typed: str, meant: tuple[str, ...], use: Sequence[Mapping[str, Any]]
) -> tuple[Rule | None, tuple[Rule, ...], list[Left]]:
    """(rule on the domain, or None; rules on its confirmed addresses; what gets none)."""
    there = [row for row in use if row["domain"] == typed]
    below = [row for row in use if domains.within(row["domain"], {typed})]
    exact = _counted(there)
    named = ", ".join(meant)
    if not _DOMAIN.fullmatch(typed):
        return None, (), [Left(typed, named, "unwritable", exact.confirmed)]
    addresses: list[Rule] = []
    left: list[Left] = []
    confirmed = {domains.key(row["address"]) for row in there if row["state"] == "confirmed"}
    for address in sorted(confirmed):
        own = _counted([row for row in there if domains.key(row["address"]) == address])
        if not _LOCAL.fullmatch(address.rpartition("@")[0]):
            left.append(Left(address, named, "unwritable", own.confirmed))
        elif own.genuine:
            left.append(Left(address, named, "genuine", own.genuine))
        else:
            addresses.append(Rule("address", address, typed, meant, own, own))
    if exact.genuine:
        return None, tuple(addresses), [Left(typed, named, "genuine", exact.genuine), *left]
    return Rule("domain", typed, typed, meant, exact, _counted(below)), tuple(addresses), []


def _counted(rows: Sequence[Mapping[str, Any]]) -> Counted:
    count = {"confirmed": 0, "open": 0, "genuine": 0}
    for row in rows:
        count[row["state"]] += row["deliveries"]
    return Counted(**count)


def _unruled(use: Sequence[Mapping[str, Any]]) -> list[Left]:
    """Pairs that the detection suspects and nobody confirmed: for review, never for a rule."""
    count: dict[tuple[str, str], int] = {}
    for row in use:
        if row["state"] == "open" and row["level"] != "low":
            pair = row["typed"], row["meant"]
            count[pair] = count.get(pair, 0) + row["deliveries"]
    return [Left(typed, meant, "unruled", n) for (typed, meant), n in sorted(count.items())]
