"""Addresses and domain names: splitting, A-labels, public suffixes, who is inside.

Domains are compared as lower-case A-labels (RFC 5890). The public suffix list is the snapshot that
tldextract ships; it is never fetched, and its digest is recorded with every run (`suffix_list_digest`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple


class Split(NamedTuple):
    """A domain cut at its public suffix. `suffix` is empty where no registry has one."""

    subdomain: str
    domain: str
    suffix: str

    @property
    def registered(self) -> str | None:
        """Public suffix plus one label, or None."""
        return f"{self.domain}.{self.suffix}" if self.domain and self.suffix else None


@cache
def _extractor():  # type: ignore[no-untyped-def]
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=False)


@lru_cache(maxsize=262_144)
def split(domain: str) -> Split:
    """Cut a domain at its public suffix (ICANN part of the list), offline.

    >>> split("mail.contoso-marine.co.uk")
    Split(subdomain='mail', domain='contoso-marine', suffix='co.uk')
    >>> split("navy.mli").suffix
    ''
    """
    cut = _extractor().extract_str(domain)
    return Split(cut.subdomain, cut.domain, cut.suffix)


@cache
def suffix_list_digest() -> str:
    """SHA-256 of the public suffix list snapshot in use."""
    package = find_spec("tldextract")  # found, not imported: that would cost a tenth of a second
    if package is None or package.origin is None:
        raise ModuleNotFoundError("tldextract")
    return hashlib.sha256(Path(package.origin).with_name(".tld_set_snapshot").read_bytes()).hexdigest()


@lru_cache(maxsize=262_144)
def a_label(domain: str) -> str:
    """Lower-case A-label form; what IDNA refuses is lower-cased and kept, so that no address is lost.

    >>> a_label("Bücher.EXAMPLE.")
    'xn--bcher-kva.example'
    >>> a_label("0leil.ṅet")
    '0leil.xn--et-ixs'
    """
    lowered = domain.strip().rstrip(".").lower()
    if lowered.isascii():
        return lowered
    import idna

    labels = []
    for label in lowered.split("."):
        if label.isascii():
            labels.append(label)
            continue
        try:
            labels.append(idna.encode(label, uts46=True).decode("ascii"))
        except (idna.IDNAError, UnicodeError):
            try:
                labels.append(label.encode("idna").decode("ascii"))
            except UnicodeError:
                labels.append(label)
    return ".".join(labels)


def u_label(domain: str) -> str:
    """Unicode form for people to read; labels that do not decode stay as they are."""
    if "xn--" not in domain:
        return domain
    import idna

    labels = []
    for label in domain.split("."):
        try:
            labels.append(idna.decode(label) if label.startswith("xn--") else label)
        except (idna.IDNAError, UnicodeError):
            labels.append(label)
    return ".".join(labels)


def parts(address: str) -> tuple[str, str]:
    """(local part, A-label domain); the domain is empty for `<>` and for bare names.

    The last `@` outside quotes separates, as in RFC 5321.

    >>> parts('"odd@name"@Navy.MIL')
    ('"odd@name"', 'navy.mil')
    >>> parts("")
    ('', '')
    """
    local, at, domain = address.rpartition("@")
    if not at:
        return address, ""
    return local, a_label(domain)


def key(address: str) -> str:
    """The form by which two recipients are the same: casefolded local part, A-label domain.

    >>> key("JTaylor7@Navy.ML") == key("jtaylor7@navy.ml")
    True
    """
    local, domain = parts(address)
    return f"{local.casefold()}@{domain}" if domain else local.casefold()


def within(domain: str, zones: Collection[str]) -> bool:
    """True when `domain` is one of `zones` or lies below one of them.

    >>> within("mail.albion-defence.uk", {"albion-defence.uk"})
    True
    >>> within("notalbion-defence.uk", {"albion-defence.uk"})
    False
    """
    while domain:
        if domain in zones:
            return True
        _, _, domain = domain.partition(".")
    return False


LOST = r"[?\x{FFFD}]"
"""A sign that a conversion puts in the place of a letter that it has not, as RE2 (Arrow, DuckDB) reads it."""
_LABEL = r"[^\s@/,;.]+"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")


def is_name(domain: str) -> bool:
    """Whether this can be meant as a domain: labels without spaces or the signs of addresses, paths and lists.

    >>> is_name("albion-defence.uk"), is_name("foo bar")
    (True, False)
    """
    return bool(_NAME.match(domain))


def clean(domains: Iterable[str]) -> list[str]:
    """Sorted distinct A-labels of user-given domains; `*.mil` and `.mil` keep their meaning as `mil`."""
    return sorted({a_label(d.removeprefix("*.").removeprefix(".")) for d in domains if d.strip()})


_NONE = re.compile(r"[:*]|\A[\[-]|(?:\A|\.)[0-9]+\Z")
LONGEST = 253
"""Characters of a domain name in text (RFC 1035)."""


def names(given: Iterable[str]) -> tuple[str, ...]:
    """`clean`, checked. Raises ValueError for what cannot be a domain, such as a network address.

    >>> names(["*.mil", "Navy.MIL"])
    ('mil', 'navy.mil')
    >>> names(["203.0.113.5"])
    Traceback (most recent call last):
    ValueError: '203.0.113.5' is no domain
    """
    cleaned = clean(given)
    for name in cleaned:
        if not is_name(name) or _NONE.search(name) or len(name) > LONGEST:
            raise ValueError(f"{name!r} is no domain")
    return tuple(cleaned)


def is_suffix(domain: str) -> bool:
    """Whether this is a suffix below which a registry or a provider gives names to anybody, such as `co.uk` or
    `onmicrosoft.com`: not one body's domain.

    >>> is_suffix("co.uk"), is_suffix("onmicrosoft.com"), is_suffix("example.co.uk"), is_suffix("localhost")
    (True, True, False, False)
    """
    return bool(domain) and _extractor().extract_str(domain, include_psl_private_domains=True).suffix == domain
