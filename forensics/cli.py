"""The command line: each command parses, calls one function of `forensics.pipeline` (or its room) and prints.

What an exit code says stands in `forensics.errors.EXIT_CODES`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from forensics import errors
from forensics.errors import MissentError, OrganisationDiffers, UsageError


def _time(value: str | None, *, end: bool) -> datetime | None:
    """A UTC time of the command line; a bare date means its first or, at the end of a range, its last moment."""
    if value is None:
        return None
    from forensics.pipeline import moment

    try:
        return moment(value, end=end)
    except UsageError as error:
        raise click.BadParameter(str(error)) from None


def _start(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    return _time(value, end=False)


def _end(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    return _time(value, end=True)


def _year(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | str | None:
    """One year, or two that follow each other, which stay a text."""
    if value is None:
        return None
    years = [int(part) if part.isascii() and part.isdigit() else 0 for part in value.split("/")]
    if len(years) > 2 or not all(1980 <= year <= 2200 for year in years) or years[-1] != years[0] + len(years) - 1:
        raise click.BadParameter(f"{value!r} is neither a year from 1980 to 2200 nor two such as 2022/2023")
    return value if len(years) > 1 else years[0]


def _zones(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of zones that begin so."""
    from zoneinfo import available_timezones

    return [CompletionItem(one) for one in sorted(available_timezones()) if one.lower().startswith(begun.lower())]


