"""man/missent.1: what `missent --help` and the help of every command say, as a manual page (man(7)).

The page is made by click's own help, in a formatter that writes roff: what a command shows in its help is on the page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from forensics.cli import main
from tests.commands_page import commands
from tests.conftest import ROOT
from tools import packages

PAGE = ROOT / "man" / "missent.1"
FILES = (
    ("./case", "The case folder, unless --case names another: tables, manifest, custody log, verdicts, reports."),
    ("case.toml", "In the case folder: what people say of the case."),
    ("~/.cache/missent", "Compiled code; or below $XDG_CACHE_HOME, or in $NUMBA_CACHE_DIR."),
    (
        "~/.local/state/missent",
        "When you last looked at a case, buckets that you named as evidence; or below $XDG_STATE_HOME.",
    ),
)
MORE = "Pages on installing, method, custody and scale, a tutorial and the columns of all tables are in docs/ of the source."


def escaped(text: str) -> str:
    """Text that roff takes as it is: no line of it is a request, no backslash an escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


class Roff(click.HelpFormatter):
    """Click's parts of a help, as requests of man(7)."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        self.write(f".PP\n.B {escaped(prog)}\n{escaped(args)}\n")

    def write_heading(self, heading: str) -> None:
        self.write(f".PP\n.I {escaped(heading)}\n")

    def write_paragraph(self) -> None:
        """Every part begins its own."""

    def write_text(self, text: str) -> None:
        for part in re.split(r"\n\s*\n", text.strip()):
            lines = [line.strip() for line in part.splitlines()]
            as_it_is = lines[0] == "\b"
            body = escaped("\n".join(lines[1:] if as_it_is else [" ".join(lines)]))
            self.write(f".PP\n.nf\n{body}\n.fi\n" if as_it_is else f".PP\n{body}\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        for name, text in rows:
            self.write(f".TP\n\\fB{escaped(name)}\\fR\n{escaped(text)}\n")


class _Context(click.Context):
    formatter_class = Roff


def _help(command: click.Command, name: str) -> str:
    context = _Context(command, info_name=name, help_option_names=main.context_settings["help_option_names"])
    return command.get_help(context) + "\n"


def page() -> str:
    """The whole page."""
    project = packages.project()
    parts = [
        f'.\\" Written by `python -m tests.reference_pages`.\n.TH MISSENT 1 "" "missent {project["version"]}"\n',
        f".SH NAME\nmissent \\- {escaped(project['description'].rstrip('.'))}\n",
        f".SH DESCRIPTION\n{_help(main, 'missent')}",
        ".SH COMMANDS\n",
        *(f".SS missent {escaped(name)}\n{_help(command, f'missent {name}')}" for name, command in commands().items()),
        ".SH FILES\n",
        *(f".TP\n\\fI{escaped(name)}\\fR\n{escaped(what)}\n" for name, what in FILES),
        f".SH SEE ALSO\n{escaped(MORE)}\n",
    ]
    return "".join(parts)
