"""One writer at a time: the operating system's lock on `CASE/.lock`.

The file is empty unless somebody holds the lock; then it says who. The kernel lets go of the lock when its holder ends,
however it ends, so nobody has to be asked whether a lock is stale. That holds inside one machine: on a shared file
system the lock of another machine may not be seen, so what the file says of another machine counts until somebody
breaks it.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from forensics.case import Case
from forensics.custody import canonical, flock, log
from forensics.custody.chain import Clock, now, stamp
from forensics.errors import CaseInUse, MachineError, naming, refuse_without_locks

NAME = ".lock"
DOING = ".doing"
"""What the holder says of how far it is (`doing`); it goes with the lock."""
STEP = 0.2
"""Seconds between two attempts of a command that waits."""

ATTEMPTS, SHORT = 4, 0.02
"""Of a command that does not wait, seconds between them: `seen` holds the lock for the moment of its look."""

Sleep = Callable[[float], None]


@contextlib.contextmanager
def held(
    case: Case,
    action: str,
    *,
    wait: bool = False,
    break_lock: bool = False,
    clock: Clock = now,
    sleep: Sleep = time.sleep,
) -> Iterator[Mapping[str, str] | None]:
    """Hold the case's lock; the folder is made when it is not there. Gives what a lock that was broken said, else None.

    With `wait` a lock of this machine is waited for; `break_lock` takes over from another machine. Raises CaseInUse,
    which names who holds the lock, since when and for what; MachineError on a system without locks; OSError.
    """
    refuse_without_locks()
    fresh = not case.folder.exists()
    case.folder.mkdir(parents=True, exist_ok=True)
    place = case.folder / NAME
    try:
        fd = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise MachineError(
            f"{case.folder}: cannot be written ({error.strerror}), and {action} records in the case what it does",
            remedy="let this user write there, or work on a copy of the case",
        ) from None
    try:
        _take(fd, case, wait, sleep)
        broken = _of_another_machine(fd)
        if broken and not break_lock:
            raise _in_use(
                case, broken, "a lock of another machine is not seen to end: when nobody works there, --break-lock"
            )
        said = {
            "action": action,
            "host": log.host(),
            "user": log.user(),
            "process": str(os.getpid()),
            "since": stamp(clock()),
        }
        with naming(place):
            _write(fd, json.dumps(said, sort_keys=True))
        try:
            yield broken
        finally:
            (case.folder / DOING).unlink(missing_ok=True)
            _write(fd, "")
    finally:
        os.close(fd)
        if fresh:
            _leave_nothing(case.folder, place)


def holder(case: Case) -> Mapping[str, str] | None:
    """Who holds the lock now (action, host, user, since), as the file says; None where nobody does."""
    found, running = seen(case)
    return found if found and running is not False else None


def said(case: Case) -> Mapping[str, str]:
    """What the lock says of its holder, or of the last one, when that did not let go of it; empty where nothing."""
    return seen(case)[0]


def seen(case: Case) -> tuple[Mapping[str, str], bool | None]:
    """What the lock says, and whether who said it holds it still; None for another machine, of which that is not
    seen."""
    try:
        fd = os.open(case.folder / NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return {}, False
    try:
        words = _said(fd)
        if words and words.get("host") != log.host():
            return words, None
        flock.shared(fd)
    except BlockingIOError:
        return _said(fd), True
    finally:
        os.close(fd)
    return words, False


def _take(fd: int, case: Case, wait: bool, sleep: Sleep) -> None:
    for attempt in itertools.count(1):
        try:
            flock.exclusive(fd)
            return
        except BlockingIOError:
            if not wait and attempt == ATTEMPTS:
                raise _in_use(case, _said(fd), "try again when it has ended, or give --wait") from None
        sleep(STEP if wait else SHORT)


def _of_another_machine(fd: int) -> Mapping[str, str] | None:
    said = _said(fd)
    return said if said and said.get("host") != log.host() else None


def _said(fd: int) -> Mapping[str, str]:
    try:
        said = canonical.load(os.pread(fd, 4096, 0))
        return {str(key): str(value) for key, value in said.items()}
    except (ValueError, AttributeError, OSError):
        return {}


def _in_use(case: Case, said: Mapping[str, str], remedy: str) -> CaseInUse:
    who = "another command"
    if said:
        who = f"missent {said.get('action')}, user {said.get('user')} on {said.get('host')}"
        who += f", process {said.get('process')}, since {said.get('since')}"
    return CaseInUse(f"{case.folder}: in use by {who}", remedy=remedy)


def _write(fd: int, text: str) -> None:
    os.ftruncate(fd, 0)
    os.pwrite(fd, text.encode(), 0)


def _leave_nothing(folder: Path, place: Path) -> None:
    """A folder that this command made and put nothing else into goes again."""
    if [one.name for one in folder.iterdir()] == [place.name]:
        place.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()


__all__ = ["DOING", "held", "holder", "said", "seen"]
