"""Errors as a person is told them, and as one object where a program asked for --json."""

from __future__ import annotations

import sys
from typing import Any

import click

from forensics import errors
from forensics.errors import MissentError


class Group(click.Group):
    """Prints a MissentError as the three lines it holds, never as a traceback; and so what the system refuses."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        wanted = "--json" in args
        try:
            ctx = super().make_context(info_name, args, parent, **extra)
        except click.NoSuchOption as error:
            name = error.option_name
            if not any(name in one.opts for known in self.commands.values() for one in known.params):
                raise
            place = f"{error.format_message()} Options stand behind the command: missent COMMAND {name} …"
            raise click.UsageError(place, ctx=error.ctx) from None
        except OSError as error:  # --help and --version print here
            raise click.exceptions.Exit(_unprinted(error)) from None
        ctx.meta["missent.json"] = wanted
        return ctx

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort) as interrupt:
            from forensics.report.text.visible import inked

            click.echo("missent: interrupted", err=True)
            for kept in getattr(interrupt, "__notes__", ()):
                click.echo(f"missent: {inked(kept)}", err=True)
            ctx.exit(errors.INTERRUPTED)
        except BrokenPipeError as error:
            ctx.exit(_unprinted(error))
        except click.ClickException as error:
            _as_json(ctx, error.format_message(), error.exit_code)
            raise
        except Exception as error:
            told = in_words(error)
            if told is None:
                raise
            from forensics.report.text.visible import inked

            # Names of files, of members of archives and of domains are written by strangers.
            click.echo("\n".join(inked(line) for line in f"missent: {told}".split("\n")), err=True)
            _as_json(ctx, told.what, told.exit_code, expected=told.expected, remedy=told.remedy)
            ctx.exit(told.exit_code)

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), says) for code, says in errors.EXIT_CODES.items()])


def _unprinted(error: OSError) -> int:
    """The exit code where standard output takes nothing; said, where somebody may still listen."""
    if isinstance(error, BrokenPipeError):
        return errors.UNHEARD
    told = errors.system_error(error)
    click.echo(f"missent: {told}", err=True)
    return told.exit_code


def _as_json(ctx: click.Context, what: str, code: int, **more: str | None) -> None:
    """An error where a program asked for --json: one object on standard output, beside the words for people."""
    if ctx.meta.get("missent.json"):
        from forensics import terminal

        terminal.fault({"error": what, **more, "exit_code": code})


def in_words(error: Exception) -> MissentError | None:
    """The error as a person is told it; None for a fault of the program."""
    if isinstance(error, MissentError):
        return error
    if isinstance(error, OSError | MemoryError):
        return errors.system_error(error)
    duckdb = sys.modules.get("duckdb")
    if duckdb is not None and isinstance(error, duckdb.OutOfMemoryException):
        said = str(error).splitlines()[0].removeprefix("Out of Memory Error: ")
        return errors.MachineError(
            f"there is not enough memory: {said}", remedy="give more --memory, or end other programs"
        )
    if duckdb is not None and isinstance(error, duckdb.IOException):
        return errors.MachineError(str(error).splitlines()[0], remedy="see that there is room, and permission for it")
    return None
