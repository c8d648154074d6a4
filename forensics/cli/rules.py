"""Rules against lookalikes, and the lookalikes that rules may be made of: block, watch-list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from forensics.cli.options import CASE, JSON, PATH, having, typed
from forensics.cli.values import first_moment, rule_formats
from forensics.errors import UsageError


def _writing(what: str, expire: str, are: str, *, out: str, **formats: Any) -> tuple[Callable[..., Any], ...]:
    """In which formats rules are written, where to, and for how long; `what` they are, with its verbs, in the help."""
    return (
        click.option(
            "--format",
            "formats",
            metavar="NAME,…",
            shell_complete=rule_formats,
            help=("" if formats else "Any of ") + "postfix, exchange, online, list, rpz, sigma, splunk, elastic.",
            **formats,
        ),
        click.option(
            "--out", type=PATH, default=Path(out), show_default=True, metavar="DIR", help=f"A new folder for {what}."
        ),
        click.option(
            "--days", type=click.IntRange(1, 3650), default=90, show_default=True, help=f"Until {what} {expire}."
        ),
        click.option(
            "--as-of",
            metavar="TIME",
            callback=first_moment,
            help=f"The moment that {what} {are} dated by (default: now).",
        ),
    )


@click.command(short_help="Write rules that stop further mail to confirmed lookalikes.")
@CASE
@having(_writing("the rules", "expire", "are", out="block", default="postfix,exchange,online,list", show_default=True))
@JSON
def block(case_dir: Path, formats: str, out: Path, days: int, as_of: datetime | None, as_json: bool) -> None:
    """Write rules that stop further mail to the domains of confirmed pairs; the others are listed for review.

    Example:  missent block --case case --format postfix,list
    """
    from forensics import terminal, workbench

    result = workbench.block(case_dir, formats=[formats], out=out, days=days, as_of=as_of)
    terminal.blocked(result, as_json=as_json)


@click.command("watch-list", short_help="List the lookalikes of a domain that one slip reaches.")
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
    type=PATH,
    metavar="DIR",
    help="A case: '*.mil' then stands for what it writes to below it; by traffic, without names in genuine use.",
)
@having(_writing("--format", "expires", "is", out="watch"))
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
        if idle := [one for one in ("out", "days", "as_of") if typed(one)]:
            named = ", ".join(f"--{one.replace('_', '-')}" for one in idle)
            raise UsageError(f"{named}: no rules are written", expected="--format NAME,… beside it")
        return terminal.watch_list(workbench.watch_list(names, limit=limit, case_dir=case_dir), as_json=as_json)
    if case_dir is None:
        raise UsageError("--format: rules are tried on a case first", remedy="name one with --case DIR")
    result = workbench.watch_rules(names, case_dir, limit=limit, formats=[formats], out=out, days=days, as_of=as_of)
    terminal.blocked(result, as_json=as_json)
