"""README.md and docs/ say what is so: their commands run as written, and every command and option is in them.

A fenced block in `sh` or `python` is run in a folder that holds one small log in `evidence/`. One that cannot be run
says so in the document, in a comment on the line before it: `<!-- not run by the tests: REASON -->`.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from forensics.cli import main
from tests.commands_page import PAGE, commands, page
from tests.conftest import ROOT
from tests.ingesting import message, to

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN = {"sh": ["sh", "-eu", "-c"], "python": [sys.executable, "-c"]}
OTHER = {"text", "toml", "sql", "json", ""}
"""Languages of blocks that show something; nothing in them is for a shell."""
PROGRAMS = re.compile(r"^(\$ )?(missent|make|pip|python3?|sh|bash|docker|dask|apt(-get)?|git|\./\S+) ", re.M)
MARK = re.compile(r"<!-- not run by the tests: (\S.+?) -->$")


class Block(NamedTuple):
    document: str
    line: int
    language: str
    text: str
    mark: str | None
    """Why it is not run; None for one that is."""


def blocks(path: Path) -> list[Block]:
    """The fenced blocks of a document."""
    found: list[Block] = []
    lines = path.read_text("utf-8").splitlines()
    n = 0
    while n < len(lines):
        if lines[n].startswith("```"):
            end = next(e for e in range(n + 1, len(lines)) if lines[e].startswith("```"))
            mark = MARK.search(lines[n - 1]) if n else None
            text = "\n".join(lines[n + 1 : end])
            found.append(Block(path.name, n + 1, lines[n][3:].strip(), text, mark[1] if mark else None))
            n = end
        n += 1
    return found


BLOCKS = [block for path in DOCUMENTS for block in blocks(path)]
COMMANDS = [block for block in BLOCKS if block.language in RUN]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which `missent` is the entry point that pyproject.toml declares, of this checkout."""
    module, function = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]["missent"].split(":")
    folder = tmp_path_factory.mktemp("bin")
    (folder / "missent").write_text(f"#!{sys.executable}\nfrom {module} import {function}\n{function}()\n")
    (folder / "missent").chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}


def evidence(folder: Path) -> Path:
    """A folder with one small log in `evidence/`: five messages of example.org to navy.mil, one to navy.ml."""
    (folder / "evidence").mkdir()
    recipients = [*(f"clerk{n}@navy.mil" for n in range(5)), "clerk0@navy.ml"]
    log = "".join(
        message(f"4jYb3c4BDWzL5Q{letter}", to(who), sender="ann@example.org", at=f"2024-03-01T1{n}:00:00.000000+00:00")
        for n, (letter, who) in enumerate(zip("bcdfgh", recipients, strict=True))
    )
    (folder / "evidence" / "mail.log-20240301").write_text(log)
    return folder


def run(
    command: list[str], folder: Path, program: dict[str, str], answers: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=program, input=answers, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, program: dict[str, str]) -> Path:
    """A folder in which the main job was done."""
    folder = evidence(tmp_path_factory.mktemp("case"))
    done = run(["missent", "run", "evidence", "--org", "example.org", "--watch", "*.mil"], folder, program)
    assert done.returncode == 0, done.stderr
    return folder


def test_there_is_something_to_run() -> None:
    assert len([block for block in COMMANDS if block.mark is None]) >= 2


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: f"{block.document}:{block.line}")
def test_a_block_runs_as_written_or_says_that_it_cannot(block: Block, tmp_path: Path, program: dict[str, str]) -> None:
    if block.mark is not None:
        assert len(block.mark) > 10, "say why it cannot be run"
        return
    done = run([*RUN[block.language], block.text], evidence(tmp_path), program)
    assert done.returncode == 0, f"{block.text}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_command_hides_in_another_block(path: Path) -> None:
    """Commands are in fenced blocks that say `sh`, so that they are run."""
    for block in blocks(path):
        assert block.language in {*RUN, *OTHER}, f"{path.name}:{block.line}: {block.language}"
        if block.language not in RUN:
            assert not PROGRAMS.search(block.text), f"{path.name}:{block.line}: mark the block as sh"
    prose = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.M | re.S)
    for line in re.findall(r"^(?: {4}|\t)(.*)", prose, re.M):
        assert not PROGRAMS.match(line), f"{path.name}: fence the block: {line}"


