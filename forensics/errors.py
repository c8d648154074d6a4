"""Every error a user can meet, as one tree, and what each exit code of the command says.

    MissentError                     exit code
    ├── UsageError                   2   the command or case.toml says something impossible
    │   ├── CaseError                2   the case folder is missing, damaged or of another version
    │   ├── OrganisationDiffers      2   other domains than the case's, without a word on what becomes of those
    │   ├── CaseChanged              2   a ruling on findings or verdicts that have changed since they were shown
    │   └── AmbiguousTime            2   a year, zone or date order that the evidence leaves open
    ├── EvidenceError                3   a source that cannot be opened, decompressed or recognised
    │   └── ForeignLog               3   a log of other programs than the loader's
    ├── VerificationFailed           4   evidence, tables or the custody log are not what they were
    ├── MachineError                 6   no room, no permission, a fault of the disk, no memory
    │   └── EvidenceChanged          6   evidence that changed while it was read
    └── CaseInUse                    7   another command holds the case

An error names what it is about, what was expected and what to do; the command line prints the three
on separate lines and never a traceback. The codes 0, 1, 3, 5 and 8 are also results: see EXIT_CODES.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OK, FINDINGS, NOTHING_READ, VERIFICATION_FAILED, NOTHING_WEIGHED, MACHINE, IN_USE, CANNOT_TELL, INTERRUPTED, UNHEARD = (
    0,
    1,
    3,
    4,
    5,
    6,
    7,
    8,
    130,
    141,
)

EXIT_CODES: Mapping[int, str] = {
    OK: "looked, with or without findings; a lesser part may be unread, which the verdict says",
    FINDINGS: "findings of level medium or above, only with --fail-on-findings",
    2: "usage: the command or case.toml says something impossible",
    NOTHING_READ: "nothing was read, or nothing of the only evidence or of a system of two files or more; where the "
    "evidence was recognised, case and report are written all the same",
    VERIFICATION_FAILED: "verification failed",
    NOTHING_WEIGHED: "from detect and run: read, but no outbound delivery of the organisation in the period, so that "
    "nothing could be weighed; `missent report` works all the same",
    MACHINE: "the machine: no room, no permission, a fault of the disk, or evidence that changed while it was read",
    IN_USE: "the case is in use by another command (--wait waits for it)",
    CANNOT_TELL: "from verify: a report without a seal beside it, of which nothing can be said",
    INTERRUPTED: "interrupted (Ctrl-C); the case is as it was before, or the step that was being written is complete",
    UNHEARD: "the program that read the output ended first (a closed pipe), so that this says nothing of the result",
}
"""What each exit code says, in the words of `missent --help` and docs/commands.md. Where two would do, the one that
stands first here among 1, 3 and 5 is given."""


class MissentError(Exception):
    """Base of all errors meant for a person.

    `what` names the file, record or option; `expected` what would have been right; `remedy` what to do.
    """

    exit_code = 2

    def __init__(self, what: str, *, expected: str | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.remedy = remedy

    def __str__(self) -> str:
        parts = [self.what]
        if self.expected:
            parts.append(f"expected: {self.expected}")
        if self.remedy:
            parts.append(f"to do: {self.remedy}")
        return "\n  ".join(parts)


class UsageError(MissentError):
    """The command line, a Python call or case.toml asks for something that cannot be."""


class CaseError(UsageError):
    """The case folder is missing, incomplete or written by another version."""


class OrganisationDiffers(UsageError):
    """Other domains of the organisation than the case has; whether they are added or take their place was not said."""


class CaseChanged(UsageError):
    """Findings or verdicts are not those that were shown to the person who rules on them."""


class AmbiguousTime(UsageError):
    """Stamps without year, zone or date order that nothing in the evidence decides."""


class EvidenceError(MissentError):
    """A source that cannot be opened, decompressed or recognised as a mail log."""

    exit_code = NOTHING_READ


class ForeignLog(EvidenceError):
    """A log of other programs: whoever raises it found nothing of its own there, so another name may fit better."""


class VerificationFailed(MissentError):
    """Evidence, tables or custody log differ from what the case recorded."""

    exit_code = VERIFICATION_FAILED


class MachineError(MissentError):
    """The machine did not do what was asked of it: no room, no permission, a fault of the disk, no memory."""

    exit_code = MACHINE


class ClusterLost(MachineError):
    """The scheduler or the workers of a cluster went away."""


class EvidenceChanged(MachineError):
    """Evidence was not the same at the second reading as at the first."""


def refuse_without_locks() -> None:
    """Raises MachineError where Python has no `fcntl`, which is on Windows: without its locks two commands could write
    one case at once."""
    try:
        import fcntl  # noqa: F401
    except ImportError:
        raise MachineError(
            "Missent does not run on Windows itself: Python has no fcntl here, whose locks keep a case whole",
            expected="Linux or macOS",
            remedy="install it in the Windows Subsystem for Linux (`wsl --install`, then as on Linux); it reads logs "
            "of Windows below /mnt/c",
        ) from None


_ROOM = "make room there, or name another place (--case, --out), then run again"
_LEAVE = "let this user do that, or name another place (--case, --out), then run again"
_PLACE = "name another place"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EACCES: _LEAVE,
    errno.EPERM: _LEAVE,
    errno.EROFS: _LEAVE,
    errno.ENOENT: "see that it is there and stays there, then run again",
    errno.EMFILE: "let this process open more files (`ulimit -n`), or give it fewer --workers",
    errno.EISDIR: _PLACE,
    errno.ENOTDIR: _PLACE,
    errno.EEXIST: _PLACE,
    errno.ENAMETOOLONG: _PLACE,
    errno.ELOOP: _PLACE,
}
"""By error number, what a person can do. Permission on evidence is no error of this kind: such a file is named as not
read."""


def system_error(error: OSError | MemoryError, place: object = None) -> MissentError:
    """What the operating system refused, and what to do: a MachineError, or a UsageError where a path was named that
    cannot be one. `place`: where, if the error does not say."""
    if isinstance(error, MemoryError):
        return MachineError("there is not enough memory", remedy="give fewer --workers, or end other programs")
    named = error.filename or place
    why = error.strerror or (str(error).splitlines() or [type(error).__name__])[0]
    remedy = _REMEDIES.get(error.errno or 0, "check the file and the disk it lies on, then run again")
    kind = UsageError if remedy is _PLACE else MachineError
    return kind(f"{named}: {why}" if named else why, remedy=remedy)


@contextlib.contextmanager
def naming(place: str | os.PathLike[str], *, always: bool = False) -> Iterator[None]:
    """The system's errors within name this place, where they name none (a full disk does not say which file it is), or
    `always`, where a name is made for the moment only."""
    try:
        yield
    except OSError as error:
        if always or error.filename is None:
            error.filename = os.fspath(place)
        raise


class CaseInUse(MissentError):
    """Another command holds the case."""

    exit_code = IN_USE