def _formats(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Lists of formats that go on with one more."""
    from forensics.report.writing import FORMATS

    return _lists(FORMATS, begun)


def _rules(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Lists of kinds of rules that go on with one more."""
    from forensics.blocking.writing import FORMATS

    return _lists(FORMATS, begun)


def _lists(names: Iterable[str], begun: str) -> list[CompletionItem]:
    before, _, last = begun.rpartition(",")
    taken = before.split(",")
    rest = [one for one in names if one.startswith(last) and one not in taken]
    return [CompletionItem(f"{before},{one}" if before else one) for one in rest]


def _size(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """Bytes, by powers of 1,024: 500G, 2T."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,15})([KMGT]?)(?:i?B)?", value.strip(), re.I | re.A)
    if not found or not int(found[1]):
        raise click.BadParameter(f"{value!r} is no size such as 500G or 2T")
    return int(found[1]) << (10 * "KMGT".find(found[2].upper()) + 10 if found[2] else 0)


CASE = click.option(
    "--case",
    "case_dir",
    type=click.Path(path_type=Path),
    default=Path("case"),
    show_default=True,
    metavar="DIR",
    help="The case folder.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one machine-readable object instead of text.")
LOGS = click.argument("logs", nargs=-1, required=True, metavar="LOG…")

ABOUT = (
    click.option(
        "--org",
        multiple=True,
        metavar="DOMAIN",
        help="A domain of the organisation (repeatable; covers its subdomains); kept if the evidence has mail of it.",
    ),
    click.option(
        "--watch",
        multiple=True,
        metavar="ZONE",
        help="A domain or zone mail is meant for even if unseen, such as '*.mil' (repeatable).",
    ),
    click.option(
        "--known-good", multiple=True, metavar="DOMAIN", help="A genuine correspondent, never accused (repeatable)."
    ),
)
AGAIN = (
    click.option(
        "--org-add",
        is_flag=True,
        help="The domains of --org are the organisation's beside those that the case has.",
    ),
    click.option(
        "--org-replace",
        is_flag=True,
        help="The domains of --org are the organisation's instead of those that the case has.",
    ),
)


def _cluster(_ctx: click.Context, _param: click.Parameter, address: str | None) -> str | None:
    if address is not None and address.startswith("tcp://"):
        click.echo(
            f"Warning: --cluster {address}: connections are neither encrypted nor authenticated, and a scheduler runs "
            f"whatever reaches its port; tls://… is described in docs/scale.md",
            err=True,
        )
    return address


MEMORY = click.option(
    "--memory",
    metavar="SIZE",
    callback=_size,
    help="What it may take of memory, such as 4G; 1G at least (default: what it needs).",
)
READING = (
    click.option(
        "--year",
        callback=_year,
        metavar="YYYY",
        help="Year of a file's first record, where stamps have none; 2022/2023 for files that run over New Year.",
    ),
    click.option(
        "--timezone",
        metavar="NAME",
        shell_complete=_zones,
        help="Zone of stamps without one, such as Europe/London (default UTC).",
    ),
    click.option(
        "--workers", type=click.IntRange(1, 64), metavar="N", help="Threads to use (default: every processor)."
    ),
    MEMORY,
    click.option(
        "--cluster",
        metavar="ADDRESS",
        callback=_cluster,
        help="A running Dask scheduler to use instead, such as tls://10.0.0.5:8786.",
    ),
    click.option(
        "--follow-links", is_flag=True, help="Read what symbolic links lead to outside of a folder that is given, too."
    ),
    click.option(
        "--max-expanded",
        metavar="SIZE",
        callback=_size,
        help="What packed evidence may come to, unpacked, such as 500G (default 1T); more ends the command.",
    ),
)
PERIOD = (
    click.option(
        "--since",
        metavar="TIME",
        callback=_start,
        help="Score only deliveries submitted from this UTC time (2023-06-01 or 2023-06-01T08:00).",
    ),
    click.option(
        "--until",
        metavar="TIME",
        callback=_end,
        help="Score only deliveries submitted before the end of this UTC time.",
    ),
)
REPORTING = (
    click.option(
        "--format",
        "formats",
        default="html,pdf,json",
        show_default=True,
        metavar="LIST",
        shell_complete=_formats,
        help="Any of html, pdf, json, docx, xlsx, csv, md, veris, answers, timesketch, iris, ecs, worksheet, letters, "
        "forms.",
    ),
    click.option(
        "--edition",
        type=click.Choice(["full", "redacted"]),
        default="full",
        show_default=True,
        help="Redacted: no address, name, host or subject leaves the case.",
    ),
    click.option(
        "--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write reports (default: CASE/reports)."
    ),
    click.option(
        "--as-of",
        metavar="TIME",
        callback=_start,
        help="The moment the 72-hour clock is read at (default: deadlines only).",
    ),
)
HOLDING = (
    click.option("--wait", is_flag=True, help="Wait while another command holds the case."),
    click.option(
        "--break-lock",
        is_flag=True,
        help="Take the case over from a command on another machine that has ended; it is recorded.",
    ),
)
SAYING = (
    click.option(
        "--examiner", default="", metavar="NAME", help="Who does this, as the custody log keeps it beside the login."
    ),
    click.option("--note", default="", metavar="TEXT", help="What the custody log is to keep beside this entry."),
)
PROGRESS = click.option(
    "--progress",
    type=click.Choice(["auto", "bar", "json", "none"]),
    default="auto",
    show_default=True,
    help="How far it is, on standard error: a bar (auto: at a terminal, without --json), or one JSON object a line.",
)
FAIL = click.option(
    "--fail-on-findings", is_flag=True, help="Exit with 1 when findings of level medium or above are present."
)


def _options(*groups: tuple[Callable[..., Any], ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return decorate


class _Group(click.Group):
    """Prints a MissentError as the three lines it holds, never as a traceback; and so what the system refuses."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        wanted = "--json" in args
        ctx = super().make_context(info_name, args, parent, **extra)
        ctx.meta["missent.json"] = wanted
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort) as interrupt:
            from forensics.report.text.visible import inked

            click.echo("missent: interrupted", err=True)
            for kept in getattr(interrupt, "__notes__", ()):
                click.echo(f"missent: {inked(kept)}", err=True)
            ctx.exit(errors.INTERRUPTED)
        except BrokenPipeError:
            raise
        except click.ClickException as error:
            _as_json(ctx, error.format_message(), error.exit_code)
            raise
        except Exception as error:
            told = _told(error)
            if told is None:
                raise
            from forensics.report.text.visible import inked

            # Names of files, of members of archives and of domains are written by strangers.
            click.echo("\n".join(inked(line) for line in f"missent: {told}".split("\n")), err=True)
            _as_json(ctx, told.what, told.exit_code, expected=told.expected, remedy=told.remedy)
            ctx.exit(told.exit_code)

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), says) for code, says in errors.EXIT_CODES.items()])


