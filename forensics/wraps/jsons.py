"""JSON that is more than a line a record: arrays, pages of answers, objects over several lines.

Records are found one after the other, in bounded memory, and every block is read without knowing those before it: it is
cut behind a record, so that what follows in an array begins with a comma or a bracket, and what follows outside one
does not. Positions count in text decoded as Latin-1, which are those of the bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, Final, NamedTuple

from forensics.jsonread import DECODER, of_pairs
from forensics.wraps import columns
from forensics.wraps.wrap import JSON, LINES, Wrap

_BLANK: Final = re.compile(r"(?:[ \t\r\n\x1e]|\xef\xbb\xbf)*")
"""Blanks, the mark of json-seq (RFC 7464), and UTF-8's byte order mark where files were joined."""
_BETWEEN: Final = re.compile(r"[ \t\r\n,]*")
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.S)
_NEXT: Final = re.compile(r"[}\]]\s*,\s*(?=[{\[])")
"""Where the next element of an array may begin, behind one that is broken."""
_HOLDS: Final = re.compile(r"[{,:\[]\s*\[\s*[{\[\"]")
"""An array that might hold records."""
BESIDE: Final = "beside the records of a JSON document: another array, which is not read"
_AFTER: Final = re.compile(r'\s*(?:[}\]]|,\s*"(?:[^"\\]|\\.)*"\s*:)', re.S)
"""What follows an array of records in the object that holds it."""
_EVENT: Final = re.compile(r"data: ?(?=[{\[])")
"""Before each record of a stream of events (journalctl -o json-sse)."""
_HOLDERS: Final = frozenset(
    (
        "value", "values", "d", "results", "result", "hits", "events", "logevents", "entries", "rows", "tables",
        "records", "data", "items", "logs", "messages", "response", "responses", "rawresponse", "documents",
    )
)  # fmt: skip
"""Keys, in small letters, on the way to an array of records."""
_NAMES: Final = ("columns", "fields", "schema")
"""Keys of the names of the columns, where a record is an array."""
_DEPTH: Final = 5
TAIL: Final = 4 << 10
"""Characters behind an array that tell what follows it."""


class Element(NamedTuple):
    """One record: where it is, and its value; `whole` is False for what is none, whose value may be the reason."""

    begin: int
    end: int
    value: Any
    whole: bool


class _Incomplete(Exception):
    """The text ends inside a value."""


def _decode(text: str, at: int) -> tuple[Any, int]:
    """(value, end). Raises _Incomplete where the text ends inside the value, ValueError or RecursionError where it is
    none."""
    try:
        found: tuple[Any, int] = DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string") or error.pos >= len(text) - 16:
            raise _Incomplete from error
        raise
    return found


def _skip(text: str, at: int, pattern: re.Pattern[str] = _BLANK) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def recognise(text: str) -> Wrap | None:
    """The wrap of a content that begins like this; None where it is no JSON. `text`: its head, as Latin-1."""
    at = _skip(text, 0)
    if event := _EVENT.match(text, at):
        at = event.end()
    if text[at : at + 1] == "[":
        inner = _skip(text, at + 1)
        if inner < len(text) and text[inner] not in '{["]':
            return None
        return _array(text, inner)
    if text[at : at + 1] == "{":
        return _object(text, at)
    # JSON lines behind lines of another kind, such as a warning of the program that wrote them
    for line in text.split("\n", 6)[1:5]:
        if line.startswith("{") and _is_object(line):
            return Wrap(form=LINES)
    return None


def _is_object(line: str) -> bool:
    try:
        return isinstance(DECODER.raw_decode(line)[0], dict)
    except (ValueError, RecursionError):
        return False


def _array(text: str, at: int) -> Wrap | None:
    if at < len(text) and text[at] != "]":
        try:
            _decode(text, at)
        except _Incomplete:
            pass
        except (ValueError, RecursionError):
            return None
    return Wrap(form=JSON)


def _object(text: str, at: int) -> Wrap | None:
    value: Any = None
    end = len(text)
    try:
        value, end = _decode(text, at)
    except _Incomplete:
        pass
    except (ValueError, RecursionError):
        return Wrap(form=LINES) if _later_object(text, at) else None
    if isinstance(value, dict) and columns.export_of(value):
        found = None
    else:
        found = _path(text, at, 0)
    if found:
        path, brackets, names = found
        return Wrap(form=JSON, path=path, brackets=brackets, columns=names)
    behind = _skip(text, end)
    if value is not None and "\n" not in text[at:end] and (behind >= len(text) or "\n" in text[end:behind]):
        return Wrap(form=LINES) if "\x1e" not in text[:at] and not text[:at].strip() else Wrap(form=JSON)
    return Wrap(form=JSON)


