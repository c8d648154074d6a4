"""Countries behind country-code suffixes, named in the report's language.

ccTLDs follow ISO 3166-1 alpha-2 except for a few that the standard reserves (IANA Root Zone Database; ISO 3166
exceptional and transitional reservations): `uk` is the United Kingdom (GB), `eu` the European Union, `ac`
Ascension Island and `su` the former Soviet Union, run from Russia. A suffix with three letters or more has no
country; internationalised country codes (`xn--…`) are listed by what they were delegated for.
"""

from __future__ import annotations

from functools import lru_cache

from forensics import domains

_EXCEPTIONS = {"uk": "GB", "eu": "EU", "ac": "SH", "su": "RU"}
"""Suffix → ISO code where the two differ."""

_INTERNATIONALISED = {
    "xn--p1ai": "RU",
    "xn--fiqs8s": "CN",
    "xn--fiqz9s": "CN",
    "xn--j6w193g": "HK",
    "xn--kprw13d": "TW",
    "xn--kpry57d": "TW",
    "xn--3e0b707e": "KR",
    "xn--j1amh": "UA",
    "xn--90ais": "BY",
    "xn--e1a4c": "EU",
    "xn--qxa6a": "EU",
    "xn--qxam": "GR",
    "xn--90ae": "BG",
    "xn--wgbh1c": "EG",
    "xn--mgberp4a5d4ar": "SA",
    "xn--mgbaam7a8h": "AE",
    "xn--mgba3a4f16a": "IR",
    "xn--h2brj9c": "IN",
    "xn--o3cw4h": "TH",
}

_NATIONAL_GENERIC = {"mil": "US", "gov": "US", "edu": "US"}
"""Suffixes without a country code that one country alone may register under (RFC 1591; 5 U.S.C. and DoD policy
for .mil, the DOTGOV Act for .gov, the .edu cooperative agreement)."""


def suffix(domain: str) -> str:
    """The last label of a domain: its top-level suffix, whether a registry has it or not.

    >>> suffix("us.af.ml")
    'ml'
    """
    return domain.rpartition(".")[2]


def public_suffix(domain: str) -> str:
    """The public suffix, or the last label where no registry has one.

    >>> public_suffix("contoso.co.uk"), public_suffix("navy.mli")
    ('co.uk', 'mli')
    """
    return domains.split(domain).suffix or suffix(domain)


def exists(domain: str) -> bool:
    """A registry has the suffix of this domain, so somebody may own the name."""
    return domains.split(domain).suffix != ""


def country(label: str) -> str | None:
    """ISO 3166 code (or `EU`) behind a top-level suffix.

    >>> [country(label) for label in ("ml", "uk", "eu", "mil", "com", "mli")]
    ['ML', 'GB', 'EU', 'US', None, None]
    """
    if label in _EXCEPTIONS:
        return _EXCEPTIONS[label]
    if label in _INTERNATIONALISED:
        return _INTERNATIONALISED[label]
    if label in _NATIONAL_GENERIC:
        return _NATIONAL_GENERIC[label]
    if len(label) == 2 and label.isascii() and label.isalpha() and exists(f"example.{label}"):
        return label.upper()
    return None


@lru_cache(maxsize=1024)
def name(code: str | None, language: str = "en-GB") -> str | None:
    """A country's name in a language (CLDR); the code itself where CLDR has none.

    >>> name("ML"), name("EU"), name(None)
    ('Mali', 'European Union', None)
    """
    if code is None:
        return None
    from babel import Locale

    return str(Locale.parse(language.replace("-", "_")).territories.get(code, code))
