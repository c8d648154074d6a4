"""Known evidence is found again by its content, whatever its file is called by now; nothing else passes for it."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics import pipeline, store, workbench
from forensics.case import Case
from forensics.custody import log, manifest
from forensics.errors import AmbiguousTime, UsageError, VerificationFailed
from forensics.results import Ingested
from tests.ingesting import message, slipped, to

LINES = slipped(40).splitlines(keepends=True)
ORG = ["albion.example"]


def ingest(paths: Sequence[Path], case: Case, **options: Any) -> Ingested:
    return pipeline.ingest(paths, case.folder, org=ORG, **options)


def rows(case: Case) -> list[dict[str, Any]]:
    """Deliveries without where their records lie."""
    found = store.read(case, "deliveries").drop_columns(["records"]).to_pylist()
    return sorted(found, key=lambda row: str(row["delivery_id"]))


def whole(folder: Path, text: str) -> list[dict[str, Any]]:
    folder.mkdir()
    (folder / "all.log").write_text(text)
    ingest([folder / "all.log"], Case(folder / "case"))
    return rows(Case(folder / "case"))


def faults(case: Case, **options: Any) -> dict[str, str]:
    return {one.name: one.text for one in workbench.verify(case.folder, **options).checks if one.ok is False}


def places(case: Case) -> dict[str, list[str]]:
    return {one.id: [Path(at.path).name for at in one.locations] for one in manifest.read(case).evidence}


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path / "log" / "mail.log"


def rotate(mail: Path, *, packed: int | None = None) -> None:
    """As logrotate does: mail.log.2 becomes mail.log.3, …; `packed`: that number and all above are compressed."""
    for n in range(9, 0, -1):
        for end in ("", ".gz"):
            old, new = (mail.with_name(f"mail.log.{m}{end}") for m in (n, n + 1))
            if old.exists():
                old.rename(new)
                if packed is not None and not end and n + 1 >= packed:
                    new.with_name(f"{new.name}.gz").write_bytes(gzip.compress(new.read_bytes(), mtime=0))
                    new.unlink()
    mail.rename(mail.with_name("mail.log.1"))


@pytest.mark.parametrize("grown", [False, True], ids=["as it was", "grown before"])
@pytest.mark.parametrize("new", [0, 10, 150], ids=["empty", "shorter", "longer"])
def test_a_log_that_was_rotated_meanwhile(mail: Path, tmp_path: Path, grown: bool, new: int) -> None:
    case = Case(tmp_path / "case")
    mail.write_text("".join(LINES[:30]))
    ingest([mail], case)
    end = 40 if grown else 30
    mail.write_text("".join(LINES[:end]))
    rotate(mail)
    mail.write_text("".join(LINES[end : end + new]))
    done = ingest(sorted(mail.parent.iterdir()), case)
    assert done.moved == ((str(mail), f"{mail}.1"),)
    told = log.details(log.check(case).entries[-1])["moved"]
    assert [(one["from"], one["to"]) for one in told] == [(str(mail), f"{mail}.1")]
    assert rows(case) == whole(tmp_path / "whole", "".join(LINES[: end + new]))
    assert faults(case) == {}
    assert all(len(one) == 1 for one in places(case).values())
    # The next time it is where it is known to be.
    again = ingest(sorted(mail.parent.iterdir()), case)
    assert again.moved == () and again.evidence == done.evidence and faults(case) == {}


def test_a_rotation_that_compresses(mail: Path, tmp_path: Path) -> None:
    """Each known file has another's name by now, or is packed: none is counted twice, none is lost."""
    case = Case(tmp_path / "case")
    mail.write_text("".join(LINES[:50]))
    rotate(mail)
    mail.write_text("".join(LINES[50:80]))
    ingest(sorted(mail.parent.iterdir()), case)
    mail.write_text("".join(LINES[50:90]))
    rotate(mail, packed=2)
    mail.write_text("".join(LINES[90:]))
    done = ingest(sorted(mail.parent.iterdir()), case)
    assert done.moved == ((f"{mail}.1", f"{mail}.2.gz"), (str(mail), f"{mail}.1"))
    assert done.evidence == 4 and done.duplicates == 30
    assert rows(case) == whole(tmp_path / "whole", "".join(LINES))
    assert faults(case) == {}
    assert sorted(places(case).values()) == [["mail.log"], ["mail.log.1"], ["mail.log.1"], ["mail.log.2.gz"]]


def test_a_file_that_moved_is_recorded_without_reading_anew(mail: Path, tmp_path: Path) -> None:
    """Nothing is new: tables, findings and reports stand."""
    case = Case(tmp_path / "case")
    mail.write_text("".join(LINES))
    pipeline.run([mail], case.folder, org=ORG)
    rotate(mail)
    mail.write_text(LINES[0])
    assert f"evidence {mail}" in faults(case)
    found = workbench.verify(case.folder, evidence=mail.parent)
    assert found.ok and "lies something else now" in str(found.checks)
    before = store.read(case, "findings")
    done = ingest([mail.with_name("mail.log.1")], case)
    assert done.moved == ((str(mail), f"{mail}.1"),) and done.already == 1
    assert faults(case) == {} and store.read(case, "findings") == before
    assert places(case) == {manifest.read(case).evidence[0].id: ["mail.log.1"]}


