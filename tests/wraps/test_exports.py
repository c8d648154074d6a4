"""A log gives the same deliveries inside every export and encoding, each citing a record that `verify` finds."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

import pytest

from forensics import pipeline, store, workbench
from forensics.case import Case
from forensics.custody import manifest
from tests.conftest import DATA
from tests.wraps import exporting
from tests.wraps.exporting import PARSED, RAW, Entry

Rows = list[dict[str, Any]]


def log(name: str) -> str:
    return (DATA / "contract" / f"{name}.log").read_text()


POSTFIX = exporting.syslog(log("postfix"))
# Through a content filter: the records of the second queue id name neither recipient nor sender, but for one.
FILTERED = exporting.syslog(
    """\
2024-03-01T10:00:00.100000+00:00 mx1 postfix/smtpd[1]: 4B1C2D3E4F: client=ws1.albion.example[10.0.0.1]
2024-03-01T10:00:00.200000+00:00 mx1 postfix/cleanup[2]: 4B1C2D3E4F: message-id=<m1@albion.example>
2024-03-01T10:00:00.300000+00:00 mx1 postfix/qmgr[3]: 4B1C2D3E4F: from=<ann@albion.example>, size=1000, nrcpt=1 (queue active)
2024-03-01T10:00:00.900000+00:00 mx1 postfix/smtpd[5]: 4B1C2D3E50: client=localhost[127.0.0.1]
2024-03-01T10:00:00.920000+00:00 mx1 postfix/cleanup[2]: 4B1C2D3E50: message-id=<m1@albion.example>
2024-03-01T10:00:00.950000+00:00 mx1 postfix/qmgr[3]: 4B1C2D3E50: from=<ann@albion.example>, size=1200, nrcpt=1 (queue active)
2024-03-01T10:00:01.000000+00:00 mx1 postfix/smtp[4]: 4B1C2D3E4F: to=<bob@navy.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4B1C2D3E50)
2024-03-01T10:00:01.100000+00:00 mx1 postfix/qmgr[3]: 4B1C2D3E4F: removed
2024-03-01T10:00:02.000000+00:00 mx1 postfix/smtp[4]: 4B1C2D3E50: to=<bob@navy.example>, relay=mx.navy.example[203.0.113.5]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9Z)
2024-03-01T10:00:02.100000+00:00 mx1 postfix/qmgr[3]: 4B1C2D3E50: removed
"""
)
LOGS: dict[str, list[Entry]] = {
    "postfix": POSTFIX,
    "postfix, filtered": FILTERED,
    "postfix, local stamps": exporting.local(POSTFIX, 1),
    "exchange": exporting.lines(log("exchange")),
    "exim": exporting.lines(log("exim")),
}
ZONES = {"postfix, local stamps": "Etc/GMT-1"}


def read(folder: Path, content: bytes, **settings: Any) -> tuple[Rows, manifest.EvidenceEntry]:
    """Deliveries without their records, and what the manifest says, after all was accounted for and verified."""
    place, path = folder / "case", folder / "export"
    folder.mkdir(exist_ok=True)
    path.write_bytes(content)
    pipeline.ingest([path], place, org=["albion.example"], **settings)
    (one,) = manifest.read(Case(place)).evidence
    assert one.records == one.used + sum(one.ignored.values()) + one.unread
    checked = workbench.verify(place, all_records=True)
    assert checked.ok, [check.text for check in checked.checks if check.ok is False]
    rows = store.read(Case(place), "deliveries").to_pylist()
    for row in rows:
        assert row.pop("records")
        if row["system"] == "exim":  # its host is the evidence, which is another
            del row["host"], row["delivery_id"]
    return sorted(rows, key=lambda row: (row["submitted_at"], row["queue_id"], row["recipient"])), one


@functools.cache
def plain(name: str) -> Rows:
    with tempfile.TemporaryDirectory() as folder:
        content = "".join(e.raw + "\n" for e in LOGS[name]).encode()
        rows, _ = read(Path(folder), content, year=2024, timezone=ZONES.get(name))
        assert rows
        return rows


@pytest.mark.parametrize("log_name", LOGS)
@pytest.mark.parametrize("form", RAW)
def test_whole_lines_in_exports(form: str, log_name: str, tmp_path: Path) -> None:
    rows, one = read(tmp_path, RAW[form](LOGS[log_name]).encode(), year=2024, timezone=ZONES.get(log_name))
    assert rows == plain(log_name)
    assert one.unread == 0
    assert one.records == len(LOGS[log_name])


@pytest.mark.parametrize("log_name", ["postfix", "postfix, filtered"])
@pytest.mark.parametrize("form", PARSED)
def test_lines_that_exports_took_apart(form: str, log_name: str, tmp_path: Path) -> None:
    rows, one = read(tmp_path, PARSED[form](LOGS[log_name]).encode())
    assert rows == plain(log_name)
    assert (one.unread, one.records) == (0, len(LOGS[log_name]))


@pytest.mark.parametrize("log_name", ["postfix", "postfix, filtered"])
def test_journal_export_with_binary_fields(log_name: str, tmp_path: Path) -> None:
    rows, one = read(tmp_path, exporting.binary_export(LOGS[log_name]))
    assert (rows, one.unread) == (plain(log_name), 0)


ENCODINGS = {
    "UTF-8 with mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16LE with mark": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "UTF-16BE with mark": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16LE": lambda text: text.encode("utf-16-le"),
    "UTF-16BE": lambda text: text.encode("utf-16-be"),
    "CRLF": lambda text: text.replace("\r", "").replace("\n", "\r\n").encode(),
    "CR": lambda text: text.replace("\r", "").replace("\n", "\r").encode(),
}
FORMS = (
    "logcli raw", "Splunk CSV", "Elastic hits, indented", "Filebeat", "grep", "colours", "Azure tables",
)  # fmt: skip


@pytest.mark.parametrize("log_name", LOGS)
@pytest.mark.parametrize("coding", ENCODINGS)
def test_encodings(coding: str, log_name: str, tmp_path: Path) -> None:
    for form in FORMS if log_name == "postfix" else FORMS[:1]:
        content = ENCODINGS[coding](RAW[form](LOGS[log_name]))
        rows, one = read(tmp_path / form, content, year=2024, timezone=ZONES.get(log_name))
        assert rows == plain(log_name), form
        assert (one.unread, one.records) == (0, len(LOGS[log_name])), form
