"""What was not read, or not weighed, is said by exit code, verdict, title, first paragraph and JSON; the case stays whole.

One small log of each kind: deliveries of example.org to navy.mil (and one to navy.ml), lines whose time cannot be read,
mail that only came in.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from forensics import casefile, errors, pipeline, workbench
from forensics.case import Case
from forensics.cli import main
from forensics.errors import EvidenceChanged, OrganisationDiffers, UsageError
from forensics.ingest import read as reading
from tests.conftest import ROOT
from tests.ingesting import message, to

UNREADABLE = "2024-13-01T99:00:00 mx1 postfix/smtp[3]: 4jYb3c4BDWzL5Q{}: to=<secret{}@navy.ml>, relay=mx[203.0.113.5]:25, dsn=2.0.0, status=sent (250 ok)\n"  # fmt: skip
EXIM = ROOT / "tests" / "data" / "contract" / "exim.log"


def sent(*recipients: str, sender: str = "ann@example.org") -> str:
    return "".join(
        message(f"4jYb3c4BDWzL5Q{letter}", to(who), sender=sender, at=f"2024-03-01T1{n}:00:00.000000+00:00")
        for n, (letter, who) in enumerate(zip("bcdfghj", recipients, strict=False))
    )


CLEAN = sent(*(f"clerk{n}@navy.mil" for n in range(5)))
FOUND = sent(*(f"clerk{n}@navy.mil" for n in range(5)), "clerk0@navy.ml")
NOT_READ = "".join(UNREADABLE.format(n, n) for n in range(1, 6))
INBOUND = sent("ann@example.org", "bob@example.org", sender="x@navy.mil")


def call(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def log(folder: Path, text: str, name: str = "mail.log") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def run(tmp_path: Path, *logs: Path, code: int, more: Sequence[str] = ("--org", "example.org")) -> Result:
    options = ("--watch", "*.mil", "--case", tmp_path / "case", "--format", "html,json")
    return call("run", *logs, *options, *more, code=code)


def title(tmp_path: Path) -> str:
    page = (tmp_path / "case" / "reports" / "incident.html").read_text()
    found = re.search(r"<h1>(.*?)</h1>", page)
    assert found
    return found[1]


def lead(tmp_path: Path) -> str:
    page = (tmp_path / "case" / "reports" / "incident.html").read_text()
    found = re.search(r'<p class="lead">(.*?)</p>', page, re.S)
    assert found
    return re.sub("<[^>]+>", "", found[1])


def verdict(result: Result) -> str:
    (line,) = (line for line in result.output.splitlines() if line.startswith("VERDICT"))
    return line


def test_all_is_well(tmp_path: Path) -> None:
    told = run(tmp_path, log(tmp_path, CLEAN), code=errors.OK)
    assert "Domains    example.org" in told.output and "could not be read" not in told.output
    assert title(tmp_path) == "No misdirected mail found"


def test_nothing_was_read(tmp_path: Path) -> None:
    told = run(tmp_path, log(tmp_path, NOT_READ), code=errors.NOTHING_READ)
    assert "nothing was weighed" in verdict(told) and "All 5 records" in verdict(told)
    assert "5 of 5 records that may bear on deliveries (100 %)" in told.output
    assert "record 1 at byte 0: 2024-13-01T99" in told.output and "to do: " in told.output
    assert "could not be read" in title(tmp_path) and "No misdirected mail" not in title(tmp_path)
    assert "does not say that no mail was misdirected" in lead(tmp_path)
    assert casefile.read(Case(tmp_path / "case")).organisation.domains == ()
    call("detect", "--case", tmp_path / "case", code=errors.NOTHING_READ)
    call("report", "--case", tmp_path / "case", "--format", "json")
    assert "VERIFIED" in call("verify", tmp_path / "case").output


def test_a_lesser_part_was_not_read(tmp_path: Path) -> None:
    told = run(tmp_path, log(tmp_path, CLEAN + NOT_READ), code=errors.OK)
    assert "5 of 30 records that may bear on deliveries (17 %) could not be read" in verdict(told)
    assert title(tmp_path) == "No misdirected mail found in that part of the logs that could be read"
    assert "5 of 30 records" in lead(tmp_path)


def test_findings_beside_what_was_not_read(tmp_path: Path) -> None:
    told = run(tmp_path, log(tmp_path, FOUND + NOT_READ), code=errors.OK)
    assert "1 delivery in 1 message" in verdict(told) and "5 of 35 records" in verdict(told)
    assert "5 of 35 records" in lead(tmp_path)
    run(tmp_path, code=errors.FINDINGS, more=("--fail-on-findings", str(log(tmp_path, FOUND + NOT_READ))))


def test_a_whole_system_was_not_read(tmp_path: Path) -> None:
    one, two = log(tmp_path, NOT_READ, "one.log"), log(tmp_path, NOT_READ.replace("mx1", "mx2"), "two.log")
    told = run(tmp_path, EXIM, one, code=errors.OK, more=("--org", "albion.example"))
    assert "Nothing was read of" in verdict(told) and "one.log" in verdict(told)
    assert "E" in lead(tmp_path) and "Nothing was read of evidence file" in lead(tmp_path)
    shutil.rmtree(tmp_path / "case")
    told = run(tmp_path, EXIM, one, two, code=errors.NOTHING_READ, more=("--org", "albion.example"))
    assert (tmp_path / "case" / "reports" / "incident.html").exists()
    call("ingest", one, "--case", tmp_path / "case", code=errors.NOTHING_READ)


def test_nothing_was_recognised(tmp_path: Path) -> None:
    told = run(tmp_path, log(tmp_path, "no log of mail\n" * 9), code=errors.NOTHING_READ)
    assert "mail.log" in told.output and not (tmp_path / "case").exists()


def test_what_is_named_beside_known_evidence_must_be_read_too(tmp_path: Path) -> None:
    run(tmp_path, log(tmp_path, FOUND), code=errors.OK)
    before = {path: path.read_bytes() for path in (tmp_path / "case").rglob("*") if path.is_file()}
    call("ingest", log(tmp_path, "nothing\n" * 9, "x.txt"), "--case", tmp_path / "case", code=errors.NOTHING_READ)
    assert {path: path.read_bytes() for path in (tmp_path / "case").rglob("*") if path.is_file()} == before


def test_files_that_are_no_evidence_are_counted(tmp_path: Path) -> None:
    told = run(tmp_path, log(tmp_path / "logs", CLEAN).parent, log(tmp_path / "logs", "x", "notes.txt"), code=0)
    assert "1 of the files given was not read" in verdict(told)
    facts = json.loads((tmp_path / "case" / "reports" / "incident.json").read_text())
    assert [one["name"] for one in facts["coverage"]["skipped"]] == ["notes.txt"]


def test_no_delivery_left(tmp_path: Path) -> None:
    told = run(tmp_path, log(tmp_path, INBOUND), code=errors.NOTHING_WEIGHED)
    assert "no delivery left example.org for another domain (2 came in, 0 stayed within)" in verdict(told)
    assert title(tmp_path) == "Nothing could be searched for misdirected mail"
    assert "2 came in" in lead(tmp_path)
    call("detect", "--case", tmp_path / "case", code=errors.NOTHING_WEIGHED)
    call("report", "--case", tmp_path / "case", "--format", "json")


def test_an_empty_period_is_not_the_organisation(tmp_path: Path) -> None:
    told = run(
        tmp_path, log(tmp_path, FOUND), code=errors.NOTHING_WEIGHED,
        more=("--org", "example.org", "--since", "2030-01-01"),
    )  # fmt: skip
    assert "no delivery left example.org from 2030-01-01 on (--since)" in verdict(told)
    assert "1 March 2024" in verdict(told) and "give it with --org" not in verdict(told)
    assert "from 1 January 2030 on" in lead(tmp_path)
    told = call("detect", "--case", tmp_path / "case", "--until", "2023-05-01", code=errors.NOTHING_WEIGHED)
    assert "before 2023-05-02 (--until)" in verdict(told)


def test_a_search_that_found_nothing_names_what_it_weighed(tmp_path: Path) -> None:
    """Not all that left, where a period was asked for."""
    run(tmp_path, log(tmp_path, FOUND), code=0, more=("--org", "example.org", "--until", "2024-03-01T13:00"))
    assert "3 deliveries that left example.org (1 March 2024)" in lead(tmp_path)


def test_a_domain_that_no_address_has_is_not_kept(tmp_path: Path) -> None:
    told = run(tmp_path, log(tmp_path, FOUND), code=errors.NOTHING_WEIGHED, more=("--org", "exampel.org"))
    assert "no sender or recipient in these logs is of exampel.org" in verdict(told)
    assert "--org exampel.org is not kept" in told.output
    assert "exampel.org" in lead(tmp_path)
    assert casefile.read(Case(tmp_path / "case")).organisation.domains == ()
    told = run(tmp_path, tmp_path / "mail.log", code=errors.OK)
    assert "exampel.org" not in told.output
    assert casefile.read(Case(tmp_path / "case")).organisation.domains == ("example.org",)


def test_the_same_options_twice_are_no_change(tmp_path: Path) -> None:
    """A domain without any mail is not kept, and to name it again with the others is nothing new."""
    both = ("--org", "example.org", "--org", "quiet.example")
    run(tmp_path, log(tmp_path, FOUND), code=errors.OK, more=both)
    run(tmp_path, log(tmp_path, FOUND), code=errors.OK, more=both)
    later = log(tmp_path, sent("x@navy.mil", sender="m@quiet.example").replace("4jYb3c4B", "4jYb3c4C"), "later.log")
    run(tmp_path, later, code=errors.OK, more=both)
    assert casefile.read(Case(tmp_path / "case")).organisation.domains == ("example.org", "quiet.example")
    call("detect", "--case", tmp_path / "case", "--org", "mail.example.org")  # covered by what is there
    assert casefile.read(Case(tmp_path / "case")).organisation.domains == ("example.org", "quiet.example")


def test_another_domain_needs_a_word(tmp_path: Path) -> None:
    run(tmp_path, log(tmp_path, FOUND), code=errors.OK)
    case = tmp_path / "case"
    before = case.joinpath("case.toml").read_bytes()
    for command in (("run", tmp_path / "mail.log"), ("ingest", tmp_path / "mail.log"), ("detect",)):
        told = call(*command, "--org", "navy.mil", "--case", case, code=2).output
        assert "--org-add" in told and "--org-replace" in told and "example.org" in told
    for wrong in (("--org-add",), ("--org", "navy.mil", "--org-add", "--org-replace")):
        call("detect", "--case", case, *wrong, code=2)
    assert "typo.example" in call("detect", "--org", "typo.example", "--org-replace", "--case", case, code=2).output
    assert case.joinpath("case.toml").read_bytes() == before
    call("detect", "--org", "navy.mil", "--org-add", "--case", case)
    assert casefile.read(Case(case)).organisation.domains == ("example.org", "navy.mil")
    call("detect", "--org", "navy.mil", "--org-replace", "--case", case, code=errors.NOTHING_WEIGHED)
    assert casefile.read(Case(case)).organisation.domains == ("navy.mil",)
    call("run", tmp_path / "mail.log", "--org", "example.org", "--org-replace", "--case", case, "--format", "json")
    assert casefile.read(Case(case)).organisation.domains == ("example.org",)


def test_the_functions_say_the_same(tmp_path: Path) -> None:
    made = pipeline.run([log(tmp_path, CLEAN + NOT_READ)], tmp_path / "case", org=["example.org"], formats="json")
    assert made.exit_code == errors.OK and made.ingested.not_read.records == 5
    assert made.ingested.not_read.reasons[0].number == 26
    assert made.detected.organisation == ("example.org",)
    for function in (lambda **o: pipeline.ingest([tmp_path / "mail.log"], **o), pipeline.detect):
        with pytest.raises(OrganisationDiffers):
            function(case_dir=tmp_path / "case", org=["navy.mil"])
        with pytest.raises(UsageError):
            function(case_dir=tmp_path / "case", org=["navy.mil"], org_add=True, org_replace=True)


def test_json_says_it_all(tmp_path: Path) -> None:
    path = log(tmp_path, CLEAN + NOT_READ)
    told: Any = json.loads(call("run", path, "--org", "example.org", "--case", tmp_path / "case", "--json").output)
    for part in ("ingested", "detected"):
        assert told[part]["not_read"]["records"] == 5 and told[part]["not_read"]["of"] == 30
        (reason,) = told[part]["not_read"]["reasons"]
        assert reason["reason"] and reason["number"] == 26 and reason["text"].startswith("2024-13-01")
    assert told["detected"]["organisation"] == ["example.org"]
    facts = json.loads((tmp_path / "case" / "reports" / "incident.json").read_text())["coverage"]
    assert (facts["search"], facts["unread"], facts["bearing"]) == ("partly", 5, 30)


def test_the_period_of_deliveries_is_not_that_of_the_log(tmp_path: Path) -> None:
    """Lines of other days, or the bounds that an export was asked for, are told apart."""
    early = "2024-02-01T10:00:00.000000+00:00 mx1 postfix/smtpd[1]: connect from a.example[192.0.2.1]\n"
    told = call("ingest", log(tmp_path, early + FOUND), "--case", tmp_path / "case").output
    assert "Deliveries 6, 1 March 2024; records from 1 February 2024 to 1 March 2024\n" in told


def test_examples_are_safe_for_a_terminal(tmp_path: Path) -> None:
    hostile = UNREADABLE.replace("secret", "\x1b[2J\u202e").format(1, 1)
    told = call("ingest", log(tmp_path, FOUND + hostile), "--case", tmp_path / "case").output
    assert "\x1b" not in told and "\u202e" not in told and "\\u{1b}" in told


CONFESSED = {
    "noted": ["245 records lost by rsyslogd on 5 March", "stamps read as UTC"],
    "losses": [
        {"kind": "rate limit", "host": "mx1", "at": "2024-03-01T12:30:00Z", "count": 245, "number": 5, "offset": 512,
         "text": "imuxsock lost 245 messages of bob@navy.example"},
        {"kind": "rotated", "host": "mx1", "at": "2023-01-01T00:00:00Z", "count": None, "number": 9, "offset": 900,
         "text": "Journal rotated"},
    ],
    "other_lines": [{"program": "postfix-acme/smtpd", "count": 12, "number": 3, "offset": 300,
                     "text": "warning: <script>alert(1)</script> eve@navy.example"}],
}  # fmt: skip
"""What a loader notes, as the manifest has it."""


@pytest.fixture
def confessing(tmp_path: Path) -> Path:
    """A case whose two logs confess losses; both say one sentence."""
    logs = (log(tmp_path, FOUND), log(tmp_path, sent("x@navy.mil").replace("4jYb3c4B", "4jYb3c4C"), "other.log"))
    run(tmp_path, *logs, code=errors.OK)
    manifest = tmp_path / "case" / "manifest.json"
    held = json.loads(manifest.read_text())
    for entry in held["evidence"]:
        entry["notes"] |= CONFESSED if entry["names"][0].endswith("mail.log") else {"noted": ["stamps read as UTC"]}
    manifest.write_text(json.dumps(held))
    return tmp_path


def test_what_a_log_confesses_is_told(confessing: Path) -> None:
    told = call("ingest", confessing / "mail.log", "--case", confessing / "case").output
    assert f"Noted      {confessing / 'mail.log'}: 245 records lost by rsyslogd on 5 March\n" in told
    assert "Noted      2 files: stamps read as UTC\n" in told
    assert (
        "something is missing (rate limit: 1 sign of it, rotated: 1 sign of it), 1 January 2023 to 1 March 2024" in told
    )
    made = json.loads(call("ingest", confessing / "mail.log", "--case", confessing / "case", "--json").output)
    assert [(one["kind"], one["first"], one["count"]) for one in made["losses"]] == [
        ("rate limit", "2024-03-01T12:30:00Z", 245),
        ("rotated", "2023-01-01T00:00:00Z", None),
    ]


def test_what_a_log_confesses_is_reported(confessing: Path) -> None:
    call("report", "--case", confessing / "case", "--format", "md,html,csv,json")
    page = (confessing / "case" / "reports" / "incident.md").read_text()
    first, rest = page.split("## 2")[0], page.split(" What could not be seen\n")[-1]
    assert "to be missing" in first
    unseen = rest.split("\n## ")[0]
    assert "| 2024-03-01 12:30 | `mx1` | rate limit | 245 | E" in unseen and "rotated" in unseen
    annex = page.split("## Annex B")[1]
    assert "245 records lost by rsyslogd" in annex and "12 other lines of postfix-acme/smtpd" in annex
    assert "E1, E2: stamps read as UTC" in annex or "E2, E1: stamps read as UTC" in annex
    html = (confessing / "case" / "reports" / "incident.html").read_text()
    assert "<script>alert" not in html and "&lt;script&gt;alert" in html
    rows = (confessing / "case" / "reports" / "csv" / "losses.csv").read_text().splitlines()
    assert len(rows) == 3 and "imuxsock" in rows[2]


def test_the_redacted_edition_tells_losses_without_their_text(confessing: Path) -> None:
    formats = "html,json,md,csv,veris,answers"
    call("report", "--case", confessing / "case", "--edition", "redacted", "--format", formats)
    folder = confessing / "case" / "reports" / "redacted"
    assert "rate limit | 245" in (folder / "incident.md").read_text()
    for path in folder.rglob("*"):
        if path.is_file():
            assert not re.search(r"imuxsock|acme|eve@|bob@|rsyslogd|\bmx1\b|mail\.log", path.read_text()), path


def test_the_redacted_edition_shows_no_record(tmp_path: Path) -> None:
    run(tmp_path, log(tmp_path / "logs", FOUND + NOT_READ), log(tmp_path / "logs", "x", "ann-notes.txt"), code=0)
    formats = "html,json,md,csv,veris,answers"
    call("report", "--case", tmp_path / "case", "--edition", "redacted", "--format", formats)
    for path in (tmp_path / "case" / "reports" / "redacted").rglob("*"):
        if path.is_file():
            assert not re.search(r"secret\d|ann-notes|navy\.mil|navy\.ml", path.read_text()), path


def test_authorities_are_not_told_that_nothing_was_found(tmp_path: Path) -> None:
    run(tmp_path, log(tmp_path, NOT_READ), code=errors.NOTHING_READ)
    call("report", "--case", tmp_path / "case", "--format", "answers,veris")
    for path in (tmp_path / "case" / "reports" / "answers").glob("*.txt"):
        text = path.read_text()
        assert "No misdirected mail was found" not in text and "no misdirected mail among" not in text
    veris = json.loads((tmp_path / "case" / "reports" / "incident.veris.json").read_text())
    assert veris["security_incident"] == "Suspected"


def changing(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Do `change` between the two readings of the evidence."""
    real = reading._read_all

    def first(*arguments: Any, **options: Any) -> Any:
        change()
        return real(*arguments, **options)

    monkeypatch.setattr(reading, "_read_all", first)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text(path.read_text().replace("clerk0", "clerk9")),
        lambda path: path.write_text(CLEAN[:300]),
        lambda path: path.write_text("x" * len(FOUND)),
        lambda path: path.unlink(),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["other bytes", "shorter", "all other", "gone", "a folder"],
)
def test_evidence_that_changes_meanwhile(change: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = log(tmp_path, FOUND)
    changing(monkeypatch, lambda: change(path))
    told = call("ingest", path, "--org", "example.org", "--case", tmp_path / "case", code=errors.MACHINE)
    assert "mail.log" in told.output and "changed" in told.output
    assert not (tmp_path / "case").exists()


def test_a_log_that_goes_on_growing_is_read_as_far_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = log(tmp_path, FOUND)
    changing(monkeypatch, lambda: path.open("a").write(CLEAN))
    call("ingest", path, "--org", "example.org", "--case", tmp_path / "case")
    (entry,) = json.loads((tmp_path / "case" / "manifest.json").read_text())["evidence"]
    assert entry["content_size"] == len(FOUND)


def test_known_evidence_that_changed_before_is_another_matter(tmp_path: Path) -> None:
    """Between two commands it is no longer what the case recorded; within one it is a fault of the moment."""
    path = log(tmp_path, FOUND)
    call("ingest", path, "--org", "example.org", "--case", tmp_path / "case")
    path.write_text(FOUND.replace("clerk0", "clerk9"))
    before = {path: path.read_bytes() for path in (tmp_path / "case").rglob("*") if path.is_file()}
    call("ingest", log(tmp_path, CLEAN, "other.log"), "--case", tmp_path / "case", code=errors.VERIFICATION_FAILED)
    assert {path: path.read_bytes() for path in (tmp_path / "case").rglob("*") if path.is_file()} == before
    assert issubclass(EvidenceChanged, errors.MachineError)


PROGRAM = [sys.executable, "-c", "from forensics.cli import start; start()"]


def test_an_interrupt_while_standard_input_is_read(tmp_path: Path) -> None:
    """A pipe that nobody closes: the command waits until Ctrl-C, and leaves nothing behind."""
    command = [*PROGRAM, "ingest", "-", "--org", "example.org", "--case", str(tmp_path / "case")]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdin is not None
    process.stdin.write(FOUND)
    process.stdin.flush()
    while not list(tmp_path.glob("case/.next/streams/.incoming-*")):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == errors.INTERRUPTED
    assert said.startswith("missent: interrupted\nmissent: this ingest changed nothing: no case was made in ")
    assert not (tmp_path / "case").exists()


@pytest.mark.parametrize("where", ["_read_all", "_account"])
def test_an_interrupt_while_evidence_is_read(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, log(tmp_path, FOUND), code=errors.OK)
    before = {path: path.read_bytes() for path in (tmp_path / "case").rglob("*") if path.is_file()}

    def press(*_arguments: Any, **_options: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, where, press)
    other = log(tmp_path, CLEAN, "other.log")
    assert "interrupted" in call("ingest", other, "--case", tmp_path / "case", code=errors.INTERRUPTED).output
    assert {path: path.read_bytes() for path in (tmp_path / "case").rglob("*") if path.is_file()} == before
    call("ingest", other, "--org", "example.org", "--case", tmp_path / "new", code=errors.INTERRUPTED)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("room", [0, 3_000, 9_500, 60_000])
def test_no_room(room: int, tmp_path: Path) -> None:
    """Files may not grow beyond `room` bytes, as on a full disk: one error, a remedy, and a case that verifies or is
    not there."""
    path = log(tmp_path, FOUND)
    command = [*PROGRAM, "run", str(path), "--org", "example.org", "--watch", "*.mil", "--case", str(tmp_path / "case")]
    done = subprocess.run(
        [*command, "--format", "html,json"], capture_output=True, text=True, cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == errors.MACHINE, done.stderr
    assert "Traceback" not in done.stderr and "to do: make room there" in done.stderr
    assert str(tmp_path / "case") in done.stderr
    assert not list(tmp_path.rglob("*.new")) and not (tmp_path / "case" / ".work").exists()
    if (tmp_path / "case" / "case.toml").exists():
        assert "VERIFIED" in call("verify", tmp_path / "case").output
    else:
        assert not (tmp_path / "case").exists()


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied", "x"), OSError(5, "Input/output error", "x")]
)
@pytest.mark.parametrize("command", ["ingest", "detect", "report"])
def test_what_the_system_refuses(command: str, error: OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = log(tmp_path, FOUND)
    call("run", path, "--org", "example.org", "--case", tmp_path / "case", "--format", "json")

    def refuse(*_arguments: Any, **_options: Any) -> Any:
        raise error

    monkeypatch.setattr(Path, "rename", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    logs = (log(tmp_path, CLEAN, "other.log"),) if command == "ingest" else ()
    told = call(command, *logs, "--case", tmp_path / "case", code=errors.MACHINE).output
    assert told.splitlines()[0] == f"missent: x: {error.strerror}" and "to do: " in told


def test_a_path_that_can_be_none_is_a_mistake(tmp_path: Path) -> None:
    call("run", log(tmp_path, FOUND), "--org", "example.org", "--case", tmp_path / "case", "--format", "json")
    told = call("report", "--case", tmp_path / "case", "--out", tmp_path / "mail.log" / "x", code=2).output
    assert "mail.log" in told and "another place" in told


def test_the_help_lists_the_codes() -> None:
    told = " ".join(call("--help").output.split())
    for code, says in errors.EXIT_CODES.items():
        assert f"{code} {says}" in told


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that takes nothing")
@pytest.mark.parametrize("asked", [["--version"], ["--help"], ["completion", "bash"], ["watch-list", "--help"]])
def test_output_that_nothing_takes_is_told(asked: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "forensics.cli", *asked], stdout=full, stderr=subprocess.PIPE)
    told = done.stderr.decode()
    assert done.returncode == errors.MACHINE and "No space left" in told and "Traceback" not in told


@pytest.mark.parametrize("asked", [["--help"], ["completion", "bash"], ["watch-list", "navy.mil"]])
def test_a_reader_that_is_gone_is_not_taken_for_findings(asked: list[str]) -> None:
    """1 says that something was found."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "forensics.cli", *asked], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (errors.UNHEARD, b"")


def test_what_is_not_there_is_told_as_that(tmp_path: Path) -> None:
    assert "there is no such file or folder" in call("verify", tmp_path / "gone", code=2).output
    assert "there is no such folder" in call("status", "--case", tmp_path / "gone", code=2).output
    assert "it has no case.toml" in call("status", "--case", tmp_path, code=2).output


def test_an_option_before_the_command_is_told_its_place() -> None:
    assert "Options stand behind the command" in call("--case", "case", "status", code=2).output
    assert "behind the command" not in call("--bogus", "status", code=2).output


def test_a_period_that_ends_before_it_begins_is_a_mistake(tmp_path: Path) -> None:
    """Not a search that found nothing."""
    case = tmp_path / "case"
    period = ("--since", "2024-03-08", "--until", "2024-03-01")
    asked = ("run", log(tmp_path, FOUND), "--org", "example.org", "--case", case)
    assert "ends before it begins" in call(*asked, *period, code=2).output
    assert not case.exists()
    call(*asked, "--format", "json", "--since", "2024-03-01", "--until", "2024-03-01")  # that day
    assert "ends before it begins" in call("detect", "--case", case, *period, code=2).output


@pytest.mark.parametrize("command", ["status", "detect", "report", "review", "sql", "ask", "export", "block"])
def test_a_file_is_no_case(command: str, tmp_path: Path) -> None:
    file = log(tmp_path, FOUND)
    where = ["export", file, "--out", tmp_path / "bag"] if command == "export" else [command, "--case", file]
    assert "is a file, not a case" in call(*where, *(["select 1"] if command == "sql" else []), code=2).output


def test_an_empty_path_is_not_the_folder_that_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = log(tmp_path, FOUND)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for asked in (("run", evidence, "--org", "example.org", "--case", ""), ("verify", ""), ("status", "--case", "")):
        assert "it is empty" in call(*asked, code=2).output
    assert not list(Path().iterdir())


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("below", ["", "case"])
def test_a_case_among_the_evidence_is_not_taken_for_evidence(below: str, begun: bool, tmp_path: Path) -> None:
    """Neither while it is made nor afterwards."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "mail.log").write_text(CLEAN)
    case = folder / below
    if begun:
        workbench.init(case, org=["example.org"])
    first = pipeline.ingest([folder], case, org=["example.org"])
    assert (first.evidence, first.skipped) == (1, ())
    again = pipeline.ingest([folder], case)
    assert [name for name, _ in again.skipped] == [str(case)]