def _as_json(ctx: click.Context, what: str, code: int, **more: str | None) -> None:
    """An error where a program asked for --json: one object on standard output, beside the words for people."""
    if ctx.meta.get("missent.json"):
        from forensics import terminal

        terminal.fault({"error": what, **more, "exit_code": code})


def _told(error: Exception) -> MissentError | None:
    """The error as a person is told it; None for a fault of the program."""
    if isinstance(error, MissentError):
        return error
    if isinstance(error, OSError | MemoryError):
        return errors.system_error(error)
    duckdb = sys.modules.get("duckdb")
    if duckdb is not None and isinstance(error, duckdb.OutOfMemoryException):
        said = str(error).splitlines()[0].removeprefix("Out of Memory Error: ")
        return errors.MachineError(
            f"there is not enough memory: {said}", remedy="give more --memory, or end other programs"
        )
    if duckdb is not None and isinstance(error, duckdb.IOException):
        return errors.MachineError(str(error).splitlines()[0], remedy="see that there is room, and permission for it")
    return None


def _organisation(call: Callable[..., Any], options: dict[str, Any]) -> Any:
    """Call with the options; where they name other domains than the case's, ask what becomes of those, if somebody is
    there to answer."""
    try:
        return call(options)
    except OrganisationDiffers as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        click.echo(f"missent: {error.what}", err=True)
        answer = click.prompt(
            "add them, replace the case's by them, or stop?",
            type=click.Choice(["add", "replace", "stop"]),
            default="stop",
            err=True,
        )
        if answer == "stop":
            raise
        return call({**options, f"org_{answer}": True})


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="missent", message="missent %(version)s")
def main() -> None:
    """Find mail that went to a lookalike of the domain its sender meant, from mail-server logs alone.

    Start with:  missent run /evidence/mail.log* --org example.org
    """


@main.command()
@LOGS
@CASE
@_options(ABOUT, AGAIN, READING, PERIOD, REPORTING, SAYING, HOLDING)
@FAIL
@PROGRESS
@JSON
@click.pass_context
def run(
    ctx: click.Context,
    /,
    logs: tuple[str, ...],
    case_dir: Path,
    as_json: bool,
    progress: str,
    fail_on_findings: bool,
    **options: Any,
) -> None:
    """The main job: ingest LOG…, detect, report.

    LOG is a file, folder, glob, archive, s3://BUCKET/KEY or - (standard input); Postfix, Exim, Exchange message
    tracking and Exchange Online message trace are recognised by content.

    Example:  missent run /evidence/mail.log* --org example.org
    """
    from forensics import pipeline, terminal

    def call(options: dict[str, Any]) -> Any:
        with terminal.progress(progress, quiet=as_json) as shown:
            return pipeline.run(logs, case_dir, progress=shown, command=_command(), **options)

    result = _organisation(call, options)
    terminal.run(result, as_json=as_json)
    ctx.exit(_code(result, fail_on_findings and result.detected.suspects > 0))


@main.command()
@LOGS
@CASE
@_options(ABOUT, AGAIN, READING, SAYING, HOLDING)
@PROGRESS
@JSON
@click.pass_context
def ingest(
    ctx: click.Context, /, logs: tuple[str, ...], case_dir: Path, as_json: bool, progress: str, **options: Any
) -> None:
    """Read LOG… into the case. May be repeated: evidence already in the case is recognised by digest.

    Example:  missent ingest /evidence/mail.log* --case case --org example.org
    """
    from forensics import pipeline, terminal

    def call(options: dict[str, Any]) -> Any:
        with terminal.progress(progress, quiet=as_json) as shown:
            return pipeline.ingest(logs, case_dir, progress=shown, command=_command(), **options)

    result = _organisation(call, options)
    terminal.ingested(result, as_json=as_json)
    ctx.exit(_code(result))


