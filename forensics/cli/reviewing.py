"""What people find out about findings, and say of them: explain, review, lookups, worksheet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from forensics.cli.options import CASE, JSON, PATH, SAYING, Named, alone, having


@click.command(short_help="Show what speaks for and against a delivery or a domain.")
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
        alone("as_bytes", "subject", "case_dir")
        sys.stdout.buffer.write(workbench.identity(case_dir, subject))
        return
    terminal.explained(workbench.explain(case_dir, subject), as_json=as_json)


@click.command(short_help="List pairs and rule on them, in the browser or by command.")
@CASE
@click.option("--reviewer", metavar="NAME", help="Who rules, as the report shall print it.")
@click.option(
    "--export",
    "export_to",
    type=PATH,
    metavar="CSV",
    help="Write the list of incidents and findings to rule on, to a new file.",
)
@click.option("--import", "import_from", type=PATH, metavar="CSV", help="Read rulings from that list.")
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
@having(SAYING)
@JSON
def review(case_dir: Path, as_json: bool, **options: Any) -> None:
    """List pairs and rule on them: confirmed, dismissed, undecided; append-only, with reviewer and reason.

    Example:  missent review --case case --web
    """
    from forensics import terminal, workbench

    terminal.reviewed(workbench.review(case_dir, **options), as_json=as_json)


@click.command(short_help="Write questions for the DNS and RDAP, to be asked elsewhere.")
@CASE
@click.option("--out", type=PATH, metavar="FILE", help="A new file to write; without it, to the output.")
@JSON
def lookups(case_dir: Path, out: Path | None, as_json: bool) -> None:
    """Write a script that asks the DNS and RDAP about the domains in question, to be run on another machine.

    Missent asks nobody. Whoever runs a zone sees such questions; the answers are of the day of asking, not of the send,
    and registration data may be withheld or be a later owner's. Hand in what the script prints with `missent ingest`.

    Example:  missent lookups --case case --out ask.sh
    """
    from forensics import named, terminal, workbench

    if out is not None:
        named.new("--out", out)
    terminal.questions(workbench.lookups(case_dir), out, as_json=as_json)


@click.command(short_help="Take in a worksheet of what people found in the messages.")
@click.argument("sheet", type=Named(path_type=Path, exists=True, dir_okay=False), metavar="XLSX")
@CASE
@having(SAYING)
@JSON
def worksheet(sheet: Path, case_dir: Path, as_json: bool, **options: Any) -> None:
    """Take in a worksheet that was filled in: what people found in the messages.

    `missent report --format worksheet` writes it. Its rows are kept in the custody log and stand in section 6 of the
    next report; a row that the case does not know refuses the whole sheet.

    Example:  missent worksheet worksheet.xlsx --case case
    """
    from forensics import terminal, workbench

    terminal.worksheet(workbench.worksheet(case_dir, sheet, **options), as_json=as_json)
