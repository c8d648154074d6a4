"""Verdicts are added, never changed; attach again after a new detection; and pass through a spreadsheet unharmed."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from forensics import casefile as cases
from forensics import schema
from forensics.case import Case
from forensics.custody import log, manifest
from forensics.custody.verify import verify
from forensics.errors import CaseChanged, CaseError, UsageError, VerificationFailed
from forensics.report.facts import rulings
from forensics.review import (
    NewVerdict,
    current,
    desk,
    export_csv,
    import_csv,
    orphaned,
    read,
    record,
    record_all,
    review,
    sheets,
    verdicts,
)
from tests.custody.made import Built, build, delivery, finding, incident, write

NASTY = '=cmd|"/c calc"!A1'


@pytest.fixture
def built(tmp_path) -> Built:
    """Two incidents: navy.ml (d1, d3) and army.ml (d2); d3's sender is hostile."""
    made = build(tmp_path)
    detect(made, {"d1": "i1", "d2": "i2", "d3": "i1"})
    return made


def detect(made: Built, found: dict[str, str]) -> None:
    case = made.case
    sent = [
        delivery(delivery_id=name, sender="h.grant@example.org", recipient=f"{name}@navy.ml", subject="lunch")
        for name in ("d1", "d2")
    ]
    sent.append(delivery(delivery_id="d3", sender=NASTY, recipient="\u202ex@navy.ml", subject="[red]\x1b[31m\x00"))
    write(sent, next(case.deliveries.rglob("*.parquet")), schema.DELIVERIES)
    domains = {"i1": "navy.ml", "i2": "army.ml", "i3": "navy.mli"}
    rows = []
    for name, incident_id in found.items():
        row = finding(name) | {"incident_id": incident_id, "observed_domain": domains[incident_id]}
        row["reasons"] = [{"name": "history", "weight": 1.0, "text": f"[bold]{NASTY}", "source": "theirs"}]
        rows.append(row)
    write(rows, case.findings, schema.FINDINGS)
    listed = [incident(incident_id=one, observed_domain=domains[one]) for one in sorted(set(found.values()))]
    write(listed, case.incidents, schema.INCIDENTS)
    manifest.record(case, "detect", command=[], started=datetime(2023, 6, 1, tzinfo=UTC))


def clock():
    return datetime(2023, 7, 1, 8, 30, tzinfo=UTC)


NAVY = NewVerdict("navy.ml", "navy.mil", "confirmed", "seen with the sender")


def test_record_and_read(built):
    made = record(built.case, NAVY, " A. Reviewer ", clock=clock)
    assert made.reviewer == "A. Reviewer"
    assert made.at == clock()
    assert made.at.tzinfo is not None
    assert read(built.case) == (made,)
    last = log.read(built.case)[-1]
    assert (last["action"], last["details"]["verdicts"]) == ("verdict", [1, 1])
    assert manifest.read(built.case).custody == log.head(built.case)


def test_latest_counts_and_nothing_is_lost(built):
    record(built.case, NAVY, "A", clock=clock)
    one = NewVerdict("navy.ml", "navy.mil", "dismissed", "her brother", ("d1", "d3"))
    record(built.case, one, "B", clock=lambda: clock() + timedelta(hours=1))
    record(built.case, NewVerdict("navy.ml", "navy.mil", "undecided", "ask", ("d3",)), "A", clock=clock)
    record(built.case, NewVerdict("navy.ml", "navy.mil", "dismissed", "all genuine"), "C", clock=clock)
    assert len(read(built.case)) == 4
    held = [(one.verdict, one.deliveries, one.reviewer) for one in current(built.case)]
    assert held == [("dismissed", ("d1",), "B"), ("undecided", ("d3",), "A"), ("dismissed", (), "C")]
    assert verdicts.on(current(built.case), ("navy.ml", "navy.mil"), "d3").verdict == "undecided"
    rows = [{"delivery_id": d, "observed_domain": "navy.ml", "intended_domain": "navy.mil"} for d in ("d1", "d3", "d9")]
    ruled, lost = rulings.attach(rows, current(built.case))
    assert {name: one.verdict for name, one in ruled.items()} == {
        "d1": "dismissed",
        "d3": "undecided",
        "d9": "dismissed",
    }
    assert not lost


