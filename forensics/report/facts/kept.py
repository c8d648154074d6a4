"""Custody, as far as a report says it: how the evidence was acquired, how far its clocks were off, who handed it over,
and what outsiders attest of the custody log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from forensics.report.facts.base import Raw


@dataclass(frozen=True)
class Said:
    """What somebody states of the evidence, in case.toml; `by`, empty: it does not say who."""

    statement: Annotated[str, Raw("text")]
    by: Annotated[str, Raw("name")]
    on: str | None = None


@dataclass(frozen=True)
class HandedOver:
    """One hand-over, as people told it; `at` a day, or a moment in UTC."""

    given_by: Annotated[str, Raw("name")]
    taken_by: Annotated[str, Raw("name")]
    at: str
    what: Annotated[str, Raw("text")]
    place: Annotated[str, Raw("text")]
    why: Annotated[str, Raw("text")]


@dataclass(frozen=True)
class Attested:
    """A time stamp or a signature over one entry of the custody log.

    kind: `stamp` (checked against an authority's certificate when it was taken in) · `stamp-unverified` ·
    `signature`. `by`: the authority, or who signed; `at`: the authority's time.
    """

    kind: str
    entry: int
    digest: str
    at: str | None
    by: Annotated[str, Raw("name")]
    key: Annotated[str, Raw("id")] = ""
    """The signer's key, as its SHA-256."""


@dataclass(frozen=True)
class Custody:
    """None: case.toml does not say."""

    acquisition: Said | None = None
    clock: Said | None = None
    handed_over: tuple[HandedOver, ...] = ()
    attested: tuple[Attested, ...] = ()


__all__ = ["Attested", "Custody", "HandedOver", "Said"]
