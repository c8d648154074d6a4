"""docs/contributing.md, followed step by step: what a stranger copies from it works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from forensics import loaders

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "contributing.md").read_text("utf-8")
FILES = re.compile(r"^`([^`\n]+)`[^\n]*:\n\n```\w+\n(.*?)```", re.M | re.S)
DRIVER = """\
import sys
from pathlib import Path
from forensics import loaders
loaders.__path__.append(str(Path({folder!r}) / "forensics" / "loaders"))
exec({line!r}, vars(loaders))
"""
"""The package with the page's folder beside its own, and the page's line in the place of its own."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the page tells to write, beside the samples of the other loaders."""
    folder = tmp_path_factory.mktemp("contributing")
    shutil.copytree(ROOT / "tests" / "data" / "contract", folder / "tests" / "data" / "contract")
    for name, content in FILES.findall(PAGE):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8", newline="")
    return folder


def line() -> str:
    found = re.search(r"^In `forensics/loaders/__init__.py`[^\n]*\n\n```python\n(.*?)```", PAGE, re.M | re.S)
    assert found
    return found[1]


def run(folder: Path, *arguments: str, program: str = "from forensics.cli import main; main(sys.argv[1:])") -> str:
    code = DRIVER.format(folder=str(folder), line=line()) + program
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=600
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commands() -> list[list[str]]:
    found = re.search(r"```sh\n(missent formats\n.*?)```", PAGE, re.S)
    assert found
    return [command.split() for command in found[1].splitlines()]


def test_the_page_names_every_function_of_the_protocol() -> None:
    from forensics.loaders import base

    table = set(re.findall(r"^\| `(\w+)\(", PAGE, re.M))
    assert table == {name for name in vars(base.Loader) if not name.startswith("_")}


def test_the_line_adds_one_name() -> None:
    names: dict[str, tuple[str, ...]] = {}
    exec(line(), {}, names)
    assert names["LOADERS"] == (*loaders.LOADERS, "pigeon")


def test_commands_of_the_page(written: Path, tmp_path: Path) -> None:
    formats, ingest, verify, contract = commands()
    assert "Pigeon" in run(written, *formats[1:])
    place = str(tmp_path / "case")
    sample = str(written / "tests" / "data" / "contract" / "pigeon.log")
    here = {"/tmp/pigeon": place, "tests/data/contract/pigeon.log": sample}
    assert ingest[:2] == ["missent", "ingest"] and verify[:2] == ["missent", "verify"]
    assert "8" in run(written, *[here.get(word, word) for word in ingest[1:]])
    assert "VERIFIED" in run(written, *[here.get(word, word) for word in verify[1:]])
    assert contract == ["python", "-m", "pytest", "tests/contract", "-k", "pigeon"]


@pytest.mark.slow
def test_the_contract_holds_for_the_loader_of_the_page(written: Path) -> None:
    samples = str(written / "tests" / "data" / "contract")
    program = (
        f"import os, pytest; os.environ['MISSENT_CONTRACT'] = {samples!r}\n"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', *sys.argv[1:]]))"
    )
    said = run(written, "tests/contract", "-k", "pigeon", program=program)
    assert re.search(r"\d\d passed", said), said


def test_every_loader_is_named_in_the_contracts_of_imports() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    folders = {f"forensics.loaders.{name}" for name in loaders.LOADERS}
    by_name = {contract["name"].partition(":")[0]: contract for contract in settings}
    assert set(by_name["A loader is one folder"]["modules"]) == folders
    assert set(by_name["No other room knows a single loader"]["forbidden_modules"]) == folders
