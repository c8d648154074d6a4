"""Text that people wrote and released, without what it says of addresses, hosts and people.

Everything that has the form of an address, a host name or a network address goes, whether the case knows it or not: a
person who clears a text looks for names, and reads over `contoso[.]com`. What the case knows becomes its token.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping

WITHHELD = "[withheld]"
"""Stands for a text that is not shown."""

_NO_WIDTH = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""Characters without ink that would cut a name in two. Sources: Unicode 15.1, general category Cf."""
_DOT = re.compile(r"(?<=\w)(?:\s?[\[({<]\s?(?:\.|dot)\s?[\])}>]\s?|[。．｡])(?=\w)", re.IGNORECASE)
_AT = re.compile(r"(?<=\w)(?:\s?[\[({<]\s?(?:@|at)\s?[\])}>]\s?|\s?＠\s?|﹫)(?=[\w\[])", re.IGNORECASE)
"""Dots and at signs as people write them so that no program makes a link of them (`navy[.]ml`), or as other keyboards
have them."""

_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
ADDRESS = rf"""(?:"(?:[^"\\\n]|\\.){{0,64}}"|[\w.!#$%&'’*+/=?^`{{|}}~-]+)@(?:\[[^\]\s]+\]|{_LABEL}(?:\.{_LABEL})*)"""
_HOST = rf"(?<![\w.-])_*{_LABEL}(?:\.{_LABEL})+"
_FOUR = r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)"
_SIX = r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])"


def scrubber(
    known: Mapping[str, str], domain: Callable[[str], str | None], without_people: Callable[[str], str]
) -> Callable[[str], str]:
    """A function that puts tokens in the place of what a text must not tell.

    `known`: raw values and their tokens, found in any letter case, longest first, and never inside of a word; `domain`:
    the token of a host name, None for what is none. A token is not searched again.
    """
    values = sorted((value for value in map(plain, known) if len(value) > 2), key=lambda value: (-len(value), value))
    tokens = {plain(value).casefold(): token for value, token in known.items()}
    alone = "|".join(re.escape(value) for value in values)
    whole = rf"(?<![^\W_])(?:{alone})(?![^\W_])" if values else r"(?!)"
    pattern = re.compile(
        rf"(?P<address>{ADDRESS})|(?P<six>{_SIX})|(?P<four>{_FOUR})|(?P<host>{_HOST})|(?P<value>{whole})",
        re.IGNORECASE,
    )

    def instead(found: re.Match[str]) -> str:
        raw, kind = found[0], found.lastgroup
        bare = raw.strip("_'’`*")
        token = tokens.get(raw.casefold()) or tokens.get(bare.casefold())
        if token is None and kind == "host":
            token = domain(bare)
            if token is None:  # `navy.ml.Then`, `Smith.Report`: what is known may stand in it
                return re.sub(whole, lambda m: tokens.get(m[0].casefold(), WITHHELD), raw, flags=re.IGNORECASE)
        if token is None and kind == "six" and not _network_address(raw):
            return raw
        return raw.replace(bare, token or WITHHELD)

    def scrub(text: str) -> str:
        pieces, end = [], 0
        shown = plain(text)
        for found in pattern.finditer(shown):
            pieces += [without_people(shown[end : found.start()]), instead(found)]
            end = found.end()
        return "".join((*pieces, without_people(shown[end:])))

    return scrub


def plain(text: str) -> str:
    """One spelling of names that can be written in several.

    >>> plain("navy[.]ml, navy (dot) ml, ann＠navy．ml")
    'navy.ml, navy.ml, ann@navy.ml'
    """
    return _AT.sub("@", _DOT.sub(".", _NO_WIDTH.sub("", unicodedata.normalize("NFC", text))))


def _network_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
