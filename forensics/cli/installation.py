"""This installation, without a case: doctor, formats, demo, completion."""

from __future__ import annotations

from pathlib import Path

import click

from forensics.cli.options import JSON, PATH, PROGRESS
from forensics.cli.values import command_line


@click.command(short_help="Say what this installation is, and whether it is ready.")
@click.option(
    "--compile", "compile_now", is_flag=True, help="Make the compiled code ready now, as the first run would."
)
@click.option(
    "--case",
    "case_dir",
    type=PATH,
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
    from forensics import bar, terminal, workbench

    with bar.progress(progress, quiet=as_json) as shown:
        result = workbench.doctor(compile_now=compile_now, case_dir=case_dir, progress=shown)
    terminal.health(result, as_json=as_json)


@click.command(short_help="List what can be read, and what is refused by its name.")
@JSON
def formats(as_json: bool) -> None:
    """List what can be read, and what is refused by its name with what to ask for instead.

    Example:  missent formats
    """
    from forensics import terminal, workbench

    terminal.formats(workbench.formats(), as_json=as_json)


@click.command(short_help="Run the worked examples that come with Missent.")
@click.option(
    "--out",
    type=PATH,
    default=Path("missent-demo"),
    show_default=True,
    metavar="DIR",
    help="Where the example cases go.",
)
@click.option("--reports", type=PATH, metavar="DIR", help="Where their reports go (default: into each case).")
@PROGRESS
@JSON
def demo(out: Path, reports: Path | None, as_json: bool, progress: str) -> None:
    """Run the worked examples on the logs that come with Missent.

    Example:  missent demo --out demo
    """
    from forensics import bar, terminal, workbench

    with bar.progress(progress, quiet=as_json) as shown:
        results = workbench.demo(out, reports, progress=shown, command=command_line())
    terminal.demo(results, as_json=as_json)


@click.command(short_help="Print what makes the shell complete commands and options.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> None:
    """Print what makes the shell complete commands, options, formats and zones.

    Example:  missent completion bash > ~/.local/share/bash-completion/completions/missent
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    print(found(ctx.find_root().command, {}, "missent", "_MISSENT_COMPLETE").source())