def test_attach_again_after_a_new_detection(built):
    record(built.case, NAVY, "A", clock=clock)
    record(built.case, NewVerdict("army.ml", "navy.mil", "dismissed", "genuine", ("d2",)), "A", clock=clock)
    assert orphaned(built.case) == ()
    detect(built, {"d3": "i1", "d2": "i3"})
    (lost,) = orphaned(built.case)
    assert lost.observed_domain == "army.ml"
    assert len(current(built.case)) == 2
    detect(built, {"d1": "i1", "d2": "i2", "d3": "i1"})
    assert orphaned(built.case) == ()


@pytest.mark.parametrize(
    ("ruling", "reviewer", "text"),
    [
        (NewVerdict("navy.ml", "navy.mil", "guilty", "x"), "A", "'guilty' is no verdict"),
        (NewVerdict("navy.ml", "navy.mil", "confirmed", "  "), "A", "needs a reason"),
        (NewVerdict("navy.ml", "navy.mil", "confirmed", "x"), " ", "nobody is named"),
        (NewVerdict("navy.ml", "other.mil", "confirmed", "x"), "A", "no finding has this pair"),
        (NewVerdict("navy.ml", "navy.mil", "confirmed", "x", ("d2",)), "A", "delivery d2 is no finding of this pair"),
    ],
)
def test_refused(built, ruling, reviewer, text):
    with pytest.raises(UsageError, match=text):
        record_all(built.case, [(NAVY, "A"), (ruling, reviewer)])
    assert read(built.case) == ()


def test_altered_verdicts_are_not_used(built):
    record(built.case, NAVY, "A", clock=clock)
    record(built.case, NewVerdict("army.ml", "navy.mil", "dismissed", "genuine"), "A", clock=clock)
    whole = built.case.verdicts.read_bytes()
    built.case.verdicts.write_bytes(whole.replace(b"confirmed", b"dismissed"))
    with pytest.raises(VerificationFailed, match=r"verdicts\.jsonl line 1: entry 1 was altered"):
        current(built.case)
    with pytest.raises(VerificationFailed):
        record(built.case, NAVY, "A", clock=clock)
    assert "line 1" in next(check.text for check in verify(built.case).checks if check.name == "verdicts")
    built.case.verdicts.write_bytes(whole.splitlines(keepends=True)[0])
    assert "missing at the end" in next(check.text for check in verify(built.case).checks if check.name == "verdicts")
    built.case.verdicts.write_bytes(whole)
    assert next(check for check in verify(built.case).checks if check.name == "verdicts").ok


def test_a_ruling_on_what_has_changed_is_refused(built):
    shown = verdicts.state(built.case)
    record_all(built.case, [(NAVY, "A")], shown=shown, clock=clock)
    with pytest.raises(CaseChanged, match="changed since they were shown"):
        record_all(built.case, [(NAVY, "B")], shown=shown, clock=clock)
    shown = verdicts.state(built.case)
    detect(built, {"d1": "i1", "d3": "i1"})
    with pytest.raises(CaseChanged):
        record_all(built.case, [(NAVY, "B")], shown=shown, clock=clock)
    assert [one.reviewer for one in read(built.case)] == ["A"]


def test_a_day_to_ask_by_and_what_a_ruling_withdraws(built):
    asked = NewVerdict("navy.ml", "navy.mil", "undecided", "on leave", ("d1",), ask="2023-07-08")
    first = record(built.case, asked, "A", clock=clock)
    undone = NewVerdict("navy.ml", "navy.mil", "undecided", "wrong one", ("d1",), undoes=first.sequence)
    record(built.case, undone, "A", clock=clock)
    assert [(one.ask, one.undoes) for one in read(built.case)] == [("2023-07-08", 0), ("", 1)]
    assert b'"ask"' not in built.case.verdicts.read_bytes().splitlines()[1]
    for verdict, day, text in (("confirmed", "2023-07-08", "expected: undecided"), ("undecided", "soon", "is no day")):
        with pytest.raises(UsageError, match=text):
            record(built.case, NewVerdict("navy.ml", "navy.mil", verdict, "x", ask=day), "A", clock=clock)


