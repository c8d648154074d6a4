"""docs/tutorial.md: a session from nothing to a filed case, its commands as typed and what they print.

python -m tests.tutorial     # runs them and writes their output into the page; tests/test_tutorial.py says when that is due

Each block in `sh` that is not marked is run in one folder, in the order of the page, and the block in `text` that follows it holds
what it printed; only the folder and the day on which rules expire are replaced, since they differ at every run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.conftest import ROOT

PAGE = ROOT / "docs" / "tutorial.md"
MARK = "run in order, with what they print, by tests/test_tutorial.py"
STEP = re.compile(
    rf"(?P<head><!-- not run by the tests: {re.escape(MARK)} -->\n```sh\n(?P<typed>.*?)\n```\n\n```text\n)(?P<shown>.*?)(?P<end>```\n)",
    re.S,
)
EXPIRES = re.compile(r"(?<=Expires    )\d{4}-\d\d-\d\d")


def environment(folder: Path) -> Mapping[str, str]:
    """One in which `missent` and `python` are those of this checkout."""
    (folder / "missent").write_text(f"#!{sys.executable}\nfrom forensics.cli import start\nstart()\n")
    (folder / "missent").chmod(0o755)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "TZ": "UTC", "LC_ALL": "C.UTF-8"}


def filled(page: str, folder: Path) -> str:
    """The page with what its commands print in `folder`. Raises AssertionError for a command that fails."""
    (folder / "bin").mkdir()
    (folder / "work").mkdir()
    around = environment(folder / "bin")

    def run(step: re.Match[str]) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", step["typed"]],
            cwd=folder / "work", env=around, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
        assert done.returncode == 0, f"{step['typed']}\n{done.stdout}{done.stderr}"
        shown = EXPIRES.sub("2027-02-28", done.stdout).replace(str(folder / "work"), "/home/examiner")
        return step["head"] + shown + step["end"]

    return STEP.sub(run, page)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        PAGE.write_text(filled(PAGE.read_text("utf-8"), Path(made)), "utf-8")
