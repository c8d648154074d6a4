"""A case made afresh from its evidence gives what is recorded; where it does not, versions that differ are named."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics import errors, proof
from forensics.case import Case
from forensics.cli import main
from forensics.custody import log, manifest, statement
from tests.test_exit_codes import FOUND
from tests.test_exit_codes import log as written


def call(*arguments: object, code: int = 0, given: str | None = None) -> str:
    done = CliRunner().invoke(main, [str(one) for one in arguments], input=given)
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done.output


@pytest.fixture
def case(tmp_path: Path) -> Case:
    evidence = written(tmp_path / "logs", FOUND)
    call("run", evidence, "--org", "example.org", "--watch", "*.mil", "--case", tmp_path / "case", "--format", "json")
    return Case(tmp_path / "case")


def again(place: Path, *more: object, code: int = 0) -> str:
    (line,) = (line for line in call("verify", place, "--rerun", *more, code=code).splitlines() if "rerun" in line)
    return line


def test_the_same_again(case: Case) -> None:
    before = {one: one.read_bytes() for one in case.folder.rglob("*") if one.is_file()}
    assert "ok      rerun: 6 tables" in again(case.folder)
    assert "all the same; all versions are those recorded" in again(case.folder)
    assert {one: one.read_bytes() for one in case.folder.rglob("*") if one.is_file()} == before


def test_years_and_zones_that_people_gave(tmp_path: Path) -> None:
    """What was said once, by option, name or standard input, holds again: also where the file lies elsewhere by now."""
    old = FOUND.replace("2024-03-01T", "Mar  1 ").replace(".000000+00:00", "")
    place = tmp_path / "logs" / "mail.log-20230302.gz"
    place.parent.mkdir()
    place.write_bytes(gzip.compress(old.encode(), mtime=0))
    asked = written(tmp_path / "logs", old.replace("4jYb3c4B", "4jYb3c4C"), "asked.log")
    case = tmp_path / "case"
    about = ("--org", "example.org", "--watch", "*.mil", "--case", case)
    call("ingest", place, *about)
    call("ingest", asked, "--year", "2021", "--timezone", "Europe/London", *about)
    call("ingest", "-", "--year", "2020", *about, given=old.replace("4jYb3c4B", "4jYb3c4D"))
    call("detect", "--case", case, "--until", "2023-12-31")
    assert "ok      rerun" in again(case)
    proof.export(case, out=tmp_path / "bag")
    shutil.rmtree(case)
    shutil.move(tmp_path / "logs", tmp_path / "gone")
    assert "ok      rerun: 6 tables" in again(tmp_path / "bag")


def test_before_detection(tmp_path: Path) -> None:
    call("ingest", written(tmp_path, FOUND), "--org", "example.org", "--case", tmp_path / "case")
    assert "rerun: 2 tables" in again(tmp_path / "case")


def forged(case: Case, **changes: object) -> None:
    """The manifest says something else, and the log agrees: `verify` alone sees nothing."""
    made = replace(manifest.read(case), **changes)  # type: ignore[arg-type]
    facts = {"files": manifest.files_digest(made), "record": manifest.record_digest(made),
             "evidence": [one.id for one in made.evidence], "case_toml": statement.recorded(case),
             "manifest": manifest.whole_digest(made)}  # fmt: skip
    manifest.write(case, replace(made, custody=log.append(case, "ingest", facts)))


def test_tables_that_do_not_follow_from_the_evidence(case: Case) -> None:
    """A finding is taken out and everything made to fit: only the evidence itself tells."""
    import pyarrow.parquet as pq

    from forensics.custody import tables

    (part,) = tables.files(case, "deliveries")
    pq.write_table(pq.read_table(part).slice(1), part)
    shutil.rmtree(case.reports)
    for name in ("findings", "incidents", "correspondents", "lookalikes"):
        getattr(case, name).unlink()
    case.detection.unlink()
    settled = manifest.settled(case, replace(manifest.read(case), tables=tables.existing(case)))
    forged(case, tables=settled.tables, detection_digest="")
    for _ in ("withdraw the report, which is gone",):
        call("report", "--withdraw", "incident", "--because", "moved", "--case", case.folder)
    assert "VERIFIED" in call("verify", case.folder)
    told = again(case.folder, code=errors.VERIFICATION_FAILED)
    assert "table deliveries: other content (6 rows now, 5 recorded)" in told
    assert "all versions are those recorded, so no version explains it" in told


def test_counts_that_do_not_follow_from_the_evidence(case: Case) -> None:
    (one,) = manifest.read(case).evidence
    forged(case, evidence=(replace(one, used=one.used - 1, ignored={**one.ignored, "connection": 1}),))
    told = again(case.folder, code=errors.VERIFICATION_FAILED)
    assert "other ignored, used" in told


def test_other_versions_are_named(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    real = manifest.versions()
    monkeypatch.setattr(manifest, "versions", lambda: {**real, "duckdb": "9.9"})
    told = again(case.folder)
    assert f"other versions than recorded: duckdb {real['duckdb']} recorded, 9.9 now" in told


def test_evidence_that_is_not_there(case: Case, tmp_path: Path) -> None:
    shutil.move(tmp_path / "logs", tmp_path / "gone")
    assert "nothing was made afresh" in again(case.folder, code=errors.VERIFICATION_FAILED)
    assert "ok      rerun" in again(case.folder, "--evidence", tmp_path / "gone")
    proof.export(case.folder, out=tmp_path / "bag", with_evidence=False)
    assert "none    rerun" in again(tmp_path / "bag")


def test_a_case_that_does_not_verify_is_not_compared(case: Case) -> None:
    case.toml.write_text(case.toml.read_text() + "# x\n")
    assert "what is recorded does not verify: nothing was made afresh" in again(case.folder, code=4)


def test_a_report_cannot_be_made_afresh(case: Case) -> None:
    call("verify", case.reports / "incident.json", "--rerun", code=2)


def test_as_json(case: Case) -> None:
    told = json.loads(call("verify", case.folder, "--rerun", "--json"))
    assert told["ok"] and told["checks"][-1]["name"] == "rerun"
