"""Slips: the ways in which a typed domain differs from the meant one, and how often each happens.

`classify(typed, meant)` names the most probable slip that leads from one to the other and gives the channel
probability P(typed | meant, some slip) as a log10. It is a probability and not a distance: one slip on a long name
has few rivals, a short name is one edit from many others; `channel.py` sets it against how often two *genuine*
domains differ in the same way.

`SHARES` is how often each kind occurs among slips (measured on mistyped recipients of public mailing lists, by
pair; the corpora's README states the figures by family). Within a kind the place of the slip is uniform; which
letter it yields follows the keyboard.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import groupby, pairwise
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from forensics import domains
from forensics.detector import words
from forensics.detector.confusables import skeleton
from forensics.detector.keyboards import adjacent, neighbours

SHARES: dict[str, float] = {
    "omitted-letter": 0.22,
    "omitted-double": 0.04,
    "inserted-letter": 0.11,
    "repeated-letter": 0.05,
    "trailing-garbage": 0.04,
    "truncated-tail": 0.14,
    "suffix-swap": 0.08,
    "suffix-typo": 0.03,
    "transposed-letters": 0.11,
    "substituted-letter": 0.05,
    "sound-alike": 0.02,
    "missing-dot": 0.015,
    "extra-dot": 0.01,
    "moved-dot": 0.005,
    "hyphen": 0.02,
    "punctuation": 0.01,
    "lost-level": 0.015,
    "lookalike": 0.005,
    "subdomain": 0.005,
    "reordered-labels": 0.002,
    "two-edits": 0.03,
    "moved-letter": 0.02,
    "long-cut": 0.03,
    "long-paste": 0.03,
    "several-edits": 0.01,
    "mixed-words": 0.002,
}
"""Share of each kind among slips. Families as published: deletion 26 %, insertion (with trailing garbage) 20 %,
truncated tail 14 %, suffix 11 %, transposition 11 %, substitution 7 %, dot, hyphen and comma 6 %; the kinds from
`moved-letter` on are assumed. Shares are those of slips of one kind each and need not sum to one."""

FAR = ("long-cut", "long-paste", "several-edits", "mixed-words")
"""Kinds that names alone do not prove: they are thought of only where the local part exists at the meant domain."""

KINDS = tuple(SHARES)
_COMMON_SUFFIXES = {
    "com": 0.35,
    "org": 0.2,
    "net": 0.15,
    "co": 0.03,
    "edu": 0.03,
    "gov": 0.02,
    "io": 0.02,
    "info": 0.02,
}
_SECOND_LEVEL_LIST = "ac co com edu gob gouv gov govt gv ltd mil mod net nhs nic nom or org plc police sch"
_SECOND_LEVELS = frozenset(_SECOND_LEVEL_LIST.split())
"""Labels that registries put before a country's suffix, whether or not this very suffix exists."""
LOOKS = frozenset(("il", "li", "lt", "tl", "ij", "ji", "uv", "vu", "nh", "hn", "oc", "co", "ec", "ce", "gq", "qg"))
"""Plain letters that are mistaken for each other when an address is copied by eye."""
SOUNDS = (("c", "s"), ("c", "k"), ("s", "z"), ("f", "v"), ("i", "y"), ("d", "t"), ("g", "j"), ("b", "p"), ("m", "n"))
VOWELS = frozenset("aeiou")


class Slip(NamedTuple):
    """One way from the meant to the typed domain."""

    kind: str
    log10: float
    """log10 P(typed | meant, some slip happened)."""
    part: str
    """Where it lies: `suffix`, `name` (the registered label), `subdomain` or `whole`."""
    words: str
    """What happened, as a clause: "the letter i left out of .mil"."""


Found = tuple[str, float, str]
"""Kind, probability of this very outcome within the kind, detail for the words."""


