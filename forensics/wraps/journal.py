"""journalctl's output that is no lines of syslog (modes `export` and `verbose`), and what leaves out too much.

Sources: journalctl(1), systemd.io "Journal Export Formats", systemd `shared/logs-show.c`.
"""

from __future__ import annotations

import re
from typing import Any, Final

from forensics.wraps.wrap import EXPORT, VERBOSE, Wrap

CURSOR: Final = b"__CURSOR="
_ENTRY: Final = b"\n\n" + CURSOR
LONGEST: Final = 64 << 20
"""Bytes of a field; a journal's own are never as long (sd-journal, DATA_SIZE_MAX)."""
_VERBOSE: Final = re.compile(
    rb"(?m)^[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [^\s\[]+ "
    rb"\[s=[0-9a-f]+;[^\]\n]*t=(?P<micros>[0-9a-f]{1,14})[^\]\n]*\]\r?$"
)
_MONOTONIC: Final = re.compile(rb"(?m)^\[ *\d{1,9}\.\d{6}(?: <[^>\n]{0,30}>)?\] \S+ \S+\[\d+\]: ")
_BARE: Final = re.compile(
    rb"(?m)^(?:(?:[0-9A-F]{6,21}|[0-9B-Zb-z]{10,21}): (?:client=|message-id=|from=<|to=<|uid=\d|removed\r?$)"
    rb"|(?:dis)?connect from \S+\[[0-9a-fA-F.:]+\]|NOQUEUE: (?:reject|filter))"
)


def recognise(head: bytes) -> Wrap | None:
    """The wrap of a content that begins like `-o verbose`; `-o export` begins with CURSOR."""
    if _VERBOSE.match(head):
        return Wrap(form=VERBOSE)
    return None


def refusal(head: bytes) -> str | None:
    """Why a content that no loader reads cannot be read, if it is journalctl's output without the time of records."""
    lines = max(head.count(b"\n"), 1)
    if len(_MONOTONIC.findall(head)) * 2 >= lines:
        return (
            "journalctl -o short-monotonic or short-delta, which tells no date: give `journalctl -o short-iso`, "
            "`-o json` or `-o export`"
        )
    if len(_BARE.findall(head)) * 2 >= lines:
        return (
            "messages without time and host, as `journalctl -o cat` or `docker logs` gives them: give "
            "`journalctl -o short-iso`, `journalctl -o json` or `docker logs --timestamps`"
        )
    return None


def split(text: bytes, wrap: Wrap) -> int:
    """Bytes that are whole entries, which only the beginning of another one tells."""
    if wrap.form == EXPORT:
        return _exported(text)[1]
    found = [entry.start() for entry in _VERBOSE.finditer(text)]
    return found[-1] if found else 0


def entries(text: bytes, wrap: Wrap) -> list[tuple[int, int, dict[str, Any]]]:
    """(begin, end, fields) of each entry; what is none is one without fields."""
    if wrap.form == VERBOSE:
        return _verbose(text)
    found, taken = _exported(text)
    rest = text[taken:].rstrip(b"\n")
    if rest:
        whole = _exported(text[taken:] + b"\n\n")
        last = whole[0] if len(whole[0]) == 1 and whole[0][0][1] >= len(rest) else [(0, len(rest), {})]
        found.append((taken, taken + len(rest), last[0][2]))
    return found


def _exported(text: bytes) -> tuple[list[tuple[int, int, dict[str, Any]]], int]:
    """(entries, bytes taken) of an export. A field is `KEY=text`, or `KEY`, 8 bytes of little-endian length, and bytes,
    in which anything may stand; an empty line ends an entry."""
    out: list[tuple[int, int, dict[str, Any]]] = []
    start = at = 0
    fields: dict[str, Any] = {}
    while at < len(text):
        end = text.find(b"\n", at)
        if end < 0:
            break
        if end == at:
            if at > start:
                out.append((start, at - 1, fields))
            start = at = at + 1
            fields = {}
            continue
        name, equals, value = text[at:end].partition(b"=")
        if equals:
            at = end + 1
        else:
            size = int.from_bytes(text[end + 1 : end + 9], "little")
            if end + 10 + size > len(text):
                following = text.find(_ENTRY, at)
                if size < LONGEST or following < 0:
                    break
                out.append((start, following, {}))  # no length: the entry is broken
                start = at = following + 2
                fields = {}
                continue
            value = text[end + 9 : end + 9 + size]
            at = end + 10 + size
        fields.setdefault(name.decode("ascii", "replace"), value)
    return out, start


def _verbose(text: bytes) -> list[tuple[int, int, dict[str, Any]]]:
    found = list(_VERBOSE.finditer(text))
    if not found:
        return [(0, len(text.rstrip(b"\r\n")), {})] if text.strip() else []
    out: list[tuple[int, int, dict[str, Any]]] = []
    if text[: found[0].start()].strip():
        out.append((0, len(text[: found[0].start()].rstrip(b"\r\n")), {}))
    stops = [one.start() for one in found[1:]] + [len(text)]
    for one, stop in zip(found, stops, strict=True):
        body = text[one.end() : stop].rstrip(b"\r\n")
        fields: dict[str, Any] = {"__REALTIME_TIMESTAMP": str(int(one["micros"], 16)).encode()}
        for line in body.split(b"\n"):
            # what goes over several lines goes on behind more blanks
            name, equals, value = line[4:].rstrip(b"\r").partition(b"=")
            if equals and line[:4] == b"    " and name.replace(b"_", b"").isalnum() and name == name.upper():
                fields.setdefault(name.decode("ascii", "replace"), value)
        out.append((one.start(), one.end() + len(body), fields))
    return out
