"""Annex F and the commands of Annex C, followed to the letter: copied into a shell, on copies of the evidence."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from forensics import pipeline
from forensics.report.redaction import redact
from forensics.report.text import blocks as b
from forensics.report.text import byhand, document
from tests.report import made


def shell(command: str, folder: Path) -> str:
    """What the command prints, as a person would run it."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout.strip()


def followed(blocks: list[b.Block]) -> list[tuple[str, tuple[str, ...]]]:
    """(what is said, the commands below it)."""
    out: list[tuple[str, tuple[str, ...]]] = []
    said = ""
    for block in blocks:
        if isinstance(block, b.Para):
            said = b.plain(block.spans)
        elif isinstance(block, b.Listing):
            out.append((said, block.lines))
    return out


@pytest.mark.slow
@pytest.mark.parametrize("name", ["albion", "mod-2023"])
def test_the_page_is_followed_to_the_letter(name: str, tmp_path: Path) -> None:
    evidence, copies = tmp_path / "evidence", tmp_path / "copies"
    evidence.mkdir()
    copies.mkdir()
    with as_file(files("forensics") / "demo" / name) as source:
        logs = [Path(shutil.copy(path, evidence)) for path in sorted(source.glob("mail.log*"))]
        case = tmp_path / "case"
        case.mkdir()
        shutil.copy(source / "case.toml", case)
    pipeline.run(logs, case, formats=("json", "md"))
    told = json.loads((case / "reports" / "incident.json").read_text("utf-8"))
    listed = re.findall(r"(?m)^(?:    .*\n)+", (case / "reports" / "incident.md").read_text("utf-8"))
    again, files_, records, score, tables = (
        [line[4:] for line in block.rstrip("\n").split("\n")] for block in listed[-5:]
    )

    file = next(e for e in told["evidence"] if f"sha256sum {e['names'][0]}" == files_[0])
    assert shell(files_[0], evidence).split()[0] == file["file_sha256"]
    assert shell(files_[1], evidence).split()[0] == file["content_sha256"]

    cited = shell(records[0], evidence)
    finding = next(
        x
        for x in told["findings"]
        if [f"{r['number']}p" for r in x["records"]] == re.findall(r"\d+p", records[0])
        and {r["evidence"] for r in x["records"]} == {file["ref"]}
    )
    assert finding["sender"] in cited and finding["recipient"] in cited

    total, probability = shell("\n".join(score[:2]), evidence), shell(score[2], evidence)
    broken = score[0].replace(" +", "\n +")
    assert shell(f"{broken}\n{score[1]}", evidence) == total, "wherever a page breaks the line"
    assert abs(float(total) - (finding["prior"] + finding["weight"])) < 0.001
    assert abs(float(probability) - finding["score"]) < 0.002

    for one in told["evidence"]:
        shutil.copy(evidence / one["names"][0], copies / one["ref"])
    shell("\n".join(again), copies)
    assert shell(tables[0], copies) == f'"tables_digest": "{told["header"]["tables_digest"]}"'
    assert told["header"]["tables_digest"] in (case / "reports" / "incident.md").read_text("utf-8")


def test_every_format_says_what_to_run() -> None:
    facts = made.facts(40)
    files_ = tuple(replace(one, packing="zcat", plain_lines=True) for one in facts.evidence)
    facts = replace(facts, evidence=files_)
    page = list(byhand.page(facts, made.context(facts)))
    assert isinstance(page[0], b.NewPage)
    steps = followed(page)
    assert [lines[0].split()[0] for _, lines in steps] == ["sha256sum", "zcat", "numbers='-3.300", "grep"]
    assert len(b.plain(page[2].spans)) and sum(isinstance(x, b.Para) for x in page) == 6  # type: ignore[union-attr]
    assert facts.header.case_state in " ".join(b.plain(x.spans) for x in page if isinstance(x, b.Para))


def test_the_redacted_edition_calls_files_by_their_numbers() -> None:
    facts = made.facts(40)
    files_ = tuple(replace(one, packing="zcat", plain_lines=True) for one in facts.evidence)
    facts = redact(replace(facts, evidence=files_), b"k" * 32)
    lines = [line for _, block in followed(list(byhand.page(facts, made.context(facts)))) for line in block]
    assert lines[0] == "sha256sum E1"
    assert "mail.log" not in "\n".join(lines)


def test_a_name_cannot_run() -> None:
    hostile = ("$(touch x).log", "-rf", "a b'c.log", "`id`")
    facts = made.facts(5)
    for name in hostile:
        file = replace(facts.evidence[0], names=(name,), packing="cat", plain_lines=True)
        made_facts = replace(facts, evidence=(file,))
        lines = followed(list(byhand.page(made_facts, made.context(made_facts))))[0][1]
        printed = subprocess.run(
            ["bash", "-c", lines[0].replace("sha256sum", "printf '%s'", 1)], capture_output=True, text=True, check=True
        )
        assert printed.stdout.removeprefix("./") == name


def test_a_case_without_findings_has_the_page_too() -> None:
    facts = made.facts(0)
    assert byhand.example(facts) is None
    told = document.compose(facts, made.context(facts))
    assert any(isinstance(block, b.Heading) and block.anchor == "annex_f" for block in told.blocks)
