"""Values of declared types out of JSON: dataclasses, tuples, sets, mappings and arrays.

What lies in a case's folder may have been written by anyone: a value of another type than the declared one is refused,
so that no command has to expect it, and reading runs nothing.
"""

from __future__ import annotations

import base64
import types
import typing
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any

import numpy as np


def value(kind: Any, data: Any) -> Any:
    """What JSON data says, of the type `kind`: tuples and sets are lists there, mappings objects where all keys
    are text and else lists of pairs, arrays objects of dtype, shape and data (Base64). Of what is
    declared as Any nothing is asked. Raises TypeError, ValueError or KeyError for other data, and for fields that are
    absent or unknown."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return data
    if origin in (typing.Union, types.UnionType):
        return None if data is None else value(next(one for one in inner if one is not type(None)), data)
    if kind is np.ndarray or origin is np.ndarray:
        _of(dict, data)
        array = np.frombuffer(base64.b64decode(data["data"], validate=True), np.dtype(data["dtype"]))
        return array.reshape(data["shape"]).copy()
    if isinstance(kind, type) and is_dataclass(kind):
        _of(dict, data)
        hints = _hints(kind)
        if others := data.keys() - hints.keys():
            raise TypeError(f"{kind.__name__} has no {', '.join(sorted(others))}")
        return kind(**{name: value(of_field, data[name]) for name, of_field in hints.items()})
    if origin is tuple and inner[1:] != (Ellipsis,):
        return tuple(value(of, one) for of, one in zip(inner, _of(list, data), strict=True))
    if origin in (tuple, frozenset):
        return origin(value(inner[0], one) for one in _of(list, data))
    if origin is not None and issubclass(origin, Mapping):
        pairs = _of(dict, data).items() if inner[0] is str or not data else _of(list, data)
        return {value(inner[0], key): value(inner[1], one) for key, one in pairs}
    if kind in (int, str, bool, float):
        return _of(kind, data)
    raise TypeError(f"{kind} cannot be read")


def _of(kind: type, data: Any) -> Any:
    if type(data) is not kind:
        raise TypeError(f"{kind.__name__} expected, not {type(data).__name__}")
    return data


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
