"""Zones that mail is meant for even when the exact domain is unseen."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from forensics import domains

_RESTRICTED = """
mil gov edu int gov.uk mod.uk ac.uk nhs.uk police.uk parliament.uk gov.au edu.au mil.au gc.ca gouv.fr bund.de
gov.in nic.in govt.nz mil.nz gov.za go.jp ac.jp go.kr ac.kr mil.kr gov.sg gov.il ac.il gov.it gov.pl gov.br mil.br
edu.cn gov.cn
"""
RESTRICTED = frozenset(_RESTRICTED.split())
"""Suffixes where only governments, armed forces, universities or treaty bodies may register (registries' own rules):
a name behind one of them that resembles a typed one is worth a thought even when the log never shows it."""

_ENOUGH = 2
"""Domains of a restricted zone that must be seen before the zone is watched without being asked."""


def watched(given: Iterable[str], known: Iterable[str]) -> tuple[set[str], set[str]]:
    """(zones, domains) to look for: `*.mil` gives the zone `mil`, `navy.mil` the domain; restricted zones that the log
    uses are added.

    >>> watched(["*.mil", "navy.mil"], [])
    ({'mil'}, {'navy.mil'})
    """
    zones: set[str] = set()
    names: set[str] = set()
    for item in given:
        (zones if item.startswith(("*.", ".")) or "." not in item else names).add(
            item.removeprefix("*.").removeprefix(".")
        )
    seen: dict[str, set[str]] = {}
    for name in known:
        suffix = domains.split(name).suffix
        if suffix in RESTRICTED:
            seen.setdefault(suffix, set()).add(name)
    return zones | {zone for zone, members in seen.items() if len(members) >= _ENOUGH}, names


def good(domain: str, known_good: Collection[str]) -> bool:
    """Whether people have said that the domain is genuine."""
    return domains.within(domain, known_good)
