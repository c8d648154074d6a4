"""The words for slips: one clause per kind, as an expert would say it."""

from __future__ import annotations

NAMES: dict[str, str] = {
    "omitted-letter": "a letter left out",
    "omitted-double": "one of two equal letters left out",
    "inserted-letter": "a letter too many",
    "repeated-letter": "a letter typed twice",
    "trailing-garbage": "characters after the end of the name",
    "truncated-tail": "the end of the name cut off",
    "suffix-swap": "another suffix",
    "suffix-typo": "a mistyped suffix",
    "transposed-letters": "two letters swapped",
    "substituted-letter": "a wrong letter",
    "sound-alike": "a letter that sounds alike",
    "missing-dot": "a dot left out",
    "extra-dot": "a dot too many",
    "moved-dot": "a dot in the wrong place",
    "hyphen": "a hyphen missing, added or typed for a dot",
    "punctuation": "a comma or the like for a dot",
    "lost-level": "one level of the suffix left out",
    "lookalike": "characters that look alike",
    "subdomain": "one label left out",
    "reordered-labels": "labels in another order",
    "two-edits": "two letters wrong",
    "moved-letter": "a letter in the wrong place",
    "long-cut": "much of the end cut off",
    "long-paste": "other text pasted after the name",
    "several-edits": "several letters wrong",
    "mixed-words": "words of the address mixed up",
}
"""Each kind of slip in a few words, for tables and legends."""


def clause(kind: str, meant: str, detail: str, part: str) -> str:
    """What happened to `meant`, as a clause without a full stop.

    >>> clause("omitted-letter", "navy.mil", "i", "suffix")
    'the letter i left out of .mil'
    """
    where = f".{meant.rpartition('.')[2]}" if part == "suffix" else meant
    clauses = {
        "omitted-letter": f"the {_sign(detail)} left out of {where}",
        "omitted-double": f"one of two {detail} left out of {where}",
        "inserted-letter": f"a {detail} too many in {where}",
        "repeated-letter": f"the {_sign(detail)} typed twice in {where}"
        if detail
        else f"letters typed twice in {where}",
        "trailing-garbage": f"“{detail}” typed after the end of {meant}",
        "truncated-tail": f"the last {'letter' if len(detail) == 1 else 'letters'} “{detail}” cut off {meant}",
        "suffix-swap": f"another suffix in place of .{detail}",
        "suffix-typo": f"the suffix .{detail} mistyped",
        "transposed-letters": f"the letters {detail} swapped in {where}",
        "substituted-letter": f"{detail[-1:]} typed for {detail[:1]} in {where}",
        "sound-alike": f"{detail[-1:]} written for {detail[:1]} in {where}",
        "missing-dot": f"a dot left out of {meant}",
        "extra-dot": f"a dot too many in {meant}",
        "moved-dot": f"a dot in the wrong place of {meant}",
        "hyphen": f"a hyphen missing, added or typed for a dot in {meant}",
        "punctuation": f"another sign typed for the dot in {meant}",
        "lost-level": f"“.{detail}” left out of {meant}",
        "lookalike": f"characters that look like those of {meant}",
        "subdomain": f"the label “{detail}” left out of {meant}",
        "reordered-labels": f"the labels of {meant} in another order",
        "two-edits": f"two letters wrong in {meant}",
        "moved-letter": f"the {_sign(detail)} in the wrong place of {meant}",
        "long-cut": f"the end “{detail}” cut off {meant}",
        "long-paste": f"other text pasted after {meant}",
        "several-edits": f"several letters wrong in {meant}",
        "mixed-words": f"the words of {meant} mixed up with others",
    }
    return clauses[kind]


def _sign(ch: str) -> str:
    return f"digit {ch}" if ch.isdigit() else f"letter {ch}"
