"""A report by itself: the case state it shows, as sealed or not; without a seal nothing is claimed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from forensics import errors
from forensics.cli import main
from forensics.custody import canonical, manifest, seal, staging
from forensics.custody.log import By
from tests.custody.made import Built


def verify(place: Path, code: int = 0, *more: str) -> str:
    done = CliRunner().invoke(main, ["verify", str(place), *more])
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    if code:
        assert "\nVERIFIED" not in done.output and "\nAS SEALED" not in done.output
    return done.output


@pytest.fixture
def away(built: Built, tmp_path: Path) -> Path:
    """The reports and their seal, far from their case."""
    shutil.copytree(built.case.reports, tmp_path / "mail")
    return tmp_path / "mail" / "incident.html"


def test_in_its_case(built: Built) -> None:
    told = verify(built.case.reports / "incident.html")
    assert manifest.case_state_digest(built.case) in told and "entry 3 of the custody log" in told
    assert "AS SEALED  as its seal and the custody log of its case record it" in told


def test_away_from_its_case(away: Path) -> None:
    told = verify(away)
    assert "the case that its seal names is not here, so who sealed it is not checked" in told
    assert "VERIFIED" not in told


def test_altered(away: Path, built: Built) -> None:
    for place in (away, built.case.reports / "incident.html"):
        place.write_text("<p>other</p>")
        assert "was changed after it was sealed" in verify(place, errors.VERIFICATION_FAILED)


def test_no_seal_beside_it(away: Path) -> None:
    (away.parent / "incident.seal.json").unlink()
    told = verify(away, errors.CANNOT_TELL)
    assert told.splitlines()[-1].startswith("CANNOT TELL")
    assert json.loads(verify(away, errors.CANNOT_TELL, "--json"))["ok"] is None
    assert errors.CANNOT_TELL == 8


def test_a_seal_that_does_not_hold_it(away: Path) -> None:
    verify(away.rename(away.with_name("incident.docx")), errors.CANNOT_TELL)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"reports": {"incident.html": {"sha256": 1}}}', "\x00"])
def test_a_seal_that_is_none(away: Path, text: str) -> None:
    (away.parent / "incident.seal.json").write_text(text)
    verify(away, errors.VERIFICATION_FAILED)


def test_a_forged_seal_passes_alone_but_not_in_its_case(away: Path, built: Built) -> None:
    """A seal is no signature: what ties it to the case is the custody log."""
    for folder in (away.parent, built.case.reports):
        (folder / "incident.html").write_text("<p>other</p>")
        sealed = folder / "incident.seal.json"
        held = json.loads(sealed.read_text())
        held["reports"]["incident.html"]["sha256"] = canonical.file_digest(folder / "incident.html")
        sealed.write_text(json.dumps(held))
    assert "who sealed it is not checked" in verify(away)
    assert "the custody log has another digest" in verify(built.case.reports / "incident.html", 4)


def test_a_report_elsewhere_against_the_custody_log_of_its_case(away: Path, built: Built) -> None:
    """Whoever replaces file and seal makes them agree; the case, where it is named, tells."""
    case = ("--case", str(built.case.folder))
    told = verify(away, 0, *case)
    assert "incident.html: written as incident.html: case state" in told and "entry 3 of the custody log" in told
    assert f"AS SEALED  as the custody log of {built.case.folder} records it" in told
    verify(away.parent / "incident.seal.json", 0, *case)
    away = away.rename(away.with_name("renamed.html"))
    verify(away, 0, *case)
    (away.parent / "incident.seal.json").unlink()
    verify(away, 0, *case)
    away.write_text("<p>other</p>")
    assert "no report of this content was written by the case" in verify(away, errors.VERIFICATION_FAILED, *case)
    assert json.loads(verify(away, errors.VERIFICATION_FAILED, *case, "--json"))["ok"] is False


def test_an_earlier_or_withdrawn_report_against_its_case(away: Path, built: Built) -> None:
    case = ("--case", str(built.case.folder))
    (built.case.reports / "incident.html").write_bytes(away.read_bytes())
    with staging.change(built.case, "report") as staged:
        later = staged.report(built.case.reports / "incident.html")
        later.write_text("<p>later</p>")
        seal.write(staged, [built.case.reports / "incident.html"])
        seal.withdraw(staged, ["incident.html"], "superseded", by=By("M. Okafor"))
    told = verify(away, 0, *case)
    assert "; entry 4 wrote a later one of that name; withdrawn on 2" in told
    lines = built.case.custody_log.read_bytes().splitlines(keepends=True)
    built.case.custody_log.write_bytes(b"".join(lines[:1] + lines[2:]))
    assert "custody.jsonl: was altered" in verify(away, errors.VERIFICATION_FAILED, *case)


def test_a_seal_taken_from_a_report_of_the_case(built: Built) -> None:
    (built.case.reports / "incident.seal.json").unlink()
    assert "its seal is missing, though" in verify(built.case.reports / "incident.html", errors.VERIFICATION_FAILED)


def test_a_report_that_its_case_does_not_know(built: Built, away: Path) -> None:
    shutil.copytree(away.parent, built.case.reports / "copied")
    told = verify(built.case.reports / "copied" / "incident.html", errors.VERIFICATION_FAILED)
    assert "the case's custody log does not know it" in told


def test_a_withdrawn_report_says_so(built: Built) -> None:
    with staging.change(built.case, "withdraw") as staged:
        seal.withdraw(staged, ["incident.html"], "superseded", by=By("M. Okafor"))
    told = verify(built.case.reports / "incident.html")
    assert "as sealed, but withdrawn on 2" in told and "by M. Okafor (user " in told and "because: superseded" in told


def test_the_seal_itself_stands_for_all_that_it_holds(away: Path) -> None:
    told = verify(away.parent / "incident.seal.json")
    assert "incident.html: as sealed" in told and "incident.json: as sealed" in told
    (away.parent / "incident.json").unlink()
    assert "sealed, but missing" in verify(away.parent / "incident.seal.json", errors.VERIFICATION_FAILED)


def test_what_is_neither_case_bag_nor_report(tmp_path: Path) -> None:
    verify(tmp_path / "no", 2)
    verify(tmp_path, 2)
