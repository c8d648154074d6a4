"""What every command owes its user: a summary that fits, an example, errors that programs can read, completions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from forensics.cli import main
from forensics.cli.values import report_formats, zones
from tests.commands_page import commands


@pytest.mark.parametrize("name", sorted(main.commands))
def test_a_summary_fits_a_line_of_80(name: str) -> None:
    lines = CliRunner().invoke(main, ["--help"], prog_name="missent", terminal_width=80).output.splitlines()
    (line,) = (one for one in lines if one.startswith(f"  {name} "))
    assert len(line) <= 80
    assert line.endswith((".", ")."))
    assert not line.endswith("...")


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_an_example_of_itself(name: str) -> None:
    assert f"Example:  missent {name}" in " ".join((commands()[name].help or "").split("\n"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["sql", "--case", "nowhere", "--json", "select 1"], 2),
        (["sql", "--cse", "nowhere", "--json", "select 1"], 2),
        (["ingest", "--json", "nowhere.log"], 3),
        (["verify", "--json"], 2),
        (["verify", "--json", "nowhere"], 2),
    ],
)
def test_an_error_is_one_object_where_json_was_asked_for(
    arguments: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == code
    said = json.loads(done.stdout)
    assert said["exit_code"] == code
    assert said["error"]


def test_no_object_is_printed_where_nobody_asked(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["sql", "--case", str(tmp_path), "select 1"])
    assert (done.exit_code, done.stdout) == (2, "")


def test_status_of_a_new_case_says_what_comes_next(tmp_path: Path) -> None:
    case = tmp_path / "case"
    assert CliRunner().invoke(main, ["init", "--case", str(case), "--org", "albion.example"]).exit_code == 0
    done = CliRunner().invoke(main, ["status", "--case", str(case)])
    assert done.exit_code == 0
    assert "missent ingest LOG…" in done.output
    assert CliRunner().invoke(main, ["status", str(case)]).output == done.output
    assert CliRunner().invoke(main, ["status", str(case), "--case", str(case)]).exit_code == 2
    said = json.loads(CliRunner().invoke(main, ["status", "--case", str(case), "--json"]).stdout)
    assert (said["evidence"], said["detected"], said["in_use"]) == (0, False, None)


def test_status_says_who_is_at_work(tmp_path: Path) -> None:
    from forensics.case import Case
    from forensics.custody import lock

    case = tmp_path / "case"
    CliRunner().invoke(main, ["init", "--case", str(case)])
    with lock.held(Case(case), "detect"):
        said = lock.holder(Case(case))
        assert said is not None
        assert said["action"] == "detect"
    assert lock.holder(Case(case)) is None


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_printed(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert "_MISSENT_COMPLETE" in done.output


@pytest.mark.parametrize(
    "name", [name for name, one in commands().items() if any("--format" in p.opts for p in one.params)]
)
def test_every_format_that_the_help_names_is_completed(name: str) -> None:
    command = commands()[name]
    option = next(one for one in command.params if "--format" in one.opts)
    said = (
        set(re.findall(r"[a-z]+", (option.help or "").removeprefix("Any of")))
        if option.metavar
        else set(option.type.choices)
    )
    offered = {one.value for one in option.shell_complete(click.Context(command), "")}
    assert offered == said and len(said) > 3


def test_formats_and_zones_are_completed() -> None:
    context = click.Context(main)
    parameter = click.Option(["--x"])
    assert [one.value for one in report_formats(context, parameter, "html,pd")] == ["html,pdf"]
    assert "html,html" not in [one.value for one in report_formats(context, parameter, "html,")]
    assert "Europe/London" in [one.value for one in zones(context, parameter, "europe/l")]
