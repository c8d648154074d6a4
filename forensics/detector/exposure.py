"""What became of a misdirected delivery, and which country's registry the domains are under."""

from __future__ import annotations

from collections.abc import Collection

from forensics import domains

_SPONSORED = {"mil": "US", "gov": "US", "edu": "US"}
"""Sponsored suffixes of one country (IANA root zone database)."""
_RENAMED = {"uk": "GB", "eu": "EU", "ac": "SH", "su": "RU"}
"""Country suffixes that differ from ISO 3166-1 alpha-2 (`ac` Ascension is part of SH; `su` is run from Russia)."""

_CLOSED = frozenset({"mil", "gov"})
"""Labels of suffixes under which only armed forces or public bodies may register (IANA root zone database; `.gov.uk`
and its like by their registries' rules)."""


def exposure(outcome: str, relay_shared: bool) -> str:
    """exposed, handed-on, not-exposed or unsettled (schema.EXPOSURES).

    `relay_shared`: as `is_shared` says of the accepting server, so that final acceptance is unknown.
    """
    if outcome == "delivered":
        return "handed-on" if relay_shared else "exposed"
    if outcome in ("bounced", "expired", "rejected", "discarded"):
        return "not-exposed"
    return "unsettled"


def jurisdiction(domain: str) -> str | None:
    """ISO 3166 code behind the suffix; None for generic suffixes and for what no registry has.

    >>> [jurisdiction(name) for name in ("navy.ml", "navy.mil", "x.co.uk", "x.com", "navy.mli")]
    ['ML', 'US', 'GB', None, None]
    """
    suffix = domains.split(domain).suffix
    last = suffix.rpartition(".")[2]
    if not suffix:
        return None
    if last in _SPONSORED:
        return _SPONSORED[last]
    if last in _RENAMED:
        return _RENAMED[last]
    if len(last) == 2 and last.isascii() and last.isalpha():
        return last.upper()
    return None


def is_shared(name: str | None, address: str | None, shared: Collection[str], busy: Collection[str]) -> bool:
    """Whether a relay is named as shared (host names or zones) or took mail for much of the world (`busy`), or the
    evidence names no server at all, as EmailEvents and some traces do not."""
    host = (name or "").lower().rstrip(".")
    if not host and not address:
        return True
    return (bool(host) and domains.within(host, shared)) or (address or "") in shared or (host or address or "") in busy


def story(typed: str, meant: str, part: str) -> str | None:
    """The suffix slip that several incidents may share, such as `.mil → .ml`; None when the slip lies elsewhere.

    >>> story("us.af.ml", "us.af.mil", "suffix")
    '.mil → .ml'
    """
    if part != "suffix" or ".." in typed:
        return None
    suffix = domains.split(meant).suffix
    tail = typed[len(meant) - len(suffix) :]
    return f".{domains.u_label(suffix)} → .{domains.u_label(tail)}" if suffix and tail and tail != suffix else None


def unrelated(typed: str, meant: str) -> bool:
    """Whether the typed domain cannot be a second name of the meant one: the meant one lies under a closed suffix, and
    the typed one under another country's registry.

    >>> unrelated("navy.ml", "navy.mil"), unrelated("navy.com", "navy.mil"), unrelated("nvay.mil", "navy.mil")
    (True, False, False)
    """
    there = jurisdiction(typed)
    closed = bool(_CLOSED & set(domains.split(meant).suffix.split(".")))
    return closed and there is not None and there != jurisdiction(meant)
