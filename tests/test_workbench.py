"""What stands around the main job."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from forensics import casefile as case_files
from forensics import workbench
from forensics.case import Case
from forensics.cli import main
from forensics.custody import packings
from forensics.errors import CaseError, UsageError
from forensics.loaders import LOADERS, refused
from forensics.pipeline import detect, ingest
from forensics.report.facts import questionnaire
from tests.ingesting import line, message, read, to


def test_init_writes_a_case_that_reads_back_with_nothing_answered(tmp_path: Path) -> None:
    path = workbench.init(tmp_path / "case", org=["Example.ORG"], watch=["*.mil"])
    held = case_files.read(Case(tmp_path / "case"))
    assert path == tmp_path / "case" / "case.toml"
    assert held.organisation.domains == ("example.org",)
    assert held.domains.watched == ("*.mil",)
    assert len(questionnaire.missing(held)) > 20
    with pytest.raises(CaseError):
        workbench.init(tmp_path / "case")


def test_ask_can_be_left_at_once_and_saves_answers(tmp_path: Path) -> None:
    workbench.init(tmp_path / "case", org=["example.org"])
    before = len(questionnaire.missing(case_files.read(Case(tmp_path / "case"))))
    result = CliRunner().invoke(main, ["ask", "--case", str(tmp_path / "case")], input="MIS-2023-001\n.\n")
    assert result.exit_code == 0, result.output
    assert len(questionnaire.missing(case_files.read(Case(tmp_path / "case")))) == before - 1


def test_formats_names_every_loader() -> None:
    rows = workbench.formats().read
    order = [*LOADERS, "wraps"]
    assert [row["loader"] for row in rows] == sorted((row["loader"] for row in rows), key=order.index)
    assert {row["loader"] for row in rows} == set(order)
    assert all(row["name"] and row["what"] for row in rows)


def test_formats_names_what_is_refused_and_what_to_ask_for() -> None:
    rows = workbench.formats().refused
    names = [row["name"] for row in rows]
    assert len(set(names)) == len(names)
    assert {one.name for one in refused.FORMATS} <= set(names)
    assert {name for name, _ in packings.refused()} <= set(names)
    shown = CliRunner().invoke(main, ["formats"]).output
    assert all(name in shown for name in names)
    told = json.loads(CliRunner().invoke(main, ["formats", "--json"]).output)
    assert told["refused"] == [dict(row) for row in rows]
    assert {row["loader"] for row in told["read"]} == {*LOADERS, "wraps"}


def test_the_bytes_of_a_name_are_shown_exactly(tmp_path: Path) -> None:
    """Also of the second of two deliveries that agree in all that names them; and of no row that somebody changed."""
    refusal = (
        "postfix/smtpd[7]: NOQUEUE: reject: RCPT from pc1.example[192.0.2.7]: 554 5.7.1 <bob@navy.ml>: Relay access "
        "denied; from=<ann@example.org> to=<bob@navy.ml> proto=ESMTP helo=<pc1>"
    )
    _, rows = read(tmp_path, {"mail.log": line(refusal) * 2})
    case_files.create(Case(tmp_path / "case"), ["example.org"])
    assert len({row["delivery_id"] for row in rows}) == len(rows) == 2
    for row in rows:
        shown = CliRunner().invoke(main, ["explain", row["delivery_id"], "--bytes", "--case", str(tmp_path / "case")])
        assert shown.exit_code == 0
        assert hashlib.sha256(shown.stdout_bytes).hexdigest()[:32] == row["delivery_id"]
        assert row["recipient"].encode() in shown.stdout_bytes
        assert workbench.identity(tmp_path / "case", row["delivery_id"][:8].upper()) == shown.stdout_bytes
    with pytest.raises(UsageError, match="no delivery"):
        workbench.identity(tmp_path / "case", "0" * 32)
    with pytest.raises(UsageError, match="no delivery"):
        workbench.identity(tmp_path / "case", rows[0]["delivery_id"][:7])
    (path,) = (tmp_path / "case" / "deliveries").rglob("*.parquet")
    table = pq.read_table(path)
    changed = pa.array(["eve@navy.ml"] * len(table), pa.string())
    pq.write_table(table.set_column(table.column_names.index("recipient"), table.field("recipient"), changed), path)
    with pytest.raises(CaseError, match="does not follow"):
        workbench.identity(tmp_path / "case", rows[0]["delivery_id"])


def test_doctor_says_what_is_there_and_makes_it_ready() -> None:
    result = workbench.doctor(compile_now=True)
    assert result.compiled and not result.fault and Path(result.folder).is_dir()
    shown = CliRunner().invoke(main, ["doctor", "--json"])
    assert json.loads(shown.stdout)["versions"]["numba"] == result.versions["numba"]


def test_records_of_utf_16_are_quoted_as_they_read(tmp_path: Path) -> None:
    """As Exchange Online and PowerShell write them: read as UTF-8, every second character was NUL."""
    texts = [
        message(f"4jYb3c4BDWzL{n}Qb", to(f"j@navy.{end}"), at=f"2024-03-01T10:0{n}:00.000000+00:00")
        for n, end in enumerate(("mil", "mil", "ml"))
    ]
    (tmp_path / "mail.log").write_bytes("".join(texts).encode("utf-16"))
    ingest([tmp_path / "mail.log"], tmp_path / "case", org=["albion.example"])
    detect(tmp_path / "case")
    quotes = [text for _, _, text in workbench.explain(tmp_path / "case", "navy.ml").quotes]
    assert any("to=<j@navy.ml>" in text for text in quotes)
    assert not any("\0" in text for text in quotes)
