"""Characters that look like others: the skeleton of a domain name.

`LOOKALIKES` lists, for each letter or digit of a host name, the lower-case characters that Unicode's table of
confusables gives that prototype (UTS #39, `confusables.txt`; those that an internationalised name may hold).
Pairs of plain letters that read as one (`rn` as `m`) are ours, after the same idea.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from forensics import domains

LOOKALIKES: dict[str, str] = {
    "2": "\u14bf",
    "6": "\u0431",
    "8": "\u0223\u09ea\u0a6a",
    "9": "\u09ed\u0a67\u0b68\u0d6d",
    "a": "\u0251\u03b1\u0430\u15c5\ua4ee",
    "b": "\u1472\u15af\u15f7\ua4d0",
    "c": "\u0441\u1d04\u2ca5\ua4da\uabaf",
    "d": "\u0501\u146f\u15de\u15ea\ua4d2\ua4d3",
    "e": "\u0435\u04bd\u2d39\ua4f0\uab32",
    "f": "\u0584\u15b4\u1e9d\ua4dd\ua799\uab35",
    "g": "\u018d\u0261\u0581\u1d83\ua4d6",
    "h": "\u04bb\u0570\u157c\ua4e7",
    "i": "\u0131\u0269\u026a\u03b9\u0456\u04cf\ua647\uab75",
    "j": "\u03f3\u0458\u148d\ua4d9",
    "k": "\u16d5\ua4d7",
    "l": "\u01c0\u06f1\u14aa\u16c1\u2d4f\ua4e1\ua4f2",
    "m": "\u15f0\u16d6\ua4df",
    "n": "\u0578\u057c\ua4e0",
    "o": "\u03bf\u03c3\u043e\u0585\u06f5\u0966\u09e6\u0a66\u0ae6\u0b20\u0b66\u0be6\u0c66\u0ce6"
    "\u0d20\u0d66\u0e50\u0ed0\u101d\u1040\u10ff\u12d0\u1d0f\u1d11\u2c9f\u2d54\ua4f3\uab3d",
    "p": "\u03c1\u0440\u146d\u2ca3\ua4d1",
    "q": "\u051b\u0563\u0566\u2d55",
    "r": "\u0433\u1587\u1d26\u2c85\ua4e3\uab47\uab48\uab81",
    "s": "\u01bd\u0455\ua4e2\ua731\uabaa",
    "t": "\ua4d4",
    "u": "\u028b\u03c5\u057d\u1200\u144c\u1d1c\ua4f4\ua79f\uab4e\uab52",
    "v": "\u03bd\u0475\u06f7\u142f\u1d20\u2d38\ua4e6\ua6df\uaba9",
    "w": "\u026f\u0461\u051d\u0561\u1d21\ua4ea\uab83",
    "x": "\u0445\u1541\u157d\u16b7\u2d5d\ua4eb",
    "y": "\u0263\u028f\u03b3\u0443\u04af\u10e7\u1d8c\u1eff\ua4ec\uab5a",
    "z": "\u1d22\ua4dc\uab93",
}
_SINGLE = {ord(ch): prototype for prototype, chars in LOOKALIKES.items() for ch in chars}
_PLAIN = str.maketrans({"0": "o", "1": "l", "5": "s", "3": "e"})
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"))


def plain(name: str) -> str:
    """Foreign lookalikes and accents replaced by the letters they resemble; plain ASCII stays as it is.

    >>> plain("n\u0430vy.mil"), plain("b\u00fccher.de")
    ('navy.mil', 'bucher.de')
    """
    if name.isascii():
        return name
    mapped = unicodedata.normalize("NFD", name.translate(_SINGLE))
    return "".join(ch for ch in mapped if not unicodedata.combining(ch)).translate(_SINGLE)


@lru_cache(maxsize=262_144)
def skeleton(name: str) -> str:
    """What is left of a lower-case name when everything that looks alike is made equal.

    >>> skeleton("rnicrosoft.com") == skeleton("microsoft.com"), skeleton("paypa1.com") == skeleton("paypal.com")
    (True, True)
    """
    out = plain(name).translate(_PLAIN)
    for pair, one in _PAIRS:
        out = out.replace(pair, one)
    return out


def foreign(domain: str) -> bool:
    """Whether an A-label holds letters of another script than Latin.

    >>> foreign(domains.a_label("n\u0430vy.mil")), foreign(domains.a_label("m\u00fcller.de")), foreign("navy.mil")
    (True, False, False)
    """
    if "xn--" not in domain:
        return False
    return any(
        ch.isalpha() and not ch.isascii() and not unicodedata.name(ch, "").startswith("LATIN")
        for ch in domains.u_label(domain)
    )