@main.command(short_help="Weigh every outbound delivery of the case.")
@CASE
@_options(ABOUT, AGAIN, PERIOD, SAYING, HOLDING)
@MEMORY
@FAIL
@PROGRESS
@JSON
@click.pass_context
def detect(
    ctx: click.Context, /, case_dir: Path, as_json: bool, progress: str, fail_on_findings: bool, **options: Any
) -> None:
    """Weigh every outbound delivery of the case and write findings and incidents.

    Example:  missent detect --case case --since 2024-01-01
    """
    from forensics import pipeline, terminal

    def call(options: dict[str, Any]) -> Any:
        with terminal.progress(progress, quiet=as_json) as shown:
            return pipeline.detect(case_dir, progress=shown, command=_command(), **options)

    result = _organisation(call, options)
    terminal.detected(result, as_json=as_json)
    ctx.exit(_code(result, fail_on_findings and result.suspects > 0))


@main.command(short_help="Write the incident report.")
@CASE
@_options(REPORTING, SAYING, HOLDING)
@click.option(
    "--templates",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="A folder whose words and templates come before the shipped ones.",
)
@click.option(
    "--logo",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A PNG or SVG for the head of the page.",
)
@click.option("--language", default="en-GB", show_default=True, metavar="TAG", help="Folder of words to use.")
@click.option(
    "--since-report",
    type=click.Path(path_type=Path, exists=True),
    metavar="PREVIOUS",
    help="An earlier incident.json (or its folder): the report says what changed since.",
)
@click.option(
    "--withdraw",
    multiple=True,
    metavar="NAME",
    help="Record that a report no longer holds, such as incident.html, so that it may be gone (repeatable).",
)
@click.option("--because", default="", metavar="TEXT", help="Why it is withdrawn.")
@PROGRESS
@JSON
def report(
    case_dir: Path, as_json: bool, progress: str, withdraw: tuple[str, ...], because: str, **options: Any
) -> None:
    """Write the incident report in the formats and edition asked for.

    Example:  missent report --case case --format pdf,docx --edition redacted --out for-release
    """
    from forensics import pipeline, terminal

    if withdraw:
        said = {name: options[name] for name in ("examiner", "note")}
        terminal.withdrawn(pipeline.withdraw(case_dir, withdraw, because=because, **said), as_json=as_json)
        return
    if because:
        raise UsageError("--because: nothing is withdrawn", expected="--withdraw NAME beside it")
    with terminal.progress(progress, quiet=as_json) as shown:
        result = pipeline.report(case_dir, progress=shown, command=_command(), **options)
    terminal.reported(result, as_json=as_json)


@main.command(short_help="Check a case, a bag or a report, down to the bytes.")
@click.argument("path", type=click.Path(path_type=Path), metavar="PATH", required=False)
@click.option("--case", "case_dir", type=click.Path(path_type=Path), metavar="DIR", help="The case, instead of PATH.")
@click.option(
    "--evidence",
    type=click.Path(),
    metavar="DIR",
    help="Where to look for evidence that has moved (found by digest): a folder, or s3://BUCKET/PREFIX.",
)
@click.option(
    "--all",
    "all_records",
    is_flag=True,
    help="Re-read every record of every delivery, not only those that findings cite.",
)
@click.option(
    "--ca",
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="The time-stamping authority's certificates, from elsewhere than the case.",
)
@click.option(
    "--signers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Whose keys may have signed: a file of allowed signers, as ssh-keygen has it.",
)
@click.option(
    "--rerun",
    is_flag=True,
    help="Also make everything afresh from the evidence, in a temporary folder, and compare: as long as the first run.",
)
@PROGRESS
@JSON
@click.pass_context
def verify(
    ctx: click.Context, /, path: Path | None, case_dir: Path | None, as_json: bool, progress: str, **options: Any
) -> None:
    """Walk a case back to the bytes: evidence, counts, cited records, tables, custody log, reports.

    PATH is a case, a bag (`missent export`), or a report: of that, which state of which case it shows,
    and whether it is as it was sealed.

    Example:  missent verify case --ca authority.pem --signers signers
    """
    from forensics import proof, terminal

    if (path is None) == (case_dir is None):
        raise UsageError("verify: nothing to verify" if path is None else "verify: PATH and --case at once",
                         expected="a case, a bag or a report")  # fmt: skip
    place = path or case_dir
    assert place is not None
    with terminal.progress(progress, quiet=as_json) as shown:
        result = proof.verify(place, progress=shown, **options)
    terminal.verified(result, as_json=as_json)
    ctx.exit(result.exit_code)


