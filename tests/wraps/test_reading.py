"""Exports through the whole ingest: what is noted, what is refused, what lies far behind, what is given twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from forensics.custody import evidence as custody
from forensics.errors import EvidenceError
from forensics.ingest import survey
from forensics.loaders.settings import Settings
from tests.ingesting import read
from tests.wraps import exporting
from tests.wraps.exporting import PARSED, RAW
from tests.wraps.test_exports import LOGS, POSTFIX

LOCAL = LOGS["postfix, local stamps"]


def notes(folder: Path, content: str | bytes, settings: Settings | None = None) -> dict[str, Any]:
    result, rows = read(folder, {"export": content}, settings)
    assert rows
    return dict(result.evidence[0].notes)


def test_an_export_says_column_order_and_zone(tmp_path: Path) -> None:
    found = notes(tmp_path, RAW["Splunk CSV"](LOCAL[::-1]))
    assert found["export"] == {
        "form": "Splunk (CSV)", "message column": "_raw", "time column": "_time", "order": "newest first",
        "zone": "UTC", "zone inside": "+01:00",
    }  # fmt: skip
    assert (
        "an export, Splunk (CSV): each record was taken from _raw; its own times are in _time; their time zone: UTC; "
        "it runs newest first; stamps inside the records are UTC+01:00, compared with those times"
    ) in found["noted"]
    assert any("tail -c +$((OFFSET+1)) FILE | head -c LENGTH" in said for said in found["noted"])


def test_what_people_say_of_the_zone_wins(tmp_path: Path) -> None:
    content = RAW["Splunk CSV"](LOCAL)
    result, rows = read(tmp_path, {"export": content}, Settings(timezone="America/New_York"))
    assert f"{rows[0]['submitted_at']:%H:%M}" == "16:00"
    assert "zone inside" not in result.evidence[0].notes["export"]


def test_encodings_and_damage_are_noted(tmp_path: Path) -> None:
    text = RAW["logcli raw"](POSTFIX)
    wide = notes(tmp_path / "wide", b"\xff\xfe" + text.encode("utf-16-le"))
    assert wide["encoding"] == "utf-16-le"
    assert "the text is UTF-16LE" in wide["noted"]
    assert "iconv -f utf-16LE -t utf-8" in " ".join(wide["noted"])
    assert "carriage returns" in " ".join(notes(tmp_path / "cr", text.replace("\n", "\r"))["noted"])
    assert "9 places" in " ".join(notes(tmp_path / "nul", RAW["NUL bytes"](POSTFIX).rstrip("\0"))["noted"])
    assert "noted" not in notes(tmp_path / "plain", text)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("".join(f"[ 4853.{n:06d}] mx1 postfix/smtpd[1]: 4A1B2C3D4E: client=x[192.0.2.1]\n" for n in range(9)), "journalctl -o short-iso"),
        ("".join(f"{e.text}\n" for e in POSTFIX), "docker logs --timestamps"),
    ],
)  # fmt: skip
def test_output_without_times_is_refused_by_name(content: str, words: str, tmp_path: Path) -> None:
    result, _ = read(tmp_path, {"export": content})
    assert not result.evidence
    assert words in result.skipped[0][1]


OTHERS = [("journalctl -o json", "postfix")] + [
    (form, name)
    for form in ("Elastic documents", "Splunk CSV", "Elastic hits", "logcli raw")
    for name in ("postfix", "exim", "exchange")
]


@pytest.mark.parametrize(("form", "log_name"), OTHERS)
def test_records_behind_many_blocks_of_others(
    form: str, log_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head tells nothing of a mail system; neither do the first blocks."""
    monkeypatch.setattr(survey, "BLOCK", 32 << 10)
    monkeypatch.setattr("forensics.ingest.units.BUNDLE", 0)
    other = exporting.syslog(
        "2024-02-01T10:00:00.000000+00:00 web nginx[9]: GET /a-page-of-this-site HTTP/1.1 200\n" * 3000
    )
    mail, made = LOGS[log_name], {**RAW, **PARSED}[form]
    result, rows = read(tmp_path, {"export": made(other + mail)}, Settings(year=2024))
    (one,) = result.evidence
    assert one.loader == log_name
    assert one.records == len(other) + len(mail)
    _, alone = read(tmp_path / "alone", {"export": made(mail)}, Settings(year=2024))
    assert rows
    assert shown(rows) == shown(alone)


def shown(rows: list[dict[str, Any]]) -> list[str]:
    """Rows but for their records, and what follows from the evidence's own id."""
    drop = ("records", "host", "delivery_id")
    return sorted(repr({k: v for k, v in row.items() if k not in drop}) for row in rows)


