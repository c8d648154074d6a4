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
LOGS: dict[str, list[Entry]] = {
    "postfix": POSTFIX,
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


@pytest.mark.parametrize("form", PARSED)
def test_lines_that_exports_took_apart(form: str, tmp_path: Path) -> None:
    rows, one = read(tmp_path, PARSED[form](POSTFIX).encode())
    assert rows == plain("postfix")
    assert (one.unread, one.records) == (0, len(POSTFIX))


def test_journal_export_with_binary_fields(tmp_path: Path) -> None:
    rows, one = read(tmp_path, exporting.binary_export(POSTFIX))
    assert (rows, one.unread) == (plain("postfix"), 0)


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
