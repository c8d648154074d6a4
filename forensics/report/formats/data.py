"""incident.json: the facts as data, and the JSON Schema that describes it.

The schema is derived from the dataclasses of `facts`, so the two cannot part. A `Number` is
`{"value": …, "findings": ["F1-F40", …]}`, or `{"value": …, "query": …}` for a total over a whole table; `findings`
are ranges of the references under `findings`. Everything outside ASCII is escaped, so hidden characters show.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from forensics.report.facts import FORMAT_VERSION, Facts, Number

NAME = f"missent-incident-{FORMAT_VERSION}"


def render(facts: Facts, context: Any = None) -> bytes:  # noqa: ARG001 - every format is called alike
    """incident.json."""
    refs = {finding.delivery_id: n for n, finding in enumerate(facts.findings, 1)}
    body = {"format": NAME, **_value(facts, refs)}
    return (json.dumps(body, ensure_ascii=True, indent=1) + "\n").encode("ascii")


def _value(value: Any, refs: Mapping[str, int]) -> Any:
    if isinstance(value, Number):
        return _number(value, refs)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _value(getattr(value, name), refs) for name in _fields(type(value))}
    if isinstance(value, tuple):
        return [_value(item, refs) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def _number(number: Number, refs: Mapping[str, int]) -> dict[str, Any]:
    if number.deliveries is None:
        return {"value": number.value, "query": number.query} if number.query else {"value": number.value}
    return {"value": number.value, "findings": ranges(sorted(refs[delivery] for delivery in number.deliveries))}


def ranges(numbers: list[int]) -> list[str]:
    """`["F1-F3", "F7"]` for 1, 2, 3, 7."""
    out: list[list[int]] = []
    for number in numbers:
        if out and number == out[-1][1] + 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return [f"F{a}" if a == b else f"F{a}-F{b}" for a, b in out]


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of incident.json."""
    definitions: dict[str, Any] = {
        "Number": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "findings": {"type": "array", "items": {"type": "string", "pattern": "^F[0-9]+(-F[0-9]+)?$"}},
                "query": {"type": "string"},
            },
            "required": ["value"],
            "additionalProperties": False,
        }
    }
    root = _object(Facts, definitions)
    root["properties"] = {"format": {"const": NAME}, **root["properties"]}
    root["required"] = ["format", *root["required"]]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Missent incident report",
        "description": "incident.json, format " + NAME,
        **root,
        "$defs": dict(sorted(definitions.items())),
    }


def _object(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    names = _fields(kind)
    return {
        "type": "object",
        "properties": {name: _type(hints[name], definitions) for name in names},
        "required": list(names),
        "additionalProperties": False,
    }


_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    type(None): {"type": "null"},
}


def _type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint in _SIMPLE:
        return dict(_SIMPLE[hint])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_type(part, definitions) for part in arguments]}
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "array", "items": _type(arguments[0], definitions)}
        parts = [_type(part, definitions) for part in arguments]
        return {"type": "array", "prefixItems": parts, "minItems": len(parts), "maxItems": len(parts)}
    name = hint.__name__
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = _object(hint, definitions)
    return {"$ref": f"#/$defs/{name}"}
