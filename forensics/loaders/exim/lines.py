"""One line of an Exim log: when and where it was written, which message it is about, and the rest.

Stamps are local without a zone unless `log_timezone` is set; `log_selector` may add milliseconds to them and the
process id behind them. In syslog the stamp in front is the only one where `syslog_timestamp` is false, and long lines
come in pieces, `[1/2] …`, `[2/2] …`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from forensics.loaders.years import ABSOLUTE, DAY, LOCAL, MONTH_UNIT, NO_TIME, NO_YEAR
from forensics.native.codes import FIRST_YEAR, LAST_YEAR

ID = r"[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})"
"""A message id: 16 characters; 23 since Exim 4.97."""
_BYTES = ID.encode()
_CLOCK = rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?"
_STAMP = re.compile(_CLOCK + rb"(?: ([+-]\d{4}))? (?:\[\d+\] )?")
_SYSLOG = re.compile(
    rb"(?:<\d{1,3}>)?(?:1 )?(?:" + _CLOCK + rb"(Z|[+-]\d\d:?\d\d)?|([A-Z][a-z]{2}) ([ \d]?\d) (\d\d:\d\d:\d\d))"
    rb" +(?:<[a-z0-9]+\.[a-z0-9]+> +)?(\S{1,255}) +(?:[a-z0-9]+[.:][a-z]+ +)?([^\s\[:]{1,64})(?:\[\d+\])?"
    rb"(?:: +| \d+ \S+ (?:-|\[[^\]]*\]) +)"
)
_PIECE = re.compile(rb"\[(\d+)([/\\])\d+\] ?")
_ID = re.compile(rb"(" + _BYTES + rb") ")
_TELLS = re.compile(rb"(?:<=|\(=|=>|->|>>|\*>|\*\*|==) |Completed")
_OTHERS = re.compile(
    rb"exim \S+ daemon |(?:Start|End) queue run|SMTP connection from|cwd=\S+ \d+ args: |H=[^\n]{1,600}?rejected "
    rb"|Exim configuration error|unable to set gid=|Cannot open main log"
)
_OWN = re.compile(_STAMP.pattern + rb"(?:" + _BYTES + rb" |" + _OTHERS.pattern + rb")")
"""What a line begins with that is Exim's by its stamp alone; one in syslog names its program."""
_SHOWN = re.compile(rf"(?<![^\s=])({ID})(?![^\s\"])|queued as ([0-9a-z]{{5,20}})\b")
_MONTHS = {name: n for n, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHORTEST, LONGEST_HEAD = 16, 1000
"""Bytes of a line by which it is recognised."""
_seconds: dict[tuple[bytes, bytes], int | None] = {}
"""Stamps read before, in microseconds: neighbours share theirs."""


class Line(NamedTuple):
    """A line taken apart. `kind` and `time` are those of `loaders.years`."""

    kind: int
    time: int
    host: bytes | None
    """None in Exim's own files."""
    program: bytes | None
    """Who wrote it, in syslog."""
    piece: tuple[int, bytes] | None
    """(number, `/` or backslash) of a piece of a line."""
    id: bytes | None
    rest: bytes
    """What follows the message id."""


def detect(head: bytes) -> float:
    """0.99 when a line is about a message (0.95 in a syslog that Postfix writes to as well), 0.8 when one is otherwise
    of Exim, else 0. Only what stands behind stamp and program counts: the rest of a line may be an outsider's."""
    best = 0.0
    for raw in head.split(b"\n"):
        if len(raw) < SHORTEST or not (b"exim" in raw or _OWN.match(raw)):
            continue
        line = read(raw[:LONGEST_HEAD])
        if line.kind == NO_TIME or not (line.program is None or line.program.startswith(b"exim")):
            continue
        if line.id and _TELLS.match(line.rest):
            return 0.95 if b"postfix/" in head else 0.99
        if line.id or line.program or _OTHERS.match(line.rest):
            best = 0.8
    return best


def shown_ids(record: str) -> tuple[str, ...]:
    """Message ids in the record, and the queue id behind `queued as`."""
    return tuple(dict.fromkeys(own or other for own, other in _SHOWN.findall(record)))


def read(line: bytes) -> Line:
    """Take a line apart; `kind` is NO_TIME when it has no stamp that can be read."""
    kind, time, host, program, at = NO_TIME, 0, None, None, 0
    syslog = _SYSLOG.match(line) if b": " in line[:400] or b" - " in line[:400] else None
    if syslog and syslog[1] and line[syslog.end(1) :][:1] == b" " and not syslog[9].startswith(b"exim"):
        syslog = None  # Exim's own stamp; what follows it only looks like host and program
    if syslog:
        date, clock, part, zone, month, day, of_day, host, program = syslog.groups()
        at = syslog.end()
        kind, time = _iso(date, clock, part, zone) if date else _packed(month, day, of_day)
    piece = _PIECE.match(line, at) if syslog else None
    at = piece.end() if piece else at
    own = _STAMP.match(line, at)
    if own:
        at = own.end()
        kind, time = _iso(*own.groups())
    about = _ID.match(line, at)
    return Line(
        kind, time, host, program, (int(piece[1]), piece[2]) if piece else None, about[1] if about else None,
        line[about.end() if about else at :],
    )  # fmt: skip


def _iso(date: bytes, clock: bytes, part: bytes | None, zone: bytes | None) -> tuple[int, int]:
    """(kind, microseconds) of a stamp with a year."""
    try:
        time = _seconds[date, clock]
    except KeyError:
        if len(_seconds) > 100_000:
            _seconds.clear()
        time = _seconds[date, clock] = _micros(date, clock)
    if time is None:
        return NO_TIME, 0
    if part:
        time += int(part[:6].ljust(6, b"0"))
    if zone is None:
        return LOCAL, time
    if zone != b"Z":
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        time += (minutes if zone[:1] == b"-" else -minutes) * 60_000_000
    return ABSOLUTE, time


def _micros(date: bytes, clock: bytes) -> int | None:
    try:
        moment = datetime.fromisoformat(f"{date.decode()}T{clock.decode()}+00:00")
    except ValueError:
        return None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    return int((moment - _EPOCH).total_seconds()) * 1_000_000


def _packed(month: bytes, day: bytes, clock: bytes) -> tuple[int, int]:
    """(kind, packed time) of a stamp without a year."""
    number, of_month = _MONTHS.get(month, 0), int(day)
    seconds = _micros(b"2000-01-01", clock)
    if not number or not 1 <= of_month <= 31 or seconds is None:
        return NO_TIME, 0
    return NO_YEAR, number * MONTH_UNIT + of_month * DAY + seconds % DAY
