"""Filling in the questionnaire: its text for case.toml, and question by question in the terminal."""

from __future__ import annotations

import re
import shutil
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from forensics import casefile as cases
from forensics.case import Case
from forensics.custody import log, manifest, staging
from forensics.errors import CaseError
from forensics.report.facts import questionnaire as q
from forensics.report.facts import regimes
from forensics.report.facts.questionnaire import Entry
from forensics.report.text import wording
from forensics.report.text.wording import Words


@dataclass(frozen=True)
class Asked:
    """What `ask` came to."""

    saved: tuple[str, ...]
    """Keys answered now."""
    answered: int
    required: int
    missing: tuple[str, ...]


def template(language: str = wording.DEFAULT_LANGUAGE) -> str:
    """The `[questionnaire]` part of a new case.toml: every item empty, with its question, help and norms."""
    words = wording.load(language)
    return "\n".join(_lines(words)) + "\n"


def _lines(words: Words) -> Iterator[str]:
    yield from _remark(words("questionnaire.intro"))
    yield "[questionnaire]"
    yield from _remark(words("questionnaire.release"))
    yield "release = []"
    section = ""
    for entry in q.entries():
        if entry.section != section:
            section = entry.section
            yield ""
            yield f"# {words(f'questionnaire.section.{section}')}"
            yield f"[questionnaire.{section}]"
        yield from _remark(_explained(words, entry))
        yield f"{entry.name} = {'[]' if entry.kind == 'list' else QUOTED_EMPTY}"
    yield ""
    yield from _remark(words("questionnaire.regimes", names=", ".join(regimes.load())))
    yield from ("# [[questionnaire.regimes]]", '# regime = "uk-gdpr"', '# authority = ""')
    yield from ("# events = { high_risk_found = 2024-01-05T10:00:00Z }", "")
    yield from _remark(words("questionnaire.operators"))
    yield from ("# [[questionnaire.operators]]", '# suffix = "ml"', '# then = ""', '# now = ""', "")
    yield from _remark(words("questionnaire.statements"))
    yield from ("# [[questionnaire.statements]]", '# claim = ""', '# by = ""', "# on = 2024-01-04")
    yield from ('# check = "messages-at-most"', "# value = 20", "")
    yield from _remark(words("questionnaire.actions"))
    yield from ("# [[questionnaire.actions]]", '# what = ""', '# owner = ""', "# due = 2024-01-31", "# done = false")


QUOTED_EMPTY = '""'


def _explained(words: Words, entry: Entry) -> str:
    parts = [words(f"item.{entry.key}.question"), words(f"item.{entry.key}.help")]
    need = [_need(words, entry)]
    if entry.choices:
        need.append(words("questionnaire.choices", choices=", ".join(entry.choices)))
    return f"{' '.join(part for part in parts if part)} [{'; '.join(need)}]"


def _need(words: Words, entry: Entry) -> str:
    """`required; demanded by ISO 27042`."""
    need = words("questionnaire.required" if entry.ask.required else "questionnaire.optional")
    norms = words("questionnaire.demanded", norms=", ".join(entry.ask.by)) if entry.ask.by else ""
    return "; ".join(part for part in (need, norms) if part)


def _remark(text: str, width: int = 110) -> Iterator[str]:
    for line in textwrap.wrap(text, width, break_long_words=False):
        yield f"# {line}"


def ask(
    case: Case,
    *,
    everything: bool = False,
    read: Callable[[str], str] = input,
    tell: Callable[[str], None] = print,
    language: str = wording.DEFAULT_LANGUAGE,
    by: log.By = log.NOBODY,
) -> Asked:
    """Ask for what is missing (`everything`: also for optional items) and write each answer into case.toml at once.

    `read` gets the prompt and returns a line; `tell` shows one. An empty line leaves an item for later, a full stop or
    the end of input ends. Raises CaseError when case.toml is laid out so that an answer cannot be put in safely.
    """
    words = wording.load(language)
    saved: list[str] = []
    wanted = _open(case, everything)
    if wanted:
        tell(words("questionnaire.ask_open", n=len(wanted)) + " " + words("questionnaire.ask_skip"))
    section = ""
    home = q.zone(cases.read(case))
    for number, entry in enumerate(wanted, 1):
        if entry.section != section:
            section = entry.section
            title = words(f"questionnaire.section.{section}")
            tell(f"\n{title}\n{'─' * len(title)}")
        for line in _question(words, entry, f"{number}/{len(wanted)}"):
            tell(line)
        answer = _answer(words, entry, read, tell, home)
        if answer is None:
            break
        if answer == "":
            continue
        _save(case, entry, answer, by)
        saved.append(entry.key)
    casefile = cases.read(case)
    items = q.items(q.read(casefile), q.zone(casefile))
    missing = q.missing(casefile)
    required = sum(item.required for item in items)
    tell("")
    if saved:
        tell(words("questionnaire.ask_saved", file=case.toml))
    tell(words("questionnaire.remaining", n=len(missing)))
    return Asked(tuple(saved), required - len(missing), required, missing)