def _later_object(text: str, at: int) -> bool:
    """Whether a line behind a broken first one is an object."""
    return any(line.startswith("{") and _is_object(line) for line in text[at:].split("\n", 6)[1:5])


Path = tuple[tuple[str, ...], str, tuple[str, ...]]
"""(path, brackets, columns), as in `Wrap`."""


def _path(text: str, at: int, depth: int) -> Path | None:
    """The way from the object at `at` to its array of records: the first whose first element has a message, else the
    first of objects, else the first that is empty."""
    found: list[tuple[int, Path]] = []
    names: tuple[str, ...] = ()
    try:
        for key, begin in _members(text, at):
            if key.casefold() in _NAMES:
                names = _column_names(_decode(text, begin)[0])
            if key.casefold() not in _HOLDERS or depth >= _DEPTH:
                continue
            if text[begin] == "{" and (inner := _path(text, begin, depth + 1)):
                found.append((_rank(text, begin, inner), ((key, *inner[0]), "{" + inner[1], inner[2])))
            elif text[begin] == "[":
                first = _skip(text, begin + 1)
                inner = (
                    _path(text, first, depth + 1) if key.casefold() == "tables" and text[first:][:1] == "{" else None
                )
                if inner:  # an array of tables, each of which has rows
                    found.append((_WITH, ((key, *inner[0]), "{[" + inner[1], inner[2])))
                elif text[first : first + 1] in ("{", "[", "]", '"', ""):
                    found.append((_quality(text, first, names), ((key,), "{", names)))
            if found and found[-1][0] == _WITH:
                break
    except (_Incomplete, ValueError, RecursionError):
        pass
    return min(found, key=lambda one: one[0])[1] if found else None


_WITH, _OBJECTS, _EMPTY = 0, 1, 2


def _rank(text: str, at: int, path: Path) -> int:
    """How good the array is that a path leads to from the object at `at`."""
    begin = _enter(text, at, path[0])
    return _EMPTY if begin is None else _quality(text, _skip(text, begin), path[2])


def _quality(text: str, at: int, names: tuple[str, ...]) -> int:
    """How good the array is whose first element is at `at`."""
    if at >= len(text):
        return _OBJECTS
    if text[at] == "]":
        return _EMPTY
    try:
        record = rows(_decode(text, at)[0], Wrap(form=JSON, columns=names))
    except _Incomplete:
        return _OBJECTS
    except (ValueError, RecursionError):
        return _EMPTY
    return _WITH if record and records_inside(record) else _OBJECTS


def records_inside(record: Mapping[str, Any]) -> bool:
    """Whether a record has a message, or holds an object that has one."""
    return columns.export_of(record) is not None or any(
        isinstance(value, dict) and columns.export_of(value) is not None for value in record.values()
    )


def _column_names(value: Any) -> tuple[str, ...]:
    """Names of columns: texts, or objects that have them as `name`, `ColumnName` or `text`."""
    if not isinstance(value, list):
        return ()
    found = []
    for one in value:
        if isinstance(one, dict):
            one = next((v for k, v in one.items() if k.casefold() in ("name", "columnname", "text")), None)
        if not isinstance(one, str):
            return ()
        found.append(columns.spelled(one))
    return tuple(found)


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """(key, where its value begins) of the members of the object at `at`."""
    at = _skip(text, at + 1, _BETWEEN)
    while True:
        if at >= len(text):
            raise _Incomplete
        if text[at] != '"':
            return
        try:
            key, at = scanstring(text, at + 1, False)
        except json.JSONDecodeError as error:
            raise _Incomplete from error
        at = _skip(text, at)
        if at >= len(text):
            raise _Incomplete
        if text[at] != ":":
            return
        at = _skip(text, at + 1)
        if at >= len(text):
            raise _Incomplete
        yield key, at
        at = _skip(text, _decode(text, at)[1], _BETWEEN)


def _enter(text: str, at: int, path: tuple[str, ...]) -> int | None:
    """Behind the bracket of the array that `path` leads to from the object at `at`; None where it leads to none."""
    for key, begin in _members(text, at):
        if key != path[0]:
            continue
        if text[begin] == "[" and len(path) == 1:
            return begin + 1
        if text[begin] == "[":
            begin = _skip(text, begin + 1)
            if begin >= len(text):
                raise _Incomplete
        return _enter(text, begin, path[1:]) if len(path) > 1 and text[begin] == "{" else None
    return None


def _entered(text: str, at: int, path: tuple[str, ...], last: bool) -> int | None:
    """`_enter`; None, too, where the object is broken."""
    try:
        return _enter(text, at, path)
    except _Incomplete:
        if not last:
            raise
    except (ValueError, RecursionError):
        pass
    return None


