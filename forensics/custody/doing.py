"""How far the command is that holds a case: said in `CASE/.doing` while it runs, for whoever asks from elsewhere.

The file is no part of the case: no digest covers it, no bag has it, and it goes when the case is let go of. One that a
killed command left counts only together with the lock of that very command (`lock`).
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from forensics.case import Case
from forensics.custody import canonical, lock
from forensics.custody.chain import Clock, now, stamp
from forensics.progress import At, Both, Progress, Watch

EVERY = 1.0
"""Seconds between two notes."""
MOST = 1 << 16
"""Bytes that are read of a note."""


@dataclass(frozen=True)
class Doing:
    """The command that holds the case, or held it when it ended without letting go.

    `running`: True where the system sees that it holds the lock, False where it ended, None for another machine, of
    which it cannot be seen. `since`, `told`: UTC; `at`: where it was then, None when it has not said.
    """

    action: str
    user: str
    host: str
    process: str
    since: str
    running: bool | None
    at: At | None
    told: str | None


class _Note:
    """Writes where the command is to the case. `said`: what the lock says of this command."""

    def __init__(self, case: Case, said: Mapping[str, str], clock: Clock) -> None:
        self._place = case.folder / lock.DOING
        self._aside = case.folder / f"{lock.DOING}-{secrets.token_hex(8)}"
        self._said = said
        self._clock = clock
        self._able = True

    def write(self, at: At) -> None:
        if not self._able:
            return
        text = json.dumps({"by": dict(self._said), "at": asdict(at), "told": stamp(self._clock())})
        try:
            with self._aside.open("w", encoding="utf-8") as file:
                file.write(text)
            self._aside.replace(self._place)
        except OSError:
            # A full disk ends the command where the case is written, with its own words; a note must not.
            self._able = False
            self._aside.unlink(missing_ok=True)


def kept(case: Case, progress: Progress | None, *, clock: Clock = now, every: float = EVERY) -> Progress:
    """A progress that others can ask for, too, while this process holds the case's lock."""
    watch = Watch(_Note(case, lock.said(case), clock).write, every=every)
    return Both(watch, progress) if progress is not None else watch


def read(case: Case) -> Doing | None:
    """Who is at work on the case and how far, or who was when it ended; None where the case was let go of. Takes no
    lock and writes nothing."""
    said, running = lock.seen(case)
    if not said:
        return None
    note: Any = {}
    try:
        note = canonical.load(_start(case.folder / lock.DOING))
        at = At(**note["at"]) if note["by"] == said else None
    except (OSError, ValueError, TypeError, KeyError):
        at = None  # not written yet, or not by this program
    who = {name: said.get(name, "") for name in ("action", "user", "host", "process", "since")}
    return Doing(**who, running=running, at=at, told=str(note["told"]) if at else None)


def _start(place: Path) -> bytes:
    fd = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return os.read(fd, MOST)
    finally:
        os.close(fd)