def test_before_detection(tmp_path):
    with pytest.raises(CaseError, match="nothing was detected yet"):
        record(Case(tmp_path), NAVY, "A")
    with pytest.raises(CaseError, match="nothing was detected yet"):
        export_csv(Case(tmp_path), tmp_path / "x.csv")


def rows_of(path, delimiter=","):
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def save(path, rows, delimiter=",", encoding="utf-8-sig"):
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0].keys(), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(out.getvalue().encode(encoding))


def test_export(built, tmp_path):
    record(built.case, NewVerdict("navy.ml", "navy.mil", "dismissed", "=1+1 is two", ("d1",)), "@A", clock=clock)
    path = tmp_path / "list.csv"
    assert export_csv(built.case, path) == 5
    rows = rows_of(path)
    assert [row["kind"] for row in rows] == ["note", "incident", "delivery", "incident", "delivery", "delivery"]
    assert "apostrophe" in rows[0]["why"]
    for row in rows:
        for cell in row.values():
            assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")
    ruled = next(row for row in rows if row["delivery_id"] == "d1")
    assert (ruled["verdict"], ruled["reason"], ruled["reviewer"]) == ("dismissed", "'=1+1 is two", "'@A")
    hostile = next(row for row in rows if row["delivery_id"] == "d3")
    assert hostile["sender"] == "'" + NASTY
    assert hostile["recipient"] == "\\u{202e}x@navy.ml"
    assert hostile["subject"] == "[red]\\u{1b}[31m\\u{0}"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_import(built, tmp_path, delimiter):
    path = tmp_path / "list.csv"
    export_csv(built.case, path)
    assert import_csv(built.case, path) == ()
    rows = rows_of(path)
    navy = next(row for row in rows if row["kind"] == "incident" and row["observed_domain"] == "navy.ml")
    navy |= {"verdict": " Confirmed ", "reason": '\'=asked; him, "twice"\nand again', "reviewer": "A"}
    single = next(row for row in rows if row["delivery_id"] == "d2")
    single |= {"verdict": "dismissed", "reason": "genuine", "reviewer": ""}
    save(path, rows, delimiter)
    with pytest.raises(UsageError, match="nobody is named as reviewer"):
        import_csv(built.case, path)
    assert read(built.case) == ()
    made = import_csv(built.case, path, reviewer="B", clock=clock)
    assert {(one.observed_domain, one.verdict, one.deliveries, one.reviewer) for one in made} == {
        ("navy.ml", "confirmed", (), "B"),
        ("army.ml", "dismissed", ("d2",), "B"),
    }
    reason = next(one.reason for one in made if one.verdict == "confirmed")
    assert reason == '=asked; him, "twice"\nand again'
    assert sum(entry["action"] == "verdict" for entry in log.read(built.case)) == 1
    export_csv(built.case, path)
    assert import_csv(built.case, path, reviewer="C") == ()


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda row: row.update(verdict="maybe"), "line 3: 'maybe' is no verdict"),
        (lambda row: row.update(verdict="confirmed", reason=""), "line 3: a verdict needs a reason"),
        (lambda row: row.update(verdict="confirmed", observed_domain="x.ml"), "no finding has this pair"),
        (lambda row: row.update(verdict="confirmed", kind="delivery", delivery_id=""), "names no delivery"),
    ],
)
def test_import_refuses_whole_lists_with_a_wrong_row(built, tmp_path, spoil, text):
    path = tmp_path / "list.csv"
    export_csv(built.case, path)
    rows = rows_of(path)
    for row in rows:
        row.update(reason="why", reviewer="A")
        if row["kind"] == "delivery":
            row["verdict"] = "confirmed"
    spoil(rows[1])
    save(path, rows)
    with pytest.raises(UsageError, match=text):
        import_csv(built.case, path)
    assert read(built.case) == ()