def _leave(text: str, at: int, wrap: Wrap, last: bool) -> tuple[int, bool]:
    """(where reading goes on, whether inside another array of records) behind a bracket that closed one."""
    depth = len(wrap.brackets)
    if not depth or not _AFTER.match(text, at):
        if depth and not last and len(text) - at < TAIL:
            raise _Incomplete
        return at, False
    wanted = f'"{wrap.path[-1]}"'
    key = False
    for token in _TOKEN.finditer(text, at):
        c = token[0]
        if c in "{[":
            if c == "[" and key and depth == len(wrap.brackets):
                return token.end(), True
            depth += 1
        elif c in "}]":
            depth -= 1
        key = c == wanted and text.startswith(":", _skip(text, token.end()))
        if depth == 0:
            return token.end(), False
    raise _Incomplete


def elements(text: str, wrap: Wrap, last: bool) -> tuple[list[Element], int]:
    """The records of a block and how many characters they take, with what stands between them; without `last` what the
    text ends in is not taken.

    Whether a record stands in an array, what follows it tells, so that every cut reads the same."""
    found: list[Element] = []
    taken = at = 0
    inside = False
    try:
        while True:
            at = _skip(text, at)
            if at >= len(text):
                return found, len(text) if last or not inside else taken
            c = text[at]
            if c == "]":
                stop, inside = _leave(text, at + 1, wrap, last)
                if _HOLDS.search(text, at, stop):
                    found.append(Element(at, stop, BESIDE, False))
                at = stop
                taken = taken if inside else at
            elif c == ",":
                at, inside = at + 1, True
            elif not inside and (event := _EVENT.match(text, at)):
                at = event.end()
            elif not inside and c == "[" and not wrap.path:
                at, inside = at + 1, True
            elif not inside and c == "{" and wrap.path and (start := _entered(text, at, wrap.path, last)) is not None:
                if not wrap.columns and _HOLDS.search(text, at, start):
                    found.append(Element(at, start, BESIDE, False))
                at, inside = start, True
            else:
                element = _element(text, at, inside, last)
                found.append(element)
                at = taken = element.end
                inside = False
    except _Incomplete:
        if last:  # the document was cut off behind its records
            found.append(Element(at, len(text.rstrip()), None, False))
            return found, len(text)
        return found, taken


def _element(text: str, at: int, inside: bool, last: bool) -> Element:
    """The record at `at`. What is no JSON ends with its line, or in an array before the next element."""
    try:
        value, end = _decode(text, at)
        if isinstance(value, dict | list | str):
            return Element(at, end, value, True)
    except _Incomplete:
        if not last:
            raise
    except (ValueError, RecursionError):
        pass
    if inside:
        if following := _NEXT.search(text, at):
            return Element(at, following.start() + 1, None, False)
        if not last:
            raise _Incomplete
        return Element(at, len(text.rstrip()), None, False)
    stop = text.find("\n", at)
    if stop < 0:
        if not last:
            raise _Incomplete
        stop = len(text)
    return Element(at, at + len(text[at:stop].rstrip()), None, False)


def rows(value: Any, wrap: Wrap) -> Mapping[str, Any] | None:
    """An element as a record with named fields; None where it is none."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"line": value}
    if not isinstance(value, list):
        return None
    if value and all(isinstance(one, dict) and "field" in one and "value" in one for one in value):
        return {str(one["field"]): one["value"] for one in value}  # CloudWatch Logs, GetQueryResults
    if wrap.columns and len(wrap.columns) == len(value):
        return of_pairs(list(zip(wrap.columns, value, strict=True)))
    if not wrap.columns and len(value) in (2, 3) and all(isinstance(one, str) for one in value[:2]):
        return {"timestamp": value[0], "line": value[1]}  # Loki
    return None


def streams(text: str, element: Element) -> list[tuple[Element, Mapping[str, Any] | None]] | None:
    """The entries of a stream of Loki's API, each with its record; None for anything else."""
    value = element.value
    if not isinstance(value, dict) or not isinstance(value.get("values"), list) or "stream" not in value:
        return None
    out: list[tuple[Element, Mapping[str, Any] | None]] = []
    at = next(begin for key, begin in _members(text, element.begin) if key == "values") + 1
    for one in value["values"]:
        at = _skip(text, at, _BETWEEN)
        end = _decode(text, at)[1]
        if isinstance(one, list) and len(one) >= 2:
            record = {"timestamp": one[0], "line": one[1], "stream": value["stream"]}
        else:
            record = {}
        out.append((Element(at, end, one, True), record))
        at = end
    return out
