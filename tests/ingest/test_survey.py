"""What is read and what is refused by its name: a readable record anywhere in a file decides."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter
from click.testing import CliRunner

from forensics.cli import main

from ..ingesting import message, read, to

SENDMAIL = (
    "2024-03-01T10:00:00.000000+00:00 mx1 sendmail[71]: 42D8003a{:06d}: from=<ann@albion.example>, size=900, class=0, "
    "nrcpts=1, msgid=<m{}@albion.example>, proto=ESMTP, relay=pc1 [10.0.0.1]\n"
)
MAIL = message("3ABCDEF", to("bob@navy.example"))
DATA = Path(__file__).resolve().parents[1] / "data"


def lines(count: int) -> str:
    return "".join(SENDMAIL.format(n, n) for n in range(count))


@pytest.mark.parametrize("log", [MAIL + lines(20), lines(20) + MAIL, lines(900) + MAIL], ids=["first", "last", "far"])
def test_postfix_among_sendmail_is_read(tmp_path: Path, log: str) -> None:
    result, rows = read(tmp_path, {"mail.log": log})
    assert not result.skipped
    assert [(row["recipient"], row["outcome"]) for row in rows] == [("bob@navy.example", "delivered")]


def test_a_log_of_sendmail_alone_is_refused_by_its_name(tmp_path: Path) -> None:
    result, _ = read(tmp_path, {"mail.log": MAIL, "sendmail.log": lines(900)})
    ((name, reason),) = result.skipped
    assert name.endswith("sendmail.log")
    assert reason.startswith("sendmail log, which is not read: ")


def test_a_log_of_other_programs_keeps_its_reason(tmp_path: Path) -> None:
    other = "2024-03-01T10:00:00.000000+00:00 mx1 dovecot: imap-login: Login: user=<ann>\n"
    result, _ = read(tmp_path, {"mail.log": MAIL, "other.log": other * 20})
    ((_, reason),) = result.skipped
    assert reason == "a log of other programs: none of its 20 lines is of Postfix"


def test_binary_content_is_refused_whatever_text_it_holds(tmp_path: Path) -> None:
    result, rows = read(tmp_path, {"mail.log": MAIL, "mail.db": b"SQLite format 3\0\n" + MAIL.encode() * 9})
    assert [reason.partition(",")[0] for _, reason in result.skipped] == ["SQLite database"]
    assert len(rows) == 1


def test_many_refused_files_are_told_by_name_and_count(tmp_path: Path) -> None:
    folder = tmp_path / "handed over"
    folder.mkdir()
    for n in range(40):
        (folder / f"SEND{n:02}.LOG").write_bytes((DATA / "exchange-refused" / "smtpsend.log").read_bytes())
    (folder / "audit.csv").write_bytes((DATA / "exchange-refused" / "ual.csv").read_bytes())
    with xlsxwriter.Workbook(folder / "costs.xlsx") as workbook:
        for year in ("2023", "2024", "2025"):
            workbook.add_worksheet(year).write_row(0, 0, ["Item", "Cost"])
    done = CliRunner().invoke(main, ["ingest", str(folder), "--case", str(tmp_path / "case"), "--org", "contoso.com"])
    assert done.exit_code == 3
    shown = done.output.splitlines()
    assert len(shown) < 8
    (logs,) = (text for text in shown if "SMTP protocol log" in text)
    assert "SEND02.LOG and 37 more (40 files): " in logs
    assert any(text.strip().startswith(f"{folder}/audit.csv: unified audit log, ") for text in shown)
    assert any("costs.xlsx: Excel workbook (.xlsx)" in text for text in shown)
