"""What others are shown, and can check: verify, export, stamp, sign, custody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from forensics.cli.options import CASE, JSON, PATH, PLACE, PROGRESS, SAYING, having
from forensics.cli.values import first_moment
from forensics.errors import UsageError

EVIDENCE = click.option(
    "--evidence",
    type=PLACE,
    metavar="DIR",
    help="Where to look for evidence that has moved (found by digest): a folder, or s3://BUCKET/PREFIX.",
)


@click.command(short_help="Check a case, a bag or a report, down to the bytes.")
@click.argument("path", type=PATH, metavar="PATH", required=False)
@click.option(
    "--case",
    "case_dir",
    type=PATH,
    metavar="DIR",
    help="The case, instead of PATH; of a report, the case whose custody log is to know it.",
)
@EVIDENCE
@click.option(
    "--all",
    "all_records",
    is_flag=True,
    help="Re-read every record of every delivery, not only those that findings cite.",
)
@click.option(
    "--ca",
    type=PATH,
    metavar="PEM",
    help="The time-stamping authority's certificates, from elsewhere than the case.",
)
@click.option(
    "--signers",
    type=PATH,
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
    and whether it is as it was sealed. A seal shows that nothing changed since, not who made it; with --case
    a report is held to the custody log.

    Example:  missent verify case --ca authority.pem --signers signers
    """
    from forensics import bar, proof, terminal

    place, case = (case_dir, None) if path is None else (path, case_dir)
    if place is None:
        raise UsageError("verify: nothing to verify", expected="a case, a bag or a report")
    with bar.progress(progress, quiet=as_json) as shown:
        result = proof.verify(place, case=case, progress=shown, **options)
    terminal.verified(result, as_json=as_json)
    ctx.exit(result.exit_code)


@click.command(short_help="Copy a case with its evidence into a BagIt bag.")
@click.argument("case_dir", type=PATH, metavar="CASE")
@click.option("--out", type=PATH, required=True, metavar="DIR", help="The bag: a new folder.")
@click.option(
    "--no-evidence", "with_evidence", is_flag=True, flag_value=False, default=True, help="Leave the evidence files out."
)
@EVIDENCE
@click.option(
    "--edition",
    type=click.Choice(["full", "redacted"]),
    default="full",
    show_default=True,
    help="Redacted: the redacted reports and digests, no table, log or evidence.",
)
@click.option(
    "--as-of", metavar="TIME", callback=first_moment, help="The bag's date (default: of the custody log's last entry)."
)
@PROGRESS
@JSON
def export(case_dir: Path, as_json: bool, progress: str, **options: Any) -> None:
    """Copy a case with its evidence into a BagIt bag that sha256sum alone can check.

    Example:  missent export case --out /media/court/bag
    """
    from forensics import bar, proof, terminal

    with bar.progress(progress, quiet=as_json) as shown:
        result = proof.export(case_dir, progress=shown, **options)
    terminal.exported(result, as_json=as_json)


@click.command(short_help="Have the custody log time-stamped by an authority (RFC 3161).")
@CASE
@click.option("--query", type=PATH, metavar="FILE", help="Write a request to this new file.")
@click.option("--reply", type=PATH, metavar="FILE", help="Take the authority's reply in.")
@click.option("--ca", type=PATH, metavar="PEM", help="The authority's certificates, to check the reply by.")
@having(SAYING)
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


@click.command()
@CASE
@click.option("--key", type=PATH, required=True, metavar="FILE", help="Your own key, as ssh-keygen has it.")
@having(SAYING)
@JSON
def sign(case_dir: Path, as_json: bool, **options: Any) -> None:
    """Sign the custody log's last entry with your own key. Needs ssh-keygen.

    Example:  missent sign --key ~/.ssh/id_ed25519 --examiner 'R. Osei'
    """
    from forensics import proof, terminal

    terminal.attested(proof.sign(case_dir, **options), as_json=as_json)


@click.group()
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
@having(SAYING)
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
