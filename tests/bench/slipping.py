"""How people mistype a domain: a generator of slips, independent of the detector.

Nothing of `forensics.detector` is imported here, so that evaluation on simulated logs is honest. The shares
of kinds are those published for hand-labelled pairs of public mailing lists (deletion 26 %, insertion 20 %,
truncated tail 14 %, suffix swap 11 %, transposition 11 %, substitution 7 %, dot/hyphen/comma 6 %, the rest
various); how a kind is carried out follows the hand: neighbouring keys, doubled letters, a lost last letter.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

SHARES: tuple[tuple[str, float], ...] = (
    ("deletion", 0.26),
    ("insertion", 0.20),
    ("truncated-tail", 0.14),
    ("suffix-swap", 0.11),
    ("transposition", 0.11),
    ("substitution", 0.07),
    ("punctuation", 0.06),
    ("other", 0.05),
)

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
LOOKALIKE = {"o": "0", "l": "1", "i": "1", "m": "rn", "w": "vv", "e": "3", "s": "5", "1": "l", "0": "o"}
SOUND = {"c": "k", "k": "c", "s": "z", "z": "s", "f": "ph", "i": "y", "y": "i", "e": "a", "a": "e", "o": "u", "u": "o"}
SWAPS = {
    "com": ("org", "net", "co.uk", "de", "eu", "cn", "fr"),
    "org": ("com", "net", "org.uk"),
    "net": ("com", "org"),
    "co.uk": ("com", "org.uk", "ac.uk", "uk"),
    "org.uk": ("co.uk", "org", "com"),
    "ac.uk": ("co.uk", "edu"),
    "gov.uk": ("co.uk", "org.uk", "gov"),
    "edu": ("com", "org"),
    "de": ("com", "net"),
    "fr": ("com", "org"),
    "mil": ("com", "gov"),
}
OTHER_SWAP = ("com", "org", "net")
_VALID = re.compile(r"^(?!-)[a-z0-9-]{1,63}(?<!-)$")


def _neighbours() -> dict[str, str]:
    """Keys next to each key on a QWERTY board."""
    table: dict[str, str] = {}
    for row, keys in enumerate(KEYS):
        for column, key in enumerate(keys):
            near = {keys[i] for i in (column - 1, column + 1) if 0 <= i < len(keys)}
            for other, shift in ((row - 1, (0, 1)), (row + 1, (-1, 0))):
                if 0 <= other < len(KEYS):
                    near |= {KEYS[other][column + s] for s in shift if 0 <= column + s < len(KEYS[other])}
            table[key] = "".join(sorted(near))
    return table


NEAR = _neighbours()


def _letters(name: str) -> list[int]:
    return [i for i, c in enumerate(name) if c.isalnum()]


def deletion(rng: random.Random, name: str, suffix: str) -> str:
    """A letter left out, more readily one of a doubled pair."""
    text = f"{name}.{suffix}"
    places = _letters(text)
    weights = [3.0 if i and text[i] == text[i - 1] else 1.0 for i in places]
    at = rng.choices(places, weights)[0]
    return text[:at] + text[at + 1 :]


def insertion(rng: random.Random, name: str, suffix: str) -> str:
    """A letter too many: the same twice, a neighbouring key with it, or any."""
    text = f"{name}.{suffix}"
    at = rng.choice(_letters(text))
    how = rng.random()
    if how < 0.35:
        extra = text[at]
    elif how < 0.75:
        extra = rng.choice(NEAR.get(text[at], LETTERS))
    else:
        extra = rng.choice(LETTERS)
    at += rng.random() < 0.7
    return text[:at] + extra + text[at:]


def truncated_tail(rng: random.Random, name: str, suffix: str) -> str:
    """The end lost while typing or copying: `.com` -> `.co`, `.org` -> `.or`, `.co.uk` -> `.co.u`, `.co`."""
    text = f"{name}.{suffix}"
    cut = 1 if rng.random() < 0.85 or len(suffix) <= 2 else 2
    if "." in suffix and rng.random() < 0.25:
        return text.rpartition(".")[0]
    return text[:-cut].rstrip(".")


def suffix_swap(rng: random.Random, name: str, suffix: str) -> str:
    """Another suffix that the hand knows."""
    options = [s for s in SWAPS.get(suffix, OTHER_SWAP) if s != suffix]
    return f"{name}.{rng.choice(options)}"


def transposition(rng: random.Random, name: str, suffix: str) -> str:
    """Two letters in the wrong order."""
    text = f"{name}.{suffix}"
    places = [i for i in range(len(text) - 1) if text[i] != text[i + 1] and (text[i] != "." != text[i + 1])]
    at = rng.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def substitution(rng: random.Random, name: str, suffix: str) -> str:
    """A wrong letter: a neighbouring key, one that sounds alike, one that looks alike, or any."""
    text = f"{name}.{suffix}"
    at = rng.choice(_letters(text))
    how = rng.random()
    letter = text[at]
    if how < 0.60 and letter in NEAR:
        new = rng.choice(NEAR[letter])
    elif how < 0.80 and letter in SOUND:
        new = SOUND[letter]
    elif how < 0.85 and letter in LOOKALIKE:
        new = LOOKALIKE[letter]
    else:
        new = rng.choice(LETTERS)
    return text[:at] + new + text[at + 1 :]


def punctuation(rng: random.Random, name: str, suffix: str) -> str:
    """A dot or hyphen lost, added, moved or taken for the other."""
    text = f"{name}.{suffix}"
    marks = [i for i, c in enumerate(text) if c in ".-"]
    inner = [i for i in marks if i < len(name)]
    how = rng.random()
    if inner and how < 0.45:
        at = rng.choice(inner)
        other = "." if text[at] == "-" else "-"
        return text[:at] + rng.choice(("", other)) + text[at + 1 :]
    if how < 0.60 and len(marks) > 1:
        at = rng.choice(marks[1:] or marks)
        return text[:at] + text[at + 1 :]
    if how < 0.80:
        at = rng.randrange(2, max(3, len(name)))
        return text[:at] + rng.choice(".-") + text[at:]
    at = text.index(".", len(name))
    return text[: at - 1] + "." + text[at - 1] + text[at + 1 :]


def other(rng: random.Random, name: str, suffix: str) -> str:
    """What is left: two edits, garbage pasted on, a second level or subdomain lost, another suffix added."""
    how = rng.random()
    if how < 0.35:
        first = rng.choice((deletion, substitution, transposition))(rng, name, suffix)
        head, _, tail = first.rpartition(".")
        return rng.choice((deletion, substitution, insertion))(rng, head, tail) if head else first
    if how < 0.60:
        return f"{name}.{suffix}{rng.choice(LETTERS)}"
    if how < 0.80 and "." in name:
        left, _, right = name.partition(".")
        return rng.choice((f"{right}.{suffix}", f"{left}{right}.{suffix}", f"{right}.{left}.{suffix}"))
    if how < 0.90 and "." in suffix:
        return f"{name}.{suffix.rpartition('.')[2]}"
    return f"{name}.{suffix}.{rng.choice(('com', 'uk', 'org'))}"


MAKERS: dict[str, Callable[[random.Random, str, str], str]] = {
    "deletion": deletion,
    "insertion": insertion,
    "truncated-tail": truncated_tail,
    "suffix-swap": suffix_swap,
    "transposition": transposition,
    "substitution": substitution,
    "punctuation": punctuation,
    "other": other,
}


def valid(domain: str) -> bool:
    """Whether a mail client would let the domain through: labels of letters, digits and inner hyphens."""
    labels = domain.split(".")
    return len(labels) > 1 and len(domain) < 254 and all(_VALID.match(x) for x in labels) and not labels[-1].isdigit()


def slip(rng: random.Random, domain: str, suffix: str) -> tuple[str, str]:
    """(mistyped domain, kind) of a domain whose public suffix is `suffix`."""
    name = domain[: -len(suffix) - 1]
    while True:
        kind = rng.choices([k for k, _ in SHARES], [s for _, s in SHARES])[0]
        for _ in range(12):
            wrong = MAKERS[kind](rng, name, suffix)
            if wrong != domain and valid(wrong):
                return wrong, kind