@lru_cache(maxsize=262_144)
def classify(typed: str, meant: str) -> Slip | None:
    """The most probable slip from `meant` to `typed` (A-labels), or None when no single slip explains it.

    >>> classify("navy.ml", "navy.mil").kind, classify("usaf.mil", "us.af.mil").kind
    ('omitted-letter', 'missing-dot')
    >>> classify("contoso.co", "contoso.co.uk").kind, classify("diplomatie.gouv.ml", "navy.mil")
    ('lost-level', None)
    """
    if typed == meant or not typed or not meant:
        return None
    a, b = domains.u_label(typed), domains.u_label(meant)
    found = [*_structural(a, b), *_edits(a, b), *_suffixes(typed, meant)]
    if not found:
        found = _two_edits(a, b)
    return _best(found, typed, meant, b)


@lru_cache(maxsize=65_536)
def classify_far(typed: str, meant: str, local: str) -> Slip | None:
    """As `classify`, for an address whose `local` part exists at the meant domain too: names may then lie further
    apart.

    >>> far = (("vger.kernel", "vger.kernel.org"), ("freeskail.de", "freescale.de"))
    >>> [classify_far(*names, "x").kind for names in far]
    ['long-cut', 'several-edits']
    >>> classify_far("navy.ml", "army.mil", "officer1")
    """
    near = classify(typed, meant)
    if near is not None or typed == meant:
        return near
    a, b = domains.u_label(typed), domains.u_label(meant)
    return _best(_far(a, b, local), typed, meant, b)


def _best(found: list[Found], typed: str, meant: str, b: str) -> Slip | None:
    if not found:
        return None
    kind, share, detail = max(found, key=lambda f: (f[1], f[0]))
    part = _part(typed, meant)
    return Slip(kind, round(math.log10(SHARES[kind] * share), 4), part, words.clause(kind, b, detail, part))


def _structural(a: str, b: str) -> list[Found]:
    """Slips with dots, hyphens, tails and lookalikes: anything but one letter."""
    found: list[Found] = []
    dots = max(1, b.count("."))
    if a.replace(".", "") == b.replace(".", ""):
        fewer = b.count(".") - a.count(".")
        if fewer > 0:
            found.append(("missing-dot", 1 / dots, ""))
        elif fewer < 0:
            found.append(("extra-dot", (0.3 if ".." in a else 0.7 / len(b)), ""))
        else:
            found.append(("moved-dot", 0.5 / dots, ""))
    if a.replace("-", "") == b.replace("-", ""):
        at = b.count("-")
        found.append(("hyphen", 0.4 / max(1, at) if a.count("-") < at else 0.3 / len(b), ""))
    if a != b and a.replace("-", ".") == b.replace("-", "."):
        found.append(("hyphen", 0.3 / (dots + b.count("-")), ""))
    loose = a.translate({ord(c): "." for c in ",;:/"})
    if loose != a and loose == b:
        found.append(("punctuation", 0.5 / dots, ""))
    if skeleton(a) == skeleton(b):
        found.append(("lookalike", 0.1, ""))
    if len(a) > len(b) + 1 and squeezed(a) == squeezed(b) and ".." not in a:
        found.append(("repeated-letter", 0.2 / len(b) ** 2, ""))
    if len(a) == len(b) and (moved := _moved(a, b)):
        found.append(("moved-letter", 0.3 / len(b), moved))
    if b.startswith(a) and "." in a and 1 <= len(b) - len(a) <= 3:
        found.append(("truncated-tail", (0.8, 0.15, 0.05)[len(b) - len(a) - 1], b[len(a) :]))
    if b.startswith(a + ".") and "." not in a:
        found.append(("truncated-tail", 0.02, b[len(a) :]))
    if a.startswith(b) and 1 <= len(a) - len(b) <= 12:
        extra = a[len(b) :]
        known = (
            0.15
            if extra in (".com", ".org", ".net", ".uk")
            else 0.6 / 36
            if len(extra) == 1
            else 0.4 / 36 ** min(len(extra), 4)
        )
        found.append(("trailing-garbage", known, extra))
    al, bl = a.split("."), b.split(".")
    if len(al) == len(bl) > 2 and sorted(al) == sorted(bl):
        found.append(("reordered-labels", 0.3, ""))
    if len(al) == len(bl) - 1:
        for i in range(1, len(bl) - 1):
            if bl[:i] + bl[i + 1 :] == al:
                found.append(("subdomain", 0.3 / len(bl), bl[i]))
    return found


