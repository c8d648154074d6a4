"""Programs that people name as handing on others' records: their records are read, and nobody else's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import pipeline, store, workbench
from forensics.case import Case
from forensics.casefile import SourceSettings
from forensics.errors import CaseError
from forensics.loaders.settings import Settings
from forensics.unread import remedy
from forensics.wraps import carried
from tests.ingesting import message, read, to

LINES = message("4B1C2D3E4F", to("bob@navy.example")).splitlines()
ENTRY = '[[sources]]\nfile = "mail.log"\ncarriers = ["smtp-prod"]\n'


def bsd(line: str) -> str:
    return f"Mar  1 {line[11:19]}{line[32:]}"


FORMS = {
    "docker, whole": lambda tag, line: f"{line[:32]} box {tag}[812]: {line}",
    "docker, bare": lambda tag, line: f"{line[:32]} box {tag}[812]: {line.split(' ', 2)[2]}",
    "docker, other stamps": lambda tag, line: f"{line[:32]} box {tag}[812]: {bsd(line)}",
    "RFC 5424": lambda tag, line: f"<30>1 {line[:32]} box {tag} 812 - - {line}",
    "logger": lambda tag, line: f"{line[:32]} box {tag}: {line}",
    "journald": lambda tag, line: json.dumps(
        {
            "__REALTIME_TIMESTAMP": "1709287200000000", "_HOSTNAME": "box", "SYSLOG_IDENTIFIER": tag,
            "MESSAGE": line.split(" ", 2)[2],
        }
    ),
}  # fmt: skip


def settings(*carriers: str) -> Settings:
    return Settings(sources=(SourceSettings(file="mail.log", carriers=carriers),))


@pytest.mark.parametrize("form", FORMS)
def test_what_people_say_is_handed_on_is_read_and_nothing_else(tmp_path: Path, form: str) -> None:
    text = "".join(FORMS[form]("smtp-prod", line) + "\n" for line in LINES)
    forged = FORMS[form]("webapp", LINES[3].replace("bob@", "forged@")) + "\n"
    result, rows = read(tmp_path / "silent", {"mail.log": text + forged})
    assert rows == [] and result.unread == len(LINES) + 1
    result, (row,) = read(tmp_path / "told", {"mail.log": text + forged}, settings("smtp-prod"))
    assert (row["recipient"], row["outcome"], row["message_id"]) == (
        "bob@navy.example", "delivered", "4B1C2D3E4F@albion.example",
    )  # fmt: skip
    assert result.unread == 1
    (evidence,) = result.evidence
    assert "what smtp-prod hands on counts as others' own records, as case.toml says" in str(evidence.notes["noted"])
    assert [one["length"] for one in row["records"]] == [len(line) for line in text.splitlines()]
    _, plain = read(tmp_path / "docker", {"mail.log": text.replace("smtp-prod", "docker")})
    assert [{**one, "records": None} for one in plain] == [{**row, "records": None}]


def test_a_program_named_further_inside_is_none(tmp_path: Path) -> None:
    """An outsider may write the name of the container into what another program logs."""
    inner = FORMS["docker, whole"]("smtp-prod", LINES[3])
    for text in (
        f"{LINES[0][:32]} box webapp[7]: {inner}",
        f"{LINES[0][:32]} box webapp[7]: smtp-prod[812]: {LINES[3]}",
    ):
        result, rows = read(tmp_path, {"mail.log": text + "\n" + LINES[0] + "\n"}, settings("smtp-prod"))
        assert rows == [] and result.unread == 1


def test_it_is_said_in_case_toml_and_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    log.write_text("".join(FORMS["docker, whole"]("smtp-prod", line) + "\n" for line in LINES))
    case = Case(tmp_path / "case")
    done = pipeline.ingest([log], case.folder, org=["albion.example"])
    assert done.deliveries == 0 and done.not_read.reasons
    for reason in done.not_read.reasons:
        assert "carriers" in remedy(reason.reason) and "[[sources]]" in reason.remedy
    case.toml.write_text(case.toml.read_text() + ENTRY)
    assert pipeline.ingest([log], case.folder).deliveries == 1
    assert workbench.verify(case.folder, all_records=True).ok
    assert workbench.verify(case.folder, rerun=True).ok
    case.toml.write_text(case.toml.read_text().replace("carriers", "# carriers"))
    assert pipeline.ingest([log], case.folder).deliveries == 0
    assert store.read(case, "unread").num_rows == len(LINES)


@pytest.mark.parametrize("name", ["", "*", "a b", "postfix/smtpd", "postfix", "Exim", "x/postfix/smtp", "a:b", "[1]"])
def test_what_is_no_program_or_a_mail_servers_own_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "case.toml").write_text(f'[[sources]]\nfile = "*"\ncarriers = ["{name}"]\n')
    with pytest.raises(CaseError, match="carriers"):
        pipeline.ingest([tmp_path / "case.toml"], tmp_path, org=["albion.example"])


@given(st.binary(max_size=200), st.sampled_from(["smtp-prod", "root", "a.b+c"]))
def test_any_line_stays_as_it_is_but_for_that_name(line: bytes, name: str) -> None:
    assert carried.named(line, (name,)) == line
    head = b"Mar  1 10:00:00 box "
    for end in (b": ", b"[7]: "):
        assert carried.named(head + name.encode() + end + line, (name,)) == head + carried.AS + end + line


def test_a_carrier_that_people_name_is_read_as_one_that_is_known(tmp_path: Path) -> None:
    """The name that takes its place is one of those that the scanners know."""
    made: Any = read(tmp_path, {"mail.log": f"{LINES[3][:32]} box {carried.AS.decode()}[8]: {LINES[3]}\n"})
    assert made[0].unread == 0
