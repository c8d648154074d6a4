"""Writes a report: facts once, each format laid out from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from forensics import store
from forensics.case import Case
from forensics.casefile import CaseFile
from forensics.custody import annexes
from forensics.custody.manifest import Manifest
from forensics.errors import UsageError, naming
from forensics.report import charts, foreign, redaction
from forensics.report.facts import EDITIONS, Facts, gather, inputs, since
from forensics.report.text import context, wording
from forensics.report.text.context import Context, Quoted
from forensics.report.text.wording import Words
from forensics.rulings import Verdict

Rendered = bytes | Mapping[str, bytes]


@dataclass(frozen=True)
class Format:
    """`file` is what is written in the report's folder; for a format of many files it is their folder."""

    file: str
    module: str
    """Module of `forensics.report.formats` with `render(facts, context)`; imported only when asked for."""


FORMATS: Mapping[str, Format] = {
    "html": Format("incident.html", "html"),
    "pdf": Format("incident.pdf", "pdf"),
    "json": Format("incident.json", "data"),
    "docx": Format("incident.docx", "docx"),
    "xlsx": Format("incident.xlsx", "xlsx"),
    "csv": Format("csv", "csvs"),
    "md": Format("incident.md", "markdown"),
    "veris": Format("incident.veris.json", "veris"),
    "answers": Format("answers", "answers"),
    "timesketch": Format("timesketch", "timesketch"),
    "iris": Format("iris.csv", "iris"),
    "ecs": Format("ecs.ndjson", "ecs"),
    "worksheet": Format("worksheet.xlsx", "worksheet"),
    "letters": Format("letters", "letters"),
    "forms": Format("forms", "forms"),
}
FULL_ONLY = ("worksheet", "letters", "forms")
"""What names people by its purpose: it does not exist in the redacted edition."""
DEFAULT = ("html", "pdf", "json")


@dataclass(frozen=True)
class Written:
    files: tuple[Path, ...]
    edition: str
    answered: int
    required: int
    unknown: int
    """Of the answered ones: answered by `unknown`."""
    missing: tuple[str, ...]
    """Keys of required items that are not answered."""
    notes: tuple[str, ...]


def write(
    case: Case,
    connection: Any,
    casefile: CaseFile,
    inventory: Manifest,
    verdicts: Sequence[Verdict],
    *,
    formats: str | Sequence[str] = DEFAULT,
    edition: str = "full",
    out: Path | None = None,
    as_of: datetime | None = None,
    language: str = wording.DEFAULT_LANGUAGE,
    templates: Path | None = None,
    logo: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    key: Case | None = None,
    where: Callable[[Path], Path] = lambda place: place,
    since_report: Path | None = None,
) -> Written:
    """Write the report in each format into `out` (default: CASE/reports, CASE/reports/redacted for that edition).

    `connection`: DuckDB with the case's views. `inventory`: the manifest. `verdicts`: all, in order. `templates`: a
    folder whose words and templates come before the shipped ones. `key`: the case that keeps the redaction key, if
    another; `where`: where a file is written that shall come to stand at a place. `since_report`: an
    earlier incident.json, to say what changed since. Raises UsageError for an unknown
    format or edition.
    """
    wanted = chosen(formats, edition)
    if progress:
        progress("gather", 0, 0)
    foreign.check(templates)
    words = wording.load(language, templates)
    earlier = since.read(since_report) if since_report else None
    facts = gathered(case, connection, casefile, inventory, verdicts, as_of, language, templates)
    if earlier:
        facts = replace(facts, changes=since.compare(earlier, facts))
    if edition == "redacted":
        facts = redaction.redact(facts, redaction.key(key or case))
    tokens = redaction.names(facts, redaction.key(key or case)) if "letters" in wanted else None
    folder = _folder(case, out, edition)
    made = replace(_context(facts, words, templates, logo), tokens=tokens)
    if "forms" in wanted:
        made = replace(made, quotes=_quotes(case, connection, inventory))
    rendered: dict[Path, bytes] = {}
    for done, name in enumerate(wanted):
        if progress:
            progress("report", done, len(wanted))
        rendered |= _files(folder, FORMATS[name].file, render(name, facts, made))
    for place, content in rendered.items():
        with naming(place, always=True):
            written = where(place)
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_bytes(content)
    if progress:
        progress("report", len(wanted), len(wanted))
    q = facts.questionnaire
    return Written(
        files=tuple(rendered),
        edition=edition,
        answered=q.answered,
        required=q.required,
        unknown=q.unknown,
        missing=tuple(item.key for item in q.items if item.required and not item.answered),
        notes=_notes(facts),
    )


