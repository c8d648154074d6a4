"""What logs show of content, and what people found in the messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from forensics.report.facts.base import Number, Raw


@dataclass(frozen=True)
class Mention:
    """Headline deliveries whose subjects bear one marking, or words of one kind."""

    group: str
    """marking, special or risk."""
    kind: str
    """The marking as the list writes it, or the kind of words; `own` for a word of the case's own."""
    systems: tuple[str, ...]
    """Whose marking it is: UK, US, NATO, EU."""
    words: tuple[str, ...]
    """Words of the list that were found."""
    own: Annotated[str | None, Raw("text")]
    """The case's own word."""
    deliveries: Number
    accepted: Number
    """Of these, accepted by the mistyped domain's own server."""


@dataclass(frozen=True)
class Contrast:
    """An answer that the logs, or the worksheet, put in question.

    `basis` is a key of the wording (`content.contrast.<basis>`), `values` fills it.
    """

    item: str
    basis: str
    values: tuple[tuple[str, str | int], ...]
    evidence: Number


@dataclass(frozen=True)
class Held:
    """What a person found in one message, from the worksheet."""

    finding: str
    opened: str
    """yes, no or not-found."""
    personal_data: str
    special: str
    passwords: str
    protected: str
    records: int | None
    people: int | None
    held: Annotated[str, Raw("text")]
    marking: Annotated[str, Raw("text")]
    reviewer: Annotated[str, Raw("name")]


@dataclass(frozen=True)
class Content:
    """Section 6, as far as logs and worksheet go."""

    with_subject: Number
    without_subject: Number
    sized: Number
    bytes_total: int | None
    bytes_largest: int | None
    mentions: tuple[Mention, ...]
    contrasts: tuple[Contrast, ...]
    reviewed: Number
    """Headline findings whose message was opened, by the worksheet."""
    held: tuple[Held, ...]
