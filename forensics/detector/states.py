"""What a typed domain is: one answer out of several that exclude each other, with probabilities that sum to one.

For each typed domain and the domains X, Y … that it could stand for:

- somebody's *own* domain;
- a *second* name of X: an alias, a sibling, X under its new or old name;
- only a *slip* for X, or for Y, …;
- *mixed*: somebody's own domain, and some writers slipped to it who meant X, or Y, ….

All odds are against somebody's own domain: of a slip for X those of `weighing`, of a second name of X those of
SECOND_NAME, and of mixed for X the sum over its addresses of the highest odds of a slip among an address's writers
(`odds.mixed`).

Answers of different domains exclude each other too: what is only a slip is meant by nobody, so that there are no chains
and no circles, and two domains are never both slips for the other. Domains that could be so are judged together: every
combination of answers that is possible has the product of its parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

SECOND_NAME: dict[str, str] = {
    "base": "before anything is known (log10 odds against somebody else's)",
    "same-name": "they differ in the suffix, a hyphen, a dot or a host alone: one owner registers such",
    "shared": "addresses that exist at both (log10 of 1 + number)",
    "own-mail": "both send mail to the organisation",
    "silent": "neither of the two writes to the organisation, though domains of such use mostly do (as in "
    "`pairs.SIGNALS`, of the less used one): who never writes in one name does not in the other",
    "same-writer": "addresses that one writer uses at both (log10 of 1 + number)",
    "moved": "addresses that fell silent at one before they appeared at the other (log10 of 1 + number)",
    "went-over": "writers who knew an address of the one and have kept to its like at the typed domain since, for more "
    "than 30 days (log10 of their number over 1 + that of those who went on at the one; 0 for a single writer, and 0 "
    "without what the other side can bring about where the typed domain wrote: it may have told them to)",
    "established": "they differ so, many pairs use either domain and the typed one has people of its own (log10 of the "
    "pairs of the less used times log10 of 1 + addresses that the meant domain does not have): whoever has one of two "
    "such names knows of the other",
    "one-server": "one server that serves few domains accepted mail for both",
    "provider": "the meant domain is a large mail provider's own, and the typed one none that is known of theirs",
    "unrelated": "the registries' rules exclude one owner (exposure.unrelated)",
}
"""What speaks for a second name: log10 odds against somebody else's own domain. Argued, not fitted; the weights of a
slip were fitted beside it."""

SAME_NAME = frozenset(
    ("suffix-swap", "hyphen", "missing-dot", "extra-dot", "moved-dot", "subdomain", "reordered-labels")
)
"""Kinds of slips by which the names of one owner differ as well."""

_HOLDS = 1e-3
"""Answers of less than this probability need not be judged together with those of other domains."""
_COMBINATIONS = 20_000
"""So many combinations are counted one by one; where there were more, the strongest answers are decided first."""


@dataclass(frozen=True)
class States:
    """Probabilities of the answers, one number for each row (typed domain, X): `slip`, `second`, `mixed`; `own` for
    each row's typed domain. `direction`: by what factor the other domains' answers changed that of a slip or mixed."""

    slip: np.ndarray
    second: np.ndarray
    mixed: np.ndarray
    own: np.ndarray
    direction: np.ndarray


def states(
    typed: Sequence[str],
    meant: Sequence[str],
    slip_odds: np.ndarray,
    second_odds: np.ndarray,
    mixed_odds: np.ndarray,
) -> States:
    """`typed` sorted; odds are log10."""
    count = len(typed)
    slip, second = 10.0 ** np.clip(slip_odds, -12, 12), 10.0 ** np.clip(second_odds, -12, 12)
    mixed = 10.0 ** np.clip(mixed_odds, -12, 12)
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(typed):
        rows.setdefault(name, []).append(i)
    own = np.ones(count)
    for members in rows.values():
        total = 1.0 + slip[members].sum() + second[members].sum() + mixed[members].sum()
        for part in (slip, second, mixed, own):
            part[members] /= total
    before = slip + mixed
    for component in _components(rows, meant, before):
        _together(component, rows, meant, slip, mixed)
    factor = np.where(before > 0, (slip + mixed) / np.maximum(before, 1e-300), 1.0)
    for members in rows.values():
        # What other domains' answers took away, or added, goes to the domain's being its own, or a second name.
        left, had = 1.0 - (slip[members] + mixed[members]).sum(), own[members[0]] + second[members].sum()
        scale = max(left, 0.0) / had if had > 0 else 0.0
        own[members] *= scale
        second[members] *= scale
    return States(slip, second, mixed, own, factor)


def rounded(found: States) -> States:
    """To the digits that are stored, so that what is read again is the same."""
    return States(*(np.round(part, 9) for part in (found.slip, found.second, found.mixed, found.own, found.direction)))


def _components(rows: Mapping[str, Sequence[int]], meant: Sequence[str], accuses: np.ndarray) -> Iterator[list[str]]:
    """Domains whose answers may exclude each other: an accused one that is itself meant by another."""
    parent: dict[str, str] = {}

    def find(name: str) -> str:
        parent.setdefault(name, name)
        while parent[name] != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    accused = {name for name, members in rows.items() if any(accuses[i] >= _HOLDS for i in members)}
    for name in sorted(accused):
        for i in rows[name]:
            if accuses[i] >= _HOLDS and meant[i] in accused:
                first, second = sorted((find(name), find(meant[i])))
                parent[second] = first
    groups: dict[str, list[str]] = {}
    for name in sorted(parent):
        groups.setdefault(find(name), []).append(name)
    yield from (members for _, members in sorted(groups.items()) if len(members) > 1)


Answer = tuple[str, int, float]
"""`none`, `slip` or `mixed`; the row; the probability by the domain's own evidence."""


