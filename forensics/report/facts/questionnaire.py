"""What the logs cannot tell: the typed `[questionnaire]` of case.toml.

Each item is a field of a section; `Ask` says whether a report needs it and which norm demands it. The wording
(question, help) stands in the language folder of the templates, `questionnaire.toml`. An empty string or an
absent key means NOT YET ANSWERED; nothing has a default answer.

Norms: GDPR Art. 33 and 34; ICO personal data breach report form (UK); DD Form 2959 (US DoD); EDPB guidelines
9/2022 and 01/2021; ISO/IEC 27042 (analysis and interpretation of digital evidence); VERIS community schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from forensics import tomlread
from forensics.casefile import CaseFile
from forensics.errors import CaseError

if TYPE_CHECKING:
    from forensics.report import facts as f


@dataclass(frozen=True)
class Ask:
    """Whether a report needs this item, and who demands it."""

    required: bool
    by: tuple[str, ...] = ()


def _blank(value: Any) -> Any:
    return None if value == "" or value == [] else value


def _with_time(value: Any) -> Any:
    """A moment has a time of day: a bare day would become midnight, which nobody said."""
    bare = isinstance(value, date) and not isinstance(value, datetime)
    if bare or (isinstance(value, str) and _DAY.fullmatch(value.strip())):
        raise ValueError(f"{value} is a day without a time of day: write the time, such as {str(value).strip()}T09:15")
    return _blank(value)


_DAY = re.compile(r"\d{4}-?\d{2}-?\d{2}|\d{4}-?W\d{2}(-?\d)?")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Empty = BeforeValidator(_blank)
Text = Annotated[str | None, Empty]
When = Annotated[datetime | None, BeforeValidator(_with_time)]
Day = Annotated[date | None, Empty]
Count = Annotated[Annotated[int, Field(ge=0)] | None, Empty]
Many = Annotated[tuple[str, ...] | None, Empty]
YesNo = Annotated[Literal["yes", "no", "unknown"] | None, Empty]
Handling = Annotated[Literal["yes", "no", "not-possible", "unknown"] | None, Empty]
Status = Annotated[Literal["initial", "follow-up", "final"] | None, Empty]
Choice3 = Annotated[Literal["notify", "do-not-notify", "undecided"] | None, Empty]
Risk = Annotated[Literal["yes", "no", "undecided"] | None, Empty]
Finder = Annotated[
    Literal[
        "employee",
        "log-review",
        "monitoring",
        "audit",
        "partner",
        "customer",
        "researcher",
        "police",
        "other",
        "unknown",
    ]
    | None,
    Empty,
]
Staff = Annotated[
    Literal[
        "1 to 10",
        "11 to 100",
        "101 to 1000",
        "1001 to 10000",
        "10001 to 25000",
        "25001 to 50000",
        "50001 to 100000",
        "Over 100000",
    ]
    | None,
    Empty,
]
"""As VERIS counts employees."""
Review = Annotated[Literal["all", "some", "none"] | None, Empty]

ART33_3A, ART33_3B, ART33_3C, ART33_3D = (f"GDPR Art 33(3)({letter})" for letter in "abcd")
ART33_1, ART33_4, ART33_5, ART34 = "GDPR Art 33(1)", "GDPR Art 33(4)", "GDPR Art 33(5)", "GDPR Art 34"
ICO, DOD, ISO, VERIS = "ICO form", "DD 2959", "ISO/IEC 27042", "VERIS"
EDPB1, EDPB9 = "EDPB 01/2021", "EDPB 9/2022"


class Report(_Section):
    """This report."""

    title: Annotated[Text, Ask(False)] = None
    reference: Annotated[Text, Ask(True, (ISO, ICO, DOD))] = None
    status: Annotated[Status, Ask(True, (ART33_4, ICO))] = None
    handling: Annotated[Text, Ask(True, (ISO, DOD))] = None
    author: Annotated[Text, Ask(True, (ISO,))] = None
    qualification: Annotated[Text, Ask(True, (ISO,))] = None
    contact: Annotated[Text, Ask(True, (ART33_3B, ICO, DOD))] = None
    industry: Annotated[Text, Ask(False, (VERIS,))] = None
    country: Annotated[Text, Ask(False, (VERIS,))] = None
    employees: Annotated[Staff, Ask(False, (VERIS,))] = None


class Discovery(_Section):
    """When it came to light. `aware_at` starts the 72 hours; nothing else does."""

    discovered_at: Annotated[When, Ask(True, (ICO, DOD, VERIS))] = None
    discovered_by: Annotated[Finder, Ask(False, (VERIS,))] = None
    discovered_how: Annotated[Text, Ask(True, (ICO, VERIS))] = None
    aware_at: Annotated[When, Ask(True, (ART33_1, EDPB9))] = None
    aware_basis: Annotated[Text, Ask(True, (EDPB9,))] = None
    delay_reasons: Annotated[Text, Ask(False, (ART33_1,))] = None


class Account(_Section):
    """What happened, in the investigator's words."""

    what_happened: Annotated[Text, Ask(True, (ART33_3A, ICO, DOD))] = None
    cause: Annotated[Text, Ask(True, (ICO, DOD))] = None
    cause_listed: Annotated[Text, Ask(False, (DOD,))] = None


