"""Changing a list in a TOML text without touching anything else: remarks, order and layout stay as people wrote them.

TOML 1.0. Only as much of the language is understood as finds a table's header, a bare key in it and the end of its
list; whoever calls parses the result and compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence


def add(text: str, table: str, key: str, values: Sequence[str]) -> str | None:
    """`text` with `values` (TOML literals) at the end of `[table] key = […]`; made anew when absent.

    None when the list is there but not where a bare `key =` of a `[table]` would be.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    listed = "[" + ", ".join(values) + "]"
    body = _table(text, table)
    if body is None:
        gap = "" if not text or text.endswith("\n") else newline
        return f"{text}{gap}{newline if text else ''}[{table}]{newline}{key} = {listed}{newline}"
    start, end = body
    opening = _list(text, start, end, key)
    if opening is None:
        gap = "" if text[:start].endswith("\n") else newline
        return f"{text[:start]}{gap}{key} = {listed}{newline}{text[start:]}"
    return _append(text, opening, values, newline)


def replace(text: str, table: str, key: str, values: Sequence[str]) -> str | None:
    """`text` with `values` (TOML literals) as the whole of `[table] key = […]`; as `add` where there is no such list.

    Remarks inside the old list go with it. None as for `add`.
    """
    body = _table(text, table)
    opening = None if body is None else _list(text, *body, key)
    if opening is None:
        return add(text, table, key, values)
    closing = _closing(text, opening)
    return None if closing is None else text[:opening] + "[" + ", ".join(values) + "]" + text[closing + 1 :]


def _closing(text: str, opening: int) -> int | None:
    depth = 0
    for start, end in _significant(text, opening):
        char = text[start:end]
        depth += (char in "[{") - (char in "]}")
        if char == "]" and not depth:
            return start
    return None


def _significant(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """(start, end) of every character or whole string outside remarks and white space; newlines are given too."""
    at = start
    while at < len(text):
        char = text[at]
        if char == "#":
            at = _until(text, "\n", at)
            continue
        if char in " \t\r":
            at += 1
            continue
        end = at + 1
        if char in "\"'":
            end = _string_end(text, at)
        yield at, end
        at = end


def _until(text: str, what: str, at: int) -> int:
    found = text.find(what, at)
    return len(text) if found < 0 else found


def _string_end(text: str, at: int) -> int:
    quote = text[at]
    if text.startswith(quote * 3, at):
        pattern = r'(?:\\.|[^\\])*?"{3,5}(?!")' if quote == '"' else r"(?:.)*?'{3,5}(?!')"
        found = re.compile(pattern, re.DOTALL).match(text, at + 3)
    else:
        found = re.compile(r'(?:\\.|[^"\\\n])*"' if quote == '"' else r"[^'\n]*'").match(text, at + 1)
    return found.end() if found else len(text)


def _headers(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end of line, name) of every table header."""
    depth = 0
    fresh = True
    for start, end in _significant(text):
        char = text[start:end]
        if fresh and depth == 0 and char == "[":
            stop = _until(text, "\n", start)
            yield start, min(stop + 1, len(text)), text[start:stop].split("#")[0].strip()
        if char in "[{":
            depth += 1
        elif char in "]}":
            depth = max(depth - 1, 0)
        fresh = char == "\n"


def _table(text: str, table: str) -> tuple[int, int] | None:
    found: tuple[int, int] | None = None
    for start, end, name in _headers(text):
        if found:
            return found[0], start
        if re.fullmatch(rf"\[\s*{re.escape(table)}\s*\]", name):
            found = end, len(text)
    return found


def _list(text: str, start: int, end: int, key: str) -> int | None:
    """Position of the opening bracket of `key = [` in a table's body."""
    depth = 0
    fresh = True
    for at, after in _significant(text, start):
        if at >= end:
            return None
        char = text[at:after]
        if fresh and depth == 0 and (match := re.compile(rf"{re.escape(key)}[ \t]*=[ \t]*\[").match(text, at)):
            return match.end() - 1
        if char in "[{":
            depth += 1
        elif char in "]}":
            depth = max(depth - 1, 0)
        fresh = char == "\n"
    return None


def _append(text: str, opening: int, values: Sequence[str], newline: str) -> str | None:
    depth = 0
    last = opening, opening + 1
    for start, end in _significant(text, opening):
        char = text[start:end]
        if char == "\n":
            continue
        if char == "]" and depth == 1:
            return _insert(text, opening, last, start, values, newline)
        depth += (char in "[{") - (char in "]}")
        last = start, end
    return None


def _insert(text: str, opening: int, last: tuple[int, int], closing: int, values: Sequence[str], newline: str) -> str:
    before = text[last[0] : last[1]]
    filled = last[0] != opening
    comma = "," if filled and before != "," else ""
    if "\n" not in text[opening:closing]:
        gap = " " if filled else ""
        return text[: last[1]] + comma + gap + ", ".join(values) + text[last[1] : closing].rstrip() + text[closing:]
    line = text.rfind("\n", 0, closing) + 1
    indent = re.match(r"[ \t]*", text[text.rfind("\n", 0, last[0]) + 1 :]) if filled else None
    margin = indent.group() if indent and indent.group() else "    "
    added = "".join(f"{margin}{value},{newline}" for value in values)
    head = text[: last[1]] + comma + text[last[1] : line]
    if text[line:closing].strip():  # the closing bracket does not stand alone on its line
        return text[: last[1]] + comma + newline + added + text[last[1] :].lstrip(" \t")
    return head + added + text[line:]
