"""Ingest as a whole: exact rows, every record accounted for, and the same tables whatever the order, cut or workers."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import itertools
import lzma
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from forensics.errors import AmbiguousTime
from forensics.loaders.settings import Settings
from tests.ingesting import line, message, read, run, to

ALBION = ("postfix-albion", "postfix-albion-filter")


def outcomes(path: Path) -> Counter[tuple[str, ...]]:
    return Counter(tuple(row.split("\t")) for row in path.read_text().splitlines()[1:])


def keyed(rows: list[dict[str, Any]]) -> Counter[tuple[str, ...]]:
    return Counter(
        (r["message_id"], r["recipient"], r["original_recipient"] or "", r["outcome"])
        for r in rows
        if r["sender"] != ""
    )


def logs(folder: Path) -> list[Path]:
    return sorted(folder.glob("mail.log*"))


def unpacked(path: Path) -> bytes:
    raw = path.read_bytes()
    return {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}.get(path.suffix, bytes)(raw)


@pytest.mark.parametrize("name", ALBION)
def test_albion_outcomes(tmp_path: Path, data: Path, name: str) -> None:
    result, rows = run(tmp_path / "case", logs(data / name))
    assert keyed(rows) == outcomes(data / name / "outcome.tsv")
    assert all(r["sender"] == "" for r in rows if r["message_id"] is None)
    assert result.unread == 0
    assert not result.skipped
    for evidence in result.evidence:
        assert evidence.records == evidence.used + sum(evidence.ignored.values()) + evidence.unread


def test_both_albion_logs_in_one_case(tmp_path: Path, data: Path) -> None:
    _, rows = run(tmp_path / "case", [p for name in ALBION for p in logs(data / name)])
    expected = sum((outcomes(data / name / "outcome.tsv") for name in ALBION), Counter())
    assert keyed(rows) == expected
    assert len({r["delivery_id"] for r in rows}) == len(rows)


def test_cited_records_hold_what_the_row_says(tmp_path: Path, data: Path) -> None:
    paths = logs(data / "postfix-albion-filter")
    _, rows = run(tmp_path / "case", paths)
    contents = {hashlib.sha256(c).hexdigest(): c for c in map(unpacked, paths)}
    for row in rows:
        cited = [(r["evidence"], r["number"], r["offset"], r["length"]) for r in row["records"]]
        assert cited
        lines = []
        for evidence, number, offset, length in cited:
            content = contents[evidence]
            lines.append(content[offset : offset + length].decode())
            assert content[:offset].count(b"\n") == number - 1
            assert content[offset + length : offset + length + 1] == b"\n"
        assert any(f"to=<{row['recipient']}>" in text for text in lines)
        assert row["queue_id"] in lines[0]


def tables(place: Path) -> dict[str, bytes]:
    return {str(p.relative_to(place)): p.read_bytes() for p in sorted(place.glob("*/**/*.parquet"))}


def test_bytes_depend_on_neither_order_nor_workers(tmp_path: Path, data: Path) -> None:
    paths = [p for name in ALBION for p in logs(data / name)]
    run(tmp_path / "a", paths, workers=1)
    run(tmp_path / "b", list(reversed(paths)), workers=3)
    assert tables(tmp_path / "a") == tables(tmp_path / "b")


def stripped(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in r.items() if k != "records"} for r in rows]


@pytest.mark.parametrize("name", ALBION)
def test_same_rows_however_the_log_is_cut(
    tmp_path: Path, data: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = logs(data / name)
    _, expected = run(tmp_path / "a", paths)
    whole = b"".join(unpacked(p) for p in paths)
    year = Settings(year=2023)
    _, joined = read(tmp_path / "joined", {"mail.log": whole}, year)
    assert stripped(joined) == stripped(expected)

    lines = whole.splitlines(keepends=True)
    cuts = [0, 1, 700, 701, 2999, len(lines) * 2 // 3, len(lines)]
    files = {f"mail.log.{n}": b"".join(lines[a:b]) for n, (a, b) in enumerate(itertools.pairwise(cuts))}
    files = {k: v for k, v in files.items() if v}
    if name == "postfix-albion":
        _, split = read(tmp_path / "split", files, year)
        assert stripped(split) == stripped(expected)

    monkeypatch.setattr("forensics.ingest.survey.BLOCK", 40_000)
    _, small = read(tmp_path / "small", {"mail.log": whole}, year)
    assert stripped(small) == stripped(expected)
    assert [len(r["records"]) for r in small] == [len(r["records"]) for r in expected]


def test_overlapping_and_repeated_files_count_once(tmp_path: Path, data: Path) -> None:
    paths = logs(data / "postfix-albion")
    _, expected = run(tmp_path / "a", paths)
    lines = b"".join(unpacked(p) for p in paths).splitlines(keepends=True)
    files = {
        "one.log": b"".join(lines[:6000]),
        "two.log": b"".join(lines[3000:9000]),
        "two-again.log.gz": gzip.compress(b"".join(lines[3000:9000]), mtime=0),
        "three.log": b"".join(lines[5000:]),
        "inner.log": b"".join(lines[4000:4100]),
    }
    result, rows = read(tmp_path / "b", files, Settings(year=2023))
    assert stripped(rows) == stripped(expected)
    assert len(result.evidence) == 4
    assert sum(e.duplicates for e in result.evidence) == 3000 + 4000 + 100
    by_name = {e.names[0].rsplit("/", 1)[-1]: e for e in result.evidence}
    inner = by_name["inner.log"]
    assert inner.ignored == {"duplicate": 100}
    assert inner.used == 0
    assert sum(count for _, count, _, _ in inner.duplicate_of) == 100


def test_a_line_that_stands_twice_in_one_file_stays_two(tmp_path: Path) -> None:
    reject = line(
        "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[198.51.100.7]: 550 5.1.1 <x@navy.example>: "
        "Recipient address rejected: no; from=<a@b.example> to=<x@navy.example> proto=ESMTP helo=<b>"
    )
    result, rows = read(tmp_path, {"a.log": reject * 2 + line("postfix/anvil[1]: x"), "b.log": reject * 3})
    assert len(rows) == 3
    assert len({r["delivery_id"] for r in rows}) == 3
    assert sum(e.duplicates for e in result.evidence) == 2


def test_messages_cross_files_of_one_host(tmp_path: Path) -> None:
    whole = message("4B1C2D3E4F", to("x@navy.example")).splitlines(keepends=True)
    warnings = line(
        "postfix/cleanup[2]: 4B1C2D3E4F: warning: header Subject: Plan from ws1.albion.example[10.0.0.1]; "
        "from=<ann@albion.example> to=<x@navy.example> proto=ESMTP helo=<ws1>"
    )
    _, rows = read(tmp_path, {"mail.info": "".join(whole), "mail.warn": warnings})
    assert [(r["recipient"], r["subject"], r["outcome"]) for r in rows] == [("x@navy.example", "Plan", "delivered")]


def test_year_is_asked_for(tmp_path: Path) -> None:
    text = "Mar  1 10:00:00 mx1 postfix/smtpd[1]: 4B1C2D3E4F: client=a[10.0.0.1]\n"
    with pytest.raises(AmbiguousTime, match=r"mail\.log"):
        read(tmp_path, {"mail.log": text})
    _, rows = read(tmp_path / "b", {"mail.log": text}, Settings(year=2021))
    assert rows == []


def test_other_programs_and_unreadable_lines_are_accounted_for(tmp_path: Path) -> None:
    text = (
        message("4B1C2D3E4F", to("x@navy.example"))
        + line("dovecot: imap-login: Login: user=<to=<fake@x>>")
        + line("sshd[77]: Accepted")
        + line("sshd[78]: Accepted")
        + "not a log line at all\n"
        + "\n"
        + line("postfix/nonesuch[1]: hello")
        + line("postfix/smtp[3]: 4B1C2D3E4F: to=<cut@navy.example>, relay=mx.navy.exa")
    )
    result, rows = read(tmp_path, {"mail.log": text})
    (evidence,) = result.evidence
    assert len(rows) == 1
    assert evidence.ignored == {
        "program dovecot": 1, "program sshd": 2, "blank line": 1, "other lines of nonesuch": 1,
    }  # fmt: skip
    assert evidence.unread == 2
    assert evidence.records == 5 + 3 + 4


def test_junk_is_named_and_left(tmp_path: Path) -> None:
    result, rows = read(
        tmp_path, {"a.log": message("4B1C2D3E4F", to("x@navy.example")), "b.bin": bytes(range(256)) * 9}
    )
    assert len(rows) == 1
    assert [name.rsplit("/", 1)[-1] for name, _ in result.skipped] == ["b.bin"]