def _together(
    names: Sequence[str], rows: Mapping[str, Sequence[int]], meant: Sequence[str], slip: np.ndarray, mixed: np.ndarray
) -> None:
    """Replace the probabilities of the answers of these domains by those under which no two exclude each other."""
    answers: dict[str, list[Answer]] = {}
    for name in names:
        some = [("slip", i, float(slip[i])) for i in rows[name]] + [("mixed", i, float(mixed[i])) for i in rows[name]]
        answers[name] = [("none", -1, max(1.0 - sum(p for _, _, p in some), 1e-12)), *some]
    kept = {name: [a for a in answers[name] if a[2] >= _HOLDS and a[0] != "none"] for name in names}
    if prod(1 + len(kept[name]) for name in names) > _COMBINATIONS:
        _strongest_first(names, answers, meant, slip, mixed)
        return
    for name in names:
        # What is too improbable to be counted goes with the answer that nobody slipped.
        kept[name].append(("none", -1, max(1.0 - sum(p for _, _, p in kept[name]), 1e-12)))
    at = {name: n for n, name in enumerate(names)}
    total, sums = 0.0, dict.fromkeys(((a[0], a[1]) for name in names for a in kept[name] if a[0] != "none"), 0.0)
    none = dict.fromkeys(names, 0.0)
    for chosen in product(*(kept[name] for name in names)):
        weight = prod(p for _, _, p in chosen)
        if any(_excluded(chosen, n, meant, at) for n in range(len(names))):
            continue
        total += weight
        for name, (kind, i, _) in zip(names, chosen, strict=True):
            if kind == "none":
                none[name] += weight
            else:
                sums[kind, i] += weight
    for (kind, i), weight in sums.items():
        (slip if kind == "slip" else mixed)[i] = weight / total
    for name in names:
        share = min(none[name] / total / kept[name][-1][2], 1.0)
        for kind, i, _ in answers[name]:
            if kind != "none" and (kind, i) not in sums:
                (slip if kind == "slip" else mixed)[i] *= share


def _excluded(chosen: Sequence[Answer], n: int, meant: Sequence[str], at: Mapping[str, int]) -> bool:
    """Whether the n-th answer means a domain that is only a slip, or both mean each other."""
    kind, i, _ = chosen[n]
    if kind == "none" or meant[i] not in at:
        return False
    there, j, _ = chosen[at[meant[i]]]
    return there == "slip" or (there == "mixed" and at.get(meant[j]) == n)


def _strongest_first(
    names: Sequence[str],
    answers: Mapping[str, Sequence[Answer]],
    meant: Sequence[str],
    slip: np.ndarray,
    mixed: np.ndarray,
) -> None:
    """Too many combinations: domains in order of their probability of being only a slip; what is meant by an earlier
    one, or is an earlier slip, yields in proportion."""
    of_slip = {n: sum(p for kind, _, p in answers[n] if kind == "slip") for n in names}
    done: dict[str, float] = {}
    accused_of: dict[str, dict[str, float]] = {}
    for name in sorted(names, key=lambda n: (-of_slip[n], n)):
        for kind, i, p in answers[name]:
            if kind == "none":
                continue
            # Nobody means what is a slip; and what others mean, as far as they do, is none.
            p *= 1.0 - done.get(meant[i], 0.0)
            p *= 1.0 - min(sum(accused_of.get(name, {}).values()), 1.0) if kind == "slip" else 1.0
            p *= 1.0 - min(accused_of.get(name, {}).get(meant[i], 0.0), 1.0)
            (slip if kind == "slip" else mixed)[i] = p
            done[name] = done.get(name, 0.0) + (p if kind == "slip" else 0.0)
        for kind, i, _ in answers[name]:
            if kind != "none":
                there = accused_of.setdefault(meant[i], {})
                there[name] = there.get(name, 0.0) + float((slip if kind == "slip" else mixed)[i])


def second_odds(features: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """log10 odds of a second name against somebody else's own domain, of each row. `features`: SECOND_NAME without
    base."""
    total = np.full(len(next(iter(features.values()))), weights["base"])
    for name, values in features.items():
        total = total + weights[name] * values
    return total