def test_evidence_whose_content_is_nowhere_stays_refused(mail: Path, tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    mail.write_text("".join(LINES[:50]))
    ingest([mail], case)
    rotate(mail)
    mail.with_name("mail.log.1").write_text("".join(LINES[:50]).replace("a@albion", "c@albion"))
    mail.write_text("".join(LINES[50:]))
    before = {path: path.read_bytes() for path in case.folder.rglob("*") if path.is_file()}
    with pytest.raises(VerificationFailed, match="no longer what the case recorded") as told:
        ingest(sorted(mail.parent.iterdir()), case)
    assert "mail.log*" in str(told.value.remedy)
    assert {path: path.read_bytes() for path in case.folder.rglob("*") if path.is_file()} == before
    assert f"evidence {mail}" in faults(case, evidence=mail.parent)


@pytest.mark.parametrize("packing", ["gz", "tar", "tar.gz", "zip"])
def test_what_had_grown_before_it_was_packed(mail: Path, tmp_path: Path, packing: str) -> None:
    """Of the packed content, the part that was recorded is the known evidence; all of it is another."""
    case = Case(tmp_path / "case")
    mail.write_text("".join(LINES[:50]))
    ingest([mail], case)
    packed, grown = mail.with_name(f"mail.log.2.{packing}"), "".join(LINES[:80]).encode()
    if packing == "gz":
        packed.write_bytes(gzip.compress(grown))
    elif packing == "zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("mail.log", grown)
    else:
        with tarfile.open(packed, "w:gz" if packing.endswith("gz") else "w") as tar:
            info = tarfile.TarInfo("mail.log")
            info.size = len(grown)
            tar.addfile(info, io.BytesIO(grown))
    mail.write_text("".join(LINES[80:]))
    done = ingest([mail, packed], case)
    assert done.moved == ((str(mail), str(packed)),) and done.evidence == 3
    assert rows(case) == whole(tmp_path / "whole", "".join(LINES)) and faults(case) == {}
    packed.rename(packed.with_name("elsewhere"))
    assert faults(case) and faults(case, evidence=mail.parent) == {}
    again = ingest(sorted(mail.parent.iterdir()), case)
    assert len(again.moved) == 2 and rows(case) == rows(Case(tmp_path / "whole" / "case")) and faults(case) == {}


def dated(lines: Sequence[str]) -> str:
    """In the traditional form, without year and zone."""
    return "".join(f"Mar {int(line[8:10]):2} {line[11:19]}{line[32:]}" for line in lines)


def test_what_was_said_of_it_follows(mail: Path, tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    mail.write_text(dated(LINES[:50]))
    ingest([mail], case, year=2021, timezone="Europe/Paris")
    before = rows(case)
    rotate(mail)
    mail.write_text(dated(LINES[50:]))
    with pytest.raises(AmbiguousTime):  # of what is new nobody has said it
        ingest([mail, mail.with_name("mail.log.1")], case)
    ingest([mail, mail.with_name("mail.log.1")], case, year=2021, timezone="Europe/Paris")
    assert len(rows(case)) > len(before)
    assert [row for row in rows(case) if row in before] == before


def test_other_words_of_the_case_about_its_name_are_asked_for(mail: Path, tmp_path: Path) -> None:
    """What case.toml says of the old name is said of another file now: the times of known evidence must not move."""
    case = Case(tmp_path / "case")
    mail.write_text(dated(LINES[:50]))
    case.folder.mkdir()
    entry = '[[sources]]\nfile = "{}"\nyear = 2021\ntimezone = "Europe/Paris"\n'
    case.toml.write_text(entry.format("mail.log"))
    ingest([mail], case)
    before = rows(case)
    rotate(mail)
    mail.write_text(dated(LINES[50:]))
    with pytest.raises(UsageError, match="year 2021, timezone Europe/Paris"):
        ingest(sorted(mail.parent.iterdir()), case)
    case.toml.write_text(case.toml.read_text() + entry.format("mail.log.1"))
    ingest(sorted(mail.parent.iterdir()), case)
    assert [row for row in rows(case) if row in before] == before and faults(case) == {}


def test_a_copy_elsewhere_moves_nothing(mail: Path, tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    mail.write_text("".join(LINES))
    ingest([mail], case)
    (tmp_path / "copy").write_text(mail.read_text())
    assert ingest([tmp_path / "copy"], case).moved == ()
    assert places(case) == {manifest.read(case).evidence[0].id: ["mail.log"]}


def test_a_log_that_grows_has_one_place(mail: Path, tmp_path: Path) -> None:
    case = Case(tmp_path / "case")
    for end in (50, 100, 150):
        mail.write_text("".join(LINES[:end]))
        ingest([mail], case)
    sizes = [[at["size"] for at in one["locations"]] for one in json.loads(case.manifest.read_text())["evidence"]]
    assert sorted(sizes) == sorted([len("".join(LINES[:end]).encode())] for end in (50, 100, 150))


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([None, 2, 3]))
def test_any_rotation_between_ingests(tmp_path_factory: pytest.TempPathFactory, r: Random, packed: int | None) -> None:
    """Whatever was written, rotated and packed between two ingests: each record counts once, and `verify` passes."""
    folder = tmp_path_factory.mktemp("rotation")
    (folder / "log").mkdir()
    mail, case = folder / "log" / "mail.log", Case(folder / "case")
    lines = "".join(
        message(f"4{n:02}C2D3E4F", to(f"x{n}@navy.example"), at=f"2024-03-01T10:{n:02}:00.000000+00:00")
        for n in range(30)
    ).splitlines(keepends=True)
    at = 0
    for _ in range(r.randint(3, 6)):
        more = r.randint(1, 40)
        with mail.open("a") as file:
            file.write("".join(lines[at : at + more]))
        at = min(at + more, len(lines))
        if r.random() < 0.6:
            ingest(sorted(mail.parent.iterdir()), case)
        if r.random() < 0.6:
            rotate(mail, packed=packed)
            mail.touch()
    ingest(sorted(mail.parent.iterdir()), case)
    assert rows(case) == whole(folder / "whole", "".join(lines[:at]))
    assert faults(case) == {}
