"""The chain of hand-overs: who gave what to whom, when, where and why, as people state it in the custody log.

A hand-over is an entry `hand-over` whose details are `{from, to, at, what, place, why}`; `at` is a day (2023-06-01) or
a moment in ISO 8601, UTC. The log says when it was written down, which is later. ISO/IEC 27037:2012, 6.1: a
chain-of-custody record has who accessed the evidence, when and where it was checked in and out, why, and what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from forensics.custody import log
from forensics.custody.chain import Clock, now
from forensics.errors import UsageError

ACTION = "hand-over"


@dataclass(frozen=True)
class HandOver:
    """One hand-over. `entry`: its number in the custody log."""

    entry: int
    given_by: str
    taken_by: str
    at: str
    what: str
    place: str
    why: str


def details(
    given_by: str, taken_by: str, at: str, what: str, place: str = "", why: str = "", *, clock: Clock = now
) -> Mapping[str, str]:
    """What the custody log keeps. Raises UsageError when a party, the thing or the time is missing or impossible."""
    for option, text in (("--from", given_by), ("--to", taken_by), ("--what", what)):
        if not text.strip():
            raise UsageError(f"{option}: nothing is named", expected="who gave what to whom")
    if _party(given_by) == _party(taken_by):
        raise UsageError(f"--from and --to: both are {given_by.strip()}", expected="two parties")
    said = _time(at)
    if begins(said) > clock():
        raise UsageError(f"--at {at}: lies in the future", expected="when it was handed over")
    kept = {"from": given_by, "to": taken_by, "at": said, "what": what, "place": place, "why": why}
    return {name: text.strip() for name, text in kept.items()}


def _time(text: str) -> str:
    """A bare day stays one: the hour that nobody stated is not made up."""
    try:
        if len(text) == len("2023-06-01"):
            return date.fromisoformat(text).isoformat()
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        raise UsageError(
            f"--at {text}: is no time", expected="2023-06-01 or 2023-06-01T08:00, UTC unless it has an offset"
        ) from None


def begins(at: str) -> datetime:
    """The first moment of a day, or the moment."""
    if len(at) == len("2023-06-01"):
        return datetime.combine(date.fromisoformat(at), time(), UTC)
    return datetime.fromisoformat(at)


def read(entries: Iterable[Mapping[str, Any]]) -> tuple[HandOver, ...]:
    """The hand-overs among the custody log's entries, in order of the time that they tell, then of entry."""
    found = list(_read(entries))
    return tuple(sorted(found, key=lambda one: (begins(one.at), one.entry)))


def _read(entries: Iterable[Mapping[str, Any]]) -> Iterator[HandOver]:
    for entry in entries:
        if entry.get("action") != ACTION:
            continue
        told = log.details(entry)
        names = ("from", "to", "at", "what", "place", "why")
        one = HandOver(int(entry["sequence"]), *(str(told.get(name, "")) for name in names))
        try:
            begins(one.at)
        except ValueError:  # an entry that was not written by `details`; `verify` holds the log to its digests
            continue
        yield one


def gaps(chain: Iterable[HandOver]) -> tuple[str, ...]:
    """Where the next hand-over of a thing was not by whoever had it, in words; things are told apart by their name."""
    holder: dict[str, HandOver] = {}
    out = []
    for one in chain:
        before = holder.get(_party(one.what))
        if before and _party(before.taken_by) != _party(one.given_by):
            out.append(
                f"{one.what}: entry {before.entry} gives it to {before.taken_by}, "
                f"entry {one.entry} takes it from {one.given_by}"
            )
        holder[_party(one.what)] = one
    return tuple(out)


def _party(name: str) -> str:
    return " ".join(name.split()).casefold()


__all__ = ["ACTION", "HandOver", "begins", "details", "gaps", "read"]
