"""Values of a survey as JSON and back: dataclasses, arrays, tuples, sets and mappings, by their declared types.

No pickle: what lies in a case's folder may have been written by anyone, and reading it must run nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa


def plain(value: Any) -> Any:
    """The value as lists, dicts with text keys, text, numbers, truth values and None. Raises TypeError."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"dtype": value.dtype.str, "shape": list(value.shape), "data": data}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return [[plain(key), plain(one)] for key, one in value.items()]
    if isinstance(value, frozenset | set):
        return sorted(plain(one) for one in value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, pa.Table):
        return value.to_pylist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no plain form")


def value(kind: Any, data: Any) -> Any:
    """What `plain` was given, of the declared type `kind`. Raises ValueError, TypeError, KeyError for other data."""
    if kind is Any:
        raise TypeError("a type is needed")
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if data is None:
            return None
        return value(next(one for one in inner if one is not type(None)), data)
    if kind is np.ndarray or origin is np.ndarray:
        array = np.frombuffer(base64.b64decode(data["data"], validate=True), np.dtype(data["dtype"]))
        return array.reshape(data["shape"]).copy()
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{f.name: value(hints[f.name], data[f.name]) for f in fields(kind)})
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(value(inner[0], one) for one in data)
        return tuple(value(one, part) for one, part in zip(inner, data, strict=True))
    if origin is frozenset:
        return frozenset(value(inner[0], one) for one in data)
    if origin is not None and issubclass(origin, Mapping):
        return {value(inner[0], key): value(inner[1], one) for key, one in data}
    if kind in (int, str, bool, float):
        if type(data) is not kind:
            raise TypeError(f"{kind.__name__} expected")
        return data
    raise TypeError(f"{kind} cannot be read")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def digest(plain_value: Any) -> str:
    """SHA-256 of a plain value."""
    text = json.dumps(plain_value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
