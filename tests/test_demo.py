"""The worked examples: what `missent demo` writes is what `reports/` holds, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from forensics import workbench
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    results = workbench.demo(folder / "cases", folder / "reports")
    assert [result.ingested.case.name for result in results] == list(workbench.DEMOS)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", workbench.DEMOS)
def test_reports_are_held_to_the_byte(made: Path, name: str) -> None:
    held = {path.name: path for path in (ROOT / "reports" / name).iterdir() if not path.name.endswith(".seal.json")}
    new = {path.name: path for path in (made / "reports" / name).iterdir() if not path.name.endswith(".seal.json")}
    assert held.keys() == new.keys() == {"incident.html", "incident.pdf", "incident.json"}
    for file, path in held.items():
        assert new[file].read_bytes() == path.read_bytes(), (
            f"reports/{name}/{file}: run `make demo` and look at what changed"
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", workbench.DEMOS)
def test_examples_verify(made: Path, name: str) -> None:
    verification = workbench.verify(made / "cases" / name)
    assert verification.ok, [check for check in verification.checks if check.ok is False]
