"""The worked examples: what `missent demo` writes is what `reports/` holds, to the byte."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
from pathlib import Path

import pytest

from forensics import workbench
from forensics.case import Case
from forensics.custody import chain
from forensics.errors import UsageError
from tests.conftest import ROOT

UNPACK = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}


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


@pytest.mark.parametrize("work", ["ruled", "answered", "own", "handed over", "no case"])
def test_work_of_others_is_never_made_anew(work: str, tmp_path: Path) -> None:
    """Somebody's case may have the name of an example, and an example may have become somebody's case."""
    case = tmp_path / "mod-2023"
    case.mkdir()
    shipped = ROOT / "forensics" / "demo" / "mod-2023" / "case.toml"
    if work != "no case":
        (case / "case.toml").write_bytes(shipped.read_bytes() + (b"\n" if work in ("answered", "own") else b""))
    if work == "ruled":
        (case / "verdicts.jsonl").write_bytes(b"")
    if work == "handed over":
        chain.append(case / "custody.jsonl", {"action": "hand over"})
    before = {path: path.read_bytes() for path in case.iterdir()}
    with pytest.raises(UsageError, match=r"mod-2023: is there already"):
        workbench.demo(tmp_path)
    assert {path: path.read_bytes() for path in case.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mod-2023"]  # nothing was begun


@pytest.mark.slow
def test_an_example_that_was_only_made_is_made_anew(made: Path) -> None:
    for name in workbench.DEMOS:
        assert workbench._as_made(Case(made / "cases" / name))


@pytest.mark.parametrize("name", workbench.DEMOS)
def test_every_record_stands_where_the_report_says(name: str) -> None:
    """Number, offset and length lead to the same bytes, which speak of the delivery."""
    report = json.loads((ROOT / "reports" / name / "incident.json").read_bytes())
    logs = {}
    for path in sorted((ROOT / "forensics" / "demo" / name).glob("mail.log*")):
        content = UNPACK.get(path.suffix, bytes)(path.read_bytes())
        logs[hashlib.sha256(content).hexdigest()] = content
    contents = {entry["ref"]: logs[entry["content_sha256"]] for entry in report["evidence"]}
    assert any(len(finding["records"]) > 1 for finding in report["findings"])
    for finding in report["findings"]:
        named = []
        for record in finding["records"]:
            content = contents[record["evidence"]]
            line = content[record["offset"] : record["offset"] + record["length"]]
            assert line == content.split(b"\n", record["number"])[record["number"] - 1]
            named.append(line)
        assert any(finding["recipient"].encode() in line for line in named)
