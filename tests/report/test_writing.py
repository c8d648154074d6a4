"""A whole case on disk: every format in both editions, sealed, the same bytes each time and wherever the case lies."""

from __future__ import annotations

import base64
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from forensics import casefile as cases
from forensics import pipeline, results, store
from forensics import report as reporting
from forensics.case import Case
from forensics.custody import manifest, verify
from forensics.errors import UsageError
from forensics.report import redaction
from forensics.report.writing import FORMATS, FULL_ONLY, Written
from tests.report import made

ORG = "albion-defence.uk"
AS_OF = datetime(2024, 1, 5, 12, tzinfo=UTC)
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def prepared(folder: Path, logs: list[Path]) -> Case:
    pipeline.ingest(logs, folder, org=[ORG])
    pipeline.detect(folder)
    return Case(folder)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Case:
    return prepared(tmp_path_factory.mktemp("case") / "one", sorted((data / "postfix-albion-filter").glob("mail.log*")))


def write(case: Case, formats: list[str], **options: Any) -> Written:
    casefile = cases.read(case)
    with store.connect(case, casefile.organisation.domains) as connection:
        return reporting.write(
            case, connection, casefile, manifest.read(case), options.pop("verdicts", []), formats=formats, **options
        )


def contents(written: Written) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in written.files}


@pytest.mark.parametrize("edition", ["full", "redacted"])
def test_every_format_twice_gives_the_same_bytes(case: Case, tmp_path: Path, edition: str) -> None:
    wanted = [name for name in FORMATS if edition == "full" or name not in FULL_ONLY]
    first = write(case, wanted, edition=edition, out=tmp_path / "a", as_of=AS_OF)
    second = write(case, wanted, edition=edition, out=tmp_path / "b", as_of=AS_OF)
    there, again = tmp_path / "a", tmp_path / "b"
    names = {path.relative_to(there) for path in first.files}
    assert names == {path.relative_to(again) for path in second.files}
    assert {name.parts[0] for name in names} == {FORMATS[name].file for name in wanted}
    assert contents(first) == contents(second)


def test_a_choice_of_formats() -> None:
    assert reporting.chosen(" PDF,html, pdf ") == ("pdf", "html")
    assert reporting.chosen(["json"], "redacted") == ("json",)
    for formats, edition in (("html,odt", "full"), ("", "full"), ("html", "secret")):
        with pytest.raises(UsageError):
            reporting.chosen(formats, edition)


def test_where_the_case_and_its_evidence_lie_is_in_no_report(case: Case, tmp_path: Path, data: Path) -> None:
    copied = tmp_path / "elsewhere" / "logs"
    shutil.copytree(data / "postfix-albion-filter", copied)
    moved = prepared(tmp_path / "two", sorted(copied.glob("mail.log*"), reverse=True))
    formats = ["html", "json", "md", "csv"]
    here, there = write(case, formats, out=tmp_path / "a"), write(moved, formats, out=tmp_path / "b")
    assert contents(here) == contents(there)
    for name, content in contents(there).items():
        assert str(tmp_path).encode() not in content, name
        assert b"elsewhere" not in content, name


def test_reports_are_sealed_and_verified_and_a_changed_one_is_seen(case: Case) -> None:
    pipeline.report(case.folder, formats="html,json")
    assert (case.reports / "incident.seal.json").is_file()
    assert verify.verify(case).ok
    page = case.reports / "incident.html"
    before = page.read_bytes()
    page.write_bytes(before.replace(b"accepted", b"refused "))
    assert not verify.verify(case).ok
    page.write_bytes(before)


def test_a_redacted_edition_never_overwrites_the_full_one(case: Case) -> None:
    full = write(case, ["html"])
    redacted = write(case, ["html"], edition="redacted")
    assert full.files == (case.reports / "incident.html",)
    assert redacted.files == (case.reports / "redacted" / "incident.html",)
    text = redacted.files[0].read_text("utf-8")
    for name in (ORG, "albion", "navy.ml", "gw2", "mail.log-2023"):
        assert name not in text.lower()
    assert (case.folder / redaction.KEY_FILE).read_text().strip() not in text


def test_the_verdict_of_the_report_is_that_of_the_tables(case: Case, tmp_path: Path) -> None:
    written = write(case, ["html"], out=tmp_path)
    found = results.detected(case)
    assert found.findings == 32  # 16 typed and 16 through the list
    text = written.files[0].read_text("utf-8")
    assert f"<strong>{found.messages} messages</strong>" in text


def test_what_is_missing_is_told(case: Case, tmp_path: Path) -> None:
    written = write(case, ["json"], out=tmp_path)
    assert written.answered == 0
    assert len(written.missing) == written.required
    assert "discovery.aware_at" in written.missing
    assert any("72-hour" in note for note in written.notes)


@pytest.mark.parametrize(("formats", "edition"), [(["html", "odt"], "full"), ([], "full"), (["html"], "public")])
def test_a_wrong_wish_is_refused(case: Case, formats: list[str], edition: str) -> None:
    with pytest.raises(UsageError):
        write(case, formats, edition=edition)


def test_own_words_and_logo(case: Case, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "words.toml").write_text('[doc]\nkicker_suspected = "Bericht <über> Fehlsendungen"\n', "utf-8")
    (own / "logo.png").write_bytes(PIXEL)
    written = write(case, ["html"], out=tmp_path / "a", templates=own, logo=own / "logo.png")
    text = written.files[0].read_text("utf-8")
    assert "Bericht &lt;über&gt; Fehlsendungen" in text
    assert "data:image/png;base64," in text
    redacted = write(case, ["html"], out=tmp_path / "b", edition="redacted", logo=own / "logo.png")
    assert "data:image" not in redacted.files[0].read_text("utf-8")
    with pytest.raises(UsageError):
        write(case, ["html"], out=tmp_path / "c", logo=own / "words.toml")
    with pytest.raises(UsageError):
        write(case, ["html"], out=tmp_path / "c", language="xx-XX")


def test_ten_thousand_findings_make_a_page_that_can_be_used() -> None:
    facts = made.facts(10_000)
    html = reporting_html(facts)
    assert len(html) < 5_000_000
    assert html.count(b"<tr><td class=r data-k=") == 10_000


def reporting_html(facts: Any) -> bytes:
    from forensics.report.formats import html

    return html.render(facts, made.context(facts))