@main.command(short_help="List pairs and rule on them, in the browser or by command.")
@CASE
@click.option("--reviewer", metavar="NAME", help="Who rules, as the report shall print it.")
@click.option(
    "--export",
    "export_to",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Write the list of incidents and findings to rule on.",
)
@click.option(
    "--import", "import_from", type=click.Path(path_type=Path), metavar="CSV", help="Read rulings from that list."
)
@click.option("--show", metavar="DOMAIN|DELIVERY", help="Set out one pair, by its typed domain, or one finding.")
@click.option("--rule", metavar="VERDICT", help="Rule: confirmed, dismissed or undecided.")
@click.option(
    "--on", multiple=True, metavar="DOMAIN|DELIVERY", help="What the ruling is on: a pair or a finding (repeatable)."
)
@click.option("--reason", metavar="TEXT", help="Why.")
@click.option("--remember", is_flag=True, help="Remember dismissed domains as known-good in case.toml.")
@click.option("--web", is_flag=True, help="Review in the browser: prints the link that opens the desk, once.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    metavar="N",
    help="Port of the desk on this machine's loopback (default: a free one).",
)
@click.option("--browser/--no-browser", default=True, help="Open the link, where there is a browser (the default).")
@click.option("--read-only", is_flag=True, help="A desk that shows every ruling and takes none.")
@_options(SAYING)
@JSON
def review(case_dir: Path, as_json: bool, **options: Any) -> None:
    """List pairs and rule on them: confirmed, dismissed, undecided; append-only, with reviewer and reason.

    Example:  missent review --case case --web
    """
    from forensics import terminal, workbench

    terminal.reviewed(workbench.review(case_dir, **options), as_json=as_json)


@main.command(short_help="Show what speaks for and against a delivery or a domain.")
@CASE
@click.argument("subject", metavar="DELIVERY|DOMAIN")
@click.option("--bytes", "as_bytes", is_flag=True, help="Print what the delivery's id is the SHA-256 of; nothing else.")
@JSON
def explain(case_dir: Path, subject: str, as_bytes: bool, as_json: bool) -> None:
    """Show the two propositions, the weighed parts and the quoted records behind a delivery or a domain.

    Example:  missent explain --case case navy.ml
    """
    from forensics import terminal, workbench

    if as_bytes:
        sys.stdout.buffer.write(workbench.identity(case_dir, subject))
        return
    terminal.explained(workbench.explain(case_dir, subject), as_json=as_json)


@main.command(short_help="Write rules that stop further mail to confirmed lookalikes.")
@CASE
@click.option(
    "--format",
    "formats",
    default="postfix,exchange,online,list",
    show_default=True,
    metavar="NAME,…",
    shell_complete=_rules,
    help="postfix, exchange, online, list, rpz, sigma, splunk, elastic.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("block"),
    show_default=True,
    metavar="DIR",
    help="A new folder for the rules.",
)
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="Until the rules expire.")
@click.option("--as-of", metavar="TIME", callback=_start, help="The moment that the rules are dated by (default: now).")
@JSON
def block(case_dir: Path, formats: str, out: Path, days: int, as_of: datetime | None, as_json: bool) -> None:
    """Write rules that stop further mail to the domains of confirmed pairs; the others are listed for review.

    Example:  missent block --case case --format postfix,list
    """
    from forensics import terminal, workbench

    result = workbench.block(case_dir, formats=[formats], out=out, days=days, as_of=as_of)
    terminal.blocked(result, as_json=as_json)


