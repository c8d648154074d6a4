"""What case.toml says of evidence holds for the tables that were made by it, and for no later stage otherwise."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics import pipeline, store, workbench
from forensics.case import Case
from forensics.cli import main
from forensics.custody import manifest, told
from forensics.errors import CaseError

LOG = """\
Mar  1 10:00:00 mx1 postfix/smtpd[1]: 4B1C2D3E4F: client=ws1.albion.example[10.0.0.1]
Mar  1 10:00:01 mx1 postfix/qmgr[3]: 4B1C2D3E4F: from=<ann@albion.example>, size=1000, nrcpt=1 (queue active)
Mar  1 10:00:02 mx1 postfix/smtp[4]: 4B1C2D3E4F: to=<bob@navy.example>, relay=mx.navy.example[203.0.113.5]:25, \
delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
Mar  1 10:00:02 mx1 postfix/qmgr[3]: 4B1C2D3E4F: removed
"""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    log = tmp_path / "my logs" / "mail.log"
    log.parent.mkdir()
    log.write_text(LOG)
    pipeline.ingest([log], tmp_path / "case", org=["albion.example"], year=2024)
    return Case(tmp_path / "case")


def say(case: Case, **about: str) -> None:
    """Say something of evidence in case.toml, instead of what it said of it before."""
    plain = case.toml.read_text().partition("\n[[sources]]")[0]
    said = "".join(f'{key} = "{value}"\n' for key, value in about.items())
    case.toml.write_text(f"{plain}\n[[sources]]\n{said}" if about else plain)


STAGES = {
    "detect": lambda case: pipeline.detect(case.folder),
    "report": lambda case: pipeline.report(case.folder, formats=("json",)),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_refuses_what_its_tables_were_not_made_by(stage: str, case: Case) -> None:
    pipeline.detect(case.folder)
    say(case, file="mail*", timezone="Asia/Tokyo")
    with pytest.raises(CaseError, match=r"timezone of .*mail\.log changed since `missent ingest` read it") as found:
        STAGES[stage](case)
    assert workbench.status(case.folder).changed == ("sources",)
    command = re.search("`missent (.*)`", found.value.remedy or "")
    assert command  # what is told to do does it
    assert CliRunner().invoke(main, shlex.split(command[1])).exit_code == 0
    (at,) = store.read(case, "deliveries")["submitted_at"].to_pylist()
    assert at.hour == 1
    for later in STAGES.values():
        later(case)


def test_what_says_the_same_of_all_evidence_is_no_change(case: Case) -> None:
    say(case, file="other.log", timezone="Asia/Tokyo")
    for stage in STAGES.values():
        stage(case)


def test_verify_and_status_name_the_command_that_takes_it_in(case: Case) -> None:
    say(case, file="mail*", timezone="Asia/Tokyo")
    told_of = {one.name: one.text for one in workbench.verify(case.folder).checks}
    assert "`missent ingest` takes the edit in" in told_of["case.toml"]
    printed = CliRunner().invoke(main, ["status", str(case.folder)]).output
    assert "(sources); the next ingest takes it in" in printed
    assert printed.splitlines()[-1].endswith(f"missent detect --case {shlex.quote(str(case.folder))}")


def test_an_entry_that_no_evidence_has_the_name_of_is_told(case: Case, tmp_path: Path) -> None:
    say(case, file="mial.log", timezone="Asia/Tokyo")
    command = ["ingest", str(tmp_path / "my logs"), "--case", str(case.folder)]
    told_again = CliRunner().invoke(main, command).output
    assert "Noted      mial.log: [[sources]] of case.toml speaks of it" in told_again
    assert told.unmatched(manifest.read(case)) == ["mial.log"]
    say(case, file="*/mail.log", host="mx1")
    assert "speaks of it" not in CliRunner().invoke(main, command).output
