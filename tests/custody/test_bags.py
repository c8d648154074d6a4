"""A bag can be checked with sha256sum alone, verifies on another machine, and shows every change to it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forensics import errors, proof
from forensics.case import Case
from forensics.cli import main
from forensics.custody import bags, canonical, seal, staging
from forensics.errors import CaseError, CaseInUse, EvidenceError, UsageError, VerificationFailed
from tests.custody.made import Built
from tests.test_exit_codes import FOUND


def call(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(main, [str(one) for one in arguments])
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done


def alone(bag: Path) -> subprocess.CompletedProcess[str]:
    """By the shell script inside, which needs sha256sum alone."""
    return subprocess.run(["sh", bag / bags.SCRIPT], capture_output=True, text=True, timeout=60)


@pytest.fixture
def bag(built: Built, tmp_path: Path) -> Path:
    """A bag on another machine: neither case nor evidence lie where they were."""
    proof.export(built.case.folder, out=tmp_path / "bag")
    shutil.move(built.case.folder, tmp_path / "case.gone")
    shutil.move(built.logs, tmp_path / "logs.gone")
    return tmp_path / "bag"


def test_what_is_in_it(bag: Path, built: Built) -> None:
    assert {one.name for one in bag.iterdir()} == {*bags.ROOT, "data"}
    for place in (bag / "data" / "evidence").iterdir():
        assert hashlib.sha256(place.read_bytes()).hexdigest() == place.name
    table = (bag / "data" / "evidence.tsv").read_text().splitlines()
    assert [row.split("\t")[4].rsplit("/")[-1] for row in table[1:]] == ["a-gateway.log.gz", "b-second.log"]
    info = (bag / "bag-info.txt").read_text()
    assert re.search(r"^Bagging-Date: \d{4}-\d\d-\d\d$", info, re.M)
    assert (bag / "bagit.txt").read_text().startswith("BagIt-Version: 1.0\n")
    assert not list(bag.parent.glob(".bag*"))


def test_it_verifies_elsewhere_and_with_sha256sum_alone(bag: Path) -> None:
    told = call("verify", bag).output
    assert "VERIFIED   the bag is as it was made\n" in told and "citations" in told
    done = alone(bag)
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256((bag / bags.TAGS).read_bytes()).hexdigest() in done.stdout
    for listing in (bags.TAGS, bags.MANIFEST):
        assert subprocess.run(["sha256sum", "-c", "--strict", listing], cwd=bag, capture_output=True).returncode == 0


def test_same_case_same_bytes(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof.export(built.case.folder, out=tmp_path / "one")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    proof.export("case", out="two")
    assert Path.cwd() == tmp_path
    assert (tmp_path / "one" / bags.TAGS).read_bytes() == (tmp_path / "two" / bags.TAGS).read_bytes()
    call("export", built.case.folder, "--out", tmp_path / "three", "--as-of", "2030-05-06")
    assert "Bagging-Date: 2030-05-06\n" in (tmp_path / "three" / bags.INFO).read_text()


def test_without_evidence(built: Built, tmp_path: Path) -> None:
    made = json.loads(call("export", built.case.folder, "--out", tmp_path / "bag", "--no-evidence", "--json").output)
    assert made["evidence"] == 0 and not (tmp_path / "bag" / "data" / "evidence").exists()
    told = call("verify", tmp_path / "bag").output
    assert "VERIFIED   the bag is as it was made; evidence not in this bag: not checked" in told
    assert alone(tmp_path / "bag").returncode == 0


def test_evidence_that_moved(built: Built, tmp_path: Path) -> None:
    shutil.move(built.logs / "b-second.log", tmp_path / "moved")
    with pytest.raises(EvidenceError, match=r"b-second\.log"):
        proof.export(built.case.folder, out=tmp_path / "bag")
    assert not list(tmp_path.glob("*bag*")), "nothing stays of a bag that was not made"
    (tmp_path / "archive").mkdir()
    shutil.move(tmp_path / "moved", tmp_path / "archive" / "x")
    proof.export(built.case.folder, out=tmp_path / "bag", evidence=tmp_path / "archive")
    assert "VERIFIED" in call("verify", tmp_path / "bag").output


def test_a_log_that_has_grown_is_copied_as_far_as_it_was_read(built: Built, tmp_path: Path) -> None:
    with (built.logs / "b-second.log").open("ab") as file:
        file.write(b"later\n")
    proof.export(built.case.folder, out=tmp_path / "bag")
    assert "VERIFIED" in call("verify", tmp_path / "bag").output


def test_what_does_not_verify_is_not_exported(built: Built, tmp_path: Path) -> None:
    good = (built.logs / "b-second.log").read_bytes()
    (built.logs / "b-second.log").write_bytes(good.replace(b"navy.mil", b"navy.ml "))
    with pytest.raises(VerificationFailed, match=r"b-second\.log"):
        proof.export(built.case.folder, out=tmp_path / "bag")
    (built.logs / "b-second.log").write_bytes(good)
    (built.case.reports / "incident.html").write_text("<p>another</p>")
    with pytest.raises(VerificationFailed, match=r"incident\.html"):
        proof.export(built.case.folder, out=tmp_path / "bag")
    assert not (tmp_path / "bag").exists()


def test_a_place_that_is_none(built: Built, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for out in (tmp_path / "there", built.case.folder / "bag"):
        with pytest.raises(UsageError):
            proof.export(built.case.folder, out=out)
    call("export", tmp_path / "no", "--out", tmp_path / "bag", code=2)


def test_the_redaction_key_stays_behind(built: Built, tmp_path: Path) -> None:
    (built.case.folder / "redaction.key").write_text("5" * 64)
    proof.export(built.case.folder, out=tmp_path / "bag")
    assert not list((tmp_path / "bag").rglob("*.key"))
    assert b"5" * 64 not in b"".join(one.read_bytes() for one in (tmp_path / "bag").rglob("*") if one.is_file())


@pytest.fixture
def redacted(built: Built, tmp_path: Path) -> Path:
    folder = built.case.reports / "redacted"
    folder.mkdir()
    (folder / "incident.html").write_text("<p>person-1</p>")
    with staging.change(built.case, "report") as staged:
        seal.write(staged, [folder / "incident.html"], {"edition": "redacted"})
    call("export", built.case.folder, "--out", tmp_path / "bag", "--edition", "redacted")
    return tmp_path / "bag"


def test_a_redacted_bag_holds_reports_and_digests_alone(redacted: Path, built: Built) -> None:
    found = sorted(
        one.relative_to(redacted / "data").as_posix() for one in (redacted / "data").rglob("*") if one.is_file()
    )
    assert found == ["digests.json", "reports/incident.html", "reports/incident.seal.json"]
    everything = b"".join(one.read_bytes() for one in redacted.rglob("*") if one.is_file())
    for name in (b"navy", b"grant", b"gateway", b"example.org", os.fsencode(built.logs)):
        assert name not in everything.lower()
    told = call("verify", redacted).output
    assert "what it was made from is not in it: not checked" in told and "VERIFIED" in told
    assert alone(redacted).returncode == 0


def test_a_redacted_bag_needs_a_redacted_report(built: Built, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no redacted report"):
        proof.export(built.case.folder, out=tmp_path / "bag", edition="redacted")


def again(bag: Path) -> None:
    """What a forger does who knows the format: make all manifests anew."""
    payload = sorted(one for one in (bag / "data").rglob("*") if one.is_file())
    lines = [f"{canonical.file_digest(one)}  {one.relative_to(bag).as_posix()}\n" for one in payload]
    (bag / bags.MANIFEST).write_text("".join(lines))
    info = (bag / bags.INFO).read_text().splitlines()
    size = sum(one.stat().st_size for one in payload)
    info = [f"Payload-Oxum: {size}.{len(payload)}" if one.startswith("Payload-Oxum") else one for one in info]
    (bag / bags.INFO).write_text("\n".join(info) + "\n")
    lines = [f"{canonical.file_digest(bag / name)}  {name}\n" for name in sorted(bags.ROOT - {bags.TAGS})]
    (bag / bags.TAGS).write_text("".join(lines))


def first(bag: Path, pattern: str) -> Path:
    return sorted(bag.glob(pattern))[0]


def edit(pattern: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(bag: Path) -> None:
        place = first(bag, pattern)
        content = place.read_bytes()
        assert old in content, place
        place.write_bytes(content.replace(old, new, 1))

    return change


PLAIN: dict[str, Callable[[Path], None]] = {
    "a byte of evidence": lambda bag: flip(first(bag, "data/evidence/*")),
    "a byte of a table": lambda bag: flip(first(bag, "data/case/deliveries/*/*.parquet")),
    "a report": edit("data/case/reports/incident.html", b"report", b"reporT"),
    "the date": edit("bag-info.txt", b"Bagging-Date: 2", b"Bagging-Date: 1"),
    "a digest in the manifest": lambda bag: flip(bag / bags.MANIFEST),
    "the tag manifest removed": lambda bag: (bag / bags.TAGS).unlink(),
    "the check script": edit("check.sh", b"sha256sum -c tagmanifest", b"true -c tagmanifest"),
    "the check script, and its line": lambda bag: (
        edit("check.sh", b"set -eu", b"exit 0")(bag), drop(bag / bags.TAGS, "check.sh"),
    ),
    "evidence removed": lambda bag: first(bag, "data/evidence/*").unlink(),
    "evidence removed, and its line": lambda bag: (
        drop(bag / bags.MANIFEST, first(bag, "data/evidence/*").name), first(bag, "data/evidence/*").unlink(),
    ),
    "a file added to the payload": lambda bag: write(bag / "data" / "case" / "x", "x"),
    "a file added beside": lambda bag: write(bag / "README", "trust me"),
    "a hidden file beside": lambda bag: write(bag / ".x", "x"),
    "another algorithm": lambda bag: write(bag / "manifest-md5.txt", ""),
    "a place to fetch from": lambda bag: write(bag / "fetch.txt", "https://example.org/x 1 data/x\n"),
    "a link": lambda bag: relink(first(bag, "data/evidence/*")),
    "a line twice": lambda bag: write(bag / bags.MANIFEST, (bag / bags.MANIFEST).read_text() * 2),
    "a name that leads out": edit("manifest-sha256.txt", b"data/case/case.toml", b"../bag-2/case.toml"),
    "the payload gone": lambda bag: shutil.rmtree(bag / "data"),
    "bytes that are no text": lambda bag: (bag / bags.MANIFEST).write_bytes(b"\xff\xfe"),
}  # fmt: skip
FORGED: dict[str, Callable[[Path], None]] = {
    "evidence": lambda bag: flip(first(bag, "data/evidence/*")),
    "evidence left out, though it says it has it": lambda bag: shutil.rmtree(bag / "data" / "evidence"),
    "one evidence left out": lambda bag: first(bag, "data/evidence/*").unlink(),
    "a table": lambda bag: flip(first(bag, "data/case/deliveries/*/*.parquet")),
    "a report": edit("data/case/reports/incident.html", b"report", b"reporT"),
    "a report removed": lambda bag: (bag / "data" / "case" / "reports" / "incident.json").unlink(),
    "who did it": edit("data/case/custody.jsonl", b'"user":"', b'"user":"x'),
    "the end of the log": lambda bag: cut(bag / "data" / "case" / "custody.jsonl"),
    "case.toml": edit("data/case/case.toml", b"example.org", b"example.com"),
    "names in the table": edit("data/evidence.tsv", b"a-gateway", b"z-gateway"),
    "a name in the manifest": edit("data/case/manifest.json", b"a-gateway", b"z-gateway"),
    "the case state that it names": edit("bag-info.txt", b"External-Identifier: ", b"External-Identifier: 0"),
    "the case gone": lambda bag: shutil.rmtree(bag / "data" / "case"),
    "no case.toml": lambda bag: (bag / "data" / "case" / "case.toml").unlink(),
    "no manifest": lambda bag: (bag / "data" / "case" / "manifest.json").unlink(),
}


def flip(place: Path) -> None:
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(content)


def write(place: Path, text: str) -> None:
    place.write_text(text)


def drop(place: Path, name: str) -> None:
    place.write_text("".join(line for line in place.read_text().splitlines(True) if name not in line))


def cut(log: Path) -> None:
    log.write_bytes(b"".join(log.read_bytes().splitlines(True)[:-1]))


def relink(place: Path) -> None:
    target = place.rename(place.parent.parent.parent.parent / "outside")
    place.symlink_to(target)


@pytest.mark.parametrize("change", PLAIN.values(), ids=PLAIN)
def test_every_change_is_seen(bag: Path, change: Callable[[Path], None]) -> None:
    change(bag)
    told = call("verify", bag, code=errors.VERIFICATION_FAILED).output
    assert "NOT VERIFIED" in told and "\nVERIFIED" not in told


@pytest.mark.parametrize("change", [one for name, one in PLAIN.items() if "check script" not in name],
                         ids=[name for name in PLAIN if "check script" not in name])  # fmt: skip
def test_and_by_the_shell(bag: Path, change: Callable[[Path], None]) -> None:
    """By the script, which whoever changes it has for himself."""
    change(bag)
    assert alone(bag).returncode != 0


@pytest.mark.parametrize("change", FORGED.values(), ids=FORGED)
def test_every_change_is_seen_though_the_manifests_were_made_anew(bag: Path, change: Callable[[Path], None]) -> None:
    change(bag)
    again(bag)
    assert "NOT VERIFIED" in call("verify", bag, code=errors.VERIFICATION_FAILED).output


def test_a_redacted_report_that_was_changed(redacted: Path) -> None:
    edit("data/reports/incident.html", b"person-1", b"person-2")(redacted)
    again(redacted)
    assert "was changed after it was sealed" in call("verify", redacted, code=errors.VERIFICATION_FAILED).output
    edit("data/reports/incident.html", b"person-2", b"person-1")(redacted)
    write(redacted / "data" / "reports" / "more.html", "x")
    again(redacted)
    assert "more.html: no seal holds it" in call("verify", redacted, code=errors.VERIFICATION_FAILED).output


def test_a_bag_made_anew_and_unchanged_is_still_one(bag: Path) -> None:
    """What the other tests change is what makes them fail."""
    again(bag)
    assert "VERIFIED" in call("verify", bag).output


def test_paths_of_another_machine_are_not_opened(bag: Path, tmp_path: Path) -> None:
    """Not even where they exist here: what stands there is not what the bag was made of."""
    shutil.move(tmp_path / "logs.gone", tmp_path / "logs")
    first(bag, "data/evidence/*").unlink()
    again(bag)
    assert "is not in the bag, which has evidence" in call("verify", bag, code=4).output


def test_the_case_is_left_as_it_was(built: Built, tmp_path: Path) -> None:
    before = {one: one.read_bytes() for one in built.case.folder.rglob("*") if one.is_file()}
    proof.export(built.case.folder, out=tmp_path / "bag")
    assert {one: one.read_bytes() for one in Case(built.case.folder).folder.rglob("*") if one.is_file()} == before


def test_a_link_out_of_the_case_is_not_followed(built: Built, tmp_path: Path) -> None:
    """Whoever makes a case may name any file of whoever exports it."""
    page = built.case.reports / "incident.html"
    page.rename(tmp_path / "outside")
    page.symlink_to(tmp_path / "outside")
    with pytest.raises(CaseError, match="symbolic link"):
        proof.export(built.case.folder, out=tmp_path / "bag")
    assert not (tmp_path / "bag").exists()


def test_archives_streams_and_names_of_every_kind(tmp_path: Path) -> None:
    """An archive is copied once for all its members; a name that no manifest can hold stands in the table."""
    logs = tmp_path / "logs"
    logs.mkdir()
    with tarfile.open(logs / "a\nb%0A.tar", "w") as archive:
        for name, letter in (("one\n.log", "C"), ("two.log", "D")):
            content = FOUND.replace("4jYb3c4B", f"4jYb3c4{letter}").encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (tmp_path / "same").mkdir()
    for place in (logs / "x.log", tmp_path / "same" / "x.log"):
        place.write_text(FOUND)
    case = tmp_path / "case"
    call("ingest", logs, tmp_path / "same", "--org", "example.org", "--case", case)
    done = CliRunner().invoke(main, ["ingest", "-", "--case", str(case)], input=FOUND.replace("4jYb3c4B", "4jYb3c4E"))
    assert done.exit_code == 0, done.output
    made = proof.export(case, out=tmp_path / "bag")
    shutil.rmtree(logs)
    assert made.evidence == 3 and not (tmp_path / "bag" / "data" / "case" / "streams").exists()
    rows = [row.split("\t") for row in (tmp_path / "bag" / "data" / "evidence.tsv").read_text().splitlines()[1:]]
    assert len(rows) == 5 and len({row[3] for row in rows}) == 3
    assert any("a\\u{a}b%0A.tar" in row[4] and "one\\u{a}.log" in row[6] for row in rows)
    told = call("verify", tmp_path / "bag", "--all").output
    assert "VERIFIED   the bag is as it was made\n" in told
    assert alone(tmp_path / "bag").returncode == 0


def test_a_case_that_another_command_changes_meanwhile(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bag holds one state of the case, or is not made."""
    real = bags._copied

    def copied(*given: Any) -> str:
        proof.custody_add(built.case.folder, given_by="a", taken_by="b", at="2024-03-01", what="x")
        return real(*given)

    monkeypatch.setattr(bags, "_copied", copied)
    with pytest.raises(CaseInUse, match="meanwhile"):
        proof.export(built.case.folder, out=tmp_path / "bag")
    assert not list(tmp_path.glob("*bag*"))
