"""The commands, as their users run them: text, JSON, exit codes, and mistakes answered in words."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forensics.cli import main
from tests.conftest import ROOT

ORG = "albion-defence.uk"


def call(*arguments: object, code: int | None = 0) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    if code is not None:
        assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Iterator[Path]:
    """One investigation of two days of the first gateway, shared by the tests that only look."""
    folder = tmp_path_factory.mktemp("cli") / "case"
    logs = [data / "postfix-albion" / name for name in ("mail.log-20230609", "mail.log-20230610")]
    call("run", *logs, "--org", ORG, "--case", folder, "--format", "html,json")
    yield folder


def test_run_prints_verdict_numbers_and_report(case: Path) -> None:
    manifest = json.loads((case / "manifest.json").read_text())
    for name in ("deliveries", "findings.parquet", "incidents.parquet", "correspondents.parquet", "custody.jsonl"):
        assert (case / name).exists(), name
    assert (case / "reports" / "incident.html").exists()
    assert (case / "reports" / "incident.json").exists()
    for entry in manifest["evidence"]:
        assert entry["records"] == entry["used"] + sum(entry["ignored"].values()) + entry["unread"]


def test_ingest_again_recognises_the_evidence(case: Path, data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "case"
    shutil.copytree(case, copy)
    before = {p: p.read_bytes() for p in (copy / "deliveries").rglob("*.parquet")}
    result = call("ingest", data / "postfix-albion" / "mail.log-20230609", "--case", copy)
    assert "already in the case" in result.output
    assert {p: p.read_bytes() for p in (copy / "deliveries").rglob("*.parquet")} == before
    assert (copy / "findings.parquet").exists()


def test_ingest_in_two_steps_equals_one(data: Path, tmp_path: Path) -> None:
    first, second = (data / "postfix-albion" / f"mail.log-2023060{n}" for n in ("1.gz", "2.gz"))
    call("ingest", first, "--org", ORG, "--case", tmp_path / "steps")
    call("ingest", second, "--case", tmp_path / "steps")
    call("ingest", second, first, "--org", ORG, "--case", tmp_path / "once")
    names = sorted(p.relative_to(tmp_path / "once") for p in (tmp_path / "once" / "deliveries").rglob("*.parquet"))
    assert names
    for name in names:
        assert (tmp_path / "steps" / name).read_bytes() == (tmp_path / "once" / name).read_bytes()


def test_every_command_speaks_json(case: Path) -> None:
    for arguments in (
        ("detect", "--case", case),
        ("report", "--case", case, "--format", "json", "--out", case.parent / "out"),
        ("verify", case),
        ("sql", "--case", case, "select count(*) as n from deliveries"),
        ("formats",),
    ):
        parsed: Any = json.loads(call(*arguments, "--json").output)
        assert parsed, arguments


def test_explain_quotes_the_evidence(case: Path) -> None:
    answer = call(
        "sql",
        "--case",
        case,
        "select delivery_id, recipient from deliveries join findings using (delivery_id) limit 1",
        "--json",
    )
    row = json.loads(answer.output)[0]
    told = call("explain", "--case", case, row["delivery_id"]).output
    assert "either" in told and "prior" in told and f"to=<{row['recipient']}>" in told
    assert call("explain", "--case", case, "nonesuch.example", code=2)


def test_watch_list_is_csv_for_block_rules() -> None:
    lines = call("watch-list", "navy.mil", "--limit", "50").output.splitlines()
    assert lines[0].startswith("lookalike,domain")
    assert any(line.startswith("navy.ml,navy.mil") for line in lines)
    assert "usage" in call("watch-list", code=2).output.lower()
    call("watch-list", "not a domain", code=2)


def test_fail_on_findings(case: Path) -> None:
    call("detect", "--case", case, "--fail-on-findings", code=1)
    call("detect", "--case", case, code=0)


def test_sql_shows_direction_and_refuses_nonsense(case: Path) -> None:
    answer = call("sql", "--case", case, "select direction, count(*) n from deliveries group by all order by 1")
    assert "outbound" in answer.output and "inbound" in answer.output
    wrong = call("sql", "--case", case, "selec 1", code=2)
    assert "to do" in wrong.output


@pytest.mark.parametrize(
    "query", ["copy (select 1) to 'evil.csv'", "create table x as select 1", "select 1; select 2", ""]
)
def test_sql_takes_nothing_but_a_query(case: Path, query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    call("sql", "--case", case, query, code=2)
    assert not list(tmp_path.iterdir())


def test_sql_csv_cells_do_not_run(case: Path) -> None:
    answer = call("sql", "--case", case, "select '=1+1' as a, '-2' as b, -2 as c", "--format", "csv")
    assert answer.output.splitlines()[1] == "'=1+1,'-2,-2"


def test_verify_fails_when_a_table_was_altered(case: Path, tmp_path: Path) -> None:
    copy = tmp_path / "case"
    shutil.copytree(case, copy)
    table = next((copy / "deliveries").rglob("*.parquet"))
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    table.write_bytes(bytes(data))
    assert "FAILED" in call("verify", copy, code=4).output


def test_a_folder_of_ugly_inputs(data: Path, tmp_path: Path) -> None:
    """Each bad input is named with its reason, the good one is read, and the exit code is 0."""
    folder = tmp_path / "ugly"
    folder.mkdir()
    good = data / "postfix-albion" / "mail.log-20230609"
    shutil.copy(good, folder / "mail.log-20230609")
    (folder / "binary.bin").write_bytes(bytes(range(256)) * 64)
    (folder / "empty.log").write_bytes(b"")
    whole = gzip.compress((data / "postfix-albion" / "mail.log-20230610").read_bytes(), mtime=0)
    (folder / "mail.log-20230610.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "dhcp.log").write_text(
        "Jun  9 07:50:00 gw1 dhcpd[11]: DHCPACK on 10.0.0.9 to 00:11:22:33:44:55 via eth0\n" * 20
    )
    secret = folder / "secret.log-20230609"
    secret.write_text("Jun  9 07:50:00 gw1 postfix/smtpd[1]: connect from a[192.0.2.1]\n")
    secret.chmod(0)
    result = call("ingest", folder, "--org", ORG, "--case", tmp_path / "case")
    for name in ("binary.bin", "empty.log", "mail.log-20230610.gz", "dhcp.log"):
        assert name in result.output, result.output
    if os.geteuid() != 0:
        assert "secret.log" in result.output
    manifest = json.loads((tmp_path / "case" / "manifest.json").read_text())
    for entry in manifest["evidence"]:
        assert entry["records"] == entry["used"] + sum(entry["ignored"].values()) + entry["unread"]
    damaged = [e for e in manifest["evidence"] if e["damage"]]
    assert len(damaged) == 1 and damaged[0]["records"] > 0


def test_unreadable_file_is_named(data: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("NOT RUN as root: root may read everything")
    secret = tmp_path / "secret.log"
    shutil.copy(data / "postfix-albion" / "mail.log-20230609", secret)
    secret.chmod(0)
    assert "secret.log" in call("ingest", secret, "--case", tmp_path / "case", "--org", ORG, code=3).output


def test_nothing_readable_is_exit_code_3(tmp_path: Path) -> None:
    bad = tmp_path / "x.bin"
    bad.write_bytes(b"\x00\x01\x02" * 100)
    result = call("run", bad, "--org", ORG, "--case", tmp_path / "case", code=3)
    assert "x.bin" in result.output
    assert call("ingest", tmp_path / "none.log", "--case", tmp_path / "case", code=3)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "LOG"), "--org"),
        (("run", "LOG", "--org", ORG, "--format", "html,exe"), "exe"),
        (("detect", "--case", "NOWHERE"), "not a case"),
        (("report", "--case", "NOWHERE"), "not a case"),
        (("verify", "NOWHERE"), "no such file or folder"),
        (("sql", "--case", "NOWHERE", "select 1"), "not a case"),
        (("detect", "--case", "NOWHERE", "--since", "yesterday"), "no time"),
        (("ingest", "LOG", "--timezone", "Mars/Olympus"), "Mars/Olympus"),
        (("ingest", "LOG", "--workers", "0"), "workers"),
        (("ingest", "LOG", "--memory", "lots"), "no size"),
        (("ingest", "LOG", "--memory", "512M"), "1 GiB or more"),
        (("ingest", "LOG", "--org", ""), "--org '': no domain"),
        (("run", "LOG", "--org", ORG, "--org", " "), "--org ' ': no domain"),
        (("ingest", "LOG", "--org", "203.0.113.5"), "--org 203.0.113.5: no domain"),
        (("ingest", "LOG", "--org", "[203.0.113.5]"), "no domain"),
        (("ingest", "LOG", "--org", "2001:db8::1"), "no domain"),
        (("ingest", "LOG", "--org", "a." * 200 + "example"), "no domain"),
        (("ingest", "LOG", "--watch", "*"), "--watch '*': no domain"),
        (("ingest", "LOG", "--watch", "*mil"), "no domain"),
        (("ingest", "LOG", "--watch", ""), "no domain"),
        (("ingest", "LOG", "--known-good", ""), "no domain"),
        (("ingest", "LOG", "--timezone", ""), "no such zone"),
        (("ingest", "LOG", "--timezone", "localtime"), "no such zone"),
        (("ingest", "LOG", "--timezone", "right/Europe/London"), "no such zone"),
        (("ingest", ""), "it is empty: is a variable of the shell unset?"),
        (("watch-list", "203.0.113.5"), "not a domain"),
    ],
)
def test_mistakes_are_answered_in_words(arguments: tuple[str, ...], says: str, data: Path, tmp_path: Path) -> None:
    log = data / "postfix-albion" / "mail.log-20230609"
    given = [str(log) if a == "LOG" else str(tmp_path / "nowhere") if a == "NOWHERE" else a for a in arguments]
    if "--case" not in given and given[0] in ("run", "ingest"):
        given += ["--case", str(tmp_path / "case")]
    result = call(*given, code=2)
    assert says in result.output


WORDS = {
    "--org": ("ingest", "LOG", "--case", "CASE"),
    "--watch": ("detect", "--case", "CASE"),
    "--examiner": ("custody", "add", "--from", "a", "--to", "b", "--at", "2024-03-02", "--what", "c"),
    "--what": ("custody", "add", "--from", "a", "--to", "b", "--at", "2024-03-02"),
    "--reason": ("review", "--case", "CASE", "--rule", "confirmed", "--on", "navy.ml"),
    "--because": ("report", "--case", "CASE", "--withdraw", "incident.html"),
}


@pytest.mark.parametrize("option", WORDS)
def test_words_that_are_no_text_are_refused(option: str, data: Path, tmp_path: Path) -> None:
    """As a terminal of another encoding hands them over: no case can keep them, and no report print them."""
    places = {"LOG": str(data / "postfix-albion" / "mail.log-20230609"), "CASE": str(tmp_path / "case")}
    given = [places.get(one, one) for one in WORDS[option]]
    told = call(*given, option, "M\udcfcller", code=2).output
    assert "bytes that are no UTF-8" in told and r"M\xfcller" in told
    assert not (tmp_path / "case").exists()


def test_a_suffix_as_the_organisation_is_told(data: Path, tmp_path: Path) -> None:
    log = data / "postfix-albion" / "mail.log-20230609"
    told = call("run", log, "--org", "uk", "--case", tmp_path / "case", "--format", "json", code=None).output
    assert "uk is a public suffix: mail to anybody's domain below it counts as internal" in told


def test_messages_are_counted_alike_everywhere(data: Path, tmp_path: Path) -> None:
    """Two systems logged the same messages, and no hand-over between them: verdict, list of pairs and report count the
    same things, and the report says which may be one."""
    logs = [data / "postfix-albion" / "mail.log-20230601.gz"]
    logs += [data / "exchange-albion" / f"MSGTRK20230601-1_EX0{n}.LOG.gz" for n in (1, 2)]
    told = json.loads(call("run", *logs, "--org", ORG, "--case", tmp_path, "--format", "json", "--json").output)[
        "detected"
    ]
    facts = json.loads((tmp_path / "reports" / "incident.json").read_text())
    assert told["messages"] == sum(one["messages"] for one in told["incidents"])
    assert told["messages"] == facts["groups"]["headline"]["messages"]["value"] > 4
    assert facts["coverage"]["possible_duplicates"]["value"]


def test_year_is_asked_for_when_nothing_tells(tmp_path: Path) -> None:
    log = tmp_path / "maillog"
    log.write_text(
        "Jun  9 07:50:00 gw1 postfix/qmgr[1]: 4jYb3c4BDWzL5Qb: from=<a@x.example>, size=1, nrcpt=1 (queue active)\n"
    )
    result = call("ingest", log, "--org", "x.example", "--case", tmp_path / "case", code=2)
    assert "--year" in result.output
    call("ingest", log, "--org", "x.example", "--case", tmp_path / "case", "--year", "2023")
    manifest = json.loads((tmp_path / "case" / "manifest.json").read_text())
    assert manifest["evidence"][0]["first"].startswith("2023-06-09T07:50:00")


def test_two_years_for_files_over_new_year(tmp_path: Path) -> None:
    for name, stamp in (("mail.log.1", "Dec 31 23:00:00"), ("mail.log", "Jan  1 01:00:00")):
        (tmp_path / name).write_text(
            f"{stamp} mx1 postfix/smtpd[1]: 4B1C2D3E4F: client=a[10.0.0.1]\n"
            f"{stamp} mx1 postfix/smtp[1]: 4B1C2D3E4F: to=<a@x.example>, relay=none, delay=1, delays=0/0/0/1, dsn=4.0.0, "
            "status=deferred (later)\n"
        )
    files = (tmp_path / "mail.log", tmp_path / "mail.log.1")
    case = tmp_path / "case"
    result = call("ingest", *files, "--case", case, "--year", "2023", code=2)
    assert "2022/2023 or 2023/2024" in result.output
    for wrong in ("2022/2024", "1979", "x", "2023/", "/2023", "2023/2024/2025"):
        assert "neither a year" in call("ingest", *files, "--case", case, "--year", wrong, code=2).output
    for _ in range(2):
        call("ingest", *files, "--case", case, "--year", "2022/2023")
        rows = call(
            "sql", "--case", case, "--format", "csv", "select min(submitted_at), max(submitted_at) from deliveries"
        )
        assert "2022-12-31T23:00:00Z,2023-01-01T01:00:00Z" in rows.output


def test_a_year_given_for_one_file_is_not_given_for_the_next(tmp_path: Path) -> None:
    line = "Jun  9 07:50:00 gw1 postfix/qmgr[1]: {}: from=<a@x.example>, size=1, nrcpt=1 (queue active)\n"
    (tmp_path / "old").write_text(line.format("4jYb3c4BDWzL5Qb"))
    (tmp_path / "mail.log-20230610").write_text(line.format("4jYb3c4BDWzL5Qc"))
    case = tmp_path / "case"
    call("ingest", tmp_path / "old", "--org", "x.example", "--case", case, "--year", "2021")
    call("ingest", tmp_path / "mail.log-20230610", "--case", case)
    firsts = [entry["first"][:4] for entry in json.loads((case / "manifest.json").read_text())["evidence"]]
    assert firsts == ["2021", "2023"]
    call("ingest", tmp_path / "old", "--case", case, "--year", "2020")
    firsts = [entry["first"][:4] for entry in json.loads((case / "manifest.json").read_text())["evidence"]]
    assert firsts == ["2020", "2023"]


def test_a_wrong_organisation_is_no_all_clear(data: Path, tmp_path: Path) -> None:
    log = data / "postfix-albion" / "mail.log-20230609"
    options = ("--org", "albion-sim.example", "--case", tmp_path / "case", "--format", "json")
    told = call("run", log, *options, code=5).output
    assert "nothing was weighed" in told and "albion-defence.uk" in told


def test_names_that_are_no_domains_and_zones_that_nobody_knows(data: Path, tmp_path: Path) -> None:
    assert "foo bar" in call("init", "--org", "foo bar", "--case", tmp_path / "case", code=2).output
    log = data / "postfix-albion-filter" / "mail.log-20240101"
    assert "Mars/X" in call("ingest", log, "--timezone", "Mars/X", "--case", tmp_path / "case", code=2).output
    made = tmp_path / "made"
    call("init", "--case", made)
    for option in ("--org", "--watch", "--known-good"):
        for case in (tmp_path / "new", made):
            told = call("ingest", log, option, "foo bar", "--case", case, code=2).output
            assert f"{option} foo bar: no domain" in told
    assert not (tmp_path / "new").exists() and not (made / "manifest.json").exists()


def test_scores_never_say_certainty(case: Path) -> None:
    told = call("detect", "--case", case).output
    assert "score" in told and "score 1.00" not in told


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [(["formats"], 0, ""), (["no-such"], 2, "No such command"), (["verify", "."], 2, "to do")],
)
def test_the_process_ends_as_it_should(arguments: list[str], code: int, says: str) -> None:
    command = [sys.executable, "-m", "forensics.cli", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT / "docs", env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == code, done.stderr
    assert says in done.stderr if says else not done.stderr
    assert bool(done.stdout) is (code == 0)