@main.command(short_help="Take in a worksheet of what people found in the messages.")
@click.argument("sheet", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="XLSX")
@CASE
@_options(SAYING)
@JSON
def worksheet(sheet: Path, case_dir: Path, as_json: bool, **options: Any) -> None:
    """Take in a worksheet that was filled in: what people found in the messages.

    `missent report --format worksheet` writes it. Its rows are kept in the custody log and stand in section 6 of the
    next report; a row that the case does not know refuses the whole sheet.

    Example:  missent worksheet worksheet.xlsx --case case
    """
    from forensics import terminal, workbench

    terminal.worksheet(workbench.worksheet(case_dir, sheet, **options), as_json=as_json)


@main.command(short_help="Write questions for the DNS and RDAP, to be asked elsewhere.")
@CASE
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="File to write; without it, to the output."
)
@JSON
def lookups(case_dir: Path, out: Path | None, as_json: bool) -> None:
    """Write a script that asks the DNS and RDAP about the domains in question, to be run on another machine.

    Missent asks nobody. Whoever runs a zone sees such questions; the answers are of the day of asking, not of the send,
    and registration data may be withheld or be a later owner's. Hand in what the script prints with `missent ingest`.

    Example:  missent lookups --case case --out ask.sh
    """
    from forensics import terminal, workbench

    terminal.questions(workbench.lookups(case_dir), out, as_json=as_json)


@main.command("watch-list", short_help="List the lookalikes of a domain that one slip reaches.")
@click.argument("names", nargs=-1, required=True, metavar="DOMAIN…")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    metavar="N",
    help="How many lookalikes.",
)
@click.option(
    "--case",
    "case_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A case: '*.mil' then stands for what it writes to below it; by traffic, without names in genuine use.",
)
@click.option(
    "--format",
    "formats",
    metavar="NAME,…",
    shell_complete=_rules,
    help="Any of postfix, exchange, online, list, rpz, sigma, splunk, elastic.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("watch"),
    show_default=True,
    metavar="DIR",
    help="A new folder for --format.",
)
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="Until --format expires.")
@click.option("--as-of", metavar="TIME", callback=_start, help="The moment that --format is dated by (default: now).")
@JSON
def watch_list(
    names: tuple[str, ...],
    limit: int,
    case_dir: Path | None,
    formats: str | None,
    out: Path,
    days: int,
    as_of: datetime | None,
    as_json: bool,
) -> None:
    """List the lookalikes of DOMAIN… that one slip reaches, most probable first, as CSV; with --case and --format also
    as `missent block` writes its rules, into --out.

    Example:  missent watch-list navy.mil --limit 50
    """
    from forensics import terminal, workbench

    if formats is None:
        return terminal.watch_list(workbench.watch_list(names, limit=limit, case_dir=case_dir), as_json=as_json)
    if case_dir is None:
        raise UsageError("--format: rules are tried on a case first", remedy="name one with --case DIR")
    result = workbench.watch_rules(names, case_dir, limit=limit, formats=[formats], out=out, days=days, as_of=as_of)
    terminal.blocked(result, as_json=as_json)


@main.command(short_help="Ask the case's tables and views with DuckDB SQL.")
@CASE
@click.argument("query", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "record", "csv", "json"]),
    default="table",
    show_default=True,
    help="How to print the rows.",
)
@click.option("--record", "form", flag_value="record", help="Every row whole, one value a line.")
@click.option("--print-views", is_flag=True, help="Print SQL that makes the same tables and views in other tools.")
@JSON
def sql(case_dir: Path, query: str | None, form: str, print_views: bool, as_json: bool) -> None:
    """Ask the case's tables and views with DuckDB SQL; nothing else can be read, nothing changed.

    Example:  missent sql --case case 'from findings_open'
    """
    from forensics import terminal, workbench

    if print_views:
        print(workbench.views_sql(case_dir), end="")
        return
    if query is None:
        raise UsageError(
            "sql: no query was given", remedy="missent sql --case DIR 'show tables' lists what can be asked"
        )
    terminal.table(workbench.sql(case_dir, query), "json" if as_json else form)