def spans(path: Path) -> list[str]:
    """What the document has in backticks, and the lines of its blocks of commands."""
    prose = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.M | re.S)
    return [
        *re.findall(r"`([^`\n]+)`", prose),
        *(line for b in blocks(path) if b.language == "sh" for line in b.text.splitlines()),
    ]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_targets_and_modules_that_are_named_exist(path: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    for text in spans(path):
        if named := re.match(r"make ([\w-]+)", text):
            assert named[1] in targets, text
        for module in re.findall(r"python3? -m ([\w.]+)", text):
            assert importlib.util.find_spec(module), text


LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((ROOT / "notebooks").glob("*.ipynb"))], ids=lambda path: path.name
)
def test_links_lead_somewhere(path: Path) -> None:
    """Those of docs/ are checked by the generator of the site (tests/test_site.py)."""
    links = LINK.findall(path.read_text("utf-8"))
    assert not [link for link in links if not (path.parent / link).exists()]


STANDS_FOR = {
    "LOG…": "evidence",
    "DOMAIN…": "navy.mil",
    "DELIVERY|DOMAIN": "navy.ml",
    "DOMAIN": "example.org",
    "CASE": "case",
    "DIR": "case",
    '"…"': '"select count(*) from deliveries"',
}
"""What the tables of commands leave to their reader."""
MAKES_A_CASE = {"run", "ingest", "init"}
SAYS = {"sign": "there is no such file", "worksheet": "does not exist"}
NOT_AS_WRITTEN = {
    "sign": "needs a key of its reader's own; tests/custody/test_attested.py makes one",
    "worksheet": "needs a sheet that was filled in; tests/review/test_worksheets.py reads one back",
    "demo": "takes longer than all the others; tests/test_demo.py runs it",
}


def table_rows(documents: Sequence[Path] = DOCUMENTS) -> list[str]:
    """The commands in the first cells of tables, with what may be left out."""
    found: list[str] = []
    for path in documents:
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("| `missent "):
                cell = re.split(r"(?<!\\)\|", line)[1]
                found += [span.replace("\\|", "|") for span in re.findall(r"`(missent [^`]+)`", cell)]
    return sorted({row.replace("[", "").replace("]", "") for row in found})


def test_the_readme_has_every_command_in_its_table() -> None:
    readme = {row.split()[1] for row in table_rows([ROOT / "README.md"])}
    assert readme == set(main.commands)


@pytest.mark.parametrize("row", table_rows())
def test_a_command_of_a_table_runs(row: str, tmp_path: Path, case: Path, program: dict[str, str]) -> None:
    name = row.split()[1]
    command = row
    for word, value in STANDS_FOR.items():
        command = re.sub(rf"(?<![\w-]){re.escape(word)}(?![\w|])", value, command)
    folder = evidence(tmp_path) if name in MAKES_A_CASE else case
    if name == "demo":
        assert name in NOT_AS_WRITTEN
        return
    done = run(["sh", "-eu", "-c", command], folder, program, answers=".\n")
    if name in NOT_AS_WRITTEN:
        assert done.returncode == 2 and SAYS[name] in done.stderr
    else:
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_the_page_of_commands_is_what_the_commands_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m tests.commands_page` and look at what changed"


def test_every_command_and_option_is_documented() -> None:
    """As sqlite-utils does: nothing is left to be found out by trying."""
    text = "\n".join(path.read_text("utf-8") for path in DOCUMENTS)
    for name, command in commands().items():
        assert f"missent {name}" in text
        assert command.help, f"missent {name} has no help"
        part = page().split(f"## missent {name}\n")[1].split("\n## ")[0]
        for one in command.params:
            if isinstance(one, click.Option):
                assert one.help, f"missent {name} {one.opts[0]} has no help"
                assert all(option in part for option in one.opts), one.opts
