"""What values of the command line say: times, years, sizes; and what a shell offers to complete them by."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import datetime

import click
from click.shell_completion import CompletionItem

from forensics.case import is_zone
from forensics.errors import UsageError


def _time(value: str | None, *, end: bool) -> datetime | None:
    """A UTC time of the command line; a bare date means its first or, at the end of a range, its last moment."""
    if value is None:
        return None
    from forensics.pipeline import moment

    try:
        return moment(value, end=end)
    except UsageError as error:
        raise click.BadParameter(str(error)) from None


def first_moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """A time; a day means its beginning."""
    return _time(value, end=False)


def last_moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """A time; a day means its end."""
    return _time(value, end=True)


def year(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | str | None:
    """One year, or two that follow each other, which stay a text."""
    if value is None:
        return None
    years = [int(part) if part.isascii() and part.isdigit() else 0 for part in value.split("/")]
    if len(years) > 2 or not all(1980 <= year <= 2200 for year in years) or years[-1] != years[0] + len(years) - 1:
        raise click.BadParameter(f"{value!r} is neither a year from 1980 to 2200 nor two such as 2022/2023")
    return value if len(years) > 1 else years[0]


def zones(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of zones that begin so."""
    from zoneinfo import available_timezones

    fit = (one for one in sorted(available_timezones()) if one.lower().startswith(begun.lower()))
    return [CompletionItem(one) for one in fit if is_zone(one)]


def report_formats(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Lists of formats that go on with one more."""
    from forensics.report.writing import FORMATS

    return _lists(FORMATS, begun)


def rule_formats(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Lists of kinds of rules that go on with one more."""
    from forensics.blocking.writing import FORMATS

    return _lists(FORMATS, begun)


def _lists(names: Iterable[str], begun: str) -> list[CompletionItem]:
    before, _, last = begun.rpartition(",")
    taken = before.split(",")
    rest = [one for one in names if one.startswith(last) and one not in taken]
    return [CompletionItem(f"{before},{one}" if before else one) for one in rest]


def size(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """Bytes, by powers of 1,024: 500G, 2T."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,15})([KMGT]?)(?:i?B)?", value.strip(), re.I | re.A)
    if not found or not int(found[1]):
        raise click.BadParameter(f"{value!r} is no size such as 500G or 2T")
    return int(found[1]) << (10 * "KMGT".find(found[2].upper()) + 10 if found[2] else 0)


def cluster(_ctx: click.Context, _param: click.Parameter, address: str | None) -> str | None:
    """The address as it is, with a warning where anybody can reach what it leads to."""
    if address is not None and address.startswith("tcp://"):
        click.echo(
            f"Warning: --cluster {address}: connections are neither encrypted nor authenticated, and a scheduler runs "
            f"whatever reaches its port; tls://… is described in docs/scale.md",
            err=True,
        )
    return address


class Text(click.types.StringParamType):
    """Words. Bytes that are no text in the encoding of the terminal cannot be kept in a case or printed in a report."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(super().convert(value, param, ctx))
        if any("\ud800" <= character <= "\udfff" for character in text):
            shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            self.fail(f"{shown} holds bytes that are no UTF-8: is the terminal set to another encoding?", param, ctx)
        return text


class Log(click.types.StringParamType):
    """A path, pattern or address as it was typed, of whatever bytes."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(super().convert(value, param, ctx))
        if not text:
            self.fail("it is empty: is a variable of the shell unset?", param, ctx)
        return text


def of_text(command: click.Command) -> None:
    """Let every option and argument of words take text alone, of this command and of those below it."""
    for param in command.params:
        if type(param.type) is click.types.StringParamType:
            param.type = Text()
    for one in command.commands.values() if isinstance(command, click.Group) else ():
        of_text(one)


def command_line() -> list[str]:
    """The command line as given, for manifest and custody log."""
    return ["missent", *sys.argv[1:]]