@main.command(short_help="Say what this installation is, and whether it is ready.")
@click.option(
    "--compile", "compile_now", is_flag=True, help="Make the compiled code ready now, as the first run would."
)
@click.option(
    "--case",
    "case_dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Say as well which promises of this case hold on this machine.",
)
@PROGRESS
@JSON
def doctor(compile_now: bool, case_dir: Path | None, as_json: bool, progress: str) -> None:
    """Say what this installation is, what the machine gives it, and whether its compiled code is ready; of a case,
    which of its promises hold here.

    Example:  missent doctor --case case
    """
    from forensics import terminal, workbench

    with terminal.progress(progress, quiet=as_json) as shown:
        result = workbench.doctor(compile_now=compile_now, case_dir=case_dir, progress=shown)
    terminal.health(result, as_json=as_json)


@main.command(short_help="Say where a case stands, and what comes next.")
@CASE
@JSON
def status(case_dir: Path, as_json: bool) -> None:
    """Say what a case holds, who is at work on it, and what comes next.

    Example:  missent status --case case
    """
    from forensics import terminal, workbench

    terminal.status(workbench.status(case_dir), as_json=as_json)


@main.command(short_help="List what can be read, and what is refused by its name.")
@JSON
def formats(as_json: bool) -> None:
    """List what can be read, and what is refused by its name with what to ask for instead.

    Example:  missent formats
    """
    from forensics import terminal, workbench

    terminal.formats(workbench.formats(), as_json=as_json)


@main.command(short_help="Run the worked examples that come with Missent.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("missent-demo"),
    show_default=True,
    metavar="DIR",
    help="Where the example cases go.",
)
@click.option(
    "--reports", type=click.Path(path_type=Path), metavar="DIR", help="Where their reports go (default: DIR/reports)."
)
@PROGRESS
@JSON
def demo(out: Path, reports: Path | None, as_json: bool, progress: str) -> None:
    """Run the worked examples on the logs that come with Missent.

    Example:  missent demo --out demo
    """
    from forensics import terminal, workbench

    with terminal.progress(progress, quiet=as_json) as shown:
        results = workbench.demo(out, reports, progress=shown, command=_command())
    terminal.demo(results, as_json=as_json)


@main.command(short_help="Make an empty case with every question explained.")
@CASE
@_options(ABOUT)
def init(case_dir: Path, **options: Any) -> None:
    """Make an empty case: case.toml with every question explained.

    Example:  missent init --case case --org example.org
    """
    from forensics import terminal, workbench

    terminal.created(workbench.init(case_dir, **options))


@main.command(short_help="Fill in the questionnaire of case.toml, question by question.")
@CASE
@click.option("--all", "everything", is_flag=True, help="Ask again what is answered already.")
@_options(SAYING)
def ask(case_dir: Path, everything: bool, **said: str) -> None:
    """Fill in the questionnaire of case.toml, question by question.

    Example:  missent ask --case case
    """
    from forensics import terminal, workbench

    terminal.asked(workbench.ask(case_dir, everything=everything, **said))


@main.command(short_help="Copy a case with its evidence into a BagIt bag.")
@click.argument("case_dir", type=click.Path(path_type=Path), metavar="CASE")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The bag: a new folder.")
@click.option(
    "--no-evidence", "with_evidence", is_flag=True, flag_value=False, default=True, help="Leave the evidence files out."
)
@click.option(
    "--evidence",
    type=click.Path(),
    metavar="DIR",
    help="Where to look for evidence that has moved (found by digest): a folder, or s3://BUCKET/PREFIX.",
)
@click.option(
    "--edition",
    type=click.Choice(["full", "redacted"]),
    default="full",
    show_default=True,
    help="Redacted: the redacted reports and digests, no table, log or evidence.",
)
@click.option(
    "--as-of", metavar="TIME", callback=_start, help="The bag's date (default: of the custody log's last entry)."
)
@PROGRESS
@JSON
def export(case_dir: Path, as_json: bool, progress: str, **options: Any) -> None:
    """Copy a case with its evidence into a BagIt bag that sha256sum alone can check.

    Example:  missent export case --out /media/court/bag
    """
    from forensics import proof, terminal

    with terminal.progress(progress, quiet=as_json) as shown:
        result = proof.export(case_dir, progress=shown, **options)
    terminal.exported(result, as_json=as_json)


