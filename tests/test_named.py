"""Files and folders that a person names: no wrong name is passed over, and nobody's file is written over."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forensics import named
from forensics.cli import main
from forensics.errors import UsageError

ORG = "albion-defence.uk"


def call(*arguments: object, code: int | None = 0) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert code is None or result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("named") / "case"
    logs = [data / "postfix-albion" / name for name in ("mail.log-20230609", "mail.log-20230610")]
    call("run", *logs, "--org", ORG, "--case", folder, "--format", "html,json")
    yield folder


@pytest.fixture
def case(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "case")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "case"


READ = {
    "verify --evidence": ("verify", "case", "--evidence"),
    "verify --ca": ("verify", "case", "--ca"),
    "verify --signers": ("verify", "case", "--signers"),
    "export --evidence": ("export", "case", "--out", "bag", "--evidence"),
    "stamp --reply": ("stamp", "--reply"),
    "stamp --ca": ("stamp", "--reply", "case/case.toml", "--ca"),
    "sign --key": ("sign", "--examiner", "R. Osei", "--key"),
    "worksheet": ("worksheet",),
    "review --import": ("review", "--reviewer", "R. Osei", "--import"),
    "report --templates": ("report", "--templates"),
    "report --logo": ("report", "--logo"),
    "report --since-report": ("report", "--since-report"),
    "verify PATH": ("verify",),
    "status CASE": ("status",),
    "doctor --case": ("doctor", "--case"),
    "watch-list --case": ("watch-list", "navy.mil", "--case"),
}
"""What names something that is to be read; the name comes last."""


@pytest.mark.parametrize("name", ["nope", ""])
@pytest.mark.parametrize("which", READ)
def test_what_is_not_there_is_a_mistake_of_use(which: str, name: str, case: Path) -> None:
    before = {place: place.read_bytes() for place in case.rglob("*") if place.is_file()}
    told = call(*READ[which], name, code=2).output
    assert "VERIFIED" not in told and (name or "empty") in told
    assert not Path("bag").exists()
    assert before == {place: place.read_bytes() for place in case.rglob("*") if place.is_file()}


WRITTEN = {
    "review --export": ("review", "--export"),
    "lookups --out": ("lookups", "--out"),
    "lookups --json --out": ("lookups", "--json", "--out"),
    "stamp --query": ("stamp", "--query"),
    "export --out": ("export", "case", "--out"),
    "block --out": ("block", "--out"),
    "watch-list --out": ("watch-list", "navy.mil", "--case", "case", "--format", "list", "--out"),
    "report --out": ("report", "--out"),
}
"""What names something that is to be written; the name comes last."""


@pytest.mark.parametrize("which", WRITTEN)
def test_nothing_that_is_there_is_written_over(which: str, case: Path) -> None:
    for place in (case / "case.toml", case / "manifest.json"):
        before = place.read_bytes()
        told = call(*WRITTEN[which], place, code=2).output
        assert place.name in told and place.read_bytes() == before
    Path("dead").symlink_to("nowhere")
    call(*WRITTEN[which], "dead", code=2 if which != "block --out" else None)
    assert not Path("nowhere").exists()
    call("verify", case)


@pytest.mark.parametrize("which", WRITTEN)
def test_a_file_above_what_is_to_be_written(which: str, case: Path) -> None:
    if which != "block --out":  # nothing was confirmed, so that nothing is written
        assert "case.toml" in call(*WRITTEN[which], case / "case.toml" / "new", code=2).output


@pytest.mark.parametrize("which", ["review --export", "lookups --out", "lookups --json --out", "stamp --query"])
def test_folders_are_made_for_a_new_file(which: str, case: Path) -> None:
    call(*WRITTEN[which], "one/two/new")
    assert Path("one/two/new").stat().st_size


def test_a_file_that_could_not_be_written_whole_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("forensics.named.os.fsync", full)
    with pytest.raises(OSError, match="No space") as told:
        named.write("--out", tmp_path / "new", b"x" * 100)
    assert told.value.filename == str(tmp_path / "new") and not (tmp_path / "new").exists()
    (tmp_path / "there").write_text("mine")
    with pytest.raises(UsageError, match=r"--out .*there: is there already"):
        named.write("--out", tmp_path / "there", b"")
    assert (tmp_path / "there").read_text() == "mine"


def test_a_report_that_somebody_edited_is_not_written_over(case: Path) -> None:
    page = case / "reports" / "incident.html"
    written = page.read_bytes()
    call("report", "--format", "html")
    assert page.read_bytes() == written
    page.write_bytes(b"<p>edited for an hour</p>")
    told = call("report", "--format", "html", code=2).output
    assert "incident.html: is there already, and was changed since this case wrote it" in told and "--out" in told
    assert page.read_bytes() == b"<p>edited for an hour</p>"
    call("report", "--format", "json")
    call("report", "--format", "html", "--out", "afresh")
    assert Path("afresh/incident.html").read_bytes() == written


def test_a_worksheet_that_was_filled_in_is_not_written_over(case: Path) -> None:
    call("report", "--format", "worksheet")
    sheet = case / "reports" / "worksheet.xlsx"
    sheet.write_bytes(sheet.read_bytes() + b"filled in")
    assert "worksheet.xlsx: is there already" in call("report", "--format", "worksheet,json", code=2).output
    assert sheet.read_bytes().endswith(b"filled in")


def test_the_reports_of_another_case_are_not_written_over(case: Path) -> None:
    shutil.copytree(case, "other")
    for one in ("case", "other"):
        call("review", "--case", one, "--rule", "dismissed", "--on", "navy.ml", "--reason", one, "--reviewer", one)
    call("report", "--case", "other", "--format", "json", "--out", "both")
    written = Path("both/incident.json").read_bytes()
    told = call("report", "--format", "json", "--out", "both", code=2).output
    assert "both/incident.json: is there already, and is not of this case" in told
    assert (
        "seals incident.json, which is not of this case"
        in call("report", "--format", "md", "--out", "both", code=2).output
    )
    assert Path("both/incident.json").read_bytes() == written
    assert sorted(one.name for one in Path("both").iterdir()) == ["incident.json", "incident.seal.json"]
    call("verify", "other")


def test_an_option_that_would_count_for_nothing_is_refused(case: Path) -> None:
    html = case / "reports" / "incident.html"
    for given in (
        ("report", "--withdraw", "incident.html", "--because", "x", "--out", "there"),
        ("report", "--withdraw", "incident.html"),
        ("report", "--withdraw", "incident.html", "--because", " "),
        ("report", "--edition", "redacted", "--logo", html),
        ("report", "--templates", case / "reports"),
        ("sql", "--print-views", "select 1"),
        ("sql", "--print-views", "--json"),
        ("explain", "navy.ml", "--bytes", "--json"),
        ("watch-list", "navy.mil", "--out", "there"),
        ("watch-list", "navy.mil", "--days", "3"),
        ("review", "--remember"),
        ("review", "--no-browser"),
        ("review", "--reviewer", "R. Osei"),
        ("verify", html, "--evidence", case),
        ("verify", html, "--all"),
        ("verify", html, "--ca", html),
        ("verify", html, "--signers", html),
        ("verify", html, "--rerun"),
        ("verify", case, "--case", case),
    ):
        told = call(*given, code=2).output
        assert "--" in told and not Path("there").exists(), given
    call("export", case, "--out", "bag")
    assert "is a bag, of which nothing outside is looked at" in call("verify", "bag", "--evidence", case, code=2).output
    call("verify", "bag/data/case", "--evidence", "bag/data/evidence")


def test_a_case_whose_case_toml_is_lost(case: Path, data: Path) -> None:
    kept = (case / "case.toml").read_bytes()
    (case / "case.toml").unlink()
    log = data / "postfix-albion" / "mail.log-20230601.gz"
    for given in (
        ("detect",),
        ("report",),
        ("review",),
        ("ingest", log),
        ("ingest", log, "--org", ORG),
        ("run", log),
        ("run", log, "--org", ORG),
        ("status",),
        ("sql", "select 1"),
    ):
        told = call(*given, code=2).output
        assert "case.toml: is gone, though" in told and "deliveries" in told and "missent init --case" in told, given
        assert not (case / "case.toml").exists()
    told = call("verify", "case", code=4).output
    assert "FAILED  case.toml: is missing, though the custody log records it" in told
    (case / "case.toml").write_bytes(kept)
    call("verify", "case")
    (case / "case.toml").unlink()
    call("init", "--org", ORG, "--watch", "*.mil")
    assert "FAILED  case.toml: other values of" in call("verify", "case", code=4).output


def test_a_case_toml_that_is_none_any_more_fails_verification(case: Path) -> None:
    (case / "case.toml").write_text("what is this\n")
    assert "FAILED  case.toml: other values of case.toml" in call("verify", "case", code=4).output


def test_a_public_suffix_where_domains_are_meant(data: Path, tmp_path: Path) -> None:
    """Whatever lies below it is never accused: the outcome and the report say so, however it got into case.toml."""
    logs = [data / "postfix-albion" / name for name in ("mail.log-20230609", "mail.log-20230610")]
    case = tmp_path / "case"
    told = call("run", *logs, "--org", ORG, "--case", case, "--format", "json,md", "--known-good", "*.ml").output
    assert "ml is a public suffix: no domain below it is accused" in told and "(known_good in case.toml)" in told
    for edition, folder in (("full", case / "reports"), ("redacted", case / "reports" / "redacted")):
        call("report", "--case", case, "--format", "json,md", "--edition", edition)
        page = (folder / "incident.md").read_text()
        assert "**Lookalikes that case.toml rules out**: below `*.ml` it takes every name for genuine" in page, edition
        assert "**Lookalikes that case.toml rules out**: it takes every name below `*.ml` for genuine." in page
        assert json.loads((folder / "incident.json").read_text())["coverage"]["unaccused"] == ["*.ml"]
    toml = (case / "case.toml").read_text().replace('known_good = ["*.ml"]', "known_good = []")
    toml = toml.replace("watched = []", 'watched = ["*.mil", "com"]').replace(
        "shared_relays = []", 'shared_relays = ["ml"]'
    )
    (case / "case.toml").write_text(toml)
    told = call("detect", "--case", case).output
    assert "com is a public suffix: what is typed below it counts as meant" in told
    assert "ml is a public suffix: acceptance by any server below it does not count as exposure" in told
    assert "mil is" not in told, "what only public bodies may have is watched on purpose"
    covering = json.loads(call("detect", "--case", case, "--json").output)["covering"]
    assert covering == {"organisation": [], "known_good": [], "watched": ["com"], "shared_relays": ["ml"]}
    call("report", "--case", case, "--format", "md")
    assert "servers below `*.ml`" in (case / "reports" / "incident.md").read_text()
