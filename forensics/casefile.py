"""case.toml: what people say of a case.

It is written by people; the tool only creates it (`create`) and adds what commands are asked to remember
(`remember`). Everything else in the case folder is written by the tool.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from forensics import domains, tomlread
from forensics.case import Case, argument, is_zone
from forensics.errors import CaseError, naming, system_error


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_zone(name: str | None) -> str | None:
    if name is not None and not is_zone(name):
        raise ValueError(f"{name!r} is no zone: an IANA name is expected, such as Europe/London")
    return name


class Organisation(_Strict):
    """Whose mail this is."""

    name: str = ""
    """Its name, as reports print it."""
    domains: tuple[str, ...] = ()
    """Every domain of the organisation; each covers its subdomains."""
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    """The organisation's own zone, shown beside UTC in reports."""

    @field_validator("domains")
    @classmethod
    def _a_labels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return domains.names(value)


class Domains(_Strict):
    """What people know about other domains."""

    known_good: tuple[str, ...] = ()
    """Genuine correspondents: never accused."""
    watched: tuple[str, ...] = ()
    """Domains or zones (`*.mil`) that mail is meant for even if this log never shows it."""
    shared_relays: tuple[str, ...] = ()
    """Relay host names or zones that take mail for many domains: acceptance there is `handed-on`."""
    jurisdictions_of_concern: tuple[str, ...] = ()
    """ISO 3166 codes the organisation wants named; empty by default: the tool has no politics."""

    @field_validator("known_good")
    @classmethod
    def _a_labels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return domains.names(value)

    @field_validator("jurisdictions_of_concern")
    @classmethod
    def _countries(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            if not re.fullmatch("[A-Za-z]{2}", code):
                raise ValueError(f"{code!r} is no code of ISO 3166: two letters are expected, such as ML")
        return value

    @field_validator("watched")
    @classmethod
    def _watched(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        zones = {("*." if w.startswith(("*.", ".")) else "") + domains.names([w])[0] for w in value if w.strip()}
        return tuple(sorted(zones))


class SourceSettings(_Strict):
    """What people say about one evidence file, when the file itself does not tell."""

    file: str
    """File name or path, as given to ingest; `*` patterns allowed."""
    year: Annotated[int, Field(ge=1980, le=2200)] | None = None
    """Of the file's first record, where its stamps have none."""
    timezone: Annotated[str | None, AfterValidator(_known_zone)] = None
    """Of its stamps, such as Europe/London, where they have no zone."""
    date_order: Literal["dmy", "mdy"] | None = None
    """Of dates such as 3/4/2024 in an export, where the file does not show it."""
    host: str | None = None
    """The server that wrote it, where its records do not name one, as in Exim's own log files."""
    carriers: tuple[str, ...] | None = None
    """Programs in it, as its records name them, that hand on what others wrote as their own records: the tag of a
    container (`docker run --log-opt tag=…`), the user whose `logger` fed a log in again. What any other program logs of
    a mail server's records may be an outsider's, and is not believed."""

    @field_validator("carriers")
    @classmethod
    def _programs(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in value or ():
            if not re.fullmatch(r"[A-Za-z0-9_.@+-]+(?:/(?!postfix\b)[A-Za-z0-9_.@+-]+){0,3}", name):
                raise ValueError(f"{name!r} is no name of a program, as it stands before `[123]:` or `:` in a record")
            if re.match(r"(?:postfix|exim)", name, re.I):
                raise ValueError(f"{name!r}: a mail server's own records quote what outsiders wrote")
        return value


class Detection(_Strict):
    """Overrides of the detector's stated assumptions."""

    prior: float | None = Field(default=None, gt=0, lt=1)
    """Probability, before any evidence, that one distinct (sender, address) pair is a slip."""


class Stated(_Strict):
    """What somebody states of the evidence."""

    statement: str = ""
    """The words themselves, as reports print them."""
    by: str = ""
    """Who states it."""
    on: date | None = None
    """The day on which it was stated."""


class Custody(_Strict):
    """What courts ask of evidence and no log can tell; printed in reports."""

    acquisition: Stated = Stated()
    """How the logs were copied: from what, by whom, when, by what means, under whose authority."""
    clock: Stated = Stated()
    """By how much the servers' clocks were off when the logs were written, and how that was checked."""


class CaseFile(_Strict):
    """case.toml as a whole. `questionnaire` is typed in `forensics.report.facts.questionnaire`."""

    version: int = 1
    organisation: Organisation = Organisation()
    domains: Domains = Domains()
    sources: tuple[SourceSettings, ...] = ()
    detection: Detection = Detection()
    custody: Custody = Custody()
    questionnaire: dict[str, Any] = Field(default_factory=dict)


def read(case: Case) -> CaseFile:
    """case.toml, checked. Raises CaseError naming the line or key that is wrong."""
    try:
        raw = case.toml.read_bytes()
    except FileNotFoundError:
        if case.holds:
            raise gone(case) from None
        there = "it has no case.toml" if case.folder.exists() else "there is no such folder"
        raise CaseError(
            f"{case.folder}: is not a case: {there}",
            remedy="make one with `missent ingest LOG… --case DIR --org DOMAIN` or `missent init --case DIR`",
        ) from None
    except OSError as error:
        raise system_error(error, case.toml) from None
    return _validate(case, _parse(case, raw))


def gone(case: Case) -> CaseError:
    """What to raise for a case whose case.toml is no longer there."""
    return CaseError(
        f"{case.toml}: is gone, though {case.folder} is a case: {', '.join(case.holds)}",
        expected="the file that was there when the case was last used",
        remedy="put it back from a backup or a bag of the case (`missent verify` then says whether it is the one that "
        f"was recorded); where there is none, `missent init --case {argument(case.folder)}` writes a new one, in which "
        "organisation, known-good and watched domains, sources and answers have to be given again",
    )


def _validate(case: Case, data: dict[str, Any]) -> CaseFile:
    try:
        return CaseFile.model_validate(data)
    except ValidationError as error:
        raise CaseError(f"{case.toml}: {tomlread.wrong(error, CaseFile)}", remedy="mend that entry") from None


def _parse(case: Case, raw: bytes) -> dict[str, Any]:
    return tomlread.read(raw, case.toml, argument(case.toml), CaseError)


TEMPLATE = """# A Missent case. This file is yours: Missent writes it once, then only adds what you ask it to remember.
# Lists are written ["one", "two"]; lines that begin with # are remarks.
version = 1

[organisation]
# Name of the organisation, as reports print it.
name = {name}
# Every domain of the organisation; each covers its subdomains.
domains = {domains}
# Its own time zone, shown beside UTC in reports, such as "Europe/London".
timezone = {timezone}

[domains]
# Genuine correspondents: never accused, however odd their names look.
known_good = {known_good}
# Domains or zones that mail is meant for even if these logs never show it, such as "*.mil".
watched = {watched}
# Relay hosts or zones that take mail for many domains: acceptance there does not tell who got it.
shared_relays = []
# ISO 3166 codes of countries that reports name as of concern to you; empty: none.
jurisdictions_of_concern = []

# What an evidence file itself does not tell, for each file (patterns with * are allowed):
# [[sources]]
# file = "mail.log*"
# year = 2023
# timezone = "Europe/London"
# date_order = "dmy"  # or "mdy": what 3/4/2024 means in an export that does not show it
# host = "mx1.example.org"  # the server that wrote a log which names none, such as Exim's mainlog
# carriers = ["smtp-prod"]  # programs that hand on others' records, such as a container's tag

# The detector's assumption before any evidence: the share of domains written to that are only slips for another.
# Left out, it is learned from the log, starting from the documented one.
# [detection]
# prior = 0.01

# What courts ask of evidence, and who says so; printed in reports (on = 2024-01-31 says when it was stated).
[custody.acquisition]
# How the logs were copied: from what, by whom, when, by what means, under whose authority.
statement = ""
by = ""

[custody.clock]
# By how much the servers' clocks were off when the logs were written, and how that was checked.
statement = ""
by = ""

"""


def create(
    case: Case,
    organisation: Sequence[str],
    *,
    name: str = "",
    timezone: str = "UTC",
    known_good: Sequence[str] = (),
    watched: Sequence[str] = (),
    questionnaire: str | None = None,
) -> None:
    """Make the folder and a commented case.toml. `questionnaire`: the text of its `[questionnaire]` part.

    Raises CaseError when there is a case.toml already, or a domain or zone is none.
    """
    text = TEMPLATE.format(
        name=_toml(name),
        domains=_toml(organisation),
        timezone=_toml(timezone),
        known_good=_toml(known_good),
        watched=_toml(watched),
    )
    text += questionnaire if questionnaire is not None else "# What the logs cannot tell.\n[questionnaire]\n"
    _validate(case, _parse(case, text.encode("utf-8", "surrogateescape")))
    if case.toml.exists():
        raise CaseError(f"{case.toml} exists already", remedy="edit it, or name another folder with --case")
    try:
        case.folder.mkdir(parents=True, exist_ok=True)
        temporary = case.toml.with_name(".case.toml.new")
        try:
            temporary.write_text(text, "utf-8", newline="\n")
            temporary.replace(case.toml)
        finally:
            temporary.unlink(missing_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise CaseError(f"{case.folder}: cannot be made: {error.strerror}", expected="a folder") from None
    except OSError as error:
        raise system_error(error, case.folder) from None


def remember(case: Case, table: str, key: str, values: Sequence[str], *, instead: bool = False) -> tuple[str, ...]:
    """Add `values` to the list `key` of `[table]` in case.toml, or write them `instead` of what it holds; returns those
    that were new.

    Remarks and layout stay. Raises CaseError when the file is laid out so that this cannot be done safely; it is then
    unchanged.
    """
    from forensics import tomltext

    raw = case.toml.read_bytes() if case.toml.exists() else b""
    before = _parse(case, raw)
    text = raw.decode("utf-8")
    existing = before.get(table, {}).get(key, [])
    new = tuple(value for value in dict.fromkeys(values) if value not in existing)
    wanted = list(dict.fromkeys(values)) if instead else [*existing, *new]
    if wanted == existing:
        return ()
    expected = {**before, table: {**before.get(table, {}), key: wanted}}
    change = tomltext.replace if instead else tomltext.add
    after = change(text, table, key, [_toml(value) for value in (wanted if instead else new)])
    try:
        right = after is not None and tomllib.loads(after) == expected
    except tomllib.TOMLDecodeError:
        right = False
    if not right or after is None:
        raise CaseError(
            f"{case.toml}: {', '.join(wanted)} cannot be put into {table}.{key}: it is written in a way of its own",
            remedy=f"write that list by hand: {key} = {_toml(wanted)}",
        )
    _validate(case, expected)
    temporary = case.toml.with_name(".case.toml.new")
    try:
        with naming(temporary):
            temporary.write_bytes(after.encode("utf-8"))
        temporary.replace(case.toml)
    finally:
        temporary.unlink(missing_ok=True)
    return new


def remember_known_good(case: Case, domain: str) -> bool:
    """Add a domain to `domains.known_good`; False when it was there already. Raises CaseError as `remember` does."""
    cleaned = domains.clean([domain])
    known = read(case).domains.known_good
    return bool(remember(case, "domains", "known_good", [one for one in cleaned if one not in known]))


def _toml(value: str | Sequence[str]) -> str:
    """A TOML string or list of strings."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(f"\\u{ord(c):04x}" if c < " " or c == "\x7f" else c for c in escaped) + '"'
    return "[" + ", ".join(_toml(one) for one in value) + "]"
