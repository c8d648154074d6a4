"""What loaders note of an evidence beside its account, read back from the manifest (`EvidenceEntry.notes`).

`noted`: a list of plain sentences, for people. `losses`: what the log itself says, or shows, that it does not hold; a
list of `{"kind", "host", "at", "count", "number", "offset", "text"}`, `at` in ISO 8601 (or microseconds since 1970) and
null where it has no time, `count` null where it says no number; the last three are the record that says so. Where they
are many the list is cut, and `loss_totals`, `{kind: {"records", "count", "first", "last"}}`, has all of them.
`other_lines`: lines of mail programs that are none of a delivery, by program; a list of `{"program", "count", "number",
"offset", "text"}` with one example each.

A manifest can have been written by hand or by another version: what does not have this shape is left out here, and
stands in manifest.json all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Loss:
    """Records or messages that the log says it lost."""

    kind: str
    host: str
    at: datetime | None
    count: int | None
    number: int | None
    offset: int | None
    text: str


@dataclass(frozen=True)
class LossTotal:
    """All losses of one kind: how many, the sum of what they say, from when to when."""

    kind: str
    records: int
    count: int | None
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True)
class OtherLines:
    """Lines of one program that bear on no delivery, and one of them."""

    program: str
    count: int
    number: int | None
    offset: int | None
    text: str


def noted(notes: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences, in their order, each once."""
    found = notes.get("noted")
    sentences = found if isinstance(found, list | tuple) else [found]
    return tuple(dict.fromkeys(one for one in sentences if isinstance(one, str) and one))


def losses(notes: Mapping[str, Any]) -> tuple[Loss, ...]:
    """In order of time, those without a time first."""
    found = [
        Loss(
            kind=_text(one, "kind"),
            host=_text(one, "host"),
            at=_time(one.get("at")),
            count=_number(one, "count"),
            number=_number(one, "number"),
            offset=_number(one, "offset"),
            text=_text(one, "text"),
        )
        for one in _entries(notes, "losses")
    ]
    return tuple(sorted(found, key=lambda one: (one.at or _EPOCH, one.number or 0, one.kind)))


def loss_totals(notes: Mapping[str, Any]) -> tuple[LossTotal, ...]:
    """By kind, those of most records first; what `loss_totals` does not say is taken from the list."""
    found = notes.get("loss_totals")
    told: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    listed: dict[str, list[Loss]] = {}
    for one in losses(notes):
        listed.setdefault(one.kind, []).append(one)
    totals = (_total(kind, told.get(kind), listed.get(kind, [])) for kind in {**told, **listed})
    return tuple(sorted((one for one in totals if one.records), key=lambda one: (-one.records, one.kind)))


def _total(kind: str, told: Any, listed: list[Loss]) -> LossTotal:
    said: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    times = [one.at for one in listed if one.at]
    counts = [one.count for one in listed if one.count is not None]
    return LossTotal(
        kind=kind,
        records=max(_number(said, "records") or 0, len(listed)),
        count=_number(said, "count") if said else sum(counts) if counts else None,
        first=_time(said.get("first")) or min(times, default=None),
        last=_time(said.get("last")) or max(times, default=None),
    )


def other_lines(notes: Mapping[str, Any]) -> tuple[OtherLines, ...]:
    """Most lines first."""
    found = [
        OtherLines(
            program=_text(one, "program"),
            count=_number(one, "count") or 0,
            number=_number(one, "number"),
            offset=_number(one, "offset"),
            text=_text(one, "text"),
        )
        for one in _entries(notes, "other_lines")
    ]
    return tuple(sorted(found, key=lambda one: (-one.count, one.program, one.number or 0)))


def _entries(notes: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    found = notes.get(key)
    if isinstance(found, list | tuple):
        yield from (one for one in found if isinstance(one, Mapping))


def _text(one: Mapping[str, Any], key: str) -> str:
    value = one.get(key)
    return value if isinstance(value, str) else ""


def _number(one: Mapping[str, Any], key: str) -> int | None:
    value = one.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _time(value: Any) -> datetime | None:
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int) and not isinstance(value, bool):
            return _EPOCH + timedelta(microseconds=value)
    except (ValueError, OverflowError):
        return None
    return None