class Exposed(_Section):
    """What the messages held: no log shows content."""

    content_reviewed: Annotated[Review, Ask(True, (ISO, EDPB1))] = None
    what_was_exposed: Annotated[Text, Ask(True, (ART33_3A, ICO, DOD))] = None
    records: Annotated[Count, Ask(True, (ART33_3A, ICO))] = None
    subjects: Annotated[Count, Ask(True, (ART33_3A, ICO, DOD))] = None
    subject_categories: Annotated[Many, Ask(True, (ART33_3A, ICO))] = None
    data_categories: Annotated[Many, Ask(True, (ART33_3A, ICO, DOD, VERIS))] = None
    special_categories: Annotated[YesNo, Ask(True, (ICO, EDPB1))] = None
    marking: Annotated[Text, Ask(True, (DOD, VERIS))] = None
    credentials: Annotated[YesNo, Ask(True, (EDPB1, VERIS))] = None
    protected: Annotated[YesNo, Ask(True, (ART34, EDPB1))] = None


class Recipients(_Section):
    """The people who may have received it."""

    contacted: Annotated[Handling, Ask(True, (EDPB1,))] = None
    contacted_at: Annotated[When, Ask(False)] = None
    deletion_confirmed: Annotated[Handling, Ask(True, (EDPB1,))] = None
    trusted: Annotated[YesNo, Ask(True, (EDPB9,))] = None
    operator_source: Annotated[Text, Ask(True, (ISO,))] = None


class Consequences(_Section):
    """What may follow for people and for operations."""

    likely: Annotated[Text, Ask(True, (ART33_3C, ICO))] = None
    high_risk: Annotated[Risk, Ask(True, (ART34, EDPB9))] = None
    high_risk_reasons: Annotated[Text, Ask(True, (ART34, ART33_5))] = None
    operations: Annotated[Text, Ask(True, (DOD, VERIS))] = None
    advice: Annotated[Text, Ask(False, (ART34,))] = None


class Measures(_Section):
    """What was in place, what was done, what is planned."""

    before: Annotated[Text, Ask(True, (ICO, DOD))] = None
    training: Annotated[YesNo, Ask(False, (ICO,))] = None
    taken: Annotated[Text, Ask(True, (ART33_3D, ICO, DOD))] = None
    blocked_at: Annotated[When, Ask(True, (ART33_3D,))] = None
    planned: Annotated[Text, Ask(True, (ART33_3D, ICO, DOD))] = None


class Notification(_Section):
    """Who was told, and the decision with its reasons."""

    decision: Annotated[Choice3, Ask(True, (ART33_1, ART33_5))] = None
    decision_reasons: Annotated[Text, Ask(True, (ART33_5,))] = None
    authority: Annotated[Text, Ask(False)] = None
    notified_at: Annotated[When, Ask(False, (ART33_1,))] = None
    authority_reference: Annotated[Text, Ask(False)] = None
    people_told: Annotated[Risk, Ask(True, (ART34, ICO))] = None
    people_told_at: Annotated[When, Ask(False)] = None
    us_cert_number: Annotated[Text, Ask(False, (DOD,))] = None
    others_told: Annotated[Text, Ask(True, (ICO, DOD))] = None
    cross_border: Annotated[YesNo, Ask(True, (ART33_1, ICO))] = None
    public_statements: Annotated[YesNo, Ask(True, (ISO,))] = None


