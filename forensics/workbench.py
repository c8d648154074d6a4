"""Everything around the main job: verify, review, explain, sql, the questionnaire, the worked examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forensics import casefile as case_files
from forensics import health, pipeline, shortened
from forensics.arguments import checked
from forensics.blocking.of_case import BLOCK_FORMATS, Blocked, block, refusals, watch_list, watch_rules
from forensics.case import Case, undetected
from forensics.errors import CaseError, UsageError
from forensics.health import Health, Kept, Part, Promise
from forensics.proof import verify
from forensics.results import Run
from forensics.status import Status, status

if TYPE_CHECKING:
    from forensics.detector.explain import Explanation as Weighed
    from forensics.progress import Progress
    from forensics.report.asking import Asked
    from forensics.review import Reviewed

__all__ = [
    "BLOCK_FORMATS",
    "DEMOS",
    "Answer",
    "Blocked",
    "Explanation",
    "Formats",
    "Health",
    "Kept",
    "Part",
    "Promise",
    "Questions",
    "Status",
    "ask",
    "block",
    "demo",
    "doctor",
    "explain",
    "formats",
    "identity",
    "init",
    "lookups",
    "review",
    "sql",
    "status",
    "verify",
    "views_sql",
    "watch_list",
    "watch_rules",
    "worksheet",
]

DEMOS = ("albion", "mod-2023")


@dataclass(frozen=True)
class Answer:
    """Rows of a query."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Explanation:
    """What the detector says, and (evidence id, record number, text) of records that it rests on; the others it
    cites."""

    weighed: Weighed
    quotes: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True)
class Formats:
    """`read`: loader, name, what. `refused`: name, instead."""

    read: tuple[Mapping[str, str], ...]
    refused: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Questions:
    """Domains in question, those of them that cannot be asked for, and the script that asks for the others."""

    names: tuple[str, ...]
    not_askable: tuple[str, ...]
    script: str


_QUOTED = 10
"""Deliveries whose records are quoted, shared among the addresses shown: evidence has to be unpacked for them."""


