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
    tables_digest: str = ""
    """Digest of the tables: of evidence and settings alone, wherever and whenever they are made."""
    verify: str = ""
    """The command that checks this report."""


@dataclass(frozen=True)
class Clock:
    """The 72 hours of GDPR Art. 33(1), from what the investigator states; nothing is assumed.

    state: `not-answered` (no time of awareness given) · `deadline` (aware, no as_of) · `running` · `passed` ·
    `notified-in-time` · `notified-late` · `disordered` (notified, or read, before the controller became aware: nothing
    is computed).
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
    disorder: tuple[str, ...] = ()
    """Orders of these times that cannot be: `notified-before-aware`, `read-before-aware`, `read-before-notified`,
    `aware-before-discovered`, `aware-before-first`, `discovered-before-first`."""


@dataclass(frozen=True)
class Containment:
    """What was done to stop it, and whether the logs show that it holds.

    state: `not-answered` · `holds` (logs run past the block and show nothing after it that was accepted,
    handed on, or refused only after it had been sent) · `broken` ·
    `unreviewed` (only suspected deliveries did so after it) · `not-covered` (the logs end before the block).
    """

    state: str
    blocked_at: datetime | None
    last_accepted: datetime | None
    logs_end: datetime | None
    accepted_after: Number
    """Confirmed deliveries that were accepted, handed on, or refused only after they had been sent."""
    suspected_after: Number
    review_after: Number
    """Such ones of the other two kinds."""
    refused_after: Number
    """All others."""
    unknown_after: Number
    """Of these: whether anything had been sent is not known."""
    legitimate_after: Number
    """Other outbound deliveries after the block: shows that the logs were alive."""


@dataclass(frozen=True)
class Statement:
    """One claim of a public statement, or the words of it that no check covers, and what the evidence says.

    result: `contradicted` · `not-contradicted` (by the logs supplied) · `supported` · `not-determinable` ·
    `not-tested`. `basis` is a key of the wording file (`statement.<basis>`), `values` fills it.
    """

    number: int
    """Of the statement in the case; its claims share it."""
    claim: Annotated[str, Raw("text")]
    """The words tested, or not tested."""
    statement: Annotated[str, Raw("text")]
    """The whole that they are of."""
    made_by: Annotated[str | None, Raw("name")]
    made_on: date | None
    check: str
    """Kind of check asked for, or `none`."""
    threshold: str | None
    since: date | None
    until: date | None
    """Days that the claim is stated to be of, where it is."""
    result: str
    basis: str
    values: tuple[tuple[str, str | int], ...]
    evidence: Number
    limit_chosen: bool = False
    """The words do not name the limit: it is the investigator's."""
    lacks: tuple[str, ...] = ()
    """What a support would need: `unstated` (that all gateways are supplied), `outside` (of the period that is stated
    of), `silent` (days), `unread` (records), `losses` (signs of missing records)."""
    tested: tuple[date, date] | None = None
    """Days that the result is of."""
    silent: int = 0
    """Days among them on which a server is not shown to have logged."""
    vouched_by: Annotated[str | None, Raw("name")] = None
    vouched_on: date | None = None
    """Who stated when that the logs of all outbound gateways are supplied."""


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
    """text, choice, moment, day, count or list."""
    unknown: bool = False
    """The answer is that it is not known."""
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
    unknown: int
    """Of the answered ones: the answer is that it is not known."""
    actions: tuple[Action, ...]
    release: tuple[str, ...] = ()
    """Keys of texts that the redacted edition may show, `statements`, `actions` and `operators` among them."""

    def __getitem__(self, key: str) -> Item:
        return next(item for item in self.items if item.key == key)
