"""Arguments of the functions that programs call, held to their annotations: a wrong type is said at once and in words.

A command line has parsed its arguments; a notebook has not, and would meet a traceback out of the middle of a library.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin

from forensics.errors import UsageError

P = ParamSpec("P")
T = TypeVar("T")

_WORDS: dict[Any, str] = {
    str: "text",
    Path: "a pathlib.Path",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    datetime: "a datetime",
    date: "a date",
    bytes: "bytes",
    types.NoneType: "None",
}


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """The function, raising UsageError for an argument that is not of its annotated type, or that it does not take.

    A name that is known to the type checker alone is not held to anything.

    >>> @checked
    ... def double(n: int) -> int:
    ...     return 2 * n
    >>> double(2)
    4
    >>> double("2")
    Traceback (most recent call last):
    forensics.errors.UsageError: double: n: '2'
      expected: a whole number
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise UsageError(f"{function.__name__}: {error}", expected=", ".join(signature.parameters)) from None
        hints = _hints(function)
        for name, value in given.items():
            kind = signature.parameters[name].kind
            if kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
                continue
            if not _fits(value, hints.get(name, object)):
                said = f"{function.__name__}: {name}: {value!r}"
                raise UsageError(said[:200], expected=_said(hints[name]))
        return function(*args, **kwargs)

    return call


@functools.cache
def _hints(function: Callable[..., Any]) -> Mapping[str, Any]:
    return inspect.get_annotations(function, eval_str=True, locals=_Names(function.__globals__))


class _Names(dict[str, Any]):
    """What an annotation's names stand for; `object`, which everything is, for those that only a type checker knows."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        super().__init__()
        self._known = known

    def __missing__(self, name: str) -> Any:
        return self._known[name] if name in self._known else getattr(builtins, name, object)


def _fits(value: Any, hint: Any) -> bool:
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in inside)
    if origin is None:
        if hint is None:
            return value is None
        if hint in (int, float):  # numpy's and pandas' numbers too
            return isinstance(value, Integral if hint is int else Real)
        return not isinstance(hint, type) or hint is Any or isinstance(value, hint)
    if not isinstance(origin, type) or not isinstance(value, origin):
        return not isinstance(origin, type)
    if isinstance(value, str | bytes):
        return False  # a text is a sequence of texts, and never meant as one
    parts: Any = value if issubclass(origin, Sequence) and inside else ()
    return all(_fits(one, inside[0]) for one in parts)


def _said(hint: Any) -> str:
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_said(one) for one in inside)
    if isinstance(origin, type) and issubclass(origin, Iterable) and not issubclass(origin, Mapping) and inside:
        return f"a list of {_said(inside[0])}"
    return _WORDS.get(type(None) if hint is None else hint, getattr(hint, "__name__", str(hint)))
