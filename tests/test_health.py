"""`missent doctor`: what is said to hold was tried, and nothing is changed by trying."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics import health, pipeline, workbench
from forensics.case import Case
from forensics.cli import main
from forensics.custody import flock, lock
from forensics.errors import CaseError
from tests.conftest import ROOT

LOG = ROOT / "tests" / "data" / "contract" / "postfix.log"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    evidence = tmp_path / "evidence" / "mail.log"
    evidence.parent.mkdir()
    evidence.write_bytes(LOG.read_bytes())
    pipeline.ingest([str(evidence)], tmp_path / "case", org=["albion.example"], year=2024)
    return tmp_path / "case"


def promises(case: Path) -> dict[str, bool | None]:
    return {one.name.split(" ")[0]: one.holds for one in workbench.doctor(case_dir=case).promises}


def test_the_machine_and_what_is_optional_are_said() -> None:
    found = workbench.doctor()
    assert found.processors >= 1 and found.memory and found.memory > 1 << 27
    assert {part.name for part in found.parts} == {"openssl", "ssh-keygen", "distributed", "polars"}
    assert all(part.needed_for for part in found.parts) and not found.promises
    assert found.kept[0].folder == found.folder and {kept.fault for kept in found.kept} == {found.fault, ""}


def test_a_user_without_a_home_keeps_nothing_and_is_told(homeless: None) -> None:
    found = workbench.doctor()
    assert (found.folder, found.compiled) == ("", False) and "no home folder" in found.fault
    assert found.kept[0].folder == found.folder
    shown = CliRunner().invoke(main, ["doctor"])
    assert shown.exit_code == 0 and "it cannot be kept: this user has no home folder" in shown.stdout
    assert "in : " not in shown.stdout and "Kept" not in shown.stdout


def test_a_case_as_it_should_be(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_writable", lambda path: False)  # as on evidence that is mounted read-only
    held = promises(case)
    assert {held[name] for name in ("one", "nobody", "the", "there")} == {True}
    shown = CliRunner().invoke(main, ["doctor", "--case", str(case), "--json"])
    assert shown.exit_code == 0
    assert {one["holds"] for one in json.loads(shown.stdout)["promises"] if one["name"].startswith("one ")} == {True}


def test_what_does_not_hold_is_said(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case.chmod(0o777)
    monkeypatch.setattr(health, "_writable", lambda path: True)
    monkeypatch.setattr(flock, "exclusive", lambda fd, wait=False: None)  # a file system that grants every lock
    held = promises(case)
    assert (held["one"], held["nobody"], held["the"]) == (False, False, False)
    shown = CliRunner().invoke(main, ["doctor", "--case", str(case)])
    assert shown.stdout.count("DOES NOT HOLD") >= 3 and "mode 0777" in shown.stdout


def test_evidence_that_is_gone_is_said(case: Path) -> None:
    (case.parent / "evidence" / "mail.log").unlink()
    found = next(one for one in workbench.doctor(case_dir=case).promises if one.name.startswith("the evidence"))
    assert found.holds is False and found.text.startswith("0 of 1 are there")


def test_what_cannot_be_tried_is_not_said_to_hold(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (case / lock.NAME).unlink()
    assert promises(case)["one"] is None
    (case / lock.NAME).touch()
    monkeypatch.setattr(health, "file_system", lambda path: "nfs4")
    assert promises(case)["one"] is None


def test_a_case_is_not_changed_by_it(case: Path) -> None:
    def seen() -> dict[str, tuple[int, int]]:
        return {str(one): (one.stat().st_mtime_ns, one.stat().st_size) for one in [case, *case.rglob("*")]}

    before = seen()
    promises(case)
    assert seen() == before
    with pytest.raises(CaseError):
        workbench.doctor(case_dir=case.parent)


def test_a_lock_that_is_held_elsewhere_is_no_fault(case: Path) -> None:
    with lock.held(Case(case), "test"):
        assert promises(case)["one"] is True


def test_file_systems_are_told_by_the_longest_mount(tmp_path: Path) -> None:
    share = tmp_path / "a share"
    share.mkdir()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"2 1 0:9 / {str(tmp_path).replace(' ', chr(92) + '040')} rw,relatime shared:1 - tmpfs tmpfs rw\n"
        f"3 2 0:9 / {str(share).replace(' ', chr(92) + '040')} rw - nfs4 host:/share rw\n"
    )
    assert health.file_system(share / "case", str(mounts)) == "nfs4"
    assert health.file_system(tmp_path / "other", str(mounts)) == "tmpfs"
    assert health.file_system(Path("/"), str(mounts)) == "ext4"
    assert health.file_system(share, str(tmp_path / "none")) == ""


def test_the_filter_is_said_to_be_possible_where_it_is() -> None:
    code = "from forensics.report import confined; print(confined.possible(), confined.confine())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    said, was = done.stdout.split()
    assert said == was


def test_owners_without_a_name_are_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(path: Path) -> str:
        raise KeyError("getpwuid(): uid not found")

    assert health.owner(tmp_path / "none") == ""
    monkeypatch.setattr(Path, "owner", nobody)
    assert health.owner(tmp_path) == str(os.getuid())
