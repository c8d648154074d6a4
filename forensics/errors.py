"""Every error a user can meet, as one tree.

    MissentError                     exit code
    ├── UsageError                   2   the command or case.toml says something impossible
    │   ├── CaseError                2   the case folder is missing, damaged or of another version
    │   └── AmbiguousTime            2   a year, zone or date order that the evidence leaves open
    ├── EvidenceError                3   a source that cannot be opened, decompressed or recognised
    └── VerificationFailed           4   evidence, tables or the custody log are not what they were

An error names what it is about, what was expected and what to do; the command line prints the three
on separate lines and never a traceback.
"""

from __future__ import annotations


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


class AmbiguousTime(UsageError):
    """Stamps without year, zone or date order that nothing in the evidence decides."""


class EvidenceError(MissentError):
    """A source that cannot be opened, decompressed or recognised as a mail log."""

    exit_code = 3


class VerificationFailed(MissentError):
    """Evidence, tables or custody log differ from what the case recorded."""

    exit_code = 4
