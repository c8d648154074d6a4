"""What an investigator was answered about the domains that mail went to, with the day of asking."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from forensics import lookups
from forensics.report.facts.base import Raw


@dataclass(frozen=True)
class Looked:
    """The newest answers about one domain."""

    domain: Annotated[str, Raw("domain")]
    at: datetime
    state: str
    """exists, gone, parked, no-mail or unknown."""
    mail: Annotated[tuple[str, ...], Raw("host")]
    registered: str | None
    """Date of registration as RDAP told it, cut to the day; None where it tells none."""
    registrant: Annotated[str | None, Raw("text")]


def about(found: Mapping[str, lookups.Lookup], domains: Collection[str]) -> tuple[Looked, ...]:
    """The answers about these domains, sorted by name."""
    return tuple(_looked(found[name]) for name in sorted(set(domains) & set(found)))


def _looked(one: lookups.Lookup) -> Looked:
    state = {True: "exists", False: "gone", None: "unknown"}[one.exists]
    if one.exists and (one.parked or one.null_mx):
        state = "parked" if one.parked else "no-mail"
    registered = (one.registered or "")[:10] or None
    return Looked(one.name, one.at, state, one.mail, registered, one.registrant)