def test_import_of_what_is_no_list(built, tmp_path):
    path = tmp_path / "list.csv"
    for content, text in (
        (b"a,b\n1,2\n", "has no column"),
        (b"", "has no column"),
        ("kind,verdict\nä".encode("cp1252"), "is no UTF-8"),
    ):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=text):
            import_csv(built.case, path)
    with pytest.raises(UsageError, match="there is no such file"):
        import_csv(built.case, tmp_path / "none.csv")


@given(st.text(st.sampled_from("'=+-@\t\r\nab ") | st.characters(codec="utf-8"), max_size=6))
def test_no_cell_runs_and_every_cell_comes_back(text):
    cell = sheets.guard(text)
    assert cell[:1] not in tuple("=+-@\t\r\n")
    assert sheets.unguard(cell) == text


def sit(case, keys, answers=()):
    console = Console(file=io.StringIO(), width=120, force_terminal=False, color_system=None)
    pressed = iter(keys)
    given = iter(answers)
    made = desk.interactive(
        case, "A. Reviewer", key=lambda: next(pressed, ""), ask=lambda _: next(given, ""), console=console, clock=clock
    )
    return made, console.file.getvalue()


def test_desk(built):
    (made, good), shown = sit(built.case, "xdc", ["  genuine, asked  "])
    assert [(one.observed_domain, one.verdict, one.reason) for one in made] == [
        ("army.ml", "dismissed", "genuine, asked"),
        ("navy.ml", "confirmed", desk.REASONS["confirmed"]),
    ]
    assert good == ()
    assert "x is none of these keys" in shown
    assert "1 of 2" in shown
    assert f"[bold]{NASTY}" in shown
    assert "\x1b" not in shown
    assert "\\u{202e}x@navy.ml" in shown
    assert len(read(built.case)) == 2


def test_desk_shows_all_again_when_each_has_a_verdict(built):
    sit(built.case, "uu")
    (made, _), shown = sit(built.case, "sc")
    assert [one.observed_domain for one in made] == ["navy.ml"]
    assert "undecided by A. Reviewer on 2023-07-01: needs to be asked about" in shown


def test_desk_finding_by_finding_and_quitting(built):
    (made, _), shown = sit(built.case, "sfcq")
    assert [(one.deliveries, one.verdict) for one in made] == [(("d1",), "confirmed")]
    assert "\\u{1b}" in shown
    (made, _), _ = sit(built.case, "q")
    assert made == ()
    (made, _), shown = sit(built.case, "c")
    assert len(made) == 1
    assert "what was recorded stays recorded" in shown


def test_remember_as_known_good(built, monkeypatch):
    before = built.case.toml.read_text()
    monkeypatch.setattr(desk, "at_terminal", lambda case, reviewer, by: sit(case, "kd")[0])
    done = review(built.case, reviewer="A")
    assert done.remembered == ("army.ml",)
    assert cases.read(built.case).domains.known_good == ("army.ml",)
    assert [line for line in built.case.toml.read_text().splitlines() if line not in before.splitlines()] == [
        'known_good = ["army.ml"]'
    ]
    assert log.read(built.case)[-1]["details"]["known_good"] == ["army.ml"]
    monkeypatch.setattr(desk, "at_terminal", lambda case, reviewer, by: sit(case, "sd")[0])
    assert review(built.case, reviewer="A", remember=True).remembered == ("navy.ml",)


def test_review_by_file(built, tmp_path):
    path = tmp_path / "list.csv"
    assert "5 incidents and findings" in review(built.case, export_to=path).lines[0]
    rows = rows_of(path)
    rows[1] |= {"verdict": "dismissed", "reason": "r"}
    save(path, rows)
    done = review(built.case, import_from=path, reviewer="B", remember=True)
    assert done.remembered == ("army.ml",)
    assert done.lines[0] == "1 verdict recorded: 0 confirmed, 1 dismissed, 0 undecided"
    with pytest.raises(UsageError, match="at once"):
        review(built.case, import_from=path, export_to=path)


def test_no_terminal(built):
    with pytest.raises(UsageError, match="this is none"):
        review(built.case, reviewer="A")


def test_nothing_to_review(built):
    detect(built, {})
    (made, good), shown = sit(built.case, "")
    assert (made, good) == ((), ())
    assert "nothing to review" in shown