@checked
def explain(case_dir: str | Path, subject: str) -> Explanation:
    """The two propositions behind a delivery, an address or a domain, the weighed parts, and records quoted: those of
    10 deliveries, the first ones of each address.

    Raises UsageError when the case holds no outbound delivery of that name.
    """
    from forensics import store
    from forensics.custody import manifest, quote, staging
    from forensics.detector import explain as explaining

    case = Case(Path(case_dir))
    staging.finish(case)
    casefile = case_files.read(case)
    inventory = manifest.read(case)
    manifest.intact(case, inventory, ("deliveries", "lookalikes", case.detection.name))
    with store.connect(case, casefile.organisation.domains) as connection:
        found = explaining.explain(connection, subject, casefile, detection=_detected(case))
    each = max(1, _QUOTED // max(1, len(found.addresses)))
    records = [
        (str(r["evidence"]), int(r["number"]), int(r["offset"]), int(r["length"]))
        for address in found.addresses[:_QUOTED]
        for delivery in address.deliveries[:each]
        for r in delivery["records"] or ()
    ]
    quoted = quote.quote(case, inventory, records)
    known = inventory.evidence_by_id()
    quotes = tuple(
        (address[0], address[1], quote.text(quoted[address], known[address[0]].encoding))
        for address in dict.fromkeys(records)
        if address in quoted
    )
    return Explanation(found, quotes)


@checked
def lookups(case_dir: str | Path) -> Questions:
    """The domains that findings accuse, that write in a partner's name, or that do not exist, and a script that asks
    the DNS and RDAP about them on another machine. Missent itself asks nobody.

    What the script prints is handed in with `pipeline.ingest`. Raises CaseError before a detection.
    """
    from forensics import lookups as answers
    from forensics import questions, store
    from forensics.custody import manifest, staging

    case = Case(Path(case_dir))
    staging.finish(case)
    casefile = case_files.read(case)
    detected = _detected(case)
    if detected is None:
        raise undetected(case)
    manifest.intact(case, manifest.read(case), ("findings", case.detection.name))
    with store.connect(case, casefile.organisation.domains) as connection:
        accused = store.fetch(connection, "select distinct observed_domain from findings")[1]
    beside = [one["domain"] for key in ("impersonation", "undeliverable") for one in detected.get(key, ())]
    every = sorted({str(row[0]) for row in accused} | set(beside))
    names = tuple(name for name in every if answers.askable(name))
    return Questions(names, tuple(name for name in every if name not in set(names)), questions.script(names))


def _detected(case: Case) -> Mapping[str, Any] | None:
    """detection.json; None before a detection."""
    from forensics.custody import parameters

    return parameters.read(case) or None


@checked
def identity(case_dir: str | Path, delivery_id: str) -> bytes:
    """The bytes that a delivery's id is the SHA-256 of (its first 32 hexadecimal digits), made from its row; of the id,
    eight digits are enough where no other begins so.

    Raises UsageError when the case has no such delivery or several, CaseError when its id does not follow from its row.
    """
    from forensics import store
    from forensics.custody import staging
    from forensics.stitch import naming

    case = Case(Path(case_dir))
    staging.finish(case)
    casefile = case_files.read(case)
    columns = ", ".join("epoch_us(submitted_at)" if name == "submitted_at" else name for name in naming.FIELDS)
    with store.connect(case, casefile.organisation.domains) as connection:
        named = store.delivery(connection, delivery_id)
        if named is None:
            raise UsageError(f"{delivery_id}: no delivery of this case", expected=shortened.EXPECTED)
        found = connection.execute(f"SELECT {columns} FROM deliveries WHERE delivery_id = ?", [named]).fetchall()[0]
        alike = " AND ".join(f"{name} IS NOT DISTINCT FROM d.{name}" for name in naming.FIELDS)
        query = f"SELECT (SELECT count(*) FROM deliveries WHERE {alike}) FROM deliveries d WHERE delivery_id = ?"
        count = connection.execute(query, [named]).fetchone()
    for repeat in range(count[0] if count else 0):
        message = naming.identity(found, repeat)
        if naming.name(message) == named:
            return message
    raise CaseError(
        f"{named}: this id does not follow from its row", remedy="`missent verify` says what else was changed"
    )


@checked
def doctor(
    *, compile_now: bool = False, case_dir: str | Path | None = None, progress: Progress | None = None
) -> Health:
    """What this installation is and whether its compiled code is ready; with `compile_now`, make it ready. With a case,
    which of its promises hold on this machine. Raises CaseError where there is no such case."""
    from forensics.native import compiler, selfcheck

    if compile_now:
        compiler.ready(progress)
        selfcheck.check()
    return health.health(Case(Path(case_dir)) if case_dir is not None else None)


@checked
def sql(case_dir: str | Path, query: str) -> Answer:
    """Rows of one query over the case's tables and views (`forensics.views`); it can read nothing else and change
    nothing.

    Raises UsageError with DuckDB's own words when the query is wrong.
    """
    from forensics import views
    from forensics.custody import staging

    case = Case(Path(case_dir))
    staging.finish(case)
    casefile = case_files.read(case)
    with views.connect(case, casefile.organisation.domains) as connection:
        table = views.answer(connection, query)
    columns = [column.to_pylist() for column in table.columns]
    return Answer(tuple(table.column_names), tuple(zip(*columns, strict=True)))


@checked
def views_sql(case_dir: str | Path) -> str:
    """SQL that makes the case's tables and views in a DuckDB of one's own; its paths are those of this machine."""
    from forensics import views
    from forensics.custody import staging

    case = Case(Path(case_dir).absolute())
    staging.finish(case)
    return views.statements(case, case_files.read(case).organisation.domains)


@checked
def formats() -> Formats:
    """What can be read (loader, name and description, in the order the loaders are tried), and what is refused by its
    name (with what to ask for instead, in the order in which it is recognised)."""
    from forensics import wraps
    from forensics.custody import packings
    from forensics.loaders import LOADERS, load
    from forensics.loaders.refused import FORMATS

    read = [{"loader": name, "name": form, "what": what} for name in LOADERS for form, what in load(name).FORMATS]
    read += [{"loader": "wraps", "name": form, "what": what} for form, what in wraps.FORMATS]
    refused = [*((one.name, one.instead) for one in FORMATS), *packings.refused()]
    return Formats(tuple(read), tuple({"name": name, "instead": instead} for name, instead in refused))


@checked
def demo(
    out: str | Path, reports: str | Path | None = None, *, progress: Progress | None = None, command: Sequence[str] = ()
) -> list[Run]:
    """Run the worked examples on the logs that come with the package; an example that nobody worked on is made anew.

    Raises UsageError, before anything is written, when `out` has something else under the name of an example.
    """
    import shutil

    cases = [Case(Path(out) / name) for name in DEMOS]
    for case in cases:
        if case.folder.exists() and not _as_made(case):
            raise UsageError(
                f"{case.folder}: is there already, and is more than a worked example as it was made",
                expected="nothing of that name, so that nobody's work is lost",
                remedy="choose another folder with --out, or delete that one",
            )
    results = []
    for case, name in zip(cases, DEMOS, strict=True):
        if case.folder.exists():
            shutil.rmtree(case.folder)
        with as_file(files("forensics") / "demo" / name) as evidence:
            case.folder.mkdir(parents=True)
            shutil.copyfile(evidence / "case.toml", case.toml)
            logs = sorted(path for path in evidence.iterdir() if path.name.startswith("mail.log"))
            target = Path(reports) / name if reports else case.reports
            results.append(
                pipeline.run(
                    logs, case.folder, formats=("html", "pdf", "json"), out=target, progress=progress, command=command
                )
            )
    return results


def _as_made(case: Case) -> bool:
    """Whether a folder holds a worked example that no person has ruled on, answered or added to."""
    from forensics.custody import log

    shipped = files("forensics") / "demo" / case.folder.name / "case.toml"
    if not case.toml.is_file() or case.toml.read_bytes() != shipped.read_bytes() or case.verdicts.exists():
        return False
    kept = log.check(case)
    return not kept.faults and {str(one.get("action")) for one in kept.entries} <= {"ingest", "detect", "report"}


@checked
def init(
    case_dir: str | Path, *, org: Sequence[str] = (), watch: Sequence[str] = (), known_good: Sequence[str] = ()
) -> Path:
    """Make an empty case and return its case.toml. Raises CaseError when there is one already."""
    case = Case(Path(case_dir))
    if case.toml.exists():
        raise CaseError(f"{case.toml} exists", remedy="edit it, or `missent ask` its open questions")
    pipeline.create_or_update(case, org=org, watch=watch, known_good=known_good)
    return case.toml


@checked
def ask(case_dir: str | Path, *, everything: bool = False, examiner: str = "", note: str = "") -> Asked:
    """Ask the open questions of case.toml at the terminal and write the answers into it."""
    from forensics.custody import log, staging
    from forensics.report import asking

    case = Case(Path(case_dir))
    staging.finish(case)
    return asking.ask(case, everything=everything, by=log.By(examiner, note))


@checked
def review(
    case_dir: str | Path,
    *,
    reviewer: str | None = None,
    export_to: Path | None = None,
    import_from: Path | None = None,
    remember: bool = False,
    web: bool = False,
    port: int = 0,
    browser: bool = True,
    read_only: bool = False,
    show: str | None = None,
    rule: str | None = None,
    on: Sequence[str] = (),
    reason: str | None = None,
    examiner: str = "",
    note: str = "",
) -> Reviewed:
    """Record verdicts, in the browser, by command or by a CSV list; without any of them, say how the pairs stand."""
    from forensics import review as reviewing
    from forensics import store
    from forensics.custody import log, staging

    case, by = Case(Path(case_dir)), log.By(examiner, note)
    staging.finish(case)
    case_files.read(case)
    store.sound(case)
    return reviewing.review(
        case,
        reviewer=reviewer,
        export_to=export_to,
        import_from=import_from,
        remember=remember,
        web=web,
        port=port,
        browser=browser,
        read_only=read_only,
        show=show,
        rule=rule,
        on=on,
        reason=reason,
        rules=refusals,
        by=by,
    )


@checked
def worksheet(
    case_dir: str | Path, sheet: str | Path, *, examiner: str = "", note: str = ""
) -> tuple[dict[str, Any], ...]:
    """Take in a worksheet that people filled in (`report --format worksheet`); returns the rows that were recorded.

    Raises UsageError naming the row that is wrong; then none is recorded.
    """
    from forensics.custody import log, staging
    from forensics.review import worksheets

    case = Case(Path(case_dir))
    staging.finish(case)
    case_files.read(case)
    return worksheets.take(case, Path(sheet), by=log.By(examiner, note))
