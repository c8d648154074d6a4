"""Hand-overs and statements: what people say of the evidence's custody is kept, shown, and printed in the report."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics import proof, workbench
from forensics.case import Case
from forensics.cli import main
from forensics.custody import handovers, log
from forensics.errors import CaseError, UsageError
from tests.test_exit_codes import FOUND
from tests.test_exit_codes import log as written

ONE = {"given_by": "A. Reyes", "taken_by": "R. Osei", "at": "2024-03-02", "what": "disk 7, seal 0123"}


def call(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.output


@pytest.fixture
def case(tmp_path: Path) -> Case:
    workbench.init(tmp_path / "case")
    return Case(tmp_path / "case")


def test_a_hand_over_before_anything_was_ingested(case: Case, tmp_path: Path) -> None:
    made = proof.custody_add(case.folder, **ONE, place="Leeds", why="copied for the case", examiner="R. Osei")
    assert (made.entry, made.at, made.place) == (1, "2024-03-02", "Leeds")
    assert "nothing was ingested yet" in call("verify", case.folder, code=2)
    evidence = written(tmp_path, FOUND)
    call("run", evidence, "--org", "example.org", "--case", case.folder, "--format", "md,json")
    assert [one["action"] for one in log.read(case)] == ["hand-over", "ingest", "detect", "report"]
    assert "VERIFIED" in call("verify", case.folder)
    page = (case.reports / "incident.md").read_text()
    assert "disk 7, seal 0123" in page and "Leeds; copied for the case" in page
    assert "How the evidence was acquired" in page and "NOT STATED in case.toml" in page
    told = json.loads((case.reports / "incident.json").read_text())["custody"]
    assert told["handed_over"][0]["taken_by"] == "R. Osei" and told["clock"] is None


def test_statements_stand_in_the_report_and_are_withheld_in_the_redacted_edition(case: Case, tmp_path: Path) -> None:
    text = case.toml.read_text()
    for key, says in (("acquisition", "copied with dd by A. Reyes"), ("clock", "mx1 was 4 s slow")):
        text = text.replace(f"[custody.{key}]\n", f"[custody.{key}]\n# x\n", 1).replace(
            'statement = ""\nby = ""', f'statement = "{says}"\nby = "A. Reyes"\non = 2024-03-04', 1
        )
    case.toml.write_text(text)
    evidence = written(tmp_path, FOUND)
    proof.custody_add(case.folder, **ONE)
    call("run", evidence, "--org", "example.org", "--watch", "*.mil", "--case", case.folder, "--format", "md,html")
    for name in ("incident.md", "incident.html"):
        page = re.sub("<[^>]+>", "", (case.reports / name).read_text())
        assert "copied with dd by A. Reyes" in page and "mx1 was 4 s slow" in page
        assert "stated by A. Reyes, 2024-03-04" in page
    call("report", "--case", case.folder, "--format", "md,json", "--edition", "redacted")
    for name in ("incident.md", "incident.json"):
        page = (case.reports / "redacted" / name).read_text()
        assert "Reyes" not in page and "4 s slow" not in page and "seal 0123" not in page


def test_the_chain_and_its_gaps_are_shown(case: Case) -> None:
    proof.custody_add(
        case.folder, **{**ONE, "given_by": "R.  osei", "taken_by": "Court", "at": "2024-03-05T10:00+02:00"}
    )
    proof.custody_add(case.folder, **ONE)
    shown = proof.custody_show(case.folder)
    assert [one.taken_by for one in shown.handed_over] == ["R. Osei", "Court"]
    assert shown.handed_over[1].at == "2024-03-05T08:00:00Z" and shown.gaps == ()
    proof.custody_add(case.folder, **{**ONE, "given_by": "M. Okafor", "taken_by": "X", "at": "2024-03-09"})
    told = call("custody", "show", "--case", case.folder)
    assert "GAP        disk 7, seal 0123: entry 1 gives it to Court, entry 3 takes it from M. Okafor" in told
    assert json.loads(call("custody", "show", "--case", case.folder, "--json"))["gaps"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"what": " "},
        {"given_by": ""},
        {"taken_by": "a. REYES"},
        {"at": "yesterday"},
        {"at": "2024-02-30"},
        {"at": (datetime.now(UTC) + timedelta(days=2)).isoformat()},
    ],
    ids=["of nothing", "by nobody", "to himself", "a word", "no day", "to come"],
)
def test_what_no_hand_over_is(case: Case, wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        proof.custody_add(case.folder, **{**ONE, **wrong})
    assert log.read(case) == ()


def test_no_case(tmp_path: Path) -> None:
    with pytest.raises(CaseError):
        proof.custody_add(tmp_path / "no", **ONE)
    assert not (tmp_path / "no").exists()
    call("custody", "show", "--case", tmp_path, code=2)


def test_what_was_said_is_safe_for_a_terminal(case: Case) -> None:
    told = call("custody", "add", "--case", case.folder, "--from", "a\x1b[2J", "--to", "b\u202e", "--at", "2024-03-01",
                "--what", "x\nEntry 9", "--note", "\x9b")  # fmt: skip
    told += call("custody", "show", "--case", case.folder)
    assert not set("\x1b\u202e\x9b") & set(told) and "\nEntry 9" not in told


def test_an_altered_hand_over_is_seen(case: Case) -> None:
    proof.custody_add(case.folder, **ONE)
    case.custody_log.write_bytes(case.custody_log.read_bytes().replace(b"R. Osei", b"R. Orsi"))
    assert "FAULT" in call("custody", "show", "--case", case.folder)


def test_entries_that_only_look_like_hand_overs_are_left_out() -> None:
    entries = [{"sequence": 1, "action": "hand-over", "details": details} for details in ({}, [], None, {"at": "x"})]
    assert handovers.read(entries) == ()


@pytest.mark.parametrize("name", ["custody add", "custody show", "export", "sign", "stamp", "verify"])
def test_the_help_has_an_example(name: str) -> None:
    assert "Example:  missent " in call(*name.split(), "--help")
