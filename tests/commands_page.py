"""docs/commands.md: what `missent --help` says of every command, for those who read before they install.

python -m tests.commands_page     # writes it anew; tests/test_docs.py says when that is due
"""

from __future__ import annotations

import click

from forensics.cli import main
from forensics.errors import EXIT_CODES
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "commands.md"
WIDTH = 100
HEAD = """# Commands

What `missent COMMAND --help` says, written by `python -m tests.commands_page`. Where two exit codes would do, the first
of 1, 3 and 5 is given.

| exit code | says |
|---|---|
""" + "".join(f"| {code} | {says} |\n" for code, says in EXIT_CODES.items())


def _help(command: click.Command, name: str) -> str:
    names = main.context_settings["help_option_names"]
    context = click.Context(command, info_name=name, terminal_width=WIDTH, help_option_names=names)
    return command.get_help(context)


def commands() -> dict[str, click.Command]:
    """Every command by its whole name, those of groups too, in the order of the alphabet."""
    found: dict[str, click.Command] = {}
    for name, command in sorted(main.commands.items()):
        parts = sorted(command.commands.items()) if isinstance(command, click.Group) else ()
        found |= {f"{name} {part}": one for part, one in parts} or {name: command}
    return found


def page() -> str:
    """The whole page: the program, then each command in the order of the alphabet."""
    parts = [HEAD, f"```text\n{_help(main, 'missent')}\n```\n"]
    for name, command in commands().items():
        parts.append(f"## missent {name}\n\n```text\n{_help(command, f'missent {name}')}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
