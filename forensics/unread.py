"""What of a case's evidence was not read: how much, where, and why, with an example of each reason.

`accounts` says what counts as read; here stands what people are told of the rest, in the verdict and beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from forensics import accounts, errors

REASONS = 3
"""Reasons that are told, the commonest; the table `unread` has every record."""
KIND_SQL = """regexp_replace(reason, '[''"].*[''"]', '…')"""
"""SQL: a reason without the value that it quotes, so that one reason is one whatever the record holds."""

_ANEW = "export it anew and hand it in unopened: a spreadsheet or a cut changes such files"
_REMEDIES = (
    (r"spreadsheet", _ANEW),
    (
        r"Postfix record (?:under a tag|behind a head)",
        "if the program that the record begins with hands on what others wrote (the tag of a container, the user of "
        '`logger`), and only then, give it in case.toml, carriers = ["PROGRAM"] of [[sources]], and ingest again',
    ),
    (
        r"time|stamp|year|zone",
        "if only year or zone are missing, give --year, --timezone or [[sources]] in case.toml; else hand in the log "
        "as the server wrote it",
    ),
    (r"column|header|quot|JSON", _ANEW),
    (r"recipient", "export it with all columns: without the recipients nothing can be told"),
)
"""By what a reason says, what people can do; the first that fits."""
_ELSE = "look at it; if it may bear on a delivery, hand in the log as the server wrote it, or send the record in"


class Entry(accounts.Account, Protocol):
    """One evidence as the manifest has it."""

    @property
    def id(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def first(self) -> str | None: ...
    @property
    def last(self) -> str | None: ...
    @property
    def damage(self) -> str | None: ...


@dataclass(frozen=True)
class UnreadReason:
    """Records that could not be read for one reason, and the first of them as an example."""

    reason: str
    records: int
    file: str
    """Name of the evidence that the example lies in."""
    number: int
    offset: int
    """In the decompressed content."""
    text: str
    """The record as it stands there, at most 4 KiB of it: untrusted."""
    remedy: str


@dataclass(frozen=True)
class NotRead:
    """What of the evidence was not read. `files` and `systems` are those of which nothing was (`accounts`)."""

    records: int
    of: int
    """Records that bear on deliveries, or may."""
    first: datetime | None
    last: datetime | None
    """Of the evidence that the unread records lie in; None where none of its records has a time."""
    files: tuple[str, ...]
    systems: tuple[str, ...]
    damaged: tuple[str, ...]
    """Files that could be read only up to a point."""
    reasons: tuple[UnreadReason, ...]
    skipped: int
    """Files that were given and are no evidence: not opened, or not recognised."""

    @property
    def all(self) -> bool:
        """Whether there was something to read and nothing of it was."""
        return self.records > 0 and self.records == self.of

    @property
    def exit_code(self) -> int:
        return errors.NOTHING_READ if self.systems else errors.OK

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a verdict has to say of it; none when all was read."""
        out = []
        if self.all:
            out.append(f"All {self.of:,} records that may bear on deliveries are unread.")
        elif self.records:
            span = f"files of {days(self.first, self.last)}" if self.first and self.last else "files without a time"
            out.append(
                f"{self.records:,} of {self.of:,} records that may bear on deliveries "
                f"({accounts.percent(self.records, self.of)}) could not be read, in {span}: this verdict says nothing "
                "of them."
            )
            if self.files:
                out.append(f"Nothing was read of {few(self.files)}.")
        if self.damaged:
            out.append(f"Only a part could be read of {few(self.damaged)}.")
        if self.skipped:
            out.append(f"{self.skipped:,} of the files given {'was' if self.skipped == 1 else 'were'} not read at all.")
        return tuple(out)


def not_read(connection: Any, evidence: Sequence[Entry], skipped: int) -> NotRead:
    """`connection`: DuckDB with the view `unread`; `skipped`: files that were given and are no evidence."""
    lacking = [one for one in evidence if one.unread]
    ends = [datetime.fromisoformat(at) for one in lacking for at in (one.first, one.last) if at]
    return NotRead(
        records=sum(one.unread for one in evidence),
        of=accounts.bearing(evidence),
        first=min(ends, default=None),
        last=max(ends, default=None),
        files=tuple(one.names[0] for one in accounts.unread_files(evidence)),
        systems=accounts.unread_systems(evidence),
        damaged=tuple(one.names[0] for one in evidence if one.damage),
        reasons=reasons(connection, {one.id: one.names[0] for one in evidence}) if lacking else (),
        skipped=skipped,
    )


def reasons(connection: Any, names: Mapping[str, str]) -> tuple[UnreadReason, ...]:
    """The commonest reasons of the view `unread`. `names`: what each evidence is called, by id, in the order by which
    the first example is the first."""
    order = {one: n for n, one in enumerate(names)}
    found = connection.sql(
        f"""SELECT {KIND_SQL} AS kind, count(*) AS n FROM unread GROUP BY 1 ORDER BY n DESC, kind LIMIT {REASONS}"""
    ).fetchall()
    out = []
    for kind, count in found:
        quoted = kind.replace("'", "''")
        firsts = connection.sql(
            f"""SELECT evidence, min(number) FROM unread WHERE {KIND_SQL} = '{quoted}' GROUP BY 1"""
        ).fetchall()
        name, number = min(firsts, key=lambda one: order.get(one[0], len(order)))
        offset, raw = connection.sql(
            f"""SELECT "offset", raw FROM unread WHERE evidence = '{name}' AND number = {number}"""
        ).fetchall()[0]
        out.append(UnreadReason(kind, count, names.get(name, name), number, offset, readable(raw), remedy(kind)))
    return tuple(out)


def readable(raw: bytes) -> str:
    """A record's bytes as text; in UTF-16, every other byte of which is nought where it is English, without a mark."""
    for encoding, zeros in (("utf-16-le", raw[1::2]), ("utf-16-be", raw[::2])):
        if len(raw) > 8 and zeros.count(0) * 2 > len(zeros):
            return raw[: len(raw) // 2 * 2].decode(encoding, "backslashreplace")
    return raw.decode("utf-8", "backslashreplace")


def remedy(reason: str) -> str:
    """What people can do about records that are unread for this reason."""
    return next((words for what, words in _REMEDIES if re.search(what, reason, re.IGNORECASE)), _ELSE)


def few(names: Iterable[str], most: int = 3) -> str:
    """The names, or how many there are.

    >>> few(["a", "b"]), few(["a", "b"], 1), few("abcde")
    ('a, b', '2 files', 'a, b, c and 2 more')
    """
    every = list(names)
    if len(every) <= most:
        return ", ".join(every)
    return f"{len(every):,} files" if most == 1 else f"{', '.join(every[:most])} and {len(every) - most:,} more"


def days(first: datetime, last: datetime) -> str:
    """`4 March 2024 to 6 March 2024`, or the one day.

    >>> days(datetime(2024, 3, 4, 8), datetime(2024, 3, 4, 9))
    '4 March 2024'
    """
    names = [f"{at.day} {at:%B %Y}" for at in (first, last)]
    return names[0] if names[0] == names[1] else " to ".join(names)
