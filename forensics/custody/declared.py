"""Values held to the types that their dataclasses declare: a file that people can edit may say anything."""

from __future__ import annotations

import functools
import itertools
import types
import typing
from dataclasses import is_dataclass
from typing import Any


def hold(kind: Any, value: Any) -> None:
    """Raises TypeError for a value that is not of the type that it is declared with, so that no command has to expect
    another."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        inner = tuple(one for one in inner if (value is None) == (one is type(None)))
        kind, origin = (inner[0], typing.get_origin(inner[0])) if len(inner) == 1 else (Any, None)
        inner = typing.get_args(kind)
    if kind is Any:
        return
    expected = origin or kind
    if not (isinstance(value, expected) and (expected is bool or not isinstance(value, bool))):
        raise TypeError(f"{expected.__name__} expected, not {type(value).__name__}")
    if isinstance(kind, type) and is_dataclass(kind):
        for name, of_field in _hints(kind).items():
            hold(of_field, getattr(value, name))
    elif expected is tuple:
        each = itertools.repeat(inner[0], len(value)) if inner[1:] == (Ellipsis,) else inner
        for one, of_one in zip(value, each, strict=True):
            hold(of_one, one)
    elif origin is not None:
        for key, one in value.items():
            hold(inner[0], key)
            hold(inner[1], one)


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