def _open(case: Case, everything: bool) -> list[Entry]:
    answers = q.read(cases.read(case))
    return [
        entry
        for entry in q.entries()
        if getattr(getattr(answers, entry.section), entry.name) is None and (everything or entry.ask.required)
    ]


def _question(words: Words, entry: Entry, place: str) -> Iterator[str]:
    """The question on a line of its own, what helps to answer it indented below."""
    width = min(shutil.get_terminal_size().columns, 100) - 1

    def indented(text: str) -> list[str]:
        return textwrap.wrap(text, width, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)

    yield ""
    yield from textwrap.wrap(f"{place}  {words(f'item.{entry.key}.question')}", width, break_on_hyphens=False)
    yield from indented(words(f"item.{entry.key}.help"))
    yield from indented(_need(words, entry))
    if entry.choices:
        yield from indented(words("questionnaire.choices", choices=", ".join(entry.choices)))
    elif entry.kind != "text":
        yield from indented(words(f"questionnaire.kind.{entry.kind}"))


_INDENT = "     "
_PROMPT = "   > "


def _answer(
    words: Words, entry: Entry, read: Callable[[str], str], tell: Callable[[str], None], home: ZoneInfo
) -> str | None:
    """A checked TOML literal, empty for later, None to end."""
    while True:
        try:
            line = read(_PROMPT).strip()
        except EOFError:
            return None
        if line == ".":
            return None
        if not line:
            return ""
        try:
            literal = _literal(entry, line)
            value = tomllib.loads(f"v = {literal}")["v"]
            q.Questionnaire.model_validate({entry.section: {entry.name: value}})
            if entry.kind == "moment":
                q.moment(value, home)
        except (ValueError, CaseError) as error:
            tell(_INDENT + words("questionnaire.ask_wrong", why=_why(error)))
            continue
        return literal


def _why(error: ValueError | CaseError) -> str:
    from pydantic import ValidationError

    return (
        str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        if isinstance(error, ValidationError)
        else str(error)
    )


def _literal(entry: Entry, line: str) -> str:
    """A TOML literal for an answer typed in the terminal. Raises ValueError."""
    if entry.kind == "count":
        return str(int(line.replace(",", "").replace(" ", "")))
    if entry.kind == "moment":
        if not re.search(r"[T ]\d", line):
            raise ValueError("the time of day is missing, such as 2024-01-04T09:15")
        return datetime.fromisoformat(line).isoformat()
    if entry.kind == "day":
        return date.fromisoformat(line).isoformat()
    if entry.kind == "list":
        return "[" + ", ".join(quoted(part.strip()) for part in line.split(";") if part.strip()) + "]"
    return quoted(line.lower() if entry.kind == "choice" else line)


def quoted(value: str) -> str:
    """A TOML basic string."""
    out = []
    for character in value:
        if character in '"\\':
            out.append("\\" + character)
        elif ord(character) < 32 or ord(character) == 127:
            out.append(f"\\u{ord(character):04x}")
        else:
            out.append(character)
    return '"' + "".join(out) + '"'


def _save(case: Case, entry: Entry, literal: str, by: log.By) -> None:
    text = case.toml.read_text("utf-8")
    changed = put(text, f"questionnaire.{entry.section}", entry.name, literal)
    before, after = tomllib.loads(text), _parsed(changed)
    wanted: dict[str, Any] = before
    for part in ("questionnaire", entry.section):
        wanted = wanted.setdefault(part, {})
    wanted[entry.name] = tomllib.loads(f"v = {literal}")["v"]
    if before != after:
        raise CaseError(
            f"{case.toml}: the answer to {entry.key} cannot be put in without touching something else",
            remedy=f"write it yourself, under [questionnaire.{entry.section}]: {entry.name} = {literal}",
        )
    with staging.change(case, "ask") as staged:
        staged.next.toml.write_text(changed, "utf-8", newline="")
        if staged.next.custody_log.exists():
            manifest.touch(staged.next, "ask", {"answered": entry.key}, by=by)


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def put(text: str, table: str, key: str, literal: str) -> str:
    """`text` with `key = literal` under `[table]`: in place of an empty value, else at the table's head or the end."""
    header = re.search(rf"^[ \t]*\[{re.escape(table)}\][ \t]*(?:#.*)?$", text, re.MULTILINE)
    if header is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        return f"{text}{gap}\n[{table}]\n{key} = {literal}\n"
    following = re.compile(r"^[ \t]*\[", re.MULTILINE).search(text, header.end())
    end = following.start() if following else len(text)
    empty = re.compile(rf'^([ \t]*{re.escape(key)}[ \t]*=[ \t]*)(?:""|\[\])', re.MULTILINE)
    found = empty.search(text, header.end(), end)
    if found:
        return f"{text[: found.end(1)]}{literal}{text[found.end() :]}"
    return f"{text[: header.end()]}\n{key} = {literal}{text[header.end() :]}"
