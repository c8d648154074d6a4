"""What was checked, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forensics import errors
from forensics.custody.entries import EvidenceEntry

SHOWN = 10
"""Faults that are told of one check."""


@dataclass(frozen=True)
class Check:
    """One thing that was checked. `ok` is None when there was nothing to check."""

    name: str
    ok: bool | None
    text: str


@dataclass(frozen=True)
class Verification:
    """`ok`: no check failed; None where nothing can be said."""

    ok: bool | None
    checks: tuple[Check, ...]
    kind: str = "case"
    """`case`, `bag` or `report`."""
    told: str = "everything is as it was recorded"
    """What it comes to, in words, where no check failed."""

    @property
    def exit_code(self) -> int:
        return {True: errors.OK, False: errors.VERIFICATION_FAILED, None: errors.CANNOT_TELL}[self.ok]


def checked(name: str, faults: Sequence[str], right: str, remarks: Iterable[str] = ()) -> Check:
    """A check that failed with these faults or, without any, found what is `right`, and remarks of it."""
    if faults:
        more = f"; and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else ""
        return Check(name, False, "; ".join(faults[:SHOWN]) + more)
    return Check(name, True, "; ".join([right, *remarks]))


def counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def named(one: EvidenceEntry) -> str:
    return one.names[0] if one.names else one.id[:16]
