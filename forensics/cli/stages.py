"""The main job and its stages: run, ingest, detect, report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from forensics import errors
from forensics.cli.options import (
    ABOUT,
    AGAIN,
    CASE,
    FAIL,
    HOLDING,
    JSON,
    LOGS,
    MEMORY,
    PERIOD,
    PROGRESS,
    READING,
    REPORTING,
    SAYING,
    Named,
    alone,
    having,
)
from forensics.cli.values import command_line
from forensics.errors import OrganisationDiffers, UsageError


@click.command()
@LOGS
@CASE
@having(ABOUT, AGAIN, READING, PERIOD, REPORTING, SAYING, HOLDING)
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

    result = _carried_out(pipeline.run, logs, case_dir, progress=progress, as_json=as_json, **options)
    terminal.run(result, as_json=as_json)
    ctx.exit(_code(result, fail_on_findings and result.detected.suspects > 0))


@click.command()
@LOGS
@CASE
@having(ABOUT, AGAIN, READING, SAYING, HOLDING)
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

    result = _carried_out(pipeline.ingest, logs, case_dir, progress=progress, as_json=as_json, **options)
    terminal.ingested(result, as_json=as_json)
    ctx.exit(_code(result))


@click.command(short_help="Weigh every outbound delivery of the case.")
@CASE
@having(ABOUT, AGAIN, PERIOD, SAYING, HOLDING)
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

    result = _carried_out(pipeline.detect, case_dir, progress=progress, as_json=as_json, **options)
    terminal.detected(result, as_json=as_json)
    ctx.exit(_code(result, fail_on_findings and result.suspects > 0))


@click.command(short_help="Write the incident report.")
@CASE
@having(REPORTING, SAYING, HOLDING)
@click.option(
    "--templates",
    type=Named(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="A folder whose words and templates come before the shipped ones.",
)
@click.option(
    "--logo",
    type=Named(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A PNG or SVG for the head of the page.",
)
@click.option("--language", default="en-GB", show_default=True, metavar="TAG", help="Folder of words to use.")
@click.option(
    "--since-report",
    type=Named(path_type=Path, exists=True),
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
        alone("withdraw", "because", "case_dir", "examiner", "note", "progress", "as_json")
        said = {name: options[name] for name in ("examiner", "note")}
        terminal.withdrawn(pipeline.withdraw(case_dir, withdraw, because=because, **said), as_json=as_json)
        return
    if because:
        raise UsageError("--because: nothing is withdrawn", expected="--withdraw NAME beside it")
    result = _carried_out(pipeline.report, case_dir, progress=progress, as_json=as_json, **options)
    terminal.reported(result, as_json=as_json)


def _carried_out(stage: Callable[..., Any], *given: Any, progress: str, as_json: bool, **options: Any) -> Any:
    """What the stage came to, its progress shown; where the options name other domains than the case's, ask what
    becomes of those, if somebody is there to answer."""
    from forensics import bar

    try:
        with bar.progress(progress, quiet=as_json) as shown:
            return stage(*given, progress=shown, command=command_line(), **options)
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
    options[f"org_{answer}"] = True
    return _carried_out(stage, *given, progress=progress, as_json=as_json, **options)


def _code(result: Any, found: bool = False) -> int:
    """The exit code of a result; findings go first, for whoever asked to be told of them by it."""
    return errors.FINDINGS if found else int(result.exit_code)
