"""Whose server a relay is: the lookalike's own, or one that hands mail on for others.

Where the organisation's servers look the recipient's mail host up (MX), the server that accepted is the lookalike's,
whoever runs it for its owner: a mailbox provider, a parking service, an owner of other lookalikes. What follows is
unknown where a fixed next hop took the mail: it takes it for unrelated domains, and for the domain meant as well.

Names can be chosen by whoever owns the lookalike (its MX record), addresses cannot, nor what other domains' mail a
server took. So a name may make a relay one that hands on only where it is known for that: one of the organisation's
own, or of a listed service.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from forensics import addresses, domains
from forensics.detector.exposure import is_shared

if TYPE_CHECKING:
    import duckdb

_TAKEN = """
select host, lower(rtrim(coalesce(relay_name, relay_address), '.')) as relay, recipient_domain
from deliveries
where direction = 'outbound' and outcome = 'delivered' and coalesce(relay_name, relay_address) is not null
group by all
"""


@dataclass(frozen=True)
class Service:
    """A service for outgoing mail, from outbound.toml."""

    name: str
    zones: tuple[str, ...]
    marks: tuple[str, ...]
    source: str

    def has(self, host: str) -> bool:
        """Whether a host (lower-case) is one of its own for outgoing mail."""
        for zone in self.zones:
            if host.endswith("." + zone):
                parts = re.split(r"[.-]", host[: -len(zone) - 1])
                return any(fnmatchcase(part, mark) for part in parts for mark in self.marks)
        return False


@cache
def services() -> tuple[Service, ...]:
    """The listed services; the list says when it was reviewed."""
    data = tomllib.loads(files("forensics.detector").joinpath("outbound.toml").read_text("utf-8"))
    return tuple(Service(s["name"], tuple(s["zones"]), tuple(s["marks"]), s["source"]) for s in data["services"])


def outbound_service(host: str | None) -> str | None:
    """The service that a host takes outgoing mail for, or None.

    >>> outbound_service("eu-smtp-outbound-1.mimecast.com"), outbound_service("eu-smtp-inbound-1.mimecast.com")
    ('Mimecast', None)
    """
    name = (host or "").lower().rstrip(".")
    return next((service.name for service in services() if service.has(name)), None)


_ENTRANCE = re.compile(r"([a-z0-9-]+)\.(?:mail\.protection\.outlook\.com|[a-z0-9-]+\.mx\.microsoft)")


def entrance(host: str | None, domain: str) -> int:
    """How surely a host is the Exchange Online entrance of a domain: 2 by its name with hyphens for dots, 1 where
    Microsoft had to change that (a hyphen of the domain left out, digits behind), 0 for no.

    Microsoft Learn, "External Domain Name System records for Microsoft 365": `contoso-com.mail.protection.outlook.com`.

    >>> entrance("contoso-com.mail.protection.outlook.com", "contoso.com"), entrance("mx.contoso.com", "contoso.com")
    (2, 0)
    >>> entrance("contoso-com.o-v1.mx.microsoft", "contoso.com")
    2
    >>> entrance("imexeurope-com01b.mail.protection.outlook.com", "imex-europe.com")
    1
    """
    found = _ENTRANCE.fullmatch((host or "").lower().rstrip("."))
    if not found or not domain:
        return 0
    label = found[1]
    if label == domain.replace(".", "-"):
        return 2
    plain = re.escape(domain.replace("-", "").replace(".", "-"))
    return 1 if re.fullmatch(rf"{plain}(?:0[0-9a-z]{{1,2}})?", label) else 0


def _is_host(name: str) -> bool:
    """Whether a name can be a host's: a connector is named in words."""
    return "." in name and domains.is_name(name)


@dataclass(frozen=True)
class Relays:
    """What the log shows of the organisation's next hops, and what people and the list say.

    `taken`: recipient domains of each relay; `wide`: (host, zone) of relays that took half of the domains, lookalikes
    aside, that a logging host wrote to; a zone is a registered domain, as a service has many hosts.
    """

    own: tuple[str, ...] = ()
    shared: frozenset[str] = frozenset()
    taken: Mapping[str, frozenset[str]] = field(default_factory=dict)
    wide: frozenset[tuple[str, str]] = frozenset()

    def hands_on(self, host: str | None, name: str | None, address: str | None, typed: str, meant: str) -> bool:
        """Whether acceptance by this relay leaves open who got a message to `typed`, which was meant for `meant`;
        `host`: the server that logged it."""
        relay = (name or address or "").lower().rstrip(".")
        if not relay or (not address and not _is_host(relay)):
            return True
        if is_shared(name, address, self.shared, ()) or outbound_service(name):
            return True
        theirs, ours = entrance(name, typed), max((entrance(name, one) for one in self.own), default=0)
        if theirs or ours:
            return ours > theirs
        if address and not addresses.outside(address):
            return True
        return meant in self.taken.get(relay, ()) or (host or "", _zone(relay)) in self.wide


def next_hops(
    connection: duckdb.DuckDBPyConnection, own: Collection[str], shared: Collection[str], lookalikes: Collection[str]
) -> tuple[str, ...]:
    """The relays, as the log names them in lower case, that take the organisation's mail for others, whoever the
    recipient is; sorted. Arguments as `relays`."""
    known = relays(connection, own, shared, lookalikes)
    ways = connection.execute(_WAYS).fetchall()
    return tuple(sorted({relay for relay, host, name, address in ways if known.hands_on(host, name, address, "", "")}))


_WAYS = """
select lower(rtrim(coalesce(nullif(relay_name, ''), relay_address, ''), '.')) as relay, host, relay_name, relay_address
from deliveries where direction = 'outbound' and outcome = 'delivered' group by all
"""


def _zone(relay: str) -> str:
    return domains.split(relay).registered or relay


def relays(
    connection: duckdb.DuckDBPyConnection,
    own: Collection[str],
    shared: Collection[str],
    lookalikes: Collection[str],
) -> Relays:
    """From the view `deliveries`. `shared`: case.toml's `shared_relays`; `lookalikes`: the domains believed typed for
    others, which say nothing of a relay: one owner may have many."""
    taken: dict[str, set[str]] = {}
    widths: dict[tuple[str, str], set[str]] = {}
    written: dict[str, set[str]] = {}
    typed = {domains.split(name).registered or name for name in lookalikes}
    for host, relay, domain in connection.execute(_TAKEN).fetchall():
        taken.setdefault(relay, set()).add(domain or "")
        registered = domains.split(domain or "").registered or domain or ""
        if registered not in typed:
            widths.setdefault((host or "", _zone(relay)), set()).add(registered)
            written.setdefault(host or "", set()).add(registered)
    return Relays(
        tuple(sorted(own)),
        frozenset(s.lower().removeprefix("*.").removeprefix(".") for s in shared),
        {relay: frozenset(names) for relay, names in taken.items()},
        frozenset(way for way, names in widths.items() if 2 * len(names) >= len(written[way[0]])),
    )