@main.command(short_help="Have the custody log time-stamped by an authority (RFC 3161).")
@CASE
@click.option("--query", type=click.Path(path_type=Path), metavar="FILE", help="Write a request to this new file.")
@click.option("--reply", type=click.Path(path_type=Path), metavar="FILE", help="Take the authority's reply in.")
@click.option(
    "--ca", type=click.Path(path_type=Path), metavar="PEM", help="The authority's certificates, to check the reply by."
)
@_options(SAYING)
@JSON
def stamp(case_dir: Path, as_json: bool, **options: Any) -> None:
    """Have the custody log's last entry time-stamped (RFC 3161), by a file that goes to an authority and one that
    comes back. Needs openssl.

    \b
    Example:  missent stamp --query head.tsq
              missent stamp --reply head.tsr --ca authority.pem
    """
    from forensics import proof, terminal

    terminal.attested(proof.stamp(case_dir, **options), as_json=as_json)


@main.command()
@CASE
@click.option(
    "--key", type=click.Path(path_type=Path), required=True, metavar="FILE", help="Your own key, as ssh-keygen has it."
)
@_options(SAYING)
@JSON
def sign(case_dir: Path, as_json: bool, **options: Any) -> None:
    """Sign the custody log's last entry with your own key. Needs ssh-keygen.

    Example:  missent sign --key ~/.ssh/id_ed25519 --examiner 'R. Osei'
    """
    from forensics import proof, terminal

    terminal.attested(proof.sign(case_dir, **options), as_json=as_json)


@main.group()
def custody() -> None:
    """Who had the evidence when, and who did what to the case.

    Example:  missent custody show --case case
    """


@custody.command("add")
@CASE
@click.option("--from", "given_by", required=True, metavar="NAME", help="Who gave it.")
@click.option("--to", "taken_by", required=True, metavar="NAME", help="Who took it.")
@click.option("--at", required=True, metavar="TIME", help="When: a day, or a time (UTC unless it has an offset).")
@click.option("--what", required=True, metavar="TEXT", help="What was handed over, such as 'disk 7, seal 0123'.")
@click.option("--place", default="", metavar="TEXT", help="Where.")
@click.option("--why", default="", metavar="TEXT", help="Why.")
@_options(SAYING)
@JSON
def custody_add(case_dir: Path, as_json: bool, **told: str) -> None:
    """Record that something changed hands.

    Example:  missent custody add --from 'A. Reyes' --to 'R. Osei' --at 2024-03-02 --what 'disk 7, seal 0123'
    """
    from forensics import proof, terminal

    terminal.handed_over(proof.custody_add(case_dir, **told), as_json=as_json)


@custody.command("show")
@CASE
@JSON
def custody_show(case_dir: Path, as_json: bool) -> None:
    """Show the chain of hand-overs, what is stated of acquisition and clocks, and the custody log.

    Example:  missent custody show --case case
    """
    from forensics import proof, terminal

    terminal.custody(proof.custody_show(case_dir), as_json=as_json)


def _code(result: Any, found: bool = False) -> int:
    """The exit code of a result; findings go first, for whoever asked to be told of them by it."""
    return errors.FINDINGS if found else int(result.exit_code)


def _command() -> list[str]:
    """The command line as given, for manifest and custody log."""
    return ["missent", *sys.argv[1:]]


@main.command(short_help="Print what makes the shell complete commands and options.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes the shell complete commands, options, formats and zones.

    Example:  missent completion bash > ~/.local/share/bash-completion/completions/missent
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    print(found(main, {}, "missent", "_MISSENT_COMPLETE").source())


def start() -> None:
    """The command `missent`, in a process of its own."""
    from forensics import start as process

    process.run(main)


if __name__ == "__main__":
    start()
