"""Options and arguments that several commands have, in groups."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from forensics.cli.values import Log, cluster, first_moment, last_moment, report_formats, size, year, zones
from forensics.errors import UsageError


class Named(click.Path):
    """A path. An empty one would be the folder that the command is called in."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        if not str(value):
            self.fail("it is empty: is a variable of the shell unset?", param, ctx)
        return super().convert(value, param, ctx)


PATH = Named(path_type=Path)
PLACE = Named()
"""A path, or an address of objects."""

CASE = click.option(
    "--case",
    "case_dir",
    type=PATH,
    default=Path("case"),
    show_default=True,
    metavar="DIR",
    help="The case folder.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one machine-readable object instead of text.")
LOGS = click.argument("logs", nargs=-1, required=True, type=Log(), metavar="LOG…")

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


MEMORY = click.option(
    "--memory",
    metavar="SIZE",
    callback=size,
    help="What it may take of memory, such as 4G; 1G at least (default: what it needs).",
)
READING = (
    click.option(
        "--year",
        callback=year,
        metavar="YYYY",
        help="Year of a file's first record, where stamps have none; 2022/2023 for files that run over New Year.",
    ),
    click.option(
        "--timezone",
        metavar="NAME",
        shell_complete=zones,
        help="Zone of stamps without one, such as Europe/London (default UTC).",
    ),
    click.option(
        "--workers", type=click.IntRange(1, 64), metavar="N", help="Threads to use (default: every processor)."
    ),
    MEMORY,
    click.option(
        "--cluster",
        metavar="ADDRESS",
        callback=cluster,
        help="A running Dask scheduler to use instead, such as tls://10.0.0.5:8786.",
    ),
    click.option(
        "--follow-links", is_flag=True, help="Read what symbolic links lead to outside of a folder that is given, too."
    ),
    click.option(
        "--max-expanded",
        metavar="SIZE",
        callback=size,
        help="What packed evidence may come to, unpacked, such as 500G (default 1T); more ends the command.",
    ),
)
PERIOD = (
    click.option(
        "--since",
        metavar="TIME",
        callback=first_moment,
        help="Score only deliveries submitted from this UTC time (2023-06-01 or 2023-06-01T08:00).",
    ),
    click.option(
        "--until",
        metavar="TIME",
        callback=last_moment,
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
        shell_complete=report_formats,
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
    click.option("--out", type=PATH, metavar="DIR", help="Where to write reports (default: CASE/reports)."),
    click.option(
        "--as-of",
        metavar="TIME",
        callback=first_moment,
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


def typed(name: str | None) -> bool:
    """Whether somebody gave this option, or argument, of the command that runs."""
    source = click.get_current_context().get_parameter_source(str(name))
    return source is ParameterSource.COMMANDLINE


def alone(*said: str) -> None:
    """Raises UsageError where options were given beside these that would count for nothing. An option that is passed
    over lets people believe that it was followed."""
    ctx = click.get_current_context()
    given = [
        one.opts[0] if isinstance(one, click.Option) else str(one.metavar)
        for one in ctx.command.params
        if one.name not in said and typed(one.name)
    ]
    if given:
        option = next(one.opts[0] for one in ctx.command.params if one.name == said[0])
        raise UsageError(f"{option}: {', '.join(given)} would count for nothing beside it", expected="one or the other")


def having(*groups: tuple[Callable[..., Any], ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A command that has all options of these groups, in their order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return decorate
