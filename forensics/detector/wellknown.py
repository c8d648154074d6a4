"""Names that mail may be meant for though the log never shows them: a list that ships, dated, with its rule.

Only slips of letters are believed for a name that the log does not show, and only of names of a length at which a
neighbour by chance is rare: another suffix, or a short name, is mostly somebody's own.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from forensics import domains
from forensics.detector.freemail import is_freemail

SHORTEST = 5
"""Letters of the registered label, without which neighbours by chance are common."""
KINDS = frozenset(
    (
        "omitted-letter", "omitted-double", "inserted-letter", "repeated-letter", "trailing-garbage", "truncated-tail",
        "transposed-letters", "moved-letter", "substituted-letter", "sound-alike", "lookalike", "missing-dot",
        "moved-dot", "punctuation",
    )
)  # fmt: skip


@cache
def _read() -> dict[str, str]:
    return dict(tomllib.loads(files("forensics.detector").joinpath("wellknown.toml").read_text("utf-8")))


def reviewed() -> str:
    """The day on which a person last went through the list, as ISO 8601 writes it."""
    return str(_read()["reviewed"])


@cache
def names() -> frozenset[str]:
    """All names of the list."""
    return frozenset(" ".join(_read()[part] for part in ("providers", "bodies", "universities")).split())


@cache
def siblings() -> frozenset[str]:
    """Names that lie one slip from another and are both right."""
    return frozenset(_read()["siblings"].split())


def believable(typed: str, meant: str, kind: str) -> bool:
    """Whether a name that the log never shows may be taken for the one meant.

    >>> believable("gmial.com", "gmail.com", "transposed-letters"), believable("gmail.org", "gmail.com", "suffix-swap")
    (True, False)
    """
    return (
        kind in KINDS
        and len(domains.split(meant).domain) >= SHORTEST
        and typed not in names()
        and not is_freemail(typed)
        and domains.split(typed).registered != domains.split(meant).registered
    )
