"""TOML that people write: read as it stands in the file, and what is wrong with it in their words.

Editors of other systems save other encodings and line ends; the parser's own words do not say so, and those of the
models speak of Python's types.
"""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from forensics.errors import MissentError

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel, ValidationError

_WIDE = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}


class Unreadable(ValueError):
    """What is wrong, and what there is to do."""

    def __init__(self, what: str, remedy: str = "mend that line") -> None:
        super().__init__(what)
        self.remedy = remedy


def parsed(raw: bytes) -> dict[str, Any]:
    """What the bytes of a file say. Raises Unreadable.

    >>> parsed(b'name = "x"')
    {'name': 'x'}
    """
    if raw.startswith(codecs.BOM_UTF8):
        raise Unreadable("it begins with a byte order mark, which is no part of TOML",
                         "save it as UTF-8 without one: `sed -i '1s/^\\xEF\\xBB\\xBF//' FILE`")  # fmt: skip
    if name := _WIDE.get(raw[:2]):
        raise Unreadable(f"it is {name}", "save it as UTF-8")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        number = raw.count(b"\n", 0, error.start) + 1
        raise Unreadable(
            f"byte 0x{raw[error.start]:02x} in line {number} is no UTF-8: it was saved in another encoding",
            "save it as UTF-8",
        ) from None
    if "\r" in text.replace("\r\n", ""):
        raise Unreadable("a line in it ends in a carriage return alone", "save it with line ends of Unix or Windows")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(_plainly(error)) from None
    except RecursionError:
        raise Unreadable("its lists lie too deep in each other") from None


def read(raw: bytes, path: Path, quoted: str, refused: type[MissentError]) -> dict[str, Any]:
    """`parsed`, of a file that commands call `quoted`. Raises `refused`, with its path."""
    try:
        return parsed(raw)
    except Unreadable as error:
        remedy = error.remedy.replace("FILE", quoted)
        raise refused(f"{path}: {error}", expected="TOML (UTF-8)", remedy=remedy) from None


def _plainly(error: tomllib.TOMLDecodeError) -> str:
    said = str(error)
    return f'{said}: text stands in quotes, "…"' if said.startswith("Invalid value") else said


def wrong(error: ValidationError, model: type[BaseModel], above: Sequence[str] = ()) -> str:
    """The first thing that is wrong with what a file says, by its key. `above`: the tables that `model` lies in."""
    first = error.errors()[0]
    where = [str(part) for part in (*above, *first["loc"]) if not str(part).startswith("function")]
    return f"{'.'.join(where)}: {_said(first, model)}"


def _said(first: Any, model: type[BaseModel]) -> str:
    kind, told = str(first["type"]), str(first["msg"])
    if kind == "extra_forbidden":
        known = _keys(model, [part for part in first["loc"][:-1] if isinstance(part, str)])
        near = get_close_matches(str(first["loc"][-1]), known, 1, 0.6)
        return "there is no such key" + (f"; `{near[0]}` is meant?" if near else "")
    if kind in ("tuple_type", "list_type"):
        tables = isinstance(first["input"], dict)
        return "is written [[…]], with two brackets" if tables else 'a list is expected, such as ["one", "two"]'
    if kind == "string_type":
        return 'text in quotes is expected, "…"'
    if kind in ("int_type", "int_parsing", "int_from_float"):
        return "a whole number is expected, without quotes"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "is a table: its keys stand below a line [of its name]"
    if kind == "missing":
        return "is not said"
    return told.removeprefix("Value error, ")


def _keys(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Keys of the table that lies at `path` in what a model stands for."""
    for name in path:
        field = model.model_fields.get(name)
        inner = field.annotation if field else None
        found = [one for one in (inner, *get_args(inner)) if hasattr(one, "model_fields")]
        if not found:
            return []
        model = found[0]
    return list(model.model_fields)
