"""JSON as evidence has it: read leniently, but an object that says two things of one name is told.

JSON leaves open which of two equal keys counts (RFC 8259, 4), and programs differ. Which one was meant nobody can say
afterwards, so that a reader has to know of it.
"""

from __future__ import annotations

import json
from typing import Any, Final


class Twice(dict[str, Any]):
    """An object in which, or in an object in which, keys stand twice with different values; the last ones are kept."""

    names: frozenset[str] = frozenset()
    """These keys."""


def of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of these keys and values, of equal keys the last: a `Twice` where they say two things."""
    found = dict(pairs)
    names = {name for name, value in pairs if value != found[name]} if len(found) != len(pairs) else set()
    for value in found.values():
        for one in value if type(value) is list else (value,):
            if type(one) is Twice:
                names |= one.names
    return _with(found, frozenset(names))


def _with(value: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    if not names:
        return value
    twice = Twice(value)
    twice.names = names
    return twice


def made_of(value: dict[str, Any], source: Any) -> dict[str, Any]:
    """An object that was made of another one, which says of no name more than both did."""
    return _with(value, names_twice(source) | names_twice(value))


def names_twice(value: Any) -> frozenset[str]:
    """The keys of a value that says two things of them.

    >>> sorted(names_twice(DECODER.decode('{"a": 1, "b": {"c": 1, "c": 2}, "a": 1}')))
    ['c']
    """
    return value.names if isinstance(value, Twice) else frozenset()


DECODER: Final = json.JSONDecoder(strict=False, object_pairs_hook=of_pairs)