@pytest.mark.parametrize("form", ["Splunk CSV", "Elastic hits", "logcli jsonl", "grep"])
def test_a_log_and_its_export_count_once(form: str, tmp_path: Path) -> None:
    files = {"mail.log": RAW["logcli raw"](LOCAL), "export": RAW[form](LOCAL)}
    settings = Settings(year=2024, timezone="Etc/GMT-1")
    result, rows = read(tmp_path, files, settings)
    _, alone = read(tmp_path / "alone", {"mail.log": files["mail.log"]}, settings)
    assert sorted(e.duplicates for e in result.evidence) == [0, len(LOCAL)]
    assert [{**r, "records": len(r["records"])} for r in rows] == [{**r, "records": len(r["records"])} for r in alone]


def test_a_run_of_nul_bytes_longer_than_memory_should_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custody, "LONGEST_RECORD", 16 << 10)
    monkeypatch.setattr(survey, "BLOCK", 8 << 10)
    text = RAW["logcli raw"](POSTFIX).encode()
    result, _rows = read(tmp_path, {"mail.log": text + b"\0" * 100_000 + text.replace(b"4B1C2D3E4F", b"5B1C2D3E4F")})
    (one,) = result.evidence
    assert (one.records, one.unread) == (2 * len(POSTFIX), 0)


def test_a_record_that_a_crash_cut_is_not_joined_with_the_next(tmp_path: Path) -> None:
    lines = RAW["logcli raw"](POSTFIX).encode().split(b"\n")
    cut = lines[3][: lines[3].index(b"navy") + 2]
    result, rows = read(tmp_path, {"mail.log": b"\n".join([*lines[:3], cut + b"\0" * 64 + lines[4], *lines[5:]])})
    assert not [r for r in rows if r["recipient"].startswith("bob@")]
    assert result.evidence[0].records == len(POSTFIX)


def test_records_of_csv_over_several_lines_and_torn_ones(tmp_path: Path) -> None:
    content = RAW["Splunk CSV"](POSTFIX).splitlines(keepends=True)
    torn = '"0","2024-03-01T10:00:09Z","never closed\r\n'
    several = '"0","2024-03-01T10:00:09Z","a","b","c","d","2024-03-01T10:00:09Z mx1 app[1]: one\r\ntwo ""quoted"""\r\n'
    short = '"0","2024-03-01T10:00:09Z"\r\n'
    result, rows = read(tmp_path, {"export": "".join([*content[:4], torn, several, short, *content[4:]])})
    (one,) = result.evidence
    assert len(rows) == 3
    assert (one.records, one.unread) == (len(POSTFIX) + 3, 2)
    assert one.ignored["program app"] == 1


def test_reasons_are_those_of_the_export(tmp_path: Path) -> None:
    from forensics import store
    from forensics.case import Case

    text = RAW["Filebeat"](POSTFIX) + '{"@timestamp": "x", "message": "A"}\n{"level": 3}\n{"cut": \nplain\n\n'
    result, _ = read(tmp_path, {"export": text})
    unread = store.read(Case(tmp_path / "case"), "unread").to_pylist()
    assert [row["reason"] for row in unread][:3] == [
        "a record of an export that tells no time which could be read",
        "a record of an export without a message",
        "no valid JSON",
    ]
    assert [row["raw"] for row in unread][:3] == [b'{"@timestamp": "x", "message": "A"}', b'{"level": 3}', b'{"cut": ']
    assert result.evidence[0].records == len(POSTFIX) + 5


def test_arrays_beside_the_records_are_accounted_for(tmp_path: Path) -> None:
    events = json.loads(RAW["CloudWatch get-log-events"](POSTFIX))["events"]
    text = json.dumps({"events": events, "searchedLogStreams": [{"logStreamName": "x"}], "nextToken": "t"})
    result, rows = read(tmp_path, {"export": text})
    (one,) = result.evidence
    assert (len(rows), one.unread, one.records) == (3, 1, len(POSTFIX) + 1)


def test_splunk_messages_before_the_results_are_not_taken_for_them(tmp_path: Path) -> None:
    results = json.loads(RAW["Splunk JSON results"](POSTFIX))["results"]
    for messages in ([], [{"type": "INFO", "text": "done"}]):
        text = json.dumps({"preview": False, "messages": messages, "results": results})
        _result, rows = read(tmp_path / str(len(messages)), {"export": text})
        assert len(rows) == 3


def test_a_foreign_json_file_is_no_log(tmp_path: Path) -> None:
    result, _ = read(tmp_path, {"package.json": '{"name": "x", "version": "1.0.0", "files": ["a", "b"]}'})
    assert result.skipped and not result.evidence


def test_a_log_of_others_in_an_export_is_refused(tmp_path: Path) -> None:
    other = exporting.syslog("2024-02-01T10:00:00.000000+00:00 web nginx[9]: GET /page HTTP/1.1 200\n" * 30)
    result, _ = read(tmp_path, {"export": RAW["Splunk CSV"](other)})
    assert "none of its 30 lines is of Postfix" in result.skipped[0][1]
    assert EvidenceError.exit_code == 3
