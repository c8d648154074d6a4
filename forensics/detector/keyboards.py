"""Which keys lie next to each other on QWERTY, QWERTZ and AZERTY keyboards.

Rows as printed on ISO keyboards (ISO/IEC 9995; US/UK, German and French layouts), letters and digits and the
two characters a domain name may hold besides. A key's neighbours are those that touch it.
"""

from __future__ import annotations

from functools import cache

LAYOUTS: dict[str, tuple[str, ...]] = {
    "qwerty": ("1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm,."),
    "qwertz": ("1234567890", "qwertzuiop", "asdfghjkl", "yxcvbnm,.-"),
    "azerty": ("1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn,."),
}
_STAGGER = (0.0, 0.5, 0.75, 1.25)
"""How far each row is shifted to the right, in key widths."""


@cache
def neighbours(key: str) -> frozenset[str]:
    """Keys that touch `key` on any of the layouts.

    >>> "e" in neighbours("r"), "p" in neighbours("r"), "z" in neighbours("t")
    (True, False, True)
    """
    found: set[str] = set()
    for rows in LAYOUTS.values():
        places = {k: (x + _STAGGER[y], y) for y, row in enumerate(rows) for x, k in enumerate(row)}
        if key not in places:
            continue
        x, y = places[key]
        found.update(k for k, (a, b) in places.items() if abs(b - y) <= 1 and abs(a - x) <= 1.0 and k != key)
    return frozenset(found)


def adjacent(a: str, b: str) -> bool:
    """Whether a finger that aims at `b` can hit `a`."""
    return a in neighbours(b)