class Supplied(_Section):
    """Whether the evidence is all there is: no log shows which gateways there are beside those that wrote it."""

    all_gateways: Annotated[YesNo, Ask(True, (ISO,))] = None
    stated_by: Annotated[Text, Ask(False, (ISO,))] = None
    stated_on: Annotated[Day, Ask(False, (ISO,))] = None
    since: Annotated[Day, Ask(False, (ISO,))] = None
    until: Annotated[Day, Ask(False, (ISO,))] = None


class Operator(_Section):
    """Who runs a suffix, or holds a lookalike domain, then and now: no log shows it."""

    suffix: Text = None
    domain: Text = None
    then: Text = None
    now: Text = None


Check = Literal[
    "none",
    "messages-at-most",
    "deliveries-at-most",
    "senders-at-most",
    "accepted-at-most",
    "none-accepted",
    "not-before",
    "not-after",
    "only-domains",
    "only-countries",
    "only-encrypted",
    "no-marking-above",
]
Value = int | datetime | date | tuple[str, ...] | None
"""What a check compares with: a count, a moment, domains, ISO codes of countries, or a marking (a list of one)."""


class Part(_Section):
    """One claim within a statement: its words as they stand there, and the check that the logs can decide."""

    words: str
    check: Check = "none"
    value: Value = None
    since: Day = None
    until: Day = None
    """Days (UTC) that the claim is of, first and last, where it is of a period."""


class Claim(_Section):
    """A public statement, with its claims in `parts`, or one check for the whole."""

    claim: str
    by: Text = None
    on: Day = None
    check: Check = "none"
    value: Value = None
    since: Day = None
    until: Day = None
    parts: tuple[Part, ...] = ()


class Step(_Section):
    """A decision or next step."""

    what: str
    owner: Text = None
    due: Day = None
    done: bool = False


class RegimeAnswers(_Section):
    """A set of rules that applies, and when its events happened; `templates/regimes` has both by name."""

    regime: str
    authority: Text = None
    events: dict[str, datetime | date] = {}
    """A day stands for a time only where the period is one of days."""
    holidays: tuple[date, ...] = ()
    """Days that are no working days, beyond weekends and the regime's own calendar."""
    hours: dict[str, Annotated[int, Field(gt=0)]] = {}
    """Step → its limit in hours, where the regime leaves it to a direction in force (`source`)."""
    source: Text = None
    """That direction and its date."""


class Words(_Section):
    """Words that subjects are searched for, beside those of `templates/content.toml`."""

    markings: tuple[str, ...] = ()
    special: tuple[str, ...] = ()
    risk: tuple[str, ...] = ()


class Questionnaire(_Section):
    """The whole of `[questionnaire]`."""

    report: Report = Report()
    discovery: Discovery = Discovery()
    account: Account = Account()
    exposed: Exposed = Exposed()
    recipients: Recipients = Recipients()
    consequences: Consequences = Consequences()
    measures: Measures = Measures()
    notification: Notification = Notification()
    supplied: Supplied = Supplied()
    regimes: tuple[RegimeAnswers, ...] = ()
    content: Words = Words()
    operators: tuple[Operator, ...] = ()
    statements: tuple[Claim, ...] = ()
    actions: tuple[Step, ...] = ()
    release: tuple[str, ...] = ()
    """Keys (`measures.taken`, or `statements`, `actions`, `operators`) whose text the redacted edition may show; what
    the logs name is still replaced in it."""


SECTIONS: tuple[tuple[str, type[_Section]], ...] = (
    ("report", Report),
    ("discovery", Discovery),
    ("account", Account),
    ("exposed", Exposed),
    ("recipients", Recipients),
    ("consequences", Consequences),
    ("measures", Measures),
    ("notification", Notification),
    ("supplied", Supplied),
)


@dataclass(frozen=True)
class Entry:
    """One item as defined: where it stands, what it holds."""

    key: str
    section: str
    name: str
    kind: str
    """text, choice, moment, day, count or list."""
    choices: tuple[str, ...]
    ask: Ask


def entries() -> Iterator[Entry]:
    """Every item of the questionnaire, in order."""
    for section, model in SECTIONS:
        for name, info in model.model_fields.items():
            ask = next(m for m in info.metadata if isinstance(m, Ask))
            kind, choices = _kind(info.annotation)
            yield Entry(f"{section}.{name}", section, name, kind, choices, ask)


