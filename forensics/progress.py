"""How far a long command is: what is reported while work is done, and what a person is told of it.

A step is reported by calling `progress(step, done, total)`. Both count the step's unit, and total is 0 where nobody can
know it. Rate and time left are worked out here, from what was done in the last seconds, for all who show them.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

Progress = Callable[[str, int, int], None]
"""progress(step, done, total): the step is one of STEPS or says itself what is done; done and total are of its unit."""

STEPS = {
    "compile": ("Compiling, only once", "functions"),
    "discover": ("Looking at files", "files"),
    "known": ("Digesting what may be known", "bytes"),
    "survey": ("Surveying", "bytes"),
    "compare": ("Comparing files", "bytes"),
    "read": ("Reading", "bytes"),
    "join": ("Joining", "rows"),
    "write": ("Writing", "rows"),
    "keep": ("Recording tables", "bytes"),
    "digest": ("Digesting what tables hold", "bytes"),
    "detect": ("Weighing", "steps"),
    "gather": ("Gathering what is reported", "steps"),
    "report": ("Reporting", "formats"),
    "tables": ("Checking tables", "bytes"),
    "count": ("Holding tables against each other", "rows"),
    "verify": ("Verifying", "bytes"),
    "cited": ("Re-reading cited records", "rows"),
    "copy": ("Copying", "bytes"),
}
"""step: (what it does, what it counts). Bytes are stored ones where a step reads what is packed, `read` excepted."""
WINDOW = 20.0
"""Seconds that the rate is of."""
EVERY = 0.5
"""Seconds between two reports that are passed on."""


class Follower(Protocol):
    """A progress that wants to know the file that is worked at, too: it has `current`."""

    def __call__(self, step: str, done: int, total: int, /) -> None: ...

    def current(self, file: str) -> None: ...


def current(progress: Progress | None, file: str) -> None:
    """Say which file (its display name) is worked at, where the progress wants to know."""
    tell = getattr(progress, "current", None)  # of a protocol, isinstance takes longer than to read a small file
    if tell is not None:
        tell(file)


@dataclass(frozen=True)
class At:
    """Where a command is. `total` 0: not known; `rate`: units a second; `left`: seconds, None where nobody knows."""

    step: str
    what: str
    done: int
    total: int
    unit: str
    file: str | None
    elapsed: float
    """Seconds since the step began."""
    rate: float | None
    left: float | None


class Watch:
    """A `Follower` that any thread may call. It hands on where the command is: when a step begins and when it is done,
    and in between at most every EVERY seconds."""

    def __init__(
        self, tell: Callable[[At], None], *, every: float = EVERY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._every = every
        self._clock = clock
        self._lock = threading.Lock()
        self._step = ""
        self._file: str | None = None
        self._begun = self._told = 0.0
        self._complete = False
        self._seen: deque[tuple[float, int]] = deque()

    def current(self, file: str) -> None:
        self._file = file

    def __call__(self, step: str, done: int, total: int) -> None:
        with self._lock:
            now = self._clock()
            anew = step != self._step or (bool(self._seen) and done < self._seen[-1][1])
            if step != self._step:
                self._file = None
            if anew:
                self._step, self._begun = step, now
                self._seen.clear()
            complete = bool(total) and done >= total
            if not anew and (now - self._told < self._every or self._complete) and complete == self._complete:
                return
            self._complete = complete
            self._told = now
            self._seen.append((now, done))
            while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW:
                self._seen.popleft()
            self._tell(self._at(now, done, total))

    def _at(self, now: float, done: int, total: int) -> At:
        what, unit = STEPS.get(self._step, (self._step, "steps"))
        since, before = self._seen[0]
        rate = (done - before) / (now - since) if now > since and done > before else None
        left = max(total - done, 0) / rate if rate and total else None
        return At(self._step, what, done, total, unit, self._file, now - self._begun, rate, left)


class Both:
    """A `Follower` of which two others hear."""

    def __init__(self, one: Progress, other: Progress) -> None:
        self._all = (one, other)

    def __call__(self, step: str, done: int, total: int) -> None:
        for each in self._all:
            each(step, done, total)

    def current(self, file: str) -> None:
        for each in self._all:
            current(each, file)


@contextmanager
def if_interrupted(kept: str) -> Iterator[None]:
    """Whoever presses Ctrl-C within is told what is kept."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(kept)
        raise


class Meter:
    """Counts what several threads have done of one step."""

    def __init__(self, progress: Progress | None, step: str, total: int) -> None:
        self._progress = progress
        self._step = step
        self._total = total
        self._done = 0
        self._lock = threading.Lock()
        self.add(0)

    def of(self, file: str, most: int) -> Part:
        """One file's part of it."""
        return Part(self, file, most)

    def add(self, count: int, file: str = "") -> None:
        """Never more than there is."""
        if self._progress is None:
            return
        with self._lock:
            if file:
                current(self._progress, file)
            self._done = min(self._done + count, self._total)
            self._progress(self._step, self._done, self._total)


class Part:
    """What is done of one file, `most` at the most: what is read twice counts once, what need not be read is done."""

    def __init__(self, meter: Meter, file: str, most: int) -> None:
        self._meter = meter
        self._file = file
        self._left = most

    def add(self, count: int) -> None:
        count = min(count, self._left)
        self._left -= count
        self._meter.add(count, self._file)

    def finish(self) -> None:
        self.add(self._left)


def words(at: At) -> str:
    """`1.2 GB of 3.5 GB (34 %), 210.0 MB/s, 11 s left`; nothing of a step that does not say how much there is."""
    if not at.total and not at.done:
        return ""
    whole = f"{_much(at.done, at.unit)} of {_much(at.total, at.unit)}" if at.total else _much(at.done, at.unit)
    said = [whole + (f" ({100 * at.done // at.total} %)" if at.total else "")]
    if at.rate is not None:
        said.append(f"{_much(at.rate, at.unit)}/s")
    if at.left is not None:
        said.append(f"{span(at.left)} left")
    return ", ".join(said)


def _much(count: float, unit: str) -> str:
    if unit != "bytes":
        return f"{count:,.0f} {unit}" if count >= 10 or count == int(count) else f"{count:.1f} {unit}"
    for power, name in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if count >= 1000**power:
            return f"{count / 1000**power:.1f} {name}"
    return f"{count:,.0f} bytes"


def span(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `2 h 5 min`."""
    whole = max(int(seconds + 0.5), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