def gathered(
    case: Case,
    connection: Any,
    casefile: CaseFile,
    inventory: Manifest,
    verdicts: Sequence[Verdict],
    as_of: datetime | None = None,
    language: str = wording.DEFAULT_LANGUAGE,
    templates: Path | None = None,
) -> Facts:
    """What a full report written now would be laid out from; as `write`, and writes nothing."""
    answers = annexes.told(case, inventory, store.named(connection)) if annexes.listed(inventory) else {}
    known = inputs.read(case, casefile, inventory, verdicts, as_of, answers)
    return gather.gather(connection, known, language, templates)


def _quotes(case: Case, connection: Any, inventory: Manifest) -> dict[tuple[str, int], Quoted]:
    """The records that headline findings cite, read from the evidence now; those whose evidence is gone left out."""
    from forensics.custody import quote

    query = "SELECT records FROM deliveries WHERE delivery_id IN (SELECT delivery_id FROM findings)"
    cited = [record for (records,) in connection.execute(query).fetchall() for record in records or ()]
    addresses = {(str(r["evidence"]), int(r["number"]), int(r["offset"]), int(r["length"])) for r in cited}
    refs = {entry.id: f"E{n}" for n, entry in enumerate(inventory.evidence, 1)}
    found = quote.quote(case, inventory, sorted(addresses))
    coded = {entry.id: entry.encoding for entry in inventory.evidence}
    return {
        (refs[at[0]], at[1]): Quoted(at[2], content, quote.text(content, coded[at[0]])) for at, content in found.items()
    }


def render(name: str, facts: Facts, made: Context) -> Rendered:
    """One format; what others gave for it is rendered in a process of its own. Raises UsageError that names it."""
    return foreign.render(name, facts, made) if foreign.has(made) else lay_out(name, facts, made)


def lay_out(name: str, facts: Facts, made: Context) -> Rendered:
    """One format, in this process."""
    rendered: Rendered = import_module(f"forensics.report.formats.{FORMATS[name].module}").render(facts, made)
    return rendered


def chosen(formats: str | Sequence[str], edition: str = "full") -> tuple[str, ...]:
    """The names of formats, each once, from a sequence or from `html,pdf`. Raises UsageError for what there is not."""
    named = formats.split(",") if isinstance(formats, str) else formats
    wanted = tuple(dict.fromkeys(name.strip().lower() for name in named if name.strip()))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise UsageError(f"--format: {', '.join(unknown) or 'nothing named'}", expected="any of " + ", ".join(FORMATS))
    if edition not in EDITIONS:
        raise UsageError(f"--edition: {edition}", expected=" or ".join(EDITIONS))
    if edition == "redacted" and (named_people := [name for name in wanted if name in FULL_ONLY]):
        raise UsageError(
            f"--format {', '.join(named_people)}: does not exist in the redacted edition: it names people",
            expected="--edition full for it",
        )
    return wanted


def _folder(case: Case, out: Path | None, edition: str) -> Path:
    if out is not None and out != case.reports:
        return out
    return case.reports / "redacted" if edition == "redacted" else case.reports


def _context(facts: Facts, words: Words, templates: Path | None, logo: Path | None) -> Context:
    # A logo names the organisation as surely as its name does.
    shown = None if facts.header.edition == "redacted" else logo
    picture = context.logo(shown, words("html.logo", organisation=facts.header.organisation))
    return Context(words=words, drawn=charts.draw(facts, words), folder=templates, logo=picture)


def _files(folder: Path, name: str, rendered: Rendered) -> dict[Path, bytes]:
    parts = {name: rendered} if isinstance(rendered, bytes) else {f"{name}/{part}": b for part, b in rendered.items()}
    return {folder / part: content for part, content in parts.items()}


def _notes(facts: Facts) -> tuple[str, ...]:
    out = []
    if facts.header.edition == "redacted":
        for where, names in redaction.to_clear(facts).items():
            out.append(f"before release, clear these words of {where}, names may be among them: {', '.join(names)}")
    if facts.orphaned:
        count = len(facts.orphaned)
        verdicts = "verdict has" if count == 1 else "verdicts have"
        out.append(f"{count:,} {verdicts} no finding any more; the report lists {'it' if count == 1 else 'them'}")
    if facts.clock.state == "not-answered":
        out.append("when the controller became aware is not answered: no 72-hour deadline can be stated")
    return tuple(out)
