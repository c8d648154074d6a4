"""Which pairs and findings the queue shows: the filters of the address line, and the neighbours of a pair."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from urllib.parse import urlencode

from forensics import domains
from forensics.review.web.book import DAY, Book, Pair, Row
from forensics.review.web.standing import STATES, Bench
from forensics.schema import EXPOSURES, LEVELS

EXTRA_STATES = ("second", "differs", "new")
"""Somebody else has ruled and the reviewer has not; reviewers disagree; not there at the last visit."""


@dataclass(frozen=True)
class Filters:
    """Empty: everything. `since` and `until` are days (ISO 8601, UTC, both included); `pair` and `sender` parts of
    names."""

    level: str = ""
    exposure: str = ""
    state: str = ""
    pair: str = ""
    sender: str = ""
    since: str = ""
    until: str = ""

    def query(self, **more: str | int) -> str:
        """The address line's query: `?level=high&at=…`."""
        given = {key: value for key, value in {**asdict(self), **more}.items() if value}
        return "?" + urlencode(given) if given else "?"

    def __bool__(self) -> bool:
        return any(asdict(self).values())


def filters(given: Mapping[str, str]) -> Filters:
    """Filters of an address line; what is none is left out."""
    allowed = {"level": LEVELS, "exposure": EXPOSURES, "state": (*STATES, *EXTRA_STATES)}
    out = {}
    for key in Filters.__dataclass_fields__:
        value = given.get(key, "").strip()
        fits = _is_day(value) if key in ("since", "until") else key not in allowed or value in allowed[key]
        if value and fits:
            out[key] = value[:200]
    return Filters(**out)


@dataclass(frozen=True)
class Chosen:
    """The pairs that have a finding left, each with those findings."""

    pairs: tuple[Pair, ...]
    rows: Mapping[str, tuple[Row, ...]]
    findings: int

    def place(self, pair: str) -> int:
        """Where a pair stands; -1 when it is left out."""
        return next((n for n, one in enumerate(self.pairs) if one.id == pair), -1)

    def beside(self, pair: str, step: int) -> str:
        """The pair before (-1) or after (1); empty at the ends."""
        at = self.place(pair) + step
        return self.pairs[at].id if self.place(pair) >= 0 and 0 <= at < len(self.pairs) else ""

    def next_open(self, pair: str, bench: Bench) -> str:
        """The next pair with an open finding, from this one on and round; else the pair itself."""
        at = max(self.place(pair), 0)
        for one in (*self.pairs[at + 1 :], *self.pairs[: at + 1]):
            if bench.states(one)["open"]:
                return one.id
        return pair


def choose(book: Book, bench: Bench, wanted: Filters, new: Collection[str]) -> Chosen:
    """Apply filters; `new` are findings that were not there at the last visit."""
    pairs, left, anything = [], {}, bool(wanted)
    for pair in book.pairs:
        rows = pair.findings
        if anything:
            names = " ".join((*pair.pair, *map(domains.u_label, pair.pair)))
            if wanted.pair and wanted.pair.lower() not in names:
                continue
            rows = tuple(row for row in rows if _fits(row, bench, wanted, new))
        if rows:
            pairs.append(pair)
            left[pair.id] = rows
    return Chosen(tuple(pairs), left, sum(map(len, left.values())))


def _fits(row: Row, bench: Bench, wanted: Filters, new: Collection[str]) -> bool:
    at = row["at"] // DAY if row["at"] is not None else None
    return (
        wanted.level in ("", row["level"])
        and wanted.exposure in ("", row["exposure"])
        and (not wanted.sender or wanted.sender.lower() in (row["sender"] or "").lower())
        and (not wanted.since or (at is not None and at >= _day(wanted.since)))
        and (not wanted.until or (at is not None and at <= _day(wanted.until)))
        and _stands(row["delivery_id"], bench, wanted.state, new)
    )


def _stands(delivery: str, bench: Bench, state: str, new: Collection[str]) -> bool:
    standing = bench.by_finding[delivery]
    if state == "second":
        return standing.hidden
    if state == "differs":
        return standing.differs
    if state == "new":
        return delivery in new
    return state in ("", standing.state)


def _day(text: str) -> int:
    """Days since 1970 of a day that `_is_day`."""
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
