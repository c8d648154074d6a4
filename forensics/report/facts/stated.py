"""What people say, and what follows from it: header, clock, containment, statements, questionnaire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from forensics.report.facts.base import Number, Raw


@dataclass(frozen=True)
class Header:
    """What stands at the head of every edition."""

    edition: str
    found: bool
    """Whether any headline finding exists."""
    organisation: Annotated[str, Raw("name")]
    domains: Annotated[tuple[str, ...], Raw("domain")]
    timezone: str
    title: Annotated[str, Raw("text")] = ""
    reference: Annotated[str | None, Raw("text")] = None
    handling: str | None = None
    """Handling marking, as the investigator set it; shown in both editions."""
    status: str | None = None
    """initial, follow-up or final."""
    author: Annotated[str | None, Raw("name")] = None
    qualification: Annotated[str | None, Raw("text")] = None
    as_of: datetime | None = None
    version: str = ""
    case_state: str = ""
    """Digest of evidence, tables, settings and verdicts."""
    verify: str = ""
    """The command that checks this report."""


@dataclass(frozen=True)
class Clock:
    """The 72 hours of GDPR Art. 33(1), from what the investigator states; nothing is assumed.

    state: `not-answered` (no time of awareness given) · `deadline` (aware, no as_of) · `running` · `passed` ·
    `notified-in-time` · `notified-late`.
    """

    state: str
    discovered_at: datetime | None
    aware_at: datetime | None
    deadline: datetime | None
    as_of: datetime | None
    remaining_seconds: int | None
    """Until the deadline at as_of; negative when it has passed; None without as_of."""
    notified_at: datetime | None
    discovered_how: Annotated[str | None, Raw("text")] = None
    delay_reasons: Annotated[str | None, Raw("text")] = None


@dataclass(frozen=True)
class Containment:
    """What was done to stop it, and whether the logs show that it holds.

    state: `not-answered` · `holds` (logs run past the block and show no accepted send after it) · `broken` ·
    `not-covered` (the logs end before the block).
    """

    state: str
    blocked_at: datetime | None
    last_accepted: datetime | None
    logs_end: datetime | None
    accepted_after: Number
    refused_after: Number
    legitimate_after: Number
    """Other outbound deliveries after the block: shows that the logs were alive."""


@dataclass(frozen=True)
class Statement:
    """A public claim and what the evidence says about it.

    result: `supported` · `contradicted` · `not-determinable`. `basis` is a key of the wording file
    (`statement.<basis>`), `values` fills it.
    """

    claim: Annotated[str, Raw("text")]
    made_by: Annotated[str | None, Raw("name")]
    made_on: date | None
    check: str
    """Kind of check asked for, or `none`."""
    threshold: str | None
    result: str
    basis: str
    values: tuple[tuple[str, str | int], ...]
    evidence: Number


@dataclass(frozen=True)
class Item:
    """One item of the questionnaire and its answer.

    `key` is `section.name`; question and help are in the wording file. answer None = NOT YET ANSWERED.
    """

    key: str
    section: str
    required: bool
    answered: bool
    demanded_by: tuple[str, ...]
    """Norms that ask for it, such as `GDPR Art 33(3)(a)`."""
    answer: Annotated[str | None, Raw("text")]
    """For display; choices are keys of the wording file (`choice.<value>`) when kind is `choice`."""
    kind: str = "text"
    """text, choice, moment, count or list."""
    released: bool = False
    """The redacted edition may show the answer's text."""


@dataclass(frozen=True)
class Action:
    """A decision or next step."""

    what: Annotated[str, Raw("text")]
    owner: Annotated[str | None, Raw("name")]
    due: date | None
    done: bool


@dataclass(frozen=True)
class Questionnaire:
    items: tuple[Item, ...]
    required: int
    answered: int
    """Of the required ones."""
    actions: tuple[Action, ...]
    release: tuple[str, ...] = ()
    """Keys of texts that the redacted edition may show, `statements`, `actions` and `operators` among them."""

    def __getitem__(self, key: str) -> Item:
        return next(item for item in self.items if item.key == key)