def _edits(a: str, b: str) -> list[Found]:
    """One letter left out, put in, replaced, or two swapped."""
    la, lb = len(a), len(b)
    if abs(la - lb) > 1:
        return []
    i = 0
    while i < min(la, lb) and a[i] == b[i]:
        i += 1
    if la == lb - 1 and a[i:] == b[i + 1 :]:
        lost = b[i]
        if lost in ".-":
            return []
        if i and b[i - 1] == lost:
            return [("omitted-double", 1 / max(1, _doubles(b)), lost)]
        return [("omitted-letter", 1 / lb, lost)]
    if la == lb + 1 and a[i + 1 :] == b[i:]:
        put = a[i]
        if put in ".-":
            return []
        beside = {a[j] for j in (i - 1, i + 1) if 0 <= j < la}
        if put in beside:
            return [("repeated-letter", 1 / lb, put)]
        near = {n for k in beside for n in neighbours(k)}
        return [("inserted-letter", (0.6 / max(4, len(near)) if put in near else 0.4 / 36) / (lb + 1), put)]
    if la == lb:
        if i + 1 < la and a[i] == b[i + 1] and a[i + 1] == b[i] and a[i + 2 :] == b[i + 2 :]:
            return [] if "." in a[i : i + 2] else [("transposed-letters", 1 / (lb - 1), b[i : i + 2])]
        if a[i + 1 :] == b[i + 1 :]:
            x, y = a[i], b[i]
            if "." in (x, y) or "-" in (x, y):
                return []
            if _alike(x, y) and i < b.rfind("."):
                return [("sound-alike", 1 / (2 * lb), y + x)]
            likely = adjacent(x, y) or x + y in LOOKS
            near = set(neighbours(y))
            return [("substituted-letter", (0.7 / max(4, len(near)) if likely else 0.3 / 36) / lb, y + x)]
    return []


def _suffixes(typed: str, meant: str) -> list[Found]:
    """Another suffix, or none, behind the same name. Compared by labels: `nhs.net` and `nhs.uk`, `gov.com` and `gov.uk`
    differ in one label, whatever the public suffix list makes of them."""
    a, b = domains.split(typed), domains.split(meant)
    found: list[Found] = []
    if not b.suffix or "." not in meant:
        return found
    # A name that is a public suffix itself (nhs.uk) has its last label for a suffix.
    suffix = b.suffix if b.suffix != meant else meant.rpartition(".")[2]
    stem = meant.removesuffix("." + suffix)
    if not typed.startswith(stem + "."):
        return found
    tail = typed[len(stem) + 1 :]
    levels = suffix.split(".")
    if len(levels) > 1 and tail in (levels[0], ".".join(levels[1:])):
        found.append(("lost-level", 0.5, suffix.removesuffix("." + tail) if tail == levels[-1] else levels[-1]))
    if tail != suffix and (tail == a.suffix or (_like_a_suffix(tail, a.suffix) and not tail.startswith(suffix + "."))):
        found.append(("suffix-swap", _COMMON_SUFFIXES.get(tail.rpartition(".")[2], 0.18 / 250), suffix))
    far = OSA.distance(tail, suffix)
    if far == 1 or (far == 2 and not a.suffix and len(suffix) > 2):
        # Two letters of a suffix wrong and still a registry's suffix is a swap, not a typo.
        found.append(("suffix-typo", (0.5 if far == 1 else 0.1) / (len(suffix) * 12), suffix))
    return found


def _like_a_suffix(tail: str, registered: str) -> bool:
    """`gov.com`, `uk.com`, `ac.com`: labels that are suffixes elsewhere before one that is a suffix here."""
    *levels, last = tail.split(".")
    if not registered or registered.rpartition(".")[2] != last or len(levels) > 2:
        return False
    return all(level in _SECOND_LEVELS or (len(level) == 2 and domains.split(f"x.{level}").suffix) for level in levels)