def _kind(annotation: Any) -> tuple[str, tuple[str, ...]]:
    """(kind, choices) of a field's type, through unions and annotations."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "choice", arguments
    if origin is tuple:
        return "list", ()
    if origin is None:
        return {datetime: "moment", date: "day", int: "count"}.get(annotation, "text"), ()
    parts = arguments[:1] if origin is Annotated else arguments
    found = (_kind(part) for part in parts if part is not type(None))
    return next((kind for kind in found if kind[0] != "text"), ("text", ()))


def read(casefile: CaseFile) -> Questionnaire:
    """The questionnaire, checked; moments without offset are read in the organisation's own zone.

    Raises CaseError naming the key that is wrong.
    """
    try:
        return Questionnaire.model_validate(casefile.questionnaire)
    except ValidationError as error:
        told = tomlread.wrong(error, Questionnaire, ["questionnaire"])
        raise CaseError(f"case.toml: {told}", remedy="mend that entry") from None


def zone(casefile: CaseFile) -> ZoneInfo:
    """The organisation's own zone, which `CaseFile` has checked."""
    return ZoneInfo(casefile.organisation.timezone)


def moment(value: datetime | None, home: ZoneInfo) -> datetime | None:
    """In UTC; without offset it is local time of the organisation.

    Raises CaseError for a local time that the zone does not have or has twice (clocks put forward or back): which
    moment is meant only the person can say.
    """
    if value is None:
        return None
    if value.tzinfo:
        return value.astimezone(UTC)
    first, second = (value.replace(tzinfo=home, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    exists = first.astimezone(UTC).astimezone(home).replace(tzinfo=None) == value
    offsets = sorted({local.isoformat() for local in (first, second)})
    raise CaseError(
        f"case.toml: {value.isoformat(' ')} {'is twice' if exists else 'does not exist'} in {home.key}: clocks are put "
        + ("back" if exists else "forward"),
        expected="a time that is one moment",
        remedy=f"write it with its offset from UTC: {' or '.join(offsets)}" if exists else "give the right time",
    )


def items(answers: Questionnaire, home: ZoneInfo, *, delayed: bool = False) -> tuple[f.Item, ...]:
    """Every item with its answer as text. `delayed`: reasons for delay have become a required item."""
    from forensics.report import facts as f

    out = []
    for entry in entries():
        value = getattr(getattr(answers, entry.section), entry.name)
        answer: str | None
        if value is None:
            answer = None
        elif isinstance(value, datetime):
            answer = moment(value, home).isoformat()  # type: ignore[union-attr]
        elif isinstance(value, tuple):
            answer = "; ".join(value)
        else:
            answer = str(value)
        required = entry.ask.required or (delayed and entry.key == "discovery.delay_reasons")
        out.append(
            f.Item(
                key=entry.key,
                section=entry.section,
                required=required,
                answered=answer is not None,
                unknown=answer is not None and answer.strip(" .").casefold() in _UNKNOWN,
                demanded_by=entry.ask.by,
                answer=answer,
                kind=entry.kind,
                released=entry.kind in ("choice", "moment", "day", "count")
                or entry.key == "report.handling"
                or entry.key in answers.release,
            )
        )
    return tuple(out)


_UNKNOWN = ("unknown", "not known", "n/k", "not yet known")
"""Answers that say that nobody knows: an answer, and told apart."""


def missing(casefile: CaseFile) -> tuple[str, ...]:
    """Keys of required items that are not answered yet."""
    answers = read(casefile)
    return tuple(item.key for item in items(answers, zone(casefile)) if item.required and not item.answered)


def gather(answers: Questionnaire, home: ZoneInfo, *, delayed: bool) -> f.Questionnaire:
    """The questionnaire as facts."""
    from forensics.report import facts as f

    all_items = items(answers, home, delayed=delayed)
    required = [item for item in all_items if item.required]
    return f.Questionnaire(
        items=all_items,
        required=len(required),
        answered=sum(item.answered for item in required),
        unknown=sum(item.unknown for item in required),
        actions=tuple(f.Action(what=a.what, owner=a.owner, due=a.due, done=a.done) for a in answers.actions),
        release=answers.release,
    )
