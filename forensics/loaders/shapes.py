"""Lines of no known form, counted by shape: what is left of a line without its names, numbers and addresses."""

from __future__ import annotations

import re
from collections.abc import Iterable

from forensics.loaders.base import Example

SHAPES = 500
"""Shapes of one block that are kept apart; further ones are counted together, by program."""
_VARIABLE = re.compile(
    r"<[^<>]*>|\[[^\[\]]*\]|\"[^\"]*\"|'[^']*'"
    r"|[^\s,;:=()\[\]]*[\d@/\\][^\s,;()\[\]]*|[^\s,;:=()\[\]]+\.[^\s,;:=()\[\]]+"
)


def shape(text: str) -> str:
    """The text's first 12 words with `…` for quotes, brackets, numbers, names of hosts and files."""
    words = _VARIABLE.sub("…", text[:400]).split()
    return " ".join(words[:12])[:120]


def examples(lines: Iterable[tuple[str, str, int, int, int]]) -> tuple[Example, ...]:
    """(program, text, number, offset, length) of each line, in order, as examples of their shapes."""
    found: dict[tuple[str, str], Example] = {}
    counts: dict[tuple[str, str], int] = {}
    for program, text, number, offset, length in lines:
        key = program, shape(text)
        if key not in found:
            if len(found) >= SHAPES:
                key = program, ""
            found.setdefault(key, Example(program, key[1], 0, number, offset, length, text[:400]))
        counts[key] = counts.get(key, 0) + 1
    return tuple(
        Example(e.program, e.shape, counts[key], e.number, e.offset, e.length, e.text) for key, e in found.items()
    )
