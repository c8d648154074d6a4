"""Verification holds for an untouched case and names whatever was touched."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics import schema
from forensics.case import Case
from forensics.custody import citations, cited, log, manifest, reread, seal, staging, tables, traced
from forensics.custody.checks import Verification
from forensics.custody.verify import verify
from forensics.errors import CaseError, UsageError, VerificationFailed
from forensics.review import remember_known_good
from tests.custody.made import seal_files


def failed(result: Verification) -> dict[str, str]:
    assert result.ok is (not any(check.ok is False for check in result.checks))
    return {
        check.name.replace(check.name.rpartition("/")[0] + "/", ""): check.text
        for check in result.checks
        if check.ok is False
    }


def texts(result: Verification) -> str:
    return "\n".join(check.text for check in result.checks)


def test_untouched_case_holds(built):
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in built.case.folder.rglob("*")}
    steps = []
    result = verify(built.case, progress=lambda step, done, total: steps.append((step, done, total)))
    assert failed(result) == {}
    assert result.ok
    assert "10 citations of 1 finding and 1 other delivery: all lead" in texts(result)
    assert "12 records = used + ignored + unread, in 2 evidence files" in texts(result)
    assert steps[-1][1] == steps[-1][2] > 0
    assert before == {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in built.case.folder.rglob("*")}
    assert failed(verify(built.case, all_records=True)) == {}


def test_changed_evidence_is_named(built):
    path = built.logs / "b-second.log"
    path.write_bytes(path.read_bytes().replace(b"navy.mil>", b"navy.ml> "))
    wrong = failed(verify(built.case))
    assert set(wrong) == {"b-second.log", "cited records"}
    assert "its content was changed: SHA-256" in wrong["b-second.log"]
    assert "delivery d2: none of its records names its recipient" in wrong["cited records"]


def test_recompressed_evidence_is_told_from_changed(built):
    path = built.logs / "a-gateway.log.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=1, mtime=5))
    wrong = failed(verify(built.case))
    assert set(wrong) == {"a-gateway.log.gz"}
    assert "replaced, though its content is the same" in wrong["a-gateway.log.gz"]


def test_replaced_container_is_named_whatever_its_name_was(built):
    data = json.loads(built.case.manifest.read_text())
    data["evidence"][0]["names"] = ["logs/a-gateway.log.gz"]
    built.case.manifest.write_text(json.dumps(data))
    path = built.logs / "a-gateway.log.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=1, mtime=5))
    assert "replaced, though its content is the same" in failed(verify(built.case))["a-gateway.log.gz"]


def test_missing_and_moved_evidence(built, tmp_path):
    elsewhere = tmp_path / "archive" / "deep"
    elsewhere.mkdir(parents=True)
    shutil.move(built.logs / "a-gateway.log.gz", elsewhere / "renamed")
    (elsewhere / "other").write_text("something else")
    wrong = failed(verify(built.case))
    assert "is missing" in wrong["a-gateway.log.gz"]
    assert "8 cited records could not be re-read" in wrong["cited records"]
    found = verify(built.case, evidence=tmp_path / "archive")
    assert failed(found) == {}
    assert "archive/deep/renamed" in texts(found)
    (elsewhere / "renamed").write_bytes(gzip.decompress((elsewhere / "renamed").read_bytes()))
    assert failed(verify(built.case, evidence=tmp_path / "archive")) == {}


def test_grown_log_still_holds(built):
    with (built.logs / "b-second.log").open("ab") as file:
        file.write(b"Jun  1 12:00:00 gw postfix/qmgr[3]: 4QWxyz0009: removed\n")
    result = verify(built.case)
    assert failed(result) == {}
    assert "has since grown by 56 bytes" in texts(result)


def test_second_copy_serves_when_the_first_is_gone(built):
    held = manifest.read(built.case)
    one = held.evidence[1]
    copy = built.logs.parent / "copy.log"
    shutil.copy(built.logs / "b-second.log", copy)
    place = one.locations[0].__class__(**{**one.locations[0].__dict__, "path": str(copy), "name": "copy.log"})
    more = [held.evidence[0], one.__class__(**{**one.__dict__, "locations": (*one.locations, place)})]
    from datetime import UTC, datetime

    manifest.record(built.case, "ingest", command=[], started=datetime(2023, 6, 1, tzinfo=UTC), evidence=more)
    (built.logs / "b-second.log").unlink()
    assert failed(verify(built.case)) == {}


@pytest.mark.parametrize("table", ["deliveries", "findings", "incidents", "unread"])
def test_changed_table_is_named(built, table):
    place = getattr(built.case, table)
    path = place if place.is_file() else next(place.rglob("*.parquet"))
    rows = pq.read_table(path)
    pq.write_table(rows.slice(0, 0), path)
    wrong = failed(verify(built.case))
    assert "was changed" in wrong[f"table {table}"]


def test_added_missing_and_broken_tables(built):
    part = next(built.case.deliveries.rglob("*.parquet"))
    shutil.copy(part, part.with_name("more.parquet"))
    wrong = failed(verify(built.case))
    assert "deliveries/month=2023-06/more.parquet was added" in wrong["table deliveries"]
    assert "2 delivery ids stand more than once" in wrong["counts"]
    part.with_name("more.parquet").unlink()
    part.unlink()
    wrong = failed(verify(built.case))
    assert "deliveries/month=2023-06/part.parquet is missing" in wrong["table deliveries"]
    assert "delivery_ids of findings are not in deliveries" in wrong["counts"]
    part.write_bytes(b"PAR1 no")
    wrong = failed(verify(built.case))
    assert "cannot be read" in wrong["counts"]
    assert not verify(built.case).ok


def test_changed_detection(built):
    built.case.detection.write_text('{"prior": 0.5}\n')
    assert "was changed or removed" in failed(verify(built.case))["detection.json"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda row: row.update(number=7), "stands record 4, cited as 7"),
        (lambda row: row.update(offset=row["offset"] + 10_000), "cited records lie beyond its end"),
        (lambda row: row.update(offset=row["offset"] - 3), "no record begins"),
        (lambda row: row.update(length=row["length"] - 3), "bytes long, as cited"),
    ],
)
def test_citation_that_leads_astray(built, change, text):
    path = next(built.case.deliveries.rglob("*.parquet"))
    rows = pq.read_table(path)
    data = rows.to_pylist()
    change(data[0]["records"][3])
    pq.write_table(pa.Table.from_pylist(data, rows.schema), path)
    assert text in texts(verify(built.case))


def test_record_of_another_message_is_found_out(built):
    path = next(built.case.deliveries.rglob("*.parquet"))
    rows = pq.read_table(path)
    data = rows.to_pylist()
    evidence = data[0]["records"][0]["evidence"]
    line = b"Jun  1 10:00:04 gw postfix/anvil[9]: statistics: max connection rate\n"
    offset = gzip.decompress((built.logs / "a-gateway.log.gz").read_bytes()).index(line)
    data[0]["records"].append({"evidence": evidence, "number": 9, "offset": offset, "length": len(line) - 1})
    pq.write_table(pa.Table.from_pylist(data, rows.schema), path)
    assert "delivery d1: record 9 of evidence" in failed(verify(built.case))["cited records"]


def test_tampered_log(built):
    path = built.case.custody_log
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"user":', b'"USER":', 1))
    assert "line 1: entry 1 was altered" in failed(verify(built.case))["custody log"]
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    wrong = failed(verify(built.case))
    assert "entries are missing at the end: entry 3 is on record, the file ends at 2" in wrong["custody log"]
    assert "the custody log does not hold the entry that its seal names" in wrong["reports"]
    path.unlink()
    assert "custody.jsonl" in failed(verify(built.case))["custody log"]


def test_tampered_manifest(built):
    data = json.loads(built.case.manifest.read_text())
    data["evidence"][0]["used"] -= 1
    data["evidence"][0]["ignored"] = {"anvil": 1}
    built.case.manifest.write_text(json.dumps(data))
    assert "another record of evidence" in failed(verify(built.case))["custody log"]
    del data["evidence"][0]
    built.case.manifest.write_text(json.dumps(data))
    assert "other evidence than the custody log" in failed(verify(built.case))["custody log"]


def test_sums_that_do_not_add_up(built):
    data = json.loads(built.case.manifest.read_text())
    data["evidence"][0]["records"] += 1
    built.case.manifest.write_text(json.dumps(data))
    wrong = failed(verify(built.case))
    assert "10 records, but used, ignored and unread come to 9" in wrong["counts"]
    assert "it holds 9 records, 10 were recorded" in wrong["a-gateway.log.gz"]


def test_reports(built):
    report = built.case.reports / "incident.html"
    report.write_text("<p>other</p>")
    assert "incident.html: was changed after it was sealed" in failed(verify(built.case))["reports"]
    report.unlink()
    assert "incident.html: sealed, but missing" in failed(verify(built.case))["reports"]
    (built.case.reports / "incident.seal.json").write_text("[]")
    assert "cannot be read as a seal" in failed(verify(built.case))["reports"]


def test_report_of_an_earlier_state_is_a_remark(built):
    remember_known_good(built.case, ["other.example"])
    result = verify(built.case)
    assert result.ok
    assert "incident.html, incident.json from an earlier state of the case" in texts(result)


def test_seal_altered_to_fit_a_changed_report(built):
    report = built.case.reports / "incident.html"
    report.write_text("<p>other</p>")
    path = built.case.reports / "incident.seal.json"
    data = json.loads(path.read_text())
    data["reports"]["incident.html"]["sha256"] = hashlib.sha256(report.read_bytes()).hexdigest()
    path.write_text(json.dumps(data))
    assert "was changed after it was sealed" in failed(verify(built.case))["reports"]


def test_later_formats_join_the_seal(built):
    extra = built.case.reports / "incident.pdf"
    extra.write_bytes(b"%PDF")
    seal_files(built.case, [extra])
    names = [part.name for part in seal.read(built.case.reports / "incident.seal.json")]
    assert names == ["incident.html", "incident.json", "incident.pdf"]
    assert failed(verify(built.case)) == {}


def test_reports_outside_the_case(built, tmp_path):
    place = tmp_path / "elsewhere"
    place.mkdir()
    (place / "incident.html").write_text("<p>report</p>")
    seal_files(built.case, [place / "incident.html"])
    assert failed(verify(built.case)) == {}
    (place / "incident.html").write_text("<p>changed</p>")
    assert "incident.html: was changed" in failed(verify(built.case))["reports"]


def test_a_report_is_not_got_rid_of_by_its_seal(built):
    seal_file, report = built.case.reports / "incident.seal.json", built.case.reports / "incident.html"
    whole = seal_file.read_bytes()
    seal_file.unlink()
    assert "incident.html: its seal is missing" in failed(verify(built.case))["reports"]
    seal_file.write_bytes(whole)
    data = json.loads(whole)
    del data["reports"]["incident.html"]
    seal_file.write_text(json.dumps(data))
    assert "incident.seal.json does not hold it" in failed(verify(built.case))["reports"]
    report.rename(built.case.reports / "other.html")
    seal_file.unlink()
    assert "incident.html: sealed, but missing" in failed(verify(built.case))["reports"]
    (built.case.reports / "other.html").unlink()
    (built.case.reports / "incident.json").unlink()
    assert "incident.html: sealed, but missing" in failed(verify(built.case))["reports"]


def test_what_people_put_beside_reports_is_theirs(built):
    (built.case.reports / "notes.html").write_text("<p>an investigator's own</p>")
    assert failed(verify(built.case)) == {}


def test_a_withdrawn_report_may_be_gone(built):
    with staging.change(built.case, "report") as staged, pytest.raises(UsageError, match=r"incident\.html"):
        seal.withdraw(staged, ["other"], "superseded")
    with staging.change(built.case, "report") as staged:
        assert seal.withdraw(staged, ["incident"], "superseded") == ("incident.html", "incident.json")
    (built.case.reports / "incident.html").unlink()
    assert failed(verify(built.case)) == {}


def test_what_was_withdrawn_already_is_said_with_when_by_whom_and_why(built):
    def withdrawn(*names, why="superseded", by=log.NOBODY):
        with staging.change(built.case, "withdraw") as staged:
            return seal.withdraw(staged, names, why, by=by, clock=lambda: datetime(2024, 3, 2, 8, tzinfo=UTC))

    assert withdrawn("incident.html", why="a wrong name", by=log.By("M. Okafor")) == ("incident.html",)
    before = built.case.custody_log.read_bytes()
    said = r"incident\.html was withdrawn on 2024-03-02T08:00:00\S* by M\. Okafor \(user \S+ on \S+\), because: a wrong name"
    for names in (["incident.html"], ["incident.json", "incident.html"]):
        with pytest.raises(UsageError, match=said + r" \(entry \d+ of the custody log\)\n.*: one of: incident\.json"):
            withdrawn(*names)
    assert built.case.custody_log.read_bytes() == before, "all or nothing"
    assert withdrawn("incident") == ("incident.json",), "what still holds, of a name for all endings"
    with pytest.raises(UsageError, match=r"incident\.html was .*; incident\.json was .*because: superseded"):
        withdrawn("incident")
    with pytest.raises(UsageError, match="no report of this case has that name"):
        withdrawn("other")
    with pytest.raises(UsageError, match="without a reason"):
        withdrawn("incident.html", why=" ")


def test_reports_written_elsewhere_and_moved_are_told(built, tmp_path):
    place = tmp_path / "elsewhere"
    (place / "csv").mkdir(parents=True)
    for name in ("incident.html", "csv/days.csv"):
        (place / name).write_text("x")
    seal_files(built.case, [place / "incident.html", place / "csv" / "days.csv"])
    assert "4 reports as sealed" in texts(verify(built.case))
    shutil.rmtree(place)
    result = verify(built.case)
    assert result.ok and f"not here, not checked: {place}/csv/days.csv, {place}/incident.html" in texts(result)


def test_a_moved_case_holds(built, tmp_path):
    moved = tmp_path / "moved"
    shutil.move(built.case.folder, moved)
    assert failed(verify(Case(moved))) == {}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda toml: toml.replace('["example.org"]', '["example.net"]'), "organisation.domains than .*missent detect"),
        (lambda toml: toml + "\n[questionnaire.x]\ny = 1\n", "questionnaire.x.y than .*missent report"),
        (lambda toml: toml.replace("# A Missent case", "# My Missent case"), "other remarks or layout only"),
        (lambda toml: toml + " ", "other remarks or layout only"),
        (lambda toml: "[", "other values of case.toml"),
    ],
)
def test_an_edit_of_case_toml_is_named(built, change, text):
    built.case.toml.write_text(change(built.case.toml.read_text()))
    assert re.search(text, failed(verify(built.case))["case.toml"])


def test_every_part_of_the_manifest_is_covered(built):
    whole = json.loads(built.case.manifest.read_text())

    def leaves(value, path=()):
        if isinstance(value, dict | list):
            for key, one in value.items() if isinstance(value, dict) else enumerate(value):
                yield from leaves(one, (*path, key))
        else:
            yield path

    unnoticed = []
    for path in leaves(whole):
        data = json.loads(json.dumps(whole))
        inside = data
        for key in path[:-1]:
            inside = inside[key]
        old = inside[path[-1]]
        inside[path[-1]] = old + 1 if isinstance(old, int) else "other"
        built.case.manifest.write_text(json.dumps(data))
        if verify(built.case).ok:
            unnoticed.append(path)
    assert unnoticed == []


def test_altered_tables_are_refused_before_a_stage_reads_them(built):
    held = manifest.read(built.case)
    manifest.intact(built.case, held, [*tables.TABLES, "detection.json"])
    part = next(built.case.deliveries.rglob("*.parquet"))
    whole = part.read_bytes()
    part.write_bytes(whole[:-1] + b"x")
    with pytest.raises(VerificationFailed, match=r"part\.parquet was changed"):
        manifest.intact(built.case, held, ["deliveries"])
    part.write_bytes(whole)
    shutil.copyfile(part, part.with_name("more.parquet"))
    with pytest.raises(VerificationFailed, match=r"more\.parquet was added"):
        manifest.intact(built.case, held, ["deliveries"])
    shutil.rmtree(built.case.deliveries)
    with pytest.raises(VerificationFailed, match=r"part\.parquet is missing"):
        manifest.intact(built.case, held, ["deliveries"])
    built.case.detection.write_text("{}")
    with pytest.raises(VerificationFailed, match=r"detection\.json was changed"):
        manifest.intact(built.case, held, ["detection.json"])


@pytest.mark.parametrize("content", ["", "{", '{"version": 0}', f'{{"version": {schema.VERSION}}}'])
def test_damaged_or_lost_manifest_is_named(built, content):
    built.case.manifest.write_text(content)
    assert set(failed(verify(built.case))) == {"manifest.json"}
    built.case.manifest.unlink()
    assert "is missing, though the custody log" in failed(verify(built.case))["manifest.json"]


def test_no_manifest(tmp_path):
    with pytest.raises(CaseError, match="nothing was ingested yet"):
        verify(Case(tmp_path))


def test_more_rows_than_fit_are_read_in_parts(built, monkeypatch):
    monkeypatch.setattr(citations, "ROWS", 1)
    rows = pq.ParquetFile(next(built.case.deliveries.rglob("*.parquet"))).read()
    path = next(built.case.deliveries.rglob("*.parquet"))
    with pq.ParquetWriter(path, rows.schema) as writer:
        writer.write_table(rows.slice(0, 1))
        writer.write_table(rows.slice(1, 1))
    result = verify(built.case, all_records=True)
    assert "10 citations of every delivery" in texts(result)


RECORDS = {
    "plain": lambda text: text.encode(),
    "utf-16": lambda text: text.encode("utf-16-le"),
    "json": lambda text: json.dumps({"log": text}).encode(),
    "journald byte array": lambda text: ('{"MESSAGE":' + json.dumps(list(text.encode())) + "}").encode(),
    "csv": lambda text: ('"' + text.replace('"', '""') + '"').encode(),
}


@given(
    local=st.text(
        st.characters(codec="utf-8", categories=("L", "N"), include_characters='".+_'), min_size=1, max_size=12
    ),
    form=st.sampled_from(sorted(RECORDS)),
)
def test_an_address_is_found_in_every_form(local, form):
    address = f"{local}@navy.ml"
    record = RECORDS[form](f"xx 4QW: to=<{address}>, relay=x")
    assert any(address.lower() in text for text in citations.forms(record))
    assert not any(f"{local}@navy.mil".lower() in text for text in citations.forms(record))


def test_custody_entries_hold_what_was_done(built):
    actions = [entry["action"] for entry in log.read(built.case)]
    assert actions == ["ingest", "detect", "report"]
    assert built.case.custody_log.stat().st_size < 10_000


@pytest.mark.parametrize(
    ("record", "named"),
    [
        ("to=<doe@navy.ml>, relay", True),
        ("doe@navy.ml", True),
        ("to=<doe@navy.ml.>", True),
        ("mail to doe@navy.ml.", True),
        ("a@b.org;doe@navy.ml;c@d.org", True),
        ("to=<j.doe@navy.ml>", False),
        ("to=<xdoe@navy.ml>", False),
        ("to=<doe@navy.mli>", False),
        ("to=<doe@navy.ml.org>", False),
        ("to=<j.doe@navy.ml> orig_to=<doe@navy.ml>", True),
    ],
)
def test_an_address_stands_by_itself(record, named):
    assert citations._contain_any([record], ("doe@navy.ml",)) is named


def rewritten(built, change):
    """Alter the rows of `deliveries`."""
    path = next(built.case.deliveries.rglob("*.parquet"))
    rows = pq.read_table(path)
    data = rows.to_pylist()
    change(data)
    pq.write_table(pa.Table.from_pylist(data, rows.schema), path)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: None,
        lambda data: data[0].update(recipient="nobody@navy.ml"),
        lambda data: data[1].update(recipient="NÖBODY@navy.ml"),
        lambda data: data[0].update(records=[]),
        lambda data: data[0]["records"].append(data[1]["records"][0]),
        lambda data: data[0]["records"][1].update(number=-5, offset=0, length=-1),
        lambda data: data[0]["records"][1].update(length=1 << 60),
        lambda data: data[0]["records"][1].update(offset=-7),
        lambda data: data[0]["records"][1].update(evidence="0" * 64),
    ],
)
def test_record_by_record_all_is_found_that_is_found_at_once(built, monkeypatch, change):
    rewritten(built, change)
    at_once = verify(built.case, all_records=True)
    monkeypatch.setattr(cited.citing, "look", lambda *arrays: 0)
    assert verify(built.case, all_records=True) == at_once
    monkeypatch.setattr(citations, "ROWS", 1)
    monkeypatch.setattr(traced, "AT_ONCE", 1)
    assert verify(built.case, all_records=True) == at_once


def test_a_row_that_cites_nothing_is_named(built):
    rewritten(built, lambda data: data[1].update(records=[]))
    assert "delivery d2: it cites no record" in failed(verify(built.case))["cited records"]


@pytest.mark.parametrize("size", [1, 100, 1 << 24])
def test_blocks_of_any_size_are_counted_and_addressed_alike(built, monkeypatch, size):
    monkeypatch.setattr(reread, "BLOCK", size)
    monkeypatch.setattr(citations, "ROWS", 1)
    path = next(built.case.deliveries.rglob("*.parquet"))
    rows = pq.ParquetFile(path).read()
    with pq.ParquetWriter(path, rows.schema) as writer:
        writer.write_table(rows.slice(0, 1))
        writer.write_table(rows.slice(1, 1))
    assert "cited records" not in failed(verify(built.case, all_records=True))


def test_what_is_read_again_is_what_was_digested(built, monkeypatch):
    """Rows that do not fit at once are held against bytes that are read once more: the same ones, or it is said."""
    monkeypatch.setattr(citations, "ROWS", 1)
    path = next(built.case.deliveries.rglob("*.parquet"))
    rows = pq.ParquetFile(path).read()
    with pq.ParquetWriter(path, rows.schema) as writer:
        writer.write_table(rows.slice(0, 1))
        writer.write_table(rows.slice(1, 1))
    log = built.logs / "b-second.log"
    before = log.read_bytes()

    def meanwhile(step, done, total):
        log.write_bytes(before.replace(b"Jun", b"jun") if step == "cited" else before)

    wrong = failed(verify(built.case, all_records=True, progress=meanwhile))
    assert "b-second.log" not in wrong
    assert "it changed while it was verified, at byte 0" in wrong["cited records"]


def test_every_step_of_a_verification_is_told(built):
    steps = []
    verify(built.case, all_records=True, progress=lambda step, done, total: steps.append((step, done, total)))
    last = {step: (done, total) for step, done, total in steps}
    assert list(last) == ["verify", "cited", "tables", "count", "digest"]
    assert all(done == total for done, total in last.values())
