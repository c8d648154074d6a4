"""Lookalikes of given domains that a sender could hit by one slip, most probable first: for prevention, as block rules.

The same channel that explains slips is run forwards: every single slip of the domain is written down, and what
`slips.classify` says of it is its probability.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from forensics import domains
from forensics.detector.keyboards import neighbours
from forensics.detector.slips import SOUNDS, VOWELS, classify
from forensics.detector.words import NAMES
from forensics.errors import UsageError

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_SUFFIX_LIST = """
com org net co cm om edu gov mil ml int info io eu uk co.uk org.uk gov.uk ac.uk de fr nl it es ch at be pl ru cn us ca
com.au com.br co.jp co.in in ir
"""
_SUFFIXES = _SUFFIX_LIST.split()
"""Suffixes that are typed for others: the common ones, and the countries whose letters lie next to them."""


CLOSED = frozenset({"mil", "gov", "int", "edu", "arpa", "mod", "nhs", "police"})
"""Labels of suffixes under which a registry lets nobody but bodies of that kind have a name (IANA's root zone database;
Nominet and Jisc for .uk): `avy.mil` bounces, whoever would like to own it."""


def watch_list(
    given: Sequence[str],
    *,
    limit: int | None = None,
    traffic: Mapping[str, int] | None = None,
    used: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Rows `lookalike`, `domain`, `slip`, `words`, `probability`, `registrable`, most probable first.

    `probability`: of this lookalike among all slips of its domain. `registrable`: its suffix is in the public suffix
    list and not closed, so that somebody may own it; the rest bounces, and stands after its equals. `limit`: rows in
    all. `traffic`: deliveries to each domain that the organisation writes to; then `*.mil` stands for all of them below
    it, and rows have `traffic` and stand by probability times traffic. `used`: names that the organisation uses
    itself, which are left out. Raises UsageError for what is no domain.

    >>> [r["lookalike"] for r in watch_list(["navy.mil"], limit=3)]
    ['navy.mi', 'navy.com', 'navy.il']
    """
    wanted: list[str] = []
    for name in given:
        meant = domains.a_label(name.removeprefix("*."))
        below = [one for one in traffic or () if name.startswith("*.") and domains.within(one, {meant})]
        if not below and (not _is_name(meant) or "." not in meant):
            if name.startswith("*.") and _is_name(meant):
                remedy = "name a case that writes to domains below it" if traffic is None else None
                raise UsageError(f"{name}: no domain below it is known", remedy=remedy)
            raise UsageError(f"{name}: not a domain", expected="a name such as navy.mil")
        wanted.extend(sorted(below) or [meant])
    weight = traffic or {}
    rows: list[dict[str, Any]] = []
    for meant in dict.fromkeys(wanted):
        for typed in sorted({domains.a_label(t) for t in lookalikes(meant)} - set(wanted) - set(used)):
            slip = classify(typed, meant) if _is_name(typed) else None
            if slip is not None:
                rows.append(
                    {
                        "lookalike": typed,
                        "domain": meant,
                        "slip": slip.kind,
                        "words": NAMES[slip.kind],
                        "probability": float(f"{10**slip.log10:.4g}"),
                        "registrable": _registrable(typed),
                        **({"traffic": weight.get(meant, 0)} if traffic is not None else {}),
                    }
                )
    rows.sort(
        key=lambda r: (
            -r["probability"] * max(1, weight.get(r["domain"], 0)), not r["registrable"], r["lookalike"], r["domain"]
        )
    )  # fmt: skip
    return rows[:limit]


def _registrable(name: str) -> bool:
    cut = domains.split(name)
    return bool(cut.registered) and not CLOSED & set(cut.suffix.split("."))


def lookalikes(meant: str) -> Iterator[str]:
    """Names one slip away, with repetitions; some are no valid names."""
    yield from _letters(meant)
    yield from _signs(meant)
    yield from _suffixes(meant)
    yield from (meant[:-n] for n in (1, 2, 3) if "." in meant[:-n])
    yield from (meant + extra for extra in [*_LETTERS, ".com", ".org", ".net"])


def _letters(name: str) -> Iterator[str]:
    for i, ch in enumerate(name):
        yield name[:i] + name[i + 1 :]
        yield name[:i] + ch + name[i:]
        yield name[:i] + name[i + 1 : i + 2] + ch + name[i + 2 :]
        if ch in ".-":
            continue
        for other in sorted(set(_instead(ch))):
            yield name[:i] + other + name[i + 1 :]
        for other in sorted(neighbours(ch) - set(".,-")):
            yield name[:i] + other + name[i:]
            yield name[: i + 1] + other + name[i + 1 :]


def _instead(ch: str) -> Iterable[str]:
    """What is typed for a letter: next keys, vowels for vowels, sounds, digits that look like it."""
    yield from neighbours(ch) - set(".,-")
    yield from VOWELS - {ch} if ch in VOWELS else ()
    yield from (b if ch == a else a for a, b in SOUNDS if ch in (a, b))
    yield from {"o": "0", "l": "1", "i": "1l", "0": "o", "1": "l", "m": ("rn",), "w": ("vv",), "d": ("cl",)}.get(ch, "")


def _signs(name: str) -> Iterator[str]:
    stem = name.removesuffix("." + domains.split(name).suffix)
    for i, ch in enumerate(name):
        if ch == ".":
            yield name[:i] + name[i + 1 :]
            yield name[:i] + "-" + name[i + 1 :]
            for j in (i - 1, i + 2):
                bare = name[:i] + name[i + 1 :]
                yield bare[: j if j < i else j - 1] + "." + bare[j if j < i else j - 1 :]
        elif ch == "-":
            yield name[:i] + name[i + 1 :]
            yield name[:i] + "." + name[i + 1 :]
        elif 0 < i < len(stem):
            yield name[:i] + "-" + name[i:]
            yield name[:i] + "." + name[i:]


def _suffixes(name: str) -> Iterator[str]:
    suffix = domains.split(name).suffix
    stem = name.removesuffix("." + suffix)
    if not suffix or stem == name:
        return
    levels = suffix.split(".")
    for other in [*_SUFFIXES, *([levels[0], levels[-1]] if len(levels) > 1 else [])]:
        if other != suffix:
            yield f"{stem}.{other}"
    labels = name.split(".")
    for i in range(1, len(labels) - 1):
        yield ".".join(labels[:i] + labels[i + 1 :])
    if len(labels) > 2:
        yield ".".join([labels[1], labels[0], *labels[2:]])


def _is_name(name: str) -> bool:
    if name.rpartition(".")[2].isdecimal():
        return False  # a network address, or a part of one
    return all(0 < len(part) <= 63 and part.strip("-") == part for part in name.split(".")) and all(
        ch.isalnum() or ch in ".-" for ch in name
    )
