"""Zones that mail is meant for even when the exact domain is unseen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from forensics import domains

if TYPE_CHECKING:
    from forensics.casefile import CaseFile

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


class Covering(NamedTuple):
    """Public suffixes that case.toml names where single domains are meant. Each covers domains of strangers."""

    organisation: tuple[str, ...]
    """Mail to any domain below counts as internal."""
    known_good: tuple[str, ...]
    """No domain below is accused."""
    watched: tuple[str, ...]
    """What is typed below counts as meant, though anybody may have a name there."""
    shared_relays: tuple[str, ...]
    """Acceptance by any server below counts as `handed-on`."""

    @property
    def unaccused(self) -> tuple[str, ...]:
        """Those below which no finding can be, whatever the log shows."""
        return tuple(sorted({*self.organisation, *self.known_good, *self.watched}))


def covering(casefile: CaseFile) -> Covering:
    """What case.toml names too widely. A zone where only public bodies may register is watched on purpose.

    >>> from forensics.casefile import CaseFile, Domains
    >>> about = Domains(known_good=("ml", "navy.mil"), watched=("*.mil", "*.co.uk"), shared_relays=("com",))
    >>> covering(CaseFile(domains=about))
    Covering(organisation=(), known_good=('ml',), watched=('co.uk',), shared_relays=('com',))
    """
    about = casefile.domains
    asked, _ = watched(about.watched, ())
    relays = (name.removeprefix("*.").removeprefix(".") for name in about.shared_relays)
    named = (casefile.organisation.domains, about.known_good, asked - RESTRICTED, relays)
    return Covering(*(tuple(sorted({*filter(domains.is_suffix, map(domains.a_label, each))})) for each in named))


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