def _two_edits(a: str, b: str) -> list[Found]:
    """Two slips in one name, believed only where the name is long enough to carry them."""
    if min(len(a), len(b)) < 8 or abs(len(a) - len(b)) > 2 or a.rpartition(".")[2] != b.rpartition(".")[2]:
        return []
    if OSA.distance(a, b, score_cutoff=2) > 2:
        return []
    return [("two-edits", 1 / (len(b) * 20) ** 1.5, "")]


def _far(a: str, b: str, local: str) -> list[Found]:
    """What an address known at both names allows besides: long cuts, pastes, up to three letters, mixed words."""
    found: list[Found] = []
    if len(a) >= 4 and b.startswith(a):
        found.append(("long-cut", 1 / len(b), b[len(a) :]))
    if a.startswith(b) and len(b) >= 4:
        found.append(("long-paste", 0.1, a[len(b) :]))
    if not found and _similar(a, b):
        found.append(("several-edits", 1 / (len(b) * 20) ** 1.5, ""))
    if not found and _mixed(a.split("."), b.split("."), local):
        found.append(("mixed-words", 0.1, ""))
    return found


def _similar(a: str, b: str) -> bool:
    """Up to three letters wrong, and no more than half of what is left when a common end is taken off."""
    if a.endswith("." + b) or b.endswith("." + a):
        return False
    far = OSA.distance(a, b, score_cutoff=3)
    tail = 0
    while tail < min(len(a), len(b)) and a[-1 - tail] == b[-1 - tail]:
        tail += 1
    short = min(len(a), len(b)) - min(tail, len(a) - a.find("."), len(b) - b.find("."))
    return bool(far <= 3 and 2 * far <= short and JaroWinkler.similarity(a, b) >= 0.82)


def _mixed(a: list[str], b: list[str], local: str) -> bool:
    """The same number of labels, the host's own word kept, each other label the right one, a suffix or the local
    part."""
    if len(a) != len(b) or len(b) < 3 or a[0] != b[0] or len(a[0]) < 4 or not domains.split(".".join(a)).suffix:
        return False
    return all(x in (y, local) for x, y in zip(a[1:-1], b[1:-1], strict=True))


def squeezed(name: str) -> str:
    """The name with runs of one letter made single."""
    return "".join(letter for letter, _ in groupby(name))


def _moved(a: str, b: str) -> str:
    """The letter of `b` that stands up to three places elsewhere in `a`, all others in order; empty when it is not
    so."""
    i = next((n for n, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), len(a))
    j = next((n for n in range(len(a) - 1, -1, -1) if a[n] != b[n]), -1)
    if not 2 <= j - i <= 3 or "." in b[i : j + 1] or "-" in b[i : j + 1]:
        return ""
    if a[i:j] == b[i + 1 : j + 1] and a[j] == b[i]:
        return b[i]
    if a[i + 1 : j + 1] == b[i:j] and a[i] == b[j]:
        return b[j]
    return ""


def _alike(x: str, y: str) -> bool:
    """Letters that sound alike: two vowels, or a pair such as c and s (`defence`, `defense`)."""
    return (x in VOWELS and y in VOWELS) or (x, y) in SOUNDS or (y, x) in SOUNDS


def _doubles(name: str) -> int:
    return sum(1 for x, y in pairwise(name) if x == y)


def _part(typed: str, meant: str) -> str:
    """Which part of the meant domain the slip touches."""
    a, b = domains.split(typed), domains.split(meant)
    if b.suffix:
        stem = meant.removesuffix("." + (b.suffix if b.suffix != meant else meant.rpartition(".")[2]))
        if typed.startswith(stem + ".") and typed != meant:
            return "suffix"
    if b.registered and a.registered == b.registered:
        return "subdomain"
    if b.suffix and a.suffix == b.suffix and a.subdomain == b.subdomain:
        return "name"
    if b.suffix and a.suffix == b.suffix and a.domain == b.domain:
        return "subdomain"
    return "whole"
