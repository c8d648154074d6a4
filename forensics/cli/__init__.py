"""The command line: each command parses, calls one function of `forensics.pipeline` (or its room) and prints.

Each module has one group of commands; `options` are what they share, `values` what a value of an option means.
What an exit code says stands in `forensics.errors.EXIT_CODES`.
"""

from __future__ import annotations

import click

from forensics.cli import cases, installation, proving, reviewing, rules, stages
from forensics.cli.faults import Group
from forensics.cli.values import of_text


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="missent", message="missent %(version)s")
def main() -> None:
    """Find mail that went to a lookalike of the domain its sender meant, from mail-server logs alone.

    Start with:  missent run /evidence/mail.log* --org example.org
    """


for _command in (
    *(stages.run, stages.ingest, stages.detect, stages.report),
    *(reviewing.review, reviewing.explain, reviewing.lookups, reviewing.worksheet),
    *(rules.block, rules.watch_list),
    *(cases.init, cases.ask, cases.status, cases.sql),
    *(proving.verify, proving.export, proving.stamp, proving.sign, proving.custody),
    *(installation.doctor, installation.formats, installation.demo, installation.completion),
):
    main.add_command(_command)
of_text(main)


def start() -> None:
    """The command `missent`, in a process of its own."""
    from forensics import start as process

    process.run(main)
