"""A case itself: init, ask, status, sql."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from forensics.cli.options import ABOUT, CASE, JSON, PATH, SAYING, alone, having
from forensics.errors import UsageError


@click.command(short_help="Make an empty case with every question explained.")
@CASE
@having(ABOUT)
def init(case_dir: Path, **options: Any) -> None:
    """Make an empty case: case.toml with every question explained.

    Example:  missent init --case case --org example.org
    """
    from forensics import terminal, workbench

    terminal.created(workbench.init(case_dir, **options))


@click.command(short_help="Fill in the questionnaire of case.toml, question by question.")
@CASE
@click.option("--all", "everything", is_flag=True, help="Ask again what is answered already.")
@having(SAYING)
def ask(case_dir: Path, everything: bool, **said: str) -> None:
    """Fill in the questionnaire of case.toml, question by question.

    Example:  missent ask --case case
    """
    from forensics import terminal, workbench

    terminal.asked(workbench.ask(case_dir, everything=everything, **said))


@click.command(short_help="Say where a case stands, and what comes next.")
@click.argument("place", type=PATH, metavar="[CASE]", required=False)
@CASE
@JSON
@click.pass_context
def status(ctx: click.Context, /, place: Path | None, case_dir: Path, as_json: bool) -> None:
    """Say what a case holds, who is at work on it, and what comes next.

    Example:  missent status case
    """
    from forensics import terminal, workbench

    if place is not None and ctx.get_parameter_source("case_dir") is not ParameterSource.DEFAULT:
        raise UsageError("status: CASE and --case at once", expected="one case")
    terminal.status(workbench.status(place or case_dir), as_json=as_json)


@click.command(short_help="Ask the case's tables and views with DuckDB SQL.")
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
        alone("print_views", "case_dir")
        print(workbench.views_sql(case_dir), end="")
        return
    if query is None:
        raise UsageError(
            "sql: no query was given", remedy="missent sql --case DIR 'show tables' lists what can be asked"
        )
    terminal.table(workbench.sql(case_dir, query), "json" if as_json else form)
